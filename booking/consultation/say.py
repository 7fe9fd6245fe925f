"""Say something in a conversation: one message, once, in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor, speak_for_provider
from booking.consultation.access import booking_of, lock
from booking.consultation.flags import signs_in, written
from booking.consultation.models import Conversation, ConversationMessage
from booking.consultation.outside.outgoing import hand_on
from booking.consultation.queue import AlreadyTaken, take
from booking.models import Booking
from booking.pledges import pledge
from booking.pledges.pledge import FIRST_ANSWER, Subject
from booking.sealing import open_words, seal_words
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.ids import new_id
from marketplace.core.strictjson import storable
from marketplace.core.text import without_invisible
from providers.staff.clinicians import verified
from providers.staff.shifts import ClinicianNotVerified
from vip.customers.person_keys import MEDICAL, WrappedKey, key_of
from vip.models import Beneficiary
from vip.principal import Member, Principal

MOST_CHARACTERS = 4_000
MESSAGE_ID = "[A-Za-z0-9-]{8,64}"
"""The form of a client's id of a message."""
EMERGENCY = "emergency"
"""The kind of the automatic line that follows words with a sign of an emergency."""
LATELY, MOST_LATELY = timedelta(minutes=2), 3
"""For so long, and so many messages, a customer's words are read as one when signs of an emergency are looked for."""
SUBJECT = "conversation"
"""What pledges about a conversation are about."""
_S = BookingState
_ID = re.compile(MESSAGE_ID)


class ConversationClosed(Refusal):
    """Nothing can be added any more; `closed_at` says since when."""

    code = "conversation_closed"


class MessageIdReused(Refusal):
    """Another message was sent under this id."""

    code = "message_id_reused"
    status = 422
    field = "client_message_id"


@dataclass(frozen=True)
class Said:
    """A text as it is sent. `client_message_id`: a UUID or anything else of 8 to 64 letters, digits and hyphens, chosen
    by the sender and kept for every try. `kind`: text; or picture, then `text` is the SHA-256 of what was sent (hex);
    or summary (booking.consultation.summary)."""

    client_message_id: str
    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Message:
    """A message as it was taken: its public id and its number in the conversation. `replayed`: it was there."""

    public_id: str
    seq: int
    at: datetime
    replayed: bool


def customer_says(principal: Principal, conversation: str, said: Said, *, now: When) -> Message:
    """The customer's own words. The first begins what is pledged. `now` is read under the locks, where it has to be
    read: it is the message's moment, and the pledge's.

    Raises NotFound, Invalid(field="text" or "client_message_id"), ConversationClosed, MessageIdReused.
    """
    check(said)
    with transaction() as session:
        booking_id = booking_of(session, principal, conversation)
        at = moment(session, now)
        signs = signs_in(session, booking_id, said.text, at, _lately(session, booking_id, at))
        row, message = from_customer(session, principal, conversation, said, now=now)
        if not message.replayed:
            raise_flag(session, row, signs, now=message.at)
        return message


def _lately(session: Session, booking_id: int, at: datetime) -> list[str]:
    """What the customer said within LATELY before `at`, a few messages at most, in order."""
    found = session.execute(
        select(ConversationMessage, Conversation)
        .join(Conversation, Conversation.id == ConversationMessage.conversation_id)
        .where(Conversation.booking_id == booking_id, ConversationMessage.at > at - LATELY)
        .where(ConversationMessage.author == "customer", ConversationMessage.kind == "text")
        .order_by(ConversationMessage.seq.desc())
        .limit(MOST_LATELY)
    ).all()
    words = [text_of(row.ConversationMessage, medical_key(session, row.Conversation)) for row in found]
    return [each for each in reversed(words) if each]


def raise_flag(session: Session, row: Conversation, signs: tuple[str, ...], *, now: datetime) -> None:
    """Where signs of an emergency (codes) were found in the customer's words, the locked conversation is taken first
    from now on, and an automatic line follows that names them to both sides."""
    if signs:
        row.flagged_at = row.flagged_at or now
        add_line(session, row, EMERGENCY, now=now, words=written(signs))


def from_customer(
    session: Session, principal: Principal, conversation: str, said: Said, *, now: When
) -> tuple[Conversation, Message]:
    """Lock the conversation, and its booking before it where these words begin what is pledged; add what the customer
    says. Raises NotFound, and as append()."""
    booking_id = booking_of(session, principal, conversation)
    begun = session.scalar(select(Conversation.first_message_at).where(Conversation.booking_id == booking_id))
    booking = None if begun is not None else lock_booking(session, booking_id)[0]
    row = lock(session, principal, conversation)
    at = moment(session, now)
    message = append(session, row, said, author="customer", now=at)
    if booking is not None and row.first_message_at is None:
        row.first_message_at = at
        _promise(session, booking, row, at)
    if row.outside and not message.replayed:
        hand_on(session, row, message.public_id, now=at)
    return row, message


def clinician_says(member: Member, conversation: str, said: Said, *, now: When) -> Message:
    """A clinician's words. The first of them puts the booking in service and keeps what was pledged: nothing else does,
    neither accepting nor a line that the product writes. One that still waits is hers with them.

    Raises NotFound (another provider's looks absent), ClinicianNotVerified, ClinicianNotFree where it waits and she
    can't take it, AlreadyTaken where a colleague has it in hand, and as customer_says().
    """
    check(said)
    with transaction() as session:
        return from_clinician(session, member, conversation, said, now=now)[1]


def from_clinician(
    session: Session, member: Member, conversation: str, said: Said, *, now: When
) -> tuple[Conversation, Message]:
    """Lock booking and conversation, and add what the clinician says. Raises as clinician_says()."""
    booking, _ = lock_booking(session, booking_of(session, member, conversation))
    row = lock(session, member, conversation)
    if verified(session, member.id) is None:
        raise ClinicianNotVerified()
    at = moment(session, now)
    message = append(session, row, said, author="clinician", now=at, member_id=member.id)
    if message.replayed:
        return row, message
    if row.clinician_id is None:
        take(session, row, member, now=at)
    elif row.clinician_id != member.id:
        raise AlreadyTaken()
    speak_for_provider(session, member.public_id)
    answered(session, booking, row, Actor("provider", member.public_id), now=at)
    return row, message


def answered(session: Session, booking: Booking, row: Conversation, actor: Actor, *, now: datetime) -> None:
    """A person of the provider has spoken in a locked conversation, whose booking is locked as well: what was pledged
    is kept, and the first time the booking is in service."""
    pledge.meet(session, FIRST_ANSWER, Subject(SUBJECT, row.public_id), now=now)
    if row.first_answer_at is None:
        row.first_answer_at = now
        _into_service(session, booking, actor, now)


def add_line(session: Session, row: Conversation, kind: str, *, now: datetime, words: str = "") -> ConversationMessage:
    """Add an automatic line to a locked conversation. It is marked as one and answers nothing. Readers are told what
    its `kind` means in their own language; `words` are for the product alone, sealed like all that is said."""
    row.last_seq += 1
    public_id = new_id("msg")
    line = ConversationMessage(
        public_id=public_id,
        conversation_id=row.id,
        seq=row.last_seq,
        client_message_id=own_id(kind, row.last_seq),
        author="automatic",
        kind=kind,
        body_sealed=seal_words(words, medical_key(session, row), record_of(public_id)) if words else None,
        at=now,
    )
    session.add(line)
    session.flush()
    return line


def own_id(kind: str, seq: int) -> str:
    """The client's id of a message that no client sent: none that check() lets pass."""
    return f"auto:{kind}:{seq}"


def append(
    session: Session,
    row: Conversation,
    said: Said,
    *,
    author: str,
    now: datetime,
    member_id: int | None = None,
    outside_clinician_id: int | None = None,
) -> Message:
    """Add a message to a locked conversation, once. Raises ConversationClosed, MessageIdReused."""
    key = medical_key(session, row)
    known = _known(session, row, said.client_message_id)
    if known is not None:
        return _replayed(known, said, key, author, member_id)
    live = session.scalar(select(Booking.live).where(Booking.id == row.booking_id))
    if row.closed_at is not None or not live:  # a cancelled one is closed a moment later
        raise ConversationClosed(closed_at=row.closed_at or now)
    row.last_seq += 1
    public_id = new_id("msg")
    session.add(
        ConversationMessage(
            public_id=public_id,
            conversation_id=row.id,
            seq=row.last_seq,
            client_message_id=said.client_message_id,
            author=author,
            member_id=member_id,
            outside_clinician_id=outside_clinician_id,
            kind=said.kind,
            body_sealed=seal_words(said.text, key, record_of(public_id)),
            at=now,
        )
    )
    session.flush()
    return Message(public_id, row.last_seq, now, replayed=False)


def said_before(
    session: Session, row: Conversation, said: Said, *, author: str, member_id: int | None = None
) -> Message | None:
    """The message that this one is, if it was taken before: for what costs something to look at. Raises
    MessageIdReused."""
    known = _known(session, row, said.client_message_id)
    if known is None:
        return None
    return _replayed(known, said, medical_key(session, row), author, member_id)


def medical_key(session: Session, row: Conversation) -> WrappedKey:
    """The key under which what is said in a conversation is sealed: of the person whom it is about."""
    person = session.scalars(
        select(Beneficiary).join(Booking, Booking.beneficiary_id == Beneficiary.id).where(Booking.id == row.booking_id)
    ).one()
    return key_of(session, person, MEDICAL)


def _known(session: Session, row: Conversation, client_message_id: str) -> ConversationMessage | None:
    return session.scalar(
        select(ConversationMessage).where(
            ConversationMessage.conversation_id == row.id,
            ConversationMessage.client_message_id == client_message_id,
        )
    )


def _replayed(known: ConversationMessage, said: Said, key: WrappedKey, author: str, member_id: int | None) -> Message:
    same = (known.author, known.member_id, known.kind) == (author, member_id, said.kind)
    if not same or text_of(known, key) != said.text:
        raise MessageIdReused()
    return Message(known.public_id, known.seq, known.at, replayed=True)


def record_of(message: str) -> str:
    """What the words of a message (public id) are bound to."""
    return f"message:{message}"


def text_of(message: ConversationMessage, key: WrappedKey) -> str | None:
    """The words as they were said; None where there are none, or their key was destroyed."""
    if message.body_sealed is None:
        return None
    try:
        return open_words(message.body_sealed, key, record_of(message.public_id))
    except Unreadable:
        return None


def check(said: Said) -> None:
    """Raises Invalid for an id of another form, and for words that show nothing, are too long or can't be stored."""
    check_id(said.client_message_id)
    if not without_invisible(said.text).strip():
        raise Invalid(field="text", reason="required")
    if len(said.text) > MOST_CHARACTERS:
        raise Invalid(field="text", reason="too_long", maximum=MOST_CHARACTERS)
    if not storable(said.text):
        raise Invalid(field="text", reason="bad_characters")


def check_id(given: str) -> None:
    """Raises Invalid for a client's id of another form."""
    if not _ID.fullmatch(given):
        raise Invalid(field="client_message_id", reason="format")


def _promise(session: Session, booking: Booking, row: Conversation, at: datetime) -> None:
    promise = pledge.promised(booking)
    if promise is not None:
        pledge.begin(session, promise, Subject(SUBJECT, row.public_id), booking, now=at)


def _into_service(session: Session, booking: Booking, actor: Actor, now: datetime) -> None:
    """By way of the confirmation that may still be on its way: who answers has taken it."""
    if booking.state in (_S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN):
        move(session, booking, _S.CONFIRMED, actor=actor, now=now, cause="taken_by_clinician")
    if booking.state is _S.CONFIRMED:
        move(session, booking, _S.IN_SERVICE, actor=actor, now=now, cause="first_answer")
