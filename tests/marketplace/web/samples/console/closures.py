"""Sites that close."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from booking.closures.closed_by_others import StandsThere
from booking.closures.view import Affected, ClosureView
from marketplace.web.console import closures_page
from marketplace.web.parts import Form
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import Context, at, place, zh_en


def _closures() -> tuple[closures_page.ClosurePage, ...]:
    view = ClosureView(
        "clo_1", place(), zh_en("杭州市", "Hangzhou"), date(2026, 12, 1), None, "move", "open", at(11, 23, 9), None,
        {"cancelled": 12, "asked": 30, "moving": 8, "kept": 1}, (("AX7K2M914Q", "confirmed"), ("AX8P3N025R", "in_service")),
    )  # fmt: skip
    done = replace(
        view, state="done", to_day=date(2026, 12, 3), mode="cancel", finished_at=at(11, 23, 10), remaining=()
    )
    return closures_page.closure(view), closures_page.closure(done)


def console_closures(empty: bool = False) -> Context:
    others = () if empty else closed_by_others()
    return console_page("closures", others=others, rows=() if empty else _closures())


def closed_by_others() -> tuple[closures_page.StandsThereRow, ...]:
    there = StandsThere("sit_1", place(), zh_en("杭州市", "Hangzhou"), date(2026, 12, 1), date(2026, 12, 7), 12)
    return closures_page.stands_there(there), closures_page.stands_there(replace(there, to_day=None))


def console_closure() -> Context:
    return console_page("closures", page=_closures()[0])


def console_closure_new(step: int = 0) -> Context:
    values = ({}, {"wanted": "示范"}, {"wanted": "示范", "site": "sit_1", "from_day": "2026-12-01", "mode": "move"})[
        step
    ]
    sites = [("sit_1", place(), zh_en("杭州市", "Hangzhou"))] if step else None
    affected = Affected(place(), zh_en("杭州市", "Hangzhou"), (), 50, 1, 640) if step == 2 else None
    form = Form(values, {"from_day": zh_en("请填写日期。", "This is needed.")} if step == 1 else {})
    offers = [(zh_en("甄选套餐", "Select package"), 38), (zh_en("臻享套餐", "Premier package"), 12)] if affected else []
    return console_page(
        "closures", form=form, sites=sites, affected=affected, offers=offers, modes=closures_page.modes()
    )
