"""What a customer has, what a booking may use, grants by plan, and expiry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import engine, reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from tests.people import BY_TEST, NOON, OTHER_PHONE, TODAY, counters, give, make_customer, self_of, signed_in
from tests.statements import statements_sent
from vip.customers.family import NewMember, add_member, beneficiary
from vip.entitlements import ledger
from vip.entitlements import of_customer as benefits
from vip.entitlements.expiry import expire_due
from vip.entitlements.grants import Grant, NoPlan, grant, grant_plan, months_later
from vip.models import Customer, Entitlement, Plan, PlanBenefit

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick, pytest.mark.every_postgres]
DAY = timedelta(days=1)
KIND = "health_check"


def take(entitlement: Entitlement, booking: int = 1) -> None:
    with transaction() as session:
        ledger.write(
            session, entitlement.id, "reserve", booking_id=booking, at=NOON, actor_kind="customer", actor="cus_x"
        )


def father_of(customer: Customer) -> int:
    added = add_member(signed_in(), NewMember("father", "沈伯年", "male", date(1951, 9, 3)), NOON)
    with reading() as session:
        return beneficiary(session, customer.id, added.public_id).id


def eligible(customer: Customer, person: int, day: date = TODAY, named: str | None = None) -> list[int]:
    with reading() as session:
        return benefits.eligible(session, customer.id, KIND, person, day, named)


def refusal(customer: Customer, person: int, day: date = TODAY, named: str | None = None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        eligible(customer, person, day, named)
    return refused.value


def test_a_card_says_what_is_left_until_when_and_for_whom() -> None:
    customer = make_customer()
    father_of(customer)
    give(customer, 2)
    (view,) = benefits.entitlements(customer.id, today=TODAY)
    assert (view.kind, view.state, view.granted, view.available, view.unlimited) == (KIND, "active", 2, 2, False)
    assert view.for_whom == ("沈静宜", "沈伯年")
    assert (view.valid_until, view.days_left) == (date(2026, 12, 31), 305)


def test_every_state_is_told_and_what_can_be_used_comes_first() -> None:
    customer = make_customer()
    over = give(customer, valid_from=TODAY - 9 * DAY, valid_until=TODAY - DAY)
    used_up = give(customer)
    take(used_up)
    coming = give(customer, valid_from=TODAY + DAY)
    last_day = give(customer, None, valid_until=TODAY, sharing="self")
    views = benefits.entitlements(customer.id, today=TODAY)
    assert [(view.public_id, view.state) for view in views] == [
        (last_day.public_id, "active"),
        (coming.public_id, "not_yet_valid"),
        (used_up.public_id, "used_up"),
        (over.public_id, "expired"),
    ]
    assert (views[0].unlimited, views[0].available, views[0].days_left) == (True, None, 1)
    assert (views[2].reserved, views[3].days_left) == (1, 0)


def test_the_usage_record_is_ones_own_only() -> None:
    customer, stranger = make_customer(), make_customer(OTHER_PHONE)
    entitlement = give(customer, 2)
    take(entitlement, booking=7)
    lines = benefits.entries(customer.id, entitlement.public_id)
    assert [(line.entry, line.quantity, line.booking_id) for line in lines] == [("grant", 2, None), ("reserve", 1, 7)]
    for owner, public_id in ((stranger.id, entitlement.public_id), (customer.id, "ent_x"), (customer.id, "\0")):
        with pytest.raises(NotFound):
            benefits.entries(owner, public_id)


def test_the_earliest_expiring_benefit_is_used_first_and_an_empty_one_last() -> None:
    customer = make_customer()
    late, early, empty = (
        give(customer, None),
        give(customer, valid_until=TODAY + DAY),
        give(customer, valid_until=TODAY),
    )
    take(empty)
    assert eligible(customer, self_of(customer).id) == [early.id, late.id, empty.id]


def test_eligibility_is_asked_in_one_query() -> None:
    customer = make_customer()
    give(customer)
    person = self_of(customer).id
    with statements_sent() as seen:
        eligible(customer, person)
    assert len(seen) == 1


def test_only_the_named_benefit_is_used_when_one_is_named() -> None:
    customer = make_customer()
    give(customer, valid_until=TODAY)
    named = give(customer)
    assert eligible(customer, self_of(customer).id, named=named.public_id) == [named.id]


def test_somebody_elses_benefit_or_relative_is_not_there() -> None:
    customer, stranger = make_customer(), make_customer(OTHER_PHONE)
    give(customer)
    theirs = give(stranger)
    for named in (theirs.public_id, "ent_00000000000000000000", "\0", "\ud800"):
        refused = refusal(customer, self_of(customer).id, named=named)
        assert (type(refused), refused.at) == (NotFound, "entitlement_id")
    refused = refusal(customer, self_of(stranger).id)
    assert (type(refused), refused.at) == (NotFound, "beneficiary_id")


def test_a_personal_benefit_is_not_for_the_family() -> None:
    customer = make_customer()
    father = father_of(customer)
    own = give(customer, valid_until=TODAY, sharing="self")
    assert isinstance(refusal(customer, father), benefits.NotShared)
    assert isinstance(refusal(customer, father, named=own.public_id), benefits.NotShared)
    shared = give(customer)
    assert eligible(customer, father) == [shared.id]
    assert eligible(customer, self_of(customer).id) == [own.id, shared.id]


def test_the_service_date_lies_within_validity_both_ends_included() -> None:
    customer = make_customer()
    one = give(customer, valid_from=TODAY, valid_until=TODAY + 9 * DAY)
    person = self_of(customer).id
    assert eligible(customer, person, TODAY) == eligible(customer, person, TODAY + 9 * DAY) == [one.id]
    late = refusal(customer, person, TODAY + 10 * DAY, one.public_id)
    assert (late.code, late.facts) == ("entitlement_expired", {"valid_until": "2026-03-11"})
    early = refusal(customer, person, TODAY - DAY)
    assert (early.code, early.facts) == ("entitlement_not_yet_valid", {"valid_from": "2026-03-02"})


def test_a_benefit_of_another_kind_does_not_pay() -> None:
    customer = make_customer()
    other = give(customer, kind="hospital_escort")
    person = self_of(customer).id
    assert refusal(customer, person).code == "no_entitlement"
    assert refusal(customer, person, named=other.public_id).facts == {"kind": "hospital_escort", "wanted": KIND}


def plan(customer: Customer, **benefit: object) -> None:
    with transaction() as session:
        made = Plan(
            public_id="pln_x",
            insurer_id=customer.insurer_id,
            code="select",
            tier="select",
            name_zh="悦享",
            name_en="Select",
        )
        session.add(made)
        session.flush()
        session.add(PlanBenefit(plan_id=made.id, kind=KIND, **benefit))


def test_a_plan_is_granted_once_a_year() -> None:
    customer = make_customer(tier="select")
    plan(customer, quantity=2, months=6, sharing="self", grace_days=7)
    (public_id,) = grant_plan(customer.public_id, 2026, now=NOON, actor_kind="operator", actor="opr_x")
    assert grant_plan(customer.public_id, 2026, now=NOON, actor_kind="operator", actor="opr_x") == []
    assert len(grant_plan(customer.public_id, 2027, now=NOON, actor_kind="operator", actor="opr_x")) == 1
    view = benefits.entitlements(customer.id, today=TODAY)[0]
    assert (view.public_id, view.granted, view.sharing) == (public_id, 2, "self")
    assert (view.valid_from, view.valid_until) == (date(2026, 1, 1), date(2026, 6, 30))
    assert (view.plan_name_zh, view.plan_name_en) == ("悦享", "Select")
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.action == "entitlement.granted")).all()
    assert [line.actor for line in lines] == ["opr_x", "opr_x"]


def test_a_plan_is_not_granted_to_nobody_without_a_plan_or_for_no_year() -> None:
    customer = make_customer()
    for wanted, year, refused in (
        (customer.public_id, 2026, NoPlan),
        (customer.public_id, 20260, Invalid),
        ("cus_00000000000000000000", 2026, NotFound),
        ("\0", 2026, NotFound),
    ):
        with pytest.raises(refused):
            grant_plan(wanted, year, now=NOON, actor_kind="operator", actor="opr_x")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Grant(KIND, 0, TODAY, TODAY), "quantity"),
        (Grant(KIND, 2**63, TODAY, TODAY), "quantity"),
        (Grant(KIND, 1, TODAY, TODAY - DAY), "valid_until"),
        (Grant(KIND, 1, TODAY, TODAY, sharing="friends"), "sharing"),
        (Grant(KIND, 1, TODAY, TODAY, grace_days=-1), "grace_days"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused_with_its_field(given: Grant, field: str) -> None:
    customer = make_customer()
    with pytest.raises(Invalid) as refused, transaction() as session:
        grant(session, customer, given, BY_TEST)
    assert refused.value.at == field


def test_months_later_is_the_same_day_or_the_first_after_a_short_month() -> None:
    assert months_later(date(2026, 1, 1), 12) == date(2027, 1, 1)
    assert months_later(date(2026, 1, 31), 1) == date(2026, 3, 1)
    assert months_later(date(2026, 12, 31), 2) == date(2027, 3, 1)


def test_a_benefit_expires_when_the_next_day_begins_in_the_insurers_zone() -> None:
    entitlement = give(make_customer(), 2, valid_until=TODAY)
    take(entitlement)
    midnight = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    assert expire_due(midnight - timedelta(seconds=1)).entitlements == 0
    done = expire_due(midnight)
    assert (done.entitlements, done.units, done.skipped, done.more) == (1, 1, 0, False)
    assert tuple(counters(entitlement.id).values()) == (2, 0, 1, 0, 1, 0)
    assert expire_due(midnight).entitlements == 0


def test_zones_ahead_of_and_behind_utc_expire_at_their_own_midnight() -> None:
    entitlement = give(make_customer(), valid_until=TODAY)
    for zone, midnight in (
        ("Pacific/Kiritimati", datetime(2026, 3, 2, 10, 0, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 3, 3, 8, 0, tzinfo=UTC)),
    ):
        with transaction() as session:
            session.scalars(select(Insurer)).one().time_zone = zone
        assert expire_due(midnight - timedelta(seconds=1)).entitlements == 0
        if zone.startswith("Pacific"):
            with _rolled_back() as session:
                due = session.scalar(
                    text("SELECT (CAST(:now AS timestamptz) AT TIME ZONE :zone)::date"), {"now": midnight, "zone": zone}
                )
            assert due == TODAY + DAY
        else:
            assert expire_due(midnight).entitlements == 1
    assert counters(entitlement.id)["expired"] == 1


@contextmanager
def _rolled_back() -> Iterator[Session]:
    with Session(engine()) as session:
        yield session
        session.rollback()


def test_a_batch_stops_at_its_limit_and_says_that_there_is_more() -> None:
    customer = make_customer()
    for _ in range(5):
        give(customer, 2, valid_from=TODAY - DAY, valid_until=TODAY - DAY)
    runs = [expire_due(NOON, limit=2) for _ in range(3)]
    assert [(run.entitlements, run.units, run.more) for run in runs] == [(2, 4, True), (2, 4, True), (1, 2, False)]


def test_a_benefit_somebody_is_working_on_is_left_for_the_next_run() -> None:
    customer = make_customer()
    busy = give(customer, valid_until=TODAY - DAY)
    idle = give(customer, valid_until=TODAY - DAY)
    with _rolled_back() as session:
        session.execute(text("SELECT 1 FROM entitlement WHERE id = :id FOR UPDATE"), {"id": busy.id})
        done = expire_due(NOON)
    assert (done.entitlements, done.skipped) == (1, 1)
    assert (counters(busy.id)["expired"], counters(idle.id)["expired"]) == (0, 1)
    assert expire_due(NOON).entitlements == 1
