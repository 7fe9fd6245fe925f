"""A customer's links to an escort, as rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from booking.escort.following.links import MOST_LINKS, Link, MadeLink, ends_at
from booking.escort.shown.view import EscortView
from marketplace.web import formats
from marketplace.web.parts import Pill
from marketplace.web.people import named
from marketplace.web.place_words import site_of


@dataclass(frozen=True)
class About:
    """Which escort it is, in two lines."""

    person: str
    when: str


@dataclass(frozen=True)
class LinkRow:
    """A link that shows the steps. `looks`: when it was looked at, in words, the newest first."""

    id: str
    name: str = field(repr=False)
    pill: Pill
    until: str
    shows: str
    seen: str
    looks: tuple[str, ...]
    open: bool


@dataclass(frozen=True)
class Made:
    """A link just made: its address is shown this once, and until when it opens, as it is written."""

    url: str = field(repr=False)
    name: str = field(repr=False)
    until: str


def about(view: EscortView) -> About:
    """Which escort it is."""
    when = formats.appointment(view.service_date, view.starts_at, view.time_zone)
    return About(named(view.person, view.relation), formats.dotted((when, site_of(view.site))))


def row(link: Link, view: EscortView) -> LinkRow:
    """A link with what became of it."""
    pills = {
        "open": Pill(_("Open"), "ok", icon="check"),
        "expired": Pill(_("Expired"), "off", icon="clock"),
        "ended": Pill(pgettext("link", "Ended"), "off", icon="x"),
    }
    looks = len(link.looks)
    return LinkRow(
        link.id,
        link.name or _("Name deleted"),
        pills[link.state],
        _("Until %(time)s", time=formats.moment(link.expires_at, view.time_zone)),
        _("Steps, times and notes") if link.with_notes else _("Steps and times"),
        ngettext("Looked at %(num)d time", "Looked at %(num)d times", looks) if looks else _("Not looked at yet"),
        tuple(formats.moment(at, view.time_zone) for at in link.looks),
        link.state == "open",
    )


def made(new: MadeLink | None, view: EscortView, address: Callable[[str], str]) -> Made | None:
    """A new link, whose address is shown this once; None without one."""
    if new is None:
        return None
    return Made(address(new.token), new.link.name, formats.moment(new.link.expires_at, view.time_zone))


def may_make(view: EscortView, links: Sequence[Link], now: datetime) -> bool:
    """Whether another link can be made now: it takes place, is not over, and there are not too many."""
    there = view.stage != "given_up" and ends_at(view.service_date, 1, view.time_zone) > now
    return there and sum(link.state == "open" for link in links) < MOST_LINKS
