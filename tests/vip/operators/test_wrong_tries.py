"""What the audit says of wrong tries at accounts of operators: who was tried, how often, and never without a bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select, text

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import engine, reading
from marketplace.core.errors import Refusal
from tests.people import NOON, make_insurer
from tests.tries import OWNER, Tries, another_device, change_of_password, first_device, step_up
from tests.vip.operators.devices import LATER, PASSWORD, code_of, entered, next_step
from vip.operators import operators
from vip.operators.operators import create_admin, sign_in_operator
from vip.operators.sign_in_steps import show_code
from vip.signin.limits import Caller

pytestmark = pytest.mark.usefixtures("db", "cheap")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
RECOVERY = "aaaa-aaaa-aaaa-aaaa"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords whose comparing takes no time."""
    monkeypatch.setattr(operators, "HASHING", "pbkdf2:sha256:1")
    operators._nobodys_hash.cache_clear()
    yield
    operators._nobodys_hash.cache_clear()


@pytest.fixture
def hers() -> str:
    """An administrator's public id."""
    make_insurer()
    return create_admin("lin", PASSWORD, "林主管", now=NOON)


@pytest.fixture
def secret(hers: str) -> str:
    """That of her second factor."""
    return first_device(entered(sign_in_operator("lin", PASSWORD, NOON)))


def fail(now: datetime, login: str = "lin", caller: int = 1) -> None:
    with pytest.raises(operators.WrongPassword):
        sign_in_operator(login, "not the password", now, caller=Caller(f"192.0.2.{caller}"))


def wrong() -> list[tuple[str, str, str, int]]:
    """Action, actor, subject and tries of each line about wrong tries."""
    with reading() as session:
        lines = session.scalars(
            select(AuditLine).where(AuditLine.action.like(r"%\_wrong")).order_by(AuditLine.id)
        ).all()
    return [(it.action.removeprefix("operator."), it.actor, it.subject, it.facts["tries"]) for it in lines]


def test_a_wrong_password_is_a_line_and_those_of_the_next_minute_stand_in_one_more(hers: str) -> None:
    for number in range(20):
        fail(NOON + number * SECOND, caller=number)
    assert wrong() == [("password_wrong", "sign_in", hers, 1)]
    fail(NOON + 59 * SECOND)
    assert len(wrong()) == 1
    fail(NOON + MINUTE)
    assert wrong()[1:] == [("password_wrong", "sign_in", hers, 21)]
    fail(NOON + 90 * SECOND)
    fail(NOON + 2 * MINUTE)
    assert [tries for *_, tries in wrong()] == [1, 21, 2]


def test_what_stands_in_no_line_yet_does_so_when_she_signs_in(hers: str) -> None:
    for number in range(5):
        fail(NOON, caller=number)
    sign_in_operator("lin", PASSWORD, NOON + SECOND)
    assert [tries for *_, tries in wrong()] == [1, 4]
    sign_in_operator("lin", PASSWORD, NOON + SECOND)
    assert len(wrong()) == 2


def test_each_operator_and_each_kind_has_its_own_lines(hers: str, secret: str) -> None:
    wu = create_admin("wu", PASSWORD, "吴", now=NOON)
    ticket = next_step(LATER).ticket
    for login in ("lin", "wu", "lin"):
        fail(LATER, login)
    for code in ("000000", RECOVERY, "000 000"):
        with pytest.raises(Refusal):
            show_code(ticket, code, now=LATER)
    assert wrong() == [
        ("password_wrong", "sign_in", hers, 1),
        ("password_wrong", "sign_in", wu, 1),
        ("second_factor_wrong", "sign_in", hers, 1),
        ("recovery_code_wrong", "sign_in", hers, 1),
    ]
    show_code(ticket, code_of(secret, LATER), now=LATER)
    assert sorted(wrong()[4:]) == [("password_wrong", "sign_in", hers, 1), ("second_factor_wrong", "sign_in", hers, 1)]


def test_who_knows_the_password_and_not_the_second_factor_writes_no_more_lines_by_it(secret: str) -> None:
    for number in range(8):
        fail(LATER, caller=number)
        next_step(LATER)
    assert len(wrong()) == 1


@pytest.mark.parametrize(
    ("purpose", "kind"),
    [(change_of_password, "password"), (step_up, "second_factor"), (another_device, "second_factor")],
)
def test_a_wrong_try_in_a_session_of_hers_is_a_line_too(purpose: Callable[[], Tries], kind: str) -> None:
    tries = purpose()
    for _ in range(3):
        with suppress(Refusal):
            tries.wrong(OWNER, tries.since)
    assert [(action, actor, count) for action, actor, _, count in wrong()] == [(f"{kind}_wrong", "session", 1)]


def test_a_login_that_nobody_has_is_in_no_line_and_takes_the_same_statements(hers: str) -> None:
    counts = []
    for moment in (NOON, NOON + SECOND, NOON + 2 * MINUTE):
        known, unknown = statements(moment, "lin"), statements(moment, "opr_nobody")
        assert known == unknown
        counts.append(len(known))
    assert counts == [9, 5, 9], "a line, none, and a line again"
    assert [subject for _, _, subject, _ in wrong()] == [hers] * 2
    with reading() as session:
        assert session.scalar(text("SELECT count(*) FROM audit_line WHERE audit_line::text LIKE '%nobody%'")) == 0


def test_a_login_like_her_public_id_counts_nothing_of_hers(hers: str) -> None:
    fail(NOON)
    for _ in range(3):
        fail(NOON, hers)
    fail(NOON + MINUTE)
    assert [tries for *_, tries in wrong()] == [1, 1]


def statements(now: datetime, login: str) -> list[str]:
    """What a wrong password asks of the database; releasing a savepoint and rolling back to it are one as the other."""
    asked: list[str] = []
    with heard(asked):
        fail(now, login)
    return ["end of savepoint" if "TO SAVEPOINT" in it or "RELEASE" in it else it for it in asked]


@contextmanager
def heard(asked: list[str]) -> Iterator[None]:
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine(), "before_cursor_execute", note)
