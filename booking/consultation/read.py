"""Read conversations: what was said from a number on, what is unread, how far somebody has read, who is typing.

Both sides resume from the last number they have, on any device. A clinician's look at what was said is a line of the
audit, one for each sitting.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.consultation.access import FIELD, absent, visible
from booking.consultation.events import publish
from booking.consultation.flags import named
from booking.consultation.models import Conversation, ConversationMessage, ConversationRead
from booking.consultation.outside.models import ConversationDelivery
from booking.consultation.rows import card_facts, card_rows, is_mine, message_rows, message_view
from booking.consultation.say import EMERGENCY, medical_key, text_of
from booking.consultation.views import (
    ConversationCard,
    ConversationView,
    MessageView,
)
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.paging import MAX_LIMIT, Page, decode_moment, encode_cursor
from providers.staff.clinicians import verified
from vip.principal import Member, Principal, Somebody

SHOWN = "consultation.shown_to_provider"
"""The audit's action for a clinician's look; its subject is the booking."""
SITTING = timedelta(minutes=15)
"""Looks of one clinician at one conversation within so long are one."""
TYPING_WRITTEN = timedelta(seconds=3)
"""At most one write of somebody's typing within so long."""
TYPING_SHOWN = timedelta(seconds=6)
"""How long somebody types without a new sign of it."""
MOST_MESSAGES = 200
PAGE_MESSAGES = 50
"""How many messages a page shows at first, and with each step to earlier ones."""


def conversations_of(principal: Principal) -> Sequence[ConversationCard]:
    """The customer's newest conversations."""
    return conversations(principal, cursor=None, limit=MAX_LIMIT).items


def conversations(principal: Principal, *, cursor: str | None, limit: int) -> Page[ConversationCard]:
    """A page of the customer's conversations, the newest first. Raises Invalid(field="cursor"), NotFound."""
    query = card_rows(principal).where(visible(principal))
    if cursor is not None:
        opened_at, last_id = decode_moment(cursor)
        query = query.where(tuple_(Conversation.opened_at, Conversation.id) < (opened_at, last_id))
    newest = query.order_by(Conversation.opened_at.desc(), Conversation.id.desc())
    with reading() as session:
        found = session.execute(newest.limit(limit + 1)).all()
    last = found[limit - 1].Conversation if found[limit:] else None
    following = None if last is None else encode_cursor([last.opened_at.isoformat(), last.id])
    return Page([ConversationCard(**card_facts(row)) for row in found[:limit]], following)


def conversation_of(who: Somebody, conversation: str, now: datetime) -> ConversationView:
    """One conversation. A clinician's look is a line of the audit. Raises NotFound."""
    with looking(who) as session:
        row = find(session, who, conversation)
        record_look(session, who, row, now)
        theirs = select(func.coalesce(func.max(ConversationRead.seq), 0), func.max(ConversationRead.typing_at)).where(
            ConversationRead.conversation_id == row.Conversation.id, _is_theirs(who)
        )
        seq, typing_at = session.execute(theirs).one()
        typing_now = row.Conversation.closed_at is None and typing_at is not None and typing_at > now - TYPING_SHOWN
        signs = _signs(session, row.Conversation)
        on_the_way, refused = _undelivered(session, row.Conversation)
        return ConversationView(
            **card_facts(row),
            others_read=seq,
            typing=typing_now,
            signs=signs,
            on_the_way=on_the_way,
            not_delivered=refused,
        )


def _undelivered(session: Session, row: Conversation) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The numbers of the customer's messages that are on their way to an outside provider, and of those that it does
    not get."""
    if not row.outside:
        return (), ()
    found = session.execute(
        select(ConversationMessage.seq, ConversationDelivery.state)
        .join(ConversationDelivery, ConversationDelivery.message_id == ConversationMessage.id)
        .where(ConversationMessage.conversation_id == row.id, ConversationDelivery.state != "delivered")
        .order_by(ConversationMessage.seq)
    ).all()
    refused = tuple(each.seq for each in found if each.state == "refused")
    return tuple(each.seq for each in found if each.state != "refused"), refused


def _signs(session: Session, row: Conversation) -> tuple[str, ...]:
    """All that were found, each once, in the order in which they were."""
    if row.flagged_at is None:
        return ()
    key = medical_key(session, row)
    lines = session.scalars(
        select(ConversationMessage)
        .where(ConversationMessage.conversation_id == row.id, ConversationMessage.kind == EMERGENCY)
        .order_by(ConversationMessage.seq)
    )
    return tuple(dict.fromkeys(code for line in lines for code in named(text_of(line, key))))


def messages_after(
    who: Somebody, conversation: str, seq: int, limit: int = MOST_MESSAGES, *, now: datetime
) -> Sequence[MessageView]:
    """What was said after the message with the number `seq` (0: from the beginning), in order, `limit` at most. A
    clinician's look is a line of the audit. Raises NotFound."""
    with looking(who) as session:
        row = find(session, who, conversation)
        record_look(session, who, row, now)
        asked = (
            message_rows(row.Conversation, who).where(ConversationMessage.seq > seq).order_by(ConversationMessage.seq)
        )
        found = session.execute(asked.limit(_at_most(limit))).all()
        key = medical_key(session, row.Conversation)
        return [message_view(each, who, key) for each in found]


def messages_before(
    who: Somebody, conversation: str, seq: int | None = None, limit: int = PAGE_MESSAGES, *, now: datetime
) -> Sequence[MessageView]:
    """The last that was said before the message with the number `seq` (None: up to the newest), in the order in which
    it was said, `limit` at most. There are earlier ones exactly where the first one's number is above 1. A clinician's
    look is a line of the audit. Raises NotFound."""
    with looking(who) as session:
        row = find(session, who, conversation)
        record_look(session, who, row, now)
        asked = message_rows(row.Conversation, who).order_by(ConversationMessage.seq.desc())
        if seq is not None:
            asked = asked.where(ConversationMessage.seq < seq)
        found = session.execute(asked.limit(_at_most(limit))).all()
        key = medical_key(session, row.Conversation)
        return [message_view(each, who, key) for each in reversed(found)]


def _at_most(limit: int) -> int:
    return min(max(limit, 1), MOST_MESSAGES)


def mark_read(who: Somebody, conversation: str, seq: int, now: datetime) -> int:
    """Say that the reader has read up to `seq`; how far she has read now. It never goes back, nor beyond the newest
    message. Raises NotFound."""
    with transaction() as session:
        row: Conversation = find(session, who, conversation).Conversation
        reached = min(max(seq, 0), row.last_seq)
        if reached and _moved(session, who, row, reached, now):
            publish(session, row.id, "read", row.last_seq, now=now)
            return reached
        mine = select(ConversationRead.seq).where(
            ConversationRead.conversation_id == row.id, is_mine(who, ConversationRead)
        )
        return session.scalar(mine) or 0


def _moved(session: Session, who: Somebody, row: Conversation, seq: int, now: datetime) -> bool:
    """Move the reader's mark to `seq`; False where it stands there already, or further."""
    new = insert(ConversationRead).values(conversation_id=row.id, member_id=_member_id(who), seq=seq, read_at=now)
    moved = session.execute(
        new.on_conflict_do_update(
            index_elements=["conversation_id", "member_id"],
            set_={"seq": new.excluded.seq, "read_at": now},
            where=ConversationRead.seq < new.excluded.seq,
        ).returning(ConversationRead.id)
    )
    return moved.one_or_none() is not None


def typing(who: Somebody, conversation: str, now: datetime) -> bool:
    """Note that the reader is typing; whether it was written down, which it is once in TYPING_WRITTEN, and of
    clinicians for who has it in hand alone. Raises NotFound."""
    with transaction() as session:
        row = find(session, who, conversation).Conversation
        if row.closed_at is not None or (isinstance(who, Member) and row.clinician_id != who.id):
            return False
        new = insert(ConversationRead).values(conversation_id=row.id, member_id=_member_id(who), typing_at=now)
        written = session.execute(
            new.on_conflict_do_update(
                index_elements=["conversation_id", "member_id"],
                set_={"typing_at": now},
                where=or_(ConversationRead.typing_at.is_(None), ConversationRead.typing_at <= now - TYPING_WRITTEN),
            ).returning(ConversationRead.id)
        )
        noted = written.one_or_none() is not None
        if noted:
            publish(session, row.id, "typing", row.last_seq, now=now)
        return noted


def looking(who: Somebody) -> AbstractContextManager[Session]:
    """A clinician's look may write its line; a customer reads her own."""
    return transaction() if isinstance(who, Member) else reading()


def record_look(session: Session, who: Somebody, row: Row[Any], now: datetime) -> None:
    """One line of the audit for a clinician's sitting, of a row of find(). Two devices at the same moment take turns at
    her own mark."""
    if not isinstance(who, Member) or (row.looked_at is not None and row.looked_at > now - SITTING):
        return
    new = insert(ConversationRead).values(conversation_id=row.Conversation.id, member_id=who.id, looked_at=now)
    begun = session.execute(
        new.on_conflict_do_update(
            index_elements=["conversation_id", "member_id"],
            set_={"looked_at": now},
            where=or_(ConversationRead.looked_at.is_(None), ConversationRead.looked_at <= now - SITTING),
        ).returning(ConversationRead.id)
    )
    if begun.one_or_none() is None:
        return
    audit.record(
        session,
        SHOWN,
        at=now,
        actor_kind=who.acts_as,
        actor=who.public_id,
        subject=row.Booking.public_id,
        insurer_id=row.Booking.insurer_id,
    )


def find(session: Session, who: Somebody, conversation: str) -> Row[Any]:
    """A conversation with what its card needs. Raises NotFound, for a clinician who is not verified as well, and for a
    customer ConsentMissing."""
    if isinstance(who, Member) and verified(session, who.id) is None:
        raise NotFound(field=FIELD)
    row = session.execute(card_rows(who).where(Conversation.public_id == conversation, visible(who))).one_or_none()
    if row is None:
        raise absent(session, who, conversation)
    return row


def _is_theirs(who: Somebody) -> ColumnElement[bool]:
    """Whether a mark is of the other side: the customer's, or any clinician's."""
    return ConversationRead.member_id.is_(None) if isinstance(who, Member) else ConversationRead.member_id.is_not(None)


def _member_id(who: Somebody) -> int | None:
    return who.id if isinstance(who, Member) else None
