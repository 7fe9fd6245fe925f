"""A customer's reports. Each time one is shown, the audit trail records it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, extract, select, tuple_
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.ownership import customer_of
from booking.reports.models import Report, ReportVersion
from booking.reports.papers import PaperLine, open_paper, papers_of
from booking.reports.reading.codes import codes_of
from booking.reports.reading.read import Reading, read_all
from booking.reports.reading.told import Whose
from booking.reports.versions import Changes, VersionLine, changes_between, outstanding
from booking.sealing import version_record
from marketplace.core import audit
from marketplace.core.crypto import unseal, unwrap_key
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text
from vip.customers.consent import ConsentMissing, may_show
from vip.models import Beneficiary
from vip.principal import Principal


@dataclass(frozen=True)
class ReportCard:
    """A report in the list, without its results. `items` counts the results, `abnormal` those outside their range."""

    id: str
    booking_id: str
    beneficiary_id: str
    beneficiary_name: str
    relation: str
    site: str
    kind: str
    offer_name: Text
    service_date: date
    state: str
    version: int
    issued_at: datetime
    items: int
    abnormal: int
    document_type: str


@dataclass(frozen=True)
class ReportView(ReportCard):
    """One version of a report in full. `results` begin with those to look at; the rest are in the order delivered.

    `newest` is the number of the newest version; `versions` are all that are stored, the newest first. `changes` is
    what this version changed in the one before it. `outstanding` are the parts of the package without any result yet;
    it is empty unless the report is partial. `due_at` is when the report was promised; `late` is true once the provider
    had to be asked for it. `missing` results are named in the delivered file but not in it; `left_out` papers are of a
    type that we don't show.
    """

    provider_name: Text
    conclusion: str
    results: Sequence[Reading]
    newest: int
    versions: Sequence[VersionLine]
    changes: Changes
    outstanding: Sequence[Text]
    due_at: datetime | None
    time_zone: str
    late: bool
    papers: Sequence[PaperLine] = ()
    missing: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class Document:
    """A paper of a report, PDF or PNG; `kind` is the code of the benefit."""

    content: bytes
    media_type: str
    version: int
    service_date: date
    kind: str


@dataclass(frozen=True)
class Box:
    """The choices for filtering the list. `people` are (public id, name, relation); `years` the newest first."""

    people: Sequence[tuple[str, str, str]]
    years: Sequence[int]


def reports(
    principal: Principal,
    *,
    cursor: str | None,
    limit: int,
    now: datetime,
    beneficiary_id: str | None = None,
    year: int | None = None,
) -> Page[ReportCard]:
    """The newest version of each report of the family, limited to one person or year if given, the latest service
    first.

    It shows no result, so nothing is recorded in the audit. Reports of an adult who has not consented are left out;
    vip.customers.consent.consents() says who that is.
    """
    order = (Booking.service_date, Report.id)
    with reading() as session:
        query = rows().where(_own_to_show(principal, now))
        if beneficiary_id:
            query = query.where(Beneficiary.public_id == beneficiary_id)
        if year:
            query = query.where(extract("year", Booking.service_date) == year)
        if cursor is not None:
            day, last_id = decode_cursor(cursor, (str, int))
            query = query.where(tuple_(*order) < (_day(day), last_id))
        found = session.execute(query.order_by(*(column.desc() for column in order)).limit(limit + 1)).all()
    cards = [card_of(row) for row in found[:limit]]
    more = len(found) > limit
    last = found[limit - 1] if more else None
    return Page(cards, encode_cursor([last.Booking.service_date.isoformat(), last.Report.id]) if last else None)


def box(principal: Principal, *, now: datetime) -> Box:
    """The people who have reports, in the family's order, and the years of the reports."""
    with reading() as session:
        mine = rows().where(_own_to_show(principal, now))
        people = session.execute(
            select(Beneficiary.public_id, Beneficiary.name, Beneficiary.relation)
            .where(Beneficiary.id.in_(mine.with_only_columns(Report.beneficiary_id, maintain_column_froms=True)))
            .order_by(Beneficiary.id)
        ).all()
        year = extract("year", Booking.service_date)
        years = session.scalars(
            mine.with_only_columns(year, maintain_column_froms=True).distinct().order_by(year.desc())
        ).all()
    return Box([(row.public_id, row.name, row.relation) for row in people], [int(known) for known in years])


def _own_to_show(principal: Principal, now: datetime) -> ColumnElement[bool]:
    return and_(Report.customer_id == customer_of(principal), may_show(Report.beneficiary_id, now))


def report(
    principal: Principal, public_id: str, *, now: datetime, version: int | None = None, action: str = "report.viewed"
) -> ReportView:
    """One report in full, in its newest version or the one given. The audit records it under `action`.

    Raises NotFound, ConsentMissing.
    """
    with transaction() as session:
        row = own_report(session, principal, public_id, now, version)
        record_look(session, principal, row, action, now)
        return view_of(session, row)


def report_card(principal: Principal, public_id: str, *, now: datetime) -> ReportCard:
    """One report as the list shows it: no result, so no audit. Raises NotFound, ConsentMissing."""
    with reading() as session:
        return card_of(own_report(session, principal, public_id, now))


def document(principal: Principal, public_id: str, position: int = 0, *, now: datetime) -> Document:
    """A paper of the newest version as the provider issued it. The audit records it.

    Raises NotFound, ConsentMissing.
    """
    with transaction() as session:
        row = own_report(session, principal, public_id, now)
        paper = paper_of(session, row, position)
        record_look(session, principal, row, "report.downloaded", now)
        return paper


def find_report(
    session: Session, which: ColumnElement[bool], now: datetime, version: int | None = None
) -> Row[Any] | None:
    """The readable report for which the condition `which` holds, in its newest version or the one given; None if there
    is none. The row's `may_show` is whether consent allows it to be shown now."""
    shown = may_show(Report.beneficiary_id, now).label("may_show")
    return session.execute(rows(version).where(which).add_columns(shown)).one_or_none()


def view_of(session: Session, row: Row[Any]) -> ReportView:
    """A row of find_report in full. The caller has checked that it may be shown, and records that it was."""
    report: Report = row.Report
    versions = _versions(session, report.id)
    results, conclusion = results_of(session, row)
    before = next((entry.version for entry in versions if entry.version < row.ReportVersion.version), None)
    earlier = session.execute(rows(before).where(Report.id == report.id)).one() if before else None
    partial = row.ReportVersion.status == "partial"
    return ReportView(
        **vars(card_of(row)),
        provider_name=Text.of(row.Booking.snapshot["provider"]),
        conclusion=conclusion,
        results=results,
        newest=report.fetched_version,
        versions=versions,
        changes=changes_between(results_of(session, earlier)[0], results) if earlier else Changes(),
        outstanding=outstanding(row.Booking.snapshot["package"], results) if partial else (),
        due_at=row.Booking.report_due_at,
        time_zone=row.Booking.time_zone,
        late=row.Booking.report_asked_at is not None,
        papers=papers_of(session, row.ReportVersion),
        missing=_gap(row, "missing"),
        left_out=_gap(row, "left_out"),
    )


def paper_of(session: Session, row: Row[Any], position: int) -> Document:
    """A paper of a row of find_report. Raises NotFound if there is none at that position."""
    newest: ReportVersion = row.ReportVersion
    paper = open_paper(session, newest, f"{row.Report.public_id}:{newest.version}", position)
    if paper is None:
        raise NotFound(field="position")
    return Document(paper.content, paper.media_type, newest.version, row.Booking.service_date, row.Booking.kind)


def rows(version: int | None = None) -> Select[*tuple[Any, ...]]:
    """Selects Report, ReportVersion (the newest, or the one given), Booking and Beneficiary of readable reports."""
    wanted = Report.fetched_version if version is None else version
    return (
        select(Report, ReportVersion, Booking, Beneficiary)
        .join(ReportVersion, (ReportVersion.report_id == Report.id) & (ReportVersion.version == wanted))
        .join(Booking, Booking.id == Report.booking_id)
        .join(Beneficiary, Beneficiary.id == Report.beneficiary_id)
        .where(ReportVersion.wrapped_key.is_not(None), Report.deleted_at.is_(None))
    )


def own_report(
    session: Session, principal: Principal, public_id: str, now: datetime, version: int | None = None
) -> Row[Any]:
    """The principal's own report as one of `rows`. Raises NotFound if there is none or it is not
    hers, ConsentMissing."""
    row = find_report(session, and_(Report.public_id == public_id, Report.customer_id == principal.id), now, version)
    if row is None or principal.kind != "customer":
        raise NotFound(field="report_id")
    if not row.may_show:
        raise ConsentMissing(beneficiary_id=row.Beneficiary.public_id)
    return row


def record_look(session: Session, principal: Principal, row: Row[Any], action: str, now: datetime) -> None:
    """Record in the audit that the principal was shown this report."""
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.kind,
        actor=principal.public_id,
        subject=row.Report.public_id,
        insurer_id=row.Report.insurer_id,
        version=row.ReportVersion.version,
    )


def results_of(session: Session, row: Row[Any]) -> tuple[list[Reading], str]:
    """The results of one of `rows`, interpreted, and the doctor's conclusion. The caller records that they are
    shown."""
    content = json.loads(_open(row))
    person = row.Beneficiary
    whose = Whose(person.sex, person.birth_date, row.Booking.service_date)
    return read_all(content, whose, codes_of(session, row.Report.provider_id)), content["conclusion"]


def _gap(row: Row[Any], name: str) -> int:
    return int(json.loads(_open(row)).get(name, 0))


def _versions(session: Session, report_id: int) -> list[VersionLine]:
    found = session.scalars(
        select(ReportVersion)
        .where(ReportVersion.report_id == report_id, ReportVersion.wrapped_key.is_not(None))
        .order_by(ReportVersion.version.desc())
    )
    return [VersionLine(it.version, it.status, it.issued_at, it.items, it.abnormal) for it in found]


def _open(row: Row[Any]) -> bytes:
    stored: ReportVersion = row.ReportVersion
    record = version_record(row.Report.public_id, stored.version)
    return unseal(stored.content_sealed, key=unwrap_key(stored.wrapped_key, record), record=f"{record}:content")


def card_of(row: Row[Any]) -> ReportCard:
    """One of `rows` as the list shows it."""
    report: Report = row.Report
    version: ReportVersion = row.ReportVersion
    snapshot = row.Booking.snapshot
    return ReportCard(
        id=report.public_id,
        booking_id=row.Booking.public_id,
        beneficiary_id=row.Beneficiary.public_id,
        beneficiary_name=row.Beneficiary.name,
        relation=row.Beneficiary.relation,
        site=snapshot["site"]["name"],
        kind=row.Booking.kind,
        offer_name=Text.of(snapshot["offer"]),
        service_date=row.Booking.service_date,
        state=report.state,
        version=version.version,
        issued_at=version.issued_at,
        items=version.items,
        abnormal=version.abnormal,
        document_type=version.document_type,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as bad:
        raise Invalid(field="cursor", reason="bad_cursor") from bad
