"""Where in the country the offers are that a query finds."""

from __future__ import annotations

from booking.offers.bookable import given_out
from marketplace.catalog.kinds import kind
from marketplace.catalog.markets import LIVE
from marketplace.catalog.one_place.sql import has_offer
from marketplace.catalog.query.where import Located, locate
from marketplace.catalog.search import SiteQuery

_OFFERED = has_offer("s", f"o.kind = %(benefit)s AND {given_out('o', 's', 'CAST(%(market)s AS bigint)')}")


def located(benefit: str, query: SiteQuery, *, market: int = LIVE) -> Located:
    """Where the sites are that a query finds and that offer the benefit to customers of a market. Raises
    NotFound(field="benefit"), Invalid(field=…) for a query that cannot be used."""
    return locate(query, _OFFERED, {"benefit": kind(benefit).code, "market": market})
