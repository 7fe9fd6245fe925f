"""Discrepancies, comparisons and statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from booking.reconcile.cases import CaseView, Counts, DiscrepancyView, Filter, HistoryLine, OurSide
from booking.reconcile.runs import RunView
from booking.settlement.statements import Stated, StatementRow, StatementView
from marketplace.core.text import Text
from marketplace.web.console import overview_page
from marketplace.web.console.books import cases_page, runs_page, statements_page
from marketplace.web.parts import Form
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at, zh_en


def discrepancies() -> tuple[overview_page.DiscrepancyRow, ...]:
    name = Text("和馨体检", "Hexin Health")
    kinds = ("outcome_unknown", "theirs_only", "slot_oversold", "report_unmatched", "cancel_refused", "state_differs")
    return tuple(
        overview_page.discrepancy(
            DiscrepancyView(
                "d1", kind, "R-20261120-77", "AX7K2M914Q" if n % 2 else None, "hexin", name, at(11, 20 + n // 2, 9)
            )
        )
        for n, kind in enumerate(kinds)
    )


def console_differences(closed: bool = False) -> Context:
    name = Text("和馨体检", "Hexin Health")
    other = Text("康悦健康", "Kangyue Health")
    counts = Counts({"ours_only": 2, "time_differs": 1}, {"hexin": (name, 2), "kangyue": (other, 1)}, 3, 41)
    states, kinds, providers = cases_page.choices(counts, Filter(closed=closed))
    return console_page(
        "discrepancies",
        discrepancies=() if closed else discrepancies(),
        closed=closed,
        narrowed=False,
        states=states,
        kinds=kinds,
        providers=providers,
        more_url="" if closed else "/gallery/console_differences",
    )


def _case(**changes: Any) -> cases_page.CasePage:
    discrepancy = DiscrepancyView(
        "dsc_1", "time_differs", "bkg_7k2m914qx", "AX7K2M914Q", "hexin", Text("和馨体检", "Hexin Health"),
        at(11, 22, 9), units=-1, money_minor=-128000, currency="CNY",
    )  # fmt: skip
    ours = OurSide(
        "bkg_7k2m914qx", "AX7K2M914Q", "confirmed", date(2026, 11, 26), at(11, 26, 8), ZONE,
        Text("甄选套餐", "Select package"), 128000, "CNY", {"HEX-20261120-77": "current"},
    )  # fmt: skip
    facts = {
        "ours": "confirmed", "theirs": "confirmed", "reference": "HEX-20261120-77", "our_reference": "bkg_7k2m914qx",
        "service_date": "2026-11-27", "starts_at": at(11, 27, 9).isoformat(), "version": 4,
    }  # fmt: skip
    view = CaseView(
        discrepancy=discrepancy,
        facts=facts,
        note="",
        ours=ours,
        lines=(
            HistoryLine(at(11, 22, 9, 20), "look_up", True, "operator", "林默"),
            HistoryLine(at(11, 20, 10), "confirmed", False, "provider", "hexin"),
            HistoryLine(at(11, 20, 9), "held", False, "customer", "cus_1"),
        ),
        commands=(("cancel", "queued"),),
        asking=True,
        cancelling=False,
        actions=("look_up", "send_again", "take_their_time", "cancel_there", "cancel_here", "note"),
    )
    return cases_page.case(replace(view, **changes))


def console_case() -> Context:
    return console_page("discrepancies", page=_case())


def console_case_closed() -> Context:
    closed = DiscrepancyView(
        "dsc_2", "theirs_only", "HEX-1", None, "hexin", Text("和馨体检", "Hexin Health"), at(11, 20, 9),
        at(11, 21, 9), "explained",
    )  # fmt: skip
    note = zh_en("对方的测试预约，已电话确认。", "Their test booking; they confirmed it by phone.")
    page = _case(discrepancy=closed, ours=None, facts={}, lines=(), commands=(), asking=False, actions=(), note=note)
    return console_page("discrepancies", page=page)


def console_repair(action: str = "cancel_here", problem: bool = False) -> Context:
    form = Form({}, {"note": zh_en("请填写说明。", "Write a note.")} if problem else {})
    return console_page("discrepancies", page=_case(), repair=cases_page.repair("dsc_1", action), form=form)


def console_runs(empty: bool = False) -> Context:
    name = Text("和馨体检", "Hexin Health")

    def run(state: str, by: str, reason: str = "", case: str | None = None, **counts: int) -> runs_page.RunRow:
        view = RunView(
            "rec_1", name, "hexin", state, by, not by, case, at(11, 23, 9), at(11, 23, 9), at(11, 23, 9, 1), reason,
            counts,
        )  # fmt: skip
        return runs_page.run(view)

    rows = (
        run("running", "林默"),
        run("done", "林默", case="dsc_1", agrees=1),
        run("done", "", listed=1240, found=6, repaired=2, opened=1, standing=3),
        run("failed", "", reason="status 502"),
    )
    providers = (("hexin", zh_en("和馨体检", "Hexin Health")), ("kangyue", zh_en("康悦健康", "Kangyue Health")))
    return console_page("runs", rows=() if empty else rows, providers=providers, form=Form(), more_url="")


def _statement(**changes: Any) -> StatementRow:
    content = {
        "ours": {"states": {"fulfilled": 41, "no_show": 2, "confirmed": 1}, "units": 41, "money": {"CNY": 5248000}},
        "theirs": {
            "states": {"fulfilled": 42, "no_show": 2},
            "money": {"CNY": 5376000},
            "unmatched": 1,
            "read_at": at(11, 23, 0, 20).isoformat(),
        },
        "balance": {"CNY": 128000},
        "open": {"count": 1, "units": 1, "money": {"CNY": 128000}},
    }
    name = Text("和馨体检", "Hexin Health")
    row = StatementRow(
        "stm_1", "hexin", name, Text("安享", "Anxiang"), date(2026, 11, 22), ZONE, at(11, 23, 0, 25), content
    )
    return replace(row, **changes)


def console_statements(empty: bool = False) -> Context:
    calm = {"ours": {"units": 0, "money": {}}, "theirs": {}, "balance": {}, "open": {"count": 0}}
    rows = (
        _statement(),
        _statement(day=date(2026, 11, 21), content=calm),
        _statement(day=date(2026, 11, 20), content={**calm, "balance": None}),
    )
    shown = () if empty else tuple(map(statements_page.statement_row, rows))
    providers = (("", zh_en("全部服务方", "All providers")), ("hexin", zh_en("和馨体检", "Hexin Health")))
    return console_page("statements", rows=shown, providers=providers, form=Form(), more_url="")


def console_statement() -> Context:
    lines = (
        Stated("AX7K2M914Q", "HEX-20261120-77", date(2026, 11, 22), "fulfilled", 1, 128000, "CNY", False),
        Stated("AX8P3N025R", "HEX-20261119-12", date(2026, 11, 20), "entered_in_error", -1, -128000, "CNY", True),
    )
    view = StatementView(_statement(), lines, 42, 41, {"CNY": 5248000}, -1, {"CNY": -128000})
    return console_page("statements", page=statements_page.statement(view))
