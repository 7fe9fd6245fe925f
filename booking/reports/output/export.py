"""Exporting a report as a PDF and as a FHIR Bundle. The audit records each export."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from booking.reports.box import Document, own_report, paper_of, record_look, view_of
from booking.reports.output.fhir import bundle
from marketplace.core.database.db import transaction
from vip.principal import Principal

PDF = "application/pdf"


def report_as_pdf(principal: Principal, public_id: str, *, now: datetime) -> Document:
    """The provider's own PDF, or one of ours with the results if it sent none. Raises NotFound, ConsentMissing."""
    with transaction() as session:
        row = own_report(session, principal, public_id, now)
        record_look(session, principal, row, "report.downloaded", now)
        return pdf_of(session, row)


def report_as_fhir(principal: Principal, public_id: str, *, now: datetime) -> dict[str, Any]:
    """The report with its papers as a FHIR R4 Bundle. Raises NotFound, ConsentMissing."""
    with transaction() as session:
        row = own_report(session, principal, public_id, now)
        record_look(session, principal, row, "report.exported", now)
        view = view_of(session, row)
        papers = [paper_of(session, row, paper.position) for paper in view.papers]
        return bundle(view, row.Beneficiary.sex, row.Beneficiary.birth_date, papers, now=now)


def pdf_of(session: Session, row: Row[Any]) -> Document:
    """The PDF of a row of box.find_report. The caller has checked that it may be shown, and records that it was."""
    view = view_of(session, row)
    for paper in view.papers:
        if paper.media_type == PDF:
            return paper_of(session, row, paper.position)
    # Here, since reportlab and its imaging library make every start of a web process longer, and few ever print.
    from booking.reports.output.print import print_report  # noqa: PLC0415

    return Document(print_report(view), PDF, view.version, view.service_date, view.kind)
