"""The console: overview, discrepancies, bookings, providers, statements."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

from booking.calls.breaker import Call
from booking.changes.cancel import REASONS
from booking.closures.closed_by_others import StandsThere
from booking.closures.view import Affected, ClosureView
from booking.health import histogram
from booking.health.answers import ANSWERS
from booking.health.backlog import Backlog
from booking.health.counts import Came
from booking.health.figures import NONE, Figures, Point, Window
from booking.health.pauses.standing import Pause
from booking.health.syncs import RECONCILIATION, STATEMENT, Sync
from booking.health.view import ProviderInFull, ProviderState, Status
from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from booking.reconcile.cases import CaseView, Counts, DiscrepancyView, Filter, HistoryLine, OurSide
from booking.reconcile.look_ups import Reached
from booking.reconcile.runs import RunView
from booking.settlement.statements import Stated, StatementRow, StatementView
from booking.views.oversight import AuditHealth, BreakerView, LateJob, ProviderHealth
from marketplace.chain.heads import HeadsFile
from marketplace.chain.watch import LastVerification
from marketplace.core.integrity import Alarm
from marketplace.core.text import Text
from marketplace.web import booking_words
from marketplace.web.console import closures_page, desk_page, overview_page
from marketplace.web.console.books import cases_page, runs_page, statements_page
from marketplace.web.console.providers import clinicians_page, one_page, rows
from marketplace.web.console.providers.rows import ProviderRow
from marketplace.web.console.session import DOOR
from marketplace.web.parts import Fact, Form
from providers.staff.clinicians import ClinicianView, Profile
from providers.staff.outside import OutsideView
from tests.marketplace.web.samples.account import left
from tests.marketplace.web.samples.certified import certified
from tests.marketplace.web.samples.everyday import NOW, ZONE, Context, at, package, people, place, when, zh_en
from vip.customers.blocking import CustomerStatus
from vip.operators.administration import NewOperator
from vip.operators.operators import OperatorView


def console_page(here: str, role: str = "admin", **context: Any) -> Context:
    me = OperatorView("opr_1", "lin", zh_en("林默", "Lin Mo"), role)
    return {"door": DOOR, "me": me, "here": here, "counts": {"snapshots": 2}, **context}


def _discrepancies() -> tuple[overview_page.DiscrepancyRow, ...]:
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


def _providers() -> tuple[ProviderRow, ...]:
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


def _jobs() -> tuple[overview_page.JobRow, ...]:
    return (
        overview_page.job(LateJob("slots:kangyue", 60, NOW - timedelta(minutes=9), NOW - timedelta(minutes=12))),
        overview_page.job(LateJob("entitlements", 300, None, None)),
    )


def console() -> Context:
    found = ("changed: audit_line 4711 (seal 88)", "missing: entitlement_entry 12 (seal 3)")
    verified = LastVerification(NOW - timedelta(hours=6), 48_213, 2, found)
    audit = overview_page.audit(AuditHealth(312.0, HeadsFile.UNWRITABLE, verified))
    alarms = (
        Alarm("customer:cus_7tq2m9x4kd8p3w5z1rnb:phone", 3, NOW - timedelta(hours=2), NOW - timedelta(minutes=4)),
        Alarm("key:rpt_dd83vt3jkdsnv1mn4mjd:1", 1, NOW - timedelta(days=1), NOW - timedelta(days=1)),
    )
    shown = {
        "discrepancies": _discrepancies(),
        "providers": _providers(),
        "jobs": _jobs(),
        "audit": audit,
        "alarms": alarms,
        "others": _closed_by_others(),
    }
    return console_page("home", more_url="/gallery/console_differences", **shown)


def console_quiet() -> Context:
    audit = overview_page.audit(
        AuditHealth(0.0, HeadsFile.WELL, LastVerification(NOW - timedelta(hours=6), 48_213, 0, ()))
    )
    return console_page("home", discrepancies=(), providers=(), jobs=(), more_url="", audit=audit, alarms=(), others=())


def console_differences(closed: bool = False) -> Context:
    name = Text("和馨体检", "Hexin Health")
    other = Text("康悦健康", "Kangyue Health")
    counts = Counts({"ours_only": 2, "time_differs": 1}, {"hexin": (name, 2), "kangyue": (other, 1)}, 3, 41)
    states, kinds, providers = cases_page.choices(counts, Filter(closed=closed))
    return console_page(
        "discrepancies",
        discrepancies=() if closed else _discrepancies(),
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


def _closures() -> tuple[closures_page.ClosurePage, ...]:
    view = ClosureView(
        "clo_1", place(), zh_en("杭州市", "Hangzhou"), date(2026, 12, 1), None, "move", "open", at(11, 23, 9), None,
        {"cancelled": 12, "asked": 30, "moving": 8, "kept": 1}, (("AX7K2M914Q", "confirmed"), ("AX8P3N025R", "in_service")),
    )  # fmt: skip
    done = replace(
        view, state="done", to_day=date(2026, 12, 3), mode="cancel", finished_at=at(11, 23, 10), remaining=()
    )
    return closures_page.closure(view), closures_page.closure(done)


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


def console_closures(empty: bool = False) -> Context:
    others = () if empty else _closed_by_others()
    return console_page("closures", others=others, rows=() if empty else _closures())


def _closed_by_others() -> tuple[closures_page.StandsThereRow, ...]:
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


def console_password() -> Context:
    errors = {"new": zh_en("这个密码太容易被猜到，请换一个更长的。", "This password is too easy to guess.")}
    return console_page("password", form=Form(errors=errors))


def console_customers() -> Context:
    errors = {"phone": zh_en("没有客户使用这个手机号。", "No customer has this phone.")}
    return console_page("customers", form=Form({"phone": "13800000099"}, errors))


def console_customer(blocked: bool = False) -> Context:
    name = zh_en("沈若兰", "Shen Ruolan")
    return console_page(
        "customers", page=CustomerStatus("cus_1", name, "138****0021", at(11, 20, 9) if blocked else None), problem=None
    )


def console_erase() -> Context:
    return console_page("customers", customer="cus_1", whose="沈**", staying=left(), problem="")


def _desk_booking() -> desk_page.DeskBooking:
    row = desk_page.DeskRow(
        "b1", "AX7K2M914Q", package().name, place(), people()[1].name, when(), booking_words.pill("confirmed"), "#"
    )
    history = (
        desk_page.DeskLine(at(11, 21, 9), booking_words.pill("awaiting_provider").text, zh_en("客户", "customer"), ""),
        desk_page.DeskLine(at(11, 21, 10), booking_words.pill("confirmed").text, zh_en("服务方", "provider"), ""),
    )
    facts = (
        Fact(zh_en("使用人", "For"), people()[1].name),
        Fact(zh_en("服务方", "Provider"), zh_en("康悦体检", "Kangyue")),
        Fact(zh_en("权益", "Benefit"), zh_en("已为它保留 1 次", "One use is reserved for it")),
    )
    return desk_page.DeskBooking(row, facts, history, ZONE, "/gallery/console_cancel", "")


def console_bookings(searched: bool = True) -> Context:
    rows = (_desk_booking().row, replace(_desk_booking().row, pill=booking_words.pill("cancelled")))
    return console_page(
        "bookings", wanted="AX7K2M914Q" if searched else "", rows=rows if searched else None, problem=""
    )


def console_booking() -> Context:
    return console_page("bookings", page=_desk_booking())


def console_cancel() -> Context:
    effects = (
        zh_en("无论何种原因，1 次权益都会退回。", "One use of the benefit comes back, whatever the reason."),
        zh_en("若服务方已收到预约，须由其同意。", "If the provider knows of it, it has to agree."),
    )
    form = Form({"reason": "unwell"})
    reasons = desk_page.reasons(REASONS)
    return console_page("bookings", page=_desk_booking(), effects=effects, form=form, reasons=reasons)


def console_agent() -> Context:
    note = zh_en(
        "客户自助取消的时限已过，现在只有管理员可以取消。",
        "The customer's own window is over; only an administrator can still cancel it.",
    )
    return console_page("bookings", "agent", page=replace(_desk_booking(), cancel_url="", note=note))


def _dispute_row() -> desk_page.DisputeRow:
    return desk_page.DisputeRow(
        "AX7K2M914Q",
        package().name,
        place(),
        zh_en("康悦体检", "Kangyue"),
        when(),
        at(11, 27, 9),
        "/gallery/console_dispute",
    )


def console_disputes(empty: bool = False) -> Context:
    return console_page("disputes", rows=() if empty else (_dispute_row(),), more_url="" if empty else "#")


def console_dispute(problem: bool = False) -> Context:
    words = zh_en("我八点就到了，前台说系统坏了，让我改天再来。", "I came at eight. They said their system was down.")
    told = zh_en("服务方反馈未到院。", "The provider told that nobody came.")
    page = desk_page.DisputePage("d1", _dispute_row(), "#", "open", words, told, "")
    wrong = Form({"decision": "rejected"}, {"words": zh_en("这一项必填。", "This is needed.")})
    form = wrong if problem else Form()
    return console_page("disputes", page=page, form=form, longest=1000, decisions=desk_page.decisions())


def console_providers() -> Context:
    desks = (
        overview_page.DeskRow(zh_en("和馨体检", "Hexin Health"), "hexin", 7, ""),
        overview_page.DeskRow(
            zh_en("康悦健康", "Kangyue Health"), "kangyue", 0, "/operators/providers/kangyue/manager"
        ),
    )
    return console_page("providers", providers=_providers(), desks=desks, certified=certified())


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


def console_jobs() -> Context:
    return console_page("jobs", jobs=_jobs())
