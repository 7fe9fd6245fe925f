"""A clinician who is not at her desk any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.consultation.assigning.absence import AWAY_LONG, bring_back
from booking.consultation.at_desk.colleagues import WithColleague, with_colleagues
from booking.consultation.close import close
from booking.consultation.models import Conversation
from booking.consultation.place import nobody_on_shift, place
from booking.consultation.queue import accept, assign, offer_next, waiting
from booking.consultation.summary import Summary
from booking.pledges.keep import keep_pledges
from marketplace.core.database.db import reading
from providers.staff import shifts
from providers.staff.models import ClinicianShift
from providers.staff.shifts import AWAY_AFTER, GONE_AFTER, SEEN_WRITTEN
from tests.booking.consultation.rooms import Practice, make_clinician, make_practice
from tests.booking.pledges.rows import after, the_pledge
from tests.people import NOON
from tests.world import make_offer
from vip.principal import Member

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

AWAY, LONG, GONE = (each.total_seconds() for each in (AWAY_AFTER, AWAY_LONG, GONE_AFTER))


@pytest.fixture
def practice() -> Practice:
    """Its clinician was seen at noon."""
    found = make_practice(quantity=20)
    shifts.seen(found.clinician, now=NOON)
    return found


def in_hand(practice: Practice, *, answered: bool = False) -> str:
    """A conversation that the clinician has accepted at noon."""
    opened = practice.open().conversation
    practice.ask(opened, "嗓子疼")
    accept(practice.clinician, opened, now=NOON)
    if answered:
        practice.answer(opened, "多久了？")
    return opened


def holder(conversation: str) -> tuple[int | None, int | None]:
    """Who has it in hand, and whose absence sent it back."""
    with reading() as session:
        row = session.scalars(select(Conversation).where(Conversation.public_id == conversation)).one()
        return row.clinician_id, row.absent_id


def seen_at(member: Member) -> object:
    with reading() as session:
        return session.scalar(select(ClinicianShift.seen_at).where(ClinicianShift.member_id == member.id))


def test_what_nobody_answered_goes_back_to_the_head_after_30_seconds_and_the_clock_goes_on(practice: Practice) -> None:
    her = practice.clinician
    left, newer = in_hand(practice), practice.open().conversation
    practice.ask(newer, "发烧", now=after(-60))
    assert bring_back(now=after(AWAY - 1)) == {}
    assert bring_back(now=after(AWAY)) == {"brought_back": 1}
    assert bring_back(now=after(AWAY)) == {}
    assert holder(left) == (None, her.id)
    assert [(each.conversation, each.absent) for each in waiting(her)] == [(left, "何医生"), (newer, None)]
    assert shifts.shifts_of(her.provider_id)[0].in_hand == 0
    assert keep_pledges(now=after(90))["breached"] == 2


def test_who_takes_it_then_answers_it_and_nothing_says_more_why_it_waited(practice: Practice) -> None:
    left, colleague = in_hand(practice), make_clinician(practice.world)
    bring_back(now=after(AWAY))
    accept(colleague, left, now=after(AWAY + 1))
    assert holder(left) == (colleague.id, None)
    assert the_pledge().state == "pending"


def test_who_is_seen_keeps_what_she_has(practice: Practice) -> None:
    kept = in_hand(practice)
    for seconds in range(20, 121, 20):
        shifts.seen(practice.clinician, now=after(seconds))
        assert bring_back(now=after(seconds + 19)) == {}
    assert holder(kept) == (practice.clinician.id, None)


def test_who_works_without_pages_is_not_judged_by_them() -> None:
    practice = make_practice(quantity=20)
    kept = in_hand(practice)
    assert bring_back(now=after(GONE * 2)) == {}
    assert holder(kept) == (practice.clinician.id, None)


def test_what_was_answered_stays_hers_until_she_is_gone_and_the_patient_waits(practice: Practice) -> None:
    quiet, asked = in_hand(practice, answered=True), in_hand(practice, answered=True)
    practice.ask(asked, "还是疼", now=after(10))
    assert bring_back(now=after(GONE - 1)) == {}
    assert bring_back(now=after(GONE)) == {"brought_back": 1}
    assert holder(asked) == (None, practice.clinician.id)
    assert holder(quiet) == (practice.clinician.id, None), "nobody waits for her there"


def test_what_is_closed_or_unasked_is_left_alone(practice: Practice) -> None:
    over, unasked = in_hand(practice, answered=True), practice.open().conversation
    close(practice.clinician, over, Summary("上感"), now=after(1))
    accept(practice.clinician, unasked, now=after(1))
    assert bring_back(now=after(GONE * 2)) == {}


def test_the_lead_sees_who_is_left_waiting_after_five_minutes(practice: Practice) -> None:
    lead = make_clinician(practice.world, lead=True)
    quiet, asked = in_hand(practice, answered=True), in_hand(practice, answered=True)
    practice.ask(asked, "还是疼", now=after(10))

    def seen(seconds: float) -> list[tuple[str, bool]]:
        return [(each.conversation, each.stranded) for each in with_colleagues(lead, now=after(seconds))]

    assert seen(LONG - 1) == [(asked, False), (quiet, False)]
    assert seen(LONG) == [(asked, True), (quiet, False)]
    assign(lead, asked, lead.public_id, now=after(LONG))
    assert seen(LONG) == [(quiet, False)]
    shifts.seen(practice.clinician, now=after(LONG))


def test_the_lead_is_told_since_when_they_wait_and_by_whom_no_name_of_a_patient(practice: Practice) -> None:
    lead = make_clinician(practice.world, lead=True)
    first = in_hand(practice)
    practice.ask(first, "很疼", now=after(5))
    (found,) = with_colleagues(lead, now=after(6))
    assert (found.waits_since, found.answered, found.holder, found.pledge) == (NOON, False, "何医生", "pending")
    practice.answer(first, "多久了？", now=after(7))
    (found,) = with_colleagues(lead, now=after(8))
    assert (found.waits_since, found.answered) == (None, True)
    assert not [name for name in WithColleague.__dataclass_fields__ if "name" in name]


def test_nobody_but_a_lead_of_the_same_provider_sees_what_colleagues_have(practice: Practice) -> None:
    in_hand(practice)
    stranger = make_clinician(replace(practice.world, provider=make_offer()[0]), lead=True)
    manager = replace(practice.clinician, role="manager")
    for who in (make_clinician(practice.world), stranger, manager):
        assert list(with_colleagues(who, now=NOON)) == []
    assert len(with_colleagues(make_clinician(practice.world, lead=True), now=NOON)) == 1


def test_nobody_is_offered_to_one_who_is_gone_and_she_counts_as_nobody(practice: Practice) -> None:
    there = practice.world.provider.id
    asked = practice.open().conversation
    practice.ask(asked, "嗓子疼", now=after(GONE))
    assert offer_next(now=after(GONE))["offered"] == 0
    assert nobody_on_shift(there, "general", "zh", now=after(GONE))
    assert place(practice.world.principal, asked, now=after(GONE)).on_shift == 0
    shifts.seen(practice.clinician, now=after(GONE + 1))
    assert place(practice.world.principal, asked, now=after(GONE + 2)).on_shift == 1
    assert offer_next(now=after(GONE + 2))["offered"] == 1


def test_who_is_there_is_asked_before_one_who_is_away(practice: Practice) -> None:
    colleague = make_clinician(practice.world)
    shifts.seen(colleague, now=after(AWAY))
    for _ in range(2):  # she has more to do, and is there
        waits = practice.open().conversation
        practice.ask(waits, "嗓子疼")
        accept(colleague, waits, now=NOON)
    asked = practice.open().conversation
    practice.ask(asked, "嗓子疼", now=after(AWAY))
    offer_next(now=after(AWAY))
    assert {each.conversation: each.offered_to for each in waiting(colleague)}[asked] == colleague.public_id


def test_seeing_her_is_written_once_in_five_seconds_and_only_on_a_shift(practice: Practice) -> None:
    her, off = practice.clinician, make_clinician(practice.world, on_shift=False)
    shifts.seen(her, now=NOON + SEEN_WRITTEN - timedelta(seconds=1))
    assert seen_at(her) == NOON
    shifts.seen(her, now=NOON + SEEN_WRITTEN)
    assert seen_at(her) == NOON + SEEN_WRITTEN
    shifts.seen(off, now=NOON)
    assert seen_at(off) is None
