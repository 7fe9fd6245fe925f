"""The demonstration's escorts to come: bookings of one customer in the next days, so that the boards of the escort
services have something on them: one who goes, one who is asked, two that nobody goes with yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, literal, select, true

from booking.capacity_rules.extend import publish_calendar
from booking.escort.at_desk.asked import accept_by_phone, ask_worker, asks_of
from booking.escort.models import EscortWorker
from booking.hold.place import HoldRequest, hold
from booking.hold.submit import submit
from booking.models import Booking, Slot
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.clock import HOME_ZONE, today
from marketplace.core.database.db import reading
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from marketplace.demo.escort_workers import manager_of
from marketplace.demo.escorts import BY, ESCORT, INSTANT, ON_REQUEST, DemoEscorts
from marketplace.demo.people import PEOPLE
from vip import phones
from vip.models import Beneficiary, Customer
from vip.principal import Member, Principal
from vip.signin.signin import insurer_id, require_development

log = get_logger(__name__)

WHOSE = PEOPLE[1]


@dataclass(frozen=True)
class _Demo:
    """A booking so many days ahead, the first or second window of that day, for somebody of the family. `number`: the
    worker who is asked; `accepted`: and has said yes."""

    service: DemoEscorts
    ahead: int
    window: int
    relation: str
    answers: dict[str, Any]
    number: str = ""
    accepted: bool = False


def _answers(department: str, mobility: str, **more: str) -> dict[str, Any]:
    contact = {"contact_name": "程远帆", "contact_phone": WHOSE.phone}
    return {"department": department, "mobility": mobility, **contact, **more, "share": True}


_BOOKINGS = (
    _Demo(
        ON_REQUEST, 2, 0, "mother_in_law", _answers("心内科", "stick", escort_sex="female"), "AX 0427", accepted=True
    ),
    _Demo(ON_REQUEST, 3, 0, "spouse", _answers("眼科", "walks", language="shanghainese"), "AX 0431"),
    _Demo(ON_REQUEST, 4, 1, "self", _answers("骨科", "needs_help")),
    _Demo(INSTANT, 5, 0, "mother_in_law", _answers("神经内科", "wheelchair", escort_sex="female")),
)


def load_escort_bookings(now: datetime) -> int:
    """Book them where the customer has booked no escort yet; services, workers, policies and coverage are there. How
    many were. Raises DevelopmentOnly elsewhere."""
    require_development()
    customer = customer_without(WHOSE.phone, dispatched())
    if customer is None:
        return 0
    made = 0
    for one in _BOOKINGS:
        manager = manager_of(one.service)
        booking = _book(customer, manager, one, now)
        if booking is not None:
            made += 1
            _ask(manager, booking, one, now)
    return made


def customer_without(phone: str, kinds: Sequence[str], provider: str = "") -> Principal | None:
    """The customer with that phone, as one who has signed in; None where she has or had one of these kinds booked, at
    the provider with that code if one is named."""
    hers = phones.of_customer(phones.indexes(phones.normalise(phone)))
    there = Booking.provider_id == select(Provider.id).where(Provider.code == provider).scalar_subquery()
    booked = exists().where(Booking.customer_id == Customer.id, Booking.kind.in_(kinds), there if provider else true())
    with reading() as session:
        found = session.scalar(select(Customer).where(Customer.insurer_id == insurer_id(session), hers, ~booked))
    if found is None:
        return None
    return Principal("customer", found.id, found.public_id, found.insurer_id, 0, HOME_ZONE)


def _book(customer: Principal, manager: Member, one: _Demo, now: datetime) -> str | None:
    """Book it as the customer does; None where there is no place or no such time, as in a list of other hospitals."""
    with reading() as session:
        offer = session.scalars(_first_offer(manager)).first()
        if offer is None:
            return None
        pool = session.get_one(CapacityPool, offer.pool_id)
    publish_calendar(pool.id, now=now)
    day = today(HOME_ZONE, now) + timedelta(days=one.ahead)
    with reading() as session:
        slots = session.scalars(
            select(Slot.public_id).where(Slot.pool_id == pool.id, Slot.service_date == day).order_by(Slot.starts_at)
        ).all()
    if len(slots) <= one.window:
        return None
    key = f"{BY}:{one.service.code}:{one.ahead}"
    return book_escort(customer, offer, slots[one.window], one.relation, one.answers, key=key, now=now)


def book_escort(
    customer: Principal,
    offer: Offer,
    slot: str,
    relation: str,
    answers: Mapping[str, Any],
    *,
    key: str,
    now: datetime,
) -> str | None:
    """Book a time (public id) as the customer does, for that relative, to a hospital of the city; the booking's public
    id, None where that can't be done."""
    with reading() as session:
        person = session.scalar(
            select(Beneficiary.public_id).where(
                Beneficiary.customer_id == customer.id, Beneficiary.relation == relation
            )
        )
        home = session.scalars(select(Site).where(Site.id == place_id(literal(offer.site_id)))).one()
        venue = session.scalar(
            select(Site.public_id)
            .where(
                Site.city == home.city, Site.tier == "三级甲等", Site.closed_at.is_(None), Site.merged_into.is_(None)
            )
            .order_by(Site.name)
            .limit(1)
        )
    if person is None or venue is None:
        return None
    request = HoldRequest(offer.public_id, slot, person, None, answers, venue)
    try:
        held = hold(customer, request, key=key, fingerprint=hashlib.sha256(key.encode()).digest(), now=now)
        submit(customer, held.public_id, now=now)
    except Refusal as refusal:
        log.info("demonstration.not_booked", code=refusal.code)
        return None
    return held.public_id


def _first_offer(manager: Member) -> Any:
    """The offer of its first city, as workers have them."""
    return (
        select(Offer)
        .join(Site, Site.id == place_id(Offer.site_id))
        .where(Offer.provider_id == manager.provider_id, Offer.kind == ESCORT)
        .order_by(Site.province, Site.city)
        .limit(1)
    )


def _ask(manager: Member, booking: str, one: _Demo, now: datetime) -> None:
    if not one.number:
        return
    number = select(EscortWorker.public_id).where(
        EscortWorker.provider_id == manager.provider_id, func.coalesce(EscortWorker.staff_number, "") == one.number
    )
    with reading() as session:
        worker = session.scalars(number).first()
    if worker is None:
        return
    try:
        ask_worker(manager, booking, worker, now=now)
        if one.accepted:
            accept_by_phone(manager, booking, asks_of(manager, booking)[0].id, now=now)
    except Refusal as refusal:
        log.info("demonstration.not_asked", code=refusal.code)
