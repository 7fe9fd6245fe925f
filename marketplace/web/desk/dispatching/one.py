"""A booking's dispatch: what was asked for, who could go, who is asked, and what the desk does about it."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.answering import shown
from booking.answering.named import names_of
from booking.answering.possible import no_show_from, possible
from booking.escort.assign import AskIsOver
from booking.escort.assigning.refusals import NotToBeEscorted
from booking.escort.at_desk import asked
from booking.escort.at_desk.cases import open_cases
from booking.escort.at_desk.fitting import fitting, why_nobody
from marketplace import wording
from marketplace.catalog.kinds import is_dispatched
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.dispatching import one_page, words
from marketplace.web.language import by_language
from providers.staff import duties

_LONGEST_ID = 64


def dispatch_booking(booking: str) -> Response:
    """One booking: each look is a line of the audit, as of its own page. The form asks, takes off, or says yes for a
    worker who telephones."""
    problem, status = "", 200
    if request.method == "POST":
        try:
            flash(_act(booking), "ok")
            return see_other(url_for("desk.dispatch_booking", booking=booking))
        except NotFound:
            raise
        except AskIsOver as refusal:
            problem, status = _("It changed while you looked at it. Nothing of yours was carried out."), refusal.status
        except Refusal as refusal:
            problem, status = wording.sentence(refusal), refusal.status
    who, now = session.member(), clock.now()
    if not is_dispatched(shown.booking(who.provider_id, booking).kind):
        raise NotFound(field="booking_id")
    found = shown.booking_with_person(who.provider_id, booking, looker=who.public_id, now=now)
    name = by_language(names_of(who.provider_id)[found.booking.offer])
    page = one_page.page(
        found,
        name,
        asked.asks_of(who, booking),
        open_cases(who, booking),
        fitting(who, booking, now=now),
        now,
        closed=_closed(why_nobody(who, booking, now=now)),
        may_propose="propose" in possible(found.booking, now=now) and duties.may(who, "bookings"),
        elsewhere=asked.sent_elsewhere(who),
    )
    return desk_page(
        "dispatching/booking",
        "dispatch",
        status,
        page=page,
        manages=duties.may(who, "team"),
        causes=words.replace_causes(),
        problem=problem,
    )


def _closed(why: NotToBeEscorted | None) -> str:
    if why is None:
        return ""
    over = why.facts["reason"] in ("over", "begun")
    return _("Nobody is sent to this booking any more.") if over else wording.sentence(why)


def _act(booking: str) -> str:
    """Do it; returns the message about it."""
    who, what = session.member(), field("do", 20)
    if what == "ask":
        asked.ask_worker(who, booking, field("worker", _LONGEST_ID), now=by_database)
        return _("Asked. She is told at once, and you see her answer here.")
    if what == "accept":
        asked.accept_by_phone(who, booking, field("assignment", _LONGEST_ID), now=by_database)
        return _("Written down: she has said yes.")
    if what == "take_off":
        asked.take_off(who, booking, field("assignment", _LONGEST_ID), field("cause", 10), now=by_database)
        begun = no_show_from(shown.booking(who.provider_id, booking)) <= clock.now()
        return _("Taken off. Now ask somebody else here.") if begun else _("Taken off. Somebody else is looked for.")
    raise Invalid(field="do", reason="unknown_value")


VIEWS: Views = {"dispatch_booking": dispatch_booking}
