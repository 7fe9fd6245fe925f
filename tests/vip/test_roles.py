"""Administrators and agents: what each may do at the desk and beyond it, and as what it is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from booking.attendance import disputes
from booking.changes.cancel import NotCancellable, OnlyAdminsCancel, cancel, cancel_for, reasons_for
from booking.changes.reschedule import reschedule
from booking.closures import close
from booking.closures import view as site_closure_view
from booking.discrepancies import open_discrepancy
from booking.exchange.inbound import apply_remote
from booking.models import BookingHistory, ChangeRequest
from booking.notices.models import Notification
from booking.reconcile import cases, runs
from booking.reconcile.repair import repair
from booking.settlement import statements
from booking.states import BookingState
from booking.views import oversight
from booking.views.customer import booking as view_booking
from booking.views.desk import booking_at_desk, find_bookings
from marketplace.catalog.models import Site
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from providers.port import Confirmed
from tests.people import NOON, counters, make_insurer
from tests.world import DAY, EIGHT, FakeAdapter, World, booking_row, make_world, one_pass, remote
from vip import roles
from vip.models import Entitlement
from vip.operators.operators import create_operator, operator, sign_in_operator
from vip.principal import Principal, Role
from vip.signin.authentication import authenticate
from vip.signin.signin import sign_out_everywhere

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

PASSWORD = "a long password"
LATE = EIGHT - timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return make_world(quantity=4)


def at_work(role: Role) -> Principal:
    """An operator of that role."""
    return Principal("operator", 1, f"opr_{role}", make_insurer().id, 1, "Asia/Shanghai", role)


def employed(role: Role) -> Principal:
    """An operator of that role who has signed in."""
    make_insurer()
    create_operator(role, PASSWORD, "林默", role, now=NOON)
    return authenticate(sign_in_operator(role, PASSWORD, NOON).token, now=NOON)


@pytest.fixture
def agent(world: World) -> Principal:
    return at_work("agent")


@pytest.fixture
def admin(world: World) -> Principal:
    return at_work("admin")


def confirmed(world: World) -> str:
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return public_id


def site_of(world: World) -> str:
    with reading() as session:
        return session.scalars(select(Site.public_id).where(Site.id == world.offer.site_id)).one()


def audited(action: str) -> list[tuple[str, str]]:
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id))
        return [(line.actor_kind, line.actor) for line in lines]


# --- the role itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["admin", "agent"])
def test_a_role_is_stored_signed_in_with_and_shown(role: Role) -> None:
    who = employed(role)
    assert (who.kind, who.role) == ("operator", role)
    assert operator(who.id).role == role
    with reading() as session:
        facts = session.scalar(select(AuditLine.facts).where(AuditLine.action == "operator.created"))
    assert facts == {"role": role}
    kind = {"admin": "operator", "agent": "agent"}[role]
    sign_out_everywhere(who, NOON)
    assert audited("operator.signed_in") == audited("operator.signed_out_everywhere") == [(kind, who.public_id)]


def test_there_are_two_roles_and_the_database_knows_no_third() -> None:
    who = employed("agent")
    with pytest.raises(Invalid) as refused:
        create_operator("x", PASSWORD, "X", "owner", now=NOON)  # type: ignore[arg-type]
    assert refused.value.at == "role"
    with pytest.raises(IntegrityError, match="ck_operator_role"), transaction() as session:
        session.execute(text("UPDATE operator SET role = 'owner'"))
    assert operator(who.id).role == "agent"


def test_a_changed_role_counts_from_the_next_request() -> None:
    make_insurer()
    create_operator("lin", PASSWORD, "林默", "admin", now=NOON)
    token = sign_in_operator("lin", PASSWORD, NOON).token
    assert roles.may(authenticate(token, now=NOON), "books")
    with transaction() as session:
        session.execute(text("UPDATE operator SET role = 'agent'"))
    assert not roles.may(authenticate(token, now=NOON), "books")


def test_whoever_has_no_role_may_do_nothing(world: World) -> None:
    nobody = Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai")
    pretender = Principal("customer", 1, "cus_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
    for who in (nobody, pretender, world.principal):
        for duty in ("desk", "overrule", "books"):
            assert not roles.may(who, duty)
            with pytest.raises(NotFound):
                roles.require(who, duty)


# --- cancelling ------------------------------------------------------------------------------------------------------


def test_an_agents_cancel_within_the_window_is_recorded_as_hers_and_counts_as_the_customers(
    world: World, agent: Principal
) -> None:
    public_id = confirmed(world)
    found = booking_at_desk(agent, public_id, now=NOON)
    assert (found.cancelling, found.as_customer, found.past_window) == ("open", True, False)
    assert [card.id for card in find_bookings(agent, booking_row(public_id).reference, now=NOON)] == [public_id]
    cancel_for(agent, public_id, "customer_phoned", now=NOON)
    assert booking_at_desk(agent, public_id, now=NOON).cancelling == "asked"
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=NOON)
    assert booking_at_desk(agent, public_id, now=NOON).cancelling == "over"
    assert audited("booking.cancelled_for_customer") == [("agent", agent.public_id)]
    with reading() as session:
        request = session.scalars(select(ChangeRequest)).one()
        last = session.scalars(select(BookingHistory).order_by(BookingHistory.version.desc()).limit(1)).one()
        told = session.scalars(select(Notification).where(Notification.kind == "cancelled")).one()
    assert (request.actor_kind, request.actor) == ("agent", agent.public_id)
    assert (last.to_state, last.actor_kind, last.actor) == ("cancelled", "agent", agent.public_id)
    assert told.facts["by"] == "agent"
    assert view_booking(world.principal, public_id, now=NOON).alternatives == []
    cancel_for(agent, public_id, "customer_phoned", now=NOON)


@pytest.mark.parametrize(("role", "back"), [("agent", 0), ("admin", 1)])
def test_after_the_benefits_end_an_agents_cancel_gives_back_as_the_customers_and_an_admins_as_ours(
    world: World, role: Role, back: int
) -> None:
    who = at_work(role)
    public_id = confirmed(world)
    cancel_for(who, public_id, "unwell", now=NOON)
    ended = NOON + timedelta(days=400)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=ended)
    assert booking_row(public_id).state is BookingState.CANCELLED
    stands = counters(world.entitlement.id)
    assert stands["available"] == back, stands
    with reading() as session:
        until = session.get_one(Entitlement, world.entitlement.id).valid_until
    assert (until > world.entitlement.valid_until) is (role == "admin")


def test_past_the_customers_window_only_an_administrator_may_and_it_is_told_before(
    world: World, agent: Principal, admin: Principal
) -> None:
    public_id = confirmed(world)
    until = view_booking(world.principal, public_id, now=NOON).cancel_until
    assert booking_at_desk(agent, public_id, now=until - timedelta(seconds=1)).cancelling == "open"
    found = booking_at_desk(agent, public_id, now=until)
    assert (found.cancelling, found.past_window) == ("admins_only", True)
    before = booking_row(public_id).version
    with pytest.raises(OnlyAdminsCancel) as refused:
        cancel_for(agent, public_id, "unwell", now=until)
    assert refused.value.facts["until"] == until
    assert booking_row(public_id).version == before and audited("booking.cancelled_for_customer") == []
    mine = booking_at_desk(admin, public_id, now=until)
    assert (mine.cancelling, mine.past_window, mine.as_customer) == ("open", True, False)
    cancel_for(admin, public_id, "unwell", now=until)
    assert audited("booking.cancelled_for_customer") == [("operator", admin.public_id)]


def test_once_the_visit_has_begun_only_an_administrator_may(world: World, agent: Principal, admin: Principal) -> None:
    public_id = confirmed(world)
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "checked_in", 2), now=LATE)
    assert booking_at_desk(agent, public_id, now=NOON).cancelling == "admins_only"
    for now in (NOON, LATE):
        with pytest.raises(OnlyAdminsCancel):
            cancel_for(agent, public_id, "unwell", now=now)
    assert booking_at_desk(admin, public_id, now=LATE).cancelling == "open"


def test_a_hold_is_cancelled_by_an_agent_at_once(world: World, agent: Principal) -> None:
    public_id = world.hold()
    cancel_for(agent, public_id, "customer_phoned", now=NOON)
    assert booking_row(public_id).state is BookingState.CANCELLED
    assert counters(world.entitlement.id)["available"] == 4
    with pytest.raises(NotCancellable):
        done = confirmed(world)
        with transaction() as session:
            apply_remote(session, world.provider.id, remote(done, "fulfilled", 2), now=LATE)
        cancel_for(agent, done, "unwell", now=LATE)


def test_what_the_provider_cannot_keep_is_an_administrators_to_cancel(
    world: World, agent: Principal, admin: Principal
) -> None:
    public_id = confirmed(world)
    assert set(reasons_for(admin)) - set(reasons_for(agent)) == {"provider_trouble"}
    with pytest.raises(Invalid) as refused:
        cancel_for(agent, public_id, "provider_trouble", now=NOON)
    assert refused.value.at == "reason"
    cancel_for(admin, public_id, "provider_trouble", now=NOON)


def test_a_booking_can_be_cancelled_at_the_desk_while_another_date_is_asked_for(world: World, agent: Principal) -> None:
    public_id = confirmed(world)
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    assert booking_at_desk(agent, public_id, now=NOON).cancelling == "open"
    cancel_for(agent, public_id, "customer_phoned", now=NOON)
    assert booking_at_desk(agent, public_id, now=NOON).cancelling == "asked"


def test_another_insurers_booking_is_not_there_for_an_agent(world: World, agent: Principal) -> None:
    public_id = confirmed(world)
    stranger = Principal("operator", agent.id, agent.public_id, agent.insurer_id + 1, 0, agent.time_zone, "agent")
    acts: list[Callable[[], object]] = [
        lambda: booking_at_desk(stranger, public_id, now=NOON),
        lambda: cancel_for(stranger, public_id, "unwell", now=NOON),
        lambda: cancel(agent, public_id, now=NOON),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert find_bookings(stranger, booking_row(public_id).reference, now=NOON) == []


# --- disputes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "kind"), [("agent", "agent"), ("admin", "operator")])
@pytest.mark.parametrize("decision", ["fulfilled", "rejected"])
def test_a_dispute_is_answered_as_what_one_is(world: World, role: Role, kind: str, decision: disputes.Decision) -> None:
    who = at_work(role)
    public_id = confirmed(world)
    after = EIGHT + timedelta(days=1)
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "no_show", 2), now=after)
    disputes.dispute(world.principal, public_id, "我八点到的", now=after)
    [waiting] = disputes.open_disputes(who, cursor=None, limit=9).items
    assert disputes.read_dispute(who, waiting.id, now=after).words == "我八点到的"
    disputes.answer(who, waiting.id, decision, "没有签到记录", now=after + timedelta(hours=1))
    outcome = "rejected" if decision == "rejected" else "accepted"
    assert audited("dispute.read") == audited(f"dispute.{outcome}") == [(kind, who.public_id)]
    view = view_booking(world.principal, public_id, now=after)
    assert view.dispute is not None and view.dispute.decided_as == kind
    assert view.timeline[-1].actor == kind


# --- the books -------------------------------------------------------------------------------------------------------


def test_an_agent_has_nothing_to_do_with_the_books(world: World, agent: Principal, admin: Principal) -> None:
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "theirs_only", "R-9", now=NOON)
    [found] = cases.discrepancies(admin, cursor=None, limit=9).items
    closing = close.close_site(admin, site_of(world), DAY, None, "cancel", now=NOON)
    acts: list[Callable[[Principal], object]] = [
        lambda who: cases.discrepancies(who, cursor=None, limit=9),
        lambda who: cases.counts(who),
        lambda who: cases.case(who, found.id, now=NOON),
        lambda who: runs.runs(who, cursor=None, limit=9),
        lambda who: runs.provider_choices(who),
        lambda who: runs.request_run(who, world.provider.code, now=NOON),
        lambda who: statements.statements(who, cursor=None, limit=9),
        lambda who: site_closure_view.find_sites(who, "x"),
        lambda who: site_closure_view.closures(who, limit=9),
        lambda who: site_closure_view.closure(who, closing),
        lambda who: oversight.providers(who, now=NOON),
        lambda who: oversight.late_jobs(who, now=NOON),
        lambda who: repair(who, found.id, "note", note="x", now=NOON),
        lambda who: close.reopen_site(who, closing, now=NOON),
        lambda who: close.close_site(who, site_of(world), DAY, None, "cancel", now=NOON),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act(agent)
    with pytest.raises(NotFound):
        statements.statement_csv(agent, "stm_0")
    for act in acts[:-1]:
        act(admin)
    assert audited("difference.repaired") == [("operator", admin.public_id)]
