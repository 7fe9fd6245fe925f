"""A booking as a ticket: its state, time, place and facts in words, wherever it is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask_babel import gettext as _

from booking.states import BookingState, state_at
from booking.views.cards import BookingCard, BookingView
from booking.views.lists import bookings_version
from marketplace.catalog.kinds import has_times, words_of
from marketplace.core import clock
from marketplace.web import booking_words, formats
from marketplace.web.answers import tag
from marketplace.web.cause_words import refusal_line
from marketplace.web.kind_words import nouns
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Ticket, When
from marketplace.web.people import named
from marketplace.web.place_words import for_the_driver, full_address, site_of
from vip.principal import Principal


@dataclass(frozen=True)
class NextBooking:
    """The ticket on the home page."""

    id: str
    ticket: Ticket
    route_url: str = ""


def state_of(card: BookingCard, now: datetime) -> str:
    """The state as people see it: a hold whose time is over has expired, even before the clock has swept it."""
    return state_at(BookingState(card.state), card.hold_expires_at, now).value


def when(card: BookingCard) -> When:
    """The booked time."""
    return When(card.service_date, card.time_zone, card.starts_at, card.ends_at)


def facts(card: BookingCard, now: datetime) -> booking_words.Facts:
    """What the sentences about a booking need."""
    last, dispute, until = "customer", "", None
    if isinstance(card, BookingView):
        last = next((line.actor for line in reversed(card.timeline) if line.state == card.state), last)
        dispute = card.dispute.state if card.dispute else ""
        until = card.dispute_until if card.can_dispute else None
    by = {"customer": "customer", "agent": "customer", "provider": "provider"}.get(last, "platform")
    by = "nobody" if card.cause == "nobody_came" else by
    return booking_words.Facts(
        state_of(card, now),
        when(card),
        card.kind,
        answer_by=card.answer_due_at,
        by=by,
        reason=refusal_line(card.cause) if card.state == "rejected" else "",
        quota_used=isinstance(card, BookingView) and card.benefit == "used",
        report=card.report_state,
        report_due=card.report_due_at - timedelta(seconds=1) if card.report_due_at else None,
        dispute=dispute,
        dispute_until=until,
    )


def title(card: BookingCard) -> str:
    """The package's name."""
    return by_language(card.offer_name)


def ticket(card: BookingCard, now: datetime) -> Ticket:
    """The ticket of a booking's own page."""
    state, timed = state_of(card, now), has_times(card.kind)
    listed = card.listed_as if isinstance(card, BookingView) else ""
    now_called = _("now listed as %(name)s", name=listed) if listed else ""
    show = (Fact(_("Show"), _("ID card")),) if timed else ()
    return Ticket(
        booking_words.ticket_style(state, card.kind),
        title(card),
        booking_words.pill(state, card.kind),
        when(card),
        site_of(card.site),
        formats.dotted((full_address(card.site), now_called)) if timed else now_called,
        facts=(
            Fact(by_language(words_of(card.kind).for_whom), named(card.beneficiary_name, card.relation)),
            *show,
            Fact(_("Number"), formats.reference(card.reference)),
        ),
        gone=booking_words.date_is_gone(state),
        with_year=True,
        driver=for_the_driver(card.site) if timed else "",
    )


def next_booking(card: BookingCard, now: datetime) -> NextBooking:
    """The ticket on the home page."""
    known = facts(card, now)
    day = formats.relative_day(card.service_date, card.time_zone)
    label = formats.dotted((day, named(card.beneficiary_name, card.relation)))
    return NextBooking(
        card.id,
        replace(
            ticket(card, now),
            label=label,
            address="",
            driver="",
            facts=(),
            live=live_line(card, known),
            with_year=False,
        ),
    )


def followed_tag(me: Principal, now: datetime) -> str:
    """The ETag of what shows the customer's bookings as a whole; a new day is told in other words."""
    return tag("bookings", *bookings_version(me), clock.today(me.time_zone, now))


def live_line(card: BookingCard, known: booking_words.Facts) -> str:
    if card.change == "cancel":
        return _("Your cancellation is with %(place)s.", **nouns(card.kind))
    if card.change == "reschedule":
        return _("A new date is being asked for; this one stays.")
    return booking_words.live_line(known)
