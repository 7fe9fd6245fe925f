"""A booking in each of its states."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from marketplace.web import booking_words
from marketplace.web.booking.bookings_page import Asked, BookingPage, BookingRow, Bookings, Change, Proposal
from marketplace.web.booking.confirm_page import Confirm
from marketplace.web.booking.finding.maps import Spot, links
from marketplace.web.booking.rules_page import Cancel, Rule
from marketplace.web.booking.timeline import Step
from marketplace.web.booking.times_page import Times
from marketplace.web.formats import dotted
from marketplace.web.parts import AlternativeRow, Fact, Form, Pill, Ticket, Turn, When
from marketplace.web.qr import qr_code
from marketplace.web.slow_words import slow_note
from tests.marketplace.web.samples.everyday import ZONE, Context, at, package, people, place, ticket, when, zh_en
from tests.marketplace.web.samples.times import times


def who() -> Context:
    me, father, mother = people()
    father = replace(father, reasons=(zh_en("此套餐仅限 18 至 70 岁。", "This package is for ages 18 to 70."),))
    return {
        "people": (me, father, mother),
        "chosen": "p1",
        "form_action": "/gallery/times",
        "next_url": "/",
        "back_url": "/gallery/times",
        "subtitle": dotted((place(), package().name)),
        "add_url": "/gallery/family_new",
    }


def confirm() -> Context:
    return {
        "page": Confirm(
            "b1",
            replace(ticket("held"), facts=()),
            people()[1],
            package(),
            zh_en("用 1 次健康体检，还剩 0 次", "Uses 1 health check, 0 left afterwards"),
            (
                zh_en(
                    "11 月 25 日 08:00 前取消，权益全额退回。",
                    "Cancel before 25 November, 08:00, and your benefit comes back in full.",
                ),
            ),
            zh_en("医院在 2 小时内答复。", "The hospital answers within 2 hours."),
            582,
            600,
            128000,
            icon="hospital",
        )
    }


def steps(state: str) -> tuple[Step, ...]:
    sent = Step(
        "done",
        zh_en("您提交了预约", "You submitted the booking"),
        at(11, 20, 19, 42),
        zh_en("为这次体检预留了 1 次权益", "One use of your benefit is reserved for it"),
    )
    sure = Step(
        "done",
        zh_en("医院已确认", "Confirmed by the hospital"),
        at(11, 20, 20, 5),
        zh_en("用时 23 分钟", "It took 23 minutes"),
    )
    coming = (
        Step("next", zh_en("到院签到", "Check in"), aside=zh_en("11 月 26 日 07:50 起", "from 26 November, 07:50")),
        Step("next", zh_en("体检完成", "Check done"), aside=zh_en("约需 2 小时", "about 2 hours")),
        Step(
            "next",
            zh_en("报告送达", "Report arrives"),
            aside=zh_en("最迟 12 月 3 日，由医院交付", "by 3 December, from the hospital"),
        ),
    )
    if state == "held":
        return (
            Step("now", zh_en("等您确认", "Waiting for you to confirm"), aside=zh_en("轮到您", "your turn")),
            *coming,
        )
    if state in ("awaiting_provider", "outcome_unknown"):
        return (
            sent,
            Step(
                "now",
                zh_en("等医院答复", "Waiting for the hospital"),
                aside=zh_en("还有 6 小时 12 分", "6 h 12 min left"),
            ),
            *coming,
        )
    if state in ("cancelled", "rejected", "expired", "no_show"):
        return (
            sent,
            Step(
                "fail" if state != "cancelled" else "done",
                booking_words.pill(state, "health_check").text,
                at(11, 22, 9, 30),
            ),
        )
    if state == "confirmed":
        return (
            sent,
            sure,
            Step(
                "now",
                zh_en("体检前准备", "Prepare"),
                note=zh_en("空腹，带身份证，穿宽松上衣", "No food, ID card, loose clothes"),
                aside=zh_en("轮到您", "your turn"),
            ),
            *coming,
        )
    there = Step("done", zh_en("已到院签到", "Checked in"), at(11, 23, 7, 55))
    if state == "fulfilled":
        return (sent, sure, there, Step("done", zh_en("体检完成", "Check done"), at(11, 23, 9, 40)), coming[2])
    return (
        sent,
        sure,
        there,
        Step("now", booking_words.pill(state, "health_check").text, aside=zh_en("轮到医院", "the hospital's turn")),
        coming[2],
    )


def booking(state: str, **facts: Any) -> Context:
    known = booking_words.Facts(state, when(), "health_check", **facts)
    open_still = state in ("confirmed", "awaiting_provider")
    hints = booking_words.preparation("health_check", package().fasting)
    rules = (
        Rule(
            icon="check",
            text=zh_en(
                "11 月 25 日 08:00 前取消免费，权益全额退回。",
                "Free until 25 November, 08:00; your benefit comes back in full.",
            ),
            tone="ok",
            strong=zh_en("还剩 1 天 22 小时。", "1 day 22 h left."),
        ),
        Rule(
            icon="clock",
            text=zh_en(
                "在此之后不能在线取消。未到院算使用 1 次，有特殊情况可申诉。",
                "After that it can't be cancelled online. Not coming counts as one use; you can appeal.",
            ),
        ),
    )
    cancel = Cancel(
        "b1",
        zh_en("取消 11 月 26 日的体检？", "Cancel the check on 26 November?"),
        zh_en(
            "现在取消免费，1 次体检权益会退回，12 月 31 日前可再约。",
            "It's free now. One health check comes back and can be booked again until 31 December.",
        ),
        zh_en("取消预约，退回权益", "Cancel and get it back"),
    )
    return {
        "page": BookingPage(
            "b1",
            "AX7K2M914Q",
            zh_en("预约详情", "Booking"),
            ticket(state),
            booking_words.turn(known),
            steps(state),
            ZONE,
            booking_words.final(known),
            hints if open_still else (),
            rules if open_still else (),
            cancel if open_still else None,
            routes=links(Spot(place(), "杭州市", "", None, None)) if state == "confirmed" else (),
            report_url="/gallery/report" if facts.get("report") == "ready" else "",
            confirm_url="/gallery/confirm" if state == "held" else "",
            again_url="/gallery/places" if booking_words.date_is_gone(state) else "",
            code=qr_code("AXC1:bkg_d988yn4gber8qbextmxj:aXk2_9LmQ0c7Tz4RbWvE") if state == "confirmed" else "",
        )
    }


def booking_slow() -> Context:
    """It waits for a provider that answers slowly today."""
    slow = slow_note(AnswersSlowly(at(11, 23, 9), SlowReason.SLOWER), "health_check", ZONE)
    return {"page": replace(booking("awaiting_provider", answer_by=at(11, 23, 18))["page"], slow=slow)}


def booking_check_in() -> Context:
    """On its day: the code stands open for the desk to read."""
    return {"page": replace(booking("confirmed")["page"], code_wanted=True)}


def booking_changing(unknown: bool = False) -> Context:
    """A new date has been asked for; the old one stays."""
    page: BookingPage = booking("confirmed")["page"]
    new = When(date(2026, 11, 28), ZONE, at(11, 28, 9), at(11, 28, 9, 30))
    live = zh_en("等待医院答复，最迟今天 16:00。", "Waiting for the hospital, until 16:00 today at the latest.")
    if unknown:
        live = (
            zh_en("医院系统尚未明确答复，我们正在核实。", "Its system has not answered clearly yet. We are checking.")
            + live
        )
    second = Ticket(
        "asked",
        zh_en("想改到", "Asked for"),
        booking_words.pill("awaiting_provider", "health_check"),
        new,
        place(),
        live=live,
        with_year=True,
    )
    ends = (
        Fact(
            zh_en("对方同意", "It agrees"),
            zh_en("改为 11 月 28 日 09:00，原时间随即释放。", "Your date is 28 November, 09:00."),
        ),
        Fact(
            zh_en("对方不同意", "It does not"), zh_en("仍是 11 月 26 日 08:00。", "Your date stays 26 November, 08:00.")
        ),
    )
    keep = zh_en("撤回改期，保留 11 月 26 日", "Take the change back, keep 26 November")
    still = replace(page.ticket, pill=Pill(zh_en("仍为您保留", "Still yours"), "ok", icon="shield-check"))
    asked = Asked(second, ends, "/gallery/booking", keep)
    return {"page": replace(page, ticket=still, turn=None, asked=asked)}


def booking_refused() -> Context:
    """The hospital did not agree to another date: one message, and other times at different times and places."""
    page: BookingPage = booking("confirmed")["page"]
    others: BookingPage = booking_moved_away()["page"]
    title = zh_en("医院未同意改期", "The hospital did not agree to the new date.")
    text = zh_en("那个时间已约满。原日期不变。", "That time is no longer free there. This date stays.")
    turn = Turn(title, text, icon="calendar-x", tone="bad")
    here = replace(others.alternatives[0], change_url="/gallery/booking_change")
    note = zh_en(
        "这是另一个预约；在您取消本预约之前，会多占用一次权益。", "A booking of its own; it takes one more use."
    )
    away = replace(others.alternatives[1], note=note)
    return {"page": replace(page, turn=turn, alternatives=(here, away))}


def booking_proposed(state: str = "confirmed") -> Context:
    """The hospital proposes another time."""
    page: BookingPage = booking(state)["page"]
    new = When(date(2026, 11, 28), ZONE, at(11, 28, 9), at(11, 28, 9, 30))
    text = zh_en("请在 11 月 25 日 18:00 前答复。", "Answer by 25 November, 18:00.")
    reason = zh_en("当天设备检修", "The scanner is serviced on that day")
    proposal = Proposal("prp_1", when(), new, text, reason, state == "confirmed", "health_check")
    return {"page": replace(page, turn=None, proposal=proposal)}


def booking_changeable() -> Context:
    """A confirmed booking whose date can be changed."""
    page: BookingPage = booking("confirmed")["page"]
    rule = Rule(
        icon="calendar-days",
        text=zh_en("11 月 25 日 08:00 前可以改期。", "The date can be changed until 25 November, 08:00."),
        strong=zh_en("还可改期 2 次。", "2 changes left."),
    )
    return {"page": replace(page, rules=(*page.rules, rule), change_url="/gallery/times_change")}


def times_change() -> Context:
    """The picker of a new time."""
    page: Times = times()["page"]
    first = replace(page.morning[0], closed=zh_en("当前", "yours now"), chosen=False)
    return {"page": replace(page, present=when(), who_url="", packages_url="", morning=(first, *page.morning[1:]))}


def booking_change() -> Context:
    """Old and new side by side."""
    new = When(date(2026, 11, 28), ZONE, at(11, 28, 9), at(11, 28, 9, 30))
    rules = (
        zh_en("医院同意之前，当前日期保持不变。", "Your present date stays until the hospital agrees."),
        zh_en("之后还可改期 1 次。", "After that it can be changed 1 more time."),
    )
    return {"page": Change("b1", replace(ticket(), facts=()), new, "s1", rules, "/gallery/times_change", "k")}


def booking_moved_away() -> Context:
    """Cancelled by the hospital, with other times."""
    page: BookingPage = booking("cancelled", by="provider")["page"]
    day = date(2026, 11, 27)
    other = AlternativeRow(
        "s1",
        When(day, ZONE, at(11, 27, 8), at(11, 27, 8, 30)),
        place(),
        package().name,
        "",
        "/gallery/confirm",
        "p2",
        "k",
    )
    away = zh_en("相距 3.2 公里", "3.2 km away")
    far = replace(other, slot="s2", when=When(day, ZONE, at(11, 27, 9), at(11, 27, 9, 30)), way=away)
    whole = replace(other, slot="s3", when=When(date(2026, 11, 28), ZONE))
    return {"page": replace(page, alternatives=(other, far, whole), again_url="", more_times_url="/gallery/times")}


def booking_missed(dispute: str = "") -> Context:
    """A no-show: still disputable, or with the state of the dispute."""
    until = None if dispute else at(12, 9, 9)
    page: BookingPage = booking("no_show", by="provider", quota_used=True, dispute=dispute, dispute_until=until)["page"]
    told = zh_en("前台当天没有您的签到记录，也没有缴费记录。", "The front desk has no record of you on that day.")
    return {
        "page": replace(
            page,
            dispute_url="" if dispute else "/gallery/booking_dispute",
            dispute_answer=told if dispute == "rejected" else "",
        )
    }


def booking_dispute(problem: bool = False) -> Context:
    """The form of a dispute."""
    words = zh_en("请写明当天的情况。", "Say what happened.")
    form = Form({"words": ""}, {"words": words}) if problem else Form()
    return {
        "booking": "b1",
        "ticket": ticket("no_show"),
        "kind": "health_check",
        "until": at(12, 9, 9),
        "uses": True,
        "zone": ZONE,
        "form": form,
        "longest": 1000,
    }


def booking_cancel() -> Context:
    return {"cancel": booking("confirmed")["page"].cancel, "ticket": ticket(), "problem": ""}


def bookings() -> Context:
    def row(state: str, live: str = "") -> BookingRow:
        return BookingRow(
            "b1", package().name, place(), people()[1].name, when(), booking_words.pill(state, "health_check"), live
        )

    upcoming = (
        row("confirmed"),
        row(
            "awaiting_provider",
            booking_words.live_line(booking_words.Facts("awaiting_provider", when(), "health_check", at(11, 23, 16))),
        ),
    )
    return {"page": Bookings(upcoming, (row("fulfilled"), row("cancelled"), row("no_show")), more_url="#")}
