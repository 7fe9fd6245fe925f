"""Policies, as the customer and as operators see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from marketplace.core.paging import Page
from marketplace.core.text import Text
from marketplace.web.account import policies_page as own
from marketplace.web.account.policies_page import Gift, PolicyCard
from marketplace.web.console.policies import policies_page, snapshots_page
from marketplace.web.parts import Pill
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import Context, at, zh_en
from vip.insurers.at_desk import SnapshotInFull, VanishedRow
from vip.insurers.snapshots import Snapshot
from vip.policies.at_desk import InsuredRow, PolicyInFull, PolicyRow, VersionRow, Wanted

_NAME = Text("长青终身寿险", "Evergreen whole life")


def mine(now: bool = True, before: bool = True) -> Context:
    whole = PolicyCard(
        "pol_1",
        zh_en("长青终身寿险（分红型）", "Evergreen whole life with a share in the surplus"),
        Pill(zh_en("有效", "In force"), "ok", "check"),
        zh_en("2019 年 6 月 1 日起，终身", "From 1 June 2019, for life"),
        zh_en("长期险", "Long-term policy"),
        "****1001",
        zh_en("沈静宜（本人）、沈伯年（父亲）", "Shen Jingyi (You) and Shen Bonian (Father)"),
        (
            Gift(zh_en("陪诊", "Hospital escort"), zh_en("剩余 3 次·至 12 月 31 日", "3 left · Until 31 December"), zh_en("预约", "Book"), "#"),
            Gift(zh_en("健康体检", "Health check"), zh_en("已用完", "All used")),
        ),
    )  # fmt: skip
    over = replace(
        whole,
        id="pol_2",
        name=zh_en("一年期意外伤害保险", "One-year accident cover"),
        pill=Pill(zh_en("已终止", "Policy ended"), "off", "x"),
        span=zh_en("2024 年 1 月 1 日至 2024 年 12 月 31 日", "1 January 2024 to 31 December 2024"),
        term=zh_en("短期险", "Short-term policy"),
        number="",
        gifts=(),
    )
    return {"page": own.PoliciesPage((whole,) if now else (), (over,) if before else ())}


def _row() -> PolicyRow:
    return PolicyRow(
        "pol_1", "demo-1001", 3, "****1001", "LC-WHOLE", _NAME, True, "in_force", date(2019, 6, 1), None, 3, "沈**",
        at(11, 20, 9),
    )  # fmt: skip


def listed(empty: bool = False, searched: bool = False, problem: bool = False) -> Context:
    rows = (
        _row(),
        replace(_row(), long_term=False, standing="ended", in_force_until=date(2024, 12, 31), number_masked="****1002"),
        replace(_row(), standing="lapsed", holder="", number_masked=""),
        replace(_row(), standing="not_yet"),
    )
    return console_page(
        "policies",
        rows=None if problem else () if empty or searched else tuple(map(policies_page.row, rows)),
        filters=policies_page.filters(Wanted("in_force"), searched=searched),
        wanted="P2020-8888" if searched else "",
        problem=zh_en("尝试次数过多，请 6 分钟后再试。", "Too many tries.") if problem else "",
        searched=searched,
        more_url="" if empty or searched else "#",
        csv_url="" if empty or searched else "#",
    )


def one(shown: bool = False, erased: bool = False, vanished: bool = False) -> Context:
    versions = (
        VersionRow(3, at(11, 20, 9), "import:imp_4f0", "in_force", True, date(2019, 6, 1), None, 3, ("insured", "status")),
        VersionRow(2, at(10, 2, 9), "client:cli_1", "lapsed", True, date(2019, 6, 1), None, 2, ()),
        VersionRow(1, at(9, 2, 9), "demo", "in_force", True, date(2019, 6, 1), None, 2, ()),
    )  # fmt: skip
    row = replace(_row(), standing="ended") if vanished else _row()
    found = PolicyInFull(
        replace(row, number_masked="", holder="") if erased else row,
        "cus_1",
        "" if erased else "138****0001",
        Text("悦享计划", "Select plan"),
        (
            InsuredRow("" if erased else "沈**", "self", date(2019, 6, 1), None),
            InsuredRow("" if erased else "顾**", "mother", date(2019, 6, 1), date(2026, 11, 20)),
        ),
        versions,
        erased,
        "AL2019-0006-1001" if shown else "",
        date(2026, 11, 20) if vanished else None,
    )
    return console_page("policies", it=policies_page.policy(found))


def _snapshot(state: str = "waiting") -> Snapshot:
    return Snapshot(
        "snp_1", state, True, 2, 9_412, 0, 10_020, 608, 608 if state == "completed" else 0, at(11, 20, 9), at(11, 21, 9),
        None if state == "open" else at(11, 20, 9, 40),
    )  # fmt: skip


def snapshots(none: bool = False, every: bool = False) -> Context:
    states = ("waiting", "open", "completed", "dismissed", "expired") if every else ("waiting",)
    return console_page(
        "snapshots",
        rows=() if none else tuple(snapshots_page.row(_snapshot(state)) for state in states),
        filters=snapshots_page.filters(every=every),
        every=every,
        more_url="#" if every else "",
    )


def snapshot(state: str = "waiting", none: bool = False) -> Context:
    gone = VanishedRow(
        "pol_1", "****1001", _NAME, "沈**", "in_force", None, "would_end" if state == "waiting" else "left", None
    )
    rows = (
        gone,
        replace(gone, fate="told"),
        replace(gone, fate="left", standing="ended", in_force_until=date(2026, 11, 19)),
        replace(gone, fate="ended", standing="ended", status_before="in_force", number_masked="", holder=""),
    )
    found = SnapshotInFull(
        _snapshot(state),
        "command" if state == "completed" else "",
        606,
        Page(() if none else rows, None if none else "x"),
    )
    return console_page("snapshots", it=snapshots_page.page(found, first=True), problem=None)
