"""A worker's own escorts, as her phone shows them: those she is asked for, today's, the next ones, and each in full.

A list names nobody. Who is escorted, and what was answered for it, is shown with one escort at a time, while she has
accepted it and it is not over; each such look is a line of the audit, and so is one at what she wrote herself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from booking.eligibility.told import may_be_told
from booking.escort.assign import accept, assigned, decline
from booking.escort.deeds import Deed, deeds_in, deeds_of
from booking.escort.models import ACCEPTED, ASKED, EscortAssignment
from booking.escorting.take import highest_number
from booking.escorting.whose import FIELD, LATELY, may_open, was_accepted, worker_of
from booking.models import Booking
from booking.sealing import open_details
from marketplace.catalog.benefit_kind import age_on
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core import audit
from marketplace.core.clock import today
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When
from marketplace.core.errors import NotFound
from marketplace.core.sphere import Position
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary
from vip.principal import Member

SHOWN = "escort.shown_to_worker"
"""The audit's action for a worker's look at who is escorted and at what was written; its subject is the booking."""
MOST = 60
"""Escorts of one list."""


@dataclass(frozen=True)
class MyEscort:
    """One in a list. `id` is the assignment's public id, `state` its state; `site` the hospital as the booking's
    snapshot has it. `answer_due_at`: until when she may answer, where she is asked."""

    id: str
    state: str
    cause: str
    kind: str
    reference: str
    site: Mapping[str, Any]
    starts_at: datetime
    ends_at: datetime
    day: date
    time_zone: str
    answer_due_at: datetime | None


@dataclass(frozen=True)
class MyEscorts:
    """A worker's lists: asked by deadline, the others by time, those that are over latest first."""

    name: str
    asked: Sequence[MyEscort] = ()
    today: Sequence[MyEscort] = ()
    later: Sequence[MyEscort] = ()
    over: Sequence[MyEscort] = ()


@dataclass(frozen=True)
class Escorted:
    """Who is escorted, and what was answered for it: empty where the agreement to that was taken back."""

    name: str = field(repr=False)
    sex: str
    age: int
    answers: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class EscortInFull:
    """One that she has accepted. `person`, `safe_word` and its `pinyin` are None and blank once it is over. `where`:
    the hospital's coordinates, None where they are not known. `deeds` are hers by number, `before` those of who went
    with the person before her; `highest` is the highest number that is known of hers. `currency`: of sums."""

    escort: MyEscort
    booking: str
    person: Escorted | None
    safe_word: str
    pinyin: str
    where: Position | None
    deeds: Sequence[Deed]
    before: Sequence[Deed]
    highest: int
    currency: str


def my_escorts(member: Member, *, now: datetime) -> MyEscorts:
    """Her lists. Raises NotFound for who is no worker."""
    with reading() as session:
        worker = worker_of(session, member)
        recent = and_(may_open(worker), EscortAssignment.ended_at > now - LATELY)
        found = session.execute(
            _rows()
            .where(EscortAssignment.worker_id == worker.id, or_(EscortAssignment.live, recent))
            .order_by(func.lower(EscortAssignment.period), EscortAssignment.id)
            .limit(4 * MOST)
        ).all()
        name = worker.shown_name
    mine = [_escort(row) for row in found]
    asked = sorted((it for it in mine if it.answer_due_at is not None), key=lambda it: it.answer_due_at or now)
    going = [it for it in mine if it.state == ACCEPTED]
    over = [it for it in reversed(mine) if it.state not in (ASKED, ACCEPTED)]
    return MyEscorts(
        name,
        [it for it in asked if it.answer_due_at is not None and it.answer_due_at > now][:MOST],
        [it for it in going if it.day <= today(it.time_zone, now)],
        [it for it in going if it.day > today(it.time_zone, now)][:MOST],
        over[:MOST],
    )


def my_escort(member: Member, assignment: str, *, now: datetime) -> EscortInFull:
    """One (public id) that she has accepted. Raises NotFound, also where its person was erased."""
    with transaction() as session:
        worker = worker_of(session, member)
        row = session.execute(_rows().where(EscortAssignment.public_id == assignment, may_open(worker))).one_or_none()
        if row is None:
            raise NotFound(field=FIELD)
        mine: EscortAssignment = row.EscortAssignment
        booking: Booking = row.Booking
        goes = mine.state == ACCEPTED
        hers = deeds_in(session, mine)
        if goes or any(it.says for it in hers):
            _record_look(session, member, booking, now)
        known = assigned(session, booking.id) if goes else None
        person = _escorted(session, booking, now) if goes else None
        everybody = deeds_of(session, booking.id) if goes else ()
        return EscortInFull(
            escort=_escort(row),
            booking=booking.public_id,
            person=person,
            safe_word="" if known is None else known.safe_word,
            pinyin="" if known is None else known.pinyin,
            where=None if row.longitude is None else Position(row.latitude, row.longitude),
            deeds=hers,
            before=[it for it in everybody if it.assignment != mine.public_id],
            highest=highest_number(session, mine.id),
            currency=booking.currency,
        )


def answer(member: Member, assignment: str, *, yes: bool, now: When) -> None:
    """Her yes or no to an assignment (public id) that she is asked for. Raises as escort.assign's accept and decline,
    and NotFound for who is no worker."""
    with reading() as session:
        worker_id = worker_of(session, member).id
    (accept if yes else decline)(worker_id, assignment, now=now)


@dataclass(frozen=True)
class Standing:
    """How an assignment stands here: its state, and the highest number that a deed of it has."""

    state: str
    highest: int


def standing(member: Member, assignments: Sequence[str]) -> Mapping[str, Standing]:
    """How those of the assignments (public ids) stand that are hers, whatever became of them since she accepted."""
    with reading() as session:
        worker = worker_of(session, member)
        found = session.execute(
            select(EscortAssignment.public_id, EscortAssignment.id, EscortAssignment.state).where(
                EscortAssignment.worker_id == worker.id, EscortAssignment.public_id.in_(assignments), was_accepted()
            )
        ).all()
        return {row.public_id: Standing(row.state, highest_number(session, row.id)) for row in found}


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(EscortAssignment, Booking, Site.longitude, Site.latitude)
        .join(Booking, Booking.id == EscortAssignment.booking_id)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(Site, Site.id == place_id(func.coalesce(Booking.venue_id, Offer.site_id)))
    )


def _escort(row: Row[Any]) -> MyEscort:
    mine: EscortAssignment = row.EscortAssignment
    booking: Booking = row.Booking
    starts_at, ends_at = mine.period.lower, mine.period.upper
    if starts_at is None or ends_at is None:
        raise LookupError("an assignment without a time")
    return MyEscort(
        id=mine.public_id,
        state=mine.state,
        cause=mine.cause or "",
        kind=booking.kind,
        reference=booking.reference,
        site=booking.snapshot["site"],
        starts_at=starts_at,
        ends_at=ends_at,
        day=booking.service_date,
        time_zone=booking.time_zone,
        answer_due_at=mine.answer_due_at if mine.state == ASKED else None,
    )


def _record_look(session: Session, member: Member, booking: Booking, now: datetime) -> None:
    """The line of the audit that says who looked."""
    audit.record(
        session,
        SHOWN,
        at=now,
        actor_kind=member.acts_as,
        actor=member.public_id,
        subject=booking.public_id,
        insurer_id=booking.insurer_id,
    )


def _escorted(session: Session, booking: Booking, now: datetime) -> Escorted:
    person = session.get_one(Beneficiary, booking.beneficiary_id)
    age = age_on(person.birth_date, today(booking.time_zone, now))
    return Escorted(person.name, person.sex, age, _answers(session, booking, person, now))


def _answers(session: Session, booking: Booking, person: Beneficiary, now: datetime) -> Mapping[str, Any]:
    if not may_be_told(session, booking, now):
        return {}
    try:
        return open_details(booking.details_sealed, key_of(session, person, PROCESS), booking.public_id)
    except Unreadable:  # erased meanwhile
        return {}
