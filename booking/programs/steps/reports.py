"""A report follows the visit, and is corrected by a new version."""

from __future__ import annotations

import secrets

from sqlalchemy import any_, literal, select

from booking.answering.answer import ProvidersAnswer, report
from booking.idempotency import Repeatable
from booking.programs.free import Days, free_slots
from booking.programs.kit import ProgramKit
from booking.reports.deliver import StoredVersion, reports_of
from marketplace.catalog.models import Provider
from marketplace.clients.models import ApiClient
from marketplace.core import clock
from marketplace.core.database.db import reading
from marketplace.core.text import Text
from providers.conformance.step import Capability, Failed, NotTried, Step, expect
from providers.conformance.words import phrase

SCOPE = "reports"
NO_SCOPE = phrase(
    "program-without-reports",
    "测试模式下没有程序可以交付报告（权限 {scope}）",
    "no program may deliver reports in test mode (scope {scope})",
)
NO_SLOT_TODAY = phrase(
    "twin-without-slot-today",
    "测试模式下今天没有可约的时段：当天之前不能完成到店，请先发布今天的时段，其项目须可约到时段开始",
    "nothing can be booked today in test mode, and no visit is over before its day: publish slots of today there "
    "first, of an offer that can be booked until they begin",
)
VISITED = phrase("trial-visited", "> 预约 {booking} 已到店完成", "> the visit of booking {booking} is over")
DELIVERED_WITHIN = phrase(
    "program-report-within",
    "程序在 {seconds} 秒内交付预约 {booking} 的正式报告",
    "the program delivers the final report of booking {booking} within {seconds} s",
)
WITH_RESULTS = phrase("program-report-results", "报告里有结果", "results in the report")
NO_RESULTS = phrase("program-report-no-results", "没有结果", "none")
CORRECT_IT = phrase(
    "program-needs-correction",
    "需要服务方的人员配合：在测试期间更正预约 {booking} 的报告（同一编号，更高版本，状态 corrected）",
    "somebody at the provider has to correct the report of booking {booking} meanwhile: the same reference, a higher "
    "version, status corrected",
)
KEEPS_FIRST = phrase("program-keeps-first", "第一版保留，更正为更高版本", "the first version beside a higher one")
VERSIONS = phrase("program-versions", "版本 {versions}", "versions {versions}")


def delivered(kit: ProgramKit) -> None:
    """After the visit the final report comes, with its file and the file's hash (which is compared when it comes)."""
    first = _final(kit, _visited(kit))
    expect(first.results > 0, WITH_RESULTS(), NO_RESULTS())


def corrected(kit: ProgramKit) -> None:
    """A correction is a higher version of the same report, and the first one stays."""
    booking = _visited(kit)
    first = _final(kit, booking)
    try:
        kit.wait(lambda: _correction(kit, booking), CORRECT_IT(booking=booking))
    except Failed as silent:
        raise NotTried(CORRECT_IT(booking=booking)) from silent
    versions = _versions(kit, booking)
    told = ", ".join(f"{each.version} {each.status}" for each in versions)[:120]
    beside = any(each.version == first.version for each in versions)
    expect(beside and len(versions) > 1, KEEPS_FIRST(), VERSIONS(versions=told))


def _visited(kit: ProgramKit) -> str:
    """A confirmed test booking of today whose visit is over. Raises NotTried."""
    twin_id = kit.trial.twin_id
    with reading() as session:
        able = session.scalars(
            select(ApiClient.id).where(
                ApiClient.provider_id == twin_id, ApiClient.ended_at.is_(None), literal(SCOPE) == any_(ApiClient.scopes)
            )
        ).first()
        zone = session.scalars(select(Provider.time_zone).where(Provider.id == twin_id)).one()
    if able is None:
        raise NotTried(NO_SCOPE(scope=SCOPE))
    today = clock.today(zone, kit.trial.clock())
    found = free_slots(twin_id, Days(today, today), kit.trial.clock())
    if not found:
        raise NotTried(NO_SLOT_TODAY())
    booking = kit.book(found[-1].slot, found[-1].offer)
    kit.until_confirmed(booking)
    repeat = Repeatable(f"conformance:{twin_id}", secrets.token_hex(16), bytes(32))
    report(ProvidersAnswer(twin_id, booking, repeat), "fulfilled", now=kit.trial.clock())
    kit.transcript.note(VISITED(booking=booking))
    return booking


def _final(kit: ProgramKit, booking: str) -> StoredVersion:
    def look() -> StoredVersion | None:
        return next((each for each in _versions(kit, booking) if each.status != "partial"), None)

    return kit.wait(look, DELIVERED_WITHIN(booking=booking, seconds=f"{kit.trial.patience:g}"))


def _correction(kit: ProgramKit, booking: str) -> StoredVersion | None:
    return next((each for each in _versions(kit, booking) if each.status == "corrected"), None)


def _versions(kit: ProgramKit, booking: str) -> list[StoredVersion]:
    """All stored versions of the booking's reports, the newest first."""
    return [each for it in reports_of(kit.trial.twin_id, booking) for each in it.versions]


STEPS = (
    Step(
        "program-report",
        Capability.REPORTS,
        Text("到店完成后交付报告，文件与哈希一致", "The report follows the visit, its file by its hash"),
        delivered,
    ),
    Step(
        "program-corrected",
        Capability.REPORTS,
        Text(
            "更正是更高的版本，第一版仍在（可由人员操作）",
            "A correction is a higher version beside the first (by a person, if need be)",
        ),
        corrected,
    ),
)
