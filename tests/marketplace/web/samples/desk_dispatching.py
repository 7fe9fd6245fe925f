"""The desk's pages about escort workers: the board, a booking's dispatch, workers, their hours and absences. Made by the
product's own page models."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from booking.answering.shown import BookedVenue, Comer, ShownBooking, WithPerson
from booking.escort.at_desk.asked import Ask
from booking.escort.at_desk.board import Board, Line, Sent, Venue, Wanted
from booking.escort.at_desk.cases import DeskCase
from booking.escort.matching.match import Match, matched
from booking.escort.matching.people import Candidate, Duty, Request, Taken
from booking.escort.matching.travel import Stop
from booking.escort.workers.absence import Away, Promised
from booking.escort.workers.home import Home, Near
from booking.escort.workers.profile import Profile
from booking.escort.workers.read import Known, Linked, WorkerLine, WorkerView
from booking.escort.workers.roster import Hours
from marketplace.core.sphere import Position
from marketplace.core.text import Text
from marketplace.web.desk.dispatching import dispatch_page, one_page, words, workers_page
from marketplace.web.desk.dispatching.workers_page import VenueRow
from marketplace.web.parts import Choice, Form
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import NOW, ZONE, Context, at, zh_en

HALF_DAY = Text("陪诊半天", "Escort for half a day")
NURSE = Text("护理专业", "Nurse")
CITY = ("浙江省", "杭州市")
PEOPLE_S = Venue("sit_1", "杭州示范人民医院", *CITY, "西湖区")
FIRST = Venue("sit_2", "杭州望江示范医院", *CITY, "上城区")


def _board_line(number: int, person: str, day: int, hour: int, **more: Any) -> Line:
    starts = at(11, day, hour)
    given: dict[str, Any] = {
        "venue": FIRST,
        "waits": False,
        "asked_at": NOW - timedelta(hours=3),
        "due_at": starts,
        "begun": False,
        "proposed": False,
        "nobody": False,
        "sent": None,
        **more,
    }
    return Line(
        booking=f"b{number}",
        reference=f"AX7K2M95{number}Q",
        person=person,
        offer=HALF_DAY,
        service_date=date(2026, 11, day),
        starts_at=starts,
        ends_at=starts + timedelta(hours=4),
        time_zone=ZONE,
        **given,
    )


def _sent(name: str, *, accepted: bool, minutes: int = 40, away: bool = False) -> Sent:
    return Sent("esw_1", name, accepted, NOW - timedelta(minutes=20), NOW + timedelta(minutes=minutes), away)


def board(empty: bool = False, narrowed: bool = False) -> Context:
    lines = (
        _board_line(1, "陈**", 24, 8, waits=True, due_at=NOW + timedelta(minutes=22)),
        _board_line(2, "J***", 25, 13, venue=PEOPLE_S, nobody=True, waits=True, due_at=NOW + timedelta(minutes=80)),
        _board_line(3, "沈**", 24, 13, sent=_sent(zh_en("何静", "He Jing"), accepted=True, away=True)),
        _board_line(4, "吴*", 23, 13, sent=_sent(zh_en("陆萍", "Lu Ping"), accepted=True), begun=True),
        _board_line(5, "马*", 24, 8, sent=_sent(zh_en("何静", "He Jing"), accepted=True)),
        _board_line(6, "赵**", 24, 8, venue=PEOPLE_S, sent=_sent(zh_en("宋原", "Song Yuan"), accepted=False)),
        _board_line(7, "孙**", 26, 13, waits=True, proposed=True, due_at=NOW + timedelta(hours=5)),
    )
    found = Board(() if empty else lines, () if empty else (CITY[1],), () if empty else (FIRST, PEOPLE_S), not empty)
    told = (
        DeskCase("escort_late", "b5", "AX7K2M955Q", date(2026, 11, 24), NOW, False),
        DeskCase("escort_lost", "b8", "AX7K2M958Q", date(2026, 11, 22), NOW - timedelta(hours=20), False),
        DeskCase("escort_came_after_all", "b9", "AX7K2M959Q", date(2026, 11, 21), NOW - timedelta(days=1), False),
    )
    page = dispatch_page.page(found, () if empty else told, NOW)
    names = dispatch_page.standings()
    return desk_page(
        "dispatch",
        page=page,
        version='"x"',
        live_url="/gallery/desk_dispatch",
        wanted=Wanted(date(2026, 11, 22), date(2026, 12, 7), CITY[1] if narrowed else "", "", ""),
        standings=tuple(Choice(value, label, value == "") for value, label in names.items()),
        first=date(2026, 11, 23),
        narrowed=narrowed,
    )


def _candidate(number: int, name: str, **more: Any) -> Candidate:
    given: dict[str, Any] = {
        "sex": "female",
        "languages": frozenset({"mandarin"}),
        "duties": (Duty(frozenset(range(1, 8)), 480, 1080, date(2026, 1, 1)),),
        **more,
    }
    return Candidate(
        id=number,
        public_id=f"esw_{number}",
        provider_id=1,
        name=name,
        province=CITY[0],
        city=CITY[1],
        active_from=datetime(2026, 1, 1, tzinfo=UTC),
        **given,
    )


def _match(fits: bool = True) -> Match:
    starts = at(11, 24, 8)
    request = Request(
        "b1", 1, *CITY, ZONE, starts, starts + timedelta(hours=4), Stop(7), NOW, "cantonese", "female", frozenset({5})
    )
    both = frozenset({"mandarin", "cantonese"})
    there = (
        _candidate(1, zh_en("何静", "He Jing"), languages=both, knows=frozenset({7}), stars=45, ratings=10),
        _candidate(2, zh_en("陆萍", "Lu Ping"), languages=both, auto=False),
    )
    others = (
        _candidate(3, zh_en("宋原", "Song Yuan"), taken=(Taken(starts, starts + timedelta(hours=4), Stop(), "b9"),)),
        _candidate(4, zh_en("江月", "Jiang Yue")),
        _candidate(5, zh_en("高敏", "Gao Min"), languages=both),
        _candidate(6, zh_en("方文", "Fang Wen"), languages=both, papers=False),
        _candidate(7, zh_en("林立", "Lin Li"), languages=both, sex="male"),
    )
    return matched(request, (*(there if fits else ()), *others))


def _booking(status: str = "requested") -> WithPerson:
    venue = BookedVenue("sit_2", FIRST.name, FIRST.city, FIRST.district, "望江路1号")
    it = ShownBooking(
        id="b1",
        reference="AX7K2M951Q",
        version=2,
        kind="hospital_escort",
        status=status,  # type: ignore[arg-type]
        cause="",
        offer="half-day",
        pool="city-1",
        slot="s",
        service_date=date(2026, 11, 24),
        starts_at=at(11, 24, 8),
        ends_at=at(11, 24, 12),
        time_zone=ZONE,
        answer_due_at=at(11, 23, 16) if status == "requested" else None,
        person_name="陈**",
        change=None,
        cancel_asked=False,
        proposal=None,
        differences=(),
        created_at=at(11, 23, 9),
        updated_at=at(11, 23, 9),
        venue=venue,
    )
    answers = {
        "department": zh_en("心内科", "Cardiology"),
        "mobility": "wheelchair",
        "language": "cantonese",
        "escort_sex": "female",
        "contact_name": zh_en("陈明", "Chen Ming"),
        "contact_phone": "13900000099",
        "share": True,
    }
    return WithPerson(it, Comer(zh_en("陈素琴", "Chen Suqin"), "female", date(1948, 3, 2)), answers)


def _ask(number: int, name: str, state: str, cause: str = "", by_desk: bool = True) -> Ask:
    live = state in ("asked", "accepted")
    return Ask(
        f"esa_{number}",
        f"esw_{number}",
        name,
        f"HZ 04{number}7",
        state,
        cause,
        live,
        state == "accepted",
        NOW - timedelta(minutes=50),
        NOW + timedelta(minutes=25),
        None if live else NOW - timedelta(minutes=number * 10),
        by_desk,
        "no_phone" if state == "asked" else "",
    )


def one(state: str = "open", fits: bool = True, problem: bool = False) -> Context:
    asks = [
        _ask(5, zh_en("高敏", "Gao Min"), "declined", "declined", by_desk=False),
        _ask(2, zh_en("陆萍", "Lu Ping"), "expired", "no_answer"),
    ]
    if state in ("asked", "accepted"):
        asks.insert(0, _ask(1, zh_en("何静", "He Jing"), state))
    cases = (
        [DeskCase("escort_lost", "b1", "AX7K2M951Q", date(2026, 11, 24), NOW, cancelled=True)]
        if state == "over"
        else []
    )
    status = {"open": "requested", "asked": "requested", "over": "fulfilled"}.get(state, "confirmed")
    closed = zh_en("本单不再派人。", "Nobody is sent to this booking any more.")
    page = one_page.page(
        _booking(status),
        zh_en(*HALF_DAY),
        asks,
        cases,
        _match(fits),
        NOW,
        closed=closed if state == "over" else "",
        may_propose=True,
    )
    said = zh_en("这单已派给其他人，或对方已接单。", "Somebody is asked for this booking already, or has accepted it.")
    return desk_page(
        "dispatch", page=page, manages=True, causes=words.replace_causes(), problem=said if problem else ""
    )


def _worker(bare: bool = False, ended: bool = False) -> WorkerView:
    said = Profile(
        zh_en("何静", "He Jing"), "female", ("mandarin", "cantonese"), CITY, "HZ 0427", NURSE, "+8613900000088", True
    )
    promised = (
        Promised("b5", "e5", "AX7K2M955Q", at(11, 24, 8), at(11, 24, 12), ZONE, FIRST.name, True),
        Promised("b6", "e6", "AX7K2M956Q", at(11, 25, 13), at(11, 25, 17), ZONE, PEOPLE_S.name, False),
    )
    full = WorkerView(
        id="esw_1",
        seen=NOW,
        profile=said,
        zone=ZONE,
        papers_checked_at=at(11, 2, 9),
        active_from=at(11, 1, 9),
        ended_at=at(11, 20, 9) if ended else None,
        member=Linked("mbr_1", zh_en("何静", "He Jing")),
        hours=(
            Hours(frozenset(range(1, 6)), 480, 1020, date(2026, 11, 1)),
            Hours(frozenset({6, 7}), 480, 720, date(2026, 11, 1), date(2026, 12, 31)),
        ),
        away=(Away("eab_1", at(11, 27, 0), at(11, 29, 0), "leave"), Away("eab_2", at(12, 3, 8), None, "other")),
        promised=promised,
        known=(Known("sit_1", PEOPLE_S.name, PEOPLE_S.district), Known("sit_2", FIRST.name, FIRST.district)),
        done=412,
    )
    if not bare:
        return full
    return replace(full, papers_checked_at=None, member=None, hours=(), away=(), promised=(), known=(), done=0)


def _row(number: int, name: str, **more: Any) -> WorkerLine:
    given: dict[str, Any] = {
        "papers": True, "auto": True, "away": False, "hours": True, "ended": False, "to_come": 0, **more,
    }  # fmt: skip
    return WorkerLine(f"esw_{number}", name, f"HZ 04{number}7", NURSE, ("mandarin", "cantonese"), CITY, **given)


def workers(empty: bool = False, wanted: str = "", manages: bool = True) -> Context:
    lines = (
        _row(1, zh_en("何静", "He Jing"), to_come=3),
        _row(2, zh_en("陆萍", "Lu Ping"), away=True),
        _row(3, zh_en("宋原", "Song Yuan"), papers=False),
        _row(4, zh_en("江月", "Jiang Yue"), hours=False),
        _row(5, zh_en("高敏", "Gao Min"), ended=True),
    )
    rows = () if empty else tuple(workers_page.row(each) for each in lines)
    return desk_page("dispatch_workers", rows=rows, wanted=wanted, manages=manages, most=200)


def worker(bare: bool = False, ended: bool = False, free: bool = False, manages: bool = True) -> Context:
    page = workers_page.page(_worker(bare, ended), NOW)
    members = (Linked("mbr_7", zh_en("何静", "He Jing")),) if free else ()
    where = "" if bare else workers_page.home_words(_HOME)
    return desk_page("dispatch_workers", page=page, manages=manages, home=where, free=members, problem="")


_HOME = Home(Position(30.26, 120.15), Near("杭州示范医院", "杭州市", "西湖区", 1_240))


def home(given: bool = True, searched: bool = False, wrong: bool = False) -> Context:
    said = zh_en("坐标应为纬度、经度（度），例如 30.246,120.210。", "A position is latitude and longitude in degrees.")
    found = (VenueRow("sit_3", zh_en("杭州示范中医院", "Hangzhou Demonstration TCM Hospital"), ""),) if given else ()
    return desk_page(
        "dispatch_workers",
        page=workers_page.page(_worker(), NOW),
        home=workers_page.home_words(_HOME) if given else "",
        form=Form(
            {"q": zh_en("示范", "shifan"), "coordinates": "120.15" if wrong else ""},
            {"coordinates": said} if wrong else {},
        ),
        found=found,
        searched=searched,
        problem="",
    )


def form(new: bool = False, wrong: bool = False) -> Context:
    it = _worker()
    fields = {**workers_page.fields_of(it.profile), "seen": "x"} if not new else {"language.mandarin": "1", "key": "k"}
    said = zh_en("请填写。", "This is needed.")
    errors = {"shown_name": said, "languages": said, "phone": said} if wrong else {}
    return desk_page(
        "dispatch_workers",
        form=Form(fields, errors),
        worker=None if new else it.id,
        name="" if new else it.profile.shown_name,
        cities=workers_page.city_options((CITY, ("上海市", "上海市"))),
        sexes=[(sex, words.sex_name(sex)) for sex in ("female", "male")],
        spoken=[(code, words.language_name(code)) for code in ("mandarin", "cantonese", "shanghainese", "english")],
    )


def venues(bare: bool = False, searched: bool = False) -> Context:
    found = (
        VenueRow("sit_3", zh_en("杭州示范中医院", "Hangzhou Demonstration TCM Hospital"), ""),
        VenueRow("sit_4", zh_en("杭州示范妇幼保健院", "Hangzhou Demonstration Maternity Hospital"), ""),
    )
    return desk_page(
        "dispatch_workers",
        page=workers_page.page(_worker(bare), NOW),
        form=Form({"q": zh_en("示范", "shifan") if searched or not bare else ""}),
        found=() if bare else found,
        searched=searched or not bare,
        problem="",
    )


def roster(bare: bool = False, wrong: bool = False) -> Context:
    fields = {"start": "08:00", "end": "17:00", "first": "2026-11-23", **{f"day{day}": "1" for day in range(1, 6)}}
    said = zh_en("结束时间必须晚于开始时间。", "The end must lie after the start.")
    errors = {"end": said, "weekdays": said} if wrong else {}
    page = workers_page.page(_worker(bare), NOW)
    return desk_page("dispatch_workers", page=page, form=Form(fields, errors), weekdays=words.weekdays())


def away(looked: bool = False, hit: bool = True, wrong: bool = False) -> Context:
    it = _worker()
    said = zh_en("结束时间必须晚于开始时间。", "The end must lie after the start.")
    return desk_page(
        "dispatch_workers",
        page=workers_page.page(it, NOW),
        form=Form({"cause": "ill", "until": "2026-11-25"}, {"until": said} if wrong else {}),
        causes=words.absence_causes(),
        looked=looked,
        hit=tuple(workers_page.promised_row(each) for each in it.promised) if hit else (),
    )
