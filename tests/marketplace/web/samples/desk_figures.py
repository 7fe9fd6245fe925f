"""The provider desk: own figures and closing statements."""

from __future__ import annotations

from datetime import date, timedelta

from booking.settlement.figures import PERIODS, Figures
from booking.settlement.statements import Stated, StatementRow, StatementView
from marketplace.core.text import Text
from marketplace.web.desk.figures import statements_page
from tests.marketplace.web.samples.desk import PROVIDER, desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at

_SOME = Figures(352, 331, 9, timedelta(minutes=14), timedelta(hours=3, minutes=5), 310, 281, 6, 17, 240, 228, 7)
_NONE = Figures(0, 0, 0, None, None, 0, 0, 0, 0, 0, 0, 0)
_INSURERS = (Text("和信人寿", "Hexin Life"), Text("安享保险", "Anxiang Insurance"))


def _row(number: int, day: int, delivered: int) -> StatementRow:
    content = {"ours": {"money": {"CNY": delivered}, "units": delivered // 128_000}}
    made = at(11, day + 1, 0, 25)
    return StatementRow(
        f"stm_{number}", "hall", PROVIDER, _INSURERS[number % 2], date(2026, 11, day), ZONE, made, content
    )


def statements(none: bool = False) -> Context:
    """The page; before anything has happened."""
    found = () if none else (_row(1, 22, 1_280_000), _row(2, 22, 384_000), _row(3, 21, 0))
    return desk_page(
        "statements",
        days=30,
        periods=PERIODS,
        tiles=statements_page.tiles(_NONE if none else _SOME),
        rows=tuple(map(statements_page.row, found)),
        more_url="" if none else "/gallery/desk_statements",
    )


def statement(none: bool = False) -> Context:
    """One day, with a correction; one on which nothing was delivered."""
    lines = (
        Stated("AX7K2M931Q", "R-4402", date(2026, 11, 22), "fulfilled", 1, 128_000, "CNY", False),
        Stated("AX7K2M932Q", "", date(2026, 11, 22), "no_show", 1, 64_000, "CNY", False),
        Stated("AX7K2M933Q", "R-4391", date(2026, 11, 20), "cancelled", -1, -128_000, "CNY", True),
    )
    if none:
        view = StatementView(_row(3, 21, 0), (), 0, 0, {}, 0, {})
    else:
        view = StatementView(_row(1, 22, 192_000), lines, 240, 2, {"CNY": 192_000}, -1, {"CNY": -128_000})
    return desk_page("statements", page=statements_page.statement(view))
