"""Beginning a consultation, and how one stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from booking.consultation.views import ConversationView
from marketplace.core.text import Text
from marketplace.web import booking_words
from marketplace.web.assets import asset
from marketplace.web.booking.bookings_page import BookingPage
from marketplace.web.booking.rules_page import Rule
from marketplace.web.booking.timeline import Step
from marketplace.web.consultation import triage
from marketplace.web.consultation.call_back import moments
from marketplace.web.consultation.conversation_page import (
    Clock,
    Doctor,
    Mode,
    Talk,
    Waiting,
    emergency_card,
    title,
)
from marketplace.web.consultation.lines import Line, Picture, SummaryCard, automatic
from marketplace.web.consultation.start_page import Start
from marketplace.web.parts import Fact, Form, Ticket, When
from marketplace.web.rating_form import Stars
from tests.marketplace.web.samples.booking import booking
from tests.marketplace.web.samples.everyday import NOW, ZONE, Context, at, people, zh_en

_KIND = "online_consultation"


def start(problem: bool = False, none: bool = False, wrong: bool = False) -> Context:
    """Nothing is chosen yet; refused as a whole or for whom it is; or nobody answers now. A child is too young."""
    values = {
        "for": "p1",
        "offer": "o1",
        "entitlement": "e1",
        "department": "general",
        "language": "zh",
        "show_reports": "",
    }
    departments = (
        ("general", zh_en("全科", "General practice")),
        ("internal", zh_en("内科", "Internal medicine")),
        ("dermatology", zh_en("皮肤科", "Dermatology")),
    )
    sentence = zh_en("最多同时有 5 个。", "5 of these are open for you, as many as may be.") if problem else ""
    errors = {"for": zh_en("这位家人还没有同意。", "This person has not agreed yet.")} if wrong else {}
    offers = () if none else (("o1", zh_en("在线图文问诊·长宁门诊", "Online consultation, Changning Clinic")),)
    languages = (("zh", zh_en("中文", "Chinese")), ("en", zh_en("英文", "English")))
    question, more = triage.boxes(_KIND)
    form = Form(values, errors, problem=sentence)
    members = tuple(
        replace(it, reasons=(zh_en("还没有同意。", "Has not agreed yet."),)) if it.consent == "missing" else it
        for it in people()
    )
    time = zh_en("90 秒", "90 s")
    return {"page": Start(members, offers, departments, languages, question, more, time, form, "k")}


def _ticket(state: str) -> Ticket:
    return Ticket(
        booking_words.ticket_style(state, _KIND),
        zh_en("在线图文问诊", "Online consultation"),
        booking_words.pill(state, _KIND),
        When(date(2026, 11, 23), ZONE),
        zh_en("长宁门诊", "Changning Clinic"),
        facts=(Fact(zh_en("咨询人", "For"), zh_en("沈静宜", "Shen Jingyi")),),
        with_year=True,
    )


def _line(seq: int, text: str, *, mine: bool = False, byline: str = "", **more: Any) -> Line:
    author = "customer" if mine else "clinician"
    speaker = zh_en("您：", "You:") if mine else zh_en("周医生：", "Dr Zhou:")
    return Line(seq, "text", author, mine, f"m{seq}" if mine else "", speaker, byline, text, **more)


def _automatic(seq: int, kind: str) -> Line:
    return Line(seq, kind, "automatic", False, "", "", "", automatic(kind, zh_en("今天 09:40", "Today, 09:40")))


def _asked() -> Line:
    text = zh_en(
        "父亲的体检报告里坏胆固醇 3.92，比去年高。他有高血压，在吃药。要不要紧，需要马上去医院吗？",
        "My father's LDL cholesterol is 3.92, higher than last year. He has high blood pressure and takes medicine"
        " for it. Is that serious? Does he have to see a doctor at once?",
    )
    return _line(1, text, mine=True, byline=zh_en("今天 09:12", "Today, 09:12"))


def _talked() -> tuple[Line, ...]:
    picture = Picture(asset("img/favicon.svg"), asset("img/favicon.svg"), 180, 180, zh_en("图片", "Picture"))
    who = zh_en("周医生·主治医师·今天 09:13", "Dr Zhou · Attending physician · Today, 09:13")
    return (
        _asked(),
        _line(
            2,
            zh_en(
                "您好，我看过报告了。这个数值不需要急诊，但您父亲有高血压，目标要比普通人严一些，建议两周内到门诊。",
                "Hello, I have read the report. This needs no emergency room, but with high blood pressure the aim is"
                " stricter than for others: he should see a doctor within two weeks.",
            ),
            byline=who,
        ),
        _line(
            3,
            zh_en(
                "想再确认两点：他现在吃的降压药叫什么？最近在家量的血压大约是多少？",
                "Two more things: which medicine does he take, and what did he measure at home lately?",
            ),
        ),
        _line(4, "", mine=True, byline=zh_en("今天 09:14", "Today, 09:14"), picture=picture),
        _line(
            5,
            zh_en("氨氯地平，每天一片。早上一般 135/82。", "Amlodipine, one a day. 135/82 in the morning."),
            mine=True,
        ),
    )


_DOCTOR = ("周医生", "Dr Zhou")


def conversation(mode: Mode = "waiting", **changes: Any) -> Context:
    """A conversation in any state; `changes` are fields of its page."""
    doctor = Doctor(
        zh_en(*_DOCTOR),
        zh_en("周", "Z"),
        zh_en("全科", "General practice"),
        zh_en("主治医师，正在为您接诊", "Attending physician, is with you now"),
    )
    pledged = zh_en("90 秒", "90 s")
    answered = Clock("met", pledged, 0, 90, 0.455, zh_en("41 秒", "41 s"))
    waits = mode in ("unasked", "waiting")
    gone = mode == "given_up"
    lines = () if mode == "unasked" else (_asked(),) if waits or gone else _talked()
    line = zh_en("全科：6 位医生在线，前面没有人排队", "General practice: 6 doctors on shift, nobody ahead of you")
    titles = {
        "unasked": zh_en("您想问什么？", "What would you like to ask?"),
        "waiting": zh_en("您的问题已送到值班医生", "Your question is with the doctors on shift"),
    }
    talk = Talk(
        "cnv_1",
        "b1",
        mode,
        title(mode),
        zh_en("沈伯年·父亲·全科", "Shen Bonian · Father · General practice"),
        None if waits or gone else doctor,
        None if gone or mode == "unasked" else Clock("open", pledged, 62, 90) if waits else answered,
        Waiting(titles[mode], line, False, "", (), pledged if mode == "unasked" else "") if waits else None,
        None,
        lines,
        len(lines),
        0 if waits else len(lines),
        max((it.seq for it in lines if it.mine), default=0),
        "",
        zh_en("问诊已取消，权益已退回。", "It was taken back. Your benefit is back.") if gone else "",
        waits,
        "",
        "/gallery/consultation_start",
        "",
        '"v"',
        "5f1c",
        Form(),
    )
    return {"page": replace(talk, **changes)}


def nobody(chosen: bool = False) -> Context:
    """Nobody is on shift: there is a choice."""
    said = zh_en("您选择等待，医生回复后马上通知您。", "You chose to wait. Your question keeps its place.")
    waiting = Waiting(
        zh_en("您的问题已经保存", "Your question is safe with us"),
        zh_en("现在没有能回答的医生值班。", "No doctor who could answer it is on shift just now."),
        True,
        said if chosen else "",
        moments(NOW, NOW + timedelta(hours=23), ZONE),
    )
    return conversation(waiting=waiting, title=title("waiting", nobody=True))


def outside(lost: bool = False) -> Context:
    """Doctors of another provider answer: nobody knows the place. Or one message did not reach them."""
    if lost:
        return conversation("open", not_delivered=(1,), on_the_way=(5,))
    waiting = Waiting(
        zh_en("您的问题已交给长宁门诊的医生", "Your question is with the doctors of Changning Clinic"),
        zh_en(
            "由长宁门诊的医生回复。对方的排队人数我们无法得知。最近两小时，一般约 40 秒得到回复。",
            "Changning Clinic answers with doctors of its own. How many are waiting there we can't see. In the last two"
            " hours an answer took about 40 s.",
        ),
        False,
        "",
        (),
        outside=True,
    )
    return conversation(waiting=waiting, on_the_way=(1,))


def late() -> Context:
    """The pledge was broken while she waits."""
    given = zh_en("很抱歉，已为您补偿 1 次问诊。", "We are sorry. 1 more consultation is yours for it.")
    waiting = Waiting(
        zh_en("我们晚了，正在优先处理您的问题", "We are late. Your question comes first now"),
        zh_en("全科：6 位医生在线，前面还有 2 人", "General practice: 6 doctors on shift, 2 ahead of you"),
        False,
        "",
        (),
    )
    return conversation(waiting=waiting, clock=Clock("late", zh_en("90 秒", "90 s"), 0, 90, given=given))


def answered_late() -> Context:
    """A doctor answered after the pledged time."""
    given = zh_en("很抱歉，已为您补偿 1 次问诊。", "We are sorry. 1 more consultation is yours for it.")
    clock = Clock("late", zh_en("90 秒", "90 s"), 0, 90, 1.0, zh_en("2 分 5 秒", "2 min 5 s"), given)
    return conversation("open", clock=clock)


def flagged() -> Context:
    """Her words hold a sign of an emergency."""
    view = replace(_VIEW, flagged=True)
    return conversation(emergency=emergency_card(view), lines=(_asked(), _automatic(2, "emergency")), last_seq=2)


_VIEW = ConversationView(
    "cnv_1", "b1", "confirmed", "p2", "沈伯年", "father", Text("长宁门诊", "Changning Clinic"), Text("问诊", "Consultation"),
    "general", Text("全科", "General practice"), {"general": Text("全科", "General practice")}, "zh", "waiting", None, 1, 0, 0, False, NOW, NOW, None, None, None, 0, False,
)  # fmt: skip


def typing() -> Context:
    """The doctor types."""
    return conversation("open", typing=zh_en("周医生正在输入", "Dr Zhou is typing"), others_read=5)


def part() -> Context:
    """A part of a long one: more stands before and behind it, and some of it is new."""
    return conversation(
        "open",
        newest=90,
        earlier_url="/gallery/consultation_part?before=1",
        later_url="/gallery/consultation_part?after=5",
        first_new=3,
    )


def refused() -> Context:
    """Words that could not be sent."""
    error = zh_en("最多 4,000 个字。", "At most 4,000 characters.")
    return conversation(
        "open", form=Form({"text": zh_en("太长了", "Too long"), "client_message_id": "x"}, {"text": error})
    )


def closed(rated: bool = False, wrong: bool = False, over: bool = False) -> Context:
    """Closed with a summary; rated; the rating refused; or a day after its end."""
    card = SummaryCard(
        zh_en("低密度脂蛋白偏高，无急诊指征。", "LDL cholesterol is raised. No emergency."),
        zh_en("两周内心内科门诊，继续服药。", "See a cardiologist within two weeks; go on with the medicine."),
        zh_en("预约：健康体检", "Book: Health check"),
        "/gallery/places",
    )
    who = zh_en("周医生·主治医师·今天 09:40", "Dr Zhou · Attending physician · Today, 09:40")
    summary = Line(6, "summary", "clinician", False, "", "", who, "", summary=card)
    form = Form({"stars": "4", "words": ""} if rated else {})
    if wrong:
        form = Form({"words": zh_en("很快", "Quick")}, {"stars": zh_en("请选择星级。", "Choose one to five stars.")})
    thanks = zh_en("谢谢，今天内可以修改。", "Thank you. You can change it until tomorrow.") if rated else ""
    return conversation(
        "closed",
        lines=(*_talked(), summary, _automatic(7, "closed_idle")),
        last_seq=7,
        ended=zh_en("今天 09:40 结束", "Closed 09:40 today"),
        reopen_until="" if over else zh_en("明天 09:40", "09:40 tomorrow"),
        report_url="/gallery/report",
        stars=Stars(form, thanks, True),
    )


def _steps(state: str) -> tuple[Step, ...]:
    opened = Step("done", zh_en("您提交了预约", "You submitted the booking"), at(11, 23, 8))
    queued = Step("done", zh_en("排队等待医生", "In the doctors' queue"), at(11, 23, 8))
    waits = Step("now", zh_en("等医生答复", "Waiting for the doctor"))
    report = Step("next", zh_en("问诊小结送达", "Report arrives"), aside=zh_en("由医生交付", "from the doctor"))
    if state == "confirmed":
        return opened, queued, waits, report
    answered = Step("done", zh_en("医生已回复", "The doctor answered"), at(11, 23, 8))
    return opened, queued, answered, report


def _rules(state: str) -> tuple[Rule, ...]:
    free = zh_en("医生答复之前可免费取消，权益全额退回。", "Free until the doctor answers.")
    return (Rule(icon="check", text=free, tone="ok"),) if state == "confirmed" else ()


def booked(state: str = "confirmed", **facts: Any) -> Context:
    """The booking's page of one."""
    page: BookingPage = booking(state)["page"]
    known = booking_words.Facts(state, When(date(2026, 11, 23), ZONE), _KIND, **facts)
    return {
        "page": replace(
            page,
            ticket=_ticket(state),
            turn=booking_words.turn(known),
            steps=_steps(state),
            rules=_rules(state),
            hints=(),
            calendar_url="",
            routes=(),
            change_url="",
            code="",
            conversation_url="/gallery/consultation",
        )
    }
