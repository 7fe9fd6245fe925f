"""Escort workers as the people of their provider see them: a list, and each one in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking.escort.models import (
    DONE,
    EscortAbsence,
    EscortAssignment,
    EscortDuty,
    EscortKnows,
    EscortWorker,
    asked_here,
)
from booking.escort.workers.absence import Away, Promised, absences_of, promised
from booking.escort.workers.profile import City, Profile, cities_of, profile_in, zone_of
from booking.escort.workers.roster import Hours, hours_of
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.clock import today
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from providers.staff.duties import require
from vip.models import Operator
from vip.principal import Member

LONGEST_WANTED = 40
MOST_SHOWN = 200


@dataclass(frozen=True)
class WorkerLine:
    """A worker of a list. `papers`: they were looked at; `away`: now, whatever her roster says; `hours`: her roster has
    a line; `to_come`: how many escorts she is asked for or has accepted."""

    id: str
    name: str
    staff_number: str
    qualification: Text
    languages: tuple[str, ...]
    city: City
    papers: bool
    auto: bool
    away: bool
    hours: bool
    ended: bool
    to_come: int


@dataclass(frozen=True)
class Known:
    """A venue that a worker knows, as the site of the list that stands for it."""

    id: str
    name: str
    district: str


@dataclass(frozen=True)
class Linked:
    """A member of the desk by her public id and name."""

    id: str
    name: str


@dataclass(frozen=True)
class WorkerView:
    """A worker in full. `seen` is what a form of her says it was drawn from; `member` who signs in as her; `done` how
    many escorts she has done."""

    id: str
    seen: datetime
    profile: Profile
    zone: str
    papers_checked_at: datetime | None
    active_from: datetime
    ended_at: datetime | None
    member: Linked | None
    hours: Sequence[Hours]
    away: Sequence[Away]
    promised: Sequence[Promised]
    known: Sequence[Known]
    done: int


def workers_of(member: Member, wanted: str = "", *, now: datetime) -> Sequence[WorkerLine]:
    """Those of her provider in whose name, staff number or city stands `wanted`, those in service first, by city and
    name; MOST_SHOWN at most. Raises NotFound without the duty."""
    require(member, "dispatch")
    conditions: list[ColumnElement[bool]] = [EscortWorker.provider_id == member.provider_id, asked_here()]
    if wanted:
        columns = (EscortWorker.shown_name, EscortWorker.staff_number, EscortWorker.city)
        conditions.append(func.concat_ws("\n", *columns).icontains(wanted, autoescape=True))
    query = (
        select(
            EscortWorker,
            _has(EscortAbsence.worker_id, EscortAbsence.period.op("@>")(now)).label("away"),
            _has(EscortDuty.worker_id, func.coalesce(EscortDuty.valid_until >= now.date(), True)).label("hours"),
            _count(EscortAssignment.live).label("to_come"),
        )
        .where(*conditions)
        .order_by(EscortWorker.ended_at.is_not(None), EscortWorker.city, EscortWorker.shown_name, EscortWorker.id)
        .limit(MOST_SHOWN)
    )
    with reading() as session:
        return [_line(*row) for row in session.execute(query)]


def worker_of(member: Member, worker: str, *, now: datetime) -> WorkerView:
    """One of them (public id). Raises NotFound."""
    require(member, "dispatch")
    with reading() as session:
        row = session.scalar(
            select(EscortWorker).where(
                EscortWorker.public_id == worker, EscortWorker.provider_id == member.provider_id, asked_here()
            )
        )
        if row is None:
            raise NotFound(field="worker")
        zone = zone_of(session, row)
        return WorkerView(
            id=row.public_id,
            seen=row.updated_at,
            profile=profile_in(row),
            zone=zone,
            papers_checked_at=row.papers_checked_at,
            active_from=row.active_from,
            ended_at=row.ended_at,
            member=_linked(session, row.member_id),
            hours=hours_of(session, row.id, today(zone, now)),
            away=absences_of(session, row.id, now),
            promised=promised(session, row.id, now, None),
            known=_known(session, row.id),
            done=session.scalar(select(_count(EscortAssignment.state == DONE)).where(EscortWorker.id == row.id)) or 0,
        )


def cities_for(member: Member) -> Sequence[City]:
    """The cities of her provider in which a worker may be taken on."""
    with reading() as session:
        return tuple(cities_of(session, member.provider_id))


def free_members(manager: Member) -> Sequence[Linked]:
    """The escort workers of the desk's members whom no worker is yet, by name. Raises NotFound without the duty."""
    require(manager, "team")
    query = select(Operator.public_id, Operator.name).where(
        Operator.provider_id == manager.provider_id,
        Operator.role == "escort",
        Operator.disabled_at.is_(None),
        ~exists().where(EscortWorker.member_id == Operator.id),
    )
    with reading() as session:
        return [Linked(*row) for row in session.execute(query.order_by(Operator.name, Operator.id))]


def _has(worker: InstrumentedAttribute[int], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(worker == EscortWorker.id, condition)


def _count(condition: ColumnElement[bool] | InstrumentedAttribute[bool]) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(EscortAssignment)
        .where(EscortAssignment.worker_id == EscortWorker.id, condition)
        .correlate(EscortWorker)
        .scalar_subquery()
    )


def _line(row: EscortWorker, away: bool, hours: bool, to_come: int) -> WorkerLine:
    return WorkerLine(
        row.public_id,
        row.shown_name,
        row.staff_number or "",
        Text(row.qualification_zh, row.qualification_en),
        tuple(row.languages),
        (row.province, row.city),
        row.papers_checked_at is not None,
        row.auto,
        away,
        hours,
        row.ended_at is not None,
        to_come,
    )


def _linked(session: Session, member_id: int | None) -> Linked | None:
    if member_id is None:
        return None
    account = session.get_one(Operator, member_id)
    return Linked(account.public_id, account.name)


def _known(session: Session, worker_id: int) -> list[Known]:
    rows = session.execute(
        select(Site.public_id, Site.name, Site.district)
        .join(EscortKnows, Site.id == place_id(EscortKnows.site_id))
        .where(EscortKnows.worker_id == worker_id)
        .group_by(Site.id)
        .order_by(Site.name, Site.id)
    )
    return [Known(*row) for row in rows]
