"""The demonstration's online consultations, in two languages: the clinic's doctors answer at its desk, those of the
online hospital in its own system, played by the sandbox. Two of the customers may ask them, one without limit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.idempotency import Repeatable
from booking.offers.maintain import OfferChanged, PlaceOfPool, Terms, VersionMissing, Writer, put_offer, put_pool
from marketplace.catalog.models import CapacityPool, Provider, Site
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.demo.desk import PROVIDER
from marketplace.demo.people import PEOPLE
from vip import phones
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import Stamp
from vip.models import Customer, Entitlement
from vip.signin.signin import insurer_id

KIND = "online_consultation"
POOL = OFFER = "consultations"
BY = "demonstration"
PACKAGE: dict[str, Any] = {
    "departments": [
        {"code": "general", "name_zh": "全科", "name_en": "General practice"},
        {"code": "internal", "name_zh": "内科", "name_en": "Internal medicine"},
        {"code": "dermatology", "name_zh": "皮肤科", "name_en": "Dermatology"},
        {"code": "paediatrics", "name_zh": "儿科", "name_en": "Paediatrics"},
    ],
    "languages": ["zh", "en"],
}
QUANTITIES: dict[str, int | None] = {"premier": None, "select": 12}
"""How many consultations the demonstration's customer of a tier has; None without limit."""

_LOCK = 0x434F_4E53  # "CONS": one loader at a time


def load_consultations(now: datetime) -> bool:
    """Make the clinic's offer and the customers' benefits as far as they are missing. Whether the offer is there:
    without the provider or an open site there is nothing to make."""
    if not sell(PROVIDER, "在线图文问诊", "Online consultation", PACKAGE, 6_000, now):
        return False
    _give_benefits(now)
    return True


def sell(code: str, name_zh: str, name_en: str, package: Mapping[str, Any], price_minor: int, now: datetime) -> bool:
    """Make a provider's offer of consultations with its pool, as far as they are missing. Whether it is there: without
    the provider or an open site there is nothing to make."""
    with reading() as session:
        provider = session.scalar(select(Provider.id).where(Provider.code == code))
        site = session.scalar(select(Site.public_id).where(Site.closed_at.is_(None)).order_by(Site.id).limit(1))
        pool = session.scalar(
            select(CapacityPool.id).where(CapacityPool.provider_id == provider, CapacityPool.external_ref == POOL)
        )
    if provider is None or site is None:
        return False
    writer = Writer(provider, BY)
    if pool is None:
        put_pool(writer, POOL, PlaceOfPool(site_id=site), repeat=_once(code, "pool"), now=now)
    terms = Terms(
        benefit=KIND,
        pool=POOL,
        name_zh=name_zh,
        name_en=name_en,
        package=package,
        price_minor=price_minor,
        currency="CNY",
        lead_minutes=0,
        cancel_hours=0,
        change_hours=0,
        max_changes=0,
        available_from=None,
        available_until=None,
        active=True,
    )
    with suppress(OfferChanged, VersionMissing):  # it is there already
        put_offer(writer, OFFER, terms, known=None, repeat=_once(code, "offer"), now=now)
    return True


def _give_benefits(now: datetime) -> None:
    with transaction() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        for person in PEOPLE:
            if person.tier in QUANTITIES:
                _give(session, person.phone, QUANTITIES[person.tier], now)


def _give(session: Session, phone: str, quantity: int | None, now: datetime) -> None:
    hers = phones.of_customer(phones.indexes(phones.normalise(phone)))
    customer = session.scalar(select(Customer).where(Customer.insurer_id == insurer_id(session), hers))
    if customer is None:
        return
    has = select(Entitlement.id).where(Entitlement.customer_id == customer.id, Entitlement.kind == KIND).limit(1)
    if session.scalar(has) is not None:
        return
    first = clock.today(clock.HOME_ZONE, now).replace(day=1)
    year = Grant(KIND, quantity, first, first + timedelta(days=365))
    grant(session, customer, year, Stamp(now, "system", "demo", BY))


def _once(code: str, what: str) -> Repeatable:
    return Repeatable(f"{BY}:{code}:consultations", what, hashlib.sha256(what.encode()).digest())
