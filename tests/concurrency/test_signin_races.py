"""Limits of signing in hold when everybody tries at once; the controls show that these tests can fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from threading import Condition, Lock, Thread
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.core.database.db import engine, reading, transaction
from marketplace.core.errors import TooMany, Unauthenticated
from tests.concurrency.controls import all_at_once
from tests.people import NOON, PHONE, SmsBox, make_customer, make_insurer, signed_in
from tests.sandboxes import eventually
from vip import phones
from vip.customers.blocking import block_by_command, unblock_by_command
from vip.customers.family import FamilyFull, NewMember, add_member, family
from vip.models import SignInCode
from vip.operators import operators
from vip.signin import authentication, codes, limits, signin, turns
from vip.signin.limits import Caller, Limit

pytestmark = pytest.mark.usefixtures("db")
GUESSERS = 64
WRONG = "wrong password"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody goes without a turn, however slow the machine is."""
    monkeypatch.setattr(turns, "LONGEST_WAIT", 60.0)


def guess_from_every_thread() -> tuple[int, int]:
    """64 wrong guesses at one code from one address: how many were compared, and how many refused."""
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    wrong = f"{(int(box.code_for(PHONE)) + 1) % 1_000_000:06d}"
    results = all_at_once([lambda: signin.sign_in(PHONE, wrong, channel="web", now=NOON)] * GUESSERS)
    refusals = [type(failed) for failed in results]
    assert set(refusals) <= {codes.WrongCode, TooMany}
    return refusals.count(codes.WrongCode), refusals.count(TooMany)


@pytest.mark.usefixtures("without_turns")
def test_64_guessers_at_once_get_five_tries() -> None:
    assert guess_from_every_thread() == (5, GUESSERS - 5)


def test_who_looks_at_a_bucket_and_then_writes_takes_more_than_there_is() -> None:
    rivals = [Session(engine()) for _ in range(8)]
    with transaction() as session:
        limits.take(session, Limit(2, 1), "key", now=NOON)
    look = text("SELECT tokens FROM rate_bucket")
    seen = [rival.scalar(look) for rival in rivals]
    for rival, tokens in zip(rivals, seen, strict=True):
        rival.execute(text("UPDATE rate_bucket SET tokens = :left"), {"left": (tokens or 0) - 1})
        rival.commit()
        rival.close()
    assert seen == [1.0] * 8


def test_64_who_take_from_a_bucket_at_once_get_what_it_holds() -> None:
    def take() -> int:
        with transaction() as session:
            return limits.take(session, Limit(7, 1), "key", now=NOON)

    results = all_at_once([take] * GUESSERS)
    assert sorted(one for one in results if isinstance(one, int)) == [0, 1, 2, 3, 4, 5, 6]
    assert [type(one) for one in results].count(TooMany) == GUESSERS - 7


def test_without_the_condition_the_tables_check_refuses_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = limits.TAKE.replace(limits.TAKE[limits.TAKE.index("  WHERE") : limits.TAKE.index("RETURNING")], "")
    monkeypatch.setattr(limits, "TAKE", bare)

    def take() -> int:
        with transaction() as session:
            return limits.take(session, Limit(7, 1), "key", now=NOON)

    results = all_at_once([take] * 16)
    assert [type(one) for one in results].count(IntegrityError) == 16 - 7


@pytest.mark.usefixtures("without_turns")
def test_a_code_signs_in_one_of_many_who_know_it() -> None:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    code = box.code_for(PHONE)
    results = all_at_once([lambda: signin.sign_in(PHONE, code, channel="web", now=NOON)] * 16)
    assert [type(one) for one in results].count(signin.SignedIn) == 1
    assert {type(one) for one in results} <= {signin.SignedIn, codes.CodeEnded, TooMany}


@pytest.mark.usefixtures("without_turns")
def test_32_requests_at_once_send_one_code() -> None:
    make_customer()
    box = SmsBox()
    results = all_at_once([lambda: signin.send_code(PHONE, now=NOON, gateway=box)] * 32)
    assert len(box.texts) == 1
    assert [type(one) for one in results].count(codes.CodeSent) == 5
    assert [type(one) for one in results].count(TooMany) == 27


def test_without_the_phones_lock_rivals_get_more_than_one_code() -> None:
    insurer = make_insurer()
    address = codes.Address(insurer.id, phones.indexes(phones.normalise(PHONE)))
    rivals = [Session(engine()) for _ in range(8)]
    for rival in rivals:  # each looks before any of them commits
        assert not codes._good_codes(rival, address, NOON)
        codes._add(rival, address, NOON)
    for rival in rivals:
        rival.commit()
        rival.close()
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SignInCode)) == 8


@pytest.mark.usefixtures("without_turns")
def test_an_operators_password_is_looked_at_ten_times_by_16_guessers(monkeypatch: pytest.MonkeyPatch) -> None:
    make_insurer()
    operators.create_admin("lin", "a long enough secret", "林主管", now=NOON)
    looked: list[str] = []
    lock = Lock()

    def look(stored: str, password: str) -> bool:
        with lock:
            looked.append(stored)
        return False

    monkeypatch.setattr(operators, "check_password_hash", look)
    results = all_at_once([lambda: operators.sign_in_operator("lin", WRONG, NOON)] * 16)
    assert [type(failed) for failed in results].count(operators.WrongPassword) == len(looked) == 10
    assert [type(failed) for failed in results].count(TooMany) == 6


def guess_from_everywhere() -> list[Any]:
    """Wrong passwords for 16 logins that don't exist, each from an address of its own."""
    make_insurer()
    return all_at_once(
        [
            partial(operators.sign_in_operator, f"nobody{number}", WRONG, NOON, caller=Caller(f"198.51.100.{number}"))
            for number in range(16)
        ]
    )


def compares_at_once(monkeypatch: pytest.MonkeyPatch, wait: float) -> int:
    """How many passwords of strangers were compared at the same time; each waits so long for a second one."""
    under_way, most = 0, 0
    changed = Condition()

    def look(*_: object) -> bool:
        nonlocal under_way, most
        with changed:
            under_way += 1
            most = max(most, under_way)
            changed.notify_all()
            changed.wait_for(lambda: most > 1, wait)
            under_way -= 1
        return False

    monkeypatch.setattr(operators, "_is_password_gently", look)
    assert {type(failed) for failed in guess_from_everywhere()} == {operators.WrongPassword}
    return most


@pytest.mark.usefixtures("patient")
def test_one_strangers_password_is_compared_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compares_at_once(monkeypatch, wait=0.02) == 1


@pytest.mark.usefixtures("without_turns")
def test_without_turns_several_are_compared_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compares_at_once(monkeypatch, wait=30) > 1


@pytest.mark.usefixtures("patient")
def test_what_unknown_logins_are_compared_with_is_made_within_the_same_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first guesses after a start made it once for each of them, all at the same time."""
    hashed, within = operators.hash_password("a long enough secret"), []

    def make(_password: str, **_how: str) -> str:
        within.append(turns.hashing.strangers._taken)
        return hashed

    operators._nobodys_hash.cache_clear()
    monkeypatch.setattr(operators, "generate_password_hash", make)
    assert {type(failed) for failed in guess_from_everywhere()} == {operators.WrongPassword}
    assert within == [True]
    operators._nobodys_hash.cache_clear()


def test_a_family_added_from_many_threads_has_ten_relatives() -> None:
    customer = make_customer()
    principal = signed_in()

    def add(number: int) -> Callable[[], object]:
        return lambda: add_member(principal, NewMember("other", f"亲人{number}", "male", date(1990, 1, 1)), NOON)

    results = all_at_once([add(number) for number in range(16)])
    assert [type(one) for one in results].count(FamilyFull) == 6
    assert len(family(customer.id)) == 11


# --- blocked while a sign-in is under way ----------------------------------------------------------------------------


def blocked_during_sign_in(monkeypatch: pytest.MonkeyPatch) -> signin.SignedIn:
    """She proves her code; before her session is there, an operator blocks her, and unblocks her in the end."""
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    blocks = Thread(target=block_by_command, args=(PHONE,), kwargs={"now": NOON})
    use = codes.use

    def slowly(*what: object, **more: object) -> None:
        use(*what, **more)  # type: ignore[arg-type]
        blocks.start()
        eventually(lambda: not blocks.is_alive() or waits_for_a_lock())

    with monkeypatch.context() as patched:
        patched.setattr(codes, "use", slowly)
        signed_in = signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=NOON)
    blocks.join()
    unblock_by_command(PHONE, now=NOON)
    return signed_in


def waits_for_a_lock() -> bool:
    with reading() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_who_is_blocked_while_she_signs_in_has_no_session_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in = blocked_during_sign_in(monkeypatch)
    with pytest.raises(Unauthenticated):
        authentication.authenticate(signed_in.token, now=NOON)


def test_without_the_lock_her_session_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = signin._customer
    monkeypatch.setattr(signin, "_customer", lambda session, address, lock=False: found(session, address))
    assert authentication.authenticate(blocked_during_sign_in(monkeypatch).token, now=NOON)
