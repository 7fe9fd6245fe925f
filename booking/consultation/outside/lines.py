"""What doctors of an outside provider said, line by line: each once, in the provider's order, from a verified doctor.

An event and the list give the same line, and both come through `hear`. Under the locks of booking and conversation only
exactly the next number is taken. The moment is ours: when we take it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.consultation.close import REOPEN_FOR, end_with, lock_report
from booking.consultation.models import Conversation, ConversationMessage
from booking.consultation.outside import cases
from booking.consultation.outside.models import ConversationLine
from booking.consultation.pictures import Examined, TooManyPictures, store
from booking.consultation.say import MOST_CHARACTERS, Message, Said, add_line, answered, append, medical_key
from booking.consultation.summary import NextService, Summary, check_summary, written
from booking.models import Booking, ProviderBooking
from booking.sealing import open_words, seal_words
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.kinds import kinds
from marketplace.core.crypto import Unreadable
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import storable
from providers.reported import RemoteMessage
from providers.staff.models import OutsideClinician
from providers.staff.outside import known

UNREADABLE, AFTER_END = "line_unreadable", "line_after_end"
"""Kinds of automatic lines: that something a doctor said could not be read, and that she wrote after the end."""


class Heard(StrEnum):
    """What came of a line. TAKEN: it is a message now. PASSED: it could not be read, and an automatic line says so.
    KNOWN: it was taken before. DIFFERS: another line was taken under its number. AHEAD: others come before it. FETCH:
    its picture has to be fetched first. STRANGER: the roster that we know does not name who says it. NOT_VERIFIED: no
    operator has found her in the register yet. AFTER_END: it waits for the customer to open the consultation again.
    UNMATCHED: it belongs to no consultation of that provider's."""

    TAKEN = "taken"
    PASSED = "passed"
    KNOWN = "known"
    DIFFERS = "differs"
    AHEAD = "ahead"
    FETCH = "fetch"
    STRANGER = "unknown_clinician"
    NOT_VERIFIED = "not_verified"
    AFTER_END = "after_end"
    UNMATCHED = "unmatched"


WAITS = frozenset({Heard.FETCH, Heard.STRANGER, Heard.NOT_VERIFIED, Heard.AFTER_END})
"""Nothing that comes after such a line can be taken."""


@dataclass(frozen=True)
class _Talk:
    """A conversation and its booking, both locked."""

    session: Session
    booking: Booking
    row: Conversation
    at: datetime


def hear(
    session: Session, provider_id: int, line: RemoteMessage, *, now: When, picture: Examined | None = None
) -> Heard:
    """Take a line in the caller's transaction, where it can be taken now. `picture`: the one that it is, examined.
    The first line of a verified doctor keeps what was pledged and puts the booking in service; a summary closes the
    consultation, and the report box has it."""
    talk = lock_talk(session, provider_id, line.reference, now=now)
    if talk is None or line.our_reference not in (None, talk.booking.public_id):
        return Heard.UNMATCHED
    if line.seq <= talk.row.their_seq:
        return _known(talk, line)
    if line.seq > talk.row.their_seq + 1:
        return Heard.AHEAD
    if talk.row.closed_at is not None or not talk.booking.live:
        return _after_end(talk, line.seq)
    who = known(session, provider_id, line.clinician)
    if who is None:
        cases.stranger(session, talk.booking, line.clinician, now=talk.at)
        return Heard.STRANGER
    if who.verified_at is None:
        cases.not_verified(session, talk.booking, who, now=talk.at)
        return Heard.NOT_VERIFIED
    if line.kind == "picture" and picture is None:
        return Heard.FETCH
    return _take(talk, line, who, picture)


def pass_over(session: Session, provider_id: int, reference: str, seq: int, *, now: When) -> Heard:
    """An automatic line in the place of the provider's line `seq`, which can't be read, if that is the next one
    (PASSED); the lines after it go on. Else KNOWN, AHEAD, AFTER_END or UNMATCHED, as of any line."""
    talk = lock_talk(session, provider_id, reference, now=now)
    if talk is None:
        return Heard.UNMATCHED
    if seq <= talk.row.their_seq:
        return Heard.KNOWN
    if seq > talk.row.their_seq + 1:
        return Heard.AHEAD
    if talk.row.closed_at is not None or not talk.booking.live:
        return _after_end(talk, seq)
    cases.came(session, talk.booking, seq, now=talk.at)
    _pass(talk, seq)
    return Heard.PASSED


def lock_talk(session: Session, provider_id: int, reference: str, *, now: When) -> _Talk | None:
    """Lock the consultation that a provider calls so; its report first, as everybody locks them who may add to it. None
    where it has none of that name, or another provider has."""
    found = session.execute(
        select(Conversation.id, Conversation.booking_id)
        .join(ProviderBooking, ProviderBooking.booking_id == Conversation.booking_id)
        .where(
            ProviderBooking.provider_id == provider_id,
            ProviderBooking.reference == reference,
            ProviderBooking.role == "current",
            Conversation.provider_id == provider_id,
            Conversation.outside,
        )
    ).one_or_none()
    if found is None:
        return None
    lock_report(session, found.booking_id)
    booking, _ = lock_booking(session, found.booking_id)
    row = session.scalars(
        select(Conversation)
        .where(Conversation.id == found.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return _Talk(session, booking, row, moment(session, now))


def _known(talk: _Talk, line: RemoteMessage) -> Heard:
    """A line under a number that was taken: the same one, or a discrepancy. One that was passed over, or whose words
    were erased, is the same whatever it says."""
    before = talk.session.scalars(
        select(ConversationLine).where(
            ConversationLine.conversation_id == talk.row.id, ConversationLine.seq == line.seq
        )
    ).one()
    digest = _digest_of(talk, before)
    if digest is None or digest == _digest(line):
        return Heard.KNOWN
    cases.differs(talk.session, talk.booking, line.seq, now=talk.at)
    return Heard.DIFFERS


def _after_end(talk: _Talk, seq: int) -> Heard:
    """She wrote after the end: the line waits, operators are told, and the customer once where she can still open the
    consultation again."""
    row = talk.row
    cases.after_end(talk.session, talk.booking, seq, now=talk.at)
    can_reopen = row.closed_at is not None and talk.at < row.closed_at + REOPEN_FOR
    if can_reopen and talk.booking.state is BookingState.FULFILLED and not _told(talk):
        add_line(talk.session, row, AFTER_END, now=talk.at)
    return Heard.AFTER_END


def _told(talk: _Talk) -> bool:
    """Whether the customer knows that something waits, of this end: whatever became of the case."""
    told = select(ConversationMessage.id).where(
        ConversationMessage.conversation_id == talk.row.id,
        ConversationMessage.kind == AFTER_END,
        ConversationMessage.at >= talk.row.closed_at,
    )
    return talk.session.scalar(told.limit(1)) is not None


def _take(talk: _Talk, line: RemoteMessage, who: OutsideClinician, picture: Examined | None) -> Heard:
    said, summary = _said(line)
    if said is None or _id_used(talk, line):
        cases.unreadable(talk.session, talk.booking, line, "line.contents", now=talk.at)
        _pass(talk, line.seq)
        return Heard.PASSED
    session, row = talk.session, talk.row
    try:
        with session.begin_nested():
            message = append(session, row, said, author="clinician", now=talk.at, outside_clinician_id=who.id)
            if picture is not None:
                store(session, row, message, picture)
    except TooManyPictures:
        session.refresh(row)
        cases.unreadable(session, talk.booking, line, "picture.too_many", now=talk.at)
        _pass(talk, line.seq)
        return Heard.PASSED
    _note(talk, line, message)
    cases.speaks(session, row.provider_id, who, now=talk.at)
    cases.came(session, talk.booking, line.seq, now=talk.at)
    row.their_seq, row.outside_clinician_id = line.seq, who.id
    actor = provider_actor(session, talk.booking)
    answered(session, talk.booking, row, actor, now=talk.at)
    if summary is not None:
        end_with(session, talk.booking, row, summary, actor, now=talk.at)
    session.flush()
    return Heard.TAKEN


def _said(line: RemoteMessage) -> tuple[Said | None, Summary | None]:
    """The line as a message, with its summary if it is one; None for what may not be stored."""
    name = f"their:{line.seq}"
    if line.kind == "summary":
        summary = _summary(line)
        return (None, None) if summary is None else (Said(name, written(summary), "summary"), summary)
    words = line.picture if line.kind == "picture" else line.text
    good = bool(words.strip()) and len(words) <= MOST_CHARACTERS and storable(words)
    return (Said(name, words, line.kind) if good else None), None


def _summary(line: RemoteMessage) -> Summary | None:
    """A service that we don't know is left out: what the doctor found is worth more than what should follow."""
    said = line.summary
    if said is None:
        return None
    follows = NextService(said.next_service, said.next_department) if said.next_service in kinds() else None
    for summary in (Summary(said.summary, said.advice, follows), Summary(said.summary, said.advice)):
        try:
            check_summary(summary)
        except Invalid:
            continue
        return summary
    return None


def _id_used(talk: _Talk, line: RemoteMessage) -> bool:
    """Whether another number was taken under this name of the provider's."""
    taken = select(ConversationLine.id).where(
        ConversationLine.conversation_id == talk.row.id, ConversationLine.their_id == line.id
    )
    return talk.session.scalar(taken) is not None


def _pass(talk: _Talk, seq: int) -> None:
    message = add_line(talk.session, talk.row, UNREADABLE, now=talk.at)
    talk.session.add(ConversationLine(conversation_id=talk.row.id, seq=seq, message_id=message.id))
    talk.row.their_seq = seq
    talk.session.flush()


def _note(talk: _Talk, line: RemoteMessage, message: Message) -> None:
    message_id = talk.session.scalars(
        select(ConversationMessage.id).where(ConversationMessage.public_id == message.public_id)
    ).one()
    key = medical_key(talk.session, talk.row)
    talk.session.add(
        ConversationLine(
            conversation_id=talk.row.id,
            seq=line.seq,
            their_id=line.id,
            message_id=message_id,
            digest_sealed=seal_words(_digest(line), key, record_of(talk.row.id, line.seq)),
        )
    )
    talk.session.flush()


def _digest(line: RemoteMessage) -> str:
    """What tells a line from any other: all that it says, but not when the provider says that it was said."""
    summary = None if line.summary is None else asdict(line.summary)
    body = [line.id, line.kind, line.clinician, line.text, line.picture, summary]
    return hashlib.sha256(json.dumps(body, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


def _digest_of(talk: _Talk, before: ConversationLine) -> str | None:
    if before.digest_sealed is None:
        return None
    try:
        return open_words(before.digest_sealed, medical_key(talk.session, talk.row), record_of(talk.row.id, before.seq))
    except Unreadable:
        return None


def record_of(conversation_id: int, seq: int) -> str:
    """What the digest of a line is bound to."""
    return f"line:{conversation_id}:{seq}"
