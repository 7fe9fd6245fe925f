"""The last step of a booking: what she confirms, on which terms, and when the answer comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from booking.views.cards import BookingView
from marketplace.catalog.kinds import words_of
from marketplace.core.clock import start_of
from marketplace.web import formats
from marketplace.web.booking.bookings_page import policy_line
from marketplace.web.booking.finding.packages_page import Package
from marketplace.web.kind_words import answered, nouns
from marketplace.web.parts import Fact, Person, Ticket
from marketplace.web.tickets import ticket


@dataclass(frozen=True)
class Confirm:
    """The last step of a booking. `hold_left` and `hold_total` are seconds. `price` is in minor units. `version` is the
    ETag that `confirm_live` would answer now."""

    id: str
    ticket: Ticket
    person: Person
    package: Package
    benefit_line: str
    rules: tuple[str, ...]
    answer_line: str
    hold_left: int
    hold_total: int
    price: int | None = None
    currency: str = "CNY"
    idempotency_key: str = ""
    problem: str = ""
    version: str = ""
    icon: str = ""
    benefit_note: str = ""
    kind: str = ""
    answers: tuple[Fact, ...] = ()


def confirm(
    view: BookingView, person: Person, package: Package, benefit_line: str, now: datetime, benefit_note: str = ""
) -> Confirm:
    """The last step. The hold's seconds come from the server, so that a wrong clock in the device does no harm."""
    ends = view.hold_expires_at or now
    total = max(timedelta(seconds=1), ends - view.created_at)
    if now < view.cancel_until:
        until = formats.moment(view.cancel_until, view.time_zone)
        terms = _("Cancel before %(time)s and your benefit comes back in full.", time=until)
    else:
        terms = _("Once confirmed, it can't be cancelled online any more.")
    if view.allotment:
        answer = _("Confirmed at once: %(place)s has given us these places.", **nouns(view.kind))
    elif now < start_of(view.service_date, view.starts_at, view.time_zone) < now + timedelta(hours=view.answer_hours):
        answer = _("%(Place)s answers before this time begins; you see it here.", **nouns(view.kind))
    else:
        hours = view.answer_hours
        answer = ngettext(
            "%(Place)s answers within %(num)d hour; you see it here.",
            "%(Place)s answers within %(num)d hours; you see it here.",
            hours,
            **nouns(view.kind),
        )
    return Confirm(
        view.id,
        replace(ticket(view, now), facts=()),
        person,
        package,
        benefit_line,
        tuple(each for each in (terms, policy_line(view)) if each),
        answer,
        max(0, int((ends - now).total_seconds())),
        int(total.total_seconds()),
        view.price_minor,
        view.currency,
        icon=words_of(view.kind).place_icon,
        benefit_note=benefit_note,
        kind=view.kind,
        answers=answered(view.answers, view.kind),
    )
