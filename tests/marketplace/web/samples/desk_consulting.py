"""Consultations at the desk: who waits and who is on shift, a conversation, one's own shift, and closing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from booking.consultation.at_desk.colleagues import WithColleague
from booking.consultation.at_desk.in_hand import InHand
from booking.consultation.at_desk.notes import Note
from booking.consultation.at_desk.phrases import Phrase, Wording
from booking.consultation.queue import Waiting
from marketplace.core.text import Text
from marketplace.web.answers import tag
from marketplace.web.assets import asset
from marketplace.web.desk.consulting import board_page
from marketplace.web.desk.consulting.board_page import Board, Seen, Standing
from marketplace.web.desk.consulting.talk_page import Beside, Composer, Insert, Said, Shot, Summed, Talk, Whose
from marketplace.web.desk.consulting.trend_page import TrendPage, TrendRow
from marketplace.web.desk.results.delivering_page import ReadRow
from marketplace.web.parts import Fact, Form, Pill
from providers.staff.shifts import ShiftView
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at, zh_en

_NOW = at(11, 23, 9)
_NAMES = {
    "general": Text("全科", "General practice"),
    "paediatrics": Text("儿科", "Paediatrics"),
    "dermatology": Text("皮肤科", "Dermatology"),
}
_ME = "mbr_1"


def _ago(seconds: int) -> datetime:
    return _NOW - timedelta(seconds=seconds)


def _mine() -> list[InHand]:
    due = _NOW + timedelta(seconds=52)
    return [
        InHand("c1", "沈静宜", "general", "zh", True, 2, True, _ago(600), None, "met", _ago(20)),
        InHand("c2", "Jane Roe", "dermatology", "en", False, 1, False, _ago(38), due, "pending", _ago(38)),
        InHand("c3", "何建国", "general", "zh", False, 0, True, _ago(900), None, "met", _ago(300)),
    ]


def _waiting(offered: bool) -> list[Waiting]:
    def one(number: int, department: str, seconds: int, pledge: str, escalated: int = 0, **more: Any) -> Waiting:
        due = _ago(seconds) + timedelta(seconds=90)
        values: dict[str, Any] = {"flagged": False, "handed_back": False, "offered_to": None, "offered_until": None}
        return Waiting(
            f"w{number}",
            department,
            "zh",
            first_message_at=_ago(seconds),
            due_at=due,
            pledge=pledge,
            escalated=escalated,
            **{**values, **more},
        )

    queue = [
        one(1, "paediatrics", 8, "pending"),
        one(2, "general", 47, "at_risk", 1),
        one(3, "general", 99, "breached", 2),
    ]
    mine = one(4, "general", 12, "pending", offered_to=_ME, offered_until=_NOW + timedelta(seconds=9))
    return [
        *([mine] if offered else []),
        *queue,
        one(5, "dermatology", 30, "pending", handed_back=True, absent=zh_en("吴迪", "Wu Di")),
    ]


def _shifts() -> list[ShiftView]:
    every = tuple(_NAMES)
    return [
        ShiftView("mbr_2", zh_en("林书言", "Lin Shuyan"), "on", 5, 1, True, _ago(9_000), every, ("zh", "en")),
        ShiftView(_ME, zh_en("周予安", "Zhou Yu'an"), "on", 4, 3, False, _ago(7_000), every[:1], ("zh",)),
        ShiftView(
            "mbr_3", zh_en("吴迪", "Wu Di"), "on", 3, 1, False, _ago(5_000), every[1:2], ("zh",), None, _ago(380)
        ),
        ShiftView("mbr_4", zh_en("何之远", "He Zhiyuan"), "break", 3, 0, False, _ago(5_000), every, ("en",), _ago(600)),
    ]


def _theirs() -> list[WithColleague]:
    lin, wu = zh_en("林书言", "Lin Shuyan"), zh_en("吴迪", "Wu Di")
    due = _NOW + timedelta(seconds=30)
    return [
        WithColleague("t1", wu, "dermatology", "zh", False, True, _ago(400), True, _ago(380), None, "met"),
        WithColleague("t2", lin, "general", "zh", True, True, _ago(130), False, _ago(3), None, "met"),
        WithColleague("t3", lin, "general", "en", False, False, _ago(60), False, _ago(3), due, "at_risk"),
        WithColleague("t4", lin, "paediatrics", "zh", False, True, None, False, _ago(3), None, "met"),
    ]


def _board(
    standing: Standing, *, empty: bool = False, offered: bool = True, lead: bool = False, open: str = ""
) -> Context:
    mine = [] if empty or standing != "on" else _mine()
    queue = [] if empty else _waiting(offered and standing == "on")
    at_work = [] if empty else [it for it in _shifts() if standing == "on" or it.member != _ME]
    theirs = _theirs() if standing == "on" and lead else []
    at_work = [replace(it, lead=lead) if it.member == _ME else it for it in at_work]
    shown: Board = board_page.board(standing, _ME, Seen(mine, queue, at_work, theirs), _NAMES, _NOW)
    return {"board": shown, "board_version": tag(shown), "open": open, "now": _NOW}


def board(standing: Standing = "on", empty: bool = False, lead: bool = False) -> Context:
    role = "manager" if standing == "manager" else "clinician"
    return desk_page("consultations", role, **_board(standing, empty=empty, lead=lead))


def _said(whose: Whose) -> tuple[Said, ...]:
    sore = zh_en("孩子发烧两天，38.5 度，嗓子疼。", "My child has had a fever of 38.5 for two days, and a sore throat.")
    picture = Shot(
        asset("img/favicon.svg"),
        asset("img/favicon.svg"),
        240,
        180,
        zh_en("图片，点击查看原图", "Picture, opens in full size"),
    )
    said = [
        Said(1, "theirs", zh_en("患者", "Patient"), _ago(600), sore, None, None),
        Said(
            2,
            "automatic",
            "",
            _ago(599),
            zh_en("内容可能涉及急症。", "These words may describe an emergency."),
            None,
            None,
        ),
    ]
    if whose != "waiting":
        asked = zh_en("有没有呼吸困难？", "Is breathing difficult?")
        said.append(Said(3, "ours", zh_en("您", "You"), _ago(560), asked, None, None, "message-3"))
        said.append(Said(4, "theirs", zh_en("患者", "Patient"), _ago(500), "", picture, None))
    if whose == "over":
        summed = Summed(zh_en("上呼吸道感染", "A cold"), zh_en("多饮水", "Drink plenty"), zh_en("体检", "Health check"))
        said.append(Said(5, "ours", zh_en("您", "You"), _ago(100), "", None, summed))
    return tuple(said)


def _phrases(shared: bool, number: int) -> tuple[Phrase, ...]:
    said = [
        Wording(zh_en("问候", "Greeting"), "", "{name}，您好，我是{doctor}。", "Hello {name}, I am {doctor}."),
        Wording(
            zh_en("嗓子疼", "Sore throat"),
            "",
            "嗓子疼几天了？有没有发烧、咳嗽，吞咽时是否更疼？",
            "For how many days has your throat been sore? Do you have a fever or a cough, and does it hurt to swallow?",
        ),
        Wording(zh_en("拍照片", "A picture"), "dermatology", "请在明亮处拍一张清楚的照片。", ""),
    ]
    return tuple(Phrase(f"phr_{shared}_{place}", shared, it) for place, it in enumerate(said[:number]))


def _phrase_choices() -> Context:
    departments = [("", zh_en("全部科室", "All departments")), *((code, zh_en(*name)) for code, name in _NAMES.items())]
    return {"departments": departments, "longest_name": 40, "longest": 1_000}


def phrases(kind: str = "") -> Context:
    """The lists of a clinician; `kind` empty, wrong, or lead (who may change the shared ones)."""
    own = _phrases(False, 0 if kind == "empty" else 2)
    shared = _phrases(True, 0 if kind == "empty" else 3)
    lists = [
        ("own", zh_en("我的常用语", "Your own"), own, True),
        ("shared", zh_en("本机构医生共用", "Shared by all doctors here"), shared, kind == "lead"),
    ]
    errors = {"zh": zh_en("大括号里只能用 {name}。", "In braces only {name} can stand.")} if kind == "wrong" else {}
    return desk_page(
        "phrases",
        "clinician",
        lists=lists,
        names={"dermatology": zh_en("皮肤科", "Dermatology")},
        form=Form({"name": "x", "zh": "{nmae}"} if kind == "wrong" else {}, errors),
        may_add=[(code, name) for code, name, _rows, may in lists if may],
        most=100,
        **_phrase_choices(),
    )


def phrase() -> Context:
    one = _phrases(False, 1)[0]
    values = {"name": one.wording.name, "department": "", "zh": one.wording.zh, "en": one.wording.en}
    return desk_page("phrases", "clinician", phrase=one, form=Form(values), **_phrase_choices())


def trend() -> Context:
    def row(value: str, year: int, mark: str, why: str = "") -> TrendRow:
        tone = ("bad", "triangle-alert") if mark else ("ok", "check")
        judged = Pill(zh_en("高于范围", "Above its range") if mark else zh_en("范围内", "Within its range"), *tone)
        read = ReadRow("Glu", value, "mmol/L", "3.9-6.1", mark, zh_en("血糖", "Glucose"), judged)
        place = zh_en("和馨体检 · 西湖分院", "Hexin Checkups · Westlake")
        return TrendRow(date(year, 3, 10), place, read, "115 mg/dL" if why else "", why, "#")

    why = zh_en("方法不同，无法比较。", "Another method; not comparable.")
    rows = (row("6.4", 2025, "↑"), row("5.9", 2024, ""), row("5.6", 2023, "", why))
    shown = TrendPage(zh_en("血糖", "Glucose"), "mmol/L", "3.9–6.1", rows)
    beside = _board("on", offered=False, open="c1")
    return desk_page("consultations", "clinician", trend=shown, conversation="c1", **beside)


def talk(whose: Whose = "mine", wrong: bool = False, agreed: bool = True, long: bool = False) -> Context:
    said = _said(whose)
    shown = Talk(
        "c1",
        whose,
        zh_en("沈静宜", "Shen Jingyi"),
        zh_en("全科 · 在线图文问诊", "General practice · Online consultation"),
        zh_en("林书言", "Lin Shuyan"),
        whose != "over",
        whose != "waiting",
        said,
        len(said),
        whose == "mine",
        False,
        _NOW + timedelta(seconds=38) if whose == "waiting" else None,
        ZONE,
        "/desk/consultations/c1?since=1#m-51" if long else "",
        "/desk/consultations/c1#say" if long else "",
        "/desk/consultations/c1/live?since=1",
    )
    beside = Beside(
        (
            Fact(zh_en("姓名", "Name"), zh_en("沈静宜", "Shen Jingyi")),
            Fact(zh_en("性别", "Sex"), zh_en("女", "female")),
            Fact(zh_en("年龄", "Age"), "41"),
        ),
        (Fact(zh_en("过敏史", "Allergies"), zh_en("青霉素", "Penicillin")),),
        ((zh_en("体检 · 2025年3月10日", "Health check · 10 March 2025"), "/gallery/desk_consultation_report"),)
        if agreed
        else (),
        agreed,
    )
    error = {"text": zh_en("最多 4000 字。", "At most 4,000 characters.")} if wrong else {}
    inserts = tuple(Insert(it.id, it.wording.name, it.wording.zh or it.wording.en) for it in _phrases(True, 3))
    composer = Composer(
        Form({"text": zh_en("请先", "Please first")} if wrong else {}, error), "m1", inserts, "mbr_1 c1"
    )
    shown_board = _board("on", offered=False, open="c1")
    colleagues = [it for it in shown_board["board"].on_shift if it.free and it.id != _ME]
    return desk_page(
        "consultations",
        "clinician",
        talk=shown,
        talk_version=tag(shown),
        beside=beside if whose == "mine" else None,
        composer=composer,
        notes=[Note(zh_en("林书言", "Lin Shuyan"), zh_en("青霉素过敏，勿用。", "Allergic to penicillin."), _ago(300))],
        longest_note=2_000,
        colleagues=colleagues,
        assignable=colleagues if whose in ("waiting", "colleague") else [],
        take_over=_ME if whose == "colleague" else "",
        **shown_board,
    )


def shift(standing: Standing = "on") -> Context:
    own = _shifts()[1] if standing in ("on", "break") else None
    load = board_page.load(own.in_hand, own.capacity) if own else ""
    return desk_page("consultations", "clinician", standing=standing, shift=own, load=load, capacity=3, most=20)


def close(wrong: bool = False) -> Context:
    errors = {"summary": zh_en("请填写。", "Fill this in.")} if wrong else {}
    services = [("", zh_en("无", "None")), ("health_check", zh_en("体检", "Health check"))]
    return desk_page(
        "consultations",
        "clinician",
        conversation="c1",
        name=zh_en("沈静宜", "Shen Jingyi"),
        form=Form({"advice": zh_en("多饮水", "Drink plenty")} if wrong else {}, errors),
        services=services,
        longest=4_000,
        **_board("on", offered=False, open="c1"),
    )


def report() -> Context:
    rows = [
        ReadRow(
            "Glu",
            "6.4",
            "mmol/L",
            "3.9-6.1",
            "↑",
            zh_en("血糖", "Glucose"),
            Pill(zh_en("高于范围", "Above its range"), "bad", "triangle-alert"),
        )
    ]
    return desk_page(
        "consultations",
        "clinician",
        name=zh_en("体检", "Health check"),
        day=date(2025, 3, 10),
        conclusion=zh_en("血糖偏高，建议复查。", "Glucose is high; check it again."),
        provider=zh_en("和馨体检", "Hexin Checkups"),
        rows=[(it, "glucose") for it in rows],
        conversation="c1",
        **_board("on", offered=False, open="c1"),
    )
