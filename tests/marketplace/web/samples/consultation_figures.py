"""What was promised of consultations and what was kept, at the console and at a provider's desk."""

from __future__ import annotations

from datetime import date, timedelta
from math import inf
from typing import Any

from booking.consultation.figures.handovers import Handed, Handovers
from booking.consultation.figures.rows import CountedRow
from booking.consultation.figures.satisfaction import Satisfaction
from booking.consultation.figures.scope import DAYS, Days, Whose
from booking.consultation.pledge_figures import By, PledgeFigures
from marketplace.core.text import Text
from marketplace.web.console.session import DOOR as CONSOLE
from marketplace.web.consultation_figures import overview_page, rows_page
from marketplace.web.consultation_figures.looking import Looking
from marketplace.web.consultation_figures.overview_page import Found
from marketplace.web.desk.session import DOOR as DESK
from marketplace.web.parts import Form, Link
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.desk import PROVIDER, desk_page
from tests.marketplace.web.samples.everyday import NOW, Context, at, zh_en

_LAST = date(2026, 11, 23)
_DEPARTMENTS = {
    "general": Text("全科", "General practice"),
    "dermatology": Text("皮肤科", "Dermatology"),
    "pediatrics": Text("儿童保健与儿童呼吸科", "Paediatrics and childhood respiratory medicine"),
}
_PROVIDERS = {"hall": PROVIDER, "hexin": Text("和馨互联网医院", "Hexin Online Hospital")}
_NONE = PledgeFigures("", 0, 0, 0, 0, 0, None, None, None)


def _looking(number: int, *, desk: bool) -> Looking:
    whose = Whose(None, 1) if desk else Whose(1, None)
    days = Days(_LAST - timedelta(days=number - 1), _LAST)
    return Looking(DESK if desk else CONSOLE, whose, days, "", _DEPARTMENTS, _PROVIDERS)


def _figures(name: str, number: int, off: int, *, unanswered: int = 0, open_: int = 0) -> PledgeFigures:
    seconds = 14.0 + off % 9
    most = inf if unanswered * 100 > number else 80.0 + 30 * (off % 5)
    return PledgeFigures(
        name, open_, number - off, off, number // 40, unanswered, seconds, seconds * 2 + off / 10, most
    )


def _found(number: int) -> Found:
    days = [_LAST - timedelta(days=back) for back in reversed(range(number))]
    kept: dict[By, list[PledgeFigures]] = {
        "all": [_figures("", 31_204, 322, unanswered=9, open_=3)],
        "day": [
            _figures(each.isoformat(), 900 + 40 * (n % 6), 4 + (n * 7) % 60, unanswered=12 if n == 3 else 0)
            for n, each in enumerate(days)
            if n != 1
        ],
        "hour": [
            _figures(f"{hour:02}", 300 + 20 * hour, (hour * 5) % 23, unanswered=9 if hour == 3 else 0)
            for hour in range(24)
        ],
        "shift": [
            _figures("day", 14_000, 60), _figures("evening", 12_000, 80), _figures("night", 5_204, 182, unanswered=9)
        ],
        "department": [_figures(code, 10_000, 80 + 40 * n) for n, code in enumerate(_DEPARTMENTS)],
        "provider": [_figures(code, 15_000, 90 + 90 * n) for n, code in enumerate(_PROVIDERS)],
    }  # fmt: skip
    handed = Handovers(
        Handed("", "", 412, 230, 388),
        [Handed("general", "", 300, 190, 281), Handed("dermatology", "", 112, 40, 107)],
        [Handed("mbr_1", "何晓蕾", 250, 200, 240), Handed("mbr_2", "Dr Alexandra Whitmore-Lin", 162, 30, 150)],
    )
    stars = Satisfaction(28_000, {1: 120, 2: 80, 3: 410, 4: 2_900, 5: 9_700})
    return Found(kept, [2, 1, 0, 1, 0], 1, NOW, stars, handed)


def _page(it: Looking, found: Found, form: Form | None = None) -> dict[str, Any]:
    days = {"from": it.days.first.isoformat(), "to": it.days.last.isoformat()}
    return {
        "it": it,
        "page": overview_page.overview(it, found),
        "periods": tuple(Link(zh_en(f"{n} 天", f"{n} days"), "/gallery/figures", n == it.days.number) for n in DAYS),
        "form": form or Form(days),
        "providers": () if it.door is DESK else (("", zh_en("全部", "All")), ("hall", zh_en("和", "Hall"))),
        "csv_url": it.url("figures_csv"),
    }


def overview(number: int = 30, *, desk: bool = False) -> Context:
    """The figures of so many days."""
    it = _looking(number, desk=desk)
    frame = desk_page if desk else console_page
    return frame("figures", **_page(it, _found(number)))


def overview_none(*, wrong: bool = False) -> Context:
    """Before anybody asked; after days that are none."""
    it = _looking(7, desk=False)
    kept: dict[By, list[PledgeFigures]] = {
        "all": [_NONE], "day": [], "hour": [], "shift": [], "department": [], "provider": []
    }  # fmt: skip
    found = Found(
        kept, [0, 0, 0, 0, 0], 0, NOW, Satisfaction(0, dict.fromkeys(range(1, 6), 0)),
        Handovers(Handed("", "", 0, 0, 0), [], []),
    )  # fmt: skip
    error = {"to": zh_en("最后一天不能早于第一天。", "The last day must not lie before the first.")}
    form = Form({"from": "2026-11-09", "to": "2026-11-02"}, error) if wrong else None
    return console_page("figures", **_page(it, found, form))


def _row(number: int, state: str, seconds: float | None, **more: Any) -> CountedRow:
    department = list(_DEPARTMENTS)[number % 3]
    name = list(_PROVIDERS.values())[number % 2]
    return CountedRow(
        f"bkg_{number}", f"AX7K2M93{number}Q", name, department, at(11, 22, 9 + number), seconds, state, **more
    )


def rows(of: str = "answers", *, desk: bool = False, none: bool = False) -> Context:
    """The rows of a figure, of each sort; of one that counts nothing."""
    it = _looking(7, desk=desk)
    asked: dict[str, str] = {
        "answers": {"by": "hour", "name": "09", "part": "ended"},
        "waiting": {"age": "", "at": NOW.isoformat()},
        "ratings": {},
        "handovers": {"by": "department", "name": "general"},
    }[of]
    found = {
        "answers": [
            _row(1, "breached", inf),
            _row(2, "breached", 312.4),
            _row(3, "met", 41.2),
            _row(4, "cancelled", None),
        ],
        "waiting": [_row(1, "breached", 214), _row(2, "at_risk", 61), _row(3, "pending", 8)],
        "ratings": [_row(1, "met", 20.3, stars=5), _row(2, "breached", 95, stars=1), _row(3, "met", 33)],
        "handovers": [
            _row(1, "met", None, giver="何晓蕾"),
            _row(2, "met", None, giver="何晓蕾", taker="Dr Alexandra Whitmore-Lin"),
        ],
    }[of]
    frame = desk_page if desk else console_page
    return frame(
        "figures",
        it=it,
        wanted=rows_page.wanted(it, of, asked, now=NOW),
        rows=() if none else rows_page.shown(it, found, linked=not desk),
        heading=rows_page.count("handovers" if of == "handovers" else "answers", 0 if none else 120_412),
        note=rows_page.note(0 if none else 120_412, 100_000, looks_are_written=not desk),
        more_url="" if none else "/gallery/figure_rows",
        csv_url="/gallery/figure_rows",
        back_url="/gallery/figures",
    )
