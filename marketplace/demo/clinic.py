"""What the demonstration's clinic sells: check-ups at one site, by weekly rules as its desk would write them."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select

from booking.capacity_rules.edit import NEW, CalendarChanged, Editor, Wish, change
from booking.capacity_rules.plan import Rules, Section, WeeklyRule
from booking.idempotency import Repeatable
from booking.offers.maintain import OfferChanged, PlaceOfPool, Terms, VersionMissing, Writer, put_offer, put_pool
from booking.offers.naming import name_place
from marketplace.catalog.models import CapacityPool, Provider, Site
from marketplace.core.clock import today
from marketplace.core.database.db import reading
from marketplace.demo.desk import PROVIDER
from marketplace.demo.offers import KIND, demo_packages

POOL = "morning-hall"
POOL_NAME = "一楼体检厅"
WORKDAYS, SATURDAY = frozenset(range(1, 6)), frozenset({6})
MOST_OFFERS = 2
BY = "demonstration"


def load_clinic(now: datetime) -> bool:
    """Make the clinic's pool, offers and weekly rules as far as they are missing; the worker makes the slots. Whether
    it has them now: without the provider or an open site there is nothing to make."""
    with reading() as session:
        provider = session.scalar(select(Provider.id).where(Provider.code == PROVIDER))
        site = session.execute(
            select(Site.public_id, Site.time_zone).where(Site.closed_at.is_(None)).order_by(Site.id).limit(1)
        ).one_or_none()
    if provider is None or site is None:
        return False
    _put_pool(Writer(provider, BY), site.public_id, now)
    with reading() as session:
        pool = session.scalars(
            select(CapacityPool.public_id).where(
                CapacityPool.provider_id == provider, CapacityPool.external_ref == POOL
            )
        ).one()
    _write_rules(Editor(provider, BY), pool, site.time_zone, now)
    return True


def _name_place(writer: Writer, now: datetime) -> None:
    with reading() as session:
        query = select(CapacityPool.public_id).where(
            CapacityPool.provider_id == writer.provider_id, CapacityPool.external_ref == POOL
        )
        pool = session.scalars(query).one()
    name_place(writer, pool, POOL_NAME, now=now)


def _put_pool(writer: Writer, site: str, now: datetime) -> None:
    with reading() as session:
        there = session.scalar(
            select(CapacityPool.id).where(
                CapacityPool.provider_id == writer.provider_id, CapacityPool.external_ref == POOL
            )
        )
    if there is None:
        put_pool(writer, POOL, PlaceOfPool(site_id=site), repeat=_once(POOL), now=now)
        _name_place(writer, now)
    for package in list(demo_packages().values())[:MOST_OFFERS]:
        terms = Terms(
            benefit=KIND,
            pool=POOL,
            name_zh=package.name_zh,
            name_en=package.name_en,
            package=package.package,
            price_minor=package.price_minor,
            currency="CNY",
            lead_minutes=720,
            cancel_hours=24,
            change_hours=24,
            max_changes=3,
            available_from=None,
            available_until=None,
            active=True,
        )
        try:
            put_offer(writer, package.code, terms, known=None, repeat=_once(package.code), now=now)
        except (OfferChanged, VersionMissing):
            continue  # it is there already


def _write_rules(editor: Editor, pool: str, zone: str, now: datetime) -> None:
    since = today(zone, now)
    mornings = Section(8 * 60, 11 * 60 + 30, 30, 6)
    rules = Rules(
        weekly=[
            WeeklyRule(WORKDAYS, mornings, since),
            WeeklyRule(WORKDAYS, Section(13 * 60 + 30, 16 * 60, 30, 4), since),
            WeeklyRule(SATURDAY, Section(8 * 60, 11 * 60, 30, 3), since),
        ],
        make_up_weekday=1,
    )
    try:
        change(editor, pool, Wish(rules=rules), NEW, now=now)
    except CalendarChanged:  # there are rules: hers, perhaps
        return


def _once(what: str) -> Repeatable:
    return Repeatable(f"{BY}:{PROVIDER}", what, hashlib.sha256(what.encode()).digest())
