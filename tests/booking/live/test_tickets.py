"""A ticket opens one stream, within a minute, of a session that goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from booking.live.forget import forget_live
from booking.live.tickets import BY_SESSION, LASTS, issue, redeem
from booking.live.topics import Scope, scopes, topics_of
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import TooMany, Unauthenticated
from tests.booking.twins.stage import with_twin
from tests.desk import make_member, member
from tests.people import NOON
from tests.world import World, make_world
from vip.principal import Principal
from vip.signin import authentication, signin
from vip.signin.mode import set_test_mode

pytestmark = pytest.mark.usefixtures("db")
PHONE = "13800000021"


@pytest.fixture
def world() -> Iterator[World]:
    with clock.frozen(NOON):
        yield make_world(phone=PHONE, slots=0)


def signed_in() -> Principal:
    return authentication.authenticate(signin.issue_token(PHONE, NOON).token, now=NOON)


def count() -> int:
    with reading() as session:
        return session.execute(text("SELECT count(*) FROM live_ticket")).scalar_one()


def refused(ticket: str, seconds: int = 0) -> bool:
    try:
        redeem(ticket, now=NOON + timedelta(seconds=seconds))
    except Unauthenticated:
        return True
    return False


def test_it_opens_what_is_hers_once(world: World) -> None:
    her = signed_in()
    ticket = issue(her, now=NOON)
    opened = redeem(ticket, now=NOON)
    assert (opened.session_id, opened.scope.topics) == (her.session_id, (f"customer:{world.customer.id}",))
    assert refused(ticket)


def test_it_is_good_for_a_minute(world: World) -> None:
    tickets = [issue(signed_in(), now=NOON) for _ in range(2)]
    assert not refused(tickets[0], 59)
    assert timedelta(seconds=60) >= LASTS and refused(tickets[1], 60)


def test_it_dies_with_its_session(world: World) -> None:
    her = signed_in()
    ticket = issue(her, now=NOON)
    signin.sign_out(her, NOON)
    assert refused(ticket)


def test_it_dies_when_the_customer_is_blocked(world: World) -> None:
    ticket = issue(signed_in(), now=NOON)
    with transaction() as session:
        session.execute(text("UPDATE customer SET blocked_at = now()"))
    assert refused(ticket)


@pytest.mark.parametrize(
    "change", [lambda it: it[:-1], lambda it: f"x{it}", lambda it: it.split(".")[0], lambda it: "", lambda it: "é" * 20]
)
def test_what_we_did_not_sign_is_refused_without_a_query(world: World, change: object) -> None:
    ticket = issue(signed_in(), now=NOON)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("booking.live.tickets.rows", lambda *_: pytest.fail("it was asked for"))
        assert refused(change(ticket))  # type: ignore[operator]
    assert not refused(ticket)


def test_the_address_shows_nothing_of_whose_it_is(world: World) -> None:
    ticket = issue(signed_in(), now=NOON)
    assert str(world.customer.public_id) not in ticket and "customer" not in ticket


def test_an_operator_is_told_of_nothing(world: World) -> None:
    with pytest.raises(Unauthenticated):
        issue(replace(signed_in(), kind="operator"), now=NOON)


def test_a_member_is_told_of_herself_and_of_the_provider_for_which_her_session_works_when_it_is_used(
    world: World,
) -> None:
    her, other = (member(make_member(world.provider.code, "clinician", login)) for login in ("ming", "hua"))
    twin = with_twin(world).twin
    live = Scope((f"member:{her.id}", f"provider:{world.provider.id}"), "clinician")
    before = issue(her, now=NOON)
    assert redeem(issue(her, now=NOON), now=NOON).scope == live
    set_test_mode(her, on=True)
    assert redeem(before, now=NOON).scope == Scope((f"member:{her.id}", f"provider:{twin.id}"), "clinician")
    assert redeem(issue(other, now=NOON), now=NOON).scope.topics[1] == f"provider:{world.provider.id}"
    set_test_mode(her, on=False)
    assert redeem(issue(her, now=NOON), now=NOON).scope == live


def test_an_escort_worker_is_told_of_herself_alone(world: World) -> None:
    her = member(make_member(world.provider.code, "escort", "he"))
    assert redeem(issue(her, now=NOON), now=NOON).scope == Scope((f"member:{her.id}",), "escort")
    assert topics_of(her) == [f"member:{her.id}"]


def test_scopes_are_of_the_sessions_that_go_on(world: World) -> None:
    her, gone = signed_in(), signed_in()
    signin.sign_out(gone, NOON)
    assert scopes([her.session_id, gone.session_id], now=NOON) == {
        her.session_id: Scope((f"customer:{world.customer.id}",), "customer")
    }


def test_a_session_opens_so_many_and_then_waits(world: World) -> None:
    her = signed_in()
    for _ in range(BY_SESSION.capacity):
        issue(her, now=NOON)
    with pytest.raises(TooMany):
        issue(her, now=NOON)
    issue(signed_in(), now=NOON)


def test_tickets_that_nobody_used_are_deleted(world: World) -> None:
    issue(signed_in(), now=NOON)
    assert forget_live(now=NOON + LASTS - timedelta(seconds=1)) == 0
    assert forget_live(now=NOON + LASTS + timedelta(seconds=1)) == 1
    assert count() == 0


def test_a_session_can_be_deleted_with_its_tickets(world: World) -> None:
    her = signed_in()
    issue(her, now=NOON)
    with transaction() as session:
        session.execute(text("DELETE FROM sign_in_session WHERE id = :id"), {"id": her.session_id})
    assert count() == 0
