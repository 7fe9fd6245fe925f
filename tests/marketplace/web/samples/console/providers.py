"""Providers, how they are, and who works there."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from booking.calls.breaker import Call
from booking.health import histogram
from booking.health.answers import ANSWERS
from booking.health.backlog import Backlog
from booking.health.counts import Came
from booking.health.figures import NONE, Figures, Point, Window
from booking.health.pauses.standing import Pause
from booking.health.syncs import RECONCILIATION, STATEMENT, Sync
from booking.health.view import ProviderInFull, ProviderState, Status
from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from booking.reconcile.look_ups import Reached
from booking.views.oversight import BreakerView, ProviderHealth
from marketplace.core.text import Text
from marketplace.web.console import overview_page
from marketplace.web.console.providers import clinicians_page, one_page, rows
from marketplace.web.console.providers.rows import ProviderRow
from marketplace.web.parts import Form
from providers.staff.clinicians import ClinicianView, Profile
from providers.staff.outside import OutsideView
from tests.marketplace.web.samples.certified import certified
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import NOW, Context, at, zh_en
from vip.operators.administration import NewOperator


def _figures(succeeded: int, steps: tuple[float, ...], **failed: int) -> Figures:
    came = {Came.SUCCEEDED: succeeded, **{Came(name): number for name, number in failed.items()}}
    return Figures(came, tuple(histogram.counted(steps)))


def _syncs(*late: str) -> tuple[Sync, ...]:
    fresh = {"slots": 20, "bookings": 12, "reports": 15, RECONCILIATION: 200, STATEMENT: 9 * 3600}
    return tuple(
        Sync(kind, NOW - timedelta(seconds=3_000 if kind in late else ago), kind in late) for kind, ago in fresh.items()
    )


def _provider_state(code: str, zh: str, en: str, status: Status = Status.FINE, **changes: Any) -> ProviderState:
    fresh = {feed: NOW - timedelta(seconds=20) for feed in ("slots", "bookings", "reports")}
    health = ProviderHealth(code, Text(zh, en), fresh, {}, None, 0, 0, 0)
    of_health = {name: changes.pop(name) for name in list(changes) if name in {it.name for it in fields(health)}}
    calm = ProviderState(
        replace(health, **of_health),
        status,
        {"slots": _figures(240, (180.0,) * 200 + (900.0,) * 40), "commands": _figures(31, (420.0,) * 31)},
        Backlog(requests=2, reports=4),
        _syncs(),
        0,
        0,
        None,
        None,
    )
    return replace(calm, **changes)


def _broken() -> ProviderState:
    return _provider_state(
        "kangyue",
        "康悦健康",
        "Kangyue Health",
        Status.STOPPED,
        breakers={
            Call.COMMANDS: BreakerView(6, NOW + timedelta(minutes=1)),
            Call.REPORTS: BreakerView(9, NOW - timedelta(seconds=1)),
        },
        unknown=3,
        figures={
            "commands": _figures(69, (9_400.0,) * 100, timed_out=22, server_errors=9),
            "bookings": _figures(40, (300.0,) * 52, unreadable=2, unreached=10),
            ANSWERS: _figures(12, (1_500_000.0,) * 12),
        },
        backlog=Backlog(41, NOW - timedelta(minutes=19), 12, 3, 8, 1),
        syncs=_syncs("reports", "reconciliation"),
        slow=AnswersSlowly(NOW - timedelta(minutes=18), SlowReason.NOT_REACHED),
    )


def providers() -> tuple[ProviderRow, ...]:
    paused = Pause(NOW - timedelta(hours=2), zh_en("林默", "Lin Mo"), zh_en("系统搬迁", "Its system moves house"))
    states = (
        _provider_state("hexin", "和馨体检", "Hexin Health"),
        _broken(),
        _provider_state(
            "ruian", "瑞安医疗", "Ruian Medical", Status.PAUSED, paused_at=paused.at, pause=paused, discrepancies=1
        ),
        _provider_state(
            "anhe",
            "安和体检",
            "Anhe Health",
            Status.SLOW,
            look_ups=(
                Reached(214, NOW - timedelta(minutes=9, seconds=12), 0),
                Reached(1_630, NOW - timedelta(hours=3), 88),
            ),
        ),
        _provider_state(
            "qihang",
            "启航体检",
            "Qihang",
            answers_here=True,
            figures={},
            webhooks_failing=1,
            syncs=_syncs()[-1:],
            pause_ended_at=NOW - timedelta(minutes=40),
        ),
        _provider_state(
            "new",
            "新泽体检",
            "Xinze Health",
            Status.NEVER_READ,
            pulled={"slots": None, "bookings": None, "reports": None},
            syncs=tuple(replace(each, at=None) for each in _syncs()),
            figures={},
            backlog=Backlog(),
        ),
    )
    return tuple(rows.provider(it, NOW, {"qihang": 1}) for it in states)


def _points(figures: Figures) -> tuple[Point, ...]:
    few = Figures({Came.SUCCEEDED: 4, Came.TIMED_OUT: 1}, figures.steps)
    first = NOW - timedelta(minutes=55)
    return tuple(
        Point(first + n * timedelta(minutes=5), NONE if n == 3 else few if n % 4 == 1 else figures) for n in range(12)
    )


def console_provider(kind: str = "broken") -> Context:
    """One provider: in trouble; paused, by this insurer or by others alone; new, with nothing counted."""
    state, figures = _broken(), _figures(9, (400.0,) * 9)
    points, form = _points(figures), Form()
    if kind == "paused":
        at = NOW - timedelta(hours=2)
        why = zh_en("系统搬迁，周一恢复", "Its system moves house until Monday")
        pause = Pause(at, zh_en("林默", "Lin Mo"), why, others=1)
        state = _provider_state("ruian", "瑞安医疗", "Ruian Medical", Status.PAUSED, paused_at=at, pause=pause)
    if kind == "paused_by_others":
        pause = Pause(NOW - timedelta(hours=2), "", "", True, 2)
        state = _provider_state("ruian", "瑞安医疗", "Ruian Medical", Status.PAUSED, paused_at=pause.at, pause=pause)
    if kind == "new":
        form = Form({"reason": ""}, {"reason": zh_en("这一项必填。", "This is needed.")})
        state = _provider_state("new", "新泽体检", "Xinze Health", figures={}, backlog=Backlog())
        points = tuple(Point(it.at, NONE) for it in points)
    found = ProviderInFull(state, Window.HOUR, state.figures, points, points)
    return console_page("providers", it=one_page.page(found, {}, NOW), form=form, longest=200)


def console_providers() -> Context:
    desks = (
        overview_page.DeskRow(zh_en("和馨体检", "Hexin Health"), "hexin", 7, ""),
        overview_page.DeskRow(
            zh_en("康悦健康", "Kangyue Health"), "kangyue", 0, "/operators/providers/kangyue/manager"
        ),
    )
    return console_page("providers", providers=providers(), desks=desks, certified=certified())


def console_names(wrong: bool = False) -> Context:
    names = {"name_zh": "康悦健康", "name_en": "" if wrong else "Kangyue Health"}
    errors = {"name_en": zh_en("请填写此项。", "This is needed.")} if wrong else {}
    return console_page(
        "providers",
        code="kangyue",
        called=zh_en("康悦健康", "Kangyue Health"),
        form=Form({**names, "seen_name_zh": "康悦健康", "seen_name_en": "Kangyue Health"}, errors),
        longest=200,
        problem=None,
    )


def console_manager(made: bool = False) -> Context:
    new = NewOperator("mbr_1", "a2b3-c4d5-e6f7-g8h9") if made else None
    name = zh_en("康悦健康", "Kangyue Health")
    return console_page(
        "providers",
        provider="kangyue",
        provider_name=name,
        form=Form({"login": "fang"}),
        made=new,
        login="fang",
        problem=None,
    )


def console_clinicians(none: bool = False) -> Context:
    said = Profile(
        "何静", Text("主治医师", "Attending physician"), "110310000012345", ("general", "dermatology"), ("zh",)
    )
    views = (
        ClinicianView("mbr_1", "何静", said, at(11, 3, 9), True),
        ClinicianView("mbr_2", "何静", replace(said, licence="110330000054321"), None, True),
        ClinicianView("mbr_3", "吴迪", None, None, False),
    )
    title = Text("副主任医师", "Associate chief physician")
    theirs = OutsideView("ocl_1", "dr-0042", "陆知远", title, "110330000011111", None, at(11, 23, 9))
    rows = (*map(clinicians_page.row, views), clinicians_page.outside_row(theirs))
    return console_page("providers", provider="hexin", rows=() if none else rows, problem="")
