"""Coverage: what operators see of it."""

from __future__ import annotations

from datetime import date

from booking.coverage.operators import CityRow, CityView, LineView, SiteRow
from marketplace.catalog.coverage.counts import CityCoverage
from marketplace.web.console.coverage import cities_page
from marketplace.web.kind_words import kind_name
from marketplace.web.parts import Form
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import Context, at, zh_en

KIND = "hospital_escort"
ON = date(2026, 11, 23)


def console_coverage(empty: bool = False) -> Context:
    counts = (
        CityCoverage("北京市", "北京市", "B", 41, 12, 148),
        CityCoverage("浙江省", "杭州市", "H", 28, 4, 0),
        CityCoverage("云南省", "西双版纳傣族自治州", "X", 0, 0, 7),
    )
    rows = () if empty else tuple(CityRow(each, date(2026, 12, 1) if each.open > 50 else None) for each in counts)
    return console_page(
        "coverage",
        form=Form({"kind": KIND, "on": ON.isoformat(), "q": zh_en("火星", "Mars") if empty else "", "only": ""}),
        rows=tuple(cities_page.city(row, KIND, ON) for row in rows),
        totals=cities_page.totals(rows),
        kinds=cities_page.kinds((KIND, "appointment_help")),
        onlies=cities_page.onlies(),
        narrowed=empty,
        csv_url="#",
        plain_url="#",
    )


def console_city(new: bool = False) -> Context:
    by, first = zh_en("林默", "Lin Mo"), date(2026, 1, 1)
    lines = (
        LineView("cov_5", None, None, "示范口腔医院", "covered", date(2026, 12, 1), "later", True, by, "console", at(11, 20, 9)),
        LineView("cov_4", "西湖区", "三级甲等", None, "covered", first, "counts", True, "", "bulk:imp_4k2", at(11, 3, 9)),
        LineView("cov_3", None, "unknown", None, None, first, "counts", True, by, "console", at(11, 3, 9)),
        LineView("cov_2", None, None, None, "on_request", first, "counts", False, "", "command", at(10, 9, 9)),
        LineView("cov_1", None, None, None, "not_covered", date(2025, 6, 1), "over", False, "", "command", at(5, 9, 9)),
    )  # fmt: skip
    sites = (
        SiteRow("sit_1", "安享示范医院", "西湖区", "三级甲等", "covered"),
        SiteRow("sit_2", "示范口腔医院", "上城区", None, "on_request"),
        SiteRow("sit_3", "示范康复医院", "", "二级甲等", "not_covered"),
    )
    view = CityView(CityCoverage("浙江省", "杭州市", "H", 1, 1, 1), () if new else lines, sites)
    values = {"level": "covered", "counts_from": "soon" if new else ON.isoformat()}
    errors = {"counts_from": zh_en("请填写日期，例如 2030-01-31。", "This must be a date such as 2030-01-31.")}
    return console_page(
        "coverage",
        form=Form(values, errors if new else {}),
        kind_name=kind_name(KIND),
        city="杭州市",
        province="浙江省",
        on=ON,
        said=cities_page.said(view),
        lines=tuple(map(cities_page.line, view.lines)),
        places=tuple(map(cities_page.place, view.sites)),
        districts=cities_page.district_choices(view),
        tiers=cities_page.tier_choices(view),
        sites=cities_page.site_choices(view),
        levels=cities_page.levels(),
        form_url="#",
        back_url="#",
    )
