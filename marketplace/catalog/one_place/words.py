"""The words by which a place is found: its own, and those of the sites that are merged into it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from marketplace.catalog.models import Site
from marketplace.catalog.site_rows import searched

WORDS = ("terms", "search_text", "pinyin")
"""The columns that are made from the others, here and nowhere else once a site is a place for others."""
_LOCK = 0x53495445  # "SITE"


def lock_sites(session: Session) -> None:
    """One at a time imports sites, merges them or parts them, until its transaction ends. Raises Busy."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def index_places(session: Session, places: Collection[int]) -> int:
    """Make the words of these sites (ids) anew, by what is merged into each at this moment; how many have others now.
    The sites are locked."""
    inside: dict[int, list[Site]] = defaultdict(list)
    own: dict[int, Site] = {}
    for site in session.scalars(select(Site).where(Site.place_id.in_(places)).order_by(Site.id)) if places else ():
        inside[site.place_id].append(site)
    for site in session.scalars(select(Site).where(Site.id.in_(places)).order_by(Site.id)) if places else ():
        own[site.id] = site
    changed = 0
    for place_id, site in own.items():
        found = searched(site, [each for each in inside[place_id] if each.id != place_id])
        words = {"terms": list(found.terms), "search_text": found.search_text, "pinyin": found.pinyin}
        if any(getattr(site, name) != value for name, value in words.items()):
            session.execute(update(Site).where(Site.id == place_id).values(**words))
            changed += 1
    return changed
