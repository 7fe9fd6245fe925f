"""Operators as administrators see and change them; there is always an administrator left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from marketplace.catalog.models import Insurer
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Unauthenticated
from tests.people import NOON, make_insurer
from vip.models import Operator
from vip.operators import administration, operators
from vip.operators.administration import add_operator, end_service, operators_of, return_to_service
from vip.operators.operators import LoginTaken, WrongPassword, sign_in_operator
from vip.operators.sign_in_steps import NextStep
from vip.operators.team import OwnAccount
from vip.principal import Principal
from vip.signin.authentication import authenticate
from vip.signin.signin import RECENT, SignInAgain

pytestmark = pytest.mark.usefixtures("db")
PASSWORD = "a long enough secret"


@pytest.fixture
def lin(db: object) -> Principal:
    """An administrator."""
    make_insurer()
    operators.create_admin("lin", PASSWORD, "林主管", now=NOON)
    return authenticate(sign_in_operator("lin", PASSWORD, NOON).token, now=NOON)


def test_the_list_says_who_when_and_how(lin: Principal) -> None:
    wu = add_operator(lin, "Wu", "吴", "agent", now=NOON)
    sign_in_operator("lin", PASSWORD, NOON + timedelta(hours=1))
    hers, his = operators_of(lin)
    assert (hers.login, hers.role, hers.signed_in_at, hers.myself) == ("lin", "admin", NOON + timedelta(hours=1), True)
    assert (his.login, his.role, his.signed_in_at, his.password_once) == ("wu", "agent", None, True)
    assert (his.device_since, his.ended_at, his.myself) == (None, None, False)
    end_service(lin, wu.public_id, now=NOON)
    assert operators_of(lin)[-1].ended_at == NOON


def test_a_new_operators_password_is_for_one_sign_in_and_audited_to_who_made_her(lin: Principal) -> None:
    made = add_operator(lin, "wu", "吴", "agent", now=NOON)
    first = sign_in_operator("wu", made.password, NOON)
    assert isinstance(first, NextStep) and first.step == "password"
    assert add_operator(lin, "mei", "梅", "agent", now=NOON).password != made.password
    with reading() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.subject == made.public_id)).one()
    assert (line.action, line.actor, line.facts) == ("operator.created", lin.public_id, {"role": "agent"})


def test_a_session_that_was_left_open_makes_no_operator(lin: Principal) -> None:
    with pytest.raises(SignInAgain):
        add_operator(lin, "wu", "吴", "admin", now=NOON + RECENT + timedelta(seconds=1))
    assert [line.login for line in operators_of(lin)] == ["lin"]
    assert add_operator(lin, "wu", "吴", "admin", now=NOON + RECENT)


def test_an_operator_works_for_the_insurer_of_who_made_her(lin: Principal) -> None:
    with transaction() as session:
        session.add(Insurer(public_id="ins_other", code="other", name_zh="另一家", name_en="Other", time_zone="UTC"))
        session.flush()
        other = session.scalars(select(Insurer.id).where(Insurer.code == "other")).one()
        session.execute(update(Operator).where(Operator.public_id == lin.public_id).values(insurer_id=other))
    theirs = replace(lin, insurer_id=other)
    made = add_operator(theirs, "wu", "吴", "agent", now=NOON)
    assert made.public_id in [line.public_id for line in operators_of(theirs)]
    assert operators_of(lin) == []


@pytest.mark.parametrize(
    ("login", "name", "role", "field"),
    [("", "吴", "agent", "login"), ("wu", "", "agent", "name"), ("wu", "吴", "god", "role")],
)
def test_what_is_missing_is_named(lin: Principal, login: str, name: str, role: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add_operator(lin, login, name, role, now=NOON)
    assert refused.value.at == field
    with pytest.raises(LoginTaken):
        add_operator(lin, "LIN", "另一位", "agent", now=NOON)


def test_service_ends_and_is_resumed_and_each_is_audited_once(lin: Principal) -> None:
    wu = operators.create_operator("wu", PASSWORD, "吴", "agent", now=NOON)
    token = sign_in_operator("wu", PASSWORD, NOON).token
    assert [end_service(lin, wu, now=NOON) for _ in range(2)] == [1, 0]
    with pytest.raises(Unauthenticated):
        authenticate(token, now=NOON)
    with pytest.raises(WrongPassword):
        sign_in_operator("wu", PASSWORD, NOON)
    for _ in range(2):
        return_to_service(lin, wu, now=NOON)
    assert sign_in_operator("wu", PASSWORD, NOON).token
    with reading() as session:
        lines = session.scalars(
            select(AuditLine).where(AuditLine.action.like("operator.service%")).order_by(AuditLine.id)
        ).all()
    assert [(line.action, line.actor) for line in lines] == [
        ("operator.service_ended", lin.public_id),
        ("operator.service_resumed", lin.public_id),
    ]


def test_nobody_ends_her_own_service(lin: Principal) -> None:
    with pytest.raises(OwnAccount):
        end_service(lin, lin.public_id, now=NOON)


def test_operators_of_another_insurer_and_for_an_agent_are_not_there(lin: Principal) -> None:
    wu = operators.create_operator("wu", PASSWORD, "吴", "agent", now=NOON)
    agent = authenticate(sign_in_operator("wu", PASSWORD, NOON).token, now=NOON)
    stranger = Principal(**{**vars(lin), "insurer_id": lin.insurer_id + 1})
    assert operators_of(stranger) == []
    for who in (agent, stranger):
        for act in (end_service, return_to_service):
            with pytest.raises(NotFound):
                act(who, wu, now=NOON)
    with pytest.raises(NotFound):
        operators_of(agent)
    with pytest.raises(NotFound):
        administration.operator_of(lin, "opr_nobody")
