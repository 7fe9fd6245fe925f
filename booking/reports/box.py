"""A customer's reports. Each look at one is a line of the audit trail."""

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
from booking.reports.reading.read import Reading, Whose, read_all
from booking.reports.versions import Changes, VersionLine, changes_between, outstanding
from marketplace.core import audit
from marketplace.core.crypto import unseal, unwrap_key
from marketplace.core.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text
from vip.consent import ConsentMissing, may_show
from vip.models import Beneficiary
from vip.principal import Principal


@dataclass(frozen=True)
class ReportCard:
    """A report in the list: whose, from where, and how many items lie outside their range."""

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
    """A report in full, in the version asked for: results to look at first, then as delivered.

    `newest` is the newest version's number, `versions` are all that are here, the newest first; `changes` says what
    this one changed against the one before it. `outstanding` are parts of the package of which no result has come,
    while the report is partial; `due_at` is when it was promised, `late` whether the provider
    had to be asked.
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
    """What the list can be narrowed to: whose reports there are, and of which years, the newest first."""

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
    """The newest version of each report of the family, of one person or one year if asked, the latest check first.

    Shows no result, so it writes no audit line. Reports of an adult who has not consented are left out;
    vip.consent.consents() says of whom that is true.
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
    """Whose reports there are (public id, name, relation; in the family's order), and of which years."""
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
    """Open a report, in its newest version or another; the look is recorded before anything is shown.

    Raises NotFound, ConsentMissing.
    """
    with transaction() as session:
        row = own_report(session, principal, public_id, now, version)
        record_look(session, principal, row, action, now)
        return view_of(session, row)


def report_card(principal: Principal, public_id: str, *, now: datetime) -> ReportCard:
    """One line of the list; no result, no audit line. Raises NotFound, ConsentMissing."""
    with reading() as session:
        return card_of(own_report(session, principal, public_id, now))


def document(principal: Principal, public_id: str, position: int = 0, *, now: datetime) -> Document:
    """A paper of the newest version as the provider issued it; recorded like a look at the report.

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
    """One report that is there, in its newest version or another, with `may_show`: whether consent lets it be shown
    now."""
    shown = may_show(Report.beneficiary_id, now).label("may_show")
    return session.execute(rows(version).where(which).add_columns(shown)).one_or_none()


def view_of(session: Session, row: Row[Any]) -> ReportView:
    """What find_report found, opened. The caller has judged who may look, and records it."""
    report: Report = row.Report
    kept = _versions(session, report.id)
    results, conclusion = results_of(session, row)
    before = next((line.version for line in kept if line.version < row.ReportVersion.version), None)
    earlier = session.execute(rows(before).where(Report.id == report.id)).one() if before else None
    partial = row.ReportVersion.status == "partial"
    return ReportView(
        **vars(card_of(row)),
        provider_name=Text.of(row.Booking.snapshot["provider"]),
        conclusion=conclusion,
        results=results,
        newest=report.fetched_version,
        versions=kept,
        changes=changes_between(results_of(session, earlier)[0], results) if earlier else Changes(),
        outstanding=outstanding(row.Booking.snapshot["package"], results) if partial else (),
        due_at=row.Booking.report_due_at,
        time_zone=row.Booking.time_zone,
        late=row.Booking.report_asked_at is not None,
        papers=papers_of(session, row.ReportVersion),
    )


def paper_of(session: Session, row: Row[Any], position: int) -> Document:
    """A paper of what find_report found. Raises NotFound where there is none."""
    kept: ReportVersion = row.ReportVersion
    paper = open_paper(session, kept, f"{row.Report.public_id}:{kept.version}", position)
    if paper is None:
        raise NotFound(field="position")
    return Document(paper.content, paper.media_type, kept.version, row.Booking.service_date, row.Booking.kind)


def rows(version: int | None = None) -> Select[*tuple[Any, ...]]:
    """Reports with booking, person and their newest version (or another), as far as they are still readable."""
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
    """The principal's own report as one of `rows`. Raises NotFound for somebody else's as for none, ConsentMissing."""
    row = find_report(session, and_(Report.public_id == public_id, Report.customer_id == principal.id), now, version)
    if row is None or principal.kind != "customer":
        raise NotFound(field="report_id")
    if not row.may_show:
        raise ConsentMissing(beneficiary_id=row.Beneficiary.public_id)
    return row


def record_look(session: Session, principal: Principal, row: Row[Any], action: str, now: datetime) -> None:
    """One line of the audit trail for one report that is shown."""
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
    """The results of one of `rows`, read, and the doctor's conclusion. The caller records the look."""
    content = json.loads(_open(row))
    person = row.Beneficiary
    whose = Whose(person.sex, person.birth_date, row.Booking.service_date)
    return read_all(content, whose, codes_of(session, row.Report.provider_id)), content["conclusion"]


def _versions(session: Session, report_id: int) -> list[VersionLine]:
    kept = session.scalars(
        select(ReportVersion)
        .where(ReportVersion.report_id == report_id, ReportVersion.wrapped_key.is_not(None))
        .order_by(ReportVersion.version.desc())
    )
    return [VersionLine(it.version, it.status, it.issued_at, it.items, it.abnormal) for it in kept]


def _open(row: Row[Any]) -> bytes:
    kept: ReportVersion = row.ReportVersion
    record = f"{row.Report.public_id}:{kept.version}"
    return unseal(kept.content_sealed, key=unwrap_key(kept.wrapped_key, record), record=f"{record}:content")


def card_of(row: Row[Any]) -> ReportCard:
    """One of `rows` as a line of the list."""
    kept: Report = row.Report
    version: ReportVersion = row.ReportVersion
    snapshot = row.Booking.snapshot
    return ReportCard(
        id=kept.public_id,
        booking_id=row.Booking.public_id,
        beneficiary_id=row.Beneficiary.public_id,
        beneficiary_name=row.Beneficiary.name,
        relation=row.Beneficiary.relation,
        site=snapshot["site"]["name"],
        kind=row.Booking.kind,
        offer_name=Text.of(snapshot["offer"]),
        service_date=row.Booking.service_date,
        state=kept.state,
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
