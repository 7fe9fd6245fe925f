"""The invented country in the tables, so that the product loads it from there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from booking.escort.matching.people import Candidate, Duty, Request, Taken
from booking.escort.matching.travel import Stop
from booking.escort.models import EscortAbsence, EscortAssignment, EscortDuty, EscortKnows, EscortWorker
from booking.models import Booking
from booking.sealing import seal_details
from drill.dispatch.country import NOW, Country
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.db import Base, transaction
from marketplace.core.ids import new_id
from marketplace.demo.people import load_people, make_customers
from vip.customers.person_keys import PROCESS, WrappedKey, key_of
from vip.models import Beneficiary, Customer, Entitlement, Operator

KIND = "hospital_escort"
PROVIDER = "dispatch-drill"
ASKED_FOR = timedelta(minutes=15)


@dataclass(frozen=True)
class Stored:
    """The bookings that somebody is to be sent to (internal ids), and the country as the tables have it: ids are those
    of the tables, and nobody has a rating."""

    bookings: Sequence[int]
    requests: Mapping[str, Request]
    candidates: Sequence[Candidate]


@dataclass(frozen=True)
class _Hers:
    """Whose bookings they are, and the offers by city."""

    customer: Customer
    person: Beneficiary
    entitlement: Entitlement
    key: WrappedKey
    provider_id: int
    offers: Mapping[str, int]


def store(country: Country) -> Stored:
    """Write the country into an empty database."""
    load_people(NOW)
    make_customers(1, KIND, None, NOW)
    with transaction() as session:
        provider = Provider(public_id=new_id("prv"), code=PROVIDER, name_zh="示范陪诊", name_en="Demonstration escorts",
                            adapter="desk", base_url="")  # fmt: skip
        session.add(provider)
        session.flush()
        hers = _hers(session, provider.id, _offers(session, provider.id, _sites(session, country)))
        workers = [replace(each, provider_id=provider.id, stars=0, ratings=0) for each in country.candidates]
        _add_workers(session, workers)
        requests = [replace(each, provider_id=provider.id) for each in country.requests]
        ids = _add_bookings(session, [_booking(hers, each) for each in requests])
        _add_answers(session, requests, ids)
        _add_taken(session, hers, workers)
    return Stored([ids[each.booking] for each in requests], {each.booking: each for each in requests}, workers)


def _sites(session: Session, country: Country) -> Mapping[str, int]:
    """Every hospital that is named anywhere, under its own id; one of each city."""
    asked = [(each.stop, each.province, each.city) for each in country.requests]
    had = [(taken.stop, each.province, each.city) for each in country.candidates for taken in each.taken]
    known = [(Stop(place), each.province, each.city) for each in country.candidates for place in each.knows]
    rows: dict[int | None, dict[str, Any]] = {}
    for stop, province, city in (*known, *asked, *had):  # what is known of a position comes last
        at = stop.position
        row: dict[str, Any] = {"id": stop.place, "public_id": new_id("sit"), "name": f"示范{stop.place}院"}
        row |= {"province": province, "city": city}
        rows[stop.place] = row | {"longitude": at and at.longitude, "latitude": at and at.latitude}
    session.execute(insert(Site).execution_options(render_nulls=True), list(rows.values()))
    return {row["city"]: row["id"] for row in rows.values()}


def _offers(session: Session, provider_id: int, sites: Mapping[str, int]) -> Mapping[str, int]:
    offers = {}
    for city, site in sites.items():
        pool = CapacityPool(public_id=new_id("pol"), provider_id=provider_id, site_id=site, external_ref=city)
        session.add(pool)
        session.flush()
        offer = Offer(public_id=new_id("ofr"), provider_id=provider_id, site_id=site, pool_id=pool.id, kind=KIND,
                      external_ref=city, name_zh="陪诊", name_en="Escort", certified=True)  # fmt: skip
        session.add(offer)
        session.flush()
        offers[city] = offer.id
    return offers


def _hers(session: Session, provider_id: int, offers: Mapping[str, int]) -> _Hers:
    customer = session.scalars(select(Customer).order_by(Customer.id.desc()).limit(1)).one()
    person = session.scalars(select(Beneficiary).where(Beneficiary.customer_id == customer.id).limit(1)).one()
    entitlement = session.scalars(select(Entitlement).where(Entitlement.customer_id == customer.id).limit(1)).one()
    return _Hers(customer, person, entitlement, key_of(session, person, PROCESS), provider_id, offers)


def _booking(hers: _Hers, it: Request) -> dict[str, Any]:
    minutes = int((it.ends_at - it.starts_at).total_seconds() // 60)
    wishes = {"language": it.language, "escort_sex": it.sex}
    answers = {name: wish for name, wish in wishes.items() if wish is not None}
    return {
        "public_id": it.booking,
        "reference": hashlib.md5(it.booking.encode(), usedforsecurity=False).hexdigest()[:12],
        "insurer_id": hers.customer.insurer_id,
        "customer_id": hers.customer.id,
        "beneficiary_id": hers.person.id,
        "offer_id": hers.offers[it.city],
        "provider_id": it.provider_id,
        "entitlement_id": hers.entitlement.id,
        "venue_id": it.stop.place,
        "kind": KIND,
        "state": "awaiting_provider",
        "service_date": it.day,
        "starts_at": it.starts_at,
        "ends_at": it.ends_at,
        "time_zone": it.zone,
        "period": Range(empty=True),
        "price_minor": 0,
        "currency": "CNY",
        "snapshot": {"package": {"duration_minutes": minutes}},
        "details_sealed": seal_details(answers, hers.key, it.booking),
        "created_at": NOW,
        "updated_at": NOW,
    }


def _add_bookings(session: Session, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    _add(session, Booking, rows)
    named = select(Booking.public_id, Booking.id).where(Booking.public_id.in_([row["public_id"] for row in rows]))
    return {row.public_id: row.id for row in session.execute(named)}


def _add_workers(session: Session, workers: Sequence[Candidate]) -> None:
    manager = Operator(public_id=new_id("opr"), provider_id=workers[0].provider_id, login="dispatch-drill", name="主管",
                       role="manager", password_hash="")  # fmt: skip
    session.add(manager)
    session.flush()
    _add(session, EscortWorker, [_worker(each, manager.id) for each in workers])
    _add(session, EscortKnows, [{"worker_id": each.id, "site_id": place} for each in workers for place in each.knows])
    _add(session, EscortDuty, [{"worker_id": each.id, **_line(line)} for each in workers for line in each.duties])
    by = {"cause": "leave", "created_at": NOW, "by_kind": "system", "by": "drill"}
    absences = [
        {"public_id": new_id("esb"), "worker_id": each.id, "period": Range(start, end, bounds="[)"), **by}
        for each in workers
        for start, end in each.absences
    ]
    _add(session, EscortAbsence, absences)


def _worker(it: Candidate, manager: int) -> dict[str, Any]:
    home = it.home.position
    return {
        "id": it.id,
        "public_id": it.public_id,
        "provider_id": it.provider_id,
        "shown_name": it.name,
        "sex": it.sex,
        "languages": sorted(it.languages),
        "province": it.province,
        "city": it.city,
        "home_longitude": home.longitude if home else None,
        "home_latitude": home.latitude if home else None,
        "papers_checked_at": NOW if it.papers else None,
        "papers_checked_by": manager if it.papers else None,
        "auto": it.auto,
        "active_from": it.active_from,
        "ended_at": it.ended_at,
        "created_at": NOW,
        "updated_at": NOW,
    }


def _line(it: Duty) -> dict[str, Any]:
    return {
        "weekdays": sorted(it.weekdays),
        "start_minute": it.start_minute,
        "end_minute": it.end_minute,
        "valid_from": it.valid_from,
        "valid_until": it.valid_until,
    }


def _add_answers(session: Session, requests: Sequence[Request], ids: Mapping[str, int]) -> None:
    """Those who were asked for it before, and said no or nothing."""
    said = [(each, worker, "declined", "declined") for each in requests for worker in each.declined]
    said += [(each, worker, "expired", "no_answer") for each in requests for worker in each.silent]
    rows = [assignment(ids[each.booking], worker, each, state, cause) for each, worker, state, cause in said]
    _add(session, EscortAssignment, rows)


def _add_taken(session: Session, hers: _Hers, workers: Sequence[Candidate]) -> None:
    """What workers were promised to before: a booking each, with somebody who accepted."""
    promised = [(each, _as_request(each, taken)) for each in workers for taken in each.taken]
    ids = _add_bookings(session, [_booking(hers, request) for _worker, request in promised])
    rows = [assignment(ids[request.booking], worker.id, request, "accepted", None) for worker, request in promised]
    _add(session, EscortAssignment, rows)


def _as_request(it: Candidate, taken: Taken) -> Request:
    return Request(
        taken.booking, it.provider_id, it.province, it.city, HOME_ZONE, taken.start, taken.end, taken.stop, NOW
    )


def assignment(booking_id: int, worker_id: int, it: Request, state: str, cause: str | None) -> dict[str, Any]:
    """A row of a worker who is asked for a booking; nothing of the way there is in it yet."""
    period = Range(it.starts_at, it.ends_at, bounds="[)")
    return {
        "public_id": new_id("esa"),
        "booking_id": booking_id,
        "worker_id": worker_id,
        "provider_id": it.provider_id,
        "state": state,
        "period": period,
        "padded": period,
        "travel_seconds": 0,
        "asked_at": NOW - ASKED_FOR,
        "answer_due_at": NOW,
        "answered_at": NOW if state in ("accepted", "declined") else None,
        "ended_at": NOW if cause else None,
        "cause": cause,
        "asked_by_kind": "system",
        "asked_by": "drill",
    }


def _add(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table).execution_options(render_nulls=True), rows)
