"""What the pages of rehearsals are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from booking.faults.kinds import Kind
from booking.rehearsals.view import BookingView, OfferView, RehearsalView
from marketplace.rehearsal_words import FAULTS, OUTCOMES, explained, told
from marketplace.web.formats import listed
from marketplace.web.language import by_language
from marketplace.web.parts import Pill


@dataclass(frozen=True)
class FaultRow:
    """A kind of fault to be ticked, in words."""

    code: str
    name: str
    we: str
    right: str
    judged: str


@dataclass(frozen=True)
class Line:
    """A line of a timeline, so many seconds `after` the first. `by`: us, partner or customer."""

    after: int
    by: str
    text: str


@dataclass(frozen=True)
class BookingRow:
    """A test booking: which fault, what it was judged, and what happened."""

    number: int
    fault: FaultRow
    booking: str
    pill: Pill
    why: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class RehearsalRow:
    """A rehearsal in the list, and the head of its page. `open`: it goes on."""

    id: str
    seed: int
    asked_at: datetime
    faults: str
    pill: Pill
    summary: str
    open: bool


@dataclass(frozen=True)
class RehearsalPage:
    """A rehearsal with its test bookings."""

    head: RehearsalRow
    bookings: Sequence[BookingRow]


def faults() -> list[FaultRow]:
    """All kinds, in the order of their list."""
    return [_fault(kind) for kind in Kind]


def offers(known: Sequence[OfferView]) -> list[tuple[str, str]]:
    """The offers as choices."""
    return [(each.id, by_language(each.name)) for each in known]


def row(it: RehearsalView) -> RehearsalRow:
    """A line of the list."""
    names = listed(str(FAULTS[Kind(each)].name) for each in it.faults)
    return RehearsalRow(it.id, it.seed, it.asked_at, names, _pill(it), _summary(it), it.finished_at is None)


def rehearsal(it: RehearsalView) -> RehearsalPage:
    """Its page."""
    return RehearsalPage(row(it), tuple(_booking(each) for each in it.results))


def _fault(kind: Kind) -> FaultRow:
    words = FAULTS[kind]
    return FaultRow(kind.value, str(words.name), str(words.we), str(words.right), str(words.judged))


def _booking(it: BookingView) -> BookingRow:
    begins = it.steps[0].at if it.steps else None
    lines = tuple(
        Line(round((step.at - (begins or step.at)).total_seconds()), step.by, told(step)) for step in it.steps
    )
    return BookingRow(
        it.number, _fault(Kind(it.fault)), it.booking_id or "", _judged(it.state), explained(it.reason), lines
    )


def _judged(state: str) -> Pill:
    return {
        "waiting": Pill(_("Waits"), "off", "clock"),
        "running": Pill(_("Under way"), "wait", "hourglass"),
        "right": Pill(_("Right"), "ok", "check"),
        "wrong": Pill(_("Wrong"), "bad", "x"),
        "not_tried": Pill(_("Not tried"), "off", "info"),
    }[state]


def _pill(it: RehearsalView) -> Pill:
    if it.state == "queued":
        return Pill(_("Queued"), "wait", "clock")
    if it.state == "running":
        return Pill(_("Under way"), "wait", "hourglass")
    if it.outcome == "incomplete":
        return Pill(_("Incomplete: %(num)s not tried", num=it.missed or it.not_tried), "wait", "triangle-alert")
    look = {"passed": ("ok", "check"), "failed": ("bad", "triangle-alert"), "stopped": ("off", "x")}
    outcome = it.outcome or "stopped"
    return Pill(str(OUTCOMES[outcome]), *look[outcome])


def _summary(it: RehearsalView) -> str:
    bookings = ngettext("%(num)s test booking", "%(num)s test bookings", it.bookings)
    return _(
        "%(bookings)s: %(right)s right, %(wrong)s wrong, %(not_tried)s not tried",
        bookings=bookings,
        right=it.right,
        wrong=it.wrong,
        not_tried=it.not_tried,
    )
