"""Two reports of one person side by side, their results aligned by the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from booking.reports.box import ReportCard, card_of, own_report, record_look, results_of
from booking.reports.reading.read import Reading
from booking.reports.reading.vocabulary import vocabulary
from booking.reports.versions import keyed
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid
from vip.principal import Principal

How = Literal["higher", "lower", "same", "changed", "incomparable", "only_earlier", "only_later"]
SAME_SHARE = 1e-9


@dataclass(frozen=True)
class Pair:
    """One item in both reports. `difference` is later minus earlier in `unit` (UCUM), None if it is unknown.
    `how` sums it up; `changed` is for results in words, `incomparable` for units that cannot be converted."""

    earlier: Reading | None
    later: Reading | None
    how: How
    difference: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Comparison:
    """Both reports, the earlier check first, and their items: those to look at in either first, then by group."""

    earlier: ReportCard
    later: ReportCard
    pairs: Sequence[Pair]


def compare(principal: Principal, a: str, b: str, *, now: datetime) -> Comparison:
    """Compare two reports of one person, in their newest versions. The audit records both.

    Raises NotFound(field="report_id"), ConsentMissing, and Invalid(field="b") if both are the same report or of two
    people.
    """
    if a == b:
        raise Invalid(field="b", reason="same_report")
    with transaction() as session:
        both = [own_report(session, principal, public_id, now) for public_id in (a, b)]
        if both[0].Report.beneficiary_id != both[1].Report.beneficiary_id:
            raise Invalid(field="b", reason="other_person")
        both.sort(key=lambda row: (row.Booking.service_date, row.Report.id))
        for row in both:
            record_look(session, principal, row, "report.compared", now)
        earlier, later = (results_of(session, row)[0] for row in both)
    return Comparison(card_of(both[0]), card_of(both[1]), _pairs(earlier, later))


def _pairs(earlier: Sequence[Reading], later: Sequence[Reading]) -> list[Pair]:
    before, after = keyed(earlier), keyed(later)
    groups = list(vocabulary().groups)
    pairs = [_pair(before.get(key), after.get(key)) for key in dict.fromkeys((*after, *before))]

    def place(pair: Pair) -> tuple[bool, int]:
        shown = [result for result in (pair.earlier, pair.later) if result is not None]
        group = shown[-1].group
        return not any(result.to_look_at for result in shown), groups.index(group) if group else len(groups)

    return sorted(pairs, key=place)


def _pair(earlier: Reading | None, later: Reading | None) -> Pair:
    if earlier is None or later is None:
        return Pair(earlier, later, "only_later" if earlier is None else "only_earlier")
    numbers = _numbers(earlier, later)
    if numbers is None:
        plain = earlier.number is None and later.number is None
        same = (earlier.finding or earlier.value.strip()) == (later.finding or later.value.strip())
        if not plain or earlier.bound or later.bound:
            same_text = same and earlier.unit == later.unit
            return Pair(earlier, later, "same" if same_text else "incomparable")
        return Pair(earlier, later, "same" if same else "changed")
    first, second, unit = numbers
    difference = second - first
    if abs(difference) <= SAME_SHARE * max(abs(first), abs(second)):
        return Pair(earlier, later, "same", 0.0, unit)
    return Pair(earlier, later, "higher" if difference > 0 else "lower", difference, unit)


def _numbers(earlier: Reading, later: Reading) -> tuple[float, float, str] | None:
    """Both values in one unit: as delivered where that is the same one, else in ours."""
    if earlier.bound or later.bound:
        return None
    if earlier.number is not None and later.number is not None and earlier.unit == later.unit:
        return earlier.number, later.number, earlier.unit
    if earlier.our_value is not None and later.our_value is not None:
        return earlier.our_value, later.our_value, later.our_unit
    return None
