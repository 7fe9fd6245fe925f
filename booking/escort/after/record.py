"""The record of an escort (the kind's word for its report): made from the deeds once it is done, again where a phone
without a network tells more later, and put into the report box beside the other reports of the person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, undefer

from booking.escort.evidence.doubt import Doubt
from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.escort.evidence.pictures import medical_key, open_picture
from booking.escort.models import EscortAssignment
from booking.escort.shown import words
from booking.escort.shown.told import Told, told_of, was_sent
from booking.models import Booking
from booking.reports.deliver import DELIVERED
from booking.reports.fetch import add, announce
from booking.reports.files import Examined
from booking.reports.intake.findings import MOST_PAPERS, PDF, Paper
from booking.reports.models import Report, ReportVersion
from booking.states import BookingState
from marketplace.catalog.kinds import dispatched, words_of
from marketplace.core import audit
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from marketplace.core.text import Language, Text, language_of
from providers.reported import RemoteReport, ReportContent
from vip.customers.consent import may_show
from vip.models import Customer

log = get_logger(__name__)

WITHIN = timedelta(days=30)
"""So long after its day a record is still made: until then the person may agree that reports are stored."""
_SUFFIX = "-escort"

_ESCORT = Text("陪同人员：{name}", "Escort: {name}")
_NOTES = Text("陪同人员的记录", "What the escort wrote")
_COSTS = Text("另付费用", "Paid besides")
_SUMMARY = Text("交接小结", "Hand-over note")
_DOUBT = Text("（{why}）", " ({why})")
_BY_CODE = Text("（已核对码）", " (code checked)")


def file_records(*, now: datetime, limit: int = 20) -> dict[str, int]:
    """Make the records that are due, and another version of those that deeds arrived after; returns counts. One whose
    person has not agreed to reports waits for it."""
    with reading() as session:
        due = session.scalars(
            select(Booking.id)
            .where(Booking.state == BookingState.FULFILLED, Booking.kind.in_(dispatched()))
            .where(Booking.service_date >= (now - WITHIN).date(), may_show(Booking.beneficiary_id, now))
            .where(_is_due())
            .order_by(Booking.service_date, Booking.id)
            .limit(limit)
        ).all()
    return dict(one_by_one("escort_records", due, lambda booking_id: _file(booking_id, now)))


def _is_due() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) it has a deed that no version of its record holds: each is issued at the moment of
    the newest deed in it, by the clock that deeds are heard by. One that its customer has deleted is not made again."""
    ours = and_(Report.provider_id == Booking.provider_id, Report.reference == Booking.public_id + _SUFFIX)
    holds_until = (
        select(func.max(ReportVersion.issued_at))
        .join(Report, Report.id == ReportVersion.report_id)
        .where(ours)
        .correlate(Booking)
        .scalar_subquery()
    )
    return and_(
        or_(holds_until.is_(None) & _heard().is_not(None), _heard() > holds_until),
        ~exists().where(ours, Report.deleted_at.is_not(None)),
    )


def _heard() -> ColumnElement[datetime]:
    """When (SQL, of a Booking) we heard of the newest deed that is told; NULL without any."""
    return (
        select(func.max(EscortDeed.received_at))
        .join(EscortAssignment, EscortAssignment.id == EscortDeed.assignment_id)
        .where(EscortDeed.booking_id == Booking.id, was_sent())
        .correlate(Booking)
        .scalar_subquery()
    )


def _file(booking_id: int, now: datetime) -> str:
    with reading() as session:  # papers take their time to open and to set: nobody waits for that
        pictures = _pictures(session, booking_id)
        papers = _papers(session, booking_id, pictures)
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.id == booking_id).with_for_update()).one()
        may = session.scalar(select(may_show(Booking.beneficiary_id, now)).where(Booking.id == booking_id))
        if booking.state is not BookingState.FULFILLED or not may:
            return "moved_on"
        known = session.scalars(_report_of(booking)).one_or_none()
        if known is not None and known.deleted_at is not None:
            return "deleted"
        due, heard = session.execute(select(_is_due(), _heard()).where(Booking.id == booking.id)).one()
        if not due:
            return "known"
        if _pictures(session, booking.id) != pictures:  # another one came meanwhile
            return "moved_on"
        version = known.fetched_version + 1 if known is not None else 1
        language = language_of(session.get_one(Customer, booking.customer_id).language)
        remote = _announced(booking, version, heard)
        announce(session, booking.provider_id, remote, now=now)
        report = session.scalars(_report_of(booking)).one()
        conclusion = conclusion_of(told_of(session, booking.id), booking, language)
        content = ReportContent(remote, (), conclusion, b"", "")
        left_out = len(pictures) - len(papers)
        add(session, report, Examined(content, _with_text(papers, conclusion), left_out=left_out), now=now)
        audit.record(
            session,
            DELIVERED,
            at=now,
            actor_kind="clock",
            actor="",
            subject=report.public_id,
            insurer_id=report.insurer_id,
            version=remote.version,
        )
    log.info("escort.record_filed", booking=booking.public_id, papers=len(papers))
    return "filed"


def _report_of(booking: Booking) -> Select[Report]:
    """Its report, to be locked behind the booking."""
    ours = (Report.provider_id == booking.provider_id, Report.reference == booking.public_id + _SUFFIX)
    return select(Report).where(*ours).with_for_update()


def _announced(booking: Booking, version: int, heard: datetime) -> RemoteReport:
    return RemoteReport(
        reference=booking.public_id + _SUFFIX,
        booking_reference="",
        our_reference=booking.public_id,
        version=version,
        status="final" if version == 1 else "corrected",
        issued_at=heard,
    )


def conclusion_of(told: Told, booking: Booking, language: Language) -> str:
    """The record's text: who came, each step with the time of its deed, notes, costs, the hand-over note. Times are
    those of the place, with the date where it is another one's, and what is doubtful about them."""
    zone = ZoneInfo(booking.time_zone)

    def at(moment: datetime) -> str:
        there = moment.astimezone(zone)
        day = "" if there.date() == booking.service_date else f"{there.date().isoformat()} "
        return f"{day}{there:%H:%M}"

    def in_doubt(doubt: Doubt | None) -> str:
        return (
            "" if doubt is None else _DOUBT.in_language(language).format(why=words.DOUBTS[doubt].in_language(language))
        )

    parts = [f"{words_of(booking.kind).report.in_language(language)} {booking.service_date.isoformat()}"]
    for one in told.sent:
        lines = [_ESCORT.in_language(language).format(name=one.name)]
        lines += [
            f"{at(deed.at)} {words.DONE[deed.kind].in_language(language)}"
            + (_BY_CODE.in_language(language) if deed.by_code else "")
            + in_doubt(deed.doubt)
            + (f"\n{deed.words}" if deed.words else "")
            for deed in one.deeds
            if deed.kind in words.DONE
        ]
        parts.append("\n".join(lines))
    chapters = (
        (_NOTES, [f"{at(note.at)} {note.words}{in_doubt(note.doubt)}" for note in told.notes]),
        (
            _COSTS,
            [f"{at(it.at)} {it.what} {_sum(it.amount_minor, it.currency)}{in_doubt(it.doubt)}" for it in told.costs],
        ),
        (_SUMMARY, [told.handed_over] if told.handed_over else []),
    )
    parts += [f"{title.in_language(language)}\n" + "\n".join(lines) for title, lines in chapters if lines]
    return "\n\n".join(parts)


def _sum(minor: int, currency: str) -> str:
    digits = get_currency_precision(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f} {currency}"


def _with_text(papers: tuple[Paper, ...], conclusion: str) -> tuple[Paper, ...]:
    """The papers behind a sheet with the text: a report's first paper is what is printed of it. None without any."""
    if not papers:
        return ()
    from booking.escort.after.sheets import text_sheet  # noqa: PLC0415 (as in _sheets)

    return (Paper(PDF, text_sheet(conclusion)), *papers)


def _pictures(session: Session, booking_id: int) -> Sequence[int]:
    """The pictures (internal ids) of papers and receipts in the order of their deeds."""
    return session.scalars(
        select(EscortPicture.id)
        .join(EscortDeed, EscortDeed.id == EscortPicture.deed_id)
        .join(EscortAssignment, EscortAssignment.id == EscortDeed.assignment_id)
        .where(EscortDeed.booking_id == booking_id, was_sent())
        .order_by(EscortDeed.assignment_id, EscortDeed.number, EscortDeed.id)
    ).all()


def _papers(session: Session, booking_id: int, pictures: Sequence[int]) -> tuple[Paper, ...]:
    """These pictures, each as a sheet of PDF: as many as a report holds, without those that can't be opened."""
    return tuple(_sheets(session, booking_id, pictures[: MOST_PAPERS - 1])) if pictures else ()


def _sheets(session: Session, booking_id: int, pictures: Sequence[int]) -> Iterator[Paper]:
    # Here, since it makes every start of a process longer (as in reports.output.export).
    from booking.escort.after.sheets import picture_sheet  # noqa: PLC0415

    key = medical_key(session, booking_id)
    for each in pictures:
        row = session.get_one(EscortPicture, each, options=[undefer(EscortPicture.sealed)])  # one at a time
        try:
            yield Paper(PDF, picture_sheet(open_picture(row, key), row.width, row.height))
        except Unreadable:
            continue
        finally:
            session.expunge(row)
