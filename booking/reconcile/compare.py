"""Comparing our books with a provider's: two lists in, discrepancies out. Pure: no database, no network, no clock.

A discrepancy has one of five kinds: `ours_only`, `theirs_only`, `state_differs`, `time_differs`, `duplicate_there`. If
the evidence shows which side is right, it names the repair; otherwise a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from booking.references import named
from booking.states import AT_PROVIDER, CANCELLABLE, DEAD, GIVEN_UP, LIVE, STATE_OF, BookingState, legal
from providers.reported import RemoteBooking

Kind = Literal["ours_only", "theirs_only", "state_differs", "time_differs", "duplicate_there"]
Repair = Literal["follow", "cancel_there"]

KINDS: tuple[Kind, ...] = ("ours_only", "theirs_only", "state_differs", "time_differs", "duplicate_there")

_S = BookingState

_EXPECTED_THERE = AT_PROVIDER | {_S.AWAITING_PROVIDER}
_TIMED = LIVE - {_S.HELD, _S.OUTCOME_UNKNOWN}


@dataclass(frozen=True)
class Ours:
    """A booking in our books. `references` gives the roles of the provider bookings known for it; a `busy` one has an
    unanswered command, or a row of the provider's list about it could not be read; it is not compared. Of a `timeless`
    one what was said in it tells how far it is, and not the provider's status (booking.exchange.follow)."""

    booking: str
    state: BookingState
    service_date: date
    starts_at: datetime | None
    references: Mapping[str, str] = field(default_factory=dict)
    allotment: bool = False
    busy: bool = False
    timeless: bool = False

    @property
    def current(self) -> str | None:
        """The provider's reference that moves this booking, if one is known."""
        return next((reference for reference, role in self.references.items() if role == "current"), None)


@dataclass(frozen=True)
class Found:
    """A discrepancy. `subject` is our public id, or the provider's reference if only the provider has it, or has it
    twice. `ours` is our state, `theirs` the provider's booking (None: there is none). `repair` None: a person
    decides."""

    kind: Kind
    subject: str
    booking: str | None
    reference: str | None
    ours: BookingState | None
    theirs: RemoteBooking | None
    repair: Repair | None = None

    @property
    def key(self) -> tuple[Kind, str]:
        """Two findings with the same key are the same discrepancy."""
        return self.kind, self.subject


def compare(ours: Sequence[Ours], theirs: Sequence[RemoteBooking], *, complete: bool = True) -> list[Found]:
    """All discrepancies: those of our bookings in their order, then the provider's bookings that match none of ours.

    `complete` is whether `theirs` is the whole list; if not, a booking is never reported as missing there.
    """
    by_reference = {reference: each for each in ours for reference in each.references}
    by_id = {each.booking: each for each in ours}
    matched: dict[str, list[RemoteBooking]] = defaultdict(list)
    alone: list[RemoteBooking] = []
    for remote in newest(theirs):
        mine = by_reference.get(remote.reference) or by_id.get(named(remote.our_reference)[0])
        if mine is None or named(remote.our_reference)[0] not in ("", mine.booking):
            alone.append(remote)
        else:
            matched[mine.booking].append(remote)
    found = [each for mine in ours if not mine.busy for each in _discrepancies(mine, matched[mine.booking], complete)]
    found += [_theirs_only(None, remote) for remote in alone if remote.status not in DEAD and not remote.for_test]
    return found


def newest(theirs: Sequence[RemoteBooking]) -> list[RemoteBooking]:
    """The newest version of each reference: a booking that changes while the pages are read is listed twice."""
    known: dict[str, RemoteBooking] = {}
    for remote in theirs:
        before = known.get(remote.reference)
        if before is None or before.version <= remote.version:
            known[remote.reference] = remote
    return list(known.values())


def _discrepancies(mine: Ours, theirs: Sequence[RemoteBooking], complete: bool) -> list[Found]:
    if mine.state is _S.HELD:
        return [_theirs_only(mine, remote) for remote in theirs if remote.status not in DEAD]
    if mine.state in GIVEN_UP:
        return [each for remote in theirs if (each := _after_the_end(mine, remote)) is not None]
    main = _main(mine, theirs)
    found = [
        _surplus(mine, remote)
        for remote in theirs
        if remote is not main
        and remote.status not in DEAD
        and mine.references.get(remote.reference) != "pending"
        and not _missed(mine, remote)
    ]
    if main is None:
        if complete and mine.state in _EXPECTED_THERE:
            found.append(Found("ours_only", mine.booking, mine.booking, mine.current, mine.state, None))
        return found
    if not agree(mine, main.status):
        repair: Repair | None = "follow" if leads(mine.state, main.status) else None
        found.append(Found("state_differs", mine.booking, mine.booking, main.reference, mine.state, main, repair))
    if main.status not in DEAD and not same_time(mine, main):
        found.append(Found("time_differs", mine.booking, mine.booking, main.reference, mine.state, main))
    return found


def _missed(mine: Ours, remote: RemoteBooking) -> bool:
    """Whether nobody came to one that our booking had left or never stood for. What that means is judged when the
    provider tells it (`exchange/old_date.py`)."""
    return remote.status == "no_show" and mine.references.get(remote.reference) in ("superseded", "stray")


def _main(mine: Ours, theirs: Sequence[RemoteBooking]) -> RemoteBooking | None:
    """The provider's booking that belongs to ours: the one with the current reference; if none is known yet, preferably
    one that has not ended. None if there is none."""
    if mine.current is not None:
        return next((remote for remote in theirs if remote.reference == mine.current), None)
    fresh = [remote for remote in theirs if mine.references.get(remote.reference) is None]
    return min(fresh, key=lambda remote: (remote.status in DEAD, -remote.version, remote.reference), default=None)


def _after_the_end(mine: Ours, remote: RemoteBooking) -> Found | None:
    """The discrepancy if our booking has ended without a service but the provider's has not; else None."""
    if remote.status in DEAD or _missed(mine, remote):
        return None
    if mine.state is _S.ENTERED_IN_ERROR and remote.status in ("fulfilled", "no_show"):
        return None
    if remote.status in CANCELLABLE:
        return _theirs_only(mine, remote, "cancel_there")
    return Found("state_differs", mine.booking, mine.booking, remote.reference, mine.state, remote)


def _theirs_only(mine: Ours | None, remote: RemoteBooking, repair: Repair | None = None) -> Found:
    booking, state = (mine.booking, mine.state) if mine else (None, None)
    return Found("theirs_only", remote.reference, booking, remote.reference, state, remote, repair)


def _surplus(mine: Ours, remote: RemoteBooking) -> Found:
    repair: Repair | None = "cancel_there" if remote.status in CANCELLABLE else None
    return Found("duplicate_there", remote.reference, mine.booking, remote.reference, mine.state, remote, repair)


def agree(mine: Ours, status: str) -> bool:
    """Whether our state and the provider's status agree.

    With an allotment a booking is confirmed here before the provider confirms it. A no-show is decided by our clock; a
    provider that still says confirmed does not disagree.
    """
    if mine.state is STATE_OF[status]:
        return True
    if mine.timeless and mine.state in AT_PROVIDER:
        return STATE_OF[status] in AT_PROVIDER
    if mine.state is _S.CONFIRMED:
        return status == "requested" and mine.allotment
    return mine.state is _S.NO_SHOW and status == "confirmed"


def leads(state: BookingState, status: str) -> bool:
    """Whether a booking can legally move from our state to the provider's status, directly or through confirmed."""
    target = STATE_OF[status]
    if target is _S.REJECTED and not legal(state, target):
        target = _S.CANCELLED
    if status == "requested":
        return False
    return legal(state, target) or (legal(state, _S.CONFIRMED) and legal(_S.CONFIRMED, target))


def same_time(mine: Ours, remote: RemoteBooking) -> bool:
    """Whether both have the same time. A time that the provider does not give (it counts days only) is not compared,
    and neither is a booking that has ended."""
    if mine.timeless or mine.state not in _TIMED or remote.service_date is None:
        return True
    if mine.starts_at is None or remote.starts_at is None:
        return mine.service_date == remote.service_date
    return mine.starts_at == remote.starts_at


def effect(found: Found) -> tuple[int, int]:
    """The provider's books less ours, as (units of the benefit, services to be paid). Negative if ours have more.

    (0, 0) for a booking that matches none of ours, as its price is not known.
    """
    if found.booking is None or found.kind == "time_differs":
        return 0, 0
    there = _binds(STATE_OF[found.theirs.status]) if found.theirs is not None else (0, 0)
    if found.kind == "duplicate_there" or found.ours is None:
        return there
    here = _binds(found.ours)
    return there[0] - here[0], there[1] - here[1]


def _binds(state: BookingState) -> tuple[int, int]:
    if state is _S.HELD or state in GIVEN_UP:
        return 0, 0
    return 1, 0 if state is _S.NO_SHOW else 1
