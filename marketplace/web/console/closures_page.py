"""Sites that close, in words, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from booking.closures.closed_by_others import StandsThere
from booking.closures.view import ClosureView
from marketplace.web import booking_words
from marketplace.web.parts import Pill
from marketplace.web.place_words import city_name, site_name


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
    remaining: tuple[tuple[str, Pill], ...]
    can_take_back: bool


@dataclass(frozen=True)
class StandsThereRow:
    """A site that another insurer closed, where own bookings stand. `url` shows what closing it for them means."""

    url: str
    site: str
    city: str
    from_day: date
    to_day: date | None
    bookings: int


def stands_there(it: StandsThere) -> StandsThereRow:
    """A row of the list of sites that others closed."""
    url = url_for(
        "console.closure_new",
        site=it.site_id,
        from_day=it.from_day.isoformat(),
        to_day=it.to_day.isoformat() if it.to_day else None,
        mode="cancel",
    )
    return StandsThereRow(url, site_name(it.site, it.city), city_name(it.city), it.from_day, it.to_day, it.bookings)


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
        "withdrawn": Pill(pgettext("closure", "Taken back"), "off", icon="x"),
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
        site=site_name(it.site, it.city),
        city=city_name(it.city),
        from_day=it.from_day,
        to_day=it.to_day,
        mode=dict(modes())[it.mode],
        pill=pills[it.state],
        asked_at=it.asked_at,
        finished_at=it.finished_at,
        outcomes=tuple((text, it.outcomes[code]) for code, text in words.items() if code in it.outcomes),
        remaining=tuple((reference, booking_words.pill(state)) for reference, state in it.remaining),
        can_take_back=it.state != "withdrawn",
    )
