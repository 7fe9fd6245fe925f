"""What a worker is shown of her escorts, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from booking.escort.models import EscortAssignment
from booking.escorting.mine import SHOWN, Standing, my_escort, my_escorts, standing
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.booking.escorting.stage import SAFE_WORD, THERE, Stage, add_worker, assign, deed, make_stage
from tests.people import NOON
from tests.world import EIGHT

pytestmark = pytest.mark.usefixtures("db")


def looks(stage: Stage) -> int:
    with reading() as session:
        wanted = select(func.count()).where(AuditLine.action == SHOWN, AuditLine.subject == stage.booking)
        return session.scalars(wanted).one()


def test_who_is_escorted_is_shown_to_who_goes_and_each_look_is_recorded() -> None:
    stage = make_stage()
    stage.taken(deed("on_the_way", 4))
    found = my_escort(stage.member, stage.assignment, now=THERE)
    assert found.person is not None and found.person.name == stage.made.world.beneficiary.name
    assert found.person.answers["department"] == "心内科"
    assert (found.safe_word, found.highest, len(found.deeds)) == (SAFE_WORD, 4, 1)
    my_escort(stage.member, stage.assignment, now=THERE)
    assert looks(stage) == 2
    my_escorts(stage.member, now=THERE)
    assert looks(stage) == 2, "a list names nobody"


def test_once_it_is_over_nobody_is_named_and_it_stands_for_a_week() -> None:
    stage = make_stage()
    stage.end("replaced", "ill", at=EIGHT)
    found = my_escort(stage.member, stage.assignment, now=EIGHT)
    assert (found.person, found.safe_word) == (None, "")
    assert looks(stage) == 0
    assert [it.id for it in my_escorts(stage.member, now=EIGHT).over] == [stage.assignment]
    assert my_escorts(stage.member, now=EIGHT + timedelta(days=8)).over == []


def test_what_she_wrote_is_a_look_too_once_it_is_over() -> None:
    stage = make_stage()
    stage.taken(deed("on_the_way", 1))
    stage.end("replaced", "ill", at=EIGHT)
    my_escort(stage.member, stage.assignment, now=EIGHT)
    assert looks(stage) == 0, "steps and times say nothing about her health"
    stage.taken(deed("note", 2, words="心电图"))
    my_escort(stage.member, stage.assignment, now=EIGHT)
    assert looks(stage) == 1


def test_the_answers_are_hers_to_know_while_that_is_agreed() -> None:
    stage = make_stage()
    with transaction() as session:
        session.execute(text("UPDATE consent SET withdrawn_at = :now WHERE purpose = 'dispatch'"), {"now": NOON})
    found = my_escort(stage.member, stage.assignment, now=NOON + timedelta(hours=1))
    assert found.person is not None and found.person.answers == {}


def test_an_open_page_is_told_how_each_escort_of_hers_stands() -> None:
    stage = make_stage()
    stage.taken(deed("on_the_way", 4))
    colleague, _worker = add_worker(stage.made.world.provider.id, "王安")
    named = [stage.assignment, "esa_unknown"]
    assert standing(stage.member, named) == {stage.assignment: Standing("accepted", 4)}
    stage.end("replaced", "ill")
    assert standing(stage.member, named) == {stage.assignment: Standing("replaced", 4)}
    assert standing(colleague, named) == {}


def test_lists_hold_what_is_asked_of_her_today_and_later() -> None:
    stage = make_stage()
    assert [it.id for it in my_escorts(stage.member, now=NOON).later] == [stage.assignment]
    assert [it.id for it in my_escorts(stage.member, now=THERE).today] == [stage.assignment]
    stage.end("replaced", "ill", at=NOON)
    colleague, worker = add_worker(stage.made.world.provider.id, "王安")
    asked, _ = assign(stage.booking_id, worker, stage.made.world.provider.id, state="asked")
    found = my_escorts(colleague, now=NOON)
    assert [it.id for it in found.asked] == [asked] and not (found.today or found.later or found.over)
    assert my_escorts(colleague, now=NOON + timedelta(hours=2)).asked == [], "its time to answer is over"
    with reading() as session:
        state = session.scalars(select(EscortAssignment.state).where(EscortAssignment.public_id == asked)).one()
    assert state == "asked"


def test_what_is_not_hers_or_not_accepted_is_not_there() -> None:
    stage = make_stage()
    colleague, worker = add_worker(stage.made.world.provider.id, "王安")
    stage.end("replaced", "ill")
    asked, _ = assign(stage.booking_id, worker, stage.made.world.provider.id, state="asked")
    for member, assignment in ((colleague, stage.assignment), (colleague, asked), (stage.member, asked)):
        with pytest.raises(NotFound):
            my_escort(member, assignment, now=THERE)
    assert looks(stage) == 0
    front = colleague.__class__(**{**colleague.__dict__, "id": -1})
    with pytest.raises(NotFound):
        my_escorts(front, now=THERE)
