"""A provider whose own doctors answer, played by the test, and a customer who may ask them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from booking.consultation.models import Conversation, ConversationMessage
from booking.consultation.open import Opened
from booking.consultation.outside.deliver import claim_parcels, deliver
from booking.consultation.outside.listen import listen
from booking.consultation.say import medical_key, text_of
from booking.discrepancies import Discrepancy
from booking.models import Booking
from booking.pledges.models import Pledge
from booking.sync.webhooks import receive_event
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from providers.conversing import (
    CloseConversation,
    Delivered,
    OpenConversation,
    OutgoingMessage,
    Picture,
    Posted,
)
from providers.port import Answer, Confirmed
from providers.reported import Event, MessagePage, RemoteClinician, RemoteMessage, RemoteSummary, UnreadableRow
from providers.staff.models import OutsideClinician
from tests.booking.consultation.rooms import PACKAGE, Practice
from tests.people import NOON
from tests.world import FakeAdapter, World, connection_to, make_world, one_pass, remote
from vip.models import Operator

LICENCE = "110310000012345"
HE = RemoteClinician("d-1", "何医生", "主治医师", "Attending physician", LICENCE)


@dataclass
class FakeDoctors(FakeAdapter):
    """A provider whose system opens consultations, takes what customers say, and lists what its doctors said. `meets`
    holds what becomes of the next messages; without any they are taken."""

    opened: list[OpenConversation] = field(default_factory=list)
    posted: list[OutgoingMessage] = field(default_factory=list)
    closed: list[CloseConversation] = field(default_factory=list)
    meets: list[Delivered | Callable[[], Delivered]] = field(default_factory=list)
    lines: list[RemoteMessage | UnreadableRow] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    roster: list[RemoteClinician] = field(default_factory=lambda: [HE])
    broken: Exception | None = None
    page: int = 100

    def open(self, command: OpenConversation) -> Answer:
        """Confirmed, under a reference made of ours."""
        self.opened.append(command)
        return Confirmed(f"C-{command.our_reference}", 1)

    def post(self, message: OutgoingMessage) -> Delivered:
        """What the test says, and else taken."""
        met = self.meets.pop(0) if self.meets else Posted()
        answer = met() if callable(met) else met
        if isinstance(answer, Posted) and message.id not in [each.id for each in self.posted]:
            self.posted.append(message)
        return answer

    def close(self, command: CloseConversation) -> Delivered:
        """Taken."""
        self.closed.append(command)
        return Posted()

    def said_after(self, reference: str, seq: int) -> MessagePage:
        """The lines after that number, a page of them."""
        if self.broken is not None:
            raise self.broken
        mine = [each for each in self.lines if each.reference == reference and (each.seq or 0) > seq]
        part = sorted(mine, key=lambda each: each.seq or 0)[: self.page]
        following = part[-1].seq if len(mine) > len(part) else None
        return MessagePage(
            [each for each in part if isinstance(each, RemoteMessage)],
            following,
            [each for each in part if isinstance(each, UnreadableRow)],
        )

    def fetch_picture(self, message: RemoteMessage) -> Picture:
        """The picture of that name."""
        content = self.pictures[message.picture]
        return Picture(content, "image/jpeg", hashlib.sha256(content).hexdigest())

    def clinicians(self) -> Sequence[RemoteClinician]:
        """The roster."""
        return self.roster


@dataclass
class Outside(Practice):
    """The world of a consultation that the doctors of `there` answer."""

    there: FakeDoctors = field(default_factory=FakeDoctors)

    def begin(self, *, now: datetime = NOON, **changes: Any) -> Opened:
        """One that the provider has confirmed."""
        opened = self.open(now=now, **changes)
        self.work(now=now)
        return opened

    def work(self, *, now: datetime = NOON) -> list[str]:
        """One pass of a worker: commands, then what customers said; what became of the latter."""
        one_pass(self.world, self.there, now=now)
        known = connection_to(self.world.provider)
        return [
            deliver(known, self.there, parcel, now=now)  # type: ignore[arg-type]
            for parcel in claim_parcels(known, places=10, now=now)
        ]

    def read(self, *, now: datetime = NOON) -> dict[str, int]:
        """One run of the job that reads what its doctors said."""
        return listen(connection_to(self.world.provider), self.there, now)  # type: ignore[arg-type]

    def tell(self, line: RemoteMessage, *, now: datetime = NOON, event: str = "", provider: int | None = None) -> str:
        """The provider sends a line as an event; its outcome."""
        told = Event(event or new_id("evt"), "consultation.message", now, message=line)
        return receive_event(provider or self.world.provider.id, told, now=now)

    def line(self, opened: Opened, seq: int, text: str = "请多喝水", **changes: Any) -> RemoteMessage:
        """What a doctor says, as number `seq`."""
        said = RemoteMessage(
            id=f"m-{seq}",
            reference=f"C-{opened.booking}",
            our_reference=opened.booking,
            seq=seq,
            kind="text",
            clinician=HE.code,
            sent_at=NOON,
            text=text,
        )
        return replace(said, **changes)

    def summary(self, opened: Opened, seq: int, **changes: Any) -> RemoteMessage:
        """With what she closes."""
        said = RemoteSummary(**{"summary": "上呼吸道感染", "advice": "多休息", **changes})
        return self.line(opened, seq, "", kind="summary", summary=said)


def make_outside(*, verified: bool = True, **terms: Any) -> Outside:
    """Everything needed to ask a doctor of an outside provider."""
    package = {**PACKAGE, "pledge_seconds": 90, **terms.pop("package", {})}
    world = make_world(kind="online_consultation", slots=0, package=package, **terms)
    if verified:
        add_doctor(world)
    return Outside(world, None)  # type: ignore[arg-type]


def add_doctor(world: World, said: RemoteClinician = HE, *, verified: bool = True) -> str:
    """A doctor of the provider whom its roster has named; her public id."""
    with transaction() as session:
        operator = session.scalars(select(Operator.id).limit(1)).one_or_none()
        if operator is None:
            row = Operator(
                public_id=new_id("opr"),
                login="checker",
                name="c",
                role="admin",
                password_hash="x",
                insurer_id=world.customer.insurer_id,
            )
            session.add(row)
            session.flush()
            operator = row.id
        doctor = OutsideClinician(
            public_id=new_id("ocl"),
            provider_id=world.provider.id,
            code=said.code,
            name=said.name,
            title_zh=said.title_zh,
            title_en=said.title_en,
            licence=said.licence,
            verified_at=NOON if verified else None,
            verified_by=operator if verified else None,
            listed_at=NOON,
            created_at=NOON,
            updated_at=NOON,
        )
        session.add(doctor)
        return doctor.public_id


def said_in(conversation: str) -> list[tuple[int, str, str, str | None]]:
    """What stands in a conversation: number, author, kind and words."""
    with reading() as session:
        row = session.scalars(select(Conversation).where(Conversation.public_id == conversation)).one()
        key = medical_key(session, row)
        found = session.scalars(
            select(ConversationMessage)
            .where(ConversationMessage.conversation_id == row.id)
            .order_by(ConversationMessage.seq)
        )
        return [(each.seq, each.author, each.kind, text_of(each, key)) for each in found]


def talk_row(conversation: str) -> Conversation:
    """The conversation as it stands."""
    with reading() as session:
        return session.scalars(select(Conversation).where(Conversation.public_id == conversation)).one()


def state_of(opened: Opened) -> str:
    """Of the booking."""
    with reading() as session:
        return session.scalars(select(Booking).where(Booking.public_id == opened.booking)).one().state.value


def open_cases() -> list[str]:
    """Kinds of the discrepancies that are open."""
    with reading() as session:
        return list(
            session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None)).order_by(Discrepancy.id))
        )


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def pledge_state() -> str:
    """Of the only one."""
    with reading() as session:
        return session.scalars(select(Pledge.state)).one()


def unreadable(reference: str, seq: int | None) -> UnreadableRow:
    """A line that breaks the contract."""
    return UnreadableRow("kind.unknown", b'{"kind":"song"}', f"digest-{seq}", reference, None, seq)


def booking_event(it: Outside, opened: Opened, status: str, version: int, *, now: datetime = NOON) -> str:
    """The provider says how the booking stands."""
    told = remote(opened.booking, status, version, reference=f"C-{opened.booking}")
    event = Event(f"evt-{version}", f"booking.{status}", now, booking=told)
    return receive_event(it.world.provider.id, event, now=now)
