"""Many clinicians and one patient; one clinician and many patients; and the controls."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking.consultation.assigning import absence
from booking.consultation.assigning.absence import bring_back
from booking.consultation.assigning.models import ConversationOffer
from booking.consultation.models import Conversation
from booking.consultation.queue import AlreadyTaken, ClinicianNotFree, accept, hand_over, offer_next, waiting
from marketplace.core.config import settings
from marketplace.core.database.db import reading, violated
from marketplace.core.errors import Busy
from providers.staff import shifts
from tests.booking.consultation.rooms import Practice, make_clinician, make_practice
from tests.booking.pledges.rows import after
from tests.concurrency.controls import all_at_once, owner, take_constraints_away, take_guard_away
from tests.concurrency.test_pledge_races import scratch
from tests.conftest import TestDatabase
from tests.people import NOON
from tests.processes import run_program

__all__ = ["scratch"]

CLINICIANS = 40


def ask(practice: Practice) -> str:
    opened = practice.open().conversation
    practice.ask(opened, "嗓子疼")
    return opened


def taken() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).where(Conversation.clinician_id.is_not(None))) or 0


@pytest.mark.usefixtures("many_connections")
def test_of_40_clinicians_who_accept_the_same_conversation_one_has_it() -> None:
    practice = make_practice(quantity=50)
    conversation = ask(practice)
    others = [make_clinician(practice.world) for _ in range(CLINICIANS)]

    def taking(number: int) -> Callable[[], None]:
        return lambda: accept(others[number], conversation, now=NOON)

    results = all_at_once([taking(number) for number in range(CLINICIANS)])
    assert results.count(None) == 1
    assert sum(isinstance(failed, AlreadyTaken) for failed in results) == CLINICIANS - 1
    at_work = shifts.shifts_of(practice.world.provider.id)
    assert sorted(each.in_hand for each in at_work) == [0] * CLINICIANS + [1]


@pytest.mark.usefixtures("many_connections")
def test_a_clinician_who_accepts_five_at_once_has_two_if_she_takes_two() -> None:
    practice = make_practice(quantity=50, capacity=2)
    asked = [ask(practice) for _ in range(5)]

    def taking(conversation: str) -> Callable[[], None]:
        return lambda: accept(practice.clinician, conversation, now=NOON)

    results = all_at_once([taking(conversation) for conversation in asked])
    assert results.count(None) == 2
    assert sum(isinstance(failed, ClinicianNotFree) for failed in results) == 3
    assert taken() == 2


@pytest.mark.usefixtures("many_connections")
def test_eight_workers_at_once_offer_each_to_one_and_her_one() -> None:
    practice = make_practice(quantity=50)
    others = [make_clinician(practice.world) for _ in range(2)]
    asked = [ask(practice) for _ in range(5)]
    passes = all_at_once([lambda: offer_next(now=after(1))] * 8)
    assert not [failed for failed in passes if isinstance(failed, Exception)]
    assert not sum(each["broken"] for each in passes if not isinstance(each, Exception))
    with reading() as session:
        offers = session.scalars(select(ConversationOffer)).all()
    assert len({each.conversation_id for each in offers}) == len({each.member_id for each in offers}) == len(offers)
    assert len(offers) == len(others) + 1
    assert len(asked) == 5


@pytest.mark.usefixtures("many_connections")
def test_two_who_hand_over_to_each_other_at_once_do_not_wait_for_each_other() -> None:
    practice = make_practice(quantity=50)
    colleague = make_clinician(practice.world)
    for _ in range(2):
        mine, hers = ask(practice), ask(practice)
        accept(practice.clinician, mine, now=NOON)
        accept(colleague, hers, now=NOON)
        results = all_at_once(
            [
                lambda of=mine: hand_over(practice.clinician, of, colleague.public_id, now=NOON),  # type: ignore[misc]
                lambda of=hers: hand_over(colleague, of, practice.clinician.public_id, now=NOON),  # type: ignore[misc]
            ]
        )
        assert results == [None, None], Busy


def test_without_guard_and_constraint_she_has_more_than_she_takes(scratch: TestDatabase) -> None:
    practice = make_practice(quantity=50, capacity=2)
    with owner(scratch.owner_url) as connection:
        take_guard_away(connection, "conversation_moves_in_hand")
        take_constraints_away(connection, "clinician_shift")
    for _ in range(3):
        accept(practice.clinician, ask(practice), now=NOON)
    assert taken() == 3


def test_without_the_guard_alone_the_constraint_refuses(scratch: TestDatabase) -> None:
    practice = make_practice(quantity=50, capacity=2)
    with owner(scratch.owner_url) as connection:
        take_guard_away(connection, "conversation_moves_in_hand")
    for _ in range(2):
        accept(practice.clinician, ask(practice), now=NOON)
    with pytest.raises(ClinicianNotFree) as refused:
        accept(practice.clinician, ask(practice), now=NOON)
    assert isinstance(refused.value.__cause__, DBAPIError)
    assert violated(refused.value.__cause__) == "ck_clinician_shift_in_hand"
    assert taken() == 2


_DIES = """
import os, signal
from sqlalchemy import event
from booking.consultation.queue import offer_next
from booking.consultation.assigning import offering
from datetime import datetime
real = offering._place_offer
def place(session, conversation_id, now):
    found = real(session, conversation_id, now)
    session.flush()
    os.kill(os.getpid(), signal.SIGKILL)
offering._place_offer = place
offer_next(now=datetime.fromisoformat("{now}"))
"""


@pytest.mark.usefixtures("db")
def test_a_worker_killed_while_it_offers_leaves_the_conversation_to_the_next() -> None:
    practice = make_practice()
    conversation = ask(practice)
    environment = {**os.environ, "DATABASE_URL": settings().database_url}
    assert run_program(_DIES.format(now=NOON.isoformat()), environment) == -signal.SIGKILL
    assert [(each.conversation, each.offered_to) for each in waiting(practice.clinician)] == [(conversation, None)]
    offer_next(now=after(1))
    assert [each.offered_to for each in waiting(practice.clinician)] == [practice.clinician.public_id]


@pytest.mark.usefixtures("db")
def test_the_application_cannot_write_how_many_she_has() -> None:
    make_practice()
    with reading() as session, pytest.raises(DBAPIError):
        session.execute(text("UPDATE clinician_shift SET in_hand = 0"))


def _away() -> tuple[Practice, str]:
    """A practice whose clinician has one in hand that nobody answered, and was not seen for a minute."""
    practice = make_practice(quantity=50)
    shifts.seen(practice.clinician, now=NOON)
    return practice, _taken(practice)


def _taken(practice: Practice) -> str:
    conversation = ask(practice)
    accept(practice.clinician, conversation, now=NOON)
    return conversation


@pytest.mark.usefixtures("many_connections")
def test_eight_workers_at_once_bring_one_back_once() -> None:
    practice, conversation = _away()
    passes = all_at_once([lambda: bring_back(now=after(60))] * 8)
    assert sum(each["brought_back"] for each in passes if not isinstance(each, Exception)) == 1
    assert not sum(each["broken"] for each in passes if not isinstance(each, Exception))
    assert [each.conversation for each in waiting(practice.clinician)] == [conversation]


@pytest.mark.usefixtures("many_connections")
def test_what_she_answers_while_it_is_brought_back_is_hers_or_waits_and_is_said_once() -> None:
    practice = make_practice(quantity=50)
    shifts.seen(practice.clinician, now=NOON)
    for turn in range(1, 6):
        conversation = _taken(practice)
        answered, brought = all_at_once(
            [
                lambda of=conversation: practice.answer(of, "多久了？", key="message-1", now=after(60)),  # type: ignore[misc]
                lambda: bring_back(now=after(60)),
            ]
        )
        assert not isinstance(answered, Exception)
        assert isinstance(brought, dict) and not brought["broken"]
        assert waiting(practice.clinician) == [] and taken() == turn
        assert shifts.shifts_of(practice.world.provider.id)[0].in_hand == turn


def test_she_who_is_seen_between_the_look_and_the_lock_keeps_it(
    many_connections: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice, conversation = _away()
    real = absence._locked

    def locked(session: Session, conversation_id: int) -> Conversation | None:
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(shifts.seen, practice.clinician, now=after(60)).result()
        return real(session, conversation_id)

    monkeypatch.setattr(absence, "_locked", locked)
    assert bring_back(now=after(60)) == {"left": 1}
    assert waiting(practice.clinician) == [] and taken() == 1, conversation


_BRINGS_BACK = """
import os, signal
from booking.consultation.assigning import absence
from datetime import datetime
def dies(row, *, now):
    row.clinician_id, row.handed_back_at = None, now
    from sqlalchemy.orm import object_session
    object_session(row).flush()
    os.kill(os.getpid(), signal.SIGKILL)
absence.give_back = dies
absence.bring_back(now=datetime.fromisoformat("{now}"))
"""


@pytest.mark.usefixtures("db")
def test_a_worker_killed_while_it_brings_one_back_leaves_it_to_the_next() -> None:
    practice, conversation = _away()
    environment = {**os.environ, "DATABASE_URL": settings().database_url}
    assert run_program(_BRINGS_BACK.format(now=after(60).isoformat()), environment) == -signal.SIGKILL
    assert waiting(practice.clinician) == [] and taken() == 1
    assert bring_back(now=after(60)) == {"brought_back": 1}
    assert [each.conversation for each in waiting(practice.clinician)] == [conversation]
