"""An escort that goes on: a confirmed booking, who comes, and what she has done, as rows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import Range

from booking.escort.evidence.contents import Contents, Cost, seal_contents
from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.escort.evidence.pictures import medical_key, record_of
from booking.escort.models import EscortAssignment, EscortWorker
from booking.escort.records import code_record, safe_word_record
from booking.hold.submit import submit
from booking.sealing import seal_words
from booking.states import BookingState
from marketplace.core.crypto import seal
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.escorts import EscortWorld, make_escorts
from tests.people import NOON
from tests.pictures import make_picture
from tests.providers.partner_api.answering import work
from tests.world import EIGHT, booking_row, go, set_provider
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary
from vip.principal import Principal

LASTS = timedelta(hours=4)
SAFE_WORD, CODE = "青山", "4711"


@dataclass
class Escorted:
    """A booking of 08:00 on the tenth of March; `assignment` is the one of who comes, None while nobody does."""

    made: EscortWorld
    booking: str
    assignment: EscortAssignment | None = None
    worker: EscortWorker | None = None
    numbers: dict[int, int] = field(default_factory=dict)

    @property
    def me(self) -> Principal:
        """Its customer."""
        return self.made.world.principal

    def send(
        self, name: str = "何静", *, worker: EscortWorker | None = None, at: datetime | None = None, **became: Any
    ) -> EscortAssignment:
        """Somebody (new, unless she is given) has said yes, to the booking's time unless to another one (`at`); with
        `state` and `cause`, what became of it."""
        row = booking_row(self.booking)
        with transaction() as session:
            self.worker = worker or EscortWorker(
                public_id=new_id("esw"),
                provider_id=row.provider_id,
                shown_name=name,
                staff_number="HZ 0427",
                sex="female",
                languages=["mandarin"],
                qualification_zh="护理专业",
                qualification_en="Nurse",
                province="浙江省",
                city="杭州市",
                auto=True,
                active_from=NOON,
                created_at=NOON,
                updated_at=NOON,
            )
            if worker is None:
                session.add(self.worker)
                session.flush()
            public_id = new_id("esa")
            person = session.get_one(Beneficiary, row.beneficiary_id)
            key = key_of(session, person, PROCESS)
            start = at or row.starts_at or EIGHT
            period = Range(start, start + LASTS)
            self.assignment = EscortAssignment(
                public_id=public_id,
                booking_id=row.id,
                worker_id=self.worker.id,
                provider_id=row.provider_id,
                state="accepted",
                period=period,
                padded=period,
                travel_seconds=0,
                asked_at=NOON,
                answer_due_at=NOON + timedelta(minutes=15),
                answered_at=NOON,
                asked_by_kind="clock",
                asked_by="",
                safe_word_sealed=seal_words(SAFE_WORD, key, safe_word_record(public_id)),
                code_sealed=seal_words(CODE, key, code_record(public_id)),
            )
            session.add(self.assignment)
        if became:
            self.ended(**became)
        return self.assignment

    def ended(self, state: str = "replaced", cause: str | None = "ill", at: datetime = NOON) -> None:
        """Who was to come does not any more."""
        assert self.assignment is not None
        with transaction() as session:
            row = update(EscortAssignment).where(EscortAssignment.id == self.assignment.id)
            session.execute(row.values(state=state, cause=cause, ended_at=at))

    def did(self, kind: str, minute: int = 0, *, received: datetime | None = None, **said: Any) -> str:
        """A deed, so many minutes after eight; `words`, `cost` (minor units, currency, what for), `picture` (whether
        there is one), `position`, `by_code` and `doubt`. Returns the public id of its picture, blank without one."""
        assert self.assignment is not None
        at = EIGHT + timedelta(minutes=minute)
        cost = said.get("cost")
        contents = Contents(words=said.get("words", ""), cost=Cost(*cost) if cost else None)
        with transaction() as session:
            key, public_id = medical_key(session, self.assignment.booking_id), new_id("esd")
            number = self.numbers[self.assignment.id] = self.numbers.get(self.assignment.id, 0) + 1
            deed = EscortDeed(
                public_id=public_id,
                assignment_id=self.assignment.id,
                booking_id=self.assignment.booking_id,
                key=uuid.uuid4(),
                number=number,
                kind=kind,
                at=at,
                received_at=received or at,
                doubt=said.get("doubt"),
                position=said.get("position"),
                accuracy_m=20 if said.get("position") in ("within", "away") else None,
                by_code=said.get("by_code", False),
                sealed=seal_contents(contents, key, public_id),
            )
            session.add(deed)
            session.flush()
            return _picture(session, deed, key) if said.get("picture") else ""

    def state(self) -> str:
        """The booking's."""
        return booking_row(self.booking).state.value


def another(one: Escorted, slot: int) -> Escorted:
    """Another confirmed booking of the same customer, with the same worker."""
    booking = one.made.hold(slot)
    submit(one.me, booking, now=NOON)
    work(one.made.world)
    go(booking, BookingState.CONFIRMED)
    found = Escorted(one.made, booking)
    found.send(worker=one.worker)
    return found


def _picture(session: Any, deed: EscortDeed, key: Any) -> str:
    public_id, content = new_id("epi"), make_picture(kind="JPEG")
    sealed = {
        name: seal(content, key=key.open(), record=record_of(public_id, thumbnail=small))
        for name, small in (("sealed", False), ("thumbnail_sealed", True))
    }
    session.add(EscortPicture(public_id=public_id, deed_id=deed.id, width=40, height=30, size=len(content), **sealed))
    return public_id


def escorted(*, confirmed: bool = True, sent: bool = True, **terms: Any) -> Escorted:
    """A booking that its provider has, confirmed and with somebody who comes unless said otherwise."""
    made = make_escorts(**terms)
    set_provider(made.world.provider, adapter="desk")
    booking = made.hold()
    submit(made.world.principal, booking, now=NOON)
    work(made.world)
    found = Escorted(made, booking)
    if confirmed:
        go(booking, BookingState.CONFIRMED)
    if sent:
        found.send()
    return found
