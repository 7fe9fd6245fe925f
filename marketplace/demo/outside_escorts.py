"""The demonstration's escort service with a system of its own, played by the sandbox: one customer's visit to come,
which it answers and names somebody for as soon as it runs, and one that is done, with its record."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.calls.connections import connection_by_code
from booking.escort.after.confirm import ask_customers, went_well
from booking.escort.after.record import file_records
from booking.escort.assign import code_of
from booking.escort.models import EscortAssignment
from booking.escort.outside.lines import hear
from booking.exchange.send import claim_tasks
from booking.exchange.settle import settle_answer
from booking.listening import EscortListening
from booking.models import Booking, Slot
from booking.notices.models import Notification
from booking.offers.maintain import Writer
from booking.sync.slots import apply_slots
from marketplace.catalog.models import CapacityPool, Offer, Provider
from marketplace.core.clock import today
from marketplace.core.database.db import reading, transaction
from marketplace.demo.escort_bookings import book_escort, customer_without
from marketplace.demo.escorts import BY, ESCORT, cities_with_most, offer_of, sell_half_days
from marketplace.demo.people import PEOPLE
from providers.port import Confirmed
from providers.reported import EscortCost, EscortLine, RemoteEscort, RemoteSlot
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import Stamp
from vip.models import Customer
from vip.principal import Principal
from vip.signin.signin import require_development

SENDER, SENDER_ZH, SENDER_EN = "banlu", "伴路陪诊（示范）", "Banlu Escorts (demo)"
CITIES = 3
WHOSE = PEOPLE[0]
AHEAD, AGO = 3, 40
"""Days to the visit to come, and since the one that is done: so long ago that the comparison of books, which would look
for it in the sandbox's, does not ask for it."""
ASSIGN_AFTER = 5.0
"""Seconds from a confirmation to the naming of who goes."""
_SUNDAY = 6
_MORNING, _NOON = time(8), time(12)
_NURSE, _CARER, _TRAINED = ("护理专业", "Nurse"), ("养老护理员", "Care worker"), ("陪诊师证书", "Certified escort")
_STAFF = (
    (("江晚", "female", _NURSE), ("贺川", "male", _CARER), ("俞真", "female", _TRAINED)),
    (("季舒", "female", _NURSE), ("裴然", "male", _TRAINED), ("闻笛", "female", _CARER)),
    (("程岚", "female", _TRAINED), ("安禾", "female", _NURSE), ("骆远", "male", _CARER)),
)
"""Who goes, city by city."""


def sending(session: Session) -> dict[str, Any]:
    """The part of its account in the sandbox's configuration that tells what it sells and whom it sends. No pools where
    there is no site."""
    cities = cities_with_most(session)[:CITIES]
    pools = [
        {
            "pool": _pool(number),
            "pattern": "half_days",
            "time_zone": zone,
            "offers": [{"code": offer_of(_pool(number))}],
        }
        for number, (_site, zone) in enumerate(cities)
    ]
    staff = [
        {
            "code": who.code,
            "pool": _pool(number),
            "name": who.name,
            "sex": who.sex,
            "staff_number": who.staff_number,
            "qualification_zh": who.qualification_zh,
            "qualification_en": who.qualification_en,
        }
        for number in range(len(cities))
        for who in _people(number)
    ]
    if not pools:
        return {}
    offers = [offer_of(_pool(number)) for number in range(len(cities))]
    return {"pools": pools, "escorts": {"offers": offers, "staff": staff, "assign_after": ASSIGN_AFTER}}


def load_outside_escorts(now: datetime) -> int:
    """Make its offers as far as they are missing; how many cities they are for. Raises DevelopmentOnly elsewhere."""
    require_development()
    with reading() as session:
        provider = session.scalar(select(Provider.id).where(Provider.code == SENDER))
        cities = cities_with_most(session)[:CITIES]
    if provider is None or not cities:
        return 0
    for number, (site, _zone) in enumerate(cities):
        sell_half_days(Writer(provider, BY), SENDER, _pool(number), site, now)
    return len(cities)


def load_outside_visits(now: datetime) -> int:
    """Book the two visits where the customer has none there; offers, policies and coverage are. How many were. Raises
    DevelopmentOnly elsewhere."""
    require_development()
    customer = customer_without(WHOSE.phone, (ESCORT,), SENDER)
    with reading() as session:
        offer = session.scalar(
            select(Offer)
            .join(Provider, Provider.id == Offer.provider_id)
            .where(Provider.code == SENDER, Offer.external_ref == offer_of(_pool(0)))
        )
        zone = cities_with_most(session)[0][1] if offer is not None else ""
    if customer is None or offer is None:
        return 0
    past = _on_sale(today(zone, now) - timedelta(days=AGO))
    done = _done(customer, offer, past, zone)
    coming = _on_sale(today(zone, now) + timedelta(days=AHEAD))
    return done + (_book(customer, offer, coming, zone, "father", "心内科", now) is not None)


def _pool(number: int) -> str:
    return f"city-{number + 1}"


def _people(number: int) -> list[RemoteEscort]:
    """Who goes in a city."""
    return [
        RemoteEscort(
            f"BL{number + 1}{place:02d}",
            name,
            "male" if sex == "male" else "female",
            f"BL {number + 1}{place:02d}",
            *known,
        )
        for place, (name, sex, known) in enumerate(_STAFF[number], start=1)
    ]


def _on_sale(day: date) -> date:
    """That day, or the next: it sells no Sundays."""
    return day + timedelta(days=1) if day.weekday() == _SUNDAY else day


def _book(
    customer: Principal, offer: Offer, day: date, zone: str, relation: str, department: str, now: datetime
) -> str | None:
    """Book the morning of a day; the booking's public id, None where that can't be done. The time is written as the
    sandbox will list it, which does not run yet."""
    with reading() as session:
        pool = session.get_one(CapacityPool, offer.pool_id)
    reference = f"{pool.external_ref}@{day:%Y%m%d}T{_MORNING:%H%M}"
    starts, ends = (datetime.combine(day, at, ZoneInfo(zone)) for at in (_MORNING, _NOON))
    slot = RemoteSlot(pool.external_ref, reference, day, starts, ends, offered=len(_STAFF[0]))
    apply_slots(offer.provider_id, [slot], {pool.external_ref: pool.id}, _counts(), now=now)
    with reading() as session:
        time_of_it = session.scalars(
            select(Slot.public_id).where(Slot.pool_id == pool.id, Slot.external_ref == reference)
        ).one()
    answers = {
        "department": department,
        "mobility": "stick",
        "contact_name": WHOSE.self.name,
        "contact_phone": WHOSE.phone,
        "share": True,
    }
    key = f"{BY}:{SENDER}:{day.isoformat()}"
    return book_escort(customer, offer, time_of_it, relation, answers, key=key, now=now)


def _counts() -> dict[str, int]:
    return {"read": 0, "unknown_pool": 0, "added": 0, "changed": 0}


def _done(customer: Principal, offer: Offer, day: date, zone: str) -> int:
    """A visit of that day by whom the provider named, told line by line as its system would have told it; 0 where it
    can't be booked. Its moments are those of that day."""
    starts = datetime.combine(day, _MORNING, ZoneInfo(zone))
    booked, ends = starts - timedelta(days=3), starts + timedelta(hours=4)
    with transaction() as session:
        whose = session.get_one(Customer, customer.id)
        first = day - timedelta(days=20)
        grant(session, whose, Grant(ESCORT, 1, first, day + timedelta(days=1)), Stamp(booked, "system", "demo", BY))
    booking = _book(customer, offer, day, zone, "self", "骨科", booked)
    if booking is None:
        return 0
    reference = f"DEMO-{booking}"
    with reading() as session:
        connection = connection_by_code(session, SENDER)
    for task in claim_tasks(connection, worker=BY, places=1, now=booked):
        settle_answer(task, Confirmed(reference, 1), now=booked)
    who = _people(0)[0]
    _told(offer.provider_id, booking, reference, who, starts)
    ask_customers(now=ends)
    over = ends + timedelta(hours=1)
    went_well(customer, booking, now=over)
    file_records(now=over)
    with transaction() as session:
        ours = select(Booking.id).where(Booking.public_id == booking).scalar_subquery()
        # The sandbox knows nothing of it, and is not asked; the notices of that time were read then.
        session.execute(update(EscortListening).where(EscortListening.booking_id == ours).values(listen_at=None))
        session.execute(update(Notification).where(Notification.booking_id == ours).values(read_at=over))
    return 1


def _told(provider: int, booking: str, reference: str, who: RemoteEscort, starts: datetime) -> None:
    """Each line, a minute after it was done."""

    def say(seq: int, kind: Any, minutes: float, **more: Any) -> None:
        at = starts + timedelta(minutes=minutes)
        line = EscortLine(f"demo-{seq}", reference, booking, seq, kind, who.code, at, **more)
        with transaction() as session:
            hear(session, provider, line, now=at + timedelta(minutes=1))

    near = {"position": "within", "accuracy_m": 18}
    say(1, "assigned", -2 * 1440, worker=who, safe_word="青山")
    say(2, "on_the_way", -45)
    say(3, "arrived", -10, **near)
    say(4, "met", 4, code=_code(booking))
    say(5, "registered", 21)
    say(6, "consulted", 68)
    say(7, "examined", 115)
    say(8, "cost", 140, cost=EscortCost(4_860, "CNY", "药费（自费部分）"))
    say(9, "medicines_fetched", 146)
    say(10, "note", 170, words="医生建议两周后复诊，药已按时间分好。")
    say(11, "handed_over", 215, words="已送到家门口，病历和药都交给本人。")


def _code(booking: str) -> str:
    """What the customer shows who comes."""
    with reading() as session:
        one = session.scalars(
            select(EscortAssignment.id)
            .join(Booking, Booking.id == EscortAssignment.booking_id)
            .where(Booking.public_id == booking, EscortAssignment.live)
        ).one()
        return code_of(session, one) or ""
