"""What a clinician has in hand, with the clock of each, and what her provider calls its departments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, text

from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading
from marketplace.core.text import Text
from vip.principal import Member

KIND = "online_consultation"


@dataclass(frozen=True)
class InHand:
    """A conversation that a clinician has in hand, as her list shows it: without a word of it. `unread` counts what the
    customer said since she read; `answered`: somebody has answered. `pledge` is its state, None where nothing is
    promised; `last_at`: when something was said last."""

    conversation: str
    name: str = field(repr=False)
    department: str
    language: str
    flagged: bool
    unread: int
    answered: bool
    first_message_at: datetime | None
    due_at: datetime | None
    pledge: str | None
    last_at: datetime | None


_MINE = text("""
    SELECT c.public_id, n.name, c.department, c.language, c.flagged_at IS NOT NULL,
           (SELECT count(*) FROM conversation_message m
             WHERE m.conversation_id = c.id AND m.author = 'customer' AND m.seq > coalesce(r.seq, 0)) AS unread,
           c.first_answer_at IS NOT NULL AS answered, c.first_message_at, p.due_at, p.state,
           (SELECT max(m.at) FROM conversation_message m WHERE m.conversation_id = c.id) AS last_at
      FROM conversation c
      JOIN booking b ON b.id = c.booking_id
      JOIN beneficiary n ON n.id = b.beneficiary_id AND n.erased_at IS NULL
      LEFT JOIN conversation_read r ON r.conversation_id = c.id AND r.member_id = :me
      LEFT JOIN pledge p ON p.subject_kind = 'conversation' AND p.subject = c.public_id AND p.promise = 'first_answer'
     WHERE c.clinician_id = :me AND c.provider_id = :provider AND c.closed_at IS NULL
     ORDER BY c.flagged_at IS NULL, c.first_answer_at IS NOT NULL, c.first_message_at, c.id
""")


def in_hand_of(member: Member) -> Sequence[InHand]:
    """Hers: emergencies first, then those that nobody has answered yet, then by the customer's first message."""
    with reading() as session:
        rows = session.execute(_MINE, {"me": member.id, "provider": member.provider_id}).all()
    return [InHand(*row) for row in rows]


def departments_of(provider_id: int | None) -> dict[str, Text]:
    """The departments of what a provider (internal id) offers, by code; None: of what all of them offer, by the newest
    offer's names."""
    query = select(Offer.package).where(Offer.kind == KIND).order_by(Offer.id)
    if provider_id is not None:
        query = query.where(Offer.provider_id == provider_id)
    with reading() as session:
        packages = session.scalars(query).all()
    return {
        each["code"]: Text(each["name_zh"], each["name_en"])
        for package in packages
        for each in package.get("departments", ())
    }
