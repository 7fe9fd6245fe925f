"""Who waits, whom the reader has in hand and who is on shift, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flask_babel import gettext as _
from flask_babel import ngettext

from booking.consultation.at_desk.colleagues import WithColleague
from booking.consultation.at_desk.in_hand import InHand
from booking.consultation.queue import Waiting
from marketplace.catalog.kinds.online_consultation import GENERAL
from marketplace.core.text import Text, masked_name
from marketplace.web import formats
from marketplace.web.department_names import department_name
from marketplace.web.parts import Pill
from providers.staff.shifts import ShiftView

Standing = Literal["manager", "unverified", "off", "break", "on"]
"""How the reader stands to the queue: a manager looks on; a clinician is not verified, off shift, on a break or on."""


@dataclass(frozen=True)
class Line:
    """A conversation of a list. `who` is blank while it waits: before somebody has it, its language and department say
    enough. `due_at` is the pledge's end while its clock runs, `since` when the customer asked; `pill` says what else
    there is to know; `call_back_at` when the customer wants to be called back; `note` who has it, or had it."""

    id: str
    who: str
    about: str
    since: datetime | None
    due_at: datetime | None
    pill: Pill | None
    unread: str = ""
    offered_until: datetime | None = None
    call_back_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class OnShift:
    """A clinician at work: her name, what she answers, and how many of how many she has, or since when she is on a
    break. `unseen` says since when she was not seen, blank while she is; `free`: somebody may be given to her."""

    id: str
    name: str
    about: str
    load: str
    unseen: Pill | None
    free: bool


@dataclass(frozen=True)
class Queue:
    """One queue, a department in a language: how many wait and for how long the first has, and how many are there to
    take them. `short`: somebody waits and nobody is free."""

    about: str
    waiting: int
    longest: str
    there: int
    free: int
    short: bool


@dataclass(frozen=True)
class Board:
    """All of it. `standing` and `load` are the reader's own; `offered` is offered to her; `may_take`: she could accept
    one more now; `leads`: she leads the shift, and sees what `colleagues` have in hand and all `queues`."""

    standing: Standing
    load: str
    mine: tuple[Line, ...]
    offered: tuple[Line, ...]
    waiting: tuple[Line, ...]
    on_shift: tuple[OnShift, ...]
    may_take: bool
    leads: bool = False
    colleagues: tuple[Line, ...] = ()
    queues: tuple[Queue, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What is read for a board: what is hers and what waits, who is at work, and what colleagues have in hand."""

    mine: Sequence[InHand]
    queue: Sequence[Waiting]
    shifts: Sequence[ShiftView]
    theirs: Sequence[WithColleague] = ()


def board(
    standing: Standing,
    me: str,
    seen: Seen,
    names: dict[str, Text],
    now: datetime,
) -> Board:
    """The board as the member with the public id `me` sees it."""
    queue, shifts = seen.queue, seen.shifts
    own = next((each for each in shifts if each.member == me), None)
    leads = own is not None and own.lead
    return Board(
        standing,
        load(own.in_hand, own.capacity) if own else "",
        tuple(_mine(each, names) for each in seen.mine),
        tuple(_waits(each, names) for each in queue if each.offered_to == me),
        tuple(_waits(each, names) for each in queue if each.offered_to != me),
        tuple(_on_shift(each, names, now) for each in shifts),
        own is not None and standing == "on" and own.in_hand < own.capacity,
        leads,
        tuple(_theirs(each, names, now) for each in seen.theirs),
        _queues(seen, names, now) if leads or standing == "manager" else (),
    )


def load(in_hand: int, capacity: int) -> str:
    """How many of how many."""
    return _("%(num)d of %(most)d in hand", num=in_hand, most=capacity)


def language_name(code: str) -> str:
    """Chinese or English."""
    return _("Chinese") if code == "zh" else _("English")


def _about(department: str, language: str, names: dict[str, Text]) -> str:
    return formats.dotted((department_name(department, names), language_name(language)))


def _mine(it: InHand, names: dict[str, Text]) -> Line:
    return Line(
        it.conversation,
        masked_name(it.name),
        _about(it.department, it.language, names),
        it.last_at or it.first_message_at,
        it.due_at if not it.answered and it.pledge in ("pending", "at_risk") else None,
        _pill(it.flagged, it.pledge if not it.answered else None),
        ngettext("%(num)d new", "%(num)d new", it.unread) if it.unread else "",
    )


def _waits(it: Waiting, names: dict[str, Text]) -> Line:
    return Line(
        it.conversation,
        "",
        _about(it.department, it.language, names),
        it.first_message_at,
        it.due_at if it.pledge in ("pending", "at_risk") else None,
        _pill(it.flagged, it.pledge, handed_back=it.handed_back, escalated=it.escalated),
        offered_until=it.offered_until,
        call_back_at=it.call_back_at,
        note=_("%(name)s was not seen any more", name=it.absent) if it.absent else "",
    )


def _theirs(it: WithColleague, names: dict[str, Text], now: datetime) -> Line:
    """Of a colleague's: how long the patient has waited for her, by the minute."""
    waits = _("waits for %(time)s", time=formats.span(_minutes(now, it.waits_since))) if it.waits_since else ""
    return Line(
        it.conversation,
        "",
        _about(it.department, it.language, names),
        None,
        it.due_at if not it.answered and it.pledge in ("pending", "at_risk") else None,
        Pill(_("Doctor not there"), "bad", "circle-alert")
        if it.stranded and not it.flagged
        else _pill(it.flagged, it.pledge if not it.answered else None),
        note=formats.dotted((it.holder, waits or _("all is answered"))),
    )


def _minutes(now: datetime, since: datetime) -> int:
    """Whole minutes, in seconds; less than one is one: what is shown is a length, and changes once a minute."""
    return max(60, int((now - since).total_seconds()) // 60 * 60)


def _queues(seen: Seen, names: dict[str, Text], now: datetime) -> tuple[Queue, ...]:
    """Those in which somebody waits or could be taken, the ones that are short first."""
    at_work = [each for each in seen.shifts if each.state == "on" and not each.gone(now)]
    found = []
    for department in dict.fromkeys((*names, *(each.department for each in seen.queue))):
        for language in ("zh", "en"):
            asked = [it.first_message_at for it in seen.queue if (it.department, it.language) == (department, language)]
            there = [each for each in at_work if _takes(each, department, language)]
            if asked or there:
                free = sum(max(0, each.capacity - each.in_hand) for each in there)
                longest = formats.span(_minutes(now, min(asked))) if asked else ""
                about = _about(department, language, names)
                found.append(Queue(about, len(asked), longest, len(there), free, bool(asked) and not free))
    return tuple(sorted(found, key=lambda it: (not it.short, not it.waiting)))


def _takes(shift: ShiftView, department: str, language: str) -> bool:
    """As offers are made (assigning.offering.FREE): who answers general questions takes all."""
    return language in shift.languages and (department in shift.departments or GENERAL in shift.departments)


def _pill(flagged: bool, pledge: str | None, *, handed_back: bool = False, escalated: int = 0) -> Pill | None:
    """The one thing to know first."""
    if flagged:
        return Pill(_("Possible emergency"), "bad", "triangle-alert")
    if pledge == "breached":
        return Pill(_("Pledge not kept"), "bad", "circle-alert")
    if escalated > 1:
        return Pill(_("Escalated twice"), "bad", "clock")
    if escalated or pledge == "at_risk":
        return Pill(_("Escalated") if escalated else _("At risk"), "wait", "clock")
    if handed_back:
        return Pill(_("Handed back"), "wait", "refresh-cw")
    return None


def _on_shift(it: ShiftView, names: dict[str, Text], now: datetime) -> OnShift:
    departments = formats.listed(department_name(code, names) for code in it.departments)
    languages = formats.listed(language_name(code) for code in it.languages)
    return OnShift(
        it.member,
        it.shown_name,
        formats.dotted((_("Shift lead") if it.lead else "", departments, languages)),
        _("On a break since %(time)s", time=formats.time_of(it.break_since))
        if it.break_since
        else load(it.in_hand, it.capacity),
        _unseen(it, now),
        it.state == "on" and it.in_hand < it.capacity and not it.away(now),
    )


def _unseen(it: ShiftView, now: datetime) -> Pill | None:
    if it.seen_at is None or not it.away(now):
        return None
    words = _("Not seen since %(time)s", time=formats.time_of(it.seen_at))
    return Pill(words, "bad" if it.gone(now) else "wait", "clock")
