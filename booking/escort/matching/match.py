"""Who could be sent to one booking, in which order; and where nobody can, why, and what would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from booking.escort.matching.against import FILTERS, Against, Filter, reasons_against
from booking.escort.matching.people import Candidate, Request
from booking.escort.matching.relax import Relaxation, missing, nearest
from booking.escort.matching.score import Fit, best_first, fit


@dataclass(frozen=True)
class Match:
    """`fitting`: who can be sent, the best first. `against`: everybody else, in the order of the candidates, with the
    first filter that stands against her. `relaxation` is only looked for where nobody fits, and `missing` only where
    none works: what somebody in the city would have to have, blank where there is nobody."""

    request: Request
    fitting: Sequence[Fit]
    against: Sequence[tuple[Candidate, Against]]
    relaxation: Relaxation | None = None
    missing: Sequence[Against] = ()

    @cached_property
    def counts(self) -> Mapping[Against, int]:
        """How many of the city each filter stands against, in the order of the filters. With those who fit it adds up
        to `in_city`."""
        found = Counter(code for _worker, code in self.against)
        return {each: found[each] for each in Against if found[each] and each is not Against.OTHER_CITY}

    @property
    def in_city(self) -> int:
        """How many workers the city has."""
        return len(self.fitting) + sum(self.counts.values())


def matched(request: Request, candidates: Sequence[Candidate], filters: Sequence[Filter] = FILTERS) -> Match:
    """Whom of these candidates the request could have."""
    fitting, against = [], []
    for each in candidates:
        reason = next(reasons_against(each, request, filters), None)
        if reason is None:
            fitting.append(fit(each, request))
        else:
            against.append((each, reason))
    if fitting:
        return Match(request, best_first(fitting), against)
    relaxation = nearest(candidates, request, filters)
    lacking = () if relaxation else missing(candidates, request, filters)
    return Match(request, [], against, relaxation, lacking)
