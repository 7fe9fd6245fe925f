"""Booking what is done at a venue: the hospital belongs to the booking, and the answers go with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from booking.actors import Actor
from booking.answering.shown import booking_with_person
from booking.changes.proposals import accept
from booking.changes.reschedule import reschedule
from booking.eligibility.entitled import asks
from booking.eligibility.refusals import PolicyNotInForce
from booking.hold.submit import submit, submit_for
from booking.models import Booking
from booking.offers.alternatives import nearest
from booking.pledges.keep import keep_pledges
from booking.pledges.models import Pledge, PledgeCompensation
from booking.states import BookingState
from booking.transition import lock_booking, move
from booking.views.customer import booking as full
from booking.waiting.join import Criteria, join
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from providers.port import Accepted, Confirmed
from tests.all_rows import Rows, TakenBackError, all_rows
from tests.booking.changes.proposing import proposal_of, proposed, told
from tests.escorts import ANSWERS, EscortWorld, add_site, make_escorts, put
from tests.people import NOON
from tests.world import DAY, FakeAdapter, booking_row, go, make_world, one_pass, set_provider
from vip.customers.consent import DISPATCH, consents, withdraw_consent
from vip.customers.consent_models import Consent

pytestmark = pytest.mark.usefixtures("db")


def test_the_hospital_is_the_bookings_and_stands_where_its_place_is_shown() -> None:
    made = make_escorts()
    row = booking_row(made.hold())
    assert row.venue_id == made.venue.id
    assert row.snapshot["site"]["name"] == "杭州示范总院"
    assert full(made.world.principal, row.public_id, now=NOON).site["id"] == made.venue.public_id


def test_what_is_done_at_the_offers_own_site_has_no_venue() -> None:
    world = make_world()
    assert booking_row(world.hold()).venue_id is None
    with pytest.raises(Invalid) as refused:
        world.hold(1, venue=add_site("别处").public_id)
    assert (refused.value.at, refused.value.facts["reason"]) == ("venue_id", "no_venue")


def test_a_venue_is_needed_and_lies_in_the_city_of_the_offer() -> None:
    made = make_escorts()
    far = add_site("上海医院", city="上海市", province="上海市")
    for venue, wanted in ((None, "required"), (far.public_id, "other_city")):
        with pytest.raises(Invalid) as refused:
            made.hold(venue=venue)
        assert (refused.value.at, refused.value.facts["reason"]) == ("venue_id", wanted)
    with pytest.raises(NotFound) as gone:
        made.hold(venue="sit_0v8m5r2k7c1x9d4t6b3n")
    assert gone.value.at == "venue_id"
    with transaction() as session:
        session.execute(text("UPDATE site SET closed_at = now() WHERE id = :id"), {"id": made.venue.id})
    with pytest.raises(NotFound):
        made.hold()


def test_each_needed_answer_is_asked_for_by_its_name() -> None:
    made = make_escorts()
    for name in ("department", "mobility", "contact_name", "contact_phone", "share"):
        with pytest.raises(Invalid) as refused:
            made.hold(details={each: value for each, value in ANSWERS.items() if each != name})
        assert refused.value.at == f"details.{name}"


def test_what_was_agreed_to_is_audited_and_can_be_taken_back_until_the_booking_begins() -> None:
    made = make_escorts(quantity=None)
    me, person = made.world.principal, made.world.beneficiary.public_id
    first = booking_row(made.hold())
    submit(me, first.public_id, now=NOON)
    made.hold(1)
    assert consents(me, NOON)[person].dispatch_given_at == NOON
    hour = timedelta(hours=1)
    withdraw_consent(me, person, now=NOON + hour)
    assert consents(me, NOON)[person].dispatch_given_at == NOON, "the reports' consent is another one"
    for _twice in range(2):
        withdraw_consent(me, person, now=NOON + hour, purpose=DISPATCH)
    assert consents(me, NOON)[person].dispatch_given_at is None
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.subject == person).order_by(AuditLine.id)).all()
        assert [(it.action, it.actor, it.facts["purpose"]) for it in lines if it.action.startswith("consent.")] == [
            ("consent.given", me.public_id, "dispatch"),
            ("consent.withdrawn", me.public_id, "dispatch"),
        ]

    def shown(booking: str, now: datetime) -> Mapping[str, Any] | None:
        return booking_with_person(made.world.provider.id, booking, looker="mem_1", now=now).answers

    assert first.starts_at is not None
    assert shown(first.public_id, NOON + hour) == {}
    assert shown(first.public_id, first.starts_at) == ANSWERS, "it has begun"
    adapter = FakeAdapter(answers=[Confirmed("R-1", 1)])
    one_pass(made.world, adapter, now=NOON + hour)
    (sent,) = adapter.sent
    assert sent.answers == {}
    again = made.hold(2, key="again", now=NOON + 2 * hour)
    submit(me, again, now=NOON + 2 * hour)
    assert shown(again, NOON + 2 * hour) == ANSWERS and shown(first.public_id, NOON + 2 * hour) == {}


def test_sharing_has_to_be_agreed_to_and_is_kept_as_consent_once() -> None:
    made = make_escorts(quantity=None)
    with pytest.raises(Invalid) as refused:
        made.hold(details={**ANSWERS, "share": False})
    assert refused.value.at == "details.share"
    made.hold()
    made.hold(1)
    with reading() as session:
        (kept,) = session.scalars(select(Consent)).all()
    assert (kept.beneficiary_id, kept.purpose, kept.method) == (made.world.beneficiary.id, "dispatch", "booking")
    assert (kept.given_at, kept.withdrawn_at) == (NOON, None)


def test_the_provider_is_told_where_and_what() -> None:
    made = make_escorts()
    booking = made.hold()
    submit(made.world.principal, booking, now=NOON)
    adapter = FakeAdapter(answers=[Confirmed("R-1", 1)])
    assert one_pass(made.world, adapter, now=NOON) == ["applied"]
    (sent,) = adapter.sent
    assert (sent.venue.name, sent.venue.address) == ("杭州示范总院", "文溪路 8 号")
    assert sent.answers == ANSWERS


@pytest.mark.parametrize(("level", "allotment"), [("covered", True), ("covered", False), ("on_request", True)])
def test_the_function_and_move_write_the_same_rows(level: str, allotment: bool) -> None:
    made = make_escorts(level=level, allotment=allotment)  # type: ignore[arg-type]
    booking, now = made.hold(), NOON + timedelta(seconds=1, microseconds=7)
    found: Rows = {}
    with pytest.raises(TakenBackError), transaction() as session:
        locked, _ = lock_booking(session, booking_row(booking).id)
        actor = Actor("customer", made.world.principal.public_id)
        submit_for(session, locked, actor=actor, cause="submitted", now=now)
        session.flush()
        found = all_rows(session)
        raise TakenBackError
    submit(made.world.principal, booking, now=now)
    with reading() as session:
        assert all_rows(session) == found
    firm = allotment and level == "covered"
    assert booking_row(booking).state is (BookingState.CONFIRMED if firm else BookingState.AWAITING_PROVIDER)
    assert len(found["pledge"]) == (0 if firm else 1)


def asked(**terms: object) -> tuple[EscortWorld, str]:
    made = make_escorts(**terms)  # type: ignore[arg-type]
    booking = made.hold()
    submit(made.world.principal, booking, now=NOON)
    return made, booking


def pledges() -> list[tuple[str, str]]:
    with reading() as session:
        return [(each.promise, each.state) for each in session.scalars(select(Pledge))]


def test_the_pledge_of_an_answer_is_met_by_the_providers_word() -> None:
    made, booking = asked()
    assert pledges() == [("request_answer", "pending")]
    assert one_pass(made.world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON) == ["applied"]
    assert booking_row(booking).state is BookingState.CONFIRMED
    assert pledges() == [("request_answer", "met")]


@pytest.mark.parametrize(("hours", "state"), [(1, "met"), (13, "breached")])
def test_the_pledge_of_an_answer_is_met_by_another_time_that_the_provider_proposes(hours: int, state: str) -> None:
    """In time, whatever she does with it and when; not by a proposal that comes when its time is over."""
    made = make_escorts()
    set_provider(made.world.provider, answer_hours=12)
    booking = made.hold()
    submit(made.world.principal, booking, now=NOON)
    one_pass(made.world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    told(
        made.world,
        booking,
        now=NOON + timedelta(hours=hours),
        proposal=proposed(made.world, expires=NOON + timedelta(hours=24)),
    )
    keep_pledges(now=NOON + timedelta(hours=14))
    accept(made.world.principal, booking, proposal_of(made.world, booking), now=NOON + timedelta(hours=20))
    later = NOON + timedelta(hours=21)
    assert one_pass(made.world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=later) == ["applied"]
    assert (booking_row(booking).state, pledges()) == (BookingState.CONFIRMED, [("request_answer", state)])


def test_the_pledge_ends_with_the_customers_own_cancel() -> None:
    _, booking = asked()
    go(booking, BookingState.CANCELLED, actor="customer")
    assert pledges() == [("request_answer", "cancelled")]


@pytest.mark.parametrize("clock_first", [True, False])
def test_an_unanswered_request_breaks_the_pledge_once(clock_first: bool) -> None:
    made, booking = asked()
    due = booking_row(booking).answer_due_at
    assert due is not None
    if clock_first:
        keep_pledges(now=due)
    with transaction() as session:
        locked, _ = lock_booking(session, booking_row(booking).id)
        move(session, locked, BookingState.CANCELLED, actor=Actor("clock"), now=due, cause="not_answered")
    keep_pledges(now=due + timedelta(hours=1))
    assert pledges() == [("request_answer", "breached")]
    with reading() as session:
        assert [each.units for each in session.scalars(select(PledgeCompensation))] == [0]
    assert made.world.entitlement.available is not None


def test_a_change_to_a_day_without_a_policy_is_refused_and_the_date_stands() -> None:
    made = make_escorts(policy=False, slots=30)
    put(until=DAY)
    booking = made.hold()
    submit(made.world.principal, booking, now=NOON)
    one_pass(made.world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    with pytest.raises(PolicyNotInForce):
        reschedule(made.world.principal, booking, made.world.slots[24].public_id, now=NOON)
    assert booking_row(booking).starts_at == made.world.slots[0].starts_at


def test_other_times_are_at_the_same_hospital() -> None:
    made, booking = asked()
    go(booking, BookingState.REJECTED)
    with reading() as session:
        found = nearest(session, session.scalars(select(Booking)).one(), now=NOON)
    assert {(each.site_name, each.venue_id, each.metres) for each in found} == {
        ("杭州示范总院", made.venue.public_id, None)
    }


def test_nobody_waits_for_what_is_sent_to_a_venue() -> None:
    made = make_escorts()
    criteria = Criteria(
        offers=(made.world.offer.public_id,),
        beneficiary=made.world.beneficiary.public_id,
        first_day=DAY,
        last_day=DAY + timedelta(days=3),
    )
    with pytest.raises(Refusal) as refused:
        join(made.world.principal, criteria, key="k", fingerprint=b"", now=NOON)
    assert refused.value.code == "not_waited_for"


def test_a_test_asks_for_neither_policy_nor_coverage() -> None:
    """What is not insured can't be covered: the rule looks at the live market alone."""
    assert asks("hospital_escort", 0) and not asks("hospital_escort", 7) and not asks("health_check", 0)
