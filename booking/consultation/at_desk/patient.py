"""The patient of a conversation, for the clinician who has it in hand: facts, what was asked beforehand, and earlier
reports: those of her own provider that the person has agreed to, and of every provider where the customer lets her see
them in this consultation (agreed)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select
from sqlalchemy.orm import Session

from booking.consultation import read
from booking.consultation.access import FIELD
from booking.consultation.models import Conversation
from booking.models import Booking
from booking.reports.box import ReportView, find_report, rows, view_of
from booking.reports.models import Report
from booking.reports.trend import Trend, read_trend
from booking.sealing import open_details
from marketplace.catalog.benefit_kind import age_on
from marketplace.core import audit
from marketplace.core.clock import today
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from vip.customers.consent import may_show
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary
from vip.principal import Member

REPORT_SHOWN = "report.shown_to_clinician"
"""The audit's action for a clinician's look at an earlier report; its subject is the report."""
MOST_REPORTS = 20


@dataclass(frozen=True)
class EarlierReport:
    """An earlier report: its public id, the code of its kind, the day of the service and who delivered it."""

    id: str
    kind: str
    day: date
    provider: Text


@dataclass(frozen=True)
class Patient:
    """Whom a conversation is about. `details` are the answers given beforehand, by the names of the kind's schema;
    `kind` is that kind's code. `agreed`: her reports may be shown; `reports` is empty without it. `every_provider`:
    those of all providers are among them."""

    name: str = field(repr=False)
    sex: str
    age: int
    kind: str
    details: Mapping[str, Any] = field(repr=False)
    agreed: bool
    reports: Sequence[EarlierReport]
    every_provider: bool = False


def patient_of(member: Member, conversation: str, *, now: datetime) -> Patient:
    """The patient of a conversation that the clinician has in hand; her look is a line of the audit. Raises NotFound,
    also where she has it not in hand: who only reads along needs no facts."""
    with transaction() as session:
        row = _in_hand(session, member, conversation, now)
        talk: Conversation = row.Conversation
        booking: Booking = row.Booking
        person: Beneficiary = row.Beneficiary
        agreed = bool(session.scalar(select(may_show(Booking.beneficiary_id, now)).where(Booking.id == booking.id)))
        return Patient(
            person.name,
            person.sex,
            age_on(person.birth_date, today(booking.time_zone, now)),
            booking.kind,
            _details(session, booking, person),
            agreed,
            _reports(session, _shared(talk, booking)) if agreed else (),
            talk.reports_agreed_at is not None,
        )


def earlier_report(member: Member, conversation: str, report: str, *, now: datetime) -> ReportView:
    """One of those reports in full; each look is a line of the audit. Raises NotFound, also once the person agrees no
    more."""
    with transaction() as session:
        known = _in_hand(session, member, conversation, now)
        wanted = and_(Report.public_id == report, _shared(known.Conversation, known.Booking))
        row = find_report(session, wanted, now)
        if row is None or not row.may_show:
            raise NotFound(field="report_id")
        _record(session, member, conversation, row.Report, now)
        return view_of(session, row)


def earlier_trend(member: Member, conversation: str, item: str, *, now: datetime) -> Trend:
    """One item over those reports; the look is a line of the audit for each that it shows. Raises NotFound."""
    with transaction() as session:
        known = _in_hand(session, member, conversation, now)
        booking: Booking = known.Booking
        if not session.scalar(select(may_show(Booking.beneficiary_id, now)).where(Booking.id == booking.id)):
            raise NotFound(field="item")
        return read_trend(
            session,
            item,
            known.Beneficiary,
            _shared(known.Conversation, booking),
            lambda row: _record(session, member, conversation, row.Report, now),
        )


def _record(session: Session, member: Member, conversation: str, report: Report, now: datetime) -> None:
    audit.record(
        session,
        REPORT_SHOWN,
        at=now,
        actor_kind=member.acts_as,
        actor=member.public_id,
        subject=report.public_id,
        insurer_id=report.insurer_id,
        conversation=conversation,
    )


def _in_hand(session: Session, member: Member, conversation: str, now: datetime) -> Row[Any]:
    row = read.find(session, member, conversation)
    if row.Conversation.clinician_id != member.id or row.Conversation.closed_at is not None:
        raise NotFound(field=FIELD)
    read.record_look(session, member, row, now)
    return row


def _shared(talk: Conversation, booking: Booking) -> ColumnElement[bool]:
    """Reports of the same person that the consultation's own provider delivered, or any, where the customer has agreed
    that its doctor sees them."""
    hers = Report.beneficiary_id == booking.beneficiary_id
    return hers if talk.reports_agreed_at is not None else and_(hers, Report.provider_id == talk.provider_id)


def _reports(session: Session, shared: ColumnElement[bool]) -> Sequence[EarlierReport]:
    found = session.execute(
        rows().where(shared).order_by(Booking.service_date.desc(), Report.id.desc()).limit(MOST_REPORTS)
    )
    return [
        EarlierReport(
            row.Report.public_id,
            row.Booking.kind,
            row.Booking.service_date,
            Text.of(row.Booking.snapshot["provider"]),
        )
        for row in found
    ]


def _details(session: Session, booking: Booking, person: Beneficiary) -> Mapping[str, Any]:
    try:
        return open_details(booking.details_sealed, key_of(session, person, PROCESS), booking.public_id)
    except Unreadable:  # erased meanwhile
        return {}
