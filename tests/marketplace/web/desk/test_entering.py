"""The door of the desk: it is the console's, for other people. Each of the two doors knows its own people alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.core.errors import Unauthenticated
from marketplace.web.cookies import DESK, DESK_STEP, OPERATOR, OPERATOR_STEP
from tests.desk import DOOR, PASSWORD, account, at_desk, make_member, member
from tests.marketplace.web.console.test_second_factor_pages import codes_of, offered
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World
from vip.models import Operator
from vip.operators.operators import WrongPassword, create_admin, sign_in_operator
from vip.operators.sign_in_steps import OperatorSignedIn, awaited
from vip.signin.authentication import authenticate, authenticate_member
from vip.signin.signin import sessions

CONSOLE = "/operators/sign-in"


@pytest.fixture
def fang(world: World) -> str:
    """A manager of the world's provider."""
    return make_member(world.provider.code, login="fang", name="方敏")


def test_a_member_signs_in_and_out(app: Flask, fang: str) -> None:
    visitor = Visitor(app)
    answer = visitor.post(DOOR, DOOR, name="fang", password=PASSWORD)
    assert answer.headers["Location"] == "/desk"
    cookie = next(it for it in answer.headers.getlist("Set-Cookie") if it.startswith(f"{DESK.name}="))
    assert "Path=/desk" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    home = visitor.get("/desk")
    assert home.status_code == 200 and "方敏" in home.text and home.headers["Cache-Control"] == "no-store"
    assert visitor.get(DOOR).headers["Location"] == "/desk"
    assert visitor.post("/desk/sign-out", "/desk").headers["Location"] == DOOR
    assert visitor.get("/desk").headers["Location"].startswith(DOOR)


def test_signing_out_everywhere_ends_the_other_browser_too(app: Flask, fang: str) -> None:
    here, there = at_desk(app, "fang"), at_desk(app, "fang")
    assert here.post("/desk/sign-out-everywhere", "/desk/password").headers["Location"] == DOOR
    assert [visitor.get("/desk").status_code for visitor in (here, there)] == [303, 303]


def test_no_door_takes_the_other_ones_people_and_both_answer_as_for_nobody(app: Flask, fang: str) -> None:
    create_admin("lin", PASSWORD, "林默", now=NOON)
    told = []
    for door, name in ((DOOR, "lin"), (DOOR, "nobody"), (CONSOLE, "fang"), (CONSOLE, "nobody")):
        answer = Visitor(app).post(door, door, name=name, password=PASSWORD)
        told.append((answer.status_code, main(answer)))
    assert told[0] == told[1] and told[2] == told[3] and told[0][0] == told[2][0] == 422


def test_a_session_of_one_door_is_none_at_the_other_or_for_the_api(app: Flask, fang: str) -> None:
    create_admin("lin", PASSWORD, "林默", now=NOON)
    hers = sign_in_operator("fang", PASSWORD, NOON, employer="provider")
    operators = sign_in_operator("lin", PASSWORD, NOON)
    assert isinstance(hers, OperatorSignedIn) and isinstance(operators, OperatorSignedIn)
    assert authenticate_member(hers.token, now=NOON).role == "manager"
    with pytest.raises(Unauthenticated):
        authenticate(hers.token, now=NOON)
    with pytest.raises(Unauthenticated):
        authenticate_member(operators.token, now=NOON)
    for cookie, token, page in ((OPERATOR, hers.token, "/operators"), (DESK, operators.token, "/desk")):
        thief = Visitor(app)
        thief.client.set_cookie(cookie.name, token, path=cookie.path)
        assert thief.get(page).status_code == 303
    answer = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {hers.token}"})
    assert answer.status_code == 401


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second factor has to be set up."""
    monkeypatch.setenv("OPERATOR_SECOND_FACTOR", "required")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("required")
def test_a_ticket_of_one_door_is_none_at_the_other(app: Flask, fang: str) -> None:
    create_admin("lin", PASSWORD, "林默", now=NOON)
    hers = sign_in_operator("fang", PASSWORD, NOON, employer="provider")
    operators = sign_in_operator("lin", PASSWORD, NOON)
    assert not isinstance(hers, OperatorSignedIn) and not isinstance(operators, OperatorSignedIn)
    for ticket, own, other in (
        (hers.ticket, "provider", "insurer"),
        (operators.ticket, "insurer", "provider"),
    ):
        assert awaited(ticket, now=NOON, employer=own) == "device"  # type: ignore[arg-type]
        with pytest.raises(Unauthenticated):
            awaited(ticket, now=NOON, employer=other)  # type: ignore[arg-type]
    for cookie, ticket, home in ((OPERATOR_STEP, hers.ticket, "/operators"), (DESK_STEP, operators.ticket, "/desk")):
        thief = Visitor(app)
        thief.client.set_cookie(cookie.name, ticket, path=cookie.path)
        assert thief.get(f"{home}/sign-in/device").headers["Location"] == f"{home}/sign-in"


@pytest.mark.usefixtures("required")
def test_a_member_sets_up_a_second_factor_and_shows_it_next_time(app: Flask, fang: str) -> None:
    device, code = "/desk/sign-in/device", "/desk/sign-in/code"
    visitor = Visitor(app)
    assert visitor.post(DOOR, DOOR, name="fang", password=PASSWORD).headers["Location"] == device
    assert visitor.get("/desk").status_code == 303, "the password alone opens nothing"
    secret, sealed = offered(visitor.get(device))
    done = visitor.post(device, device, offer=sealed, code=pyotp.TOTP(secret).at(NOON))
    assert len(codes_of(done)) == 10 and visitor.get("/desk").status_code == 200
    later = NOON + timedelta(minutes=5)
    with clock.frozen(later):
        other = Visitor(app)
        assert other.post(DOOR, DOOR, name="fang", password=PASSWORD).headers["Location"] == code
        assert other.post(code, code, code="000000").status_code == 422
        assert other.post(code, code, code=pyotp.TOTP(secret).at(later)).headers["Location"] == "/desk"


def test_who_tried_ten_wrong_passwords_has_to_wait(app: Flask, fang: str) -> None:
    visitor = Visitor(app)
    for _ in range(10):
        assert visitor.post(DOOR, DOOR, name="fang", password="wrong").status_code == 422
    assert visitor.post(DOOR, DOOR, name="fang", password=PASSWORD).status_code == 429
    with clock.frozen(NOON + timedelta(minutes=16)):
        assert visitor.post(DOOR, DOOR, name="fang", password=PASSWORD).status_code == 303


def test_an_escort_workers_session_stands_for_a_shift_and_ends_with_its_twelve_hours(world: World) -> None:
    """Her deeds wait on her phone where there is no network; nobody else's session waits with hers."""
    held = {}
    for role in ("escort", "front_desk"):
        make_member(world.provider.code, role, login=role)
        found = sign_in_operator(role, PASSWORD, NOON, employer="provider")
        assert isinstance(found, OperatorSignedIn)
        held[role] = found.token
    shift = timedelta(hours=10)
    with pytest.raises(Unauthenticated):
        authenticate_member(held["front_desk"], now=NOON + timedelta(minutes=30))
    with pytest.raises(Unauthenticated):
        authenticate_member(held["escort"], now=NOON + shift)
    her = authenticate_member(held["escort"], now=NOON + shift - timedelta(seconds=1))
    assert [each.current for each in sessions(her, NOON + shift)] == [True]
    authenticate_member(held["escort"], now=NOON + timedelta(hours=12, seconds=-1))
    with pytest.raises(Unauthenticated):
        authenticate_member(held["escort"], now=NOON + timedelta(hours=12))


def test_who_is_an_escort_worker_no_more_has_the_session_of_what_she_is(world: World) -> None:
    make_member(world.provider.code, "escort", login="he")
    found = sign_in_operator("he", PASSWORD, NOON, employer="provider")
    assert isinstance(found, OperatorSignedIn)
    with transaction() as session:
        session.execute(update(Operator).where(Operator.login == "he").values(role="manager"))
    with pytest.raises(Unauthenticated):
        authenticate_member(found.token, now=NOON + timedelta(minutes=30))


def test_a_session_that_stands_idle_for_half_an_hour_is_over(app: Flask, fang: str) -> None:
    visitor = at_desk(app, "fang")
    for minutes, status in ((29, 200), (58, 200), (89, 303)):
        with clock.frozen(NOON + timedelta(minutes=minutes)):
            assert visitor.get("/desk").status_code == status


def test_who_is_no_longer_in_service_is_out_at_once(app: Flask, fang: str) -> None:
    visitor, other = at_desk(app, "fang"), member("fang")
    assert other.public_id == account("fang").public_id
    with transaction() as session:
        session.get_one(Operator, other.id).disabled_at = NOON  # her sessions have not ended yet
    assert visitor.get("/desk").status_code == 303
    with pytest.raises(WrongPassword):
        sign_in_operator("fang", PASSWORD, NOON, employer="provider")


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "/operators", "/deskx", "/desk/../me", "//evil.example/desk"]
)
def test_signing_in_leads_to_the_desk_only(app: Flask, fang: str, wanted: str) -> None:
    answer = Visitor(app).post(DOOR, DOOR, name="fang", password=PASSWORD, next=wanted)
    assert answer.headers["Location"] == "/desk"
