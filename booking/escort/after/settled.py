"""What a person has found out of an escort to which nobody is known to have come: it took place, or it did not. She
says it as she closes the case, and the booking and its unit follow."""

from __future__ import annotations

from booking.escort.after.lost import give_back
from booking.exchange.follow import go_to
from booking.reconcile.repair_actions import CaseMovedOn, Repairs, Work
from booking.states import BookingState

CAUSE = "settled_by_operator"


def took_place(work: Work) -> None:
    """Somebody was there: the unit is used, and what follows every escort that is done follows. Raises CaseMovedOn
    where a cancel is on its way."""
    _nothing_under_way(work)
    if not go_to(work.session, work.booking, BookingState.FULFILLED, work.actor, CAUSE, work.now):
        raise CaseMovedOn()
    work.close("took_place")


def did_not_take_place(work: Work) -> None:
    """Nobody came: as where the clock knew it at once. Raises CaseMovedOn where a cancel is on its way."""
    _nothing_under_way(work)
    if not give_back(work.session, work.booking, work.actor, now=work.now):
        raise CaseMovedOn()
    work.close("did_not_take_place")


def _nothing_under_way(work: Work) -> None:
    if any(task.command == "cancel" for task in work.tasks):
        raise CaseMovedOn()


REPAIRS: Repairs = {"took_place": took_place, "did_not_take_place": did_not_take_place}
"""The repairs of the case `escort_lost`."""
