"""The demonstration's escort services: people who go with a patient to any hospital of their city, at the desk of an
invented provider. One answers each request, the other gave its mornings and afternoons away in advance."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from booking.capacity_rules.edit import NEW, CalendarChanged, Editor, Wish, change
from booking.capacity_rules.plan import Rules, Section, WeeklyRule
from booking.idempotency import Repeatable
from booking.offers.maintain import OfferChanged, PlaceOfPool, Terms, VersionMissing, Writer, put_offer, put_pool
from marketplace.catalog.models import CapacityPool, Provider, Site
from marketplace.catalog.new_provider import CodeTaken, add_provider
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.demo.desk import PASSWORD, DemoMember
from marketplace.demo.people import PEOPLE
from providers.staff.members import add_member
from vip import phones
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import Stamp
from vip.models import Customer, Entitlement
from vip.operators.operators import LoginTaken
from vip.signin.signin import insurer_id, require_development

ESCORT, APPOINTMENT = "hospital_escort", "appointment_help"
MOST_CITIES = 12
BY = "demonstration"
ANSWER_HOURS = 4
_LOCK = 0x4553_4352  # "ESCR": one loader at a time
_EVERY_DAY = frozenset(range(1, 8))


@dataclass(frozen=True)
class DemoEscorts:
    """An escort service of the demonstration, and who works at its desk. `instant`: its times were given in advance."""

    code: str
    name_zh: str
    name_en: str
    member: DemoMember
    instant: bool


ON_REQUEST = DemoEscorts(
    "anxing",
    "安行陪诊（示范）",
    "Anxing Escorts (demo)",
    DemoMember("yan", "严知夏", "manager", "陪诊调度", "escorts, manager"),
    instant=False,
)
INSTANT = DemoEscorts(
    "jiepei",
    "捷陪（示范）",
    "Jiepei Escorts (demo)",
    DemoMember("tang", "唐予宁", "manager", "陪诊调度", "escorts, manager"),
    instant=True,
)


def _named(code: str, zh: str, en: str) -> dict[str, str]:
    return {"code": code, "name_zh": zh, "name_en": en}


_HALF_DAY: dict[str, Any] = {
    "items": [
        _named("meet", "门口碰面", "Meets at the entrance"),
        _named("register", "协助取号签到", "Registers with you"),
        _named("accompany", "陪同候诊和检查", "Waits with you, goes to examinations"),
        _named("medicine", "代取药品", "Fetches medicines"),
        _named("note", "交接就医小结", "Hands over a note for the family"),
    ],
    "languages": ["mandarin", "cantonese", "english"],
    "duration_minutes": 240,
}
_APPOINTMENT: dict[str, Any] = {
    "items": [
        _named("advice", "推荐科室和医生", "Advises on department and doctor"),
        _named("arrange", "安排专家门诊", "Arranges a specialist's appointment"),
        _named("remind", "就诊前提醒", "Reminds before the visit"),
    ]
}


def load_escorts(now: datetime) -> tuple[DemoMember, ...]:
    """Make the two providers, their offers in the cities with most sites, and the customers' benefits, as far as they
    are missing; returns the sign-ins to print. Raises DevelopmentOnly elsewhere."""
    require_development()
    with reading() as session:
        cities = cities_with_most(session)
    for service in (ON_REQUEST, INSTANT):
        provider = _provider(service, now)
        for number, (site, zone) in enumerate(cities if service is ON_REQUEST else cities[:3], start=1):
            _sell(Writer(provider, BY), service, f"city-{number}", site, zone, now)
    with transaction() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        for person in PEOPLE:
            _give(session, person.phone, ESCORT, None if person.tier == "premier" else 6, now)
            _give(session, person.phone, APPOINTMENT, 2, now)
    return ON_REQUEST.member, INSTANT.member


def cities_with_most(session: Session) -> list[tuple[str, str]]:
    """The public id and time zone of one open site in each of the cities with most of them: it says which city an
    offer is for."""
    rank = func.row_number().over(partition_by=(Site.province, Site.city), order_by=Site.id)
    number = func.count().over(partition_by=(Site.province, Site.city))
    every = (
        select(Site.public_id, Site.time_zone, Site.city, rank.label("rank"), number.label("number"))
        .where(Site.closed_at.is_(None))
        .subquery()
    )
    chosen = select(every.c.public_id, every.c.time_zone).where(every.c.rank == 1)
    rows = session.execute(chosen.order_by(every.c.number.desc(), every.c.city).limit(MOST_CITIES)).all()
    return [(row.public_id, row.time_zone) for row in rows]


def _provider(service: DemoEscorts, now: datetime) -> int:
    with suppress(CodeTaken):
        names = (service.code, service.name_zh, service.name_en)
        add_provider(*names, adapter="desk", time_zone=clock.HOME_ZONE, actor=BY, now=now)
    one = service.member
    with suppress(LoginTaken):
        add_member(service.code, one.login, PASSWORD, one.name, one.role, now=now)
    with transaction() as session:
        session.execute(
            update(Provider)
            .where(Provider.code == service.code)
            .values(allotment=service.instant, answer_hours=ANSWER_HOURS)
        )
        return session.scalars(select(Provider.id).where(Provider.code == service.code)).one()


def _sell(writer: Writer, service: DemoEscorts, pool: str, site: str, zone: str, now: datetime) -> None:
    """A city's staff as a pool, their hours, and what they are booked for."""
    made = sell_half_days(writer, service.code, pool, site, now)
    _write_rules(Editor(writer.provider_id, BY), made, zone, now)
    if not service.instant:
        name = ("专家门诊协助", "A specialist's appointment")
        _put(writer, service.code, pool, APPOINTMENT, name, _APPOINTMENT, 59_800, now)


def sell_half_days(writer: Writer, service: str, pool: str, site: str, now: datetime) -> str:
    """A city's staff as a pool, and half a day of theirs as an offer, as far as they are missing; the pool's public id.
    `service`: the provider's code."""
    wanted = select(CapacityPool.public_id).where(
        CapacityPool.provider_id == writer.provider_id, CapacityPool.external_ref == pool
    )
    with reading() as session:
        there = session.scalar(wanted)
    if there is None:
        put_pool(writer, pool, PlaceOfPool(site_id=site), repeat=_once(service, pool), now=now)
    _put(writer, service, pool, ESCORT, ("陪诊半天", "Escort for half a day"), _HALF_DAY, 39_800, now)
    with reading() as session:
        return session.scalars(wanted).one()


def offer_of(pool: str, benefit: str = ESCORT) -> str:
    """What a provider calls the offer of such a pool."""
    return f"{pool}-{benefit.replace('_', '-')}"


def _put(
    writer: Writer,
    service: str,
    pool: str,
    benefit: str,
    name: tuple[str, str],
    package: dict[str, Any],
    price_minor: int,
    now: datetime,
) -> None:
    terms = Terms(
        benefit=benefit,
        pool=pool,
        name_zh=name[0],
        name_en=name[1],
        package=package,
        price_minor=price_minor,
        currency="CNY",
        lead_minutes=720,
        cancel_hours=12,
        change_hours=12,
        max_changes=2,
        available_from=None,
        available_until=None,
        active=True,
    )
    reference = offer_of(pool, benefit)
    with suppress(OfferChanged, VersionMissing):  # it is there already
        put_offer(writer, reference, terms, known=None, repeat=_once(service, reference), now=now)


def _write_rules(editor: Editor, pool: str, zone: str, now: datetime) -> None:
    since = clock.today(zone, now)
    windows = (Section(8 * 60, 12 * 60, 240, 4), Section(13 * 60, 17 * 60, 240, 4))
    rules = Rules(weekly=[WeeklyRule(_EVERY_DAY, window, since) for window in windows], make_up_weekday=1)
    with suppress(CalendarChanged):  # there are rules: those of its people, perhaps
        change(editor, pool, Wish(rules=rules), NEW, now=now)


def _give(session: Session, phone: str, kind: str, quantity: int | None, now: datetime) -> None:
    hers = phones.of_customer(phones.indexes(phones.normalise(phone)))
    customer = session.scalar(select(Customer).where(Customer.insurer_id == insurer_id(session), hers))
    if customer is None:
        return
    has = select(Entitlement.id).where(Entitlement.customer_id == customer.id, Entitlement.kind == kind).limit(1)
    if session.scalar(has) is not None:
        return
    first = clock.today(clock.HOME_ZONE, now).replace(day=1)
    year = Grant(kind, quantity, first, first + timedelta(days=365))
    grant(session, customer, year, Stamp(now, "system", "demo", BY))


def _once(service: str, what: str) -> Repeatable:
    return Repeatable(f"{BY}:{service}", what, hashlib.sha256(what.encode()).digest())
