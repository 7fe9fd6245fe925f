"""Limits of signing in hold when everybody tries at once; the controls show that these tests can fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from threading import Lock

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.db import engine, reading
from marketplace.core.errors import TooMany
from tests.concurrency.controls import all_at_once, without_guard
from tests.people import NOON, PHONE, SmsBox, make_customer, make_insurer, signed_in
from vip import codes, operators, phones, signin
from vip.family import FamilyFull, NewMember, add_member, family
from vip.models import Operator, SignInCode

pytestmark = pytest.mark.usefixtures("db")
GUESSERS = 64
WRONG = "wrong password"


def guess_from_every_thread() -> tuple[int, int]:
    """64 wrong guesses at one code: how many were compared, and how many tries the database counted."""
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    wrong = f"{(int(box.code_for(PHONE)) + 1) % 1_000_000:06d}"
    results = all_at_once([lambda: signin.sign_in(PHONE, wrong, channel="web", now=NOON)] * GUESSERS)
    refusals = [type(failed) for failed in results]
    assert set(refusals) <= {codes.WrongCode, codes.CodeEnded}
    with reading() as session:
        tries = session.scalars(select(SignInCode.tries)).one()
    return refusals.count(codes.WrongCode), tries


def test_64_guessers_at_once_get_five_tries() -> None:
    assert guess_from_every_thread() == (5, 5)


def test_without_the_guard_64_guessers_get_64_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "COUNT_TRY", without_guard(codes.COUNT_TRY))
    assert guess_from_every_thread() == (GUESSERS, GUESSERS)


def test_a_code_signs_in_one_of_many_who_know_it() -> None:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    code = box.code_for(PHONE)
    results = all_at_once([lambda: signin.sign_in(PHONE, code, channel="web", now=NOON)] * 16)
    assert [type(one) for one in results].count(signin.SignedIn) == 1
    assert [type(one) for one in results].count(codes.CodeEnded) == 15


def test_32_requests_at_once_get_five_codes() -> None:
    make_customer()
    box = SmsBox()
    results = all_at_once([lambda: signin.send_code(PHONE, now=NOON, gateway=box)] * 32)
    assert [type(one) for one in results].count(codes.CodeSent) == len(box.texts) == 5
    assert [type(one) for one in results].count(TooMany) == 27


def test_without_the_phones_lock_rivals_get_more_than_five_codes() -> None:
    insurer = make_insurer()
    address = codes.Address(insurer.id, phones.index(phones.normalise(PHONE)))
    rivals = [Session(engine()) for _ in range(8)]
    for rival in rivals:  # each counts before any of them commits
        codes.new_code(rival, address, NOON)
    for rival in rivals:
        rival.commit()
        rival.close()
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SignInCode)) == 8


def test_an_operators_password_is_looked_at_five_times_by_16_guessers(monkeypatch: pytest.MonkeyPatch) -> None:
    make_insurer()
    operators.create_admin("lin", "a long enough secret", "林主管", now=NOON)
    with reading() as session:
        real = session.scalars(select(Operator.password_hash)).one()
    looked: list[str] = []
    lock = Lock()

    def look(stored: str, password: str) -> bool:
        with lock:
            looked.append(stored)
        return False

    monkeypatch.setattr(operators, "check_password_hash", look)
    results = all_at_once([lambda: operators.sign_in_operator("lin", WRONG, NOON)] * 16)
    assert {type(failed) for failed in results} == {operators.WrongPassword}
    assert (looked.count(real), len(looked)) == (5, 16)


def test_without_the_guard_an_operators_password_is_looked_at_16_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "COUNT_TRY", without_guard(operators.COUNT_TRY))
    make_insurer()
    operators.create_admin("lin", "a long enough secret", "林主管", now=NOON)
    with reading() as session:
        real = session.scalars(select(Operator.password_hash)).one()
    looked: list[str] = []

    def look(stored: str, password: str) -> bool:
        looked.append(stored)
        return False

    monkeypatch.setattr(operators, "check_password_hash", look)
    all_at_once([lambda: operators.sign_in_operator("lin", WRONG, NOON)] * 16)
    assert looked.count(real) == 16


def test_a_family_added_from_many_threads_has_ten_relatives() -> None:
    customer = make_customer()
    principal = signed_in()

    def add(number: int) -> Callable[[], object]:
        return lambda: add_member(principal, NewMember("other", f"亲人{number}", "male", date(1990, 1, 1)), NOON)

    results = all_at_once([add(number) for number in range(16)])
    assert [type(one) for one in results].count(FamilyFull) == 6
    assert len(family(customer.id)) == 11
