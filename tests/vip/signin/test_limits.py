"""Limits that lock nobody out: who tries too often is refused, and nobody else is."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import get_native_id

import pytest
from sqlalchemy import text

from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Refusal, TooMany
from tests.people import NOON, OTHER_PHONE, PHONE, SmsBox, make_customer, make_insurer
from vip.operators import operators
from vip.operators.sign_in_steps import OperatorSignedIn
from vip.signin import authentication, codes, limits, signin, turns
from vip.signin.limits import Caller, InMemory, Limit
from vip.signin.turns import Crowded

pytestmark = pytest.mark.usefixtures("db")
SECOND = timedelta(seconds=1)
ATTACKER, OWNER = Caller("203.0.113.9"), Caller("198.51.100.7")
PASSWORD = "a long enough secret"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def refusal_of(sign_in: Callable[..., object], *args: object, **facts: object) -> type[Refusal]:
    """With what a try is refused; fails if it is not."""
    with pytest.raises(Refusal) as refused:
        sign_in(*args, **facts)
    return refused.type


def test_a_bucket_gives_what_it_holds_then_what_flows_in_and_says_when() -> None:
    limit = Limit(3, 60)
    with transaction() as session:
        assert [limits.take(session, limit, "x", now=NOON) for _ in range(3)] == [2, 1, 0]
    for seconds, wait in ((0, 60), (20, 40), (59, 1)):
        with pytest.raises(TooMany) as refused, transaction() as session:
            limits.take(session, limit, "x", now=NOON + seconds * SECOND)
        assert refused.value.facts["retry_after"] == wait
    with transaction() as session:
        assert limits.take(session, limit, "x", now=NOON + 60 * SECOND) == 0
        assert limits.take(session, limit, "another", now=NOON) == 2


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("203.0.113.9", "address:203.0.113.9"),
        ("::ffff:203.0.113.9", "address:203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "address:2001:db8:1:3::/64"),
        ("", "address:unknown"),
        ("unix:", "address:unknown"),
    ],
)
def test_an_ipv6_caller_goes_by_the_subscribers_network(address: str, name: str) -> None:
    assert Caller(address).name == name


def test_neither_address_nor_phone_is_stored_in_clear_and_unused_buckets_are_forgotten() -> None:
    box = SmsBox()
    make_customer()
    signin.send_code(PHONE, now=NOON, gateway=box, caller=ATTACKER)
    with reading() as session:
        stored = session.scalars(text("SELECT b::text FROM rate_bucket b")).all()
    assert len(stored) == 2
    assert not any(clear in line for line in stored for clear in (ATTACKER.address, "13800000011"))
    assert limits.forget_buckets(now=NOON + limits.KEPT) == 0
    assert limits.forget_buckets(now=NOON + limits.KEPT + SECOND) == 2


def test_thousands_of_requests_from_one_address_keep_no_customer_out() -> None:
    make_customer()
    box, guess = SmsBox(), None
    refused = compared = 0
    for second in range(0, 3000, 6):  # 50 minutes of asking and guessing in her name
        now = NOON + second * SECOND
        try:
            signin.send_code(PHONE, now=now, gateway=box, caller=ATTACKER)
        except TooMany:
            refused += 1
        guess = wrong(box.code_for(PHONE))
        try:
            signin.sign_in(PHONE, guess, channel="web", now=now, caller=ATTACKER)
        except (codes.WrongCode, codes.CodeEnded):
            compared += 1
        except TooMany:
            refused += 1
    assert compared == codes.TRIES + 4  # five, and one each 12 minutes
    assert len(box.texts) <= 5 + 4 and refused > 950
    now = NOON + 3000 * SECOND
    signin.send_code(PHONE, now=now + 60 * SECOND, gateway=box, caller=OWNER)
    with pytest.raises(TooMany):
        signin.sign_in(PHONE, guess or "", channel="web", now=now, caller=ATTACKER)
    assert signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=now + 90 * SECOND, caller=OWNER).token


def test_one_address_guesses_across_phones_at_most_its_own_tries() -> None:
    make_insurer()
    phones = [f"+86139{number:08d}" for number in range(60)]
    tries = [
        refusal_of(signin.sign_in, phone, "123456", channel="web", now=NOON, caller=ATTACKER)
        for phone in phones
        for _ in range(3)
    ]
    assert tries == [codes.CodeEnded] * 60 + [TooMany] * 120
    assert codes.TRIES_BY_CALLER.capacity == 60


def test_a_code_stays_good_when_a_stranger_asks_for_another() -> None:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box, caller=OWNER)
    hers = box.code_for(PHONE)
    for minute in (1, 2, 3):
        signin.send_code(PHONE, now=NOON + minute * 60 * SECOND, gateway=box, caller=ATTACKER)
    assert len(box.texts) == 4
    assert signin.sign_in(PHONE, hers, channel="web", now=NOON + 200 * SECOND, caller=OWNER).token


def test_a_second_request_within_a_minute_sends_nothing_and_says_how_long() -> None:
    make_customer()
    box = SmsBox()
    first = signin.send_code(PHONE, now=NOON, gateway=box)
    again = signin.send_code(PHONE, now=NOON + 20 * SECOND, gateway=box, caller=OWNER)
    assert (again.expires_at, again.resend_after_seconds, len(box.texts)) == (first.expires_at, 40, 1)
    signin.send_code(PHONE, now=NOON + 60 * SECOND, gateway=box)
    assert len(box.texts) == 2


def test_a_known_device_is_not_held_up_by_strangers_even_behind_its_own_address() -> None:
    make_customer()
    box = SmsBox()
    token = signin.issue_token(PHONE, NOON).token
    signin.sign_out(authentication.authenticate(token, now=NOON), NOON)
    signin.send_code(PHONE, now=NOON, gateway=box, caller=ATTACKER)
    for _ in range(5):
        with pytest.raises(codes.WrongCode):
            signin.sign_in(PHONE, wrong(box.code_for(PHONE)), channel="web", now=NOON, caller=ATTACKER)
    signin.send_code(PHONE, now=NOON, gateway=box, caller=ATTACKER, known_by=token)
    assert len(box.texts) == 2
    code = box.code_for(PHONE)
    with pytest.raises(TooMany):
        signin.sign_in(PHONE, code, channel="web", now=NOON, caller=ATTACKER)
    assert signin.sign_in(PHONE, code, channel="web", now=NOON, caller=ATTACKER, known_by=token).token


def test_a_device_known_to_one_account_is_a_stranger_to_another() -> None:
    make_customer()
    make_customer(OTHER_PHONE)
    box = SmsBox()
    token = signin.issue_token(OTHER_PHONE, NOON).token
    signin.send_code(PHONE, now=NOON, gateway=box)
    signin.send_code(PHONE, now=NOON, gateway=box, known_by=token)
    assert len(box.texts) == 1


def test_an_operator_signs_in_while_another_address_tries_thousands_of_passwords() -> None:
    make_insurer()
    operators.create_admin("lin", PASSWORD, "林主管", now=NOON)
    times = (NOON + second * SECOND for second in range(0, 1000, 2))
    tries = [refusal_of(operators.sign_in_operator, "lin", "wrong", now, caller=ATTACKER) for now in times]
    looked = operators.TRIES_AT_LOGIN.capacity + 2
    assert Counter(tries) == {operators.WrongPassword: looked, TooMany: 500 - looked}
    later = NOON + 1000 * SECOND
    with pytest.raises(TooMany):
        operators.sign_in_operator("lin", PASSWORD, later, caller=ATTACKER)
    token = operators.sign_in_operator("lin", PASSWORD, later, caller=OWNER).token
    assert operators.sign_in_operator("lin", PASSWORD, later, caller=ATTACKER, known_by=token).token


def test_no_password_is_looked_at_once_the_bucket_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    make_insurer()
    looked: list[str] = []
    monkeypatch.setattr(operators, "check_password_hash", lambda stored, given: looked.append(stored))
    for number in range(200):
        with pytest.raises((operators.WrongPassword, TooMany)):
            operators.sign_in_operator(f"login{number}", "wrong", NOON, caller=ATTACKER)
    assert len(looked) == operators.TRIES_BY_CALLER.capacity


def test_a_password_that_waits_too_long_for_its_turn_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    make_insurer()
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)
    with turns.hashing.strangers.turn("another"), pytest.raises(Crowded) as refused:
        operators.sign_in_operator("lin", "wrong", NOON)
    assert refused.value.facts["retry_after"] == 1


def test_strangers_who_try_passwords_hold_up_no_device_that_was_here_before(monkeypatch: pytest.MonkeyPatch) -> None:
    make_insurer()
    operators.create_admin("lin", "a long enough secret", "林主管", now=NOON)
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)
    first = operators.sign_in_operator("lin", "a long enough secret", NOON)
    assert isinstance(first, OperatorSignedIn)
    with turns.hashing.strangers.turn("another"):
        with pytest.raises(Crowded):
            operators.sign_in_operator("lin", "a long enough secret", NOON, caller=ATTACKER)
        again = operators.sign_in_operator("lin", "a long enough secret", NOON, known_by=first.device, caller=ATTACKER)
    assert isinstance(again, OperatorSignedIn)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
def test_a_strangers_password_gives_way_to_requests_and_a_known_devices_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    priorities: list[int] = []

    def compare(stored: str, given: str) -> bool:
        priorities.append(os.getpriority(os.PRIO_PROCESS, get_native_id()))
        return True

    monkeypatch.setattr(operators, "check_password_hash", compare)
    usual = os.getpriority(os.PRIO_PROCESS, get_native_id())
    make_insurer()
    operators.create_admin("lin", PASSWORD, "林主管", now=NOON)
    first = operators.sign_in_operator("lin", PASSWORD, NOON)
    assert isinstance(first, OperatorSignedIn)
    operators.sign_in_operator("lin", PASSWORD, NOON, known_by=first.device)
    operators.sign_in_operator("lin", PASSWORD, NOON)
    gentle = min(19, usual + operators.GENTLE)
    assert priorities == [gentle, usual, gentle]
    assert os.getpriority(os.PRIO_PROCESS, get_native_id()) == usual


def test_when_wrong_codes_of_all_rise_there_is_an_alarm_and_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(codes.log, "warning", lambda event, **facts: said.append(event))
    for _ in range(codes.WRONG_IN_ALL.capacity):
        codes.notice_wrong("code", NOON)
    assert said == []
    codes.notice_wrong("code", NOON)
    assert said == ["guessing.rises"]


def test_while_wrong_codes_rise_the_alarm_comes_again_every_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "WRONG_IN_ALL", Limit(1, 1))
    said: list[str] = []
    monkeypatch.setattr(codes.log, "warning", lambda event, **facts: said.append(event))
    after = []
    for minutes in (0, 0, 0, 9, 10, 11):
        codes.notice_wrong("code", NOON + timedelta(minutes=minutes))
        after.append(len(said))
    assert after == [0, 1, 1, 1, 2, 2]


def test_reads_of_a_session_are_limited_in_memory_for_itself_alone() -> None:
    reads = InMemory(Limit(2, 3600), most=2)
    for _ in range(2):
        reads.take(b"one", 100.0)
    with pytest.raises(TooMany) as refused:
        reads.take(b"one", 100.0)
    assert refused.value.facts["retry_after"] == 1
    reads.take(b"two", 100.0)
    reads.take(b"one", 101.0)
    reads.take(b"three", 101.0)
    assert len(reads._buckets) == 2
