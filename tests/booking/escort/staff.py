"""An escort service with workers of its own: what its bookings, and those who are asked for them, are made of."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from booking.actors import Actor
from booking.discrepancies import Discrepancy
from booking.escort.assign import ask
from booking.escort.models import EscortAbsence, EscortAssignment, EscortDuty, EscortWorker
from booking.hold.submit import submit
from booking.notices.models import Notification
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from tests.escorts import ANSWERS, EscortWorld, make_escorts
from tests.people import NOON
from tests.world import booking_row, set_provider
from vip.models import Operator

DESK = Actor("provider", "mem_1")
EIGHT = datetime.fromisoformat("2026-03-10T08:00:00+08:00")
"""When the first slot begins; each lasts four hours of a worker's time."""
_number = itertools.count(1)


def after(**time: float) -> datetime:
    """So long after noon of the day on which the tests begin."""
    return NOON + timedelta(**time)


@dataclass
class Staff:
    """A service that answers at its desk. Slots begin an hour apart, from EIGHT on."""

    made: EscortWorld
    workers: list[EscortWorker] = field(default_factory=list)

    @property
    def provider(self) -> Provider:
        """Whose they are."""
        return self.made.world.provider

    def book(self, slot: int = 0, *, now: datetime = NOON, **answers: Any) -> str:
        """A booking that was sent off; its public id."""
        booking = self.made.hold(slot, now=now, details={**ANSWERS, **answers})
        submit(self.made.world.principal, booking, now=now)
        return booking

    def add(self, **changes: Any) -> EscortWorker:
        """One more worker, who is on duty around the clock."""
        worker = add_worker(self.provider, **changes)
        self.workers.append(worker)
        return worker

    def ask(self, booking: str, worker: EscortWorker | None = None, *, now: datetime = NOON) -> str:
        """The desk asks one, the first without another word; the assignment's public id."""
        worker = worker or self.workers[0]
        return ask(self.provider.id, booking, worker.public_id, actor=DESK, now=now)


def make_staff(workers: int = 1, *, firm: bool = False, auto: bool = True, **terms: Any) -> Staff:
    """A service with so many workers; `firm`: its bookings are, as they are sent off."""
    made = make_escorts(quantity=None, allotment=firm, **terms)
    set_provider(made.world.provider, adapter="desk", answer_hours=4)
    staff = Staff(made)
    for _each in range(workers):
        staff.add(auto=auto)
    return staff


def add_worker(provider: Provider, *, duty: bool = True, papers: bool = True, **changes: Any) -> EscortWorker:
    """A worker in the city of the offer. `duty`: she has a roster; `papers`: they were looked at."""
    number = next(_number)
    values: dict[str, Any] = {
        "public_id": new_id("esw"),
        "provider_id": provider.id,
        "shown_name": f"王护理{number}",
        "sex": "female",
        "languages": ["mandarin"],
        "qualification_zh": "护理专业",
        "qualification_en": "Nurse",
        "province": "浙江省",
        "city": "杭州市",
        "auto": True,
        "active_from": NOON - timedelta(days=30),
        "created_at": NOON,
        "updated_at": NOON,
        **changes,
    }
    with transaction() as session:
        worker = EscortWorker(**values)
        if papers:
            manager = add_operator(provider)
            session.add(manager)
            session.flush()
            worker.papers_checked_at, worker.papers_checked_by = NOON, manager.id
        session.add(worker)
        session.flush()
        if duty:
            session.add(
                EscortDuty(
                    worker_id=worker.id,
                    weekdays=[1, 2, 3, 4, 5, 6, 7],
                    start_minute=0,
                    end_minute=1440,
                    valid_from=date(2026, 1, 1),
                )
            )
    return worker


def add_operator(provider: Provider) -> Operator:
    """An unsaved member of its desk."""
    number = next(_number)
    return Operator(
        public_id=new_id("mem"),
        provider_id=provider.id,
        login=f"member{number}",
        name="严知夏",
        role="manager",
        password_hash="x",
    )


def absent(worker: EscortWorker, start: datetime, end: datetime | None, cause: str = "ill") -> None:
    """She is away."""
    with transaction() as session:
        session.add(
            EscortAbsence(
                public_id=new_id("eab"),
                worker_id=worker.id,
                period=Range(start, end, bounds="[)"),
                cause=cause,
                created_at=NOON,
                by_kind="provider",
                by="mem_1",
            )
        )


def assignments(booking: str) -> list[EscortAssignment]:
    """Everybody who was asked for a booking, the first one first."""
    with reading() as session:
        wanted = select(EscortAssignment).where(EscortAssignment.booking_id == booking_row(booking).id)
        return list(session.scalars(wanted.order_by(EscortAssignment.id)))


def asked(booking: str) -> list[tuple[int, str, str | None]]:
    """The same: who, what became of it, and why it ended."""
    return [(each.worker_id, each.state, each.cause) for each in assignments(booking)]


def assignment(public_id: str) -> EscortAssignment:
    """One of them, as it stands."""
    with reading() as session:
        return session.scalars(select(EscortAssignment).where(EscortAssignment.public_id == public_id)).one()


def cases(kind: str) -> list[tuple[str, str]]:
    """The cases of a kind: about what, and how each was closed (blank while it is open)."""
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.kind == kind).order_by(Discrepancy.id))
        return [(row.subject, row.resolution) for row in rows]


def notices(*kinds: str) -> list[Notification]:
    """What customers were told of these kinds, the first one first."""
    with reading() as session:
        wanted = select(Notification).where(Notification.kind.in_(kinds)).order_by(Notification.id)
        return list(session.scalars(wanted))
