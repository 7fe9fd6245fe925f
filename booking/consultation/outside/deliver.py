"""Carry to an outside provider what the customer said: claim, commit, call, settle, as commands are.

The oldest of a conversation goes first, and the next one only when the provider has taken or refused it: what is said
arrives in its order. What may have been sent is sent again under the same id, which the provider takes once. Moments
are the database's, so that a worker whose clock is wrong neither hurries nor waits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session, undefer

from booking.calls import breaker
from booking.calls.breaker import Call, Permit, pause
from booking.calls.connections import ProviderConnection
from booking.consultation.events import TOLD, publish
from booking.consultation.models import Conversation, ConversationMessage, ConversationPicture
from booking.consultation.outside.models import ConversationDelivery
from booking.consultation.outside.outgoing import ENDED, hand_on_end
from booking.consultation.pictures import open_picture
from booking.consultation.say import EMERGENCY, medical_key, text_of
from booking.discrepancies import open_discrepancy
from booking.exchange.silence import UNKNOWN_BACKOFF
from booking.models import Booking, ProviderBooking
from booking.states import GIVEN_UP
from marketplace.core.config import settings
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.logging import get_logger
from providers.conversing import CloseConversation, Converses, Delivered, OutgoingMessage, Picture, Posted
from providers.port import Refused, RetryAfter, Unknown

log = get_logger(__name__)

LARGEST_PICTURE = 5 * 1024 * 1024
"""Bytes of a picture that the port takes."""
REFUSED_THERE = "message_refused"
"""The kind of the discrepancy of a message that an outside provider does not take; about the message, or the booking
where it is the end that is refused."""
OURS = "not_readable"
"""The refusal of what can't be sent from here: its words were erased."""
TOO_LARGE = "picture_large"


@dataclass(frozen=True)
class Parcel:
    """A delivery in a worker's hands. `tries` fences: only this claim may settle it. `probe` is the lease of the
    breaker's probe, if this is the one."""

    id: int
    conversation_id: int
    tries: int
    lease_until: datetime
    probe: datetime | None = None


_CLAIM = text(
    """
    WITH ready AS (
      SELECT d.id
        FROM conversation_delivery d
        JOIN conversation c ON c.id = d.conversation_id
        JOIN booking b ON b.id = c.booking_id AND (b.state <> ALL (:given_up) OR d.reason = 'cancelled')
        JOIN provider_booking p ON p.booking_id = b.id AND p.provider_id = d.provider_id AND p.role = 'current'
       WHERE d.provider_id = :provider AND d.run_after <= :now
         AND (d.state = 'queued' OR d.state = 'in_flight' AND d.lease_until <= :now)
         AND NOT EXISTS (SELECT FROM conversation_delivery earlier
                          WHERE earlier.conversation_id = d.conversation_id AND earlier.id < d.id
                            AND earlier.state IN ('queued','in_flight'))
       ORDER BY d.run_after, d.id LIMIT :places FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE conversation_delivery d
       SET state = 'in_flight', tries = d.tries + 1, lease_until = :lease, sent_at = coalesce(d.sent_at, :now)
      FROM ready WHERE d.id = ready.id
    RETURNING d.id, d.conversation_id, d.tries, d.lease_until
    """
)
_WHOSE = text(
    "SELECT DISTINCT provider_id FROM conversation_delivery WHERE state IN ('queued','in_flight') AND run_after <= :now"
)


def with_parcels(*, now: When) -> frozenset[int]:
    """The providers (internal ids) for whom something is due: one look for all of them."""
    with reading() as session:
        return frozenset(session.scalars(_WHOSE, {"now": moment(session, now)}))


def claim_parcels(provider: ProviderConnection, *, places: int, now: When) -> list[Parcel]:
    """Take what is due at this provider, of each conversation its oldest: nothing before the provider has the
    consultation itself, and nothing while the breaker of commands is open, one as its probe. A provider that is paused
    is given no new consultation, but those who are in one go on."""
    with transaction() as session:
        at = moment(session, now)
        permit = breaker.ask(session, provider.id, Call.COMMANDS, now=at)
        if permit is None:
            return []
        rows = session.execute(
            _CLAIM,
            {
                "provider": provider.id,
                "now": at,
                "places": places if permit.probe is None else 1,
                "lease": at + timedelta(seconds=settings().outbox_lease_seconds),
                "given_up": [state.value for state in GIVEN_UP],
            },
        ).all()
        if not rows:
            breaker.give_back(session, provider.id, Call.COMMANDS, permit)
        return [Parcel(**row._mapping, probe=permit.probe) for row in rows]


def deliver(provider: ProviderConnection, adapter: Converses, parcel: Parcel, *, now: When) -> str:
    """Send what was claimed, and settle the answer. Returns what became of it: delivered, refused, waiting or stale.

    A claim whose lease would end during the call is left to the next worker."""
    if _read(now) + timedelta(seconds=provider.connection.deadline_seconds) >= parcel.lease_until:
        log.warning("consultation.lease_too_short", provider=provider.code, delivery=parcel.id)
        return "stale"
    with reading() as session:
        sent = _contents(session, parcel)
    answer: Delivered
    if isinstance(sent, OutgoingMessage):
        answer = adapter.post(sent)
    elif isinstance(sent, CloseConversation):
        answer = adapter.close(sent)
    else:
        answer = sent
    at = _read(now)
    if not isinstance(sent, Refused):
        _record(provider, parcel, answer, at)  # first: an answer that cannot be settled is one all the same
    outcome = _settle(parcel, answer, at)
    log.info("consultation.carried", provider=provider.code, answer=type(answer).__name__, outcome=outcome)
    return outcome


def _read(now: When) -> datetime:
    with reading() as session:
        return moment(session, now)


def _contents(session: Session, parcel: Parcel) -> OutgoingMessage | CloseConversation | Refused:
    """What goes out, as plain data; Refused where it can't be read any more, or is larger than the port takes."""
    delivery = session.get_one(ConversationDelivery, parcel.id)
    row = session.get_one(Conversation, delivery.conversation_id)
    booking = session.get_one(Booking, row.booking_id)
    reference = session.scalars(
        select(ProviderBooking.reference).where(
            ProviderBooking.booking_id == booking.id, ProviderBooking.role == "current"
        )
    ).one()
    if delivery.message_id is None:
        return CloseConversation(delivery.key, reference, booking.public_id, delivery.reason)  # type: ignore[arg-type]
    message = session.get_one(ConversationMessage, delivery.message_id)
    words = text_of(message, medical_key(session, row))
    if words is None:
        return Refused(OURS)
    picture = None
    if message.kind == "picture":
        found = _picture(session, row, message)
        if isinstance(found, Refused):
            return found
        picture, words = found, ""
    return OutgoingMessage(
        id=message.public_id,
        reference=reference,
        our_reference=booking.public_id,
        seq=message.seq,
        sent_at=message.at,
        text=words,
        picture=picture,
        flagged=_is_flagged(session, message),
    )


def _is_flagged(session: Session, message: ConversationMessage) -> bool:
    """Whether a sign of an emergency was found in it: then the line that says so stands right behind it, written in the
    same transaction, so that every try carries the same."""
    line = select(ConversationMessage.kind).where(
        ConversationMessage.conversation_id == message.conversation_id, ConversationMessage.seq == message.seq + 1
    )
    return session.scalar(line) == EMERGENCY


def _picture(session: Session, row: Conversation, message: ConversationMessage) -> Picture | Refused:
    found = session.scalars(
        select(ConversationPicture)
        .where(ConversationPicture.message_id == message.id)
        .options(undefer(ConversationPicture.sealed))
    ).one()
    try:
        content = open_picture(session, row, found)
    except Unreadable:
        return Refused(OURS)
    if len(content) > LARGEST_PICTURE:
        return Refused(TOO_LARGE)
    return Picture(content, "image/jpeg", hashlib.sha256(content).hexdigest())


def _record(provider: ProviderConnection, parcel: Parcel, answer: Delivered, now: datetime) -> None:
    """Tell the breaker of commands, as for a command."""
    if isinstance(answer, Unknown) or (isinstance(answer, RetryAfter) and not answer.reached):
        breaker.failed(provider.id, Call.COMMANDS, Permit(parcel.probe), now=now)
    else:
        breaker.succeeded(provider.id, Call.COMMANDS)


def _settle(parcel: Parcel, answer: Delivered, now: datetime) -> str:
    with transaction() as session:
        delivery = session.scalar(
            select(ConversationDelivery)
            .where(
                ConversationDelivery.id == parcel.id,
                ConversationDelivery.tries == parcel.tries,
                ConversationDelivery.state == "in_flight",
            )
            .with_for_update()
        )
        if delivery is None:
            return "stale"
        delivery.lease_until = None
        match answer:
            case Posted():
                delivery.state, delivery.finished_at = "delivered", now
            case Refused(code, _):
                delivery.state, delivery.finished_at, delivery.refusal = "refused", now, code or "other"
                _open_case(session, delivery, now)
            case Unknown():
                delivery.state, delivery.run_after = "queued", now + _backoff(parcel.tries)
                return "waiting"
            case RetryAfter(seconds):
                delivery.state, delivery.run_after = "queued", now + pause(seconds)
                return "waiting"
        session.flush()
        _tell(session, delivery, now)
        return delivery.state


def _tell(session: Session, delivery: ConversationDelivery, now: datetime) -> None:
    """The customer's open page asks for the mark on her message."""
    if delivery.message_id is not None:
        seq = session.get_one(Conversation, delivery.conversation_id).last_seq
        publish(session, delivery.conversation_id, TOLD, seq, now=now)


def _open_case(session: Session, delivery: ConversationDelivery, now: datetime) -> None:
    booking_id, booking = session.execute(
        select(Booking.id, Booking.public_id)
        .join(Conversation, Conversation.booking_id == Booking.id)
        .where(Conversation.id == delivery.conversation_id)
    ).one()
    subject = booking if delivery.message_id is None else delivery.key
    facts = {"code": delivery.refusal, "what": delivery.reason or "message"}
    provider = delivery.provider_id
    open_discrepancy(session, provider, REFUSED_THERE, subject, now=now, booking_id=booking_id, facts=facts)


def _backoff(tries: int) -> timedelta:
    """The pause before it is sent again, longer with each try."""
    return timedelta(seconds=UNKNOWN_BACKOFF[min(tries, len(UNKNOWN_BACKOFF)) - 1])


_OVER = text(
    """
    UPDATE conversation_delivery d SET state = 'refused', refusal = :ended, finished_at = :now, lease_until = NULL
      FROM conversation c JOIN booking b ON b.id = c.booking_id
     WHERE c.id = d.conversation_id AND (d.state = 'queued' OR d.state = 'in_flight' AND d.lease_until <= :now)
       AND (b.state = ANY (:given_up) AND d.reason <> 'cancelled'
            OR c.closed_at < CAST(:now AS timestamptz) - make_interval(secs => :seconds))
    RETURNING d.id
    """
)
LEFT_AFTER = timedelta(hours=24)
"""So long after the end of a consultation its last words are still carried: until it can't be opened again."""


_KEPT_THERE = text(
    """
    SELECT c.id FROM conversation c
      JOIN booking b ON b.id = c.booking_id AND b.state = ANY (:given_up)
      JOIN discrepancy o ON o.booking_id = b.id AND o.kind = 'cancel_refused' AND o.closed_at IS NULL
     WHERE c.outside AND c.closed_at > CAST(:now AS timestamptz) - make_interval(secs => :seconds)
       AND NOT EXISTS (SELECT FROM conversation_delivery d WHERE d.conversation_id = c.id AND d.reason = 'cancelled')
       FOR UPDATE OF c SKIP LOCKED
    """
)


def end_left(*, now: When) -> dict[str, int]:
    """Give up what was never taken and that nobody waits for any more: the consultation was cancelled, or is over for
    good. A provider that refused the cancel, since its doctor had answered, is told that it is over here. Returns
    counts."""
    with transaction() as session:
        at = moment(session, now)
        over = {"given_up": [state.value for state in GIVEN_UP], "now": at, "seconds": LEFT_AFTER.total_seconds()}
        kept = session.scalars(_KEPT_THERE, over).all()
        for conversation_id in kept:
            hand_on_end(session, session.get_one(Conversation, conversation_id), "cancelled", now=at)
        values = {"ended": ENDED, "now": at, "seconds": LEFT_AFTER.total_seconds()}
        ended = session.scalars(_OVER, {**values, "given_up": [state.value for state in GIVEN_UP]}).all()
    return {"ended": len(ended), "told": len(kept)}
