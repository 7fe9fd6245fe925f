"""Steps of an operator with a device."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyotp
from sqlalchemy import select

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from tests.people import NOON
from vip.operators import sign_in_steps
from vip.operators.operators import sign_in_operator
from vip.operators.sign_in_steps import DeviceSet, NextStep, OperatorSignedIn
from vip.principal import Principal
from vip.signin.authentication import authenticate

PASSWORD = "a long enough secret"

STEP = timedelta(seconds=30)

LATER = NOON + 10 * STEP


def next_step(now: datetime = NOON, **shown: Any) -> NextStep:
    found = sign_in_operator("lin", PASSWORD, now, **shown)
    assert isinstance(found, NextStep)
    return found


def set_up(now: datetime = NOON) -> tuple[str, DeviceSet]:
    """The device's secret, and what setting it up led to."""
    ticket = next_step(now).ticket
    offer = sign_in_steps.offer_device(ticket, now=now)
    return offer.secret, sign_in_steps.set_up_device(ticket, offer.sealed, code_of(offer.secret, now), now=now)


def code_of(secret: str, now: datetime) -> str:
    return pyotp.TOTP(secret).at(now)


def entered(found: object, now: datetime = NOON) -> Principal:
    assert isinstance(found, OperatorSignedIn)
    return authenticate(found.token, now=now)


def lines(action: str) -> list[dict[str, Any]]:
    with reading() as session:
        return list(session.scalars(select(AuditLine.facts).where(AuditLine.action == action).order_by(AuditLine.id)))
