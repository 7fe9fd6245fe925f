"""What the desk sees of a booking and of a dispute, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from booking.attendance.disputes import DisputeInFull, OpenDispute
from booking.changes.cancel import Reason
from booking.views.cards import BookingCard, BookingView, Moved
from booking.views.desk import AtDesk
from marketplace.catalog.kinds import has_times
from marketplace.web import booking_words, formats
from marketplace.web.cause_words import cause_line
from marketplace.web.console.bookings.visit_page import Visit, visit
from marketplace.web.console.books.discrepancy_words import kind_words
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Pill, When
from marketplace.web.people import named
from marketplace.web.place_words import site_name, site_of
from marketplace.web.tickets import state_of, title, when


@dataclass(frozen=True)
class DeskRow:
    """A booking in the desk's list."""

    id: str
    reference: str
    title: str
    place: str
    person: str
    when: When
    pill: Pill
    url: str


@dataclass(frozen=True)
class DeskLine:
    """A line of the history: what, who and why, in words."""

    at: datetime
    what: str
    who: str
    why: str


@dataclass(frozen=True)
class DeskWarning:
    """A discrepancy: what it is, what to do about it, and the case's address for whom may look at it."""

    what: str
    does: str
    url: str = ""


@dataclass(frozen=True)
class DeskBooking:
    """A booking at the desk. `cancel_url` is set while this operator may cancel it, `note` says why not. `warnings`:
    what differs between our books and the provider's. `visit`: where somebody is sent, who and what was done."""

    row: DeskRow
    facts: tuple[Fact, ...]
    history: tuple[DeskLine, ...]
    zone: str
    cancel_url: str
    note: str
    warnings: tuple[DeskWarning, ...] = ()
    visit: Visit | None = None


@dataclass(frozen=True)
class DisputeRow:
    """A dispute in the list."""

    reference: str
    title: str
    place: str
    provider: str
    when: When
    opened_at: datetime
    url: str


@dataclass(frozen=True)
class DisputePage:
    """A dispute with the customer's words. `source` says who reported the no-show, `effect` what it did to the
    benefit."""

    id: str
    row: DisputeRow
    booking_url: str
    state: str
    words: str
    source: str
    effect: str


def row(card: BookingCard, now: datetime) -> DeskRow:
    """A line of the list."""
    return DeskRow(
        card.id,
        card.reference,
        title(card),
        site_of(card.site),
        named(card.beneficiary_name, card.relation),
        when(card),
        booking_words.pill(state_of(card, now)),
        url_for("console.booking", booking=card.id),
    )


def booking(found: AtDesk, now: datetime) -> DeskBooking:
    """The booking's page at the desk."""
    view = found.view
    texts = {
        "reserved": _("One use is reserved for it"),
        "used": _("One use was spent"),
        "released": _("The use is back"),
        "none": _("The use is back"),
    }
    facts = (
        Fact(_("For"), named(view.beneficiary_name, view.relation)),
        Fact(_("Provider"), by_language(view.provider_name)),
        Fact(_("Benefit"), texts.get(str(view.benefit), str(view.benefit))),
        *_closes(view),
    )
    notes = {
        "asked": _("A cancel is with the provider."),
        "admins_only": _("The customer's own window is over; only an administrator can still cancel it.")
        if has_times(view.kind) and now >= view.cancel_until
        else _("The visit has begun; only an administrator can still cancel it."),
    }
    return DeskBooking(
        row(view, now),
        facts,
        tuple(_line(line, view.time_zone) for line in view.timeline),
        view.time_zone,
        url_for("console.booking_cancel", booking=view.id) if found.cancelling == "open" else "",
        notes.get(found.cancelling, ""),
        tuple(_warning(kind, case) for kind, case in found.discrepancies),
        visit(found),
    )


def _closes(view: BookingView) -> tuple[Fact, ...]:
    if not has_times(view.kind):
        return ()
    return (Fact(_("Online cancelling closes"), formats.moment(view.cancel_until, view.time_zone)),)


def _warning(kind: str, case: str | None) -> DeskWarning:
    what, does = kind_words(kind)
    return DeskWarning(what, does, "" if case is None else url_for("console.case", case=case))


def _line(line: Moved, zone: str) -> DeskLine:
    asked = {
        "cancel_asked": _("Asked to cancel"),
        "cancel_refused": _("The provider refused to cancel"),
        "reschedule_asked": _("Asked for another date"),
        "reschedule_refused": _("The other date was not agreed"),
        "reschedule_withdrawn": _("The change of date was taken back"),
        "dispute_asked": _("The customer disputed the no-show"),
        "dispute_rejected": _("The dispute was rejected"),
    }
    who = {
        "customer": _("customer"),
        "provider": _("provider"),
        "operator": _("desk"),
        "agent": _("phone desk"),
        "clock": _("clock"),
        "system": _("system"),
    }
    what = asked.get(line.state) or booking_words.pill(line.state).text
    return DeskLine(line.at, what, who.get(line.actor, line.actor), _why(line, zone))


def _why(line: Moved, zone: str) -> str:
    """The cause in words, and for a change of date from which time to which."""
    moved = formats.moved(line.before_date, line.before_starts_at, line.service_date, line.starts_at, zone)
    return formats.sentences(cause_line(line.cause), moved)


def reasons(codes: Sequence[Reason]) -> tuple[tuple[str, str], ...]:
    """Why the desk cancels: code and words."""
    texts: dict[Reason, str] = {
        "customer_phoned": _("The customer asked for it by phone"),
        "provider_trouble": _("The provider can't keep it"),
        "unwell": _("The person is unwell"),
        "duplicate": _("It was booked twice"),
        "other": _("Another reason"),
    }
    return tuple((code, texts[code]) for code in codes)


def cancel_effects(found: AtDesk) -> tuple[str, ...]:
    """What cancelling does, told before the tap."""
    view = found.view
    effects = [
        _("One use of the benefit comes back, whatever the reason; if its validity is over, with the plan's grace.")
    ]
    if found.as_customer:
        effects = [_("It counts as the customer's own cancel: one use of the benefit comes back while it is valid.")]
    if found.past_window and has_times(view.kind):
        until = formats.deadline(view.cancel_until, view.time_zone)
        effects.append(_("The customer's own window closed at %(time)s; the desk may still cancel.", time=until))
    if view.ends_at_once or view.state == "held" or not has_times(view.kind):
        effects.append(_("It ends at once; the provider is notified."))
    else:
        effects.append(_("If the provider knows of it, it has to agree; until then the date stays."))
    effects.append(_("Your name and the reason are written into the audit."))
    return tuple(effects)


def dispute_row(it: OpenDispute) -> DisputeRow:
    """A line of the list."""
    return DisputeRow(
        it.reference,
        by_language(it.offer_name),
        site_name(it.site_name),
        by_language(it.provider_name),
        When(it.service_date, it.time_zone, it.starts_at),
        it.opened_at,
        url_for("console.dispute", dispute=it.id),
    )


def dispute(it: DisputeInFull) -> DisputePage:
    """The page of one dispute."""
    at = formats.deadline(it.recorded_at, it.time_zone)
    if it.recorded_by == "provider":
        text = _("The provider reported at %(time)s that nobody came.", time=at)
    else:
        text = _("The provider reported nothing; the clock recorded it at %(time)s.", time=at)
    effect = _("The plan counts a no-show as one use.") if it.no_show_uses else _("The use of the benefit is back.")
    return DisputePage(
        it.id,
        dispute_row(it),
        url_for("console.booking", booking=it.booking_id),
        it.state,
        it.words,
        text,
        effect,
    )


def decisions() -> tuple[tuple[str, str], ...]:
    """The answers there are: code and words."""
    return (
        ("fulfilled", _("She was there and the service took place: one use is spent")),
        ("checked_in", _("She was there, the service is still to be done: one use stays reserved")),
        ("rejected", _("The no-show stays")),
    )
