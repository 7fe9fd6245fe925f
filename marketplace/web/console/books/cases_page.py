"""Discrepancies in words, for operators: the filters of the list, one case, its repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from booking.calls.waiting_commands import COMMANDS_WAITING
from booking.discrepancies import SLOT_OVERSOLD, UNREADABLE
from booking.exchange.models import GAVE_UP, WHY
from booking.reconcile.cases import CaseView, Counts, Filter, HistoryLine
from booking.reconcile.delivered import READ
from booking.reconcile.offered_repairs import Action
from booking.reconcile.strays import STRAY_CANCELLED
from marketplace.core.clock import HOME_ZONE
from marketplace.web import booking_words, formats, row_words
from marketplace.web.console.books.amounts import effect
from marketplace.web.console.books.discrepancy_words import kind_words, resolution_words
from marketplace.web.console.overview_page import DiscrepancyRow, discrepancy
from marketplace.web.escort_words import wrong_words
from marketplace.web.formats import money
from marketplace.web.language import by_language


@dataclass(frozen=True)
class FilterLink:
    """A filter that can be set: its address, and how many it would show."""

    label: str
    url: str
    number: int | None = None
    current: bool = False


@dataclass(frozen=True)
class Side:
    """One side of a case: pairs of a name and a text, or nothing there."""

    title: str
    facts: tuple[tuple[str, str], ...]
    nothing: str = ""


@dataclass(frozen=True)
class CaseLine:
    """A line of the history."""

    at: datetime
    text: str
    by: str


@dataclass(frozen=True)
class RepairChoice:
    """A repair: what the button says and where it leads."""

    action: str
    label: str
    effect: str
    url: str
    strong: bool = False


@dataclass(frozen=True)
class CasePage:
    """One discrepancy. `ended` says how it was closed."""

    id: str
    row: DiscrepancyRow
    ours: Side
    theirs: Side
    effect: str
    lines: tuple[CaseLine, ...]
    commands: tuple[str, ...]
    asking: bool
    cancelling: bool
    for_the_house: bool
    repairs: tuple[RepairChoice, ...]
    ended: str = ""
    note: str = ""
    closed_at: datetime | None = None
    booking_url: str = ""
    delivered_url: str = ""


def list_url(wanted: Filter, *, after: str | None = None) -> str:
    """Address of the list as it is narrowed, from `after` on."""
    closed = "1" if wanted.closed else None
    kind, provider = wanted.kind or None, wanted.provider or None
    return url_for("console.discrepancies", after=after, closed=closed, kind=kind, provider=provider)


def choices(
    counts: Counts, wanted: Filter
) -> tuple[tuple[FilterLink, ...], tuple[FilterLink, ...], tuple[FilterLink, ...]]:
    """The three rows of filters: open or closed, kinds, providers."""
    states = (
        FilterLink(_("To settle"), list_url(replace(wanted, closed=False)), counts.open, not wanted.closed),
        FilterLink(_("Closed"), list_url(replace(wanted, closed=True)), counts.closed, wanted.closed),
    )
    kinds = [FilterLink(_("All kinds"), list_url(replace(wanted, kind="")), None, not wanted.kind)]
    kinds += [
        FilterLink(kind_words(kind)[0], list_url(replace(wanted, kind=kind)), how_many, kind == wanted.kind)
        for kind, how_many in counts.kinds.items()
    ]
    providers = [FilterLink(_("All providers"), list_url(replace(wanted, provider="")), None, not wanted.provider)]
    providers += [
        FilterLink(
            by_language(name),
            list_url(replace(wanted, provider=code)),
            how_many,
            code == wanted.provider,
        )
        for code, (name, how_many) in counts.providers.items()
    ]
    return states, tuple(kinds), tuple(providers)


def case(view: CaseView) -> CasePage:
    """The page of one discrepancy."""
    it = view.discrepancy
    return CasePage(
        id=it.id,
        row=discrepancy(it),
        ours=_ours(view),
        theirs=_theirs(view),
        effect=effect(it.units, it.money_minor, it.currency),
        lines=tuple(map(_line, view.lines)),
        commands=tuple(_command(command, state) for command, state in view.commands),
        asking=view.asking,
        cancelling=view.cancelling,
        for_the_house=view.for_the_house and view.discrepancy.closed_at is None,
        repairs=tuple(repair(it.id, action) for action in view.actions),
        ended=resolution_words(it.resolution) if it.closed_at else "",
        note=view.note,
        closed_at=it.closed_at,
        booking_url=url_for("console.booking", booking=view.ours.id) if view.ours else "",
        delivered_url=url_for("console.delivered", case=it.id) if view.delivered else "",
    )


def _time(day: str | date | None, starts_at: str | datetime | None, zone: str) -> str:
    if starts_at:
        at = datetime.fromisoformat(starts_at) if isinstance(starts_at, str) else starts_at
        return formats.moment(at, zone)
    if not day:
        return ""
    return formats.full_date(date.fromisoformat(day) if isinstance(day, str) else day)


def _ours(view: CaseView) -> Side:
    it = view.ours
    if view.discrepancy.kind == COMMANDS_WAITING:
        return _waiting(view)
    if view.discrepancy.kind == SLOT_OVERSOLD:
        return _sold(view)
    if it is None and view.discrepancy.kind == UNREADABLE:
        return Side(_("Our books"), (), _("It is not known which booking of ours it is about, if any."))
    if it is None:
        return Side(_("Our books"), (), _("Nobody of ours made this booking."))
    facts = [
        (_("State"), booking_words.pill(it.state).text),
        (_("When"), _time(it.service_date, it.starts_at, it.time_zone)),
        (_("Package"), by_language(it.offer)),
        (_("Price"), money(it.price_minor, it.currency)),
        (_("The customer says"), wrong_words().get(str(view.facts.get("what") or ""), "")),
    ]
    facts += [(_("Their number"), f"{reference} · {_role(role)}") for reference, role in it.references.items()]
    return Side(_("Our books"), tuple((name, text) for name, text in facts if text))


def _waiting(view: CaseView) -> Side:
    """The bookings whose commands wait."""
    named = [str(booking) for booking in view.facts.get("bookings", ())]
    since = datetime.fromisoformat(str(view.facts["since"]))
    facts = (
        (_("Commands waiting"), str(view.facts.get("waiting", ""))),
        (_("The first since"), formats.moment(since, HOME_ZONE)),
        (pgettext("case", "Bookings"), " · ".join(named)),
    )
    return Side(_("Our books"), facts)


def _sold(view: CaseView) -> Side:
    """Whom an oversold slot concerns."""
    numbers = " · ".join(formats.reference(str(number)) for number in view.facts.get("bookings", ()))
    facts = ((_("Places sold"), str(view.facts.get("taken", ""))), (pgettext("case", "Bookings"), numbers))
    return Side(_("Our books"), tuple((name, text) for name, text in facts if text))


def _theirs(view: CaseView) -> Side:
    facts = view.facts
    status = facts.get("theirs") or facts.get("status")
    if not status and view.discrepancy.kind == "ours_only":
        return Side(_("The provider"), (), _("The provider has nothing under our number or theirs."))
    zone = view.ours.time_zone if view.ours else HOME_ZONE
    rows = [
        (_("State"), booking_words.provider_word(str(status)) if status else ""),
        (_("When"), _time(facts.get("service_date"), facts.get("starts_at"), zone)),
        (_("Places offered"), str(facts.get("offered", ""))),
        (_("Their number"), str(facts.get("reference") or "")),
        (_("Our number there"), str(facts.get("our_reference") or "")),
        (_("Their version"), str(facts.get("version") or "")),
        (_("Reason they gave"), str(facts.get("code") or "")),
        (_("Cancel"), _gave_up(facts)),
        (_("People they send in that city"), str(facts.get("in_city", ""))),
        (_("Of them their desk could ask"), str(facts.get("desk_could_ask", ""))),
        *_unreadable(view),
    ]
    known = tuple((name, text) for name, text in rows if text)
    return Side(_("The provider"), known, "" if known else _("Nothing more is known of their side."))


def _gave_up(facts: Mapping[str, Any]) -> str:
    """That a cancel was given up and what was the matter, blank where none was."""
    tries = facts.get(GAVE_UP)
    if not tries:
        return ""
    matter = {
        "silent": _("it did not answer"),
        "unreached": _("it could not be reached"),
        "busy": _("it told us to come back later"),
        "undecided": _("it has not decided yet"),
    }
    return _(
        "Tried %(num)d times, and not any more: in the end %(matter)s. Call the provider, or try again.",
        num=tries,
        matter=matter[facts.get(WHY, "silent")],
    )


def _unreadable(view: CaseView) -> list[tuple[str, str]]:
    """What is wrong with a row that could not be used, and how often it came."""
    if view.discrepancy.kind != UNREADABLE:
        return []
    return [
        (_("List"), row_words.list_name(view.facts["feed"])),
        (_("What is wrong"), row_words.what_is_wrong(str(view.facts["reason"]))),
        (_("How often it came"), str(view.facts["times"])),
    ]


def _role(role: str) -> str:
    words = {
        "current": _("in use"),
        "pending": _("asked for"),
        "superseded": _("replaced"),
        "stray": _("surplus"),
    }
    return words.get(role, role)


def _command(command: str, state: str) -> str:
    commands = {"reserve": pgettext("command", "Book"), "cancel": _("Cancel"), "change": _("Move")}
    states = {
        "queued": _("waits to be sent"),
        "in_flight": _("is being sent"),
        "unknown": _("was sent, the answer is unknown"),
        "parked": _("is put aside"),
    }
    return f"{commands.get(command, command)}: {states.get(state, state)}"


def _line(line: HistoryLine) -> CaseLine:
    if line.repair:
        return CaseLine(line.at, repair_words(line.what)[0], line.actor)
    who = {
        "customer": _("Customer"),
        "provider": _("Provider"),
        "operator": _("Operator"),
        "agent": _("Phone desk"),
        "clock": _("The clock"),
        "system": _("The system"),
    }
    return CaseLine(line.at, booking_words.pill(line.what).text, who.get(line.actor_kind, line.actor_kind))


def repair_words(action: str) -> tuple[str, str]:
    """A repair's name and what it does."""
    words = {
        "look_up": (
            _("Ask the provider again"),
            _("The worker asks within seconds. If both sides agree, the discrepancy closes by itself."),
        ),
        "send_again": (
            _("Send the booking again"),
            _("A new booking is asked of the provider for the same person and time. The customer's date stays."),
        ),
        "take_their_time": (
            _("Take over the provider's time"),
            _("The booking moves to the provider's time in our books, and the customer is notified."),
        ),
        "take_their_status": (
            _("Take over the provider's status"),
            _("The booking moves to the status that the provider reports, with what follows for the benefit."),
        ),
        "cancel_there": (
            _("Cancel there"),
            _("The provider is asked to cancel what is surplus there. No booking of ours is touched."),
        ),
        "cancel_here": (
            _("Cancel here and give the benefit back"),
            _("The booking ends, the unit goes back and the customer is notified. The provider is asked if it has it."),
        ),
        "took_place": (
            _("It took place"),
            _(
                "The booking is done and the unit is used. For seven days the customer can say that something was"
                " wrong."
            ),
        ),
        "did_not_take_place": (
            _("It did not take place"),
            _(
                "The booking is cancelled as nobody came. The unit goes back, valid for longer where it has ended, and"
                " the customer is notified with the nearest other times."
            ),
        ),
        "note": (
            _("Close with a note"),
            _("Nothing is changed. The same discrepancy is not raised again until something about it changes."),
        ),
        READ: (_("Read what was delivered"), ""),
        STRAY_CANCELLED: (_("Cancelled there"), ""),
    }
    return words.get(action, (action, ""))


def repair(case_id: str, action: Action | str) -> RepairChoice:
    """A repair as a button."""
    label, does = repair_words(action)
    address = url_for("console.repair", case=case_id, action=action)
    return RepairChoice(action, label, does, address, strong=action in _ENDS)


_ENDS = ("cancel_here", "cancel_there", "did_not_take_place")
"""Those that end a booking somewhere."""
