"""An escort in its stages, its links, and what the family sees, for the gallery."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from booking.escort.after.awaited import Wrong
from booking.escort.following.follow import FollowedLink
from booking.escort.shown.steps import PLANNED, Step
from marketplace.web import formats
from marketplace.web.escort import lines
from marketplace.web.escort.escort_page import Ask, EscortPage, Said, WorkerCard
from marketplace.web.escort.follow_page import FollowPage
from marketplace.web.escort.lines import Line
from marketplace.web.escort.links_page import About, LinkRow, Made
from marketplace.web.escort_words import wrong_words
from marketplace.web.parts import Form, Pill, Turn
from marketplace.web.rating_form import Stars
from tests.marketplace.web.samples.everyday import Context, at, zh_en

ZONE = "Asia/Shanghai"


def _moment(hour: int, minute: int) -> datetime:
    return at(11, 23, hour, minute)


def _lines(done: int) -> tuple[Line, ...]:
    times = ((7, 46), (8, 12), (8, 21), (8, 34), (9, 5), (9, 40), (10, 2), (10, 30), (10, 34))
    steps = [
        Step(
            kind,
            "done",
            _moment(*times[number]),
            "within" if kind == "arrived" else None,
            kind == "met",
            words=zh_en("门诊楼一层大厅", "Hall on the ground floor") if kind == "arrived" else "",
        )
        if number < done
        else Step(kind, "now" if number == done else "next")
        for number, kind in enumerate(PLANNED)
    ]
    return lines.lines(steps, _moment(8, 0).date(), ZONE)


def _page() -> EscortPage:
    return EscortPage(
        id="b1",
        title=zh_en("陪诊进行中", "The escort is under way"),
        about=zh_en(
            "今天 08:30，望江示范医院·心内科，陪同林素琴·母亲", "Today, 08:30, Wangjiang Hospital, with Lin Suqin"
        ),
        turn=None,
        worker=WorkerCard(
            zh_en("何静", "He Jing"),
            zh_en("何", "H"),
            zh_en("护理专业", "Nurse"),
            zh_en("工号 HZ 0427·陪诊 412 次", "No. HZ 0427 · 412 escorts done"),
            zh_en("128 个评价，平均 4.9 星", "4.9 of 5 from 128 ratings"),
            checked=True,
        ),
        replaced=(),
        safe_word="青山",
        pinyin="qīngshān",
        code="4072",
        lines=_lines(4),
        notes=(
            Said(
                zh_en(
                    "林女士早饭已吃，血压药已服。精神好，走路不需要搀扶。", "She had breakfast and took her tablets."
                ),
                "08:36",
                _moment(8, 36),
            ),
            Said(
                zh_en("已把去年的心电图交给护士登记。", "Gave last year's ECG to the nurse."), "08:41", _moment(8, 41)
            ),
        ),
        papers=(Said(zh_en("挂号单", "Registration slip"), "08:35", _moment(8, 35), "#"),),
        costs=(
            Said(zh_en("挂号费·¥50", "Registration fee · ¥50"), "08:35", _moment(8, 35), "#"),
            Said(zh_en("打车·¥32.50", "Taxi · ¥32.50"), "08:02", _moment(8, 2)),
        ),
        total="¥82.50",
        handed_over="",
        ask=None,
        stars=None,
        version='"v"',
        final=False,
        links_url="#",
    )


def _ask(*, confirm: bool = True, complained: bool = False, wrong: bool = False) -> Ask:
    return Ask(
        confirm=confirm,
        complain=not complained,
        until=zh_en("明天 10:34", "10:34 tomorrow"),
        complained=complained,
        reasons=tuple((code, wrong_words()[code]) for code in Wrong),
        form=Form(errors={"what": zh_en("请选择遇到的问题。", "Choose what is wrong.")} if wrong else {}),
    )


def escort(stage: str = "under_way") -> Context:
    page = _page()
    over = {
        "lines": _lines(9),
        "handed_over": zh_en("药已交给林女士，下周二复诊。", "Medicines handed over; back on Tuesday."),
    }
    searching = Turn(zh_en("正在安排陪诊员", "Somebody is being looked for"), page.about, icon="hourglass")
    pages = {
        "under_way": page,
        "looking": replace(page, worker=None, turn=searching, lines=(), notes=(), papers=(), costs=(), total=""),
        "replaced": replace(
            page,
            lines=_lines(0),
            replaced=(zh_en("何静生病不能来，07:10 得知。", "He Jing is ill and can't come, told at 07:10."),),
        ),
        "handed_over": replace(page, **over, ask=_ask()),
        "wrong": replace(page, **over, ask=_ask(wrong=True), version=""),
        "complained": replace(page, **over, ask=_ask(confirm=False, complained=True)),
        "done": replace(page, **over, safe_word="", code="", stars=Stars(Form()), ask=_ask(confirm=False), final=True),
        "withheld": replace(page, notes=(), handed_over="", consent_url="#"),
        "lost": replace(
            page,
            turn=Turn(zh_en("没有人到场，陪诊没有进行", "Nobody came"), page.about, icon="calendar-x", tone="bad"),
            worker=None,
            lines=(),
            notes=(),
            papers=(),
            costs=(),
            total="",
            final=True,
            links_url="",
            again_url="#",
        ),
    }
    return {"page": pages[stage]}


def links(*, made: bool = False, full: bool = False, wrong: bool = False) -> Context:
    opened = Pill(zh_en("有效", "Open"), "ok", icon="check")
    ended = Pill(zh_en("已停用", "Ended"), "off", icon="x")
    until, shows = zh_en("今天 24:00 前有效", "Until tomorrow, 00:00"), zh_en("可看步骤和时间", "Steps and times")
    looks = (zh_en("今天 08:40", "Today, 08:40"), zh_en("今天 08:22", "Today, 08:22"))
    seen, never = zh_en("看过 2 次", "Looked at 2 times"), zh_en("还没有人看过", "Not looked at yet")
    brother = zh_en("哥哥", "brother")
    rows = (
        LinkRow("l2", brother, opened, until, shows, seen, looks, True),
        LinkRow("l1", zh_en("嫂子", "sister-in-law"), ended, until, shows, never, (), False),
    )
    errors = {"name": zh_en("请填写。", "This is needed.")} if wrong else {}
    url = "https://anxiang.example/shared/escort/4kQ0vWm2Yx8nB1sT6uRzL3cJ9eHfGpDa5iKoXwVbNqE"
    page = _page()
    return {
        "booking": "b1",
        "about": About(zh_en("林素琴·母亲", "Lin Suqin · mother"), page.about),
        "form": Form(errors=errors),
        "key": "k",
        "made": Made(url, brother, formats.moment(_moment(23, 0))) if made else None,
        "links": () if wrong else rows,
        "may": not full,
        "most": 5,
    }


def followed(*, over: bool = False, gone: bool = False) -> Context:
    turn = Turn(zh_en("这次陪诊没有进行", "This escort does not take place"), "", icon="info") if gone else None
    page = FollowPage(
        title=zh_en("陪诊进行中", "The escort is under way"),
        for_whom=zh_en("哥哥", "brother"),
        about=zh_en("今天 08:30，望江示范医院，陪同母亲", "Today, 08:30, Wangjiang Hospital, with Mother"),
        turn=turn,
        lines=() if gone else _lines(9 if over else 4),
        notes=((zh_en("血压药已服。", "Took her tablets."), "08:36", _moment(8, 36)),),
        expires_at=_moment(23, 0),
        zone="Asia/Shanghai",
        final=over or gone,
    )
    return {"page": page, "version": '"v"', "token": "t"}


def door() -> Context:
    return {"link": FollowedLink("l1", _moment(23, 0), "Asia/Shanghai"), "token": "t"}
