"""What a clinician has in hand goes with nobody who leaves, and where it goes instead."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text, update
from sqlalchemy.exc import DBAPIError

from booking.consultation.assigning.ended import close_ended
from booking.consultation.assigning.leaving import go_off, release_gone, take_a_break
from booking.consultation.models import Conversation
from booking.consultation.queue import (
    AlreadyTaken,
    ClinicianNotFree,
    accept,
    assign,
    hand_over,
    offer_next,
    waiting,
)
from marketplace.core.database.db import transaction, violated
from marketplace.core.errors import NotFound
from providers.staff import shifts
from providers.staff.models import Clinician
from providers.staff.shifts import ClinicianNotVerified, NotOnShift
from tests.booking.consultation.queue.asking import ask, in_hand, offered, row
from tests.booking.consultation.rooms import Practice, make_clinician
from tests.booking.pledges.rows import after, give_up, the_pledge
from tests.people import NOON
from vip.models import Operator

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def test_who_goes_off_leaves_nobody_behind(practice: Practice) -> None:
    earlier, taken = ask(practice, 1), ask(practice, 2)
    accept(practice.clinician, taken, now=after(3))
    practice.answer(taken, "多久了？", now=after(4))
    assert go_off(practice.clinician, now=after(5)) == 1
    assert [each.conversation for each in waiting(practice.clinician)] == [taken, earlier]
    assert shifts.shift_of(practice.clinician) is None
    with pytest.raises(NotOnShift):
        go_off(practice.clinician, now=after(6))
    with pytest.raises(ClinicianNotFree):
        accept(practice.clinician, taken, now=after(6))


def test_a_break_does_the_same_and_she_comes_back(practice: Practice) -> None:
    conversation = ask(practice)
    offer_next(now=NOON)
    take_a_break(practice.clinician, now=after(1))
    assert offer_next(now=after(2))["offered"] == 0
    assert offered(practice.clinician) == [(conversation, None)]
    shifts.begin(practice.clinician, now=after(3), capacity=1)
    offer_next(now=after(4))
    assert offered(practice.clinician) == [(conversation, practice.clinician.public_id)]


@pytest.mark.parametrize("column", ["ended_at", "break_since"])
def test_the_database_refuses_a_shift_that_ends_with_a_patient_in_hand(
    practice: Practice, owner_connection: Connection, column: str
) -> None:
    accept(practice.clinician, ask(practice), now=NOON)
    with pytest.raises(DBAPIError) as refused:
        owner_connection.execute(text(f"UPDATE clinician_shift SET {column} = now()"))
    assert violated(refused.value) == "ck_clinician_shift_nobody_left_behind"


def test_she_hands_over_to_a_colleague_who_is_free_or_to_the_queue(practice: Practice) -> None:
    colleague = make_clinician(practice.world, capacity=1)
    first, second = ask(practice, 1), ask(practice, 2)
    accept(practice.clinician, first, now=after(3))
    accept(practice.clinician, second, now=after(3))
    hand_over(practice.clinician, first, colleague.public_id, now=after(4))
    assert (row(first).clinician_id, in_hand(practice.clinician), in_hand(colleague)) == (colleague.id, 1, 1)
    with pytest.raises(ClinicianNotFree):
        hand_over(practice.clinician, second, colleague.public_id, now=after(5))
    with pytest.raises(NotFound):
        hand_over(practice.clinician, second, "mbr_nobody", now=after(5))
    with pytest.raises(AlreadyTaken):
        hand_over(practice.clinician, first, None, now=after(5))
    hand_over(practice.clinician, second, None, now=after(6))
    assert [each.conversation for each in waiting(practice.clinician)] == [second]
    assert in_hand(practice.clinician) == 0


@pytest.mark.parametrize("how", ["disabled", "unverified"])
def test_who_may_not_answer_any_more_is_relieved(practice: Practice, how: str) -> None:
    conversation = ask(practice)
    accept(practice.clinician, conversation, now=NOON)
    her = practice.clinician.id
    with transaction() as session:
        if how == "disabled":
            session.execute(update(Operator).where(Operator.id == her).values(disabled_at=NOON))
        else:
            session.execute(
                update(Clinician).where(Clinician.member_id == her).values(verified_at=None, verified_by=None)
            )
    assert release_gone(now=after(1))["released"] == 1
    assert release_gone(now=after(1))["released"] == 0
    assert row(conversation).clinician_id is None


def test_nobody_who_is_not_verified_answers_begins_a_shift_or_takes(practice: Practice) -> None:
    conversation = ask(practice)
    with transaction() as session:
        session.execute(update(Clinician).values(verified_at=None, verified_by=None))
    with pytest.raises(ClinicianNotVerified):
        practice.answer(conversation, "您好")
    with pytest.raises(ClinicianNotVerified):
        accept(practice.clinician, conversation, now=NOON)
    with pytest.raises(ClinicianNotVerified):
        shifts.begin(practice.clinician, now=NOON)
    assert offer_next(now=NOON)["offered"] == 0
    assert the_pledge().state == "pending"


def test_the_database_refuses_words_of_a_clinician_who_is_not_verified(
    practice: Practice, owner_connection: Connection
) -> None:
    conversation = ask(practice)
    owner_connection.execute(text("UPDATE clinician SET verified_at = NULL, verified_by = NULL"))
    with pytest.raises(DBAPIError) as refused:
        owner_connection.execute(
            text(
                "INSERT INTO conversation_message (public_id, conversation_id, seq, client_message_id, author,"
                " member_id, kind, at) VALUES ('m', :of, 9, 'message-9', 'clinician', :member, 'text', now())"
            ),
            {"of": row(conversation).id, "member": practice.clinician.id},
        )
    assert violated(refused.value) == "clinician_not_verified"


def test_a_closed_one_frees_her_and_comes_back_to_her_if_she_is_free(
    practice: Practice, owner_connection: Connection
) -> None:
    """Whoever closes and reopens it: the counter follows the row."""
    conversation = ask(practice)
    accept(practice.clinician, conversation, now=NOON)
    close = text("UPDATE conversation SET closed_at = now() WHERE public_id = :of")
    reopen = text("UPDATE conversation SET closed_at = NULL WHERE public_id = :of")
    owner_connection.execute(close, {"of": conversation})
    assert in_hand(practice.clinician) == 0
    owner_connection.execute(reopen, {"of": conversation})
    assert (in_hand(practice.clinician), row(conversation).clinician_id) == (1, practice.clinician.id)
    owner_connection.execute(close, {"of": conversation})
    for _ in range(2):
        accept(practice.clinician, ask(practice), now=NOON)
    owner_connection.execute(reopen, {"of": conversation})
    assert (in_hand(practice.clinician), row(conversation).clinician_id) == (2, None)
    assert [each.conversation for each in waiting(practice.clinician)] == [conversation]


def test_what_was_cancelled_waits_no_more_and_is_in_nobodys_hand(practice: Practice) -> None:
    taken, waits = practice.open(), practice.open()
    for each in (taken, waits):
        practice.ask(each.conversation, "嗓子疼")
    accept(practice.clinician, taken.conversation, now=NOON)
    offer_next(now=NOON)
    give_up(taken.booking, now=after(1), by="provider")
    give_up(waits.booking, now=after(1))
    assert waiting(practice.clinician) == []
    with pytest.raises(AlreadyTaken):
        accept(practice.clinician, waits.conversation, now=after(2))
    assert close_ended(now=after(3))["closed_over"] == 2
    assert close_ended(now=after(3))["closed_over"] == 0
    assert in_hand(practice.clinician) == 0
    newer = ask(practice, 4)
    offer_next(now=after(5))
    assert offered(practice.clinician) == [(newer, practice.clinician.public_id)]


def test_a_lead_assigns_what_waits_and_what_a_colleague_has(practice: Practice) -> None:
    lead, colleague = make_clinician(practice.world, lead=True), make_clinician(practice.world, capacity=1)
    first, second = ask(practice, 1), ask(practice, 2)
    offer_next(now=after(3))
    assign(lead, first, colleague.public_id, now=after(4))
    assert (row(first).clinician_id, in_hand(colleague)) == (colleague.id, 1)
    with pytest.raises(ClinicianNotFree):
        assign(lead, second, colleague.public_id, now=after(5))
    assign(lead, first, lead.public_id, now=after(6))
    assert (row(first).clinician_id, in_hand(lead), in_hand(colleague)) == (lead.id, 1, 0)
    assert first not in dict(offered(lead))


def test_nobody_else_assigns_and_nobody_else_is_assigned_to(practice: Practice) -> None:
    lead, first = make_clinician(practice.world, lead=True), ask(practice, 1)
    for who, to in ((practice.clinician, lead.public_id), (lead, "mbr_nobody")):
        with pytest.raises(NotFound):
            assign(who, first, to, now=after(2))
    with transaction() as session:
        session.execute(update(Conversation).values(closed_at=NOON))
    with pytest.raises(AlreadyTaken):
        assign(lead, first, lead.public_id, now=after(3))
    assert row(first).clinician_id is None
