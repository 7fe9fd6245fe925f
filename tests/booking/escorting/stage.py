"""An escort that a worker has accepted: the hospital, the booking, and what her phone tells of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from booking.escort.evidence.models import EscortDeed
from booking.escort.models import ACCEPTED, EscortAssignment, EscortWorker
from booking.escort.records import code_record, safe_word_record
from booking.escorting.take import Answer, Taken, take
from booking.hold.submit import submit
from booking.models import Booking
from booking.sealing import seal_words
from marketplace.catalog.models import Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When
from marketplace.core.ids import new_id
from tests.escorts import EscortWorld, make_escorts
from tests.people import NOON
from tests.world import EIGHT, set_provider
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary, Operator
from vip.principal import Member

ACCEPTED_AT = NOON
THERE = EIGHT - timedelta(minutes=30)
"""When the worker is under way, on the day of the visit."""
CODE = "4711"
SAFE_WORD = "青山"


@dataclass
class Stage:
    """A worker (`member` at the desk) who goes with the person of a booking."""

    made: EscortWorld
    booking: str
    booking_id: int
    member: Member
    worker_id: int
    assignment: str
    assignment_id: int

    def take(self, *told: Any, now: When = EIGHT, member: Member | None = None, **files: bytes) -> list[Answer]:
        """Her phone sends these, with pictures by key."""
        named = {key.replace("_", "-"): content for key, content in files.items()}
        return list(take(member or self.member, self.assignment, told, named, now=now))

    def taken(self, *told: Any, now: datetime = EIGHT) -> list[Taken]:
        """The same, where all are taken."""
        answers = self.take(*told, now=now)
        assert [each.refused for each in answers] == [None] * len(told)
        return [each.taken for each in answers if each.taken is not None]

    def rows(self) -> list[EscortDeed]:
        """All deeds of the booking, as they arrived."""
        with reading() as session:
            wanted = select(EscortDeed).where(EscortDeed.booking_id == self.booking_id).order_by(EscortDeed.id)
            return list(session.scalars(wanted))

    def state(self) -> str:
        """Where the booking is."""
        with reading() as session:
            return session.scalars(select(Booking.state).where(Booking.id == self.booking_id)).one().value

    def end(self, state: str, cause: str | None, at: datetime = EIGHT) -> None:
        """The assignment ends so."""
        with transaction() as session:
            session.execute(
                update(EscortAssignment)
                .where(EscortAssignment.id == self.assignment_id)
                .values(state=state, cause=cause, ended_at=at)
            )


def make_stage(**more: Any) -> Stage:
    """An escort on 10 March 2026 at eight in Shanghai, confirmed and accepted at NOON eight days before."""
    made = make_escorts(allotment=True, **more)
    world = made.world
    set_provider(world.provider, adapter="desk")
    booking = made.hold()
    submit(world.principal, booking, now=NOON)
    with reading() as session:
        booking_id = session.scalars(select(Booking.id).where(Booking.public_id == booking)).one()
    member, worker_id = add_worker(world.provider.id, "何静")
    assignment, assignment_id = assign(booking_id, worker_id, world.provider.id)
    return Stage(made, booking, booking_id, member, worker_id, assignment, assignment_id)


def add_worker(provider_id: int, name: str) -> tuple[Member, int]:
    """A worker of that provider who signs in at its desk."""
    with transaction() as session:
        account = Operator(
            public_id=new_id("mbr"),
            provider_id=provider_id,
            login=f"escort-{uuid.uuid4().hex[:8]}",
            name=name,
            role="escort",
            password_hash="x",
        )
        session.add(account)
        session.flush()
        worker = EscortWorker(
            public_id=new_id("esw"),
            provider_id=provider_id,
            member_id=account.id,
            shown_name=name,
            sex="female",
            languages=["mandarin"],
            province="浙江省",
            city="杭州市",
            papers_checked_at=NOON,
            papers_checked_by=account.id,
            active_from=NOON,
            created_at=NOON,
            updated_at=NOON,
        )
        session.add(worker)
        session.flush()
        member = Member(
            id=account.id,
            public_id=account.public_id,
            provider_id=provider_id,
            session_id=0,
            time_zone="Asia/Shanghai",
            role="escort",
        )
        return member, worker.id


def assign(
    booking_id: int,
    worker_id: int,
    provider_id: int,
    *,
    state: str = ACCEPTED,
    now: datetime = ACCEPTED_AT,
    lasts: timedelta = timedelta(hours=4),
) -> tuple[str, int]:
    """The worker is asked, and has accepted unless `state` says otherwise; public and internal id."""
    with transaction() as session:
        booking = session.get_one(Booking, booking_id)
        starts_at = booking.starts_at or EIGHT
        period = Range(starts_at, starts_at + lasts)
        row = EscortAssignment(
            public_id=new_id("esa"),
            booking_id=booking_id,
            worker_id=worker_id,
            provider_id=provider_id,
            state=state,
            period=period,
            padded=period,
            travel_seconds=0,
            asked_at=now,
            answer_due_at=now + timedelta(hours=1),
            answered_at=now if state == ACCEPTED else None,
            asked_by_kind="clock",
            asked_by="",
        )
        _know(session, booking, row)
        session.add(row)
        session.flush()
        return row.public_id, row.id


def _know(session: Session, booking: Booking, row: EscortAssignment) -> None:
    key = key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)
    row.safe_word_sealed = seal_words(SAFE_WORD, key, safe_word_record(row.public_id))
    row.code_sealed = seal_words(CODE, key, code_record(row.public_id))


def locate(made: EscortWorld) -> None:
    """The hospital's coordinates are known."""
    with transaction() as session:
        values = {"longitude": 120.15, "latitude": 30.27}
        session.execute(update(Site).where(Site.id == made.venue.id).values(values))


def deed(kind: str, number: int, *, minutes: float = 0, **more: Any) -> dict[str, Any]:
    """What a phone tells, done so many minutes after THERE."""
    at = THERE + timedelta(minutes=minutes)
    return {"key": str(uuid.uuid4()), "number": number, "kind": kind, "at": at.isoformat(), **more}
