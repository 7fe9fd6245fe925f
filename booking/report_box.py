"""A customer's reports. Each look at one is a line of the audit trail."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select
from sqlalchemy.orm import Session

from booking.models import Booking, Report, ReportVersion
from booking.own import customer_of
from booking.report_papers import PaperLine, open_paper, papers_of
from marketplace.core import audit
from marketplace.core.crypto import unseal, unwrap_key
from marketplace.core.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from vip.consent import ConsentMissing, may_show
from vip.models import Beneficiary
from vip.principal import Principal

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")


@dataclass(frozen=True)
class ReportCard:
    """A report in the list: whose, from where, and how many items lie outside their range."""

    id: str
    booking_id: str
    beneficiary_id: str
    beneficiary_name: str
    relation: str
    site: str
    offer_name: dict[str, str]
    service_date: date
    state: str
    version: int
    issued_at: datetime
    items: int
    abnormal: int
    document_type: str


@dataclass(frozen=True)
class Item:
    """One result. `flag`: normal, low, high, abnormal or blank; `number` is the value when it is one; `code` is the
    provider's own, blank if it has none."""

    name: str
    value: str
    number: float | None
    loinc: str
    unit: str
    low: float | None
    high: float | None
    flag: str
    section: str
    note: str
    code: str = ""


@dataclass(frozen=True)
class ReportView(ReportCard):
    """A report in full: abnormal items first, then as delivered."""

    provider_name: dict[str, str]
    conclusion: str
    results: Sequence[Item]
    papers: Sequence[PaperLine] = ()


@dataclass(frozen=True)
class Document:
    """A paper of a report, PDF or PNG."""

    content: bytes
    media_type: str
    version: int
    service_date: date


def reports(principal: Principal, *, cursor: str | None, limit: int, now: datetime) -> Page[ReportCard]:
    """The newest version of each report of the family, newest first. Shows no result, so it writes no audit line.

    Reports of an adult who has not consented are left out; vip.consent.consents() says of whom that is true.
    """
    with reading() as session:
        query = _rows().where(Report.customer_id == customer_of(principal), may_show(Report.beneficiary_id, now))
        if cursor is not None:
            (last_id,) = decode_cursor(cursor, (int,))
            query = query.where(Report.id < last_id)
        rows = session.execute(query.order_by(Report.id.desc()).limit(limit + 1)).all()
    cards = [_card(row) for row in rows[:limit]]
    return Page(cards, encode_cursor([rows[limit - 1].Report.id]) if len(rows) > limit else None)


def report(principal: Principal, public_id: str, *, now: datetime, action: str = "report.viewed") -> ReportView:
    """Open a report; the look is recorded before anything is shown. Raises NotFound, ConsentMissing."""
    with transaction() as session:
        row = own_report(session, principal, public_id, now)
        record_look(session, principal, row, action, now)
        return view_of(session, row)


def report_card(principal: Principal, public_id: str, *, now: datetime) -> ReportCard:
    """One line of the list; no result, no audit line. Raises NotFound, ConsentMissing."""
    with reading() as session:
        return _card(own_report(session, principal, public_id, now))


def document(principal: Principal, public_id: str, position: int = 0, *, now: datetime) -> Document:
    """A paper of the newest version as the provider issued it; recorded like a look at the report.

    Raises NotFound, ConsentMissing.
    """
    with transaction() as session:
        row = own_report(session, principal, public_id, now)
        paper = paper_of(session, row, position)
        record_look(session, principal, row, "report.downloaded", now)
        return paper


def find_report(session: Session, which: ColumnElement[bool], now: datetime) -> Row[Any] | None:
    """The newest version of one report that is there, with `may_show`: whether consent lets it be shown now."""
    shown = may_show(Report.beneficiary_id, now).label("may_show")
    return session.execute(_rows().where(which).add_columns(shown)).one_or_none()


def view_of(session: Session, row: Row[Any]) -> ReportView:
    """What find_report found, opened. The caller has judged who may look, and records it."""
    content = json.loads(_open(row))
    results = [_item(item) for item in content["items"]]
    return ReportView(
        **vars(_card(row)),
        provider_name=row.Booking.snapshot["provider"],
        conclusion=content["conclusion"],
        results=sorted(results, key=lambda item: item.flag in ("", "normal")),
        papers=papers_of(session, row.ReportVersion),
    )


def paper_of(session: Session, row: Row[Any], position: int) -> Document:
    """A paper of what find_report found. Raises NotFound where there is none."""
    kept: ReportVersion = row.ReportVersion
    paper = open_paper(session, kept, f"{row.Report.public_id}:{kept.version}", position)
    if paper is None:
        raise NotFound(field="position")
    return Document(paper.content, paper.media_type, kept.version, row.Booking.service_date)


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(Report, ReportVersion, Booking, Beneficiary)
        .join(
            ReportVersion,
            (ReportVersion.report_id == Report.id) & (ReportVersion.version == Report.fetched_version),
        )
        .join(Booking, Booking.id == Report.booking_id)
        .join(Beneficiary, Beneficiary.id == Report.beneficiary_id)
        .where(ReportVersion.wrapped_key.is_not(None), Report.deleted_at.is_(None))
    )


def own_report(session: Session, principal: Principal, public_id: str, now: datetime) -> Row[Any]:
    """What find_report finds of the customer's own. Raises NotFound, ConsentMissing."""
    row = find_report(session, and_(Report.public_id == public_id, Report.customer_id == principal.id), now)
    if row is None or principal.kind != "customer":
        raise NotFound(field="report_id")
    if not row.may_show:
        raise ConsentMissing(beneficiary_id=row.Beneficiary.public_id)
    return row


def record_look(session: Session, principal: Principal, row: Row[Any], action: str, now: datetime) -> None:
    """The look's line of the audit, in the caller's transaction."""
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


def _open(row: Row[Any]) -> bytes:
    kept: ReportVersion = row.ReportVersion
    record = f"{row.Report.public_id}:{kept.version}"
    return unseal(kept.content_sealed, key=unwrap_key(kept.wrapped_key, record), record=f"{record}:content")


def _card(row: Row[Any]) -> ReportCard:
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
        offer_name={"zh": snapshot["offer"]["zh"], "en": snapshot["offer"]["en"]},
        service_date=row.Booking.service_date,
        state=kept.state,
        version=version.version,
        issued_at=version.issued_at,
        items=version.items,
        abnormal=version.abnormal,
        document_type=version.document_type,
    )


def _item(raw: dict[str, Any]) -> Item:
    return Item(**raw, number=float(raw["value"]) if _NUMBER.fullmatch(raw["value"]) else None)
