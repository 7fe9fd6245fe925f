"""Asking, and looking at what waits."""

from __future__ import annotations

from sqlalchemy import select, text, update

from booking.consultation.models import Conversation
from booking.consultation.queue import (
    waiting,
)
from marketplace.core.database.db import reading, transaction
from providers.staff import shifts
from tests.booking.consultation.rooms import Practice
from tests.booking.pledges.rows import after
from tests.people import NOON
from vip.principal import Member


def ask(practice: Practice, seconds: float = 0, *, department: str = "", language: str = "zh") -> str:
    """A conversation in which the customer has asked."""
    opened = practice.open(department=department).conversation
    with transaction() as session:
        session.execute(update(Conversation).where(Conversation.public_id == opened).values(language=language))
    practice.ask(opened, "嗓子疼", now=after(seconds))
    return opened


def offered(member: Member) -> list[tuple[str, str | None]]:
    """What waits, with whom it is offered to."""
    return [(each.conversation, each.offered_to) for each in waiting(member)]


def row(conversation: str) -> Conversation:
    with reading() as session:
        return session.scalars(select(Conversation).where(Conversation.public_id == conversation)).one()


def in_hand(member: Member) -> int:
    found = shifts.shift_of(member)
    assert found is not None
    return found.in_hand


def flag(conversation: str) -> None:
    with transaction() as session:
        session.execute(update(Conversation).where(Conversation.public_id == conversation).values(flagged_at=NOON))


def the_state_of(conversation: str) -> str:
    with reading() as session:
        found: str = session.scalar(text("SELECT state FROM pledge WHERE subject = :of"), {"of": conversation}) or ""
        return found
