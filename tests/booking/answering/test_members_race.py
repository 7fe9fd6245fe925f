"""Two members who answer one booking at the same moment, by real threads on PostgreSQL: one is heard, and the other is
told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from booking.answering import answer
from booking.answering.answer import ProvidersAnswer
from booking.answering.queue import note_cancel
from booking.changes.cancel import cancel
from booking.changes.reschedule import OutOfDate
from tests.booking.answering.desk import desk_world, last_move, lines, once, said
from tests.people import NOON
from tests.providers.partner_api.answering import open_cases, requested, work
from tests.providers.partner_api.test_answers_race import at_once
from tests.world import booking_row, history, taken

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def outcome(say: Callable[[], None]) -> str:
    try:
        say()
    except OutOfDate:
        return "out_of_date"
    return "done"


@pytest.mark.parametrize("turn", range(5))
def test_a_yes_and_a_no_at_once_end_in_one_of_them(turn: int) -> None:
    world = desk_world()
    booking = requested(world)
    one, other = said(world, booking, member="opr_one"), said(world, booking, member="opr_other")
    told = at_once(
        lambda: outcome(lambda: answer.confirm(one, now=NOON)),
        lambda: outcome(lambda: answer.reject(other, "closed", now=NOON)),
    )
    assert sorted(map(str, told)) == ["done", "out_of_date"]
    yes = told[0] == "done"
    state = "confirmed" if yes else "rejected"
    assert last_move(booking) == (state, "provider", "opr_one" if yes else "opr_other")
    assert taken(world.slots[0]) == int(yes) and open_cases() == []


@pytest.mark.parametrize("turn", range(3))
def test_the_same_form_sent_three_times_at_once_is_carried_out_once(turn: int) -> None:
    world = desk_world()
    booking = requested(world)
    form = said(world, booking)
    told = at_once(*[lambda: outcome(lambda: answer.confirm(form, now=NOON))] * 3)
    assert told == ["done"] * 3
    assert history(booking) == ["held", "awaiting_provider", "confirmed"]
    assert booking_row(booking).version == form.version + 1  # type: ignore[operator]


def test_without_the_version_the_second_answer_undoes_the_first() -> None:
    """The control: what the version in the form refuses is a cancel that nobody meant."""
    world = desk_world()
    booking = requested(world)
    seen = booking_row(booking).version
    answer.confirm(said(world, booking), now=NOON)
    with pytest.raises(OutOfDate):
        answer.cancel(said(world, booking, version=seen), "closed", now=NOON)
    blind = ProvidersAnswer(world.provider.id, booking, once(), None, member="opr_other")
    answer.cancel(blind, "closed", now=NOON)
    assert booking_row(booking).state == "cancelled"


@pytest.mark.parametrize("turn", range(3))
def test_two_who_take_note_at_once_are_one_line_of_the_audit(turn: int) -> None:
    world = desk_world()
    booking = requested(world)
    cancel(world.principal, booking, now=NOON)
    work(world)
    at_once(
        *(
            lambda member=member: note_cancel(world.provider.id, booking, once(), member=member, now=NOON)
            for member in ("opr_one", "opr_other")
        )
    )
    assert len(lines("booking.cancel_noted")) == 1
    assert booking_row(booking).cancel_noted_at == NOON
