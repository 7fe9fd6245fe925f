"""Bookings as tickets, rows, timelines and sheets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.offers.alternatives import Alternative
from booking.views.customer import BookingCard, BookingView, Moved, ProposalView
from marketplace.catalog.places import short_place
from marketplace.core.clock import start_of
from marketplace.web import booking_words, formats
from marketplace.web import view_models as v
from marketplace.web.presenters.packages import fasting
from marketplace.web.presenters.people import by_language, named

_GONE = ("expired", "cancelled", "rejected")
_AHEAD = ("awaiting_provider", "outcome_unknown", "confirmed")
_MAP = "https://uri.amap.com/marker"


def state_of(card: BookingCard, now: datetime) -> str:
    """The state as people see it: a hold whose time is over has expired, even before the clock has swept it."""
    over = card.hold_expires_at is not None and card.hold_expires_at <= now
    return "expired" if card.state == "held" and over else card.state


def when(card: BookingCard) -> v.When:
    """The booked time."""
    return v.When(card.service_date, card.time_zone, card.starts_at, card.ends_at)


def facts(card: BookingCard, now: datetime) -> booking_words.Facts:
    """What the sentences about a booking need."""
    last, dispute, until = "customer", "", None
    if isinstance(card, BookingView):
        last = next((line.actor for line in reversed(card.timeline) if line.state == card.state), last)
        dispute = card.dispute.state if card.dispute else ""
        until = card.dispute_until if card.can_dispute else None
    by = {"customer": "customer", "agent": "customer", "provider": "provider"}.get(last, "platform")
    return booking_words.Facts(
        state_of(card, now),
        when(card),
        answer_by=card.answer_due_at,
        by=by,
        reason=_reason(card.cause) if card.state == "rejected" else "",
        quota_used=isinstance(card, BookingView) and card.benefit == "used",
        report=card.report_state,
        report_due=card.report_due_at - timedelta(seconds=1) if card.report_due_at else None,
        dispute=dispute,
        dispute_until=until,
    )


def _reason(cause: str) -> str:
    words = {
        "sold_out": _("That time is no longer free there."),
        "closed": _("It is closed on that day."),
        "not_eligible": _("It says this package is not for this person."),
        "too_late": _("The request reached it too late."),
        "unknown_slot": _("It has moved that time."),
    }
    return words.get(cause, "")


def title(card: BookingCard) -> str:
    """The package's name."""
    return by_language(card.offer_name["zh"], card.offer_name["en"])


def address(card: BookingCard) -> str:
    """City, district and street, each once."""
    site = card.site
    street = str(site.get("address", ""))
    parts = [str(site.get(name, "")) for name in ("city", "district")]
    return street if street.startswith((parts[0], short_place(parts[0]))) else "".join((*parts, street))


def ticket(card: BookingCard, now: datetime) -> v.Ticket:
    """The ticket of a booking's own page."""
    state = state_of(card, now)
    return v.Ticket(
        booking_words.ticket_style(state),
        title(card),
        booking_words.pill(state),
        when(card),
        str(card.site["name"]),
        address(card),
        facts=(
            v.Fact(_("For"), named(card.beneficiary_name, card.relation)),
            v.Fact(_("Show"), _("ID card")),
            v.Fact(_("Number"), formats.reference(card.reference)),
        ),
        gone=booking_words.date_is_gone(state),
        with_year=True,
    )


def next_booking(card: BookingCard, now: datetime) -> v.NextBooking:
    """The ticket on the home page."""
    known = facts(card, now)
    day = formats.relative_day(card.service_date, card.time_zone)
    label = formats.dotted((day, named(card.beneficiary_name, card.relation)))
    return v.NextBooking(
        card.id,
        replace(ticket(card, now), label=label, address="", facts=(), live=_live(card, known), with_year=False),
    )


def row(card: BookingCard, now: datetime) -> v.BookingRow:
    """A line of the list."""
    known = facts(card, now)
    live = known.state in ("held", *_AHEAD) and (known.state != "confirmed" or card.change is not None)
    return v.BookingRow(
        card.id,
        title(card),
        str(card.site["name"]),
        named(card.beneficiary_name, card.relation),
        when(card),
        booking_words.pill(known.state),
        _live(card, known) if live else "",
    )


def _live(card: BookingCard, known: booking_words.Facts) -> str:
    if card.change == "cancel":
        return _("Your cancellation is with the hospital.")
    if card.change == "reschedule":
        return _("A new date is being asked for; this one stands.")
    return booking_words.live_line(known)


_IN_CALENDAR = ("awaiting_provider", "outcome_unknown", "confirmed")


def page(view: BookingView, now: datetime, version: str) -> v.BookingPage:
    """The booking's own page; `version` is the ETag of its live part."""
    known = facts(view, now)
    state = known.state
    ahead = state in _AHEAD
    again = f"{url_for('web.times', offer=view.offer_id)}?{urlencode({'for': view.beneficiary_id})}"
    return v.BookingPage(
        view.id,
        view.reference,
        _("Booking"),
        ticket(view, now),
        _turn(view, known) if view.proposal is None else None,
        steps(view, known),
        view.time_zone,
        booking_words.final(known),
        hints=booking_words.preparation(fasting(view.package)) if ahead else (),
        rules=rules(view, now) if ahead else (),
        cancel=cancel(view, now) if view.can_cancel and state != "expired" else None,
        calendar_url=url_for("web.booking_calendar", booking=view.id) if state in _IN_CALENDAR else "",
        route_url=route(view) if state in ("awaiting_provider", "confirmed", "checked_in") else "",
        report_url=url_for("web.report", report=view.report_id) if view.report_id else "",
        confirm_url=url_for("web.confirm", booking=view.id) if state == "held" else "",
        again_url=again if state in _GONE and not view.alternatives else "",
        version=version,
        alternatives=tuple(alternative(one, view) for one in view.alternatives),
        more_times_url=again if view.alternatives else "",
        dispute_url=url_for("web.booking_dispute", booking=view.id) if view.can_dispute else "",
        change_url=url_for("web.booking_change", booking=view.id) if view.can_change else "",
        dispute_answer=view.dispute.answer if view.dispute and state == "no_show" else "",
        proposal=_proposal(view, view.proposal) if view.proposal else None,
    )


def _proposal(view: BookingView, told: ProposalView) -> v.Proposal:
    """Another time to accept or decline."""
    until = _("Answer by %(time)s.", time=formats.deadline(told.expires_at, view.time_zone))
    firm = view.state == "confirmed"
    if firm:
        text = formats.sentences(until, _("Your date stands until you agree; without an answer you keep it."))
    else:
        ends = _("If you decline or do not answer, the booking is cancelled and your benefit comes back in full.")
        text = formats.sentences(_("It can't confirm the time you asked for."), until, ends)
    new = v.When(told.service_date, view.time_zone, told.starts_at, told.ends_at)
    return v.Proposal(told.id, when(view), new, text, told.reason, firm)


def alternative(one: Alternative, view: BookingView) -> v.Alternative:
    """A line of the nearest other times; its form keeps the place at once."""
    way = ""
    if one.metres:
        way = _("%(distance)s km away", distance=formats.number(max(0.1, round(one.metres / 1000, 1))))
    return v.Alternative(
        one.slot_id,
        v.When(one.service_date, one.time_zone, one.starts_at, one.ends_at),
        one.site_name,
        by_language(one.offer_name["zh"], one.offer_name["en"]),
        way,
        url_for("web.times", offer=one.offer_id),
        view.beneficiary_id,
        secrets.token_urlsafe(16),
    )


def _turn(view: BookingView, known: booking_words.Facts) -> v.Turn:
    if view.change == "cancel":
        text = _("Until it has agreed, the date and your benefit stay as they are. Nothing for you to do.")
        return v.Turn(_("Your cancellation is with the hospital"), text, icon="hourglass")
    if view.change == "reschedule":
        return _asked_turn(view)
    turn = booking_words.turn(known)
    if known.state != "confirmed":
        return turn
    first, moves = "", [line for line in view.timeline if not line.state.endswith("_asked")]
    if view.change_refused and view.refused_kind == "cancel":
        first = _("The hospital did not agree to cancel, so this date stands.")
    elif view.change_refused:
        refused = _("The hospital did not agree to the new date.")
        first = formats.sentences(refused, _reason(view.change_refused), _("This date stands."))
    elif moves and moves[-1].cause == "rescheduled":
        first = _("The date was changed.")
    return replace(turn, text=formats.sentences(first, turn.text))


def _asked_turn(view: BookingView) -> v.Turn:
    """The hospital has been asked for another date; the one on the ticket stands."""
    new = formats.day(view.new_service_date) if view.new_service_date else ""
    if view.new_starts_at:
        new = formats.moment(view.new_starts_at, view.time_zone)
    stands = _("Until it has agreed, your date stands as it is. Nothing for you to do.")
    if view.state != "confirmed":
        stands = _("It proposed this time itself; the booking is confirmed when it answers. Nothing for you to do.")
    if view.change_unknown:
        title = _("We are checking with the hospital about %(time)s", time=new)
        text = formats.sentences(_("Its system has not answered clearly yet."), stands)
        return v.Turn(title, text, icon="hourglass")
    return v.Turn(_("The hospital is asked about %(time)s", time=new), stands, icon="hourglass")


def route(view: BookingView) -> str:
    """A map with the place on it; blank without coordinates (WGS 84)."""
    if view.longitude is None or view.latitude is None:
        return ""
    position = f"{view.longitude:.6f},{view.latitude:.6f}"
    return f"{_MAP}?{urlencode({'position': position, 'name': view.site['name'], 'coordinate': 'wgs84'})}"


def steps(view: BookingView, known: booking_words.Facts) -> tuple[v.Step, ...]:
    """What happened, what is now, what comes next."""
    done = [_done(line, view.time_zone, last=line is view.timeline[-1], known=known) for line in view.timeline]
    if known.state == "expired" and view.state == "held":
        done.append(v.Step("fail", _("The time was released"), view.hold_expires_at))
    now = _now(known)
    if view.proposal is not None:
        now = (v.Step("now", _("Answer the proposed time"), aside=_("your turn")),)
    return (*done, *now, *_coming(known, view))


def _done(line: Moved, zone: str, *, last: bool, known: booking_words.Facts) -> v.Step:
    words = {
        "held": (_("A time was kept for you"), _("One use of your benefit is kept for it")),
        "awaiting_provider": (_("You submitted the booking"), ""),
        "outcome_unknown": (_("The hospital has not answered yet"), _("We are checking; time and benefit are kept")),
        "confirmed": (_("Confirmed by the hospital"), ""),
        "checked_in": (_("Checked in"), ""),
        "in_service": (_("The check began"), ""),
        "fulfilled": (_("Check done"), _("One use of your benefit was spent")),
        "no_show": (_("The hospital says nobody came"), ""),
        "rejected": (_("The hospital can't take it"), _("Your benefit is back")),
        "expired": (_("The time was released"), _("Your benefit is back")),
        "cancelled": (_("Cancelled"), _("Your benefit is back")),
        "entered_in_error": (_("Entered in error"), ""),
        "cancel_asked": (_("You asked to cancel"), ""),
        "cancel_refused": (_("The hospital did not agree to cancel"), ""),
        "reschedule_asked": (_("You asked for another date"), _("The old one stands until it is agreed")),
        "reschedule_refused": (_("The other date was not possible"), _("Your date stands")),
        "dispute_asked": (_("You said that you were there"), _("We ask the hospital")),
        "dispute_rejected": (_("We looked into it"), _("It stands as it is")),
    }
    told, note = words.get(line.state, (line.state, ""))
    if line.state == "awaiting_provider" and line.actor != "customer":
        told = _("Asked the hospital again")
    if line.cause in _PROPOSAL and line.state in (*_AHEAD, "cancel_asked", "reschedule_asked"):
        told, note = _proposal_step(line)
    if line.cause == "rescheduled":
        told, note = _("The date was changed"), _moved_to(line, zone)
    if line.state == "reschedule_refused" and line.cause in ("withdrawn", "cancelled", "overtaken"):
        told, note = _("The change of date was dropped"), ""
    if line.state == "no_show" and line.actor == "clock":
        told = _("No visit was recorded")
    if line.state in ("checked_in", "fulfilled") and line.cause == "dispute_accepted":
        note = _("We looked into it: you were there")
    if line.actor == "operator" and line.state in ("cancelled", "cancel_asked"):
        told = _("Our service desk cancelled") if line.state == "cancelled" else _("Our service desk asked to cancel")
    if line.actor == "agent" and line.state in ("cancelled", "cancel_asked"):
        told = _("You cancelled by phone") if line.state == "cancelled" else _("You asked to cancel by phone")
    if line.state == "cancel_asked" and line.actor == "clock":
        told = _("No answer in time; we asked to cancel")
    if line.state == "cancelled" and known.quota_used:
        note = ""
    failed = last and line.state in ("rejected", "expired", "no_show", "entered_in_error")
    return v.Step("fail" if failed else "done", told, line.at, note)


def _moved_to(line: Moved, zone: str) -> str:
    if line.starts_at is not None:
        return formats.moment(line.starts_at, zone)
    return formats.date_of(line.service_date, zone) if line.service_date else ""


_PROPOSAL = ("time_proposed", "proposal_withdrawn", "proposal_accepted", "proposal_declined", "proposal_lapsed")


def _proposal_step(line: Moved) -> tuple[str, str]:
    if line.state == "cancel_asked":
        return _("The hospital is told that the booking is off"), ""
    words = {
        "time_proposed": (_("The hospital proposed another time"), ""),
        "proposal_withdrawn": (_("The hospital took its proposal back"), ""),
        "proposal_accepted": (_("You accepted the proposed time"), _("The hospital is asked to move the booking")),
        "proposal_declined": (_("You declined the proposed time"), ""),
        "proposal_lapsed": (_("The proposed time was not answered"), ""),
    }
    told, note = words[line.cause]
    if line.state == "confirmed" and line.cause in ("proposal_declined", "proposal_lapsed"):
        note = _("Your date stands")
    return told, note


def _now(known: booking_words.Facts) -> tuple[v.Step, ...]:
    if known.state == "held":
        return (v.Step("now", _("Waiting for you to confirm"), aside=_("your turn")),)
    if known.state in ("awaiting_provider", "outcome_unknown"):
        aside = formats.deadline(known.answer_by) if known.answer_by else ""
        return (v.Step("now", _("Waiting for the hospital"), aside=_("by %(time)s", time=aside) if aside else ""),)
    if known.state == "confirmed":
        return (v.Step("now", _("Prepare"), note=_("The hints are below"), aside=_("your turn")),)
    if known.state in ("checked_in", "in_service"):
        return (v.Step("now", booking_words.pill(known.state).text, aside=_("the hospital's turn")),)
    if known.state == "fulfilled" and known.report in ("ready", "corrected"):
        return (v.Step("done", _("The report is here")),)
    if known.state == "fulfilled" and known.report != "none":
        return (v.Step("now", _("The hospital is writing the report"), aside=_("the hospital's turn")),)
    return ()


def _coming(known: booking_words.Facts, view: BookingView) -> tuple[v.Step, ...]:
    minutes = view.package.get("duration_minutes")
    lasts = _("about %(span)s", span=formats.span(minutes * 60)) if minutes else ""
    there = formats.day(view.service_date)
    if view.starts_at:
        there = formats.moment(view.starts_at, view.time_zone)
    every = (
        v.Step("next", _("Check in"), aside=there),
        v.Step("next", _("Check done"), aside=lasts),
        v.Step("next", _("Report arrives"), aside=_("from the hospital")),
    )
    if known.state in ("held", *_AHEAD):
        return every
    return every[2:] if known.state in ("checked_in", "in_service") else ()


def rules(view: BookingView, now: datetime) -> tuple[v.Rule, ...]:
    """Until when cancelling is free, and what follows afterwards."""
    until = _on(view.cancel_until, view)
    missed = _("Not coming counts as one use.") if view.no_show_uses else _("Not coming gives the benefit back.")
    after = v.Rule(icon="clock", text=formats.sentences(_("After that it can't be cancelled online."), missed))
    if now >= view.cancel_until:
        closed = _("Online cancellation closed on %(time)s. You can still call us.", time=until)
        return (*_change_rules(view, now), v.Rule(icon="clock", text=formats.sentences(closed, missed)))
    left = formats.span((view.cancel_until - now).total_seconds() // 60 * 60)
    free = _("Free until %(time)s; your benefit comes back in full.", time=until)
    return (
        v.Rule(icon="check", text=free, tone="ok", strong=_("%(span)s left.", span=left)),
        after,
        *_change_rules(view, now),
    )


def _change_rules(view: BookingView, now: datetime) -> tuple[v.Rule, ...]:
    """Until when and how often another date can be asked for."""
    if view.state != "confirmed":
        return ()
    if now >= view.change_until:
        closed = _("Changing the date online closed on %(time)s.", time=_on(view.change_until, view))
        return (v.Rule(icon="calendar-days", text=closed),)
    if not view.changes_left:
        return (v.Rule(icon="calendar-days", text=_("This booking can't be changed again.")),)
    times = ngettext("%(num)d change left.", "%(num)d changes left.", view.changes_left)
    until = _("The date can be changed until %(time)s.", time=_on(view.change_until, view))
    return (v.Rule(icon="calendar-days", text=until, strong=times),)


def _on(moment: datetime, view: BookingView) -> str:
    return formats.moment(moment, view.time_zone)


def cancel(view: BookingView, now: datetime) -> v.Cancel:
    """The sheet: the consequence first. Not allowed: why, and what is left to do."""
    asked = _("Cancel the booking on %(day)s?", day=formats.date_of(view.service_date))
    if not view.can_cancel or state_of(view, now) == "expired":
        return v.Cancel(view.id, _("This can't be cancelled online"), _why_not(view, now), "", allowed=False)
    if view.state == "held":
        text = _("The time is given back at once. Your benefit was not spent and is back in full.")
        return v.Cancel(view.id, asked, text, _("Give this time back"))
    until = _on(view.cancel_until, view)
    free = _("Cancelling is free until %(time)s. One use of your benefit comes back.", time=until)
    if not view.allotment and view.state != "awaiting_provider":
        stands = _("The hospital has to agree; until then the date stands.")
        free = formats.sentences(free, stands)
    return v.Cancel(view.id, asked, free, _("Cancel and get it back"))


def _why_not(view: BookingView, now: datetime) -> str:
    if view.change == "cancel":
        return _("You have asked for it already; the hospital has to agree.")
    if state_of(view, now) in _AHEAD:
        until = _on(view.cancel_until, view)
        return _("Online cancellation closed on %(time)s. You can still call us.", time=until)
    return _("This booking has begun or is over.")


def confirm(view: BookingView, person: v.Person, package: v.Package, benefit_line: str, now: datetime) -> v.Confirm:
    """The last step. The hold's seconds are told by the server, so that a wrong clock in the device does no harm."""
    ends = view.hold_expires_at or now
    total = max(timedelta(seconds=1), ends - view.created_at)
    if now < view.cancel_until:
        told = _("Cancel before %(time)s and your benefit comes back in full.", time=_on(view.cancel_until, view))
    else:
        told = _("Once confirmed, it can't be cancelled online any more.")
    if view.allotment:
        answer = _("Confirmed at once: the hospital has given us these places.")
    elif now < start_of(view.service_date, view.starts_at, view.time_zone) < now + timedelta(hours=view.answer_hours):
        answer = _("The hospital answers before this time begins; you see it here.")
    else:
        hours = view.answer_hours
        answer = ngettext(
            "The hospital answers within %(num)d hour; you see it here.",
            "The hospital answers within %(num)d hours; you see it here.",
            hours,
        )
    return v.Confirm(
        view.id,
        replace(ticket(view, now), facts=()),
        person,
        package,
        benefit_line,
        (told,),
        answer,
        max(0, int((ends - now).total_seconds())),
        int(total.total_seconds()),
        view.price_minor,
        view.currency,
    )


def rows(cards: Sequence[BookingCard], now: datetime, unsubmitted: tuple[str, ...]) -> tuple[v.BookingRow, ...]:
    """Lines of the list, without what was never submitted and is over (its cause says so)."""
    return tuple(
        row(card, now) for card in cards if not (card.cause in unsubmitted and card.state in ("expired", "cancelled"))
    )
