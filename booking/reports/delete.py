"""Deleting a report: its keys are destroyed, so that nobody can read it again, and it is never fetched again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from booking.discrepancies import close_discrepancy
from booking.models import Booking
from booking.ownership import customer_of
from booking.reports.models import Report, ReportDocument, ReportShare, ReportVersion
from booking.transition import touch
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from vip.customers.consent import ConsentMissing, may_show
from vip.models import Beneficiary
from vip.principal import Principal


def delete_report(principal: Principal, public_id: str, *, now: datetime) -> None:
    """Destroy the keys of all versions, blank the sealed bytes and revoke the links to the report. Audited.

    The row stays, so that later announcements of this report are ignored. Only a report that the customer may see can
    be deleted. Raises NotFound, ConsentMissing.
    """
    with transaction() as session:
        report = session.scalars(
            select(Report)
            .where(
                and_(
                    Report.public_id == public_id,
                    Report.customer_id == customer_of(principal),
                    Report.deleted_at.is_(None),
                    Report.fetched_version > 0,
                )
            )
            .with_for_update()
        ).one_or_none()
        if report is None:
            raise NotFound(field="report_id")
        if not session.scalar(select(may_show(Report.beneficiary_id, now)).where(Report.id == report.id)):
            person = session.get_one(Beneficiary, report.beneficiary_id)
            raise ConsentMissing(beneficiary_id=person.public_id)
        end_report(session, report, "report.deleted", principal.kind, principal.public_id, now=now)


def end_report(session: Session, report: Report, action: str, actor_kind: str, actor: str, *, now: datetime) -> None:
    """What `delete_report` does to a report whose row the caller has locked; the audit names it `action`."""
    _destroy(session, report.id)
    report.deleted_at, report.fetch_after = now, None
    session.execute(
        update(ReportShare)
        .where(ReportShare.report_id == report.id, ReportShare.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    booking = session.scalars(select(Booking).where(Booking.id == report.booking_id).with_for_update()).one()
    booking.report_state = "none"
    touch(booking, now=now)
    for kind in ("report_refused", "report_not_fetched", "report_incomplete", "report_critical"):
        close_discrepancy(session, report.provider_id, kind, report.reference, "deleted", now=now)
    audit.record(
        session,
        action,
        at=now,
        actor_kind=actor_kind,
        actor=actor,
        subject=report.public_id,
        insurer_id=report.insurer_id,
        versions=report.fetched_version,
    )


def _destroy(session: Session, report_id: int) -> None:
    """Delete keys and sealed bytes. Without the wrapped key the bytes cannot be read; they are deleted as useless."""
    version_ids = select(ReportVersion.id).where(ReportVersion.report_id == report_id)
    session.execute(update(ReportDocument).where(ReportDocument.version_id.in_(version_ids)).values(sealed=b"", size=0))
    session.execute(
        update(ReportVersion)
        .where(ReportVersion.report_id == report_id)
        .values(wrapped_key=None, content_sealed=b"", document_sealed=b"", items=0, abnormal=0)
    )
