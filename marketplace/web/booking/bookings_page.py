"""Bookings as tickets, rows, timelines and sheets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.offers.alternatives import Alternative
from booking.views.cards import BookingCard, BookingView, ProposalView
from marketplace.web import booking_words, formats
from marketplace.web.booking.finding.packages_page import fasting
from marketplace.web.booking.timeline import AHEAD, Step, steps
from marketplace.web.booking.waiting_page import WaitingList
from marketplace.web.cause_words import refusal_line
from marketplace.web.kind_words import nouns
from marketplace.web.language import by_language
from marketplace.web.parts import AlternativeRow, Fact, Hint, Pill, Ticket, Turn, When
from marketplace.web.people import named
from marketplace.web.tickets import facts, live_line, ticket, title, when


@dataclass(frozen=True)
class Rule:
    """A line of change and cancellation rules; `strong` is appended in bold."""

    icon: str
    text: str
    tone: str = "plain"
    strong: str = ""


@dataclass(frozen=True)
class Cancel:
    """What the sheet says before the tap. `allowed` False: `text` says why and what is left to do."""

    booking: str
    title: str
    text: str
    confirm: str
    allowed: bool = True
    idempotency_key: str = ""


@dataclass(frozen=True)
class Change:
    """The last step of a change of date: the ticket as it is, the new time, and what holds until it is agreed."""

    booking: str
    ticket: Ticket
    new: When
    slot: str
    rules: tuple[str, ...]
    back_url: str
    idempotency_key: str


@dataclass(frozen=True)
class Proposal:
    """Another time that the provider proposes: old and new side by side, until when to answer and what happens
    without. `firm` when there is a date to keep; `reason` in the provider's words, or blank."""

    id: str
    old: When
    new: When
    text: str
    reason: str
    firm: bool
    kind: str = ""


@dataclass(frozen=True)
class Asked:
    """Another date that was asked for: its ticket, what each answer leads to, and the way to take it back (blank:
    none), whose button says which date stays."""

    ticket: Ticket
    ends: tuple[Fact, ...]
    withdraw_url: str
    withdraw: str


@dataclass(frozen=True)
class BookingPage:
    """A booking in any state. `final` stops live updates. `confirm_url` is set while it is held.
    `version` is the ETag, quotes included, that `booking_live` would answer now. `dispute_url` is set while a no-show
    can be disputed; `dispute_answer` is what the desk answered. A `proposal`, or what is `asked`, is shown instead of
    the `turn`."""

    id: str
    reference: str
    title: str
    ticket: Ticket
    turn: Turn | None
    steps: tuple[Step, ...]
    zone: str
    final: bool
    hints: tuple[Hint, ...] = ()
    rules: tuple[Rule, ...] = ()
    cancel: Cancel | None = None
    route_url: str = ""
    report_url: str = ""
    confirm_url: str = ""
    again_url: str = ""
    version: str = ""
    calendar_url: str = ""
    alternatives: tuple[AlternativeRow, ...] = ()
    more_times_url: str = ""
    dispute_url: str = ""
    dispute_answer: str = ""
    change_url: str = ""
    proposal: Proposal | None = None
    asked: Asked | None = None


@dataclass(frozen=True)
class BookingRow:
    """A line of 我的预约."""

    id: str
    title: str
    place: str
    person: str
    when: When
    pill: Pill
    live: str = ""


@dataclass(frozen=True)
class Bookings:
    """`empty_text` and `empty_url` serve the empty state of the upcoming list; `waiting` is the waiting list. `version`
    is the ETag that `bookings_live` would answer now; blank for an earlier page, which stays as it is."""

    upcoming: tuple[BookingRow, ...]
    past: tuple[BookingRow, ...]
    empty_text: str = ""
    empty_action: str = ""
    empty_url: str = ""
    more_url: str = ""
    version: str = ""
    waiting: WaitingList | None = None


_GONE = ("expired", "cancelled", "rejected")
_MAP = "https://uri.amap.com/marker"


def row(card: BookingCard, now: datetime) -> BookingRow:
    """A line of the list."""
    known = facts(card, now)
    live = known.state in ("held", *AHEAD) and (known.state != "confirmed" or card.change is not None)
    return BookingRow(
        card.id,
        title(card),
        str(card.site["name"]),
        named(card.beneficiary_name, card.relation),
        when(card),
        booking_words.pill(known.state, known.kind),
        live_line(card, known) if live else "",
    )


_IN_CALENDAR = ("awaiting_provider", "outcome_unknown", "confirmed")


def page(view: BookingView, now: datetime, version: str) -> BookingPage:
    """The booking's own page; `version` is the ETag of its live part."""
    known = facts(view, now)
    state = known.state
    ahead, asked = state in AHEAD, _asked(view)
    again = f"{url_for('web.times', offer=view.offer_id)}?{urlencode({'for': view.beneficiary_id})}"
    return BookingPage(
        view.id,
        view.reference,
        _("Booking"),
        _stays(ticket(view, now)) if asked else ticket(view, now),
        _turn(view, known) if view.proposal is None and asked is None else None,
        steps(view, known),
        view.time_zone,
        booking_words.final(known),
        hints=booking_words.preparation(view.kind, fasting(view.package)) if ahead else (),
        rules=rules(view, now) if ahead else (),
        cancel=cancel(view) if view.can_cancel else None,
        calendar_url=url_for("web.booking_calendar", booking=view.id) if state in _IN_CALENDAR else "",
        route_url=route(view) if state in ("awaiting_provider", "confirmed", "checked_in") else "",
        report_url=url_for("web.report", report=view.report_id) if view.report_id else "",
        confirm_url=url_for("web.confirm", booking=view.id) if state == "held" else "",
        again_url=again if state in _GONE and not view.alternatives else "",
        version=version,
        alternatives=tuple(alternative(one, view) for one in view.alternatives),
        more_times_url=again if view.alternatives and not view.can_change else "",
        dispute_url=url_for("web.booking_dispute", booking=view.id) if view.can_dispute else "",
        change_url=url_for("web.booking_change", booking=view.id) if view.can_change else "",
        dispute_answer=view.dispute.answer if view.dispute and state == "no_show" else "",
        proposal=_proposal(view, view.proposal) if view.proposal else None,
        asked=asked,
    )


def _stays(firm: Ticket) -> Ticket:
    """The ticket of a date beside another one that is asked for."""
    return replace(firm, pill=Pill(_("Still yours"), "ok", icon="shield-check")) if firm.style == "firm" else firm


def _proposal(view: BookingView, proposal: ProposalView) -> Proposal:
    """Another time to accept or decline."""
    until = _("Answer by %(time)s.", time=formats.deadline(proposal.expires_at, view.time_zone))
    firm = view.state == "confirmed"
    if firm:
        text = formats.sentences(until, _("Your date stays until you agree; without an answer you keep it."))
    else:
        ends = _("If you decline or do not answer, the booking is cancelled and your benefit comes back in full.")
        text = formats.sentences(_("It can't confirm the time you asked for."), until, ends)
    new = When(proposal.service_date, view.time_zone, proposal.starts_at, proposal.ends_at)
    return Proposal(proposal.id, when(view), new, text, proposal.reason, firm, view.kind)


def alternative(one: Alternative, view: BookingView) -> AlternativeRow:
    """A line of the nearest other times. Its form keeps the place at once; where the booking has a date still, the same
    offer's times are asked for instead of it."""
    way = ""
    if one.metres:
        way = _("%(distance)s km away", distance=formats.number(max(0.1, round(one.metres / 1000, 1))))
    change = view.can_change and one.same_offer
    check = f"{url_for('web.booking_change_check', booking=view.id)}?{urlencode({'slot': one.slot_id})}"
    return AlternativeRow(
        one.slot_id,
        When(one.service_date, one.time_zone, one.starts_at, one.ends_at),
        one.site_name,
        by_language(one.offer_name),
        way,
        url_for("web.times", offer=one.offer_id),
        view.beneficiary_id,
        secrets.token_urlsafe(16),
        change_url=check if change else "",
        note=_("A booking of its own; it takes one more use until you cancel this one.")
        if view.can_change and not change
        else "",
    )


def _turn(view: BookingView, known: booking_words.Facts) -> Turn:
    if view.change == "cancel":
        text = _(
            "Until %(place)s has agreed, the date and your benefit stay as they are. Nothing for you to do.",
            **nouns(view.kind),
        )
        return Turn(_("Your cancellation is with %(place)s", **nouns(view.kind)), text, icon="hourglass")
    if view.taking_back:
        text = _("%(Place)s may not know it yet. Whatever it answers, your date stays as it is.", **nouns(view.kind))
        return Turn(_("You took the change of date back"), text, icon="hourglass")
    turn = booking_words.turn(known)
    if known.state != "confirmed":
        return turn
    if view.change_refused:
        return _refused_turn(view, view.change_refused, turn.text)
    moves = [line for line in view.timeline if not line.state.endswith("_asked")]
    if moves and moves[-1].cause == "rescheduled":
        return replace(turn, text=formats.sentences(_("The date was changed."), turn.text))
    return turn


def _refused_turn(view: BookingView, cause: str, bring: str) -> Turn:
    """The provider's no to a change or a cancel. The refusal is the title, never small print under a good one."""
    if view.refused_kind == "cancel":
        title = _("%(Place)s did not agree to cancel, so this date stays.", **nouns(view.kind))
        return Turn(title, formats.sentences(refusal_line(cause), bring), icon="calendar-x", tone="bad")
    title = _("%(Place)s did not agree to the new date.", **nouns(view.kind))
    text = formats.sentences(refusal_line(cause), _("This date stays."), bring)
    return Turn(title, text, icon="calendar-x", tone="bad")


def _asked(view: BookingView) -> Asked | None:
    """The other date that the provider is asked for; the one on the ticket stays valid."""
    if view.change != "reschedule" or view.new_service_date is None:
        return None
    said = nouns(view.kind)
    new = When(view.new_service_date, view.time_zone, view.new_starts_at, view.new_ends_at)
    pill = booking_words.pill("awaiting_provider", view.kind)
    second = Ticket("asked", _("Asked for"), pill, new, str(view.site["name"]), with_year=True)
    due = formats.deadline(view.change_due_at, view.time_zone) if view.change_due_at else ""
    live = _("Waiting for %(place)s, until %(time)s at the latest.", time=due, **said) if due else ""
    if view.change_unknown:
        live = formats.sentences(_("Its system has not answered clearly yet."), _("We are checking."), live)
    old = formats.appointment(view.service_date, view.starts_at, view.time_zone)
    after = formats.appointment(new.day, new.starts_at, view.time_zone)
    ends: tuple[Fact, ...] = (
        Fact(_("It agrees"), _("Your date is %(time)s, and the old one is given back.", time=after)),
        Fact(_("It does not"), _("Your date stays %(time)s, and we show you others nearby.", time=old)),
    )
    if view.change_due_at:
        ends = (
            *ends,
            Fact(_("It does not answer"), _("Your date stays %(time)s; we take the request back.", time=old)),
        )
    if view.state != "confirmed":
        ends = (Fact(_("It agrees"), _("The booking is confirmed for %(time)s.", time=after)),)
    return Asked(
        replace(second, live=live or _("Waiting for %(place)s", **said)),
        ends,
        url_for("web.booking_change_withdraw", booking=view.id) if view.can_withdraw else "",
        _("Take the change back, keep %(day)s", day=formats.date_of(view.service_date)),
    )


def route(view: BookingView) -> str:
    """A map with the place on it; blank without coordinates (WGS 84)."""
    if view.longitude is None or view.latitude is None:
        return ""
    position = f"{view.longitude:.6f},{view.latitude:.6f}"
    return f"{_MAP}?{urlencode({'position': position, 'name': view.site['name'], 'coordinate': 'wgs84'})}"


def rules(view: BookingView, now: datetime) -> tuple[Rule, ...]:
    """Until when cancelling is free, and what follows afterwards."""
    until = _on(view.cancel_until, view)
    missed = _("Not coming counts as one use.") if view.no_show_uses else _("Not coming gives the benefit back.")
    after = Rule(icon="clock", text=formats.sentences(_("After that it can't be cancelled online."), missed))
    if view.cancel_closed == "too_late":
        closed = _("Online cancellation closed on %(time)s. You can still call us.", time=until)
        return (*_change_rules(view), Rule(icon="clock", text=formats.sentences(closed, missed)))
    left = formats.span((view.cancel_until - now).total_seconds() // 60 * 60)
    free = _("Free until %(time)s; your benefit comes back in full.", time=until)
    return (
        Rule(icon="check", text=free, tone="ok", strong=_("%(span)s left.", span=left)),
        after,
        *_change_rules(view),
    )


def _change_rules(view: BookingView) -> tuple[Rule, ...]:
    """Until when and how often another date can be asked for."""
    if view.state != "confirmed":
        return ()
    if view.change_closed == "too_late":
        closed = _("Changing the date online closed on %(time)s.", time=_on(view.change_until, view))
        return (Rule(icon="calendar-days", text=closed),)
    if view.change_closed == "none_left":
        return (Rule(icon="calendar-days", text=_("This booking can't be changed again.")),)
    times = ngettext("%(num)d change left.", "%(num)d changes left.", view.changes_left)
    until = _("The date can be changed until %(time)s.", time=_on(view.change_until, view))
    return (Rule(icon="calendar-days", text=until, strong=times),)


def _on(moment: datetime, view: BookingView) -> str:
    return formats.moment(moment, view.time_zone)


def cancel(view: BookingView) -> Cancel:
    """The sheet: the consequence first. Not allowed: why, and what is left to do."""
    asked = _("Cancel the booking on %(day)s?", day=formats.date_of(view.service_date))
    if not view.can_cancel:
        return Cancel(view.id, _("This can't be cancelled online"), _why_not(view), "", allowed=False)
    if view.state == "held":
        text = _("The time is given back at once. Your benefit was not spent and is back in full.")
        return Cancel(view.id, asked, text, _("Give this time back"))
    until = _on(view.cancel_until, view)
    free = _("Cancelling is free until %(time)s. One use of your benefit comes back.", time=until)
    if not view.allotment and view.state != "awaiting_provider":
        until_then = _("%(Place)s has to agree; until then the date stays.", **nouns(view.kind))
        free = formats.sentences(free, until_then)
    return Cancel(view.id, asked, free, _("Cancel and get it back"))


def _why_not(view: BookingView) -> str:
    if view.change == "cancel":
        return _("You have asked for it already; %(place)s has to agree.", **nouns(view.kind))
    if view.cancel_closed == "too_late":
        until = _on(view.cancel_until, view)
        return _("Online cancellation closed on %(time)s. You can still call us.", time=until)
    return _("This booking has begun or is over.")


def rows(cards: Sequence[BookingCard], now: datetime, unsubmitted: tuple[str, ...]) -> tuple[BookingRow, ...]:
    """Lines of the list, without what was never submitted and is over (its cause says so)."""
    return tuple(
        row(card, now) for card in cards if not (card.cause in unsubmitted and card.state in ("expired", "cancelled"))
    )
