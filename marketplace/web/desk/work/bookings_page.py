"""A provider's bookings in words: lines of a list, and one in full with what can be said of it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from booking.answering.history import Happened
from booking.answering.possible import FreeSlot, Saying
from booking.answering.shown import CAME, AskedTime, ShownBooking, Status, WithPerson
from marketplace.catalog.benefit_kind import age_on
from marketplace.catalog.kinds import is_dispatched
from marketplace.web import booking_words, formats
from marketplace.web.cause_words import cause_line
from marketplace.web.desk.work import words
from marketplace.web.desk.work.saying import TO_CONFIRM, WITH_REASON, WITH_SLOT
from marketplace.web.kind_words import answered
from marketplace.web.parts import Choice, Fact, Pill, When


@dataclass(frozen=True)
class Row:
    """A line of a list. `aside` says what is open about it, or blank."""

    reference: str
    person: str
    offer: str
    when: When
    pill: Pill
    aside: str
    url: str


@dataclass(frozen=True)
class Line:
    """A line of the history."""

    at: datetime
    what: str
    who: str
    why: str


@dataclass(frozen=True)
class Action:
    """What can be said now. With `form` it needs a reason, a time or a look at its effect first, and `url` is that
    page; else it is sent there at once. `tone` is the button's."""

    saying: str
    label: str
    url: str
    form: bool
    tone: str


@dataclass(frozen=True)
class OtherTime:
    """A time beside the booked one: the one that is asked for, or that was proposed."""

    title: str
    when: When
    until: str


@dataclass(frozen=True)
class BookingPage:
    """One booking in full. `person` is empty once it is not live; `note` says why nothing can be said;
    `reports_url` is blank before somebody came, `dispatch_url` where nobody is sent or the reader does not arrange
    it."""

    id: str
    version: int
    reference: str
    offer: str
    when: When
    pill: Pill
    until: str
    person: tuple[Fact, ...]
    answers: tuple[Fact, ...]
    other: OtherTime | None
    differences: tuple[str, ...]
    note: str
    actions: tuple[Action, ...]
    history: tuple[Line, ...]
    reports_url: str
    dispatch_url: str = ""


@dataclass(frozen=True)
class TimeChoice:
    """Another time to choose."""

    id: str
    label: str
    left: int


@dataclass(frozen=True)
class TimesOfDay:
    """The other times of one day."""

    day: str
    times: tuple[TimeChoice, ...]


def filters(chosen: str) -> tuple[Choice, ...]:
    """What a list can be narrowed to."""
    choices = {
        "requested": _("To answer"),
        "change_asked": _("Change of date"),
        "today": _("Today"),
        "confirmed": _("Confirmed"),
        "checked_in": _("Checked in"),
        "fulfilled": _("Done"),
        "no_show": _("Not attended"),
        "cancelled": _("Cancelled"),
        "rejected": _("Refused"),
    }
    return tuple(Choice(value, label, value == chosen) for value, label in choices.items())


def row(it: ShownBooking, names: Mapping[str, str]) -> Row:
    """A line of the list; `names` are those of the offers."""
    asides = [
        _("Change of date asked for") if it.change else "",
        _("Cancel under way") if it.cancel_asked else "",
        _("Another time proposed") if it.proposal else "",
    ]
    return Row(
        it.reference,
        it.person_name,
        formats.dotted((names.get(it.offer, it.offer), it.venue.name if it.venue else "")),
        _when(it),
        status_pill(it.status),
        formats.dotted(asides),
        url_for("desk.booking", booking=it.id),
    )


def page(
    found: WithPerson,
    name: str,
    kind_code: str,
    sayings: Sequence[Saying],
    lines: Sequence[Happened],
    *,
    dispatches: bool = False,
) -> BookingPage:
    """One booking; `name` is the offer's. `dispatches`: the reader says who goes where somebody is sent."""
    it = found.booking
    until = ""
    if it.status == "requested" and it.answer_due_at is not None:
        until = _("Answer by %(time)s.", time=formats.deadline(it.answer_due_at, it.time_zone))
    note = ""
    if it.cancel_asked:
        note = _("The customer has cancelled; that is being carried out.")
    elif it.proposal is not None:
        note = _("You proposed another time; the customer has not answered yet.")
    return BookingPage(
        it.id,
        it.version,
        it.reference,
        name,
        _when(it),
        status_pill(it.status),
        until,
        (*_where(it), *_person(found, it)),
        answered(found.answers, kind_code),
        _other(it),
        tuple(words.difference(each) for each in it.differences),
        note,
        tuple(_action(it, saying, main=number == 0) for number, saying in enumerate(sayings)),
        tuple(_line(each) for each in lines),
        url_for("desk.report_new", booking=it.id) if it.status in CAME else "",
        url_for("desk.dispatch_booking", booking=it.id) if dispatches and is_dispatched(it.kind) else "",
    )


def times(slots: Sequence[FreeSlot], zone: str) -> tuple[TimesOfDay, ...]:
    """Other times by day."""
    days: dict[str, list[TimeChoice]] = {}
    for it in slots:
        label = formats.time_range(it.starts_at, it.ends_at, zone) if it.starts_at else _("All day")
        days.setdefault(formats.day(it.service_date, zone), []).append(TimeChoice(it.id, label, it.left))
    return tuple(TimesOfDay(day, tuple(found)) for day, found in days.items())


def _action(it: ShownBooking, saying: str, *, main: bool) -> Action:
    tones = {"reject": "bad", "cancel": "bad", "refuse_change": "bad", "no_show": "line"}
    tone = tones.get(saying, "main" if main else "line")
    form = saying in WITH_REASON | WITH_SLOT | TO_CONFIRM
    return Action(saying, words.label(saying), url_for("desk.answer", booking=it.id, saying=saying), form, tone)


def status_pill(status: Status) -> Pill:
    """The state of a booking as its provider has it."""
    return Pill(_("To answer"), "wait", icon="hourglass") if status == "requested" else booking_words.pill(status)


def _when(it: ShownBooking) -> When:
    return When(it.service_date, it.time_zone, it.starts_at, it.ends_at)


def _other(it: ShownBooking) -> OtherTime | None:
    if it.change is not None:
        return _time(_("The customer asks for"), it.change, it.time_zone)
    return _time(_("You proposed"), it.proposal, it.time_zone) if it.proposal is not None else None


def _time(title: str, asked: AskedTime, zone: str) -> OtherTime:
    until = _("Answer by %(time)s.", time=formats.deadline(asked.answer_due_at, zone)) if asked.answer_due_at else ""
    return OtherTime(title, When(asked.service_date, zone, asked.starts_at, asked.ends_at), until)


def _where(it: ShownBooking) -> tuple[Fact, ...]:
    if it.venue is None:
        return ()
    at = formats.dotted((it.venue.name, it.venue.city, it.venue.district, it.venue.address))
    return (Fact(_("Where"), at),)


def _person(found: WithPerson, it: ShownBooking) -> tuple[Fact, ...]:
    who = found.person
    if who is None:
        return (Fact(_("Who comes"), it.person_name),)
    sexes = {"female": _("female"), "male": _("male")}
    age = age_on(who.birth_date, it.service_date)
    return (
        Fact(_("Who comes"), who.name),
        Fact(_("Sex"), sexes.get(who.sex, who.sex)),
        Fact(_("Born"), formats.full_date(who.birth_date)),
        Fact(_("Age on the day"), formats.number(age)),
    )


def _line(it: Happened) -> Line:
    who = {
        "customer": _("customer"),
        "provider": _("you") if it.mine else _("provider"),
        "operator": _("desk"),
        "agent": _("phone desk"),
        "clock": _("clock"),
        "system": _("system"),
    }
    wishes = {
        "change_asked": _("Another date is asked for"),
        "cancel_asked": _("A cancel is asked for"),
        "change_ended": _("The change of date is over"),
    }
    what = wishes.get(it.cause) or booking_words.pill(it.state).text
    why = "" if it.cause in wishes else cause_line(it.cause)
    return Line(it.at, what, who.get(it.actor, it.actor), why)
