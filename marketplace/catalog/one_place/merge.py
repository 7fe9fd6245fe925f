"""Sites that mean one hospital become one place, and are parted again.

A merge is a line of its own: nothing moves. What follows from all lines that stand is `site.merged_into`, which always
names the place itself: where B goes into C, what had gone into B leads to C too, and is B's again once that is undone.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from marketplace.catalog.models import Site
from marketplace.catalog.one_place.models import SiteDouble, SiteMerge
from marketplace.catalog.one_place.words import index_places, lock_sites
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id, well_formed


class NotOnePlace(Refusal):
    """The two sites can't be merged. `facts["reason"]`: `same_place` they are one already, `merged_already` the site is
    part of another place, `closed` one of them is closed, `other_city` and `other_time_zone` as they say."""

    code = "not_one_place"


def merge(session: Session, site_id: str, into_id: str, *, by: str, now: datetime) -> str:
    """Let a site be part of the place that the other one stands for; both by their public ids. Returns the merge's
    public id. Raises NotFound, NotOnePlace and Busy."""
    lock_sites(session)
    site, named = site_of(session, site_id), site_of(session, into_id)
    place = session.get_one(Site, named.place_id)
    reason = _why_not(site, place)
    if reason is not None:
        raise NotOnePlace(reason=reason)
    made = SiteMerge(public_id=new_id("mrg"), site_id=site.id, into_id=place.id, merged_at=now, merged_by=by)
    session.add(made)
    session.flush()
    _lead(session, site.id)
    index_places(session, {site.id, place.id})
    return made.public_id


def _why_not(site: Site, place: Site) -> str | None:
    if site.place_id == place.id:
        return "same_place"
    if site.merged_into is not None:
        return "merged_already"
    if site.closed_at is not None or place.closed_at is not None:
        return "closed"
    if (site.province, site.city) != (place.province, place.city):
        return "other_city"
    return None if site.time_zone == place.time_zone else "other_time_zone"


def undo(session: Session, merge_id: str, *, by: str, now: datetime) -> bool:
    """Part what a merge put together: everything made at either site since is at the site it was made at. Returns
    False where that was done before. Raises NotFound and Busy."""
    lock_sites(session)
    found = None
    if well_formed(merge_id):
        found = session.scalar(select(SiteMerge).where(SiteMerge.public_id == merge_id))
    if found is None:
        raise NotFound(field="merge")
    if found.undone_at is not None:
        return False
    found.undone_at, found.undone_by = now, by
    session.flush()
    place_id = session.get_one(Site, found.site_id).place_id
    _lead(session, found.site_id)
    index_places(session, {place_id, found.site_id})
    return True


def places_of(session: Session, merge_id: str) -> set[int]:
    """The internal ids of the places that the two sites of a merge are, or are part of, as things stand now."""
    pair = select(func.unnest(array([SiteMerge.site_id, SiteMerge.into_id]))).where(SiteMerge.public_id == merge_id)
    return set(session.scalars(select(Site.place_id).where(Site.id.in_(pair))))


# Each site of a family by the merges that stand, to where those lead in the end. One statement, since the key of a site
# that is merged asks for a place that is none.
_LEAD = text("""
  WITH RECURSIVE inside AS (SELECT id FROM site WHERE place_id = (SELECT place_id FROM site WHERE id = :site)),
  way (id, at) AS (
    SELECT id, id FROM inside
    UNION
    SELECT way.id, m.into_id FROM way JOIN site_merge m ON m.site_id = way.at AND m.undone_at IS NULL),
  ends AS (
    SELECT way.id, nullif(way.at, way.id) AS place FROM way
     WHERE NOT EXISTS (SELECT FROM site_merge m WHERE m.site_id = way.at AND m.undone_at IS NULL))
  UPDATE site SET merged_into = ends.place FROM ends
   WHERE site.id = ends.id AND site.merged_into IS DISTINCT FROM ends.place
""")


def _lead(session: Session, site_id: int) -> None:
    """Let `merged_into` say what the merges that stand say, for a site and all that share its place."""
    session.execute(_LEAD, {"site": site_id})
    session.expire_all()


def keep_apart(session: Session, pair_id: str, *, by: str, now: datetime) -> bool:
    """Remember that two sites are not the same: they are proposed no more. Returns False where that was said before.
    Raises NotFound."""
    pair = pair_of(session, pair_id)
    if pair.apart_at is not None:
        return False
    pair.apart_at, pair.apart_by = now, by
    return True


def propose_again(session: Session, pair_id: str) -> bool:
    """Take that back. Returns False where nobody had said it. Raises NotFound."""
    pair = pair_of(session, pair_id)
    known, pair.apart_at, pair.apart_by = pair.apart_at is not None, None, None
    return known


def site_of(session: Session, public_id: str) -> Site:
    """The site with this public id, merged or not. Raises NotFound(field="site")."""
    found = session.scalar(select(Site).where(Site.public_id == public_id)) if well_formed(public_id) else None
    if found is None:
        raise NotFound(field="site")
    return found


def pair_of(session: Session, public_id: str) -> SiteDouble:
    """The pair with this public id, locked. Raises NotFound(field="pair")."""
    found = None
    if well_formed(public_id):
        found = session.scalar(select(SiteDouble).where(SiteDouble.public_id == public_id).with_for_update())
    if found is None:
        raise NotFound(field="pair")
    return found
