"""The words for a booking's state: pill, ticket style, who acts now. One table, so that lists, tickets and pages agree.

States are those of the booking's state machine, given by value (`held`, `awaiting_provider` …).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from booking.states import GIVEN_UP
from marketplace.catalog.benefit_kind import Words
from marketplace.catalog.kinds import has_times, words_of
from marketplace.web import formats
from marketplace.web.kind_words import nouns
from marketplace.web.language import by_language
from marketplace.web.parts import Hint, Pill, Turn, When


@dataclass(frozen=True)
class Facts:
    """What the sentences need. `kind` is the benefit's code, `answer_by` the provider's deadline (or when a person of
    ours will know), `by` who ended the booking (`customer | provider | platform`), `quota_used` whether the benefit was
    spent, `report` the report's state and `report_due` its date, `dispute` the state of a disputed no-show and
    `dispute_until` the end of the time for one (None when it is over)."""

    state: str
    when: When
    kind: str = ""
    answer_by: datetime | None = None
    by: str = "customer"
    reason: str = ""
    quota_used: bool = False
    report: str = "none"
    report_due: datetime | None = None
    dispute: str = ""
    dispute_until: datetime | None = None


def _waiting_for(words: Words) -> str:
    return _("Waiting for %(place)s", place=by_language(words.place))


def _firm(words: Words) -> str:
    return by_language(words.queued) or _("Confirmed")


@dataclass(frozen=True)
class _Look:
    style: str
    tone: str
    icon: str
    label: Callable[[Words], str]
    gone: bool = False


_LOOKS = {
    "held": _Look("asked", "wait", icon="hourglass", label=lambda _words: _("Not submitted yet")),
    "awaiting_provider": _Look(
        "asked",
        "wait",
        icon="hourglass",
        label=_waiting_for,
    ),
    "outcome_unknown": _Look("asked", "wait", icon="hourglass", label=lambda _words: _("Being checked")),
    "confirmed": _Look("firm", "ok", icon="check", label=_firm),
    "checked_in": _Look("firm", "ok", icon="map-pin", label=lambda _words: _("Checked in")),
    "in_service": _Look("firm", "ok", icon="", label=lambda _words: _("Under way")),
    "fulfilled": _Look("past", "ok", icon="check", label=lambda _words: _("Done")),
    "no_show": _Look("past", "off", icon="calendar-x", label=lambda words: by_language(words.not_attended), gone=True),
    "cancelled": _Look("past", "off", icon="x", label=lambda _words: _("Cancelled"), gone=True),
    "rejected": _Look("past", "off", icon="x", label=lambda _words: _("Not possible"), gone=True),
    "expired": _Look("past", "off", icon="clock", label=lambda _words: _("Expired"), gone=True),
    "entered_in_error": _Look("past", "off", icon="x", label=lambda _words: _("Entered in error"), gone=True),
}


def pill(state: str, kind: str = "") -> Pill:
    """The state in a word, as the kind of benefit calls it; in general without one."""
    look, words = _LOOKS[state], words_of(kind)
    return Pill(look.label(words), look.tone, look.icon or words.service_icon)


def known(state: str) -> bool:
    """Whether there is a word for it."""
    return state in _LOOKS


def provider_word(status: str) -> str:
    """A status as a provider's system states it: in our word where it has one, else as it came."""
    if status == "requested":
        return _("Requested, not decided")
    return pill(status).text if known(status) else status


def order(state: str) -> int:
    """The place of a state in a booking's life; what is unknown comes first."""
    return list(_LOOKS).index(state) if state in _LOOKS else -1


def ticket_style(state: str, kind: str = "") -> str:
    """`firm` when the date is the customer's, `asked` while it is not granted, `past` when it is over or gone. Of what
    has no time nothing is granted before its first answer."""
    return "asked" if state == "confirmed" and not has_times(kind) else _LOOKS[state].style


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


def preparation(kind: str, fasting: str) -> tuple[Hint, ...]:
    """How to prepare: `fasting` is the package's own sentence, empty when one may eat."""
    words = words_of(kind)
    advice = tuple(Hint(it.icon, by_language(it.title), by_language(it.text)) for it in words.advice)
    return (Hint("utensils-crossed", fasting, by_language(words.fasting)), *advice) if fasting else advice


def live_line(facts: Facts) -> str:
    """One sentence for tickets and lists: the turn's title, short."""
    said = nouns(facts.kind)
    deadline = facts.answer_by if has_times(facts.kind) else None
    if facts.state == "awaiting_provider" and deadline:
        return _("Waiting for %(place)s, until %(time)s at the latest.", time=formats.deadline(deadline), **said)
    if facts.state == "confirmed" and has_times(facts.kind):
        return _("Nothing for you to do now.")
    return turn(facts).title


def _held(facts: Facts) -> Turn:
    return Turn(
        _("Your turn: confirm the booking"),
        _("The time is held for you for a few minutes and released by itself. Nothing is spent until you confirm."),
        icon="hourglass",
    )


def _queued(facts: Facts) -> Turn:
    text = _("The answer comes here by itself; you may leave this page.")
    return Turn(_("Waiting for %(place)s", **nouns(facts.kind)), text, icon="hourglass")


def _awaiting(facts: Facts) -> Turn:
    if not has_times(facts.kind):
        return _queued(facts)
    said = nouns(facts.kind)
    by = formats.deadline(facts.answer_by) if facts.answer_by else ""
    text = (
        _(
            "%(Place)s answers by %(time)s at the latest. Nothing for you to do; you may leave this page.",
            time=by,
            **said,
        )
        if by
        else _("Nothing for you to do; you may leave this page.")
    )
    return Turn(_("%(Place)s's turn", **said), text, icon="hourglass")


def _unknown(facts: Facts) -> Turn:
    said = nouns(facts.kind)
    text = _(
        "%(Place)s's system has not answered in time. Your time and your benefit are reserved, so don't book again.",
        **said,
    )
    if facts.answer_by:
        text = formats.sentences(text, _("One of us will know by %(time)s.", time=formats.deadline(facts.answer_by)))
    return Turn(_("We are checking with %(place)s", **said), text, icon="hourglass")


def _confirmed(facts: Facts) -> Turn:
    if not has_times(facts.kind):
        return _queued(facts)
    said = nouns(facts.kind)
    when, zone = facts.when, facts.when.zone
    if when.starts_at:
        title = _(
            "Confirmed by %(place)s: %(day)s, %(time)s.",
            day=formats.date_of(when.day),
            time=formats.time_of(when.starts_at, zone),
            **said,
        )
    else:
        title = _("Confirmed by %(place)s: %(day)s.", day=formats.day(when.day), **said)
    return Turn(title, by_language(words_of(facts.kind).bring), icon="calendar-check", tone="ok")


def _checked_in(facts: Facts) -> Turn:
    said = nouns(facts.kind)
    return Turn(_("Checked in"), _("%(Place)s's staff will call you.", **said), icon="map-pin", tone="ok")


def _in_service(facts: Facts) -> Turn:
    words = words_of(facts.kind)
    return Turn(by_language(words.under_way), by_language(words.guidance), icon=words.service_icon, tone="ok")


def _fulfilled(facts: Facts) -> Turn:
    said = nouns(facts.kind)
    if facts.report in ("ready", "corrected"):
        return Turn(_("The report is here"), _("What needs a look comes first."), icon="file-heart", tone="ok")
    if facts.report == "overdue":
        text = (
            _(
                "It was due by %(date)s. We are pressing %(place)s for it.",
                date=formats.date_of(facts.report_due),
                **said,
            )
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
        return Turn(_("%(Place)s is writing the report", **said), text, icon="file-heart", tone="calm")
    if not has_times(facts.kind):
        return Turn(by_language(words_of(facts.kind).done), "", icon="check", tone="ok")
    return Turn(_("Done"), _("Thank you for coming."), icon="check", tone="ok")


def _no_show(facts: Facts) -> Turn:
    said = nouns(facts.kind)
    title = _("%(Place)s says nobody came", **said) if facts.by == "provider" else _("No visit was recorded")
    following = _("If that is wrong, call us and we take it up with %(place)s.", **said)
    if facts.dispute == "open":
        title = _("We are looking into it")
        following = _("You say that you were there. We ask %(place)s and tell you here.", **said)
    elif facts.dispute == "rejected":
        following = _("We have looked into it; the record is unchanged.")
    elif facts.dispute_until:
        until = formats.date_of(facts.dispute_until, facts.when.zone)
        following = _("If that is wrong, tell us by %(date)s.", date=until)
    return Turn(title, formats.sentences(_untouched(facts), following), icon="calendar-x", tone="calm")


def _cancelled(facts: Facts) -> Turn:
    said = nouns(facts.kind)
    titles = {
        "customer": _("You cancelled this booking"),
        "provider": _("%(Place)s cancelled this booking", **said),
        "platform": _("We cancelled this booking"),
        "nobody": _("Nobody came. We are sorry."),
    }
    return Turn(titles[facts.by], _untouched(facts), icon="x", tone="calm")


def _rejected(facts: Facts) -> Turn:
    said = nouns(facts.kind)
    return Turn(
        _("%(Place)s can't take this booking", **said),
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
