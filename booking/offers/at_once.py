"""Offers that begin at once: those a customer may choose among, since there is no place and no time to look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking.offers.bookable import given_out
from marketplace.catalog.kinds import without_times
from marketplace.catalog.one_place.sql import at_place, covers, said_of
from marketplace.core.database.db import rows
from marketplace.core.text import Text
from providers.registry import answering_here, conversing

TODAY_THERE = "(CAST(%(now)s AS timestamptz) AT TIME ZONE si.time_zone)::date"
"""The day at the site `si`, as SQL with the value `now`."""


def closed_today(today: str) -> str:
    """Whether the site `si_own` or its place `si` (catalog.one_place.sql) is closed on the day (an expression), by
    whichever insurer, as SQL: it gives out nothing then."""
    return _closed(covers("closing.site_id", "si_own"), today)


def venue_closed(venue: str, day: str) -> str:
    """Whether a venue (an alias of site) is closed on the day (an expression), by whichever insurer, as SQL: nobody is
    sent there then. A venue is a place: it is closed by whichever of its entries that is said."""
    return _closed(said_of("closing.site_id", venue), day)


def _closed(said: str, day: str) -> str:
    return (
        f"EXISTS (SELECT FROM site_closure closing WHERE {said} AND closing.state <> 'withdrawn'"
        f" AND closing.from_day <= {day} AND coalesce(closing.to_day >= {day}, true))"
    )


@dataclass(frozen=True)
class AtOnce:
    """An offer of a kind without times that can be begun now."""

    id: str
    kind: str
    name: Text
    provider: Text
    package: Mapping[str, Any]


_OFFERS = f"""
  SELECT o.public_id, o.kind, o.name_zh, o.name_en, o.package, p.name_zh AS provider_zh, p.name_en AS provider_en
    FROM offer o {at_place("o", "si")} JOIN provider p ON p.id = o.provider_id
   WHERE o.kind = ANY(%(kinds)s) AND p.adapter = ANY(%(here)s)
     AND {given_out("o", "si", "CAST(%(market)s AS bigint)")} AND NOT {closed_today(TODAY_THERE)}
   ORDER BY o.kind, o.price_minor, o.id LIMIT %(limit)s
"""
MOST_SHOWN = 50


def offers_at_once(kind: str | None = None, *, market: int, now: datetime) -> list[AtOnce]:
    """Those of a market, of one kind or of all without times, the cheapest first; at most MOST_SHOWN."""
    wanted = [code for code in without_times() if kind in (None, code)]
    values = {
        "kinds": wanted,
        "here": [*answering_here(), *conversing()],
        "market": market,
        "now": now,
        "limit": MOST_SHOWN,
    }
    return [
        AtOnce(
            row.public_id,
            row.kind,
            Text(row.name_zh, row.name_en),
            Text(row.provider_zh, row.provider_en),
            row.package,
        )
        for row in rows(_OFFERS, values)
    ]
