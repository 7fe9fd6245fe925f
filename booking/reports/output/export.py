"""Taking a report along: as a PDF, and as a FHIR Bundle. Each is a look that is recorded before anything is given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from booking.reports.box import Document, own_report, paper_of, record_look, view_of
from booking.reports.output.fhir import bundle
from booking.reports.output.print import print_report
from marketplace.core.db import transaction
from vip.principal import Principal

PDF = "application/pdf"


def report_as_pdf(principal: Principal, public_id: str, *, now: datetime) -> Document:
    """The provider's own PDF, or the results printed by us where it sent none. Raises NotFound, ConsentMissing."""
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
        papers = [paper_of(session, row, line.position) for line in view.papers]
        return bundle(view, row.Beneficiary.sex, row.Beneficiary.birth_date, papers, now=now)


def pdf_of(session: Session, row: Row[Any]) -> Document:
    """The PDF of what report_box.find_report found; the caller has judged who may look, and records it."""
    view = view_of(session, row)
    for line in view.papers:
        if line.media_type == PDF:
            return paper_of(session, row, line.position)
    return Document(print_report(view), PDF, view.version, view.service_date, view.kind)
