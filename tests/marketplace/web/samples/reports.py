"""Reports: read, compared, shared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from booking.reports.reading.read import read
from booking.reports.reading.told import Delivered, Whose
from booking.reports.reading.vocabulary import vocabulary
from booking.reports.share import ShareLink
from booking.reports.trend import Point, Trend
from marketplace.core.text import Text
from marketplace.web.parts import Form, Link, Pill
from marketplace.web.reports import trends_page
from marketplace.web.reports.reports_page import Item, PaperRow, Range, ReportPage, ReportRow, Section
from marketplace.web.reports.shares_page import AboutReport, MadeLink, SharedReport, ShareRow
from marketplace.web.reports.trends_page import ChooseTwo, ComparePage, PairLine
from tests.marketplace.web.samples.everyday import Context, at, people, place, zh_en


def reports() -> Context:
    me, father, _mother = people()
    title = zh_en("2026 年度体检", "Health check 2026")
    waiting = Pill(zh_en("待交付", "To come"), "wait", icon="clock")
    rows = (
        ReportRow(
            "r0",
            title,
            me,
            place(),
            date(2026, 11, 20),
            False,
            due=date(2026, 11, 27),
            pill=waiting,
            booking_url="#",
            kind="health_check",
        ),
        ReportRow("r1", title, father, place(), date(2026, 11, 16), True, 3, 71),
        ReportRow("r2", zh_en("2025 年度体检", "Health check 2025"), father, place(), date(2025, 11, 18), True, 0, 68),
    )
    people_links = (Link(zh_en("全部", "All"), "#", True), Link(me.name, "#"), Link(father.relation, "#"))
    years = (Link(zh_en("全部年份", "All years"), "#", True), Link("2026", "#"), Link("2025", "#"))
    more = {
        "people": people_links,
        "years": years,
        "compare_url": "/gallery/report_choose",
        "all_url": "",
        "asking": (people()[2],),
    }
    return {"rows": rows, "more_url": "", "empty_text": "", **more}


def reports_none(text: str = "") -> Context:
    narrow = {"people": (), "years": (), "compare_url": "", "all_url": "/gallery/reports", "asking": ()}
    return {"rows": (), "more_url": "", "empty_text": text, **narrow}


def trend(values: int = 4) -> Context:
    """An item over the years, with its last `values`."""

    def point(day: date, value: str, unit: str, flag: str = "", **more: Any) -> Point:
        given = Delivered("低密度脂蛋白胆固醇", value, "", unit, None, None, flag, "", "")
        read_as = read(given, Whose("male", date(1954, 3, 1), day), {})
        names = Text("和馨健康", "Hexin Health")
        return Point("r1", day, place(), names, read_as, more.get("apart", ""))

    points = (
        point(date(2023, 11, 20), "2.96", "mmol/L"),
        point(date(2024, 11, 22), "3.31", "mmol/L"),
        point(date(2025, 11, 18), "141", "mg/dL", "high"),
        point(date(2026, 11, 16), "3.92", "mmol/L", "high"),
    )
    apart = (point(date(2022, 11, 1), "3.0", "", apart="unit"),)
    item = vocabulary().items["ldl"]
    found = Trend(item, "p2", people()[1].name, "father", points[-values:], apart, None, 3.4, "provider")
    return {"page": trends_page.trend_page(found, lambda _report: "/gallery/report")}


def compare() -> Context:
    bad = Pill(zh_en("偏高", "High"), "bad", icon="triangle-alert")
    ldl, glucose = zh_en("低密度脂蛋白胆固醇", "LDL cholesterol"), zh_en("空腹血糖", "Fasting glucose")
    one = PairLine(
        ldl,
        zh_en("141 mg/dL（即 3.65 mmol/L）", "141 mg/dL (= 3.65 mmol/L)"),
        "3.92 mmol/L",
        bad,
        bad,
        "↑",
        zh_en("升高 0.27 mmol/L。", "Higher by 0.27 mmol/L."),
        "/gallery/report_trend",
    )
    two = PairLine(
        glucose,
        "6.4 mmol/L",
        "5.6 mmol/L",
        bad,
        None,
        "↓",
        zh_en("降低 0.8 mmol/L。现已回到范围内。", "Lower by 0.8 mmol/L. Now within range."),
        "#",
    )
    three = PairLine(
        zh_en("腹部彩超", "Abdominal ultrasound"),
        "",
        zh_en("脂肪肝（轻度）", "Mildly fatty liver"),
        None,
        None,
        "",
        zh_en("较早的报告里没有。", "Not in the earlier report."),
        "",
    )
    sides = ((date(2025, 11, 18), place(), "/gallery/report"), (date(2026, 11, 16), place(), "/gallery/report"))
    return {"page": ComparePage(people()[1], *sides, (one, two), (three,)), "choose_url": "/gallery/report_choose"}


def choose(*, several: bool = True, problem: bool = False) -> Context:
    options = (
        ("r1", zh_en("2026 年 11 月 16 日", "16 November 2026")),
        ("r2", zh_en("2025 年 11 月 18 日", "18 November 2025")),
    )
    links = (Link(people()[0].name, "#"), Link(people()[1].relation, "#", True))
    text = zh_en("两次选了同一份报告，请换一份。", "These are the same report. Choose another one.") if problem else ""
    return {"page": ChooseTwo(links, options if several else options[:1], "r2", "r1", text)}


def report_corrected() -> Context:
    page = report()["page"]
    ldl, glucose, urate = page.abnormal
    marked = replace(
        ldl,
        change=zh_en("这一版有改动，之前为 3.52 mmol/L", "Changed in this version; before: 3.52 mmol/L"),
        ours="3.92 mmol/L",
        source=zh_en("由医院标注。", "Marked by the hospital."),
        trend_url="/gallery/report_trend",
    )
    links = (
        Link(zh_en("第 2 版，11 月 20 日", "Version 2, 20 November"), "#", True),
        Link(zh_en("第 1 版，11 月 16 日", "Version 1, 16 November"), "#"),
    )
    return {
        "page": replace(
            page,
            abnormal=(marked, glucose, urate),
            corrected=True,
            versions=links,
            changed=1,
            removed=(zh_en("心电图", "Electrocardiogram"),),
            compare_url="/gallery/report_choose",
        )
    }


def report_partial() -> Context:
    page = report()["page"]
    parts = (zh_en("腹部超声", "Abdominal ultrasound"), zh_en("胸部正位片", "Chest X-ray"))
    return {"page": replace(page, partial=True, outstanding=parts, due=date(2026, 11, 22), late=True)}


def report() -> Context:
    high = Pill(zh_en("偏高", "High"), "bad", icon="triangle-alert")
    ldl = Item(
        zh_en("低密度脂蛋白胆固醇", "LDL cholesterol"),
        "3.92",
        "mmol/L",
        zh_en("低于 3.40", "below 3.40"),
        high,
        Range(0, 56, 78),
        zh_en(
            "这是常说的“坏胆固醇”，比参考上限高约一成半。是否用药要由医生结合血压和病史判断。",
            "The “bad” cholesterol, about 15 % above the limit. A doctor judges what to do, with blood pressure and history in view.",
        ),
    )
    glucose = Item(
        zh_en("空腹血糖", "Fasting glucose"),
        "6.4",
        "mmol/L",
        zh_en("3.9 至 6.1", "3.9 to 6.1"),
        high,
        Range(22, 62, 68),
        zh_en(
            "略高于参考上限。一次结果不能下结论，请复查。",
            "Slightly above the limit. One result proves nothing; have it repeated.",
        ),
    )
    urate = Item(
        zh_en("尿酸", "Uric acid"), "451", "µmol/L", zh_en("208 至 428", "208 to 428"), high, Range(18, 64, 71)
    )
    fine = tuple(
        Item(zh_en(f"项目 {n}", f"Item {n}"), "5.1", "10⁹/L", zh_en("3.5 至 9.5", "3.5 to 9.5")) for n in range(1, 24)
    )
    sections = (
        Section(zh_en("血常规", "Blood count"), fine),
        Section(zh_en("代谢", "Metabolism"), (ldl, glucose, urate, *fine[:6]), 3),
        Section(zh_en("影像与心电", "Imaging and ECG"), fine[:14]),
    )
    conclusion = zh_en(
        "没有需要马上就医的结果。建议三个月内到心内科或全科门诊复查血脂和血糖。",
        "Nothing needs a doctor at once. Have lipids and glucose repeated within three months.",
    )
    return {
        "page": ReportPage(
            "r1",
            zh_en("体检报告", "Health check report"),
            people()[1],
            place(),
            date(2026, 11, 16),
            1,
            (ldl, glucose, urate),
            sections,
            71,
            conclusion,
            "/gallery/report.pdf",
            zh_en("原始报告 PDF", "Original report as PDF"),
            papers=papers(),
            kind="health_check",
        )
    }


def papers() -> tuple[PaperRow, ...]:
    return (
        PaperRow(zh_en("文件 1（PDF）", "Document 1 (PDF)"), "2.1 MB", "#"),
        PaperRow(zh_en("图片 2", "Picture 2"), "640 KB", "#"),
    )


def about() -> AboutReport:
    title = zh_en("2026 年度体检", "Health check 2026")
    return AboutReport(
        "r1", title, zh_en("沈伯年·父亲", "Shen Bonian · father"), place(), date(2026, 11, 16), "health_check"
    )


def report_share(made: bool = False) -> Context:
    link = MadeLink(
        "https://anxiang.example/shared/4kQ0vWm2Yx8nB1sT6uRzL3cJ9eHfGpDa5iKoXwVbNqE", "480213", at(11, 30, 9)
    )
    looks = (
        zh_en("昨天 19:42 · 查看", "Yesterday, 19:42 · Read"),
        zh_en("11 月 20 日 08:15 · 访问码输错", "20 November, 08:15 · Wrong access code"),
    )
    opened = Pill(zh_en("有效", "Open"), "ok", icon="check")
    over = Pill(zh_en("已过期", "Expired"), "off", icon="clock")
    links = (
        ShareRow(
            "s2",
            zh_en("给医生", "For a doctor"),
            opened,
            zh_en("已打开 1 次，最多 5 次", "Opened 1 of 5 times"),
            at(11, 27, 9),
            looks,
            True,
            True,
        ),
        ShareRow(
            "s1",
            zh_en("给家人", "For the family"),
            over,
            zh_en("已打开 3 次", "Opened 3 times"),
            at(11, 18, 9),
            (),
            False,
            False,
        ),
    )
    form = Form({"audience": "doctor", "days": "7"})
    if not made:
        form = Form(
            {"audience": "doctor", "days": "7", "max_views": "1000"},
            {"max_views": zh_en("须在 1 到 100 之间。", "This must be between 1 and 100.")},
        )
    return {"report": about(), "form": form, "made": link if made else None, "links": links if made else ()}


def shared_door(error: bool = False) -> Context:
    told = (
        {"code": zh_en("访问码不对，还可尝试 3 次。", "That is not this link's access code. Tries left: 3.")}
        if error
        else {}
    )
    return {"link": ShareLink("s1", error, at(11, 30, 9)), "form": Form(errors=told), "token": "t"}


def shared() -> Context:
    return {"page": SharedReport(report()["page"], "#", papers(), at(11, 30, 9))}
