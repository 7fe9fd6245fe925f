"""How far a reading of events has come.

An event's id is given before its transaction commits, so that a reader that remembers the highest id loses what
commits late. A place is a snapshot of PostgreSQL instead: it names the transactions that had not ended when it was
taken, and the first number that was not given out yet. What one reading shows and the one before did not was written
by one of those. So nothing is lost or comes twice, and nobody waits: a long transaction costs a number in the list,
which is looked up by the index.

What bounds it: transactions that write at a moment are at most `max_connections`. A place whose text would be longer
than LONGEST is not given out, and whoever is away longer than RESUMABLE begins anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LONGEST = 4_000
"""Characters: an address with a ticket beside it must pass proxies, which take 8,000."""
RESUMABLE = timedelta(minutes=10)
_EARLY = timedelta(minutes=1)
_TEXT = re.compile(r"([0-9a-z]{0,12})-(\d{1,11})-(\d{1,20})-((?:\d{1,20}(?:\.\d{1,20})*)?)", re.ASCII)


@dataclass(frozen=True)
class Place:
    """All is read that was committed when this was taken: transactions below `high`, but for the `running`. `history`
    names the count that the numbers are of, since a restored database gives them once more (decision 0041). `at`: when
    it was taken."""

    high: int
    running: tuple[int, ...]
    history: str
    at: datetime

    def text(self) -> str:
        """For who goes on from here later; blank where it would be too long."""
        running = ".".join(str(self.high - each) for each in self.running)
        text = f"{self.history}-{int(self.at.timestamp())}-{self.high}-{running}"
        return text if len(text) <= LONGEST else ""

    @property
    def snapshot(self) -> str:
        """As PostgreSQL writes it."""
        low = min(self.running, default=self.high)
        return f"{low}:{self.high}:{','.join(str(each) for each in sorted(self.running))}"


def place_of(snapshot: str, history: str, at: datetime) -> Place:
    """The place that a snapshot is, as PostgreSQL writes it."""
    _, high, running = snapshot.split(":")
    return Place(int(high), tuple(int(each) for each in running.split(",") if each), history, at)


def parse(text: str, *, now: datetime) -> Place | None:
    """The place in a text; None for what Place.text() did not make, or for one from which nobody can go on now."""
    found = _TEXT.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return None
    history, at, high, running = found.groups()
    taken = datetime.fromtimestamp(int(at), UTC)
    if not now - RESUMABLE <= taken <= now + _EARLY:
        return None
    top = int(high)
    before = tuple(top - int(each) for each in running.split(".") if each)
    if top >= 2**63 or any(not 0 < each < top for each in before):
        return None
    return Place(top, before, history, taken)
