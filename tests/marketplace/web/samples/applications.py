"""Providers that register, at the console."""

from __future__ import annotations

from marketplace.core.text import Text
from marketplace.web.console import applications_page
from marketplace.web.parts import Form
from providers.applying.own import Missing
from providers.applying.review import Alike, ApplicationLine, ApplicationView
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.desk import PROVIDER
from tests.marketplace.web.samples.everyday import Context, at, zh_en

CODE = "91350100M000100Y43"


def _line(number: int, state: str, answers: str) -> ApplicationLine:
    return ApplicationLine(f"app_{number}", state, PROVIDER, answers, "cn", CODE, at(11, 22, 9))


def applications(none: bool = False) -> Context:
    lines = (_line(1, "new", "desk"), _line(2, "returned", "system"), _line(3, "declined", "partner"))
    return console_page(
        "applications",
        rows=() if none else tuple(map(applications_page.row, lines)),
        states=applications_page.filters("new" if none else ""),
        more_url="" if none else "/gallery/console_applications",
    )


def application(decided: bool = False) -> Context:
    view = ApplicationView(
        _line(1, "declined" if decided else "new", "system"),
        "anxiang-demonstration-k4m2n7qa",
        Text("安享示范体检", "Anxiang Checkups"),
        "" if decided else zh_en("方敏", "Fang Min"),
        "" if decided else "fang@example.com",
        "zh",
        "Asia/Shanghai",
        zh_en("营业执照已过期。", "The licence has expired.") if decided else "",
        zh_en("已换新证。", "Here is the new one."),
        at(11, 22, 9),
        at(11, 23, 9) if decided else None,
        "sent",
        (Alike(PROVIDER, "anxiang", "approved", True), Alike(PROVIDER, "other", "", False)),
        (Missing("profile", True), Missing("place", False), Missing("certificate", True, needed=False)),
    )
    errors = {} if decided else {"reason": zh_en("请写 1 到 1000 个字。", "Write a note of at most 1000 characters.")}
    return console_page(
        "applications", it=applications_page.page(view), form=Form({}, errors), problem=None, longest=1000
    )
