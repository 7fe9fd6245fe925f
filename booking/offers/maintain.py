"""What a provider sells, maintained by its program or at its desk: offers with packages and prices, and their pools.

Bookings keep what was offered when they were made: no change here reaches one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from booking.idempotency import Repeatable, earlier, first_time, record_status
from marketplace.catalog.kinds import kinds
from marketplace.catalog.models import CapacityPool, Offer, Site
from marketplace.catalog.one_place.suits import check_suited
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from providers.conformance.certificates.issue import mark_new_offer

ANY = "*"
"""As a version that is expected: whatever it is."""


class OfferChanged(Refusal):
    """The offer is not of the version that the caller knows (RFC 9110, section 13.1.1)."""

    code = "offer_changed"
    status = 412
    field = "If-Match"


class VersionMissing(Refusal):
    """There is such an offer, and the caller did not say which version it knows (RFC 6585, section 3)."""

    code = "offer_version_needed"
    status = 428
    field = "If-Match"


class PoolAtAnotherSite(Refusal):
    """There is a pool of this reference at another site."""

    code = "pool_at_another_site"


@dataclass(frozen=True)
class Terms:
    """All that a provider says of an offer. The price is in minor units of `currency`."""

    benefit: str
    pool: str
    name_zh: str
    name_en: str
    package: Mapping[str, Any]
    price_minor: int
    currency: str
    lead_minutes: int
    cancel_hours: int
    change_hours: int
    max_changes: int
    available_from: date | None
    available_until: date | None
    active: bool


@dataclass(frozen=True)
class MaintainedOffer(Terms):
    """An offer as it stands."""

    id: str
    reference: str
    site_id: str
    version: int


@dataclass(frozen=True)
class Writer:
    """Who writes: the provider, and for the audit its client or the member of its desk."""

    provider_id: int
    client: str


@dataclass(frozen=True)
class PlaceOfPool:
    """Which site of the list is meant: by its id, or by the three parts of its natural key."""

    site_id: str | None = None
    province: str | None = None
    city: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class MaintainedPool:
    """A pool and its site."""

    reference: str
    site_id: str
    province: str
    city: str
    name: str


_PLAIN = tuple(name for name in Terms.__dataclass_fields__ if name not in ("benefit", "pool"))


def _after(cursor: str | None) -> str:
    """The reference after which a page begins."""
    return "" if cursor is None else str(decode_cursor(cursor, [str])[0])


def offer_of(provider_id: int, reference: str) -> MaintainedOffer:
    """A provider's offer. Raises NotFound."""
    with reading() as session:
        found = _find(session, provider_id, reference)
        if found is None:
            raise NotFound()
        return _seen(found)


def offers_of(provider_id: int, *, cursor: str | None, limit: int) -> Page[MaintainedOffer]:
    """A provider's offers by reference, those that are ended too. Raises Invalid for a bad cursor."""
    query = (
        select(Offer)
        .where(Offer.provider_id == provider_id, Offer.external_ref > _after(cursor))
        .options(joinedload(Offer.pool), joinedload(Offer.site))
        .order_by(Offer.external_ref)
        .limit(limit + 1)
    )
    with reading() as session:
        found = [_seen(offer) for offer in session.scalars(query)]
    return Page(found[:limit], encode_cursor([found[limit - 1].reference]) if len(found) > limit else None)


def put_offer(
    writer: Writer,
    reference: str,
    terms: Terms,
    *,
    known: Sequence[str] | None,
    repeat: Repeatable,
    now: datetime,
) -> MaintainedOffer:
    """Make an offer, or change one whose version is among `known`; with None only one that is not there is made.

    Each change is a line of the audit with the old and the new price. Terms that it has already change nothing. An
    offer that is not active sells nothing more; its bookings stay. Raises Invalid (with the field; a new one is refused
    where the kind of place can't do this), VersionMissing, OfferChanged, IdempotencyKeyReused and Busy.
    """
    _check(terms)
    with transaction() as session:
        if first_time(session, repeat, reference, now=now):
            _put(session, writer, reference, terms, known, now)
    return offer_of(writer.provider_id, reference)


def _check(terms: Terms) -> None:
    benefit = kinds().get(terms.benefit)
    if benefit is None:
        raise Invalid(field="benefit", reason="unknown_benefit")
    benefit.check_package(terms.package)
    if terms.available_from and terms.available_until and terms.available_until < terms.available_from:
        raise Invalid(field="available_until", reason="before_start")


def _put(
    session: Session, writer: Writer, reference: str, terms: Terms, known: Sequence[str] | None, now: datetime
) -> None:
    pool = session.scalars(
        select(CapacityPool).where(
            CapacityPool.provider_id == writer.provider_id, CapacityPool.external_ref == terms.pool
        )
    ).one_or_none()
    if pool is None:
        raise Invalid(field="pool", reason="unknown_pool")
    if known is None:
        check_suited(session, terms.benefit, pool.site_id)
        _add(session, writer, reference, terms, pool, now)
        mark_new_offer(session, writer.provider_id, reference)
        return
    offer = _find(session, writer.provider_id, reference, lock=True)
    if offer is None or (ANY not in known and str(offer.version) not in known):
        raise OfferChanged()
    if offer.pool_id != pool.id:
        raise Invalid(field="pool", reason="pool_stays")
    if offer.kind != terms.benefit:
        raise Invalid(field="benefit", reason="benefit_stays")
    _change(session, writer, offer, terms, now)


def _add(session: Session, writer: Writer, reference: str, terms: Terms, pool: CapacityPool, now: datetime) -> None:
    made = session.execute(
        insert(Offer)
        .values(
            public_id=new_id("ofr"),
            provider_id=writer.provider_id,
            site_id=pool.site_id,
            pool_id=pool.id,
            kind=terms.benefit,
            external_ref=reference,
            **{name: getattr(terms, name) for name in _PLAIN},
        )
        .on_conflict_do_nothing(index_elements=["provider_id", "external_ref"])
        .returning(Offer.public_id)
    ).scalar_one_or_none()
    if made is None:
        raise VersionMissing()
    _record(session, writer, "offer.added", made, now, version=1, price=(None, terms), active=terms.active)


def _change(session: Session, writer: Writer, offer: Offer, terms: Terms, now: datetime) -> None:
    before = _seen(offer)
    changed = [name for name in _PLAIN if getattr(before, name) != getattr(terms, name)]
    if not changed:
        return
    for name in changed:
        setattr(offer, name, getattr(terms, name))
    offer.version += 1
    _record(
        session,
        writer,
        "offer.changed",
        offer.public_id,
        now,
        version=offer.version,
        price=(before, terms),
        active=terms.active,
        changed=changed,
    )


def _record(
    session: Session,
    writer: Writer,
    action: str,
    offer: str,
    now: datetime,
    *,
    price: tuple[Terms | None, Terms],
    **facts: Any,
) -> None:
    old, new = (None if terms is None else [terms.price_minor, terms.currency] for terms in price)
    audit.record(
        session,
        action,
        at=now,
        actor_kind="provider",
        actor=writer.client,
        subject=offer,
        old_price=old,
        new_price=new,
        **facts,
    )


def _find(session: Session, provider_id: int, reference: str, *, lock: bool = False) -> Offer | None:
    query = (
        select(Offer)
        .where(Offer.provider_id == provider_id, Offer.external_ref == reference)
        .options(joinedload(Offer.pool, innerjoin=True), joinedload(Offer.site, innerjoin=True))
    )
    if lock:  # weaker than FOR UPDATE: a hold that refers to the offer does not wait
        query = query.with_for_update(key_share=True, of=Offer)
    return session.scalars(query).one_or_none()


def _seen(offer: Offer) -> MaintainedOffer:
    return MaintainedOffer(
        benefit=offer.kind,
        pool=offer.pool.external_ref,
        id=offer.public_id,
        reference=offer.external_ref,
        site_id=offer.site.public_id,
        version=offer.version,
        **{name: getattr(offer, name) for name in _PLAIN},
    )


def pools_of(provider_id: int, *, cursor: str | None, limit: int) -> Page[MaintainedPool]:
    """A provider's pools by reference. Raises Invalid for a bad cursor."""
    query = (
        select(CapacityPool)
        .where(CapacityPool.provider_id == provider_id, CapacityPool.external_ref > _after(cursor))
        .options(joinedload(CapacityPool.site))
        .order_by(CapacityPool.external_ref)
        .limit(limit + 1)
    )
    with reading() as session:
        found = [_pool_seen(pool) for pool in session.scalars(query)]
    return Page(found[:limit], encode_cursor([found[limit - 1].reference]) if len(found) > limit else None)


def put_pool(
    writer: Writer, reference: str, place: PlaceOfPool, *, repeat: Repeatable, now: datetime
) -> tuple[MaintainedPool, bool]:
    """Make a pool at a site of the list; one that is there already at that site stays as it is. Returns it and whether
    it is new; sent again with its key, the answer is the same.

    Raises Invalid with the field that no site has, PoolAtAnotherSite, IdempotencyKeyReused and Busy.
    """
    with transaction() as session:
        if first_time(session, repeat, reference, now=now):
            return _put_pool(session, writer, reference, place, repeat, now)
        known = earlier(session, repeat)
        return _pool_seen(_pool_of(session, writer, reference)), known is not None and known.status == 201


def _put_pool(
    session: Session, writer: Writer, reference: str, place: PlaceOfPool, repeat: Repeatable, now: datetime
) -> tuple[MaintainedPool, bool]:
    site = _site(session, place)
    made = _add_pool(session, writer, reference, site, now)
    if made is not None:
        record_status(session, repeat, 201)
    pool = _pool_of(session, writer, reference)
    if pool.site_id != site.id:
        raise PoolAtAnotherSite()
    return _pool_seen(pool), made is not None


def _pool_of(session: Session, writer: Writer, reference: str) -> CapacityPool:
    return session.scalars(
        select(CapacityPool).where(
            CapacityPool.provider_id == writer.provider_id, CapacityPool.external_ref == reference
        )
    ).one()


def _add_pool(session: Session, writer: Writer, reference: str, site: Site, now: datetime) -> str | None:
    made = session.execute(
        insert(CapacityPool)
        .values(public_id=new_id("pol"), provider_id=writer.provider_id, site_id=site.id, external_ref=reference)
        .on_conflict_do_nothing(index_elements=["provider_id", "external_ref"])
        .returning(CapacityPool.public_id)
    ).scalar_one_or_none()
    if made is not None:
        audit.record(
            session,
            "pool.added",
            at=now,
            actor_kind="provider",
            actor=writer.client,
            subject=made,
            site=site.public_id,
        )
    return made


def _site(session: Session, place: PlaceOfPool) -> Site:
    """The open site that is meant. Raises Invalid with the first field that no site has."""
    query = select(Site).where(Site.closed_at.is_(None))
    if place.site_id is not None:
        steps = [("site_id", Site.public_id == place.site_id, "unknown_site")]
    else:
        steps = [
            ("province", Site.province == place.province, "unknown_province"),
            ("city", Site.city == place.city, "unknown_city"),
            ("name", Site.name == place.name, "unknown_site"),
        ]
    for field, condition, reason in steps:
        query = query.where(condition)
        site = session.scalars(query.limit(1)).one_or_none()
        if site is None:
            raise Invalid(field=field, reason=reason)
    return session.scalars(query).one()


def _pool_seen(pool: CapacityPool) -> MaintainedPool:
    site = pool.site
    return MaintainedPool(pool.external_ref, site.public_id, site.province, site.city, site.name)
