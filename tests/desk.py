"""Members of a provider, for tests: made by the product's own code, signed in at the desk's door."""

from __future__ import annotations

from datetime import datetime

from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import reading
from providers.staff.members import add_member
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON
from vip.models import Operator
from vip.operators.operators import sign_in_operator
from vip.operators.sign_in_steps import OperatorSignedIn
from vip.principal import Member, MemberRole
from vip.signin.authentication import authenticate_member

DOOR = "/desk/sign-in"
PASSWORD = "a long password"


def make_member(provider: str, role: MemberRole = "manager", login: str = "", name: str = "方敏") -> str:
    """A member of the provider with that code, whose login is her role if none is given; returns the login."""
    login = login or role
    add_member(provider, login, PASSWORD, name, role, now=NOON)
    return login


def member(login: str, now: datetime = NOON) -> Member:
    """The member with that login, in a new session."""
    found = sign_in_operator(login, PASSWORD, now, employer="provider")
    assert isinstance(found, OperatorSignedIn)
    return authenticate_member(found.token, now=now)


def at_desk(app: Flask, login: str, language: str = "en") -> Visitor:
    """A browser in which the member with that login has signed in."""
    visitor = Visitor(app, language)
    assert visitor.post(DOOR, DOOR, name=login, password=PASSWORD).status_code == 303
    return visitor


def account(login: str) -> Operator:
    """The account as it is stored."""
    with reading() as session:
        return session.scalars(select(Operator).where(Operator.login == login)).one()
