"""What a booking's page says of changing and cancelling: the rules, and what a cancel costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from booking.views.cards import BookingView
from marketplace.catalog.kinds import has_times
from marketplace.web import formats
from marketplace.web.kind_words import nouns


@dataclass(frozen=True)
class Rule:
    """A line of change and cancellation rules; `strong` is appended in bold."""

    icon: str
    text: str
    tone: str = "plain"
    strong: str = ""


@dataclass(frozen=True)
class Cancel:
    """What the sheet says before the tap. `allowed` False: `text` says why and what is left to do."""

    booking: str
    title: str
    text: str
    confirm: str
    allowed: bool = True
    idempotency_key: str = ""


def rules(view: BookingView, now: datetime) -> tuple[Rule, ...]:
    """Until when cancelling is free, and what follows afterwards."""
    if not has_times(view.kind):
        free = _("Free until %(place)s answers; your benefit comes back in full.", **nouns(view.kind))
        return (Rule(icon="check", text=free, tone="ok"),)
    until = _on(view.cancel_until, view)
    missed = _("Not coming counts as one use.") if view.no_show_uses else _("Not coming gives the benefit back.")
    after = Rule(icon="clock", text=formats.sentences(_("After that it can't be cancelled online."), missed))
    if view.cancel_closed == "too_late":
        closed = _("Online cancellation closed on %(time)s. You can still call us.", time=until)
        return (*_change_rules(view), Rule(icon="clock", text=formats.sentences(closed, missed)))
    left = formats.span((view.cancel_until - now).total_seconds() // 60 * 60)
    free = _("Free until %(time)s; your benefit comes back in full.", time=until)
    return (
        Rule(icon="check", text=free, tone="ok", strong=_("%(span)s left.", span=left)),
        after,
        *_change_rules(view),
    )


def _change_rules(view: BookingView) -> tuple[Rule, ...]:
    """Until when and how often another date can be asked for."""
    if view.state != "confirmed":
        return ()
    if view.change_closed == "too_late":
        closed = _("Changing the date online closed on %(time)s.", time=_on(view.change_until, view))
        return (Rule(icon="calendar-days", text=closed),)
    if view.change_closed == "none_left":
        return (Rule(icon="calendar-days", text=_("This booking can't be changed again.")),)
    times = ngettext("%(num)d change left.", "%(num)d changes left.", view.changes_left)
    until = _("The date can be changed until %(time)s.", time=_on(view.change_until, view))
    return (Rule(icon="calendar-days", text=until, strong=times),)


def _on(moment: datetime, view: BookingView) -> str:
    return formats.moment(moment, view.time_zone)


def cancel(view: BookingView) -> Cancel:
    """The sheet: the consequence first. Not allowed: why, and what is left to do."""
    asked = _("Cancel the booking on %(day)s?", day=formats.date_of(view.service_date))
    if not view.can_cancel:
        return Cancel(view.id, _("This can't be cancelled online"), _why_not(view), "", allowed=False)
    if view.state == "held":
        text = _("The time is given back at once. Your benefit was not spent and is back in full.")
        return Cancel(view.id, asked, text, _("Give this time back"))
    if not has_times(view.kind):
        text = _("It ends at once, and one use of your benefit comes back.")
        return Cancel(view.id, _("Cancel this booking?"), text, _("Cancel and get it back"))
    until = _on(view.cancel_until, view)
    free = _("Cancelling is free until %(time)s. One use of your benefit comes back.", time=until)
    if not view.ends_at_once and view.state != "awaiting_provider":
        until_then = _("%(Place)s has to agree; until then the date stays.", **nouns(view.kind))
        free = formats.sentences(free, until_then)
    return Cancel(view.id, asked, free, _("Cancel and get it back"))


def _why_not(view: BookingView) -> str:
    if view.change == "cancel":
        return _("You have asked for it already; %(place)s has to agree.", **nouns(view.kind))
    if view.cancel_closed == "begun" and not has_times(view.kind):
        return _("It was answered, so one use was taken up. A doctor closes it, or it ends by itself.")
    if view.cancel_closed == "too_late":
        until = _on(view.cancel_until, view)
        return _("Online cancellation closed on %(time)s. You can still call us.", time=until)
    return _("This booking has begun or is over.")
