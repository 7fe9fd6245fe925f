"""The places of a benefit, site by site: how many can be booked for a person, and which come first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from booking.offers.availability import OfferQuery, first_offers
from booking.offers.cards import NextFree, OfferCard
from marketplace.catalog.markets import LIVE
from marketplace.catalog.search import TIERS
from marketplace.core.sphere import Position, metres

Order = Literal["match", "soonest", "level", "nearest"]

MOST_OFFERS = 1_000
"""More offers than any city has; a search over more of them is sorted and counted among the first of these alone."""


@dataclass(frozen=True)
class FoundPlace:
    """A site with what it offers, at least one package. `metres`: the way to it as the crow flies, None where one of
    the two positions isn't known."""

    cards: tuple[OfferCard, ...]
    metres: int | None = None

    @property
    def fit(self) -> tuple[OfferCard, ...]:
        """The packages that the person may have."""
        return tuple(card for card in self.cards if card.not_eligible is None)

    @property
    def free(self) -> tuple[OfferCard, ...]:
        """The packages that the person may have and that have a place, the one with the soonest first."""
        return tuple(sorted((card for card in self.fit if card.next_free), key=_start))

    @property
    def shown(self) -> OfferCard:
        """The package that speaks for the place: the one with the soonest place, else the first that she may have."""
        return next(iter((*self.free, *self.fit, *self.cards)))

    @property
    def next_free(self) -> NextFree | None:
        """The soonest place for the person."""
        return next((card.next_free for card in self.free), None)


@dataclass(frozen=True)
class Places:
    """A page of places. `bookable` and `not_now` count all that match; they are None where more match than are looked
    at. `following`: how many places stand before the next page, None at the end."""

    items: tuple[FoundPlace, ...]
    bookable: int | None
    not_now: int | None
    following: int | None


def find_places(
    query: OfferQuery,
    order: Order = "soonest",
    *,
    near: Position | None = None,
    skip: int = 0,
    limit: int = 20,
    now: datetime,
    market: int = LIVE,
) -> Places:
    """The places that match, without the first `skip`. Those that can be booked come before those that can't, except in
    the order of `match`. What is equally good otherwise stands in the order of search_offers.

    Without `near` nothing is nearest: the order is `soonest` then. Raises as search_offers does.
    """
    cards = first_offers(query, MOST_OFFERS + 1, now=now, market=market)
    known = len(cards) <= MOST_OFFERS
    found = by_site(cards[:MOST_OFFERS], near)
    found.sort(key=_KEYS["soonest" if order == "nearest" and near is None else order])
    bookable = sum(place.next_free is not None for place in found)
    shown = found[skip : skip + limit]
    return Places(
        tuple(shown),
        bookable if known else None,
        len(found) - bookable if known else None,
        skip + limit if len(found) > skip + limit else None,
    )


def by_site(cards: Sequence[OfferCard], near: Position | None = None) -> list[FoundPlace]:
    """The places of these offers, in the order of the first one of each."""
    sites: dict[str, list[OfferCard]] = {}
    for card in cards:
        sites.setdefault(card.site_id, []).append(card)
    return [FoundPlace(tuple(inside), _way(inside[0], near)) for inside in sites.values()]


def _way(card: OfferCard, near: Position | None) -> int | None:
    if near is None or card.latitude is None or card.longitude is None:
        return None
    return metres(near, Position(card.latitude, card.longitude))


def _start(card: OfferCard) -> tuple[str, str]:
    free = card.next_free
    if free is None:
        return ("9999", "")
    return (free.service_date.isoformat(), free.starts_at.isoformat() if free.starts_at else "")


def _soonest(place: FoundPlace) -> tuple[Any, ...]:
    return (False, *_start(place.shown)) if place.next_free else (True,)


def _level(place: FoundPlace) -> tuple[Any, ...]:
    tier = place.shown.tier
    return (place.next_free is None, TIERS.index(tier) if tier in TIERS else len(TIERS), *_soonest(place))


def _nearest(place: FoundPlace) -> tuple[Any, ...]:
    return (place.next_free is None, place.metres is None, place.metres or 0, *_soonest(place))


_KEYS: dict[Order, Callable[[FoundPlace], tuple[Any, ...]]] = {
    "match": lambda place: (),
    "soonest": _soonest,
    "level": _level,
    "nearest": _nearest,
}
