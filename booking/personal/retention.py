"""Deleting what has grown older than it may: rows of any table that the register limits, and results."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, text

from booking.models import Booking
from booking.personal.erase import years_before
from booking.personal.register import Age, Table
from booking.personal.tables import TABLES
from booking.reports.delete import end_report
from booking.reports.models import Report
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
    """Destroy results that may not be stored any longer: anybody's after `report_years`, those of somebody who was
    erased after `medical_years`. Audited, each at its report."""
    periods = []
    if settings().report_years:
        periods.append(Booking.service_date < years_before(now.date(), settings().report_years))
    gone = Beneficiary.erased_at.is_not(None)
    periods.append(and_(gone, Booking.service_date < years_before(now.date(), settings().medical_years)))
    with reading() as session:
        over = session.scalars(
            select(Report.id)
            .join(Booking, Booking.id == Report.booking_id)
            .join(Beneficiary, Beneficiary.id == Report.beneficiary_id)
            .where(Report.deleted_at.is_(None), Report.fetched_version > 0, or_(*periods))
            .order_by(Report.id)
            .limit(REPORTS_AT_ONCE)
        ).all()
    return dict(one_by_one("reports-over", list(over), lambda row: _end(row, now)))


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
