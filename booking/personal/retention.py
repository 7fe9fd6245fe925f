"""Deleting what has grown older than it may: rows of any table that the register limits, and results."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, or_, select, text, update

from booking.consultation.models import Conversation, ConversationMessage, ConversationNote, ConversationPicture
from booking.consultation.outside.models import ConversationLine
from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.listening import EscortLineTaken, EscortListening
from booking.models import Booking
from booking.personal.erase import years_before
from booking.personal.register import Age, Table
from booking.personal.tables.every import TABLES
from booking.reports.delete import end_report
from booking.reports.models import Report
from marketplace.core import audit
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import one_by_one
from vip.models import Beneficiary

REPORTS_AT_ONCE = 500


def forget_old(*, now: datetime, batch: int = 1000) -> dict[str, int]:
    """Delete or empty rows that are older than the register allows, a batch a transaction; how many of each table.
    A table that fails stops no other."""
    gone = dict[str, int]()

    def forget(row: tuple[str, Table, Age]) -> str:
        name, table, age = row
        gone[name] = _forget(table, age, now, batch)
        return "tables"

    limited = [(table.name, table, table.age) for table in TABLES if table.age is not None]
    return dict(one_by_one("retention", limited, forget)) | gone


def forget_reports(*, now: datetime) -> dict[str, int]:
    """Destroy results that may not be stored any longer. Audited, each at its report."""
    with reading() as session:
        over = session.scalars(
            select(Report.id)
            .join(Booking, Booking.id == Report.booking_id)
            .join(Beneficiary, Beneficiary.id == Report.beneficiary_id)
            .where(Report.deleted_at.is_(None), Report.fetched_version > 0, _is_over(now))
            .order_by(Report.id)
            .limit(REPORTS_AT_ONCE)
        ).all()
    return dict(one_by_one("reports-over", list(over), lambda row: _end(row, now)))


def forget_consultations(*, now: datetime) -> dict[str, int]:
    """Blank what was said and shown in consultations that may not be stored any longer. Audited, each at its
    booking."""
    with reading() as session:
        over = session.scalars(
            select(Conversation.id)
            .join(Booking, Booking.id == Conversation.booking_id)
            .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
            .where(_is_over(now), _said_in_it().exists())
            .order_by(Conversation.id)
            .limit(REPORTS_AT_ONCE)
        ).all()
    return dict(one_by_one("consultations-over", list(over), lambda row: _blank(row, now)))


def forget_escorts(*, now: datetime) -> dict[str, int]:
    """Blank what was told and shown on escorts that may not be stored any longer. Audited, each at its booking."""
    with reading() as session:
        over = session.scalars(
            select(Booking.id)
            .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
            .where(_is_over(now), or_(_told_on_it().exists(), _lines_of_it().exists()))
            .order_by(Booking.id)
            .limit(REPORTS_AT_ONCE)
        ).all()
    return dict(one_by_one("escort-records-over", list(over), lambda row: _blank_escort(row, now)))


def _is_over(now: datetime) -> ColumnElement[bool]:
    """Whether (SQL, of a Booking and its Beneficiary) medical records of it may not be stored any longer: anybody's
    after `report_years`, those of somebody who was erased after `medical_years`."""
    periods = []
    if settings().report_years:
        periods.append(Booking.service_date < years_before(now.date(), settings().report_years))
    gone = Beneficiary.erased_at.is_not(None)
    periods.append(and_(gone, Booking.service_date < years_before(now.date(), settings().medical_years)))
    return or_(*periods)


def _said_in_it() -> Select[int]:
    """The messages (SQL, of a Conversation) that hold words."""
    return select(ConversationMessage.id).where(
        ConversationMessage.conversation_id == Conversation.id, ConversationMessage.body_sealed.is_not(None)
    )


def _blank(conversation_id: int, now: datetime) -> str:
    with transaction() as session:
        talk = session.get_one(Conversation, conversation_id, with_for_update=True)
        booking = session.get_one(Booking, talk.booking_id)
        messages = select(ConversationMessage.id).where(ConversationMessage.conversation_id == talk.id)
        session.execute(
            update(ConversationPicture)
            .where(ConversationPicture.message_id.in_(messages))
            .values(sealed=b"", thumbnail_sealed=b"", size=0)
        )
        session.execute(
            update(ConversationMessage).where(ConversationMessage.conversation_id == talk.id).values(body_sealed=None)
        )
        session.execute(
            update(ConversationLine).where(ConversationLine.conversation_id == talk.id).values(digest_sealed=None)
        )
        session.execute(
            update(ConversationNote).where(ConversationNote.conversation_id == talk.id).values(body_sealed=None)
        )
        audit.record(
            session,
            "consultation.expired",
            at=now,
            actor_kind="system",
            actor="retention",
            subject=booking.public_id,
            insurer_id=booking.insurer_id,
        )
    return "expired"


def _told_on_it() -> Select[int]:
    """The deeds (SQL, of a Booking) that hold words, sums, a signature or a picture."""
    return select(EscortDeed.id).where(EscortDeed.booking_id == Booking.id, EscortDeed.sealed.is_not(None))


def _lines_of_it() -> Select[int]:
    """The lines (SQL, of a Booking) of a provider's own system of which a digest is kept."""
    return (
        select(EscortLineTaken.id)
        .join(EscortListening, EscortListening.id == EscortLineTaken.listening_id)
        .where(EscortListening.booking_id == Booking.id, EscortLineTaken.digest_sealed.is_not(None))
    )


def _blank_escort(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking = session.get_one(Booking, booking_id)
        deeds = select(EscortDeed.id).where(EscortDeed.booking_id == booking.id)
        session.execute(
            update(EscortPicture)
            .where(EscortPicture.deed_id.in_(deeds))
            .values(sealed=b"", thumbnail_sealed=b"", size=0)
        )
        session.execute(update(EscortDeed).where(EscortDeed.booking_id == booking.id).values(sealed=None))
        lists = select(EscortListening.id).where(EscortListening.booking_id == booking.id)
        session.execute(
            update(EscortLineTaken).where(EscortLineTaken.listening_id.in_(lists)).values(digest_sealed=None)
        )
        audit.record(
            session,
            "escort.expired",
            at=now,
            actor_kind="system",
            actor="retention",
            subject=booking.public_id,
            insurer_id=booking.insurer_id,
        )
    return "expired"


def _end(report_id: int, now: datetime) -> str:
    with transaction() as session:
        report = session.get_one(Report, report_id, with_for_update=True)
        if report.deleted_at is not None:
            return "deleted"
        end_report(session, report, "report.expired", "system", "retention", now=now)
    return "expired"


def _forget(table: Table, age: Age, now: datetime, batch: int) -> int:
    days: int = getattr(settings(), age.setting)
    if days == 0:
        return 0
    old = f"SELECT t.id FROM {table.name} t WHERE t.{age.column} < :before AND {age.only} ORDER BY t.id LIMIT :batch"
    change = f"UPDATE {table.name} SET {age.empties}" if age.empties else f"DELETE FROM {table.name}"
    query = text(f"{change} WHERE id IN ({old}) RETURNING id")
    forgotten = 0
    while True:
        with transaction() as session:
            gone = session.scalars(query, {"before": now - timedelta(days=days), "batch": batch}).all()
        forgotten += len(gone)
        if len(gone) < batch:
            return forgotten
