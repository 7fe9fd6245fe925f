"""The timeline of a booking: what happened, what is now, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from booking.views.cards import BookingView, Moved
from marketplace.catalog.kinds import has_times, kinds, words_of
from marketplace.web import booking_words, formats
from marketplace.web.cause_words import refusal_line
from marketplace.web.kind_words import nouns
from marketplace.web.language import by_language

AHEAD = ("awaiting_provider", "outcome_unknown", "confirmed")
_PROPOSAL = ("time_proposed", "proposal_withdrawn", "proposal_accepted", "proposal_declined", "proposal_lapsed")
_CHANGE_ENDS = ("reschedule_refused", "reschedule_withdrawn")


@dataclass(frozen=True)
class Step:
    """A line of the timeline: `done | now | next | fail`. `note` names the actor or the consequence; `aside` stands in
    place of a time."""

    kind: str
    title: str
    at: datetime | None = None
    note: str = ""
    aside: str = ""


def steps(view: BookingView, known: booking_words.Facts) -> tuple[Step, ...]:
    """What happened, what is now, what comes next."""
    done = [_done(line, view.time_zone, last=line is view.timeline[-1], known=known) for line in view.timeline]
    if known.state == "expired" and view.state == "held":
        done.append(Step("fail", _("The time was released"), view.hold_expires_at))
    now = _now(known)
    if view.change is not None and known.state == "confirmed":
        due = formats.deadline(view.change_due_at, view.time_zone) if view.change_due_at else ""
        aside = _("by %(time)s", time=due) if due else ""
        now = (Step("now", _("Waiting for %(place)s", **nouns(known.kind)), aside=aside),)
    if view.proposal is not None:
        now = (Step("now", _("Answer the proposed time"), aside=_("your turn")),)
    return (*done, *now, *_coming(known, view))


def _done(line: Moved, zone: str, *, last: bool, known: booking_words.Facts) -> Step:
    heading, note = _for_its_cause(line, zone, known)
    heading = _for_its_actor(line) or heading
    note = _with_reasons(note, line, zone, known)
    ended = last and line.state in ("rejected", "expired", "no_show", "entered_in_error")
    refused = line.state in ("reschedule_refused", "cancel_refused") and not _dropped(line)
    return Step("fail" if ended or refused else "done", heading, line.at, note)


def _in_general(line: Moved, known: booking_words.Facts) -> tuple[str, str]:
    """Heading and note of a state, whatever its cause."""
    said = nouns(known.kind)
    kind = words_of(known.kind)
    hers = line.actor == "customer"
    words = {
        "held": (_("A time was held for you"), _("One use of your benefit is reserved for it")),
        "awaiting_provider": (_("You submitted the booking") if hers else _("Asked %(place)s again", **said), ""),
        "outcome_unknown": (
            _("%(Place)s has not answered yet", **said),
            _("We are checking; time and benefit are reserved"),
        ),
        "confirmed": (by_language(kind.queued) or _("Confirmed by %(place)s", **said), ""),
        "checked_in": (_("Checked in"), ""),
        "in_service": (by_language(kind.began), ""),
        "fulfilled": (by_language(kind.done), _("One use of your benefit was spent")),
        "no_show": (_("%(Place)s says nobody came", **said), ""),
        "rejected": (_("%(Place)s can't take it", **said), _("Your benefit is back.")),
        "expired": (_("The time was released"), _("Your benefit is back")),
        "cancelled": (_("Cancelled"), _("Your benefit is back")),
        "entered_in_error": (_("Entered in error"), ""),
        "cancel_asked": (_("You asked to cancel"), ""),
        "cancel_refused": (_("%(Place)s did not agree to cancel", **said), _("Your date stays.")),
        "reschedule_asked": (_("You asked for another date"), ""),
        "reschedule_refused": (_("The other date was not possible"), _("Your date stays.")),
        "reschedule_withdrawn": (_("You took the change of date back"), _("Your date stays.")),
        "dispute_asked": (_("You said that you were there"), _("We ask %(place)s", **said)),
        "dispute_rejected": (_("We looked into it"), _("The record is unchanged")),
    }
    return words.get(line.state, (line.state, ""))


def _for_its_cause(line: Moved, zone: str, known: booking_words.Facts) -> tuple[str, str]:
    """Heading and note, as the cause changes them."""
    heading, note = _in_general(line, known)
    if line.cause in _PROPOSAL and line.state in (*AHEAD, "cancel_asked", "reschedule_asked"):
        return _proposal_step(line, known)
    if line.cause == "rescheduled":
        return _("The date was changed"), _from_to(line, zone)
    if line.cause == "old_date_served":
        return _("You came on the old date, so it stays"), _from_to(line, zone)
    if line.state == "cancelled" and line.cause == "not_answered_in_time":
        return _("No answer came in time"), note
    if line.state == "cancelled" and line.cause == "nobody_came":
        return _("Nobody came"), note
    if line.state == "fulfilled" and line.cause == "confirmed_by_silence":
        return heading, formats.sentences(_("Nothing was said against it, so it counts as done."), note)
    if _dropped(line):
        return _("The change of date was dropped"), ""
    if line.state == "reschedule_withdrawn" and line.cause == "not_answered_in_time":
        return _("%(Place)s did not answer about the other date in time", **nouns(known.kind)), note
    if line.state in ("checked_in", "fulfilled") and line.cause == "dispute_accepted":
        return heading, _("We looked into it: you were there")
    return heading, note


def _for_its_actor(line: Moved) -> str:
    """The heading where who acted changes it, else blank."""
    match line.state, line.actor:
        case "cancelled", "operator":
            return _("Our service desk cancelled")
        case "cancel_asked", "operator":
            return _("Our service desk asked to cancel")
        case "cancelled", "agent":
            return _("You cancelled by phone")
        case "cancel_asked", "agent":
            return _("You asked to cancel by phone")
        case "cancel_asked", "clock":
            return _("No answer in time; we asked to cancel")
        case "no_show", "clock":
            return _("No visit was recorded")
        case "reschedule_asked", actor if actor not in ("customer", "agent", "provider"):
            return _("Another date was asked for")
    return ""


def _with_reasons(note: str, line: Moved, zone: str, known: booking_words.Facts) -> str:
    """The note with what belongs to this line alone: the dates, or why a provider said no."""
    if line.state == "reschedule_asked":
        return formats.sentences(_from_to(line, zone), _("The old one stays until it is agreed."))
    if line.state in ("reschedule_refused", "cancel_refused", "rejected") and not _dropped(line):
        return formats.sentences(refusal_line(line.cause), note)
    if line.state == "cancelled" and known.quota_used:
        return ""
    return note


def _dropped(line: Moved) -> bool:
    """Whether a change of date ended only because the booking did, or had moved on."""
    return line.state in _CHANGE_ENDS and line.cause in ("cancelled", "overtaken")


def _from_to(line: Moved, zone: str) -> str:
    return formats.moved(line.before_date, line.before_starts_at, line.service_date, line.starts_at, zone)


def _proposal_step(line: Moved, known: booking_words.Facts) -> tuple[str, str]:
    said = nouns(known.kind)
    if line.state == "cancel_asked":
        return _("%(Place)s is notified that the booking is off", **said), ""
    words = {
        "time_proposed": (_("%(Place)s proposed another time", **said), ""),
        "proposal_withdrawn": (_("%(Place)s took its proposal back", **said), ""),
        "proposal_accepted": (
            _("You accepted the proposed time"),
            _("%(Place)s is asked to move the booking", **said),
        ),
        "proposal_declined": (_("You declined the proposed time"), ""),
        "proposal_lapsed": (_("The proposed time was not answered"), ""),
    }
    heading, note = words[line.cause]
    if line.state == "confirmed" and line.cause in ("proposal_declined", "proposal_lapsed"):
        note = _("Your date stays")
    return heading, note


def _now(known: booking_words.Facts) -> tuple[Step, ...]:
    said = nouns(known.kind)
    if known.state == "held":
        return (Step("now", _("Waiting for you to confirm"), aside=_("your turn")),)
    if known.state in AHEAD and not has_times(known.kind):
        return (Step("now", _("Waiting for %(place)s", **said)),)
    if known.state in ("awaiting_provider", "outcome_unknown"):
        aside = formats.deadline(known.answer_by) if known.answer_by else ""
        return (
            Step(
                "now",
                _("Waiting for %(place)s", **said),
                aside=_("by %(time)s", time=aside) if aside else "",
            ),
        )
    if known.state == "confirmed":
        return (Step("now", _("Prepare"), note=_("The hints are below"), aside=_("your turn")),)
    if known.state in ("checked_in", "in_service"):
        return (
            Step(
                "now",
                booking_words.pill(known.state, known.kind).text,
                aside=_("%(place)s's turn", **said),
            ),
        )
    if known.state == "fulfilled" and known.report in ("ready", "corrected"):
        return (Step("done", _("The report is here")),)
    if known.state == "fulfilled" and known.report != "none":
        return (
            Step(
                "now",
                _("%(Place)s is writing the report", **said),
                aside=_("%(place)s's turn", **said),
            ),
        )
    return ()


def _coming(known: booking_words.Facts, view: BookingView) -> tuple[Step, ...]:
    minutes = view.package.get("duration_minutes")
    lasts = _("about %(span)s", span=formats.span(minutes * 60)) if minutes else ""
    there = formats.day(view.service_date) if has_times(known.kind) else ""
    if view.starts_at:
        there = formats.moment(view.starts_at, view.time_zone)
    words, declared = words_of(known.kind), kinds().get(known.kind)
    reported = declared is None or declared.traits.report
    report = Step("next", _("Report arrives"), aside=_("from %(place)s", **nouns(known.kind)))
    visit = (
        Step("next", by_language(words.check_in), aside=there),
        Step("next", by_language(words.done), aside=lasts),
    )
    if known.state in ("held", *AHEAD):
        return (*visit, report) if reported else visit
    return (report,) if reported and known.state in ("checked_in", "in_service") else ()
