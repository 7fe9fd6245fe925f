"""The words for a booking's state: pill, ticket style, who acts now. One table, so that lists, tickets and pages agree.

States are those of the booking's state machine, given by value (`held`, `awaiting_provider` …).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from booking.states import GIVEN_UP
from marketplace.web import formats
from marketplace.web.parts import Hint, Pill, Turn, When


@dataclass(frozen=True)
class Facts:
    """What the sentences need. `answer_by` is the provider's deadline (or when a person of ours will know), `by` who
    ended the booking (`customer | provider | platform`), `quota_used` whether the benefit was spent, `report` the
    report's state and `report_due` its date, `dispute` the state of a disputed no-show and `dispute_until` the end of
    the time for one (None when it is over)."""

    state: str
    when: When
    answer_by: datetime | None = None
    by: str = "customer"
    reason: str = ""
    quota_used: bool = False
    report: str = "none"
    report_due: datetime | None = None
    dispute: str = ""
    dispute_until: datetime | None = None


@dataclass(frozen=True)
class _Look:
    style: str
    tone: str
    icon: str
    label: Callable[[], str]
    gone: bool = False


_LOOKS = {
    "held": _Look("asked", "wait", icon="hourglass", label=lambda: _("Not submitted yet")),
    "awaiting_provider": _Look("asked", "wait", icon="hourglass", label=lambda: _("Waiting for the hospital")),
    "outcome_unknown": _Look("asked", "wait", icon="hourglass", label=lambda: _("Being checked")),
    "confirmed": _Look("firm", "ok", icon="check", label=lambda: _("Confirmed")),
    "checked_in": _Look("firm", "ok", icon="map-pin", label=lambda: _("Checked in")),
    "in_service": _Look("firm", "ok", icon="stethoscope", label=lambda: _("Under way")),
    "fulfilled": _Look("past", "ok", icon="check", label=lambda: _("Done")),
    "no_show": _Look("past", "off", icon="calendar-x", label=lambda: _("Not attended"), gone=True),
    "cancelled": _Look("past", "off", icon="x", label=lambda: _("Cancelled"), gone=True),
    "rejected": _Look("past", "off", icon="x", label=lambda: _("Not possible"), gone=True),
    "expired": _Look("past", "off", icon="clock", label=lambda: _("Expired"), gone=True),
    "entered_in_error": _Look("past", "off", icon="x", label=lambda: _("Entered in error"), gone=True),
}


def pill(state: str) -> Pill:
    """The state in a word."""
    look = _LOOKS[state]
    return Pill(look.label(), look.tone, look.icon)


def known(state: str) -> bool:
    """Whether there is a word for it."""
    return state in _LOOKS


def order(state: str) -> int:
    """Where a state stands in a booking's life; what is unknown comes first."""
    return list(_LOOKS).index(state) if state in _LOOKS else -1


def ticket_style(state: str) -> str:
    """`firm` when the date is the customer's, `asked` while it is not granted, `past` when it is over or gone."""
    return _LOOKS[state].style


def date_is_gone(state: str) -> bool:
    """True when the date is struck through."""
    return _LOOKS[state].gone


def final(facts: Facts) -> bool:
    """True when nothing on the page will change by itself any more."""
    return facts.state in GIVEN_UP or (facts.state == "fulfilled" and facts.report in ("none", "ready", "corrected"))


def _untouched(facts: Facts) -> str:
    return _("One use of your benefit was spent.") if facts.quota_used else _("Your benefit is back in full.")


def turn(facts: Facts) -> Turn:
    """Who acts now, until when, and what happens by itself."""
    return _TURNS[facts.state](facts)


def preparation(fasting: str) -> tuple[Hint, ...]:
    """How to prepare: `fasting` is the package's own sentence, empty when one may eat."""
    hints = (
        Hint(
            icon="utensils-crossed",
            title=fasting,
            text=_("Take your usual pills as your doctor told you."),
        ),
        Hint(icon="id-card", title=_("Bring the original ID card"), text=_("The electronic card will do as well.")),
        Hint(icon="shirt", title=_("Wear something loose"), text=_("Leave jewellery at home; it disturbs imaging.")),
    )
    return hints if fasting else hints[1:]


def live_line(facts: Facts) -> str:
    """One sentence for tickets and lists: the turn's title, short."""
    deadline = facts.answer_by
    if facts.state == "awaiting_provider" and deadline:
        return _("Waiting for the hospital, until %(time)s at the latest.", time=formats.deadline(deadline))
    if facts.state == "confirmed":
        return _("Nothing for you to do now.")
    return turn(facts).title


def _held(facts: Facts) -> Turn:
    return Turn(
        _("Your turn: confirm the booking"),
        _("The time is kept for you for a few minutes and released by itself. Nothing is spent until you confirm."),
        icon="hourglass",
    )


def _awaiting(facts: Facts) -> Turn:
    by = formats.deadline(facts.answer_by) if facts.answer_by else ""
    text = (
        _("The hospital answers by %(time)s at the latest. Nothing for you to do; you may leave this page.", time=by)
        if by
        else _("Nothing for you to do; you may leave this page.")
    )
    return Turn(_("The hospital's turn"), text, icon="hourglass")


def _unknown(facts: Facts) -> Turn:
    text = _(
        "The hospital's system has not answered in time. Your time and your benefit are kept, so don't book again."
    )
    if facts.answer_by:
        text = formats.sentences(text, _("One of us will know by %(time)s.", time=formats.deadline(facts.answer_by)))
    return Turn(_("We are checking with the hospital"), text, icon="hourglass")


def _confirmed(facts: Facts) -> Turn:
    when, zone = facts.when, facts.when.zone
    if when.starts_at:
        told = _(
            "Confirmed by the hospital: %(day)s, %(time)s.",
            day=formats.date_of(when.day),
            time=formats.time_of(when.starts_at, zone),
        )
    else:
        told = _("Confirmed by the hospital: %(day)s.", day=formats.day(when.day))
    return Turn(told, _("Bring the ID card of the person who is checked."), icon="calendar-check", tone="ok")


def _checked_in(facts: Facts) -> Turn:
    return Turn(_("Checked in"), _("The hospital's staff will call you."), icon="map-pin", tone="ok")


def _in_service(facts: Facts) -> Turn:
    return Turn(_("The check is under way"), _("Follow the staff from room to room."), icon="stethoscope", tone="ok")


def _fulfilled(facts: Facts) -> Turn:
    if facts.report in ("ready", "corrected"):
        return Turn(_("The report is here"), _("What needs a look comes first."), icon="file-heart", tone="ok")
    if facts.report == "overdue":
        text = (
            _("It was due by %(date)s. We are pressing the hospital for it.", date=formats.date_of(facts.report_due))
            if facts.report_due
            else ""
        )
        return Turn(_("The report is late"), text, icon="clock", tone="bad")
    if facts.report in ("expected", "partial"):
        text = (
            _("It arrives here by itself, by %(date)s.", date=formats.date_of(facts.report_due))
            if facts.report_due
            else _("It arrives here by itself.")
        )
        return Turn(_("The hospital is writing the report"), text, icon="file-heart", tone="calm")
    return Turn(_("Done"), _("Thank you for coming."), icon="check", tone="ok")


def _no_show(facts: Facts) -> Turn:
    title = _("The hospital says nobody came") if facts.by == "provider" else _("No visit was recorded")
    following = _("If that is wrong, call us and we take it up with the hospital.")
    if facts.dispute == "open":
        title = _("We are looking into it")
        following = _("You say that you were there. We ask the hospital and tell you here.")
    elif facts.dispute == "rejected":
        following = _("We have looked into it; it stands as it is.")
    elif facts.dispute_until:
        until = formats.date_of(facts.dispute_until, facts.when.zone)
        following = _("If that is wrong, tell us by %(date)s.", date=until)
    return Turn(title, formats.sentences(_untouched(facts), following), icon="calendar-x", tone="calm")


def _cancelled(facts: Facts) -> Turn:
    titles = {
        "customer": _("You cancelled this booking"),
        "provider": _("The hospital cancelled this booking"),
        "platform": _("We cancelled this booking"),
    }
    return Turn(titles[facts.by], _untouched(facts), icon="x", tone="calm")


def _rejected(facts: Facts) -> Turn:
    return Turn(
        _("The hospital can't take this booking"),
        formats.sentences(facts.reason, _untouched(facts)),
        icon="calendar-x",
        tone="bad",
    )


def _expired(facts: Facts) -> Turn:
    return Turn(
        _("The time was released"),
        _("It was not confirmed in time. Your benefit is back in full."),
        icon="clock",
        tone="calm",
    )


def _in_error(facts: Facts) -> Turn:
    return Turn(_("This booking was entered in error"), _untouched(facts), icon="x", tone="calm")


_TURNS: dict[str, Callable[[Facts], Turn]] = {
    "held": _held,
    "awaiting_provider": _awaiting,
    "outcome_unknown": _unknown,
    "confirmed": _confirmed,
    "checked_in": _checked_in,
    "in_service": _in_service,
    "fulfilled": _fulfilled,
    "no_show": _no_show,
    "cancelled": _cancelled,
    "rejected": _rejected,
    "expired": _expired,
    "entered_in_error": _in_error,
}
