"""A provider's pools and how their slots are made: rows to rules and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from booking.capacity_rules.models import CapacityException, CapacityRule, PoolCalendar
from booking.capacity_rules.plan import Rules, Section, WeeklyRule
from booking.models import Slot
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from providers.registry import ADAPTERS, capabilities


@dataclass(frozen=True)
class Pool:
    """A capacity pool of a provider. `key` is internal, `reference` what its programs call it, `name` what its people
    do (the reference while they have given no name), `offers` the services that draw on it. `written_here`: its slots
    can be made here, since its provider answers in our books."""

    key: int
    id: str
    reference: str
    name: str
    site: str
    zone: str
    offers: Sequence[Text]
    written_here: bool


def pools(provider_id: int) -> list[Pool]:
    """All pools of a provider, by site and name."""
    with reading() as session:
        rows = session.execute(_pools(provider_id).order_by(Site.name, CapacityPool.external_ref)).all()
        return [_pool(session, row) for row in rows]


def pool_of(session: Session, provider_id: int, public_id: str) -> Pool:
    """A pool of the provider. Raises NotFound."""
    row = session.execute(_pools(provider_id).where(CapacityPool.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound(field="pool")
    return _pool(session, row)


def _pools(provider_id: int) -> Select[CapacityPool, Site, str]:
    return (
        select(CapacityPool, Site, Provider.adapter)
        .join(Site, Site.id == CapacityPool.site_id)
        .join(Provider, Provider.id == CapacityPool.provider_id)
        .where(CapacityPool.provider_id == provider_id)
    )


def _pool(session: Session, row: Row[CapacityPool, Site, str]) -> Pool:
    pool, site, adapter = row
    offers = session.execute(
        select(Offer.name_zh, Offer.name_en).where(Offer.pool_id == pool.id, Offer.active).order_by(Offer.id)
    )
    return Pool(
        key=pool.id,
        id=pool.public_id,
        reference=pool.external_ref,
        name=pool.name or pool.external_ref,
        site=site.name,
        zone=site.time_zone,
        offers=[Text(each.name_zh, each.name_en) for each in offers],
        written_here=adapter in ADAPTERS and capabilities(adapter).answers_here,
    )


def rules_of(session: Session, calendar: PoolCalendar) -> Rules:
    """What the pool's rows say."""
    weekly = session.scalars(
        select(CapacityRule)
        .where(CapacityRule.pool_id == calendar.pool_id, CapacityRule.ended_at.is_(None))
        .order_by(CapacityRule.from_minute, CapacityRule.id)
    )
    exceptions = session.scalars(
        select(CapacityException).where(
            CapacityException.pool_id == calendar.pool_id, CapacityException.ended_at.is_(None)
        )
    )
    return Rules(
        weekly=[rule_of(each) for each in weekly],
        exceptions={each.day: sections_of(each.sections) for each in exceptions},
        closed_on_holidays=calendar.closed_on_holidays,
        make_up_weekday=calendar.make_up_weekday,
        horizon_days=calendar.horizon_days,
    )


def rule_of(row: CapacityRule) -> WeeklyRule:
    """The rule of a row."""
    section = Section(row.from_minute, row.to_minute, row.slot_minutes, row.places)
    return WeeklyRule(frozenset(row.weekdays), section, row.valid_from, row.valid_until)


def row_of(pool_id: int, rule: WeeklyRule) -> CapacityRule:
    """A new row for a rule."""
    return CapacityRule(
        pool_id=pool_id,
        weekdays=sorted(rule.weekdays),
        from_minute=rule.section.start,
        to_minute=rule.section.end,
        slot_minutes=rule.section.minutes,
        places=rule.section.places,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
    )


def sections_of(stored: Sequence[Sequence[int | None]]) -> tuple[Section, ...]:
    """The sections of an exception's row."""
    return tuple(
        Section(int(start or 0), int(end or 0), minutes, int(places or 0)) for start, end, minutes, places in stored
    )


def stored_sections(sections: Sequence[Section]) -> list[list[int | None]]:
    """What is stored of an exception's sections."""
    return [[each.start, each.end, each.minutes, each.places] for each in sections]


def slots_from(session: Session, pool_id: int, first: date, last: date | None = None) -> Sequence[Slot]:
    """The pool's slots in our books from a day on, until another (included) or all, by time."""
    asked = select(Slot).where(Slot.pool_id == pool_id, Slot.service_date >= first)
    if last is not None:
        asked = asked.where(Slot.service_date <= last)
    order = (Slot.service_date, Slot.starts_at, Slot.id)
    return session.scalars(asked.order_by(*order).execution_options(populate_existing=True)).all()
