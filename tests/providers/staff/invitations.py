"""Letters of invitation as they arrive, and what is stored of them."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from providers.staff.invitations import (
    invite,
)
from providers.staff.letters import Post
from providers.staff.models import MemberInvitation
from providers.staff.post import INVITATIONS
from tests.people import NOON
from vip.principal import Member

NUMBER, MAIL = "139 0000 1111", "chen@example.com"
NEW = "another river, another boat"


class Letters:
    """What was sent."""

    def __init__(self) -> None:
        self.all: list[Post] = []

    def __call__(self, it: Post) -> None:
        """Take it."""
        self.all.append(it)

    @property
    def token(self) -> str:
        """That of the newest."""
        found = re.search(r"/desk/join/([0-9A-Za-z_-]+)", self.all[-1].text)
        assert found is not None
        return found[1]


def sent(letters: Letters, now: datetime = NOON) -> dict[str, int]:
    return INVITATIONS.send_due(lambda: now, send=letters)


def invited(fang: Member, letters: Letters, to: str = NUMBER, language: str = "zh") -> str:
    """The token of an invitation for the front desk."""
    invite(fang, to, "front_desk", language, now=NOON)
    assert sent(letters) == {"sent": 1}
    return letters.token


def stored() -> MemberInvitation:
    with reading() as session:
        return session.scalars(select(MemberInvitation).order_by(MemberInvitation.id.desc()).limit(1)).one()


def audited(action: str) -> list[tuple[str, str, str]]:
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id))
        return [(line.actor_kind, line.actor, line.subject) for line in lines]
