"""Pairs that may be one place, and places with what was merged into them, as operators see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from marketplace.catalog.kinds import kinds
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Offer, Provider, Site
from marketplace.catalog.one_place.likeness import SURE, Entry, distance
from marketplace.catalog.one_place.merge import site_of
from marketplace.catalog.one_place.models import SiteAllowance, SiteDouble, SiteMerge
from marketplace.catalog.one_place.suits import unsuited_by
from marketplace.catalog.places import official_names
from marketplace.core.database.db import reading
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text
from vip import roles
from vip.principal import Principal

SAMPLES = 3
PairState = Literal["open", "apart"]


@dataclass(frozen=True)
class Side:
    """A site of a pair, or a place: what is known of it, the names of what is merged into it, how many offers are sold
    there and some of them (name, provider)."""

    id: str
    name: str
    aliases: Sequence[str]
    province: str
    city: str
    district: str
    tier: str | None
    kind: str
    address: str
    longitude: float | None
    latitude: float | None
    parts: Sequence[str] = ()
    offers: int = 0
    samples: Sequence[tuple[Text, Text]] = ()


@dataclass(frozen=True)
class Pair:
    """Two sites that may be one place. `score` is from 0 to 1; `metres` between them, None where one has no
    coordinates; `keep` is the id of the one of which more is known. `apart_at`: since when an operator says that they
    are not."""

    id: str
    score: float
    reasons: Sequence[str]
    metres: int | None
    first: Side
    second: Side
    keep: str
    apart_at: datetime | None

    @property
    def sure(self) -> bool:
        """Whether such a pair is hardly ever two places."""
        return self.score >= SURE


@dataclass(frozen=True)
class Merged:
    """What was merged into a place, or was for a while. `into` is the site it was merged into, which may be part of
    another one by now."""

    id: str
    site: Side
    into: str
    merged_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True)
class Suited:
    """A benefit that a place's kind can't give: why, and whether it was allowed here."""

    benefit: str
    reason: Text
    allowed: bool


@dataclass(frozen=True)
class PlaceView:
    """A place with all that is decided about it. `entry` is the name of the site that was asked for where that is part
    of it, else blank."""

    side: Side
    entry: str
    merges: Sequence[Merged]
    pairs: Sequence[Pair]
    suited: Sequence[Suited]


def pairs(
    principal: Principal, state: PairState, *, city: str | None = None, cursor: str | None = None, limit: int = 20
) -> Page[Pair]:
    """Pairs of sites that are listed both, the likeliest first: those to decide, or those kept apart. Raises
    Invalid(field="cursor")."""
    roles.require(principal, "books")
    first, second = aliased(Site), aliased(Site)
    query = (
        _between(first, second)
        .where(*_listed(first, second, state))
        .order_by(SiteDouble.score.desc(), SiteDouble.id)
        .limit(limit + 1)
    )
    if city:
        query = query.where(first.city.in_(official_names(city)))
    if cursor is not None:
        score, last = decode_cursor(cursor, (int, int))
        query = query.where(tuple_(-SiteDouble.score, SiteDouble.id) > (-score / 100, last))
    with reading() as session:
        rows = session.execute(query).all()
        shown = rows[:limit]
        more = None
        if len(rows) > limit:
            more = encode_cursor([round(shown[-1].SiteDouble.score * 100), shown[-1].SiteDouble.id])
        return Page(_pairs(session, shown), more)


def to_decide(principal: Principal) -> int:
    """How many pairs wait for a decision."""
    roles.require(principal, "books")
    first, second = aliased(Site), aliased(Site)
    with reading() as session:
        counted = _between(first, second).where(*_listed(first, second, "open")).subquery()
        return session.scalar(select(func.count()).select_from(counted)) or 0


def place(principal: Principal, site_id: str) -> PlaceView:
    """The place that a site is, or is part of. Raises NotFound."""
    roles.require(principal, "books")
    first, second = aliased(Site), aliased(Site)
    with reading() as session:
        site = site_of(session, site_id)
        family = session.scalars(select(Site.id).where(Site.place_id == site.place_id)).all()
        found = session.execute(
            _between(first, second)
            .where(
                or_(first.id == site.place_id, second.id == site.place_id),
                first.merged_into.is_(None),
                second.merged_into.is_(None),
                SiteDouble.lost_at.is_(None),
            )
            .order_by(SiteDouble.score.desc(), SiteDouble.id)
        ).all()
        lines = session.execute(
            _merges().where(or_(SiteMerge.site_id.in_(family), SiteMerge.into_id.in_(family)))
        ).all()
        sides = _sides(session, {site.place_id, *family, *(row.SiteMerge.site_id for row in lines)})
        whole = sides[site.place_id]
        return PlaceView(
            side=whole,
            entry=site.name if site.merged_into is not None else "",
            merges=[_merged(row, sides) for row in lines],
            pairs=_pairs(session, found),
            suited=_suited(session, whole, family),
        )


def _between(first: Any, second: Any) -> Any:
    return (
        select(SiteDouble).join(first, first.id == SiteDouble.first_id).join(second, second.id == SiteDouble.second_id)
    )


def _listed(first: Any, second: Any, state: PairState) -> tuple[ColumnElement[bool], ...]:
    apart = SiteDouble.apart_at.is_not(None) if state == "apart" else SiteDouble.apart_at.is_(None)
    return (
        SiteDouble.lost_at.is_(None),
        first.merged_into.is_(None),
        second.merged_into.is_(None),
        first.closed_at.is_(None),
        second.closed_at.is_(None),
        apart,
    )


def _pairs(session: Session, rows: Sequence[Any]) -> list[Pair]:
    sides = _sides(session, {each for row in rows for each in (row.SiteDouble.first_id, row.SiteDouble.second_id)})
    found = []
    for row in rows:
        double: SiteDouble = row.SiteDouble
        first, second = sides[double.first_id], sides[double.second_id]
        metres = distance(_entry(first), _entry(second))
        found.append(
            Pair(
                double.public_id,
                double.score,
                double.reasons,
                None if metres is None else round(metres),
                first,
                second,
                max(first, second, key=_known).id,
                double.apart_at,
            )
        )
    return found


def _known(side: Side) -> tuple[bool, bool, int, int]:
    """How much is known of a site. What is sold there doesn't count, since a merge moves no offer."""
    return bool(side.address), side.longitude is not None, len(side.parts) + len(side.aliases), len(side.name)


def _entry(side: Side) -> Entry:
    return Entry(0, side.name, (), side.province, side.city, "", "", "", side.longitude, side.latitude)


def _sides(session: Session, wanted: Iterable[int]) -> dict[int, Side]:
    """Sites by internal id. One that others are merged into is shown with their names, and with all offers of them."""
    ids = sorted(set(wanted))
    sites = session.scalars(select(Site).where(Site.id.in_(ids))).all()
    parts = session.execute(
        select(Site.id, Site.place_id, Site.name).where(Site.place_id.in_(ids), Site.merged_into.is_not(None))
    ).all()
    inside: Mapping[int, list[int]] = {each: [each, *(row.id for row in parts if row.place_id == each)] for each in ids}
    counts, samples = _offers(session, {each for members in inside.values() for each in members})
    return {
        site.id: Side(
            site.public_id,
            site.name,
            site.aliases,
            site.province,
            site.city,
            site.district,
            site.tier,
            site.kind,
            site.address,
            site.longitude,
            site.latitude,
            [row.name for row in parts if row.place_id == site.id],
            sum(counts.get(each, 0) for each in inside[site.id]),
            [sample for each in inside[site.id] for sample in samples.get(each, ())][:SAMPLES],
        )
        for site in sites
    }


def _offers(session: Session, sites: set[int]) -> tuple[dict[int, int], dict[int, list[tuple[Text, Text]]]]:
    """How many offers are sold at each site, and some of them."""
    number = func.row_number().over(partition_by=Offer.site_id, order_by=Offer.id).label("number")
    total = func.count().over(partition_by=Offer.site_id).label("total")
    sold = (
        select(Offer.site_id, Offer.name_zh, Offer.name_en, Offer.provider_id, number, total)
        .where(Offer.site_id.in_(sites), Offer.active, Offer.market == LIVE)
        .subquery()
    )
    rows = session.execute(
        select(sold, Provider.name_zh.label("provider_zh"), Provider.name_en.label("provider_en"))
        .join(Provider, Provider.id == sold.c.provider_id)
        .where(sold.c.number <= SAMPLES)
        .order_by(sold.c.site_id, sold.c.number)
    ).all()
    samples: dict[int, list[tuple[Text, Text]]] = {}
    for row in rows:
        samples.setdefault(row.site_id, []).append(
            (Text(row.name_zh, row.name_en), Text(row.provider_zh, row.provider_en))
        )
    return {row.site_id: row.total for row in rows}, samples


def _suited(session: Session, side: Side, family: Sequence[int]) -> list[Suited]:
    allowed = set(
        session.scalars(
            select(SiteAllowance.kind).where(SiteAllowance.site_id.in_(family), SiteAllowance.ended_at.is_(None))
        )
    )
    reasons = {code: unsuited_by(code, side.kind, side.name) for code in kinds()}
    return [Suited(code, reason, code in allowed) for code, reason in reasons.items() if reason is not None]


def merges(principal: Principal, *, cursor: str | None = None, limit: int = 20) -> Page[Merged]:
    """What is merged, the latest first. Raises Invalid(field="cursor")."""
    roles.require(principal, "books")
    query = _merges().where(SiteMerge.undone_at.is_(None)).limit(limit + 1)
    if cursor is not None:
        query = query.where(SiteMerge.id < decode_cursor(cursor, (int,))[0])
    with reading() as session:
        rows = session.execute(query).all()
        shown = rows[:limit]
        sides = _sides(session, (row.SiteMerge.site_id for row in shown))
        more = encode_cursor([shown[-1].SiteMerge.id]) if len(rows) > limit else None
        return Page([_merged(row, sides) for row in shown], more)


def _merges() -> Any:
    return select(SiteMerge, Site).join(Site, Site.id == SiteMerge.into_id).order_by(SiteMerge.id.desc())


def _merged(row: Any, sides: Mapping[int, Side]) -> Merged:
    done: SiteMerge = row.SiteMerge
    return Merged(done.public_id, sides[done.site_id], row.Site.name, done.merged_at, done.undone_at)
