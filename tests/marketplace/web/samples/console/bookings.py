"""Bookings and disputes at the phone desk."""

from __future__ import annotations

from dataclasses import replace

from booking.changes.cancel import REASONS
from marketplace.web import booking_words
from marketplace.web.console import desk_page
from marketplace.web.parts import Fact, Form
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
