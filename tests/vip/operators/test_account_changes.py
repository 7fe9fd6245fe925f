"""What happens to operators and customers later: other passwords, the end of service, blocking; all audited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound, TooMany, Unauthenticated
from providers.staff import administration
from tests.people import NOON, PHONE, make_customer, make_insurer
from vip.customers import blocking
from vip.operators import account_changes, operators, passwords
from vip.operators.operators import WrongPassword, sign_in_operator
from vip.principal import Principal
from vip.signin import signin
from vip.signin.authentication import authenticate
from vip.signin.limits import Limit

pytestmark = pytest.mark.usefixtures("db")
PASSWORD = "a long enough secret"
NEW = "another river, another boat"


@pytest.fixture(autouse=True)
def admin(db: object) -> Principal:
    make_insurer()
    operators.create_admin("lin", PASSWORD, "林主管", now=NOON)
    return entered()


def entered(password: str = PASSWORD) -> Principal:
    return authenticate(sign_in_operator("lin", password, NOON).token, now=NOON)


def lines(action: str) -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        found = session.scalars(select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id))
        return [(line.actor_kind, line.actor, line.facts) for line in found]


# --- the password ----------------------------------------------------------------------------------------------------


def test_a_changed_password_ends_the_other_sessions_and_the_old_one_is_wrong(admin: Principal) -> None:
    other = sign_in_operator("lin", PASSWORD, NOON)
    assert account_changes.change_password(admin, PASSWORD, NEW, now=NOON) == 1
    with pytest.raises(Unauthenticated):
        authenticate(other.token, now=NOON)
    with pytest.raises(WrongPassword):
        sign_in_operator("lin", PASSWORD, NOON)
    assert entered(NEW).id == admin.id
    assert lines("operator.password_changed") == [("operator", admin.public_id, {"sessions_ended": 1})]


def test_who_does_not_know_the_present_password_changes_nothing_and_may_not_go_on_guessing(admin: Principal) -> None:
    for _ in range(10):
        with pytest.raises(WrongPassword) as refused:
            account_changes.change_password(admin, "wrong", NEW, now=NOON)
        assert refused.value.at == "present"
    with pytest.raises(TooMany):
        account_changes.change_password(admin, PASSWORD, NEW, now=NOON)
    assert lines("operator.password_changed") == []
    assert entered().id == admin.id, "her own sign-in is not held up by that session"


def test_a_password_that_was_changed_meanwhile_is_not_overwritten(
    admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = operators.is_password

    def slowly(hashed: str, password: str, **known: bool) -> bool:
        right = compare(hashed, password, **known)
        account_changes.set_password("lin", NEW, now=NOON)
        return right

    with monkeypatch.context() as patched, pytest.raises(WrongPassword):
        patched.setattr(operators, "is_password", slowly)
        account_changes.change_password(admin, PASSWORD, "a third river, a third boat", now=NOON)
    assert entered(NEW).id == admin.id


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("short", "password_length"),
        ("x" * 257, "password_length"),
        ("password1234", "password_common"),
        ("qwertyuiop12", "password_common"),
        ("123456789012", "password_common"),
        ("iloveyou2024!", "password_common"),
        ("aaaaaaaaaaaaaaaa", "password_common"),
        ("linlinlinlin", "password_common"),
        (PASSWORD, "password_same"),
    ],
)
def test_a_new_password_that_is_soon_guessed_is_refused(admin: Principal, new: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        account_changes.change_password(admin, PASSWORD, new, now=NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == ("new", reason)


def test_what_is_about_her_makes_a_password_easy() -> None:
    passwords.check("wangxiaoming-9")
    with pytest.raises(Invalid):
        passwords.check("wangxiaoming-9", "wangxiaoming")


def test_a_common_password_is_refused_for_a_new_operator_and_by_command_too() -> None:
    with pytest.raises(Invalid):
        operators.create_admin("zhao", "password1234", "赵", now=NOON)
    with pytest.raises(Invalid):
        account_changes.set_password("lin", "password1234", now=NOON)


def test_a_password_set_by_command_ends_all_sessions(admin: Principal) -> None:
    assert account_changes.set_password(" LIN ", NEW, now=NOON) == 1
    assert entered(NEW).id == admin.id
    assert lines("operator.password_set") == [("system", "command", {"sessions_ended": 1})]
    with pytest.raises(NotFound):
        account_changes.set_password("nobody", NEW, now=NOON)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda: account_changes.set_password("lin", NEW, now=NOON),
        lambda: account_changes.end_service("lin", now=NOON),
    ],
)
def test_a_sign_in_that_was_under_way_gets_no_session(
    monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], int]
) -> None:
    compare = operators.is_password

    def slowly(hashed: str, password: str, **known: bool) -> bool:
        right = compare(hashed, password, **known)
        meanwhile()
        return right

    monkeypatch.setattr(operators, "is_password", slowly)
    with pytest.raises(WrongPassword):
        sign_in_operator("lin", PASSWORD, NOON)


# --- the end of service ----------------------------------------------------------------------------------------------


def test_the_end_of_service_ends_sessions_at_once_and_they_stay_ended(admin: Principal) -> None:
    token = sign_in_operator("lin", PASSWORD, NOON).token
    assert account_changes.end_service("lin", now=NOON) == 2
    assert account_changes.end_service("lin", now=NOON) == 0
    with pytest.raises(WrongPassword):
        sign_in_operator("lin", PASSWORD, NOON)
    with pytest.raises(Unauthenticated):
        account_changes.change_password(admin, PASSWORD, NEW, now=NOON)
    administration.resume_by_command("lin", now=NOON)
    administration.resume_by_command("lin", now=NOON)
    with pytest.raises(Unauthenticated):
        authenticate(token, now=NOON)
    assert entered().id == admin.id
    assert lines("operator.service_ended") == [("system", "command", {"sessions_ended": 2})]
    assert len(lines("operator.service_resumed")) == 1


# --- customers -------------------------------------------------------------------------------------------------------


def test_a_blocked_customer_is_signed_out_at_once_and_unblocking_revives_no_session(admin: Principal) -> None:
    customer = make_customer()
    token = signin.issue_token(PHONE, NOON).token
    found = blocking.find_customer(admin, PHONE, now=NOON)
    assert (found.public_id, found.blocked_at) == (customer.public_id, None) and PHONE not in found.phone_masked
    assert blocking.block(admin, found.public_id, now=NOON) == 1
    assert blocking.block(admin, found.public_id, now=NOON + timedelta(minutes=10)) == 0
    assert blocking.customer_status(admin, found.public_id, now=NOON).blocked_at == NOON
    with pytest.raises(NotFound):
        signin.issue_token(PHONE, NOON)
    blocking.unblock(admin, found.public_id, now=NOON)
    blocking.unblock(admin, found.public_id, now=NOON)
    with pytest.raises(Unauthenticated):
        authenticate(token, now=NOON)
    assert signin.issue_token(PHONE, NOON).token
    assert lines("customer.blocked") == [("operator", admin.public_id, {"sessions_ended": 1})]
    assert len(lines("customer.unblocked")) == len(lines("customer.looked_up")) == len(lines("customer.viewed")) == 1


def test_by_command_it_goes_by_phone(admin: Principal) -> None:
    make_customer()
    signin.issue_token(PHONE, NOON)
    assert blocking.block_by_command(PHONE, now=NOON) == 1
    blocking.unblock_by_command(PHONE, now=NOON)
    assert lines("customer.blocked") == [("system", "command", {"sessions_ended": 1})]
    with pytest.raises(NotFound):
        blocking.block_by_command("13900000000", now=NOON)


def test_an_agent_finds_and_blocks_nobody(admin: Principal) -> None:
    customer = make_customer()
    agent = Principal("operator", admin.id, admin.public_id, admin.insurer_id, 1, admin.time_zone, "agent")
    for attempt in (
        lambda: blocking.find_customer(agent, PHONE, now=NOON),
        lambda: blocking.customer_status(agent, customer.public_id, now=NOON),
        lambda: blocking.block(agent, customer.public_id, now=NOON),
        lambda: blocking.unblock(agent, customer.public_id, now=NOON),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert signin.issue_token(PHONE, NOON).token


def test_searches_that_find_nobody_count_too(admin: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "SEARCHES", Limit(2, 1))
    for _ in range(2):
        with pytest.raises(NotFound):
            blocking.find_customer(admin, "13900000000", now=NOON)
    with pytest.raises(TooMany):
        blocking.find_customer(admin, "13900000000", now=NOON)
