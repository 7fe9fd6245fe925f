"""Bookings and workers as the tables have them, for matching: a handful of statements, for one booking as for a
thousand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, case, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, aliased

from booking.eligibility.told import those_told
from booking.escort.matching.match import Match, matched
from booking.escort.matching.people import Candidate, Duty, Request, Taken
from booking.escort.matching.service import service_times
from booking.escort.matching.travel import Stop
from booking.escort.models import (
    DECLINED,
    DONE,
    LIVE,
    NO_ANSWER,
    REPLACED,
    EscortAbsence,
    EscortAssignment,
    EscortDuty,
    EscortKnows,
    EscortWorker,
    asked_here,
)
from booking.models import Booking
from booking.ratings.models import Rating
from booking.sealing import open_details
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.crypto import Unreadable
from marketplace.core.errors import NotFound
from marketplace.core.sphere import Position
from vip.customers.person_keys import PROCESS, keys_of
from vip.models import Beneficiary

AROUND = timedelta(days=1)
"""How far around the services what else a worker does is read: no way in a city is longer."""
SILENCE_LASTS = timedelta(hours=12)
"""So long after she did not answer she is not asked for the same again: then she may have her phone at hand."""
LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Loaded:
    """What `plan` takes."""

    requests: Sequence[Request]
    candidates: Sequence[Candidate]


def match(session: Session, booking: str, *, now: datetime) -> Match:
    """Whom a booking (public id) could have of its provider's workers, whoever is asked for it now among them. Raises
    NotFound(field="booking_id"). What may be asked, and by whom, is the caller's to know."""
    found = load(session, select(Booking.id).where(Booking.public_id == booking), now=now)
    if not found.requests:
        raise NotFound(field="booking_id")
    return matched(found.requests[0], found.candidates)


def load(session: Session, bookings: Any, *, now: datetime, auto: bool = False) -> Loaded:
    """These bookings (internal ids, or a query of them) as requests, and the workers of their providers and cities;
    with `auto` only those who may be asked by itself. What a worker has taken leaves out these bookings themselves."""
    rows = session.execute(_bookings().where(Booking.id.in_(bookings)).order_by(Booking.id)).all()
    if not rows:
        return Loaded([], [])
    requests = _requests(session, rows, now)
    return Loaded(requests, _candidates(session, rows, requests, now, auto))


def _bookings() -> Any:
    place = aliased(Site)
    return (
        select(Booking, Beneficiary, place.id.label("place"), place.province, place.city)
        .add_columns(place.longitude, place.latitude)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(place, place.id == place_id(func.coalesce(Booking.venue_id, Offer.site_id)))
    )


def _requests(session: Session, rows: Sequence[Row[Any]], now: datetime) -> list[Request]:
    wishes = _wishes(session, rows, now)
    requests = []
    for row in rows:
        it: Booking = row.Booking
        start, end = service_times(it.service_date, it.starts_at, it.time_zone, it.snapshot.get("package") or {})
        requests.append(
            Request(
                booking=it.public_id,
                provider_id=it.provider_id,
                province=row.province,
                city=row.city,
                zone=it.time_zone,
                starts_at=start,
                ends_at=end,
                stop=Stop(row.place, _position(row.longitude, row.latitude)),
                earliest=now,
                language=wishes[it.id].get("language"),
                sex=wishes[it.id].get("escort_sex"),
            )
        )
    return _with_answers(session, rows, requests, now)


def _wishes(session: Session, rows: Sequence[Row[Any]], now: datetime) -> Mapping[int, Mapping[str, Any]]:
    """What each customer answered, by booking; nothing where those who are sent may not be told, or she is erased."""
    told = those_told(session, [row.Booking for row in rows], now)
    keys = keys_of(session, [row.Beneficiary for row in rows], PROCESS)
    found: dict[int, Mapping[str, Any]] = {}
    for row in rows:
        it: Booking = row.Booking
        found[it.id] = {}
        if it.id in told:
            try:
                found[it.id] = open_details(it.details_sealed, keys[it.beneficiary_id], it.public_id)
            except Unreadable:
                continue
    return found


def _with_answers(
    session: Session, rows: Sequence[Row[Any]], requests: Sequence[Request], now: datetime
) -> list[Request]:
    """With those who said no, did not answer lately or were taken off. That is about one time: another one asks
    anew."""
    said: dict[tuple[int, str], set[int]] = defaultdict(set)
    starts = {row.Booking.id: request.starts_at for row, request in zip(rows, requests, strict=True)}
    said_ = case((EscortAssignment.cause == NO_ANSWER, NO_ANSWER), else_=EscortAssignment.state)
    before = session.execute(
        select(EscortAssignment.booking_id, EscortAssignment.worker_id, said_.label("said"))
        .add_columns(func.lower(EscortAssignment.period).label("starts_at"))
        .where(EscortAssignment.booking_id.in_(starts), said_.in_((DECLINED, NO_ANSWER, REPLACED)))
        .where(or_(said_ != NO_ANSWER, EscortAssignment.ended_at > now - SILENCE_LASTS))
    )
    for each in before:
        if each.starts_at == starts[each.booking_id]:
            said[each.booking_id, each.said].add(each.worker_id)
    return [
        replace(
            request,
            declined=frozenset(said[row.Booking.id, DECLINED]),
            silent=frozenset(said[row.Booking.id, NO_ANSWER]),
            replaced=frozenset(said[row.Booking.id, REPLACED]),
        )
        for row, request in zip(rows, requests, strict=True)
    ]


def _candidates(
    session: Session, rows: Sequence[Row[Any]], requests: Sequence[Request], now: datetime, auto: bool
) -> list[Candidate]:
    where = {(each.provider_id, each.province, each.city) for each in requests}
    place = tuple_(EscortWorker.provider_id, EscortWorker.province, EscortWorker.city)
    there = or_(EscortWorker.ended_at.is_(None), EscortWorker.ended_at > now)
    query = select(EscortWorker).where(place.in_(where), there, asked_here())
    if auto:
        query = query.where(EscortWorker.auto)
    workers = session.scalars(query.order_by(EscortWorker.public_id)).all()
    ids = [each.id for each in workers]
    around = Range(
        min(each.starts_at for each in requests) - AROUND, max(each.ends_at for each in requests) + AROUND, bounds="[)"
    )
    taken = _taken(session, ids, around, [row.Booking.id for row in rows])
    absences = _absences(session, ids, around)
    duties, knows, ratings = _duties(session, ids), _knows(session, ids), _ratings(session, ids)
    return [
        Candidate(
            id=each.id,
            public_id=each.public_id,
            provider_id=each.provider_id,
            name=each.shown_name,
            sex=each.sex,
            languages=frozenset(each.languages),
            province=each.province,
            city=each.city,
            active_from=each.active_from,
            ended_at=each.ended_at,
            papers=each.papers_checked_at is not None,
            auto=each.auto,
            home=Stop(None, _position(each.home_longitude, each.home_latitude)),
            duties=duties[each.id],
            absences=absences[each.id],
            taken=taken[each.id],
            knows=frozenset(knows[each.id]),
            stars=ratings.get(each.id, (0, 0))[0],
            ratings=ratings.get(each.id, (0, 0))[1],
        )
        for each in workers
    ]


def _taken(
    session: Session, workers: Sequence[int], around: Range[datetime], without: Collection[int]
) -> Mapping[int, list[Taken]]:
    """What each is asked for or promised to, and where she has been: what is done ended when it was done, and
    what she was asked for after its beginning began then."""
    place = aliased(Site)
    rows = session.execute(
        select(EscortAssignment.worker_id, EscortAssignment.needed.label("needed"), EscortAssignment.ended_at)
        .add_columns(Booking.public_id)
        .add_columns(place.id.label("place"), place.longitude, place.latitude)
        .join(Booking, Booking.id == EscortAssignment.booking_id)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(place, place.id == place_id(func.coalesce(Booking.venue_id, Offer.site_id)))
        .where(EscortAssignment.worker_id.in_(workers), EscortAssignment.state.in_((*LIVE, DONE)))
        .where(EscortAssignment.period.overlaps(around), EscortAssignment.booking_id.not_in(without))
        .order_by(func.lower(EscortAssignment.period))
    )
    found: dict[int, list[Taken]] = defaultdict(list)
    for row in rows:
        stop = Stop(row.place, _position(row.longitude, row.latitude))
        start, end = row.needed.lower, row.needed.upper
        until = end if row.ended_at is None else max(start, min(end, row.ended_at))
        found[row.worker_id].append(Taken(start, until, stop, row.public_id))
    return found


def _absences(
    session: Session, workers: Sequence[int], around: Range[datetime]
) -> Mapping[int, list[tuple[datetime, datetime]]]:
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    rows = select(EscortAbsence.worker_id, EscortAbsence.period).where(
        EscortAbsence.worker_id.in_(workers), EscortAbsence.period.overlaps(around)
    )
    for row in session.execute(rows):
        found[row.worker_id].append((row.period.lower, row.period.upper or LATEST))
    return found


def _duties(session: Session, workers: Sequence[int]) -> Mapping[int, list[Duty]]:
    found: dict[int, list[Duty]] = defaultdict(list)
    for row in session.scalars(select(EscortDuty).where(EscortDuty.worker_id.in_(workers)).order_by(EscortDuty.id)):
        line = Duty(frozenset(row.weekdays), row.start_minute, row.end_minute, row.valid_from, row.valid_until)
        found[row.worker_id].append(line)
    return found


def _knows(session: Session, workers: Sequence[int]) -> Mapping[int, set[int]]:
    """By place: what was known before two entries became one is known now."""
    found: dict[int, set[int]] = defaultdict(set)
    place = place_id(EscortKnows.site_id).label("place")
    for row in session.execute(select(EscortKnows.worker_id, place).where(EscortKnows.worker_id.in_(workers))):
        found[row.worker_id].add(row.place)
    return found


def _ratings(session: Session, workers: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """The sum of stars and how many gave them, for what each has done."""
    rows = session.execute(
        select(EscortAssignment.worker_id, func.sum(Rating.stars).label("stars"), func.count().label("ratings"))
        .join(Rating, Rating.booking_id == EscortAssignment.booking_id)
        .where(EscortAssignment.worker_id.in_(workers), EscortAssignment.state == DONE)
        .group_by(EscortAssignment.worker_id)
    )
    return {row.worker_id: (int(row.stars), int(row.ratings)) for row in rows}


def _position(longitude: float | None, latitude: float | None) -> Position | None:
    return None if longitude is None or latitude is None else Position(latitude=latitude, longitude=longitude)
