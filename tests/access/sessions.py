"""Sessions of operators and members without the door: no password is hashed for them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from marketplace.core import crypto, ids
from marketplace.core.database.db import transaction
from tests.people import NOON
from vip.models import Operator, SignInSession
from vip.principal import Member, Principal
from vip.signin.authentication import authenticate, authenticate_member


def session_of(public_id: str) -> str:
    """The token of a session that this operator or member has just opened."""
    token = ids.new_token()
    with transaction() as session:
        who = session.scalars(select(Operator.id).where(Operator.public_id == public_id)).one()
        session.add(
            SignInSession(
                public_id=ids.new_id("ses"),
                token_hash=crypto.token_hash(token),
                operator_id=who,
                channel="web",
                created_at=NOON,
                expires_at=NOON + timedelta(hours=8),
            )
        )
    return token


def member_with(token: str) -> Member:
    """The member whose session it is."""
    return authenticate_member(token, now=NOON)


def operator_with(token: str) -> Principal:
    """The operator whose session it is."""
    return authenticate(token, now=NOON)
