"""A report comes after the visit, can be fetched, and is corrected by a new version."""

from __future__ import annotations

from marketplace.core.text import Text
from providers.conformance.kit import Kit
from providers.conformance.step import Capability, Failed, Step, expect
from providers.conformance.words import phrase
from providers.reported import RemoteReport

MOST_PAGES = 200

HIGHER_REPORT = phrase("higher-version-of-report", "报告的更高版本", "a higher version of the report")
CORRECTED = phrase("report-corrected", "报告为已更正", "a report that is corrected")
REPORT_STATUS = phrase("report-status", "报告为 {status}", "one that is {status}")
HIGHER_VERSION = phrase("report-higher-version", "更高的版本号", "a higher version")
VERSION_AFTER = phrase("version-after", "版本 {first} 之后是 {second}", "version {second} after {first}")
FIRST_AS_IT_WAS = phrase("first-version-as-it-was", "第一版保持原样", "the first version as it was")
OTHER_CONTENT = phrase("another-content", "内容变了", "another content")
REPORT_LISTED = phrase(
    "report-of-finished-listed", "完成的预约的报告在列表里", "the report of the finished booking in the list"
)
ENDS = phrase("report-list-ends", "有尽头的列表", "a list that ends")
TOO_LONG = phrase("report-more-pages", "超过 {number} 页", "more than {number} pages")
RESULTS = phrase("results-in-report", "报告里有结果", "results in the report")
FILE = phrase("file-of-report", "报告的文件", "the file of the report")
NONE = phrase("report-none", "没有", "none")


def issued(kit: Kit) -> None:
    """The report of a finished booking is listed and fetched."""
    _fetch(kit, _made(kit))


def corrected(kit: Kit) -> None:
    """A correction is the same report with a higher version, and the first version stays."""
    first = _made(kit)
    before = kit.adapter.fetch_report(first)
    kit.mode.move(first.booking_reference, "report")
    second = kit.wait(lambda: _newer(kit, first), HIGHER_REPORT())
    expect(second.status == "corrected", CORRECTED(), REPORT_STATUS(status=second.status))
    higher = second.version > first.version
    expect(higher, HIGHER_VERSION(), VERSION_AFTER(first=first.version, second=second.version))
    _fetch(kit, second)
    again = kit.adapter.fetch_report(first)
    expect(again.items == before.items, FIRST_AS_IT_WAS(), OTHER_CONTENT())


def _made(kit: Kit) -> RemoteReport:
    """The report of a test booking that was carried out."""
    mode, booked = kit.mode, kit.book()
    mode.move(booked.reference, "fulfil")
    mode.move(booked.reference, "report")
    return kit.wait(lambda: _find(kit, booked.reference), REPORT_LISTED())


def _newer(kit: Kit, first: RemoteReport) -> RemoteReport | None:
    found = _find(kit, first.booking_reference)
    return found if found is not None and (found.version, found.status) != (first.version, first.status) else None


def _find(kit: Kit, booking: str) -> RemoteReport | None:
    page, found = None, None
    for _number in range(MOST_PAGES):
        part = kit.adapter.reports_since(None, page)
        found = next((each for each in part.reports if each.booking_reference == booking), found)
        page = part.next
        if page is None:
            return found
    raise Failed(ENDS(), TOO_LONG(number=MOST_PAGES))


def _fetch(kit: Kit, report: RemoteReport) -> None:
    content = kit.adapter.fetch_report(report)
    whole = bool(content.items) or content.document_type == "application/fhir+json"
    expect(whole, RESULTS(), NONE())
    expect(bool(content.document), FILE(), NONE())


STEPS = (
    Step(
        "reports-issued",
        Capability.REPORTS,
        Text("完成的预约的报告能列出、能取回", "The report of a finished booking is listed and fetched"),
        issued,
    ),
    Step(
        "reports-corrected",
        Capability.REPORTS,
        Text("更正是更高的版本，第一版仍在", "A correction is a higher version beside the first"),
        corrected,
    ),
)
