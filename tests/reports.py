"""Reports for tests: a provider that delivers what the test puts into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal
from unittest import mock

from sqlalchemy import select
from sqlalchemy.orm import undefer

from booking.models import Booking
from booking.reports import files
from booking.reports.fetch import announce, fetch_due
from booking.reports.models import Report, ReportVersion
from booking.states import BookingState
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from providers.port import ProviderError
from providers.reported import RemoteReport, ReportContent, ReportItem, ReportPage
from tests.files import make_pdf
from tests.people import NOON
from tests.world import World, connection_to, go

PDF = make_pdf("the original document of a check-up")
LATER = NOON + timedelta(hours=1)
ITEMS = (
    ReportItem("收缩压", "128", "8480-6", "mm[Hg]", 90, 139, "normal", "一般检查"),
    ReportItem("总胆固醇", "4.10", "14647-2", "mmol/L", 2.8, 5.2, "normal", "血脂"),
    ReportItem("低密度脂蛋白胆固醇", "3.92", "22748-8", "mmol/L", None, 3.4, "high", "血脂"),
    ReportItem("心电图", "窦性心动过缓", "11524-6", section="影像与功能检查", flag="abnormal"),
    ReportItem("血红蛋白", "108", "718-7", "g/L", 115, 150, "low", "血常规"),
)
CONCLUSION = "血脂偏高，三个月后复查。"


def listed(
    world: World, booking: str | None, version: int = 1, reference: str = "RR-1", **changes: Any
) -> RemoteReport:
    """A report as the provider's list shows it, of a booking that it has confirmed."""
    if booking is not None and _state(booking) is BookingState.AWAITING_PROVIDER:
        go(booking, BookingState.CONFIRMED)
    return listed_unconfirmed(booking, version, reference, **changes)


def _state(booking: str) -> BookingState | None:
    with reading() as session:
        return session.scalar(select(Booking.state).where(Booking.public_id == booking))


def listed_unconfirmed(booking: str | None, version: int = 1, reference: str = "RR-1", **changes: Any) -> RemoteReport:
    """The same, and how its booking stands is left as it is."""
    status: Literal["final", "corrected"] = "final" if version == 1 else "corrected"
    return replace(RemoteReport(reference, "R-1", booking, version, status, NOON), **changes)


def content(remote: RemoteReport, *, items: Sequence[ReportItem] = ITEMS, **changes: Any) -> ReportContent:
    """What is fetched for it."""
    return replace(ReportContent(remote, items, CONCLUSION, PDF, "application/pdf"), **changes)


@dataclass
class ReportAdapter:
    """Lists `pages` in order and delivers `contents` by reference and version; what is missing cannot be read."""

    pages: list[ReportPage] = field(default_factory=list)
    contents: dict[tuple[str, int], ReportContent] = field(default_factory=dict)
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)

    def reports_since(self, cursor: str | None, page: str | None) -> ReportPage:
        """The next page."""
        self.asked.append((cursor, page))
        if not self.pages:
            raise ProviderError("no answer")
        return self.pages.pop(0)

    def fetch_report(self, report: RemoteReport) -> ReportContent:
        """The content of that version."""
        found = self.contents.get((report.reference, report.version))
        if found is None:
            raise ProviderError("no such report")
        return found


_look = files._look


@cache
def _look_once(claimed: str, content: bytes, *_how: object) -> Any:
    return _look(claimed, content)


def examined_once() -> Any:
    """While this lasts the examiner of files, a process of its own, is asked once about the same bytes, and its answer
    remembered."""
    return mock.patch.object(files, "_look", lambda *file: _look_once(*file, files.COMMAND, files.WALL_SECONDS))


def fetch(world: World, *contents: ReportContent, now: datetime = LATER) -> dict[str, int]:
    """Fetch what is due from a provider that has these, each file examined once."""
    adapter = ReportAdapter(contents={(it.report.reference, it.report.version): it for it in contents})
    with examined_once():
        return fetch_due(connection_to(world.provider), adapter, now=now)  # type: ignore[arg-type]


def deliver(
    world: World, booking: str, version: int = 1, *, now: datetime = NOON, reference: str = "RR-1", **changes: Any
) -> str:
    """A report of that booking, announced and fetched; its public id."""
    status = changes.pop("status", None)
    remote = listed(world, booking, version, reference, **({"status": status} if status else {}))
    with transaction() as session:
        announce(session, world.provider.id, remote, now=now)
    assert fetch(world, content(remote, **changes), now=now) == {"stored": 1}
    return report_row(reference).public_id


def report_row(reference: str = "RR-1") -> Report:
    """The report as it stands."""
    with reading() as session:
        return session.scalars(select(Report).where(Report.reference == reference)).one()


def versions(reference: str = "RR-1") -> list[ReportVersion]:
    """Its versions, oldest first."""
    with reading() as session:
        return list(
            session.scalars(
                select(ReportVersion)
                .join(Report, Report.id == ReportVersion.report_id)
                .where(Report.reference == reference)
                .order_by(ReportVersion.version)
                .options(undefer(ReportVersion.document_sealed))
            )
        )


def looks(public_id: str) -> list[str]:
    """What the audit says about it."""
    with reading() as session:
        return list(
            session.scalars(select(AuditLine.action).where(AuditLine.subject == public_id).order_by(AuditLine.id))
        )
