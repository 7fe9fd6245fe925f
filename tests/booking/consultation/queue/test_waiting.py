"""How a waiting conversation finds a clinician."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.consultation.assigning.escalate import escalate
from booking.consultation.assigning.leaving import go_off
from booking.consultation.assigning.models import ConversationChoice
from booking.consultation.assigning.offering import OFFER_SECONDS
from booking.consultation.models import Conversation
from booking.consultation.place import choose, nobody_on_shift, place
from booking.consultation.queue import (
    AlreadyTaken,
    ClinicianNotFree,
    accept,
    decline,
    hand_over,
    offer_next,
    waiting,
)
from booking.consultation.say import ConversationClosed, Said, clinician_says
from booking.pledges.keep import keep_pledges
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from providers.staff import shifts
from providers.staff.models import ClinicianShift
from tests.booking.consultation.queue.asking import ask, flag, in_hand, offered, row, the_state_of
from tests.booking.consultation.rooms import Practice, make_clinician, make_practice
from tests.booking.pledges.rows import after
from tests.people import NOON
from tests.world import make_offer

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def test_it_waits_in_the_order_of_first_messages_emergencies_first(practice: Practice) -> None:
    second, first, silent = ask(practice, 20), ask(practice, 10), practice.open().conversation
    emergency = ask(practice, 30)
    flag(emergency)
    assert [each.conversation for each in waiting(practice.clinician)] == [emergency, first, second]
    assert silent not in [each.conversation for each in waiting(practice.clinician)]
    places = [place(practice.world.principal, each, now=after(40)).position for each in (emergency, first, second)]
    assert places == [1, 2, 3]


def test_the_first_is_offered_to_one_who_is_free_and_is_hers_when_she_accepts(practice: Practice) -> None:
    first, second = ask(practice, 1), ask(practice, 2)
    offer_next(now=after(3))
    her = practice.clinician.public_id
    assert offered(practice.clinician) == [(first, her), (second, None)]
    accept(practice.clinician, first, now=after(5))
    assert (row(first).clinician_id, in_hand(practice.clinician)) == (practice.clinician.id, 1)
    assert the_state_of(first) == "pending"
    offer_next(now=after(6))
    assert offered(practice.clinician) == [(second, her)]


def test_who_does_not_answer_in_20_seconds_stands_back_for_another(practice: Practice) -> None:
    other = make_clinician(practice.world)
    conversation = ask(practice)
    offer_next(now=NOON)
    ((_, first),) = offered(practice.clinician)
    offer_next(now=after(OFFER_SECONDS - 1))
    assert offered(practice.clinician) == [(conversation, first)]
    assert offer_next(now=after(OFFER_SECONDS))["passed_on"] == 1
    ((_, then),) = offered(practice.clinician)
    assert {first, then} == {practice.clinician.public_id, other.public_id}
    newer = ask(practice, 21)
    offer_next(now=after(22))
    assert dict(offered(practice.clinician))[newer] == first, "she is free, and nobody else is"


def test_with_nobody_else_it_is_offered_to_her_again(practice: Practice) -> None:
    conversation = ask(practice)
    offer_next(now=NOON)
    decline(practice.clinician, conversation, now=after(1))
    offer_next(now=after(2))
    assert offered(practice.clinician) == [(conversation, practice.clinician.public_id)]


def test_the_least_loaded_of_the_department_and_language_is_asked() -> None:
    practice = make_practice(quantity=50, capacity=5)
    skin = make_clinician(practice.world, departments=("dermatology",), languages=("zh",))
    english = make_clinician(practice.world, departments=("general",), languages=("en",))
    accept(practice.clinician, ask(practice), now=NOON)
    rash = ask(practice, 1, department="dermatology")
    offer_next(now=after(2))
    assert dict(offered(practice.clinician))[rash] == skin.public_id
    accept(skin, rash, now=after(3))
    spoken = ask(practice, 4, language="en")
    offer_next(now=after(5))
    assert dict(offered(practice.clinician))[spoken] == english.public_id
    plain = ask(practice, 6)
    offer_next(now=after(7))
    assert dict(offered(practice.clinician))[plain] == practice.clinician.public_id, "general questions are not hers"


def test_a_clinician_sees_what_she_may_take_and_a_lead_sees_all(practice: Practice) -> None:
    skin = make_clinician(practice.world, departments=("dermatology",))
    lead = make_clinician(practice.world, departments=("dermatology",), lead=True)
    conversation = ask(practice)
    assert [[each.conversation for each in waiting(whose)] for whose in (skin, lead)] == [[], [conversation]]
    manager = replace(practice.clinician, role="manager")
    assert [each.conversation for each in waiting(manager)] == [conversation]


def test_what_is_taken_cannot_be_taken_and_hers_stays_hers(practice: Practice) -> None:
    other = make_clinician(practice.world)
    conversation = ask(practice)
    accept(practice.clinician, conversation, now=after(1))
    accept(practice.clinician, conversation, now=after(2))
    with pytest.raises(AlreadyTaken):
        accept(other, conversation, now=after(2))
    with pytest.raises(AlreadyTaken):
        clinician_says(other, conversation, Said("message-1", "您好"), now=after(3))
    assert in_hand(practice.clinician) == 1


def test_with_all_that_she_takes_at_once_she_gets_no_other(practice: Practice) -> None:
    for _ in range(2):
        accept(practice.clinician, ask(practice), now=NOON)
    third = ask(practice, 1)
    assert offer_next(now=after(2))["offered"] == 0
    with pytest.raises(ClinicianNotFree):
        accept(practice.clinician, third, now=after(2))
    with pytest.raises(ClinicianNotFree):
        practice.answer(third, "您好", now=after(2))
    assert (row(third).clinician_id, in_hand(practice.clinician)) == (None, 2)


def test_another_providers_conversation_looks_absent(practice: Practice) -> None:
    conversation = ask(practice)
    stranger = replace(practice.clinician, provider_id=make_offer()[0].id)
    for act in (
        lambda: accept(stranger, conversation, now=NOON),
        lambda: decline(stranger, conversation, now=NOON),
        lambda: hand_over(stranger, conversation, None, now=NOON),
        lambda: accept(replace(practice.clinician, role="front_desk"), conversation, now=NOON),
    ):
        with pytest.raises(NotFound):
            act()


def test_it_is_brought_before_the_leads_at_45_and_75_seconds_once_each(practice: Practice) -> None:
    ask(practice)
    found = [escalate(now=after(seconds))["escalated"] for seconds in (44, 45, 46, 74, 75, 76)]
    assert found == [0, 1, 0, 0, 1, 0]
    assert [each.escalated for each in waiting(practice.clinician)] == [2]


def test_what_is_answered_is_escalated_no_more(practice: Practice) -> None:
    practice.answer(ask(practice), "多久了？", now=after(40))
    assert escalate(now=after(80))["escalated"] == 0


def test_with_nobody_on_shift_she_is_told_and_is_breached_all_the_same(practice: Practice) -> None:
    there = practice.world.provider.id
    assert not nobody_on_shift(there, "dermatology", "zh", now=NOON)
    go_off(practice.clinician, now=NOON)
    make_clinician(practice.world, departments=("dermatology",), languages=("en",))
    assert nobody_on_shift(there, "dermatology", "zh", now=NOON)
    assert nobody_on_shift(there, "general", "en", now=NOON)
    assert not nobody_on_shift(there, "dermatology", "en", now=NOON)
    conversation = ask(practice)
    her = practice.world.principal
    assert place(her, conversation, now=after(1)).on_shift == 0
    choose(her, conversation, "call_back", call_back_at=after(7200), now=after(1))
    choose(her, conversation, "wait", now=after(2))
    shown = place(her, conversation, now=after(3))
    assert (shown.choice, shown.call_back_at, shown.seconds) == ("wait", None, None)
    choose(her, conversation, "emergency", now=after(4))
    assert keep_pledges(now=after(90))["breached"] == 1
    assert place(her, conversation, now=after(91)).choice == "emergency"


@pytest.mark.parametrize(
    ("choice", "seconds", "field"),
    [
        ("leave", None, "choice"),
        ("call_back", None, "call_back_at"),
        ("wait", 60, "call_back_at"),
        ("call_back", -60, "call_back_at"),
        ("call_back", 8 * 86400, "call_back_at"),
    ],
)
def test_a_choice_that_is_none_is_refused(practice: Practice, choice: str, seconds: int | None, field: str) -> None:
    conversation = ask(practice)
    when = None if seconds is None else after(seconds)
    with pytest.raises(Invalid) as refused:
        choose(practice.world.principal, conversation, choice, call_back_at=when, now=NOON)  # type: ignore[arg-type]
    assert refused.value.at == field


def test_a_customer_sees_her_place_her_clock_and_about_how_long(practice: Practice) -> None:
    answered = ask(practice)
    practice.answer(answered, "多久了？", now=after(40))
    conversation = ask(practice, 50)
    shown = place(practice.world.principal, conversation, now=after(51))
    assert (shown.position, shown.seconds, shown.on_shift) == (1, 40, 1)
    assert shown.pledge is not None
    assert (shown.pledge.state, shown.pledge.due_at) == ("pending", after(140))
    assert place(practice.world.principal, answered, now=after(51)).position is None


def test_fewer_at_once_than_she_has_counts_when_they_are_done(practice: Practice) -> None:
    for _ in range(2):
        accept(practice.clinician, ask(practice), now=NOON)
    shifts.begin(practice.clinician, now=NOON, capacity=1)
    with reading() as session:
        shift = session.scalars(select(ClinicianShift)).one()
    assert (shift.capacity, shift.in_hand) == (2, 2)


def test_who_wants_to_be_called_back_is_seen_with_her_moment_by_those_who_come_on_shift() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    choose(practice.world.principal, conversation, "call_back", call_back_at=NOON + timedelta(hours=2), now=NOON)
    assert [each.call_back_at for each in waiting(practice.clinician)] == [NOON + timedelta(hours=2)]

    choose(practice.world.principal, conversation, "wait", now=NOON)
    assert [each.call_back_at for each in waiting(practice.clinician)] == [None]


def test_nobody_is_called_back_when_her_unit_has_gone_back(practice: Practice) -> None:
    her, conversation = practice.world.principal, ask(practice)
    late = NOON + timedelta(hours=20)
    until = place(her, conversation, now=late).call_back_until
    assert until == NOON + timedelta(hours=23), "the clock gives it back a day after it was begun"
    with pytest.raises(Invalid) as refused:
        choose(her, conversation, "call_back", call_back_at=until + timedelta(seconds=1), now=late)
    assert refused.value.at == "call_back_at"
    choose(her, conversation, "call_back", call_back_at=until, now=late)
    assert place(her, conversation, now=late).call_back_at == until


def test_a_choice_counts_while_she_waits_and_once(practice: Practice) -> None:
    her, conversation = practice.world.principal, ask(practice)
    for _ in range(3):
        choose(her, conversation, "wait", now=after(2))
    practice.answer(conversation, "多久了？", now=after(3))
    choose(her, conversation, "emergency", now=after(4))
    with reading() as session:
        assert session.scalars(select(ConversationChoice.choice)).all() == ["wait"]
    with transaction() as session:
        session.execute(update(Conversation).values(closed_at=NOON))
    with pytest.raises(ConversationClosed):
        choose(her, conversation, "wait", now=after(5))
