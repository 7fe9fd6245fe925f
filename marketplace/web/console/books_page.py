"""Differences, comparisons, closing statements and closures in words, for operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from booking.closures.view import ClosureView
from booking.reconcile.cases import CaseView, Counts, Filter, Line
from booking.reconcile.repair import Action
from booking.reconcile.runs import RunView
from booking.settlement.statements import StatementRow, StatementView
from marketplace.web import booking_words, formats
from marketplace.web.console.overview_page import DifferenceRow, difference, kind_words
from marketplace.web.formats import listed, money, number
from marketplace.web.parts import Pill
from marketplace.web.people import by_language


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
    """One difference. `ended` says how it was closed."""

    id: str
    row: DifferenceRow
    ours: Side
    theirs: Side
    effect: str
    lines: tuple[CaseLine, ...]
    commands: tuple[str, ...]
    asking: bool
    repairs: tuple[RepairChoice, ...]
    ended: str = ""
    note: str = ""
    closed_at: datetime | None = None
    booking_url: str = ""


def choices(
    counts: Counts, wanted: Filter
) -> tuple[tuple[FilterLink, ...], tuple[FilterLink, ...], tuple[FilterLink, ...]]:
    """The three rows of filters: open or closed, kinds, providers."""

    def url(**changes: Any) -> str:
        values = {"closed": "1" if wanted.closed else None, "kind": wanted.kind, "provider": wanted.provider}
        values |= changes
        return url_for("console.differences", **{name: value for name, value in values.items() if value})

    states = (
        FilterLink(_("To settle"), url(closed=None), counts.open, not wanted.closed),
        FilterLink(_("Closed"), url(closed="1"), counts.closed, wanted.closed),
    )
    kinds = [FilterLink(_("All kinds"), url(kind=None), None, not wanted.kind)]
    kinds += [
        FilterLink(kind_words(kind)[0], url(kind=kind), how_many, kind == wanted.kind)
        for kind, how_many in counts.kinds.items()
    ]
    providers = [FilterLink(_("All providers"), url(provider=None), None, not wanted.provider)]
    providers += [
        FilterLink(by_language(name["zh"], name["en"]), url(provider=code), how_many, code == wanted.provider)
        for code, (name, how_many) in counts.providers.items()
    ]
    return states, tuple(kinds), tuple(providers)


def case(view: CaseView) -> CasePage:
    """The page of one difference."""
    it = view.difference
    return CasePage(
        id=it.id,
        row=difference(it),
        ours=_ours(view),
        theirs=_theirs(view),
        effect=effect(it.units, it.money_minor, it.currency),
        lines=tuple(map(_line, view.lines)),
        commands=tuple(_command(command, state) for command, state in view.commands),
        asking=view.asking,
        repairs=tuple(repair(it.id, action) for action in view.actions),
        ended=_resolution(it.resolution) if it.closed_at else "",
        note=view.note,
        closed_at=it.closed_at,
        booking_url=url_for("console.booking", booking=view.ours.id) if view.ours else "",
    )


def effect(units: int, minor: int, currency: str) -> str:
    """What the provider's books bind beyond ours."""
    if not units and not minor:
        return _("No effect on quota or money is known.")
    parts = [_("quota %(units)s", units=_signed(units))] if units else []
    if minor:
        parts.append(_("money %(amount)s", amount=_signed_money(minor, currency)))
    return _("Theirs less ours: %(parts)s", parts=listed(parts))


def _signed(value: int) -> str:
    return ("+" if value > 0 else "−" if value < 0 else "") + number(abs(value))


def _signed_money(minor: int, currency: str) -> str:
    return ("+" if minor > 0 else "−" if minor < 0 else "") + money(abs(minor), currency)


def _time(day: str | date | None, starts_at: str | datetime | None, zone: str) -> str:
    if starts_at:
        at = datetime.fromisoformat(starts_at) if isinstance(starts_at, str) else starts_at
        return formats.moment(at, zone)
    if not day:
        return ""
    return formats.full_date(date.fromisoformat(day) if isinstance(day, str) else day)


def _ours(view: CaseView) -> Side:
    it = view.ours
    if it is None:
        return Side(_("Our books"), (), _("Nobody of ours made this booking."))
    facts = [
        (_("State"), booking_words.pill(it.state).text),
        (_("When"), _time(it.service_date, it.starts_at, it.time_zone)),
        (_("Package"), by_language(it.offer["zh"], it.offer["en"])),
        (_("Price"), money(it.price_minor, it.currency)),
    ]
    facts += [(_("Their number"), f"{reference} · {_role(role)}") for reference, role in it.references.items()]
    return Side(_("Our books"), tuple((name, text) for name, text in facts if text))


def _theirs(view: CaseView) -> Side:
    facts = view.facts
    status = facts.get("theirs") or facts.get("status")
    if not status and view.difference.kind == "ours_only":
        return Side(_("The provider"), (), _("The provider has nothing under our number or theirs."))
    zone = view.ours.time_zone if view.ours else "Asia/Shanghai"
    told = [
        (_("State"), _status(str(status)) if status else ""),
        (_("When"), _time(facts.get("service_date"), facts.get("starts_at"), zone)),
        (_("Their number"), str(facts.get("reference") or "")),
        (_("Our number there"), str(facts.get("our_reference") or "")),
        (_("Their version"), str(facts.get("version") or "")),
        (_("Reason they gave"), str(facts.get("code") or "")),
    ]
    known = tuple((name, text) for name, text in told if text)
    return Side(_("The provider"), known, "" if known else _("Nothing more is known of their side."))


def _status(status: str) -> str:
    if status == "requested":
        return _("Requested, not decided")
    known = booking_words.known(status)
    return booking_words.pill(status).text if known else status


def _role(role: str) -> str:
    words = {
        "current": _("in use"),
        "pending": _("asked for"),
        "superseded": _("replaced"),
        "stray": _("surplus"),
    }
    return words.get(role, role)


def _command(command: str, state: str) -> str:
    commands = {"reserve": _("Book"), "cancel": _("Cancel"), "change": _("Move")}
    states = {
        "queued": _("waits to be sent"),
        "in_flight": _("is being sent"),
        "unknown": _("was sent, the answer is unknown"),
        "parked": _("is put aside"),
    }
    return f"{commands.get(command, command)}: {states.get(state, state)}"


def _line(line: Line) -> CaseLine:
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


def _resolution(code: str) -> str:
    words = {
        "agrees_again": _("Both sides agree again."),
        "followed_provider": _("Repaired by itself: our books followed the provider's."),
        "cancelled_there": _("It was cancelled there."),
        "cancelled_here": _("It was cancelled here and the benefit given back."),
        "cancelled_again": _("The cancel was sent again."),
        "took_their_time": _("The provider's time was taken over."),
        "explained": _("Closed with a note."),
        "booking_ended": _("The booking has ended."),
        "told_again": _("The provider has corrected it."),
        "old_date_served": _("The old date was served, so the booking went back to it."),
    }
    return words.get(code, code.replace("_", " "))


def repair_words(action: str) -> tuple[str, str]:
    """A repair's name and what it does."""
    words = {
        "look_up": (
            _("Ask the provider again"),
            _("The worker asks within seconds. If both sides agree, the difference closes by itself."),
        ),
        "send_again": (
            _("Send the booking again"),
            _("A new booking is asked of the provider for the same person and time. The customer's date stands."),
        ),
        "take_their_time": (
            _("Take over the provider's time"),
            _("The booking moves to the provider's time in our books, and the customer is told."),
        ),
        "cancel_there": (
            _("Cancel there"),
            _("The provider is asked to cancel what is surplus. Our booking stays as it is."),
        ),
        "cancel_here": (
            _("Cancel here and give the benefit back"),
            _("The booking ends, the benefit goes back and the customer is told. The provider is asked if it has it."),
        ),
        "note": (
            _("Close with a note"),
            _("Nothing is changed. The same difference is not raised again until something about it changes."),
        ),
    }
    return words.get(action, (action, ""))


def repair(case_id: str, action: Action | str) -> RepairChoice:
    """A repair as a button."""
    label, does = repair_words(action)
    address = url_for("console.repair", case=case_id, action=action)
    return RepairChoice(action, label, does, address, strong=action in ("cancel_here", "cancel_there"))


# --- runs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunRow:
    """A comparison in the list."""

    provider: str
    pill: Pill
    at: datetime
    took: float | None
    by: str
    what: str
    case_url: str = ""


def run(it: RunView) -> RunRow:
    """A line of the list."""
    pills = {
        "queued": Pill(_("Waiting"), "wait", icon="hourglass"),
        "running": Pill(_("Under way"), "wait", icon="refresh-cw"),
        "done": Pill(_("Done"), "ok", icon="check"),
        "failed": Pill(_("Failed"), "bad", icon="circle-alert"),
    }
    took = (it.finished_at - it.started_at).total_seconds() if it.finished_at and it.started_at else None
    by = _("The clock") if it.by_clock else it.by or _("Command line")
    what = _counted(it.counts) if it.state == "done" else _failure(it.reason) if it.state == "failed" else ""
    return RunRow(
        by_language(it.provider_name["zh"], it.provider_name["en"]),
        pills[it.state],
        it.started_at or it.asked_at,
        took,
        by,
        what,
        url_for("console.case", case=it.case) if it.case else "",
    )


def _counted(counts: Mapping[str, int]) -> str:
    words = {
        "listed": _("%(n)s listed", n=number(counts.get("listed", 0))),
        "found": _("%(n)s suspected", n=number(counts.get("found", 0))),
        "repaired": _("%(n)s repaired", n=number(counts.get("repaired", 0))),
        "opened": _("%(n)s new cases", n=number(counts.get("opened", 0))),
        "standing": _("%(n)s still open", n=number(counts.get("standing", 0))),
        "busy": _("%(n)s under way", n=number(counts.get("busy", 0))),
        "unsettled": _("%(n)s too fresh", n=number(counts.get("unsettled", 0))),
        "unverified": _("%(n)s not answered", n=number(counts.get("unverified", 0))),
    }
    always = ("listed", "found")
    return listed(text for name, text in words.items() if name in always or counts.get(name)) if counts else ""


def _failure(reason: str) -> str:
    if reason == "stopped":
        return _("The process was stopped. The next run goes on.")
    return _("Their list could not be read; nothing was judged. %(reason)s", reason=reason)


# --- closing statements ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StatementLineRow:
    """A statement in the list."""

    url: str
    day: date
    provider: str
    delivered: str
    units: int
    balance: Pill
    open: int


@dataclass(frozen=True)
class StatementPage:
    """A statement. `states` are (state, ours, theirs); `theirs` None where the provider could not be read."""

    row: StatementLineRow
    zone: str
    made_at: datetime
    read_at: datetime | None
    states: tuple[tuple[str, int, int | None], ...]
    ours_money: str
    theirs_money: str | None
    unmatched: int
    open_effect: str
    lines: tuple[Any, ...]
    total: int
    money: str
    corrected: str
    corrected_units: int
    csv_url: str


def statement_row(it: StatementRow) -> StatementLineRow:
    """A line of the list."""
    content = it.content
    return StatementLineRow(
        url_for("console.statement", statement=it.id),
        it.day,
        by_language(it.provider_name["zh"], it.provider_name["en"]),
        sums(content.get("ours", {}).get("money", {})),
        content.get("ours", {}).get("units", 0),
        _balance(content.get("balance")),
        content.get("open", {}).get("count", 0),
    )


def sums(by_currency: Mapping[str, int], signed: bool = False) -> str:
    """Money by currency in one text."""
    show = _signed_money if signed else money
    return " + ".join(show(minor, currency) for currency, minor in sorted(by_currency.items())) or money(0)


def _balance(balance: Mapping[str, int] | None) -> Pill:
    if balance is None:
        return Pill(_("Their side was not read"), "wait", icon="info")
    if any(balance.values()):
        off = {currency: minor for currency, minor in balance.items() if minor}
        return Pill(_("Off by %(sum)s", sum=sums(off, signed=True)), "bad", icon="circle-alert")
    return Pill(_("Balanced"), "ok", icon="check")


def statement(view: StatementView) -> StatementPage:
    """The page of one statement."""
    content = view.row.content
    ours, theirs, open_ = content.get("ours", {}), content.get("theirs"), content.get("open", {})
    names = sorted({*ours.get("states", {}), *(theirs or {}).get("states", {})}, key=booking_words.order)
    states = tuple(
        (
            _status(name),
            ours.get("states", {}).get(name, 0),
            None if theirs is None else theirs.get("states", {}).get(name, 0),
        )
        for name in names
    )
    amounts = [effect(open_.get("units", 0), minor, currency) for currency, minor in open_.get("money", {}).items()]
    return StatementPage(
        row=statement_row(view.row),
        zone=view.row.time_zone,
        made_at=view.row.made_at,
        read_at=datetime.fromisoformat(theirs["read_at"]) if theirs and theirs.get("read_at") else None,
        states=states,
        ours_money=sums(ours.get("money", {})),
        theirs_money=None if theirs is None else sums(theirs.get("money", {})),
        unmatched=(theirs or {}).get("unmatched", 0),
        open_effect=" ".join(amounts),
        lines=tuple(view.lines),
        total=view.total,
        money=sums(view.money),
        corrected=sums(view.corrected, signed=True),
        corrected_units=view.corrected_units,
        csv_url=url_for("console.statement_csv", statement=view.row.id),
    )


def stated_pill(state: str) -> Pill:
    """A booking's state in a statement's line."""
    return booking_words.pill(state)


# --- closures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClosurePage:
    """A closure in words."""

    id: str
    url: str
    site: str
    city: str
    from_day: date
    to_day: date | None
    mode: str
    pill: Pill
    asked_at: datetime
    finished_at: datetime | None
    outcomes: tuple[tuple[str, int], ...]
    standing: tuple[tuple[str, Pill], ...]
    can_take_back: bool


def modes() -> tuple[tuple[str, str], ...]:
    """What may happen to bookings, code and words."""
    return (
        ("cancel", _("Cancel them and give the benefits back")),
        ("move", _("Move them to the nearest open time of the same package, cancel where there is none")),
    )


def closure(it: ClosureView) -> ClosurePage:
    """A closure."""
    pills = {
        "open": Pill(_("Under way"), "wait", icon="refresh-cw"),
        "done": Pill(_("Done"), "ok", icon="check"),
        "withdrawn": Pill(_("Taken back"), "off", icon="x"),
    }
    words = {
        "cancelled": _("Cancelled at once"),
        "asked": _("Cancel asked of the provider"),
        "moving": _("Move asked of the provider"),
        "kept": _("Left alone, had begun"),
    }
    return ClosurePage(
        id=it.id,
        url=url_for("console.closure", closure=it.id),
        site=it.site,
        city=it.city,
        from_day=it.from_day,
        to_day=it.to_day,
        mode=dict(modes())[it.mode],
        pill=pills[it.state],
        asked_at=it.asked_at,
        finished_at=it.finished_at,
        outcomes=tuple((text, it.outcomes[code]) for code, text in words.items() if code in it.outcomes),
        standing=tuple((reference, booking_words.pill(state)) for reference, state in it.standing),
        can_take_back=it.state != "withdrawn",
    )
