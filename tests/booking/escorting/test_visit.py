"""What deeds say of the visit: whoever tells them, and whenever they are heard."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from booking.actors import Actor
from booking.discrepancies import Discrepancy
from booking.escort.after.confirm import something_wrong, went_well
from booking.escort.after.lost import CAME_AFTER_ALL, end_lost
from booking.escort.deeds import deeds_of
from booking.escort.models import EscortWorker
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import by_database
from tests.booking.escorting.stage import CODE, Stage, deed, locate, make_stage
from tests.people import NOON
from tests.world import EIGHT

_BEHIND_ME = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def told(stage: Stage) -> list[Any]:
    """What a reader of the booking is shown."""
    with reading() as session:
        return list(deeds_of(session, stage.booking_id))


def cases() -> list[str]:
    """Bookings that were cancelled as nobody came, and of which a phone tells otherwise."""
    with reading() as session:
        return list(session.scalars(select(Discrepancy.subject).where(Discrepancy.kind == CAME_AFTER_ALL)))


def codes(answers: list[Any]) -> list[str]:
    return [each.refused.code if each.refused else "taken" for each in answers]


def test_a_visit_goes_the_houses_way_and_a_late_step_opens_nothing_again() -> None:
    stage = make_stage()
    stage.taken(deed("on_the_way", 1), deed("arrived", 2))
    assert stage.state() == "confirmed"
    stage.taken(deed("met", 3, minutes=21, code=CODE))
    assert stage.state() == "checked_in"
    stage.taken(deed("consulted", 5, minutes=60), now=EIGHT + timedelta(hours=1))
    assert stage.state() == "in_service"
    strokes = [[0, 0, 500, 200, 900, 10]]
    stage.taken(deed("signed", 8, minutes=120, strokes=strokes), now=EIGHT + timedelta(hours=2))
    assert stage.state() == "in_service"
    stage.taken(deed("handed_over", 7, minutes=119, words="药已交"), now=EIGHT + timedelta(hours=2))
    assert stage.state() == "fulfilled"
    stage.taken(deed("registered", 4, minutes=34), now=EIGHT + timedelta(hours=3))
    assert stage.state() == "fulfilled"
    assert [it.kind for it in told(stage)][3:5] == ["registered", "consulted"]
    assert [it.strokes for it in told(stage) if it.strokes] == [((0, 0, 500, 200, 900, 10),)]
    with reading() as session:
        actors = session.execute(
            text("SELECT to_state, actor_kind, actor FROM booking_history ORDER BY version DESC LIMIT 3")
        ).all()
    who = ("provider", stage.member.public_id)
    assert [tuple(each) for each in reversed(actors)] == [
        ("checked_in", *who),
        ("in_service", *who),
        ("fulfilled", *who),
    ]


def test_the_worker_alone_ends_no_visit_whenever_she_says_so() -> None:
    stage = make_stage()
    locate(stage.made)
    night, strokes = EIGHT - timedelta(hours=7), [[0, 0, 500, 200]]

    def over(number: int) -> list[dict[str, Any]]:
        return [deed("handed_over", number, words="药已交"), deed("signed", number + 1, strokes=strokes)]

    stage.taken(deed("met", 1, code=CODE), *over(2), now=night)
    assert stage.state() == "checked_in", "it has not begun, whatever proves that they met"
    stage.taken(*over(4), now=EIGHT)
    assert stage.state() == "fulfilled"


def test_a_scribble_and_a_position_are_her_word_alone() -> None:
    stage = make_stage()
    locate(stage.made)
    over = [deed("handed_over", 2, words="药已交"), deed("signed", 3, strokes=[[0, 0, 500, 200]])]
    stage.taken(deed("met", 1, distance_m=5, accuracy_m=5), *over, now=EIGHT + timedelta(hours=1))
    assert stage.state() == "in_service"
    stage.taken(deed("arrived", 4, code=CODE), now=EIGHT + timedelta(hours=1))
    assert stage.state() == "fulfilled"


def test_a_meeting_that_was_told_too_early_moves_nothing_and_stands() -> None:
    stage = make_stage()
    at = (NOON + timedelta(hours=1)).isoformat()
    stage.taken({**deed("met", 1), "at": at}, now=NOON + timedelta(hours=1))
    assert (stage.state(), [it.kind for it in told(stage)]) == ("confirmed", ["met"])
    stage.taken(deed("note", 2, words="x"))
    assert stage.state() == "checked_in", "what could not be said then is said with the next deed"


def test_what_a_phone_without_a_network_tells_of_one_that_was_lost_is_for_a_person() -> None:
    stage = make_stage(quantity=1)
    late = EIGHT + timedelta(days=3)
    with transaction() as session:
        session.execute(update(EscortWorker).values(auto=True))
    assert end_lost(now=late) == {"lost": 1}
    stage.taken(deed("on_the_way", 1, minutes=5), deed("arrived", 2, minutes=20), now=late)
    assert cases() == []
    for number in (3, 4):
        stage.taken(deed("met", number, minutes=35), now=late)
    assert cases() == [stage.booking] and stage.state() == "cancelled"


def test_one_that_was_opened_again_is_not_closed_by_what_was_said_before() -> None:
    stage = make_stage()
    over = deed("handed_over", 2, words="药已交"), deed("signed", 3, strokes=[[0, 0, 500, 200]])
    stage.taken(deed("met", 1, code=CODE), *over, now=EIGHT + timedelta(hours=1))
    assert stage.state() == "fulfilled"
    with transaction() as session:
        row, _ = lock_booking(session, stage.booking_id)
        move(session, row, BookingState.IN_SERVICE, actor=Actor("provider"), now=EIGHT + timedelta(minutes=90))
    stage.taken(deed("note", 4, words="x"), now=EIGHT + timedelta(hours=2))
    assert stage.state() == "in_service"
    stage.taken(
        deed("handed_over", 5, words="x"), deed("signed", 6, strokes=[[0, 0, 5, 5]]), now=EIGHT + timedelta(hours=3)
    )
    assert stage.state() == "fulfilled"


def test_it_is_heard_after_whoever_held_the_booking_meanwhile() -> None:
    """So what was read of it under that lock holds all that was heard before."""
    stage = make_stage()
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            lock_booking(session, stage.booking_id)
            told = pool.submit(stage.take, deed("note", 1, words="x"), now=by_database)
            while not session.scalar(_BEHIND_ME):
                pass
            released = by_database(session)
        assert codes(told.result()) == ["taken"]
    assert stage.rows()[0].received_at > released


def test_a_hand_over_that_was_signed_says_of_one_that_was_lost_that_they_met() -> None:
    stage = make_stage(quantity=1)
    late = EIGHT + timedelta(days=3)
    with transaction() as session:
        session.execute(update(EscortWorker).values(auto=True))
    assert end_lost(now=late) == {"lost": 1}
    stage.taken(deed("handed_over", 1, words="药已交"), now=late)
    assert cases() == [], "half of it may be a slip of the hand"
    stage.taken(deed("signed", 2, strokes=[[0, 0, 500, 200]]), now=late)
    assert cases() == [stage.booking]


def test_while_her_customers_complaint_is_open_no_signature_completes_it() -> None:
    stage = make_stage()
    me, now = stage.made.world.principal, EIGHT + timedelta(hours=1)
    stage.taken(deed("met", 1, code=CODE), now=EIGHT)
    something_wrong(me, stage.booking, "another_person", now=now)
    stage.taken(deed("handed_over", 2, words="x"), deed("signed", 3, strokes=[[0, 0, 500, 200]]), now=now)
    assert stage.state() == "in_service", "she was told that nothing is completed until she is called"
    went_well(me, stage.booking, now=now)
    assert stage.state() == "fulfilled"
