"""A provider whose own system sends escorts, played by the test, and a booking of a customer's there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from booking.discrepancies import Discrepancy
from booking.escort.assign import code_of
from booking.escort.evidence.models import EscortDeed
from booking.escort.models import EscortAssignment
from booking.escort.outside.listen import listen_to_escorts
from booking.escort.outside.watch import watch_outside
from booking.escort.shown.view import EscortView, escort
from booking.hold.submit import submit
from booking.listening import EscortLineTaken, EscortListening
from booking.sync.webhooks import receive_event
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from providers.conversing import Picture
from providers.port import Accepted, Answer, Confirmed, Reserve
from providers.reported import EscortLine, EscortPage, Event, RemoteEscort, UnreadableRow
from tests.escorts import EscortWorld, make_escorts
from tests.people import NOON
from tests.world import EIGHT, FakeAdapter, booking_row, connection_to, make_slot, one_pass, remote

HE = RemoteEscort("e-1", "何静", "female", "S-17", "护理专业", "Nurse")
LIN = RemoteEscort("e-2", "林岚", "female")
WORD = "青山"
ENDS = EIGHT + timedelta(hours=4)
"""When a service that begins at EIGHT is over at the latest."""


@dataclass(frozen=True)
class Examined:
    """A picture, as if it had been written anew."""

    width: int
    height: int
    large: bytes
    small: bytes


def examine(content: bytes) -> Examined:
    """The same bytes: what is examined in a process of its own is tried with pictures of consultations."""
    return Examined(30, 40, content, content[:4])


@dataclass
class FakeEscorts(FakeAdapter):
    """A provider whose system takes bookings and lists what its escorts did. `broken`: what it raises instead; `also`:
    rows without a number."""

    lines: list[EscortLine | UnreadableRow] = field(default_factory=list)
    papers: dict[str, bytes | Exception] = field(default_factory=dict)
    broken: dict[str, Exception] = field(default_factory=dict)
    asked_for: list[tuple[str, int]] = field(default_factory=list)
    also: list[UnreadableRow] = field(default_factory=list)
    page: int = 100
    on_request: bool = False

    def reserve(self, command: Reserve) -> Answer:
        """Confirmed, or taken on request, under a reference made of ours."""
        reference = f"R-{command.our_reference}"
        return Accepted(reference, 1) if self.on_request else Confirmed(reference, 1)

    def escort_lines_after(self, reference: str, seq: int) -> EscortPage:
        """The lines after that number, a page of them."""
        self.asked_for.append((reference, seq))
        failure = self.broken.get(reference) or self.broken.get("*")
        if failure is not None:
            raise failure
        mine = [each for each in self.lines if each.reference == reference and (each.seq or 0) > seq]
        part = sorted(mine, key=lambda each: each.seq or 0)[: self.page]
        following = part[-1].seq if len(mine) > len(part) else None
        return EscortPage(
            [each for each in part if isinstance(each, EscortLine)],
            following,
            [*self.also, *(each for each in part if isinstance(each, UnreadableRow))],
        )

    def fetch_paper(self, line: EscortLine) -> Picture:
        """The picture of that name."""
        content = self.papers[line.picture]
        if isinstance(content, Exception):
            raise content
        return Picture(content, "image/jpeg", hashlib.sha256(content).hexdigest())


@dataclass
class Outside:
    """The world of escorts whom `there` sends."""

    made: EscortWorld
    there: FakeEscorts = field(default_factory=FakeEscorts)

    @property
    def provider_id(self) -> int:
        """Internal."""
        return self.made.world.provider.id

    def book(self, slot: int = 0, *, now: datetime = NOON, **changes: Any) -> str:
        """A booking that the provider has answered; its public id."""
        booking = self.made.hold(slot, now=now, **changes)
        submit(self.made.world.principal, booking, now=now)
        one_pass(self.made.world, self.there, now=now)
        return booking

    def says(self, line: EscortLine) -> EscortLine:
        """The provider's list has this line from now on."""
        self.there.lines.append(line)
        return line

    def read(self, now: datetime) -> dict[str, int]:
        """One run of the job that reads the lines, with all that is due by then."""
        return listen_to_escorts(connection_to(self.made.world.provider), self.there, now, examine)

    def tell(self, line: EscortLine, *, now: datetime) -> str:
        """The provider sends a line as an event; its outcome."""
        return receive_event(self.provider_id, Event(new_id("evt"), "escort.line", now, escort=line), now=now)

    def status(self, booking: str, status: str, version: int, *, now: datetime, **more: Any) -> str:
        """The provider says how a booking stands; its outcome."""
        told = remote(booking, status, version, reference=f"R-{booking}", **more)
        event = Event(new_id("evt"), f"booking.{status}", now, booking=told)
        return receive_event(self.provider_id, event, now=now)

    def watch(self, now: datetime) -> dict[str, int]:
        """One pass of the clock."""
        return dict(watch_outside(now=now))

    def view(self, booking: str, *, now: datetime = EIGHT) -> EscortView:
        """As its customer sees it."""
        return escort(self.made.world.principal, booking, now=now)


def make_outside(*, firm: bool = True, **terms: Any) -> Outside:
    """An escort service with a system of its own; its bookings are firm at once, or asked for. Beside the first day's
    there is a time days later."""
    made = make_escorts(quantity=None, allotment=firm, **terms)
    with transaction() as session:
        session.add(make_slot(made.world.slots[0].pool_id, EIGHT + timedelta(days=6), 5))
    return Outside(made, FakeEscorts(on_request=not firm))


def line(booking: str, seq: int, kind: str, *, minutes: float = 0, **more: Any) -> EscortLine:
    """A line of that booking, so many minutes after it began."""
    said = EscortLine(
        id=f"l-{seq}",
        reference=f"R-{booking}",
        our_reference=booking,
        seq=seq,
        kind=kind,  # type: ignore[arg-type]
        escort=HE.code,
        at=EIGHT + timedelta(minutes=minutes),
    )
    return replace(said, **more)


def assigned(booking: str, seq: int = 1, who: RemoteEscort = HE, word: str = WORD, **more: Any) -> EscortLine:
    """Who comes."""
    at = NOON + timedelta(days=1)
    return line(booking, seq, "assigned", **{"escort": who.code, "worker": who, "safe_word": word, "at": at, **more})


def unreadable(booking: str, seq: int | None) -> UnreadableRow:
    """A line that breaks the contract."""
    return UnreadableRow("kind.unknown", b'{"kind":"danced"}', f"digest-{seq}", f"R-{booking}", booking, seq)


def sent(booking: str) -> list[tuple[str, str | None]]:
    """What became of each assignment, the first one first."""
    with reading() as session:
        rows = session.scalars(
            select(EscortAssignment)
            .where(EscortAssignment.booking_id == booking_row(booking).id)
            .order_by(EscortAssignment.id)
        )
        return [(row.state, row.cause) for row in rows]


def deeds(booking: str) -> list[EscortDeed]:
    """What stands here of it, by its number."""
    with reading() as session:
        wanted = select(EscortDeed).where(EscortDeed.booking_id == booking_row(booking).id)
        return list(session.scalars(wanted.order_by(EscortDeed.number)))


def code(booking: str) -> str:
    """What the customer shows who comes."""
    with reading() as session:
        wanted = select(EscortAssignment.id).where(
            EscortAssignment.booking_id == booking_row(booking).id, EscortAssignment.live
        )
        return code_of(session, session.scalars(wanted).one()) or ""


def state(booking: str) -> str:
    """Of the booking."""
    return booking_row(booking).state.value


def open_cases() -> list[str]:
    """Kinds of the cases that are open."""
    with reading() as session:
        return sorted(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def listening(booking: str) -> EscortListening:
    """How far its lines stand here."""
    with reading() as session:
        wanted = select(EscortListening).where(EscortListening.booking_id == booking_row(booking).id)
        return session.scalars(wanted).one()


def came_of(booking: str) -> list[str]:
    """What came of each line, in their order."""
    with reading() as session:
        wanted = select(EscortLineTaken.came).where(EscortLineTaken.listening_id == listening(booking).id)
        return list(session.scalars(wanted.order_by(EscortLineTaken.seq)))


Tell = Callable[[Outside, EscortLine, datetime], Any]


def by_event(it: Outside, said: EscortLine, now: datetime) -> None:
    """It comes as an event."""
    it.says(said)
    it.tell(said, now=now)


def by_list(it: Outside, said: EscortLine, now: datetime) -> None:
    """It is read from the list, which is due."""
    it.says(said)
    it.read(now)
