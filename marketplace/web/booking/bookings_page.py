"""Bookings as tickets, rows, timelines and sheets."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from booking.attendance.early import too_early
from booking.offers.alternatives import Alternative
from booking.views.cards import BookingCard, BookingView, ProposalView
from marketplace.catalog.kinds import has_times, is_dispatched
from marketplace.core.text import Text
from marketplace.web import booking_words, formats
from marketplace.web.booking.finding.maps import MapLink, Spot, links
from marketplace.web.booking.finding.packages_page import fasting
from marketplace.web.booking.rules_page import Cancel, Rule, cancel, rules
from marketplace.web.booking.timeline import AHEAD, Step, steps
from marketplace.web.booking.waiting_page import WaitingList
from marketplace.web.cause_words import refusal_line
from marketplace.web.kind_words import answered, nouns
from marketplace.web.language import by_language
from marketplace.web.parts import AlternativeRow, Fact, Hint, Pill, Ticket, Turn, When
from marketplace.web.people import named
from marketplace.web.place_words import site_name, site_of
from marketplace.web.qr import qr_code
from marketplace.web.slow_words import SlowNote, slow_note
from marketplace.web.tickets import facts, live_line, ticket, title, when


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
    the `turn`. `code` is a drawing for the provider's desk to read, blank where there is none; `code_wanted` once it
    can be read there. `conversation_url` leads to what is said in it, where it is held in a conversation. `routes` are
    maps of the way, while it lies ahead. `escort_url` leads to who comes and what is done, where somebody is sent."""

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
    routes: tuple[MapLink, ...] = ()
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
    code: str = ""
    code_wanted: bool = False
    slow: SlowNote | None = None
    conversation_url: str = ""
    answers: tuple[Fact, ...] = ()
    policy: str = ""
    kind: str = ""
    escort_url: str = ""


@dataclass(frozen=True)
class BookingRow:
    """A line of 我的预约. `url` leads to the conversation of one that goes on, blank for the booking's own page."""

    id: str
    title: str
    place: str
    person: str
    when: When
    pill: Pill
    live: str = ""
    url: str = ""


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


def row(card: BookingCard, now: datetime) -> BookingRow:
    """A line of the list."""
    known = facts(card, now)
    live = known.state in ("held", *AHEAD) and (known.state != "confirmed" or card.change is not None)
    return BookingRow(
        card.id,
        title(card),
        site_of(card.site),
        named(card.beneficiary_name, card.relation),
        when(card),
        booking_words.pill(known.state, known.kind),
        live_line(card, known) if live else "",
    )


_ESCORTED = ("awaiting_provider", "outcome_unknown", "confirmed", "checked_in", "in_service", "fulfilled")
_IN_CALENDAR = ("awaiting_provider", "outcome_unknown", "confirmed")


def page(view: BookingView, now: datetime, version: str) -> BookingPage:
    """The booking's own page; `version` is the ETag of its live part."""
    known = facts(view, now)
    state = known.state
    ahead, asked = state in AHEAD, _asked(view)
    timed = has_times(view.kind)
    again = _again(view, timed=timed)
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
        conversation_url=url_for("web.consultation", conversation=view.conversation_id) if view.conversation_id else "",
        cancel=cancel(view) if view.can_cancel else None,
        calendar_url=url_for("web.booking_calendar", booking=view.id) if timed and state in _IN_CALENDAR else "",
        routes=links(_spot(view)) if timed and state in ("awaiting_provider", "confirmed", "checked_in") else (),
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
        code=qr_code(view.check_in_code) if view.check_in_code else "",
        code_wanted=not too_early("checked_in", view.service_date, view.starts_at, view.time_zone, now),
        slow=slow_note(view.answers_slowly, view.kind, view.time_zone),
        answers=answered(view.answers, view.kind) if ahead else (),
        policy=policy_line(view) if ahead else "",
        kind=view.kind,
        escort_url=url_for("web.escort", booking=view.id) if is_dispatched(view.kind) and state in _ESCORTED else "",
    )


def policy_line(view: BookingView) -> str:
    """By which policy it was allowed, and that it stands; blank where none was asked for."""
    if view.policy is None:
        return ""
    product = by_language(Text.of(view.policy["product_name"]))
    return _("Booked with your policy %(product)s. If it ends before that day, this booking stands.", product=product)


def _again(view: BookingView, *, timed: bool) -> str:
    """Where the same is booked once more for the same person."""
    if timed:
        return times_url(view)
    return f"{url_for('web.consultation_start')}?{urlencode({'for': view.beneficiary_id, 'offer': view.offer_id})}"


def times_url(view: BookingCard, offer: str = "", **query: str) -> str:
    """The times of the booking's offer, or of another one, for the same person and at the same venue."""
    venue = {"venue": view.site["id"]} if is_dispatched(view.kind) else {}
    asked = {"for": view.beneficiary_id, **venue, **query}
    return f"{url_for('web.times', offer=offer or view.offer_id)}?{urlencode(asked)}"


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
    if one.venue_id is not None and not change:  # what is asked there comes with the time
        check, change = times_url(view, one.offer_id, day=one.service_date.isoformat()), True
    return AlternativeRow(
        one.slot_id,
        When(one.service_date, one.time_zone, one.starts_at, one.ends_at),
        site_name(one.site_name),
        by_language(one.offer_name),
        way,
        url_for("web.times", offer=one.offer_id),
        view.beneficiary_id,
        secrets.token_urlsafe(16),
        change_url=check if change else "",
        note=_("A booking of its own; it takes one more use until you cancel this one.")
        if view.can_change and not (change and one.same_offer)
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
    second = Ticket("asked", _("Asked for"), pill, new, site_of(view.site), with_year=True)
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


def _spot(view: BookingView) -> Spot:
    """The place of a booking on a map."""
    site = view.site
    name, city, address = (str(site.get(part) or "") for part in ("name", "city", "address"))
    return Spot(name, city, address, view.longitude, view.latitude)


def rows(
    cards: Sequence[BookingCard], now: datetime, unsubmitted: tuple[str, ...], talks: Mapping[str, str]
) -> tuple[BookingRow, ...]:
    """Lines of the list, without what was never submitted and is over (its cause says so). `talks`: the conversation of
    each booking that is held in one and goes on, by ids."""
    return tuple(
        replace(
            row(card, now), url=url_for("web.consultation", conversation=talks[card.id]) if card.id in talks else ""
        )
        for card in cards
        if not (card.cause in unsubmitted and card.state in ("expired", "cancelled"))
    )
