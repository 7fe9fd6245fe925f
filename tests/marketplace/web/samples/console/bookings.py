"""Bookings and disputes at the phone desk."""

from __future__ import annotations

from dataclasses import replace

from booking.changes.cancel import REASONS
from marketplace.web import booking_words
from marketplace.web.console.bookings import desk_page, visit_page
from marketplace.web.parts import Fact, Form, Pill
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at, package, people, place, when, zh_en


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


def console_booking_visit(none: bool = False) -> Context:
    """Somebody is sent: one was replaced, one went; or nobody goes yet."""
    page = replace(_desk_booking(), visit=_visit_of_nobody() if none else _visit())
    return console_page("bookings", page=page)


def _visit_of_nobody() -> visit_page.Visit:
    nobody = zh_en("还没有人接单。", "Nobody goes with it so far.")
    return visit_page.Visit(zh_en("陪诊", "Hospital escort"), ZONE, "", nobody, (), (), (), "", "", ())


def _visit() -> visit_page.Visit:
    system, phone = zh_en("服务方系统", "the provider's own system"), zh_en("陪诊员手机", "her phone")
    asked = (
        visit_page.AskedRow(
            "何静", "S-17", Pill(zh_en("前往", "She goes"), "ok", "check"), system, at(11, 21, 11), None
        ),
        visit_page.AskedRow(
            "林岚",
            "",
            Pill(zh_en("因病更换", "Taken off: ill"), "off", "x"),
            system,
            at(11, 21, 10),
            at(11, 21, 11),
        ),
    )
    steps = tuple(
        visit_page.StepRow(zh_en(zh, en), "何静", phone, note, at(11, 26, hour))
        for hour, zh, en, note in (
            (7, "已出发", "On the way", ""),
            (8, "已碰面", "Met", zh_en("已核对见面码。", "The code was given.")),
            (10, "已看诊", "Seen by the doctor", ""),
        )
    )
    paid = (visit_page.PaidRow("¥26.50", phone, zh_en("有收据", "With a receipt"), at(11, 26, 10)),)
    says = zh_en("费用不对", "The costs are not right")
    wrong = zh_en("客户反映陪诊有问题", "A customer says that something was wrong with an escort")
    waits = Pill(zh_en("待处理", "Open"), "wait", "hourglass")
    cases = (
        visit_page.CaseRow(wrong, says, waits, at(11, 26, 13), "#"),
        visit_page.CaseRow(
            zh_en("找不到人前往", "Nobody is found to be with a customer"),
            "",
            waits,
            at(11, 21, 9),
            "#",
            at(11, 21, 10),
            zh_en("已有人前往。", "Somebody goes."),
        ),
    )
    turn = zh_en(
        "客户反映有问题，处理完之前不会完成。",
        "The customer says that something was wrong. Nothing is completed until that is closed.",
    )
    told = zh_en("2 条记录：仅客户本人可见。", "2 notes: for the customer alone, not shown here.")
    return visit_page.Visit(zh_en("陪诊", "Hospital escort"), ZONE, turn, "", asked, steps, paid, "", told, cases)


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
