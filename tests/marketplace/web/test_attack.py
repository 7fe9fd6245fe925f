"""An attacker with one address, many, or an IPv6 network: how many guesses get through, and who still gets in.

She is as quick as the limits let her: each address comes back at the second that a refusal names. The clock is moved,
so an attack of hours takes seconds; `ATTACK_HOURS=24 ATTACK_ADDRESSES=100` (with `-s`) prints the figures of a day.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from marketplace.core import clock
from marketplace.core.database.db import reading
from marketplace.core.sending import sms
from marketplace.web.cookies import OPERATOR
from tests.people import NOON, PHONE, SmsBox, make_customer
from vip.operators import operators

HOURS = int(os.environ.get("ATTACK_HOURS", "1"))
ADDRESSES = int(os.environ.get("ATTACK_ADDRESSES", "4"))
END = NOON + timedelta(hours=HOURS)
HERS, ATTACKERS = "198.51.100.7", "203.0.113.9"
PASSWORD = "a long enough secret"

Attempt = Callable[[str], TestResponse]


@dataclass
class Attack:
    """What came of it: guesses that were compared, and the chance that one was right."""

    compared: int = 0
    chance: float = 0.0
    refused: int = 0


def attack(attempt: Attempt, addresses: list[str], hours: float = HOURS) -> Attack:
    """Each address tries as often as it is let, and no refusal is wrong about when. They begin one after another, so
    that there is always a new code to be asked for."""
    ends, seen = NOON + timedelta(hours=hours), Attack()
    turns = [(NOON + timedelta(seconds=720 * number // len(addresses)), number) for number in range(len(addresses))]
    while turns:
        at, number = heapq.heappop(turns)
        if at >= ends:
            continue
        with clock.frozen(at):
            answer = attempt(addresses[number])
        assert answer.status_code in (422, 429), answer.text
        wait = 0
        if answer.status_code == 422:
            seen.compared += 1
            seen.chance += good_codes(at) / 10**6
        else:
            seen.refused += 1
            wait = int(answer.headers["Retry-After"])
        heapq.heappush(turns, (at + timedelta(seconds=wait), number))
    return seen


def good_codes(at: datetime) -> int:
    """How many codes are good at the account that is attacked."""
    with reading() as session:
        good = text("SELECT count(*) FROM sign_in_code WHERE used_at IS NULL AND expires_at > :at")
        return int(session.scalar(good, {"at": at}) or 0)


def report(what: str, seen: Attack, more: str = "") -> None:
    """For who measures."""
    print(f"{what}, {HOURS} h: {seen.compared} compared, {seen.refused} refused, chance {seen.chance:.4%} {more}")


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> SmsBox:
    """Where texts go."""
    made = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: made)
    return made


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords whose comparing takes no time."""
    monkeypatch.setattr(operators, "HASHING", "pbkdf2:sha256:1")
    operators._nobodys_hash.cache_clear()
    yield
    operators._nobodys_hash.cache_clear()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A program without cookies."""
    return app.test_client(use_cookies=False)


def from_address(client: FlaskClient, address: str, path: str, device: str = "", **body: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {device}"} if device else {}
    return client.post(f"/api/v1{path}", json=body, headers=headers, environ_base={"REMOTE_ADDR": address})


def ask_and_guess(client: FlaskClient) -> Attempt:
    """Ask for a code in her name, if that's allowed, and guess."""

    def attempt(address: str) -> TestResponse:
        asked = from_address(client, address, "/sessions/codes", phone=PHONE)
        assert asked.status_code in (202, 429)
        return from_address(client, address, "/sessions", phone=PHONE, code="000000")

    return attempt


@dataclass
class Door:
    """The console's door as one browser, from wherever it is."""

    app: Flask
    client: FlaskClient = field(init=False)
    token: str = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        self.token = token_of(self.client.get("/operators/sign-in"))

    def enter(self, address: str, login: str, password: str) -> TestResponse:
        return self.client.post(
            "/operators/sign-in",
            data={"csrf_token": self.token, "name": login, "password": password},
            environ_base={"REMOTE_ADDR": address},
        )


def token_of(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def signs_in(client: FlaskClient, box: SmsBox, address: str, at: datetime, device: str = "") -> TestResponse:
    """Ask for a code, and sign in with the newest text on her phone; `device` was signed in with that token before."""
    with clock.frozen(at):
        from_address(client, address, "/sessions/codes", device, phone=PHONE)
        return from_address(client, address, "/sessions", device, phone=PHONE, code=box.code_for(PHONE))


def addresses(how_many: int) -> list[str]:
    return [f"203.0.{number >> 8}.{number & 255}" for number in range(how_many)]


@pytest.mark.usefixtures("db")
def test_at_one_account_an_address_guesses_five_times_and_five_an_hour(client: FlaskClient, box: SmsBox) -> None:
    make_customer()
    seen = attack(ask_and_guess(client), [ATTACKERS])
    report("one address, one account", seen, f"{len(box.texts)} texts")
    assert seen.compared == 5 * HOURS + 4
    assert len(box.texts) <= 5 * HOURS + 5
    assert seen.chance <= seen.compared * 5e-6


@pytest.mark.usefixtures("db")
def test_a_whole_ipv6_network_is_one_address(client: FlaskClient, box: SmsBox) -> None:
    make_customer()
    number, guess = count(1), ask_and_guess(client)
    seen = attack(lambda network: guess(f"{network}{next(number):x}"), ["2001:db8:1:2::"])
    report("an IPv6 /64, one account", seen)
    assert seen.compared == 5 * HOURS + 4


@pytest.mark.usefixtures("db")
def test_many_addresses_at_one_account_guess_as_often_as_they_are_and_keep_nobody_out(
    client: FlaskClient, box: SmsBox
) -> None:
    make_customer()
    token = signs_in(client, box, HERS, NOON - timedelta(days=1)).get_json()["token"]
    box.texts.clear()
    seen = attack(ask_and_guess(client), addresses(ADDRESSES))
    report(f"{ADDRESSES} addresses, one account", seen, f"{len(box.texts)} texts")
    assert seen.compared == ADDRESSES * (5 * HOURS + 4)
    assert len(box.texts) <= min(60 * HOURS, ADDRESSES * (5 * HOURS + 5))
    assert seen.chance <= seen.compared * 5e-6
    assert signs_in(client, box, HERS, END).status_code == 201, "a new device of hers"
    behind = signs_in(client, box, addresses(1)[0], END - timedelta(seconds=1))
    assert behind.status_code == 429, "a new device behind an attacker's address"
    assert int(behind.headers["Retry-After"]) <= 12 * 60
    same = signs_in(client, box, addresses(1)[0], END - timedelta(seconds=1), device=token)
    assert same.status_code == 201, "a device that was signed in before, behind the same address"


@pytest.mark.usefixtures("db")
def test_over_all_phones_an_address_guesses_sixty_times_and_sixty_an_hour(client: FlaskClient) -> None:
    make_customer()
    number = count()

    def guess(address: str) -> TestResponse:
        return from_address(client, address, "/sessions", phone=f"139{next(number):08d}", code="123456")

    seen = attack(guess, [ATTACKERS], HOURS / 2)
    report("one address, all phones, half of it", seen)
    assert seen.compared == 60 + 30 * HOURS - 1
    assert from_address(client, HERS, "/sessions", phone="13900000001", code="123456").status_code == 422


@pytest.mark.usefixtures("db", "cheap")
def test_passwords_go_by_address_and_login_and_operators_get_in(app: Flask) -> None:
    make_customer()
    operators.create_admin("lin", PASSWORD, "林主管", now=NOON)
    hers, strange = Door(app), Door(app)
    with clock.frozen(NOON - timedelta(days=1)):
        assert hers.enter(HERS, "lin", PASSWORD).status_code == 303
    seen = attack(lambda address: strange.enter(address, "lin", "a wrong password"), [ATTACKERS])
    report("one address, one login", seen)
    assert seen.compared == 10 * HOURS + 9
    with clock.frozen(END - timedelta(seconds=1)):
        assert strange.enter(ATTACKERS, "lin", PASSWORD).status_code == 429
        assert Door(app).enter(HERS, "lin", PASSWORD).status_code == 303, "a new device of hers"
        hers.client.delete_cookie(OPERATOR.name, path=OPERATOR.path)
        hers.token = token_of(hers.client.get("/operators/sign-in"))
        assert hers.enter(ATTACKERS, "lin", PASSWORD).status_code == 303, "her own, behind the attacker's address"


@pytest.mark.usefixtures("db", "cheap")
def test_over_all_logins_an_address_guesses_sixty_times_and_sixty_an_hour(app: Flask) -> None:
    make_customer()
    number, door = count(), Door(app)
    seen = attack(lambda address: door.enter(address, f"login{next(number)}", "wrong"), [ATTACKERS], HOURS / 12)
    report("one address, all logins, a twelfth of it", seen)
    assert seen.compared == 60 + 5 * HOURS - 1
