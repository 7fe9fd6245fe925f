"""Pictures of a conversation: examined in a process of their own, written anew without what was beside them, sealed.

A picture belongs to its message: sent again under the same id it is the same one, and another one is refused.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from booking.consultation import read
from booking.consultation.intake.bounds import LARGEST, LARGEST_STORED, MIB, MOST_PIXELS, STORED_SIDE
from booking.consultation.models import Conversation, ConversationMessage, ConversationPicture
from booking.consultation.say import (
    ConversationClosed,
    Message,
    Said,
    check_id,
    from_clinician,
    from_customer,
    medical_key,
    said_before,
)
from booking.reports.files import FileRefused, answer_of
from marketplace.core.crypto import Unreadable, seal, unseal
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When
from marketplace.core.errors import Invalid, NotFound, Refusal, TooMany
from marketplace.core.ids import new_id
from vip.principal import Member, Principal, Somebody

COMMAND = (sys.executable, "-E", "-s", "-m", "booking.consultation.intake")
MOST_PICTURES = 60
"""Pictures that one conversation may hold."""
EXAMINED_AT_ONCE = 2
"""How many pictures a process examines at a time: an examination may take as long as 25 s."""
_REASONS = {
    "empty": "required",
    "too_large": "picture_large",
    "too_costly": "picture_costly",
    "picture_heic": "picture_heic",
    "picture_type": "picture_type",
    "picture_pixels": "picture_pixels",
}

_examiners = BoundedSemaphore(EXAMINED_AT_ONCE)


class TooManyPictures(Refusal):
    """The conversation holds as many pictures as it may; `most` says how many."""

    code = "too_many_pictures"


@dataclass(frozen=True)
class Sent:
    """A picture as it is sent: JPEG, PNG or WebP. `client_message_id` as for what is said."""

    client_message_id: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Examined:
    """A picture that may be stored, and a small one of it: JPEG files that hold nothing else."""

    width: int
    height: int
    large: bytes = field(repr=False)
    small: bytes = field(repr=False)


def customer_shows(
    principal: Principal, conversation: str, sent: Sent, *, now: When, examined: Examined | None = None
) -> Message:
    """A picture of the customer's. Takes up to 25 s, unless the caller has `examined` it.

    Raises NotFound, Invalid(field="picture" or "client_message_id"), TooManyPictures, ConversationClosed,
    MessageIdReused, TooMany. After any of them nothing of it is stored.
    """
    said = _as_said(sent)
    known = _known(principal, conversation, said, "customer")
    if known is not None:
        return known
    examined = examined or examine(sent.content)
    with transaction() as session:
        row, message = from_customer(session, principal, conversation, said, now=now)
        store(session, row, message, examined)
        return message


def clinician_shows(member: Member, conversation: str, sent: Sent, *, now: When) -> Message:
    """A picture of a clinician's. As customer_shows()."""
    said = _as_said(sent)
    known = _known(member, conversation, said, "clinician")
    if known is not None:
        return known
    examined = examine(sent.content)
    with transaction() as session:
        row, message = from_clinician(session, member, conversation, said, now=now)
        store(session, row, message, examined)
        return message


def picture_of(who: Somebody, conversation: str, picture: str, *, now: datetime, thumbnail: bool = False) -> bytes:
    """A picture of a conversation, or its small one: JPEG. A clinician's look is a line of the audit. Raises NotFound,
    and Unreadable once its key was destroyed."""
    with read.looking(who) as session:
        row = read.find(session, who, conversation)
        found = session.scalar(
            select(ConversationPicture)
            .join(ConversationMessage, ConversationMessage.id == ConversationPicture.message_id)
            .where(ConversationMessage.conversation_id == row.Conversation.id)
            .where(ConversationPicture.public_id == picture)
            .options(undefer(ConversationPicture.thumbnail_sealed if thumbnail else ConversationPicture.sealed))
        )
        if found is None:
            raise NotFound(field="picture_id")
        read.record_look(session, who, row, now)
        return open_picture(session, row.Conversation, found, thumbnail=thumbnail)


def open_picture(session: Session, row: Conversation, found: ConversationPicture, *, thumbnail: bool = False) -> bytes:
    """The JPEG of a stored picture. Raises Unreadable."""
    sealed = found.thumbnail_sealed if thumbnail else found.sealed
    if not sealed:  # taken out when it was older than it may be
        raise Unreadable(record_of(found.public_id, thumbnail))
    return unseal(sealed, key=medical_key(session, row).open(), record=record_of(found.public_id, thumbnail))


def record_of(picture: str, thumbnail: bool) -> str:
    """What a picture (public id), or its small one, is bound to."""
    return f"picture:{picture}:{'small' if thumbnail else 'large'}"


def examine(content: bytes) -> Examined:
    """What may be stored of a picture. Raises Invalid(field="picture"), and TooMany(retry_after) while others are
    examined."""
    if len(content) > LARGEST:
        raise _refused("too_large")
    if not _examiners.acquire(blocking=False):
        raise TooMany(retry_after=2)
    try:
        return _understood(answer_of(COMMAND, content))
    except FileRefused as problem:
        raise _refused(problem.reason) from problem
    finally:
        _examiners.release()


def _understood(answer: bytes) -> Examined:
    """The examiner's verdict. It is validated like the file itself. Raises FileRefused."""
    head, _, rest = answer.partition(b"\n")
    try:
        verdict: dict[str, Any] = json.loads(head)
        if "refused" in verdict:
            raise FileRefused(str(verdict["refused"])[:40])
        width, height = (int(verdict[side]) for side in ("width", "height"))
        large, small = (int(size) for size in verdict["sizes"])
    except (ValueError, KeyError, TypeError) as bad:
        raise FileRefused("unreadable") from bad
    whole = 0 < large <= LARGEST_STORED and small > 0 and large + small == len(rest)
    files = (rest[:large], rest[large:])
    if not whole or not 0 < min(width, height) <= max(width, height) <= STORED_SIDE:
        raise FileRefused("unreadable")
    if not all(each.startswith(b"\xff\xd8\xff") and each.endswith(b"\xff\xd9") for each in files):
        raise FileRefused("unreadable")
    return Examined(width, height, *files)


def _refused(reason: str) -> Invalid:
    return Invalid(
        field="picture",
        reason=_REASONS.get(reason, "picture_broken"),
        maximum=LARGEST // MIB,
        megapixels=MOST_PIXELS // 1_000_000,
    )


def _as_said(sent: Sent) -> Said:
    """The picture as a message: its words are the hash of what was sent, so that another one is another message."""
    check_id(sent.client_message_id)
    return Said(sent.client_message_id, hashlib.sha256(sent.content).hexdigest(), "picture")


def _known(who: Somebody, conversation: str, said: Said, author: str) -> Message | None:
    """The message that it is, where it was taken before. Nothing is examined that would be refused then: raises as
    store() and append()."""
    with reading() as session:
        row = read.find(session, who, conversation).Conversation
        member_id = who.id if isinstance(who, Member) else None
        known = said_before(session, row, said, author=author, member_id=member_id)
        if known is not None:
            return known
        if row.closed_at is not None:
            raise ConversationClosed(closed_at=row.closed_at)
        if _count(session, row) >= MOST_PICTURES:
            raise TooManyPictures(most=MOST_PICTURES)
    return None


def store(session: Session, row: Conversation, message: Message, examined: Examined) -> None:
    """Add the picture of a message that was just taken to a locked conversation. Raises TooManyPictures."""
    if message.replayed:
        return
    if _count(session, row) >= MOST_PICTURES:
        raise TooManyPictures(most=MOST_PICTURES)
    key, public_id = medical_key(session, row).open(), new_id("pic")
    session.add(
        ConversationPicture(
            public_id=public_id,
            message_id=session.scalars(
                select(ConversationMessage.id).where(ConversationMessage.public_id == message.public_id)
            ).one(),
            width=examined.width,
            height=examined.height,
            size=len(examined.large),
            sealed=seal(examined.large, key=key, record=record_of(public_id, thumbnail=False)),
            thumbnail_sealed=seal(examined.small, key=key, record=record_of(public_id, thumbnail=True)),
        )
    )


def _count(session: Session, row: Conversation) -> int:
    return session.scalars(
        select(func.count())
        .select_from(ConversationPicture)
        .join(ConversationMessage, ConversationMessage.id == ConversationPicture.message_id)
        .where(ConversationMessage.conversation_id == row.id)
    ).one()
