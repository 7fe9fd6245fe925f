"""Looking for a place of a worker's city in the list of places."""

from __future__ import annotations

from booking.escort.workers import read
from marketplace import wording
from marketplace.catalog.search import SiteQuery, search_sites
from marketplace.core.errors import Invalid
from marketplace.web.desk.dispatching.workers_page import VenueRow
from marketplace.web.place_words import district_name, site_name

_SITES = 20


def places(it: read.WorkerView, query: str, *, located: bool = False) -> tuple[tuple[VenueRow, ...], str]:
    """Places of her city, and why nothing could be looked for; `located`: whose coordinates are known alone."""
    if not query:
        return (), ""
    try:
        page = search_sites(SiteQuery(q=query, city=it.profile.city[1]), limit=_SITES)
    except Invalid as refusal:
        return (), wording.sentence(refusal)
    return tuple(
        VenueRow(
            each.public_id,
            site_name(each.name, each.city, each.district, each.province),
            district_name(each.district),
        )
        for each in page.items
        if each.city == it.profile.city[1] and (not located or each.latitude is not None)
    ), ""
