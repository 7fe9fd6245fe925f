"""Operators: making them and signing them in."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, Unauthenticated
from tests.people import NOON, make_insurer
from vip.operators import operators
from vip.operators.operators import LoginTaken, WrongPassword, create_admin, sign_in_operator
from vip.signin.authentication import authenticate
from vip.signin.signin import sign_out, sign_out_everywhere

pytestmark = pytest.mark.usefixtures("db")
PASSWORD = "a long enough secret"
WRONG = "wrong"


@pytest.fixture(autouse=True)
def admin(db: object) -> str:
    make_insurer()
    return create_admin("Lin", PASSWORD, "林主管", now=NOON)


def actions() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(AuditLine.action).order_by(AuditLine.id)))


def fail(login: str = "lin", password: str = WRONG, now: datetime = NOON) -> None:
    with pytest.raises(WrongPassword):
        sign_in_operator(login, password, now)


def test_an_admin_signs_in_and_is_an_operator_for_twelve_hours(admin: str) -> None:
    done = sign_in_operator(" LIN ", PASSWORD, NOON)
    principal = authenticate(done.token, now=NOON)
    assert (principal.kind, principal.public_id, done.operator_public_id) == ("operator", admin, admin)
    with pytest.raises(Unauthenticated):
        authenticate(done.token, now=NOON + timedelta(minutes=30))
    for minutes in range(29, 12 * 60, 29):
        assert authenticate(done.token, now=NOON + timedelta(minutes=minutes))
    with pytest.raises(Unauthenticated):
        authenticate(done.token, now=NOON + timedelta(hours=12))
    assert actions() == ["operator.created", "operator.signed_in"]


def test_signing_in_again_ends_the_session_presented_and_signing_out_ends_the_rest() -> None:
    first = sign_in_operator("lin", PASSWORD, NOON).token
    second = sign_in_operator("lin", PASSWORD, NOON, previous_token=first).token
    with pytest.raises(Unauthenticated):
        authenticate(first, now=NOON)
    third = authenticate(sign_in_operator("lin", PASSWORD, NOON).token, now=NOON)
    sign_out(third, NOON)
    assert sign_out_everywhere(authenticate(second, now=NOON), NOON) == 1


def test_the_right_password_gives_all_tries_back() -> None:
    for _ in range(2):
        for _ in range(9):
            fail()
        assert sign_in_operator("lin", PASSWORD, NOON).token


@pytest.mark.parametrize("login", ["nobody", "", "\0", "\ud800", "x" * 1_000_000, "林"])
def test_an_unknown_login_answers_like_a_wrong_password(login: str) -> None:
    fail(login, PASSWORD)


@pytest.mark.parametrize("password", ["", "\0", "\ud800", "x" * 1_000_000])
def test_no_password_text_breaks_the_sign_in(password: str) -> None:
    fail(password=password)


def test_a_disabled_operator_cannot_sign_in_and_her_session_stops() -> None:
    token = sign_in_operator("lin", PASSWORD, NOON).token
    with transaction() as session:
        session.execute(text("UPDATE operator SET disabled_at = now()"))
    fail(password=PASSWORD)
    with pytest.raises(Unauthenticated):
        authenticate(token, now=NOON)


@pytest.mark.parametrize(
    ("login", "password", "name", "field"),
    [
        ("", PASSWORD, "A", "login"),
        ("a\0", PASSWORD, "A", "login"),
        ("林", PASSWORD, "A", "login"),
        ("a", "elevenchars", "A", "password"),
        ("a", "\ud800" * 12, "A", "password"),
        ("a", PASSWORD, " ", "name"),
    ],
)
def test_a_new_admin_needs_a_login_a_name_and_a_long_password(login: str, password: str, name: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_admin(login, password, name, now=NOON)
    assert refused.value.at == field


def test_a_login_is_had_once_whatever_its_case() -> None:
    with pytest.raises(LoginTaken):
        create_admin("LIN", PASSWORD, "另一位", now=NOON)


def test_the_password_is_stored_as_scrypt_and_dear_to_guess(dear_hashing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "HASHING", dear_hashing)
    create_admin("dear", PASSWORD, "林岚", now=NOON)
    with reading() as session:
        stored = session.scalar(text("SELECT password_hash FROM operator WHERE login = 'dear'"))
    assert stored.startswith("scrypt:32768:8:1$") and PASSWORD not in stored
