"""The desk's bookings: the list, a search, one in full, and the answers to it."""

from __future__ import annotations

from datetime import date, datetime

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.answering import find, shown
from booking.answering.history import history
from booking.answering.named import kind_of, names_of
from booking.answering.possible import other_times, possible
from booking.answering.shown import STATUSES, Wanted, WithPerson
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal, TooMany
from marketplace.web import formats
from marketplace.web.answers import Views, asked, field, retry_after, see_other
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.session import member
from marketplace.web.desk.work import bookings_page, saying, words
from marketplace.web.desk.work.saying import TO_CONFIRM, WITH_REASON, WITH_SLOT, Given
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from providers.staff import duties
from vip.principal import Member

_SHOWN = 50
_TODAY, _CHANGE = "today", "change_asked"


def bookings() -> Response:
    """The list, narrowed by state and day. A search is a form that is sent, so that no name stands in an address."""
    if request.method == "POST":
        return _found(field("wanted", find.LONGEST))
    who, now = member(), clock.now()
    show, on = asked("show", 20), _day(asked("day", 10))
    wanted = _wanted(show, on, who, now)
    found = shown.bookings(who.provider_id, wanted, cursor=asked("cursor", 500) or None, limit=_SHOWN)
    more = url_for("desk.bookings", show=show or None, day=on, cursor=found.next) if found.next else ""
    names = names_of(who.provider_id)
    rows = tuple(bookings_page.row(it, {code: by_language(name) for code, name in names.items()}) for it in found.items)
    return desk_page(
        "bookings",
        "bookings",
        rows=rows,
        filters=bookings_page.filters(show),
        day="" if on is None else on.isoformat(),
        show=show,
        more_url=more,
        wanted="",
        searched=False,
        problem="",
    )


def booking(booking: str) -> Response:
    """One booking in full; each look is a line of the audit."""
    return _one(booking)


def answer(booking: str, saying: str) -> Response:
    """Say one thing of it. What needs a reason or a time, or ends the visit, has a page of its own that asks first."""
    return _answer(booking, saying) if request.method == "POST" else _asking(booking, saying, None)


def _found(wanted: str) -> Response:
    who, problem, status = member(), "", 200
    refused: TooMany | None = None
    try:
        cards = find.find_bookings(who.provider_id, wanted, member=who.public_id, now=clock.now())
    except TooMany as refusal:
        cards, problem, status, refused = (), wording.sentence(refusal), refusal.status, refusal
    if len(cards) == 1:
        return see_other(url_for("desk.booking", booking=cards[0].id))
    names = {code: by_language(name) for code, name in names_of(who.provider_id).items()}
    page = desk_page(
        "bookings",
        "bookings",
        status,
        rows=tuple(bookings_page.row(it, names) for it in cards),
        filters=bookings_page.filters(""),
        day="",
        show="",
        more_url="",
        wanted=wanted,
        searched=True,
        problem=problem,
    )
    return page if refused is None else retry_after(page, refused)


def _one(public_id: str, problem: str = "", status: int = 200) -> Response:
    who, now = member(), clock.now()
    found = shown.booking_with_person(who.provider_id, public_id, looker=who.public_id, now=now)
    return desk_page("booking", "bookings", status, page=_page(found, who, now), problem=problem)


def _page(found: WithPerson, who: Member, now: datetime) -> bookings_page.BookingPage:
    it = found.booking
    sayings = [each for each in possible(it, now=now) if duties.may(who, saying.duty_of(each))]
    return bookings_page.page(
        found,
        by_language(names_of(who.provider_id)[it.offer]),
        kind_of(who.provider_id, it.id),
        sayings,
        history(who.provider_id, it.id, member=who.public_id),
        dispatches=duties.may(who, "dispatch") and not who.test,
    )


def _answer(booking: str, what: str) -> Response:
    who, now = member(), clock.now()
    version = field("version", 9)
    reason = field("words", saying.LONGEST_REASON) or field("reason", 40)
    given = Given(booking, int(version) if version.isdecimal() else 0, reason, field("slot", 64))
    back = url_for("desk.home") if field("back", 10) == "home" else url_for("desk.booking", booking=booking)
    try:
        saying.say(who, what, given, now=now)
    except NotFound as refusal:
        if refusal.at != "slot":
            raise
        return _asking(booking, what, Form(problem=_("That time is not there any more. Choose another one.")), 409)
    except Invalid as refusal:
        values = {"reason": field("reason", 40), "words": field("words", saying.LONGEST_REASON), "slot": given.slot}
        return _asking(booking, what, Form(values, {refusal.at or "reason": wording.sentence(refusal)}), refusal.status)
    except Refusal as refusal:
        flash(saying.why_not(who, booking, refusal), "bad")
        return see_other(back)
    flash(words.done_line(what), "ok")
    return see_other(back)


def _asking(booking: str, what: str, form: Form | None, status: int = 200) -> Response:
    """The page that asks for a reason or a time, or tells the effect; anything else is asked on the booking's own.
    `form`: as it was sent. Before it was, the time is chosen that the address names (`at`), if that one is free."""
    who, now = member(), clock.now()
    if what not in saying.SAYINGS:
        raise NotFound()
    duties.require(who, saying.duty_of(what))
    it = shown.booking(who.provider_id, booking)
    if what not in WITH_REASON | WITH_SLOT | TO_CONFIRM or what not in possible(it, now=now):
        return see_other(url_for("desk.booking", booking=booking))
    slots = other_times(who.provider_id, booking, now=now) if what in WITH_SLOT else ()
    at = _moment(asked("at", 40)) if form is None else None
    chosen = next((each.id for each in slots if at is not None and each.starts_at == at), "")
    return desk_page(
        "answer",
        "bookings",
        status,
        row=bookings_page.row(it, {it.offer: by_language(names_of(who.provider_id)[it.offer])}),
        booking=it,
        saying=what,
        label=words.label(what),
        effect=words.effect(what),
        needs_reason=what in WITH_REASON,
        needs_slot=what in WITH_SLOT,
        takes_words=what in WITH_REASON | {"propose"},
        days=bookings_page.times(slots, it.time_zone),
        reasons=words.reasons(),
        longest=saying.LONGEST_REASON,
        not_free=formats.moment(at, it.time_zone) if at is not None and slots and not chosen else "",
        form=form or Form({"slot": chosen}),
    )


def _wanted(show: str, on: date | None, who: Member, now: datetime) -> Wanted:
    if show == _TODAY:
        on = clock.today(who.time_zone, now)
    status = show if show in STATUSES else None
    return Wanted(status, change_asked=show == _CHANGE, service_date_from=on, service_date_to=on)


def _moment(text: str) -> datetime | None:
    """A moment of the address, with its zone; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


VIEWS: Views = {"bookings": bookings, "booking": booking, "answer": answer}
