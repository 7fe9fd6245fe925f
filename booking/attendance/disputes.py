"""A no-show that the customer disputes, and the desk's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.actors import actor_of
from booking.attendance.models import Dispute
from booking.attendance.outcome import notify_answer
from booking.models import Booking, BookingHistory
from booking.ownership import own_booking_id
from booking.sealing import open_words, seal_words
from booking.states import BookingState
from booking.transition import lock_booking, move, touch
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction, violated
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.strictjson import storable
from marketplace.core.text import Text
from vip import roles
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary
from vip.principal import Principal

log = get_logger(__name__)
_S = BookingState

DISPUTE_FOR = timedelta(days=14)
"""How long after a no-show was recorded it can be disputed."""

LONGEST = 1_000
"""Characters of the customer's words and of the answer."""

Decision = Literal["checked_in", "fulfilled", "rejected"]


class NotDisputable(Refusal):
    """Only a no-show can be disputed. Facts: `state`, the booking's."""

    code = "not_disputable"


class DisputeTooLate(Refusal):
    """It is too late to dispute the no-show. Facts: `until`, when the time ended; `time_zone`, the site's."""

    code = "dispute_too_late"


class DisputeClosed(Refusal):
    """The dispute was answered before, or the provider has corrected the no-show. Facts: `state`, how it ended."""

    code = "dispute_closed"


class BusyThen(Refusal):
    """The person has another booking at that time by now, so this one cannot be live again."""

    code = "beneficiary_busy"
    field = "decision"


@dataclass(frozen=True)
class OpenDispute:
    """A dispute in the desk's list."""

    id: str
    booking_id: str
    reference: str
    offer_name: Text
    site_name: str
    provider_name: Text
    starts_at: datetime | None
    service_date: date
    time_zone: str
    opened_at: datetime


@dataclass(frozen=True)
class DisputeInFull(OpenDispute):
    """A dispute with the customer's words. `state`: open, accepted or rejected. `recorded_by` is the kind of actor that
    recorded the no-show: provider or clock. `no_show_uses`: whether the benefit was used."""

    state: str
    words: str
    recorded_by: str
    recorded_at: datetime
    no_show_uses: bool


def dispute(principal: Principal, public_id: str, words: str, *, now: datetime) -> None:
    """Dispute a no-show for the customer. Disputing again changes nothing.

    `words`: what happened, 1 to LONGEST characters; stored sealed. Raises NotFound, Invalid(field="words"),
    NotDisputable, DisputeTooLate.
    """
    words = _usable(words, "words")
    with transaction() as session:
        booking, _ = lock_booking(session, own_booking_id(session, principal, public_id))
        if session.scalar(select(Dispute.id).where(Dispute.booking_id == booking.id)) is not None:
            return
        if booking.state is not _S.NO_SHOW:
            raise NotDisputable(state=booking.state.value)
        until = _no_show_entry(session, booking).at + DISPUTE_FOR
        if now >= until:
            raise DisputeTooLate(until=until, time_zone=booking.time_zone)
        person = session.get_one(Beneficiary, booking.beneficiary_id)
        dispute_id = new_id("dsp")
        session.execute(
            insert(Dispute).values(
                public_id=dispute_id,
                booking_id=booking.id,
                state="open",
                words_sealed=seal_words(words, key_of(session, person, PROCESS), f"dispute:{dispute_id}:words"),
                opened_at=now,
            )
        )
        touch(booking, now=now)
        _trace(session, "dispute.opened", principal, booking, dispute_id, now)
    log.info("dispute.opened", booking=public_id)


def answer(operator: Principal, dispute_id: str, decision: Decision, words: str, *, now: datetime) -> None:
    """Answer a dispute, for the desk: the service was delivered (`fulfilled`), the customer came and the service is
    still to be delivered (`checked_in`), or the no-show is upheld (`rejected`, which needs `words`). She is notified.

    Raises NotFound, Invalid(field="decision" or "words"), DisputeClosed, EntitlementExhausted if the unit that the
    no-show released has been used since, BusyThen.
    """
    if decision not in ("checked_in", "fulfilled", "rejected"):
        raise Invalid(field="decision", reason="unknown_value")
    said = _usable(words, "words") if words.strip() or decision == "rejected" else ""
    try:
        with transaction() as session:
            row = _at_desk(session, operator, dispute_id)
            booking, _ = lock_booking(session, row.Booking.id)
            found = session.scalars(select(Dispute).where(Dispute.public_id == dispute_id).with_for_update()).one()
            if found.state != "open":
                raise DisputeClosed(state=found.state)
            if said:
                person = session.get_one(Beneficiary, booking.beneficiary_id)
                record = f"dispute:{dispute_id}:answer"
                found.answer_sealed = seal_words(said, key_of(session, person, PROCESS), record)
            found.state = "rejected" if decision == "rejected" else "accepted"
            found.closed_at, found.decided_by, found.decided_as = now, operator.public_id, operator.acts_as
            if decision == "rejected":
                touch(booking, now=now)
            else:
                move(session, booking, _S(decision), actor=actor_of(operator), now=now, cause="dispute_accepted")
            _trace(session, f"dispute.{found.state}", operator, booking, dispute_id, now, decision=decision)
            notify_answer(session, booking, found.state, now)
    except IntegrityError as refused:
        if violated(refused) == "ex_booking_one_place_at_a_time":
            raise BusyThen() from refused
        raise
    log.info("dispute.answered", dispute=dispute_id, decision=decision)


def open_disputes(operator: Principal, *, cursor: str | None, limit: int) -> Page[OpenDispute]:
    """The open disputes of the operator's insurer, the oldest first. Raises NotFound without the role for the desk."""
    query = _disputes(operator).where(Dispute.state == "open")
    if cursor is not None:
        (last_id,) = decode_cursor(cursor, (int,))
        query = query.where(Dispute.id > last_id)
    with reading() as session:
        rows = session.execute(query.order_by(Dispute.id).limit(limit + 1)).all()
    items: Sequence[OpenDispute] = [OpenDispute(**_line(row)) for row in rows[:limit]]
    return Page(list(items), encode_cursor([rows[limit - 1].Dispute.id]) if rows[limit:] else None)


def read_dispute(operator: Principal, dispute_id: str, *, now: datetime) -> DisputeInFull:
    """One dispute with the customer's words; the audit records that they were read. Raises NotFound."""
    with transaction() as session:
        row = _at_desk(session, operator, dispute_id)
        found: Dispute = row.Dispute
        person = session.get_one(Beneficiary, row.Booking.beneficiary_id)
        record = f"dispute:{dispute_id}:words"
        words = _read(session, found.words_sealed, person, record)
        no_show = _no_show_entry(session, row.Booking)
        _trace(session, "dispute.read", operator, row.Booking, dispute_id, now)
        return DisputeInFull(
            **_line(row),
            state=found.state,
            words=words,
            recorded_by=no_show.actor_kind,
            recorded_at=no_show.at,
            no_show_uses=row.Booking.entitlement.no_show_uses,
        )


def _read(session: Session, sealed: bytes, person: Beneficiary, record: str) -> str:
    """The words as they were sealed; blank once the person's data was deleted."""
    key = key_of(session, person, PROCESS)
    return open_words(sealed, key, record) if sealed and key.wrapped is not None else ""


def _usable(words: str, field: str) -> str:
    words = words.strip()
    if not words:
        raise Invalid(field=field, reason="required")
    if len(words) > LONGEST:
        raise Invalid(field=field, reason="too_long", maximum=LONGEST)
    if not storable(words):
        raise Invalid(field=field, reason="bad_characters")
    return words


def _no_show_entry(session: Session, booking: Booking) -> BookingHistory:
    """The entry of the history that recorded the no-show."""
    return session.scalars(
        select(BookingHistory)
        .where(BookingHistory.booking_id == booking.id, BookingHistory.to_state == _S.NO_SHOW.value)
        .order_by(BookingHistory.version.desc())
        .limit(1)
    ).one()


def _disputes(operator: Principal) -> Select[*tuple[Any, ...]]:
    roles.require(operator, "desk")
    return (
        select(Dispute, Booking)
        .join(Booking, Booking.id == Dispute.booking_id)
        .where(Booking.insurer_id == operator.insurer_id)
    )


def _at_desk(session: Session, operator: Principal, dispute_id: str) -> Row[Any]:
    row = session.execute(_disputes(operator).where(Dispute.public_id == dispute_id)).one_or_none()
    if row is None:
        raise NotFound(field="dispute_id")
    return row


def _line(row: Row[Any]) -> dict[str, Any]:
    booking: Booking = row.Booking
    offer = booking.snapshot["offer"]
    return {
        "id": row.Dispute.public_id,
        "booking_id": booking.public_id,
        "reference": booking.reference,
        "offer_name": Text.of(offer),
        "site_name": booking.snapshot["site"]["name"],
        "provider_name": Text.of(booking.snapshot["provider"]),
        "starts_at": booking.starts_at,
        "service_date": booking.service_date,
        "time_zone": booking.time_zone,
        "opened_at": row.Dispute.opened_at,
    }


def _trace(
    session: Session, action: str, who: Principal, booking: Booking, dispute_id: str, now: datetime, **facts: str
) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=who.acts_as,
        actor=who.public_id,
        subject=booking.public_id,
        insurer_id=booking.insurer_id,
        dispute=dispute_id,
        **facts,
    )
