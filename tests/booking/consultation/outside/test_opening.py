"""A consultation that doctors of an outside provider answer begins as any other, and nobody here is offered it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from booking.changes.cancel import cancel
from booking.consultation import queue
from booking.consultation.assigning.ended import close_ended
from booking.consultation.assigning.escalate import escalate
from booking.consultation.assigning.models import ConversationEscalation
from booking.consultation.at_desk.agreed import agreed_to, choose_reports
from booking.consultation.models import Conversation
from booking.consultation.place import choose, place
from booking.consultation.read import conversation_of
from booking.consultation.say import Said, clinician_says
from booking.offers.at_once import offers_at_once
from booking.pledges.keep import keep_pledges
from booking.pledges.models import Pledge, PledgeCompensation
from marketplace.catalog.models import LIVE, Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Confirmed, Refused, Unknown
from tests.booking.consultation.outside.rooms import make_outside, state_of, talk_row
from tests.booking.consultation.rooms import make_clinician
from tests.people import NOON
from tests.world import remote, tasks

pytestmark = pytest.mark.usefixtures("db")


def test_an_outside_providers_offer_can_be_begun_and_is_opened_there() -> None:
    it = make_outside()
    assert [each.id for each in offers_at_once(market=LIVE, now=NOON)] == [it.world.offer.public_id]

    opened = it.begin(department="dermatology", details={"symptoms": "红疹"})

    assert state_of(opened) == "confirmed"
    assert tasks(opened.booking) == [("reserve", "done")]
    (command,) = it.there.opened
    assert (command.our_reference, command.offer, command.department) == (opened.booking, "basic", "dermatology")
    assert (command.language, command.answer_seconds, command.flagged) == ("zh", 90, False)
    assert command.answers == {"symptoms": "红疹"}
    assert talk_row(opened.conversation).outside


def test_a_sign_of_an_emergency_is_told_when_it_is_opened() -> None:
    it = make_outside()
    it.begin(details={"symptoms": "突然胸痛，喘不上气"})
    assert it.there.opened[0].flagged


def test_a_provider_that_refuses_it_gives_the_unit_back() -> None:
    it = make_outside(quantity=1)
    it.there.open = lambda command: Refused("closed")  # type: ignore[method-assign]
    opened = it.begin()

    assert state_of(opened) == "rejected"
    del it.there.open
    assert state_of(it.begin()) == "confirmed"


def test_an_opening_without_a_clear_answer_is_looked_up_and_never_opened_twice() -> None:
    it = make_outside()
    it.there.open = lambda command: Unknown("time-out")  # type: ignore[method-assign]
    opened = it.begin()
    assert state_of(opened) == "outcome_unknown"
    del it.there.open

    it.there.found = [remote(opened.booking, "confirmed", reference=f"C-{opened.booking}")]
    it.work(now=NOON + timedelta(seconds=5))

    assert state_of(opened) == "confirmed"
    assert it.there.opened == []


def test_our_own_clinicians_see_nothing_of_it() -> None:
    it = make_outside()
    member = make_clinician(it.world, lead=True)
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")

    assert queue.waiting(member) == []
    assert queue.offer_next(now=NOON)["offered"] == 0
    for attempt in (
        lambda: queue.accept(member, opened.conversation, now=NOON),
        lambda: queue.assign(member, opened.conversation, member.public_id, now=NOON),
        lambda: clinician_says(member, opened.conversation, Said("of-a-member", "您好"), now=NOON),
        lambda: conversation_of(member, opened.conversation, NOON),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_the_database_gives_it_to_no_member() -> None:
    it = make_outside()
    member = make_clinician(it.world)
    opened = it.begin()

    with pytest.raises(Exception, match="outside_has_no_member"), transaction() as session:
        session.execute(
            update(Conversation).where(Conversation.public_id == opened.conversation).values(clinician_id=member.id)
        )


def test_it_is_escalated_to_nobody_and_breached_all_the_same() -> None:
    it = make_outside(quantity=2)
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")

    escalate(now=NOON + timedelta(seconds=80))
    kept = keep_pledges(now=NOON + timedelta(seconds=90))

    assert kept["breached"] == 1
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ConversationEscalation)) == 0
        assert session.scalars(select(Pledge.state)).all() == ["breached"]
        assert session.scalars(select(PledgeCompensation.units)).all() == [1]


def test_the_customer_is_told_no_place_in_a_queue_that_nobody_here_knows() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")

    here = place(it.world.principal, opened.conversation, now=NOON)

    assert (here.outside, here.position, here.on_shift) == (True, None, None)
    assert here.pledge is not None
    assert here.pledge.state == "pending"
    with pytest.raises(NotFound):
        choose(it.world.principal, opened.conversation, "wait", now=NOON)


def test_she_is_not_asked_for_earlier_reports_that_nobody_there_could_see() -> None:
    it = make_outside()
    opened = it.begin()
    choose_reports(it.world.principal, opened.conversation, show=True, now=NOON)
    assert agreed_to(it.world.principal, opened.conversation, now=NOON) is None
    assert talk_row(opened.conversation).reports_agreed_at is None


def test_she_cancels_before_an_answer_and_it_ends_there_too() -> None:
    it = make_outside(quantity=1)
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()

    cancel(it.world.principal, opened.booking, now=NOON + timedelta(seconds=20))
    close_ended(now=NOON + timedelta(seconds=20))
    it.there.answers = [Confirmed(f"C-{opened.booking}", 2)]
    it.work(now=NOON + timedelta(seconds=20))

    assert state_of(opened) == "cancelled"
    assert tasks(opened.booking) == [("reserve", "done"), ("cancel", "done")]
    with reading() as session:
        assert session.scalars(select(Pledge.state)).all() == ["cancelled"]


def test_a_consultation_stays_where_it_was_begun_whatever_becomes_of_its_provider() -> None:
    it = make_outside()
    opened = it.begin()
    with transaction() as session:
        session.get_one(Provider, it.world.provider.id).adapter = "desk"
    member = make_clinician(it.world)
    it.ask(opened.conversation, "嗓子疼")

    assert queue.waiting(member) == []


def test_the_clock_gives_back_what_nobody_there_answers_within_a_day() -> None:
    it = make_outside()
    opened = it.begin()
    with reading() as session:
        due = session.execute(text("SELECT answer_due_at FROM booking")).scalar_one()
    assert due == NOON + timedelta(hours=24)
    assert state_of(opened) == "confirmed"
