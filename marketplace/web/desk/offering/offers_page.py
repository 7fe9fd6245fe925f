"""A provider's services in words: how each stands, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from booking.offers.at_desk import OfferLine
from marketplace.core.text import Text
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Pill
from marketplace.web.place_words import site_name


@dataclass(frozen=True)
class OfferRow:
    """A service in the list. `pool` is the id of the calendar that it draws on; `lacks_places`: only places
    keep customers from it."""

    id: str
    name: str
    kind: str
    place: str
    pool: str
    price_minor: int
    currency: str
    pill: Pill
    lacks_places: bool


def row(it: OfferLine) -> OfferRow:
    """A row of the list."""
    return OfferRow(
        it.id,
        by_language(Text(it.name_zh, it.name_en)),
        kind_name(it.benefit),
        site_name(it.site) if it.place == it.site else f"{it.place} · {site_name(it.site)}",
        it.pool,
        it.price_minor,
        it.currency,
        state(it),
        not it.ended and it.on_sale and not it.bookable,
    )


def state(it: OfferLine) -> Pill:
    """How it stands: what keeps it from customers first."""
    if it.ended:
        return Pill(_("Not on sale"), "off", "x")
    if not it.approved:
        return Pill(_("Approval missing"), "wait", "hourglass")
    if not it.on_sale:
        return Pill(_("Certificate missing"), "wait", "hourglass")
    if not it.bookable:
        return Pill(_("No places yet"), "wait", "calendar-plus")
    return Pill(_("Can be booked"), "ok", "check")
