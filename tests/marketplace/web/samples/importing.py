"""Bulk imports at the console."""

from __future__ import annotations

from typing import Any

from marketplace.core.bulk.cells import LineError
from marketplace.core.paging import Page
from marketplace.web.console.importing import page
from marketplace.web.parts import Form
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import Context, at, zh_en
from vip.imports.contents import Details
from vip.imports.view import ImportLine, ImportView, RefusedLine
from vip.policies.bulk import COLUMNS, POLICIES

_COUNTS = {"created": 6081, "unchanged": 118, "refused": 41}
_CODES = tuple(column.code for column in COLUMNS)


def _line(number: int, state: str, lines: int = 10_000, **counts: int) -> ImportLine:
    return ImportLine(f"imp_{number}", number, POLICIES, state, at(11, 23, 9), lines, counts)


_RECENT = (
    _line(1123, "running", **_COUNTS),
    _line(1102, "done", 2400, created=2400),
    _line(1015, "done", 9870, updated=9858, refused=12),
    _line(930, "stopped", 500, created=120),
    _line(929, "failed", 0),
)


def imports(none: bool = False, wrong: bool = False) -> Context:
    said = zh_en(
        "缺少这些列：保单号。下载模板，照标题行填写。", "These columns are missing: policy number. Use the template."
    )
    return console_page(
        "imports",
        rows=() if none else tuple(map(page.row, _RECENT)),
        kinds=(page.kind_row(POLICIES),),
        form=Form({"kind": "policies"}, {"document": said} if wrong else {}),
        largest=8 * 2**20,
        most=50_000,
        megabytes=8,
        more_url="" if none else "/gallery/console_imports",
    )


def one(state: str = "running") -> Context:
    it = _view(state)
    errors = page.error_table(it, Page(_refused(), "x"), "", "")
    return console_page(
        "imports",
        it=page.page(it),
        errors=errors,
        recent=tuple(map(page.row, _RECENT)),
        problem=None,
        version='"x"',
        live_url="/gallery/console_import",
    )


def _view(state: str) -> ImportView:
    begun = state in ("running", "paused", "done", "stopped")
    known: dict[str, Any] = {
        "running": _COUNTS,
        "paused": _COUNTS,
        "checked": {"created": 9800, "unchanged": 159, "refused": 41},
        "checking": {"created": 3000, "refused": 7},
        "done": {"created": 9800, "unchanged": 159, "refused": 41},
        "stopped": _COUNTS,
    }.get(state, {})
    lines = 10_000 if known else 0
    read = state not in ("uploaded", "failed")
    details = Details(
        "policies-2026-q4.csv", "csv" if read else "", "gb18030" if read else "", _CODES, ("备注",) if read else ()
    )
    return ImportView(
        line=_line(1123, state, lines, **known),
        by=zh_en("林默", "Lin Mo"),
        size=1_468_006,
        details=None if state == "stopped" else details,
        failure={"reason": "missing_columns", "columns": "number,insured_1_name"} if state == "failed" else None,
        begun=begun,
        started_at=at(11, 23, 9) if begun else None,
        ended_at=None,
        forgotten_at=at(11, 24, 9) if state == "stopped" else None,
        forgets_from=at(11, 23, 9),
        processed=sum(known.values()),
        a_second=52.0 if state == "running" else 0.0,
        seconds_left=70.0 if state == "running" else None,
        same_as=(1102,) if state == "checked" else (),
        reasons=(("no_such_day", 20), ("holder_is_another", 12), ("missing", 9)) if known.get("refused") else (),
    )


def _refused() -> tuple[RefusedLine, ...]:
    return (
        RefusedLine(214, [(LineError("holder_phone", "holder_is_another"), "1***01")]),
        RefusedLine(871, [(LineError("in_force_until", "no_such_day"), "2026/2/30")]),
        RefusedLine(1406, [(LineError("key", "stored_as_number"), "12"), (LineError("status", "not_a_choice"), "好")]),
        RefusedLine(2033, [(LineError("", "doubled", {"line": 1771}), "")]),
        RefusedLine(3590, [(LineError("in_force_from", "missing"), "")]),
    )
