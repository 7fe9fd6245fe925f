"""Organisations that register, for tests."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from marketplace.core.database.db import reading
from providers.applying.apply import apply
from providers.applying.confirm import confirm
from providers.applying.facts import Facts
from providers.applying.letters import APPLICATIONS
from providers.applying.models import ProviderApplication
from providers.staff.letters import Post
from tests.desk import PASSWORD
from tests.people import NOON
from vip.signin.limits import Caller

CODE = "91350100M000100Y43"
CALLER = Caller("203.0.113.7")
FACTS = Facts("启航体检", "Qihang Checkups", "desk", "cn", CODE, "方敏", "fang@example.com", "en", "Asia/Shanghai")


def letters(now: datetime = NOON) -> list[Post]:
    """What the worker sends now."""
    found: list[Post] = []
    APPLICATIONS.send_due(lambda: now, send=found.append)
    return found


def token_of(letter: Post) -> str:
    """The token in its link."""
    found = re.search(r"/desk/apply/([0-9A-Za-z_-]+)", letter.text)
    assert found is not None
    return found[1]


def asked(now: datetime = NOON, caller: Caller = CALLER, **changes: str) -> str:
    """The token of an application that waits for its link to be opened."""
    apply(replace(FACTS, **changes), caller=caller, now=now)
    return token_of(letters(now)[-1])


def registered(login: str = "fang", now: datetime = NOON, **changes: str) -> str:
    """The public id of an application that waits for an operator; its manager has this login."""
    confirm(asked(now, **changes), login, PASSWORD, now=now)
    return stored().public_id


def stored() -> ProviderApplication:
    """The newest application as it is stored."""
    with reading() as session:
        return session.scalars(select(ProviderApplication).order_by(ProviderApplication.id.desc()).limit(1)).one()
