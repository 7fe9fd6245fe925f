"""Pairs of sites that may be one place are looked for and written down, for an operator to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.catalog.models import Site
from marketplace.catalog.one_place.likeness import Entry, Likeness, doubles
from marketplace.catalog.one_place.models import SiteDouble
from marketplace.catalog.one_place.words import lock_sites
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id

_BATCH = 500


@dataclass(frozen=True)
class Found:
    """What a search found: all pairs, and those that were not known."""

    pairs: int
    new: int


def look_for_doubles(*, now: datetime) -> Found:
    """Look through the whole list. Raises Busy while sites are imported."""
    with transaction() as session:
        lock_sites(session)
        return find_doubles(session, now=now)


def find_doubles(session: Session, *, now: datetime) -> Found:
    """The same in the caller's transaction, which holds the sites. What an operator decided stays decided; a pair that
    is found no more is marked so, unless it is one place by now."""
    entries = _entries(session)
    pairs = doubles(entries)
    columns = (SiteDouble.id, SiteDouble.first_id, SiteDouble.second_id)
    known = {(row.first_id, row.second_id): row.id for row in session.execute(select(*columns))}
    for start in range(0, len(pairs), _BATCH):
        _write(session, pairs[start : start + _BATCH], now)
    found, listed = {(pair.first, pair.second) for pair in pairs}, {entry.id for entry in entries}
    lost = [known[pair] for pair in known.keys() - found if listed.issuperset(pair)]
    session.execute(update(SiteDouble).where(SiteDouble.id.in_(lost), SiteDouble.lost_at.is_(None)).values(lost_at=now))
    return Found(len(pairs), len(found - known.keys()))


def _write(session: Session, pairs: Sequence[Likeness], now: datetime) -> None:
    values = [
        {
            "public_id": new_id("dbl"),
            "first_id": pair.first,
            "second_id": pair.second,
            "score": pair.score,
            "reasons": list(pair.reasons),
            "found_at": now,
        }
        for pair in pairs
    ]
    written = insert(SiteDouble)
    session.execute(
        written.on_conflict_do_update(
            index_elements=["first_id", "second_id"],
            set_={"score": written.excluded.score, "reasons": written.excluded.reasons, "lost_at": None},
        ),
        values,
    )


def _entries(session: Session) -> list[Entry]:
    """The open sites that stand for themselves, each with the names of those that are merged into it."""
    merged: dict[int, list[str]] = {}
    columns = (Site.id, Site.place_id, Site.name, Site.aliases)
    for row in session.execute(select(*columns).where(Site.merged_into.is_not(None)).order_by(Site.id)):
        merged.setdefault(row.place_id, []).extend((row.name, *row.aliases))
    listed = session.scalars(select(Site).where(Site.merged_into.is_(None), Site.closed_at.is_(None)).order_by(Site.id))
    return [
        Entry(
            site.id,
            site.name,
            [*site.aliases, *merged.get(site.id, ())],
            site.province,
            site.city,
            site.district,
            site.kind,
            site.address,
            site.longitude,
            site.latitude,
        )
        for site in listed
    ]
