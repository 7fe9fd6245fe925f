"""A small world to book in: a provider, a site, an offer with slots; and a provider's adapter that tests steer."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import outbox
from booking.actors import Actor, ActorKind
from booking.calls.breaker import Call
from booking.calls.connections import ProviderConnection, connection_of
from booking.calls.models import ProviderBreaker
from booking.exchange import send
from booking.hold import place
from booking.hold.submit import submit
from booking.models import Booking, BookingHistory, ProviderTask, Slot
from booking.states import BookingState
from booking.transition import WISHES, lock_booking, move
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from providers import port
from tests.people import NOON, add_customer, add_entitlement
from vip.models import Beneficiary, Customer, Entitlement
from vip.principal import Principal
from vip.signin.authentication import authenticate
from vip.signin.signin import issue_token_to

DAY = date(2026, 3, 10)
EIGHT = datetime(2026, 3, 10, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
PACKAGE: dict[str, Any] = {"items": [], "sex": "any", "age_min": 0, "age_max": 120}

_number = itertools.count(1)


@dataclass
class World:
    """What a test books with; `slots` lie an hour apart."""

    provider: Provider
    offer: Offer
    slots: list[Slot]
    customer: Customer
    beneficiary: Beneficiary
    entitlement: Entitlement
    principal: Principal

    def request(self, slot: int = 0, **changes: Any) -> place.HoldRequest:
        """A request for one of the slots."""
        values: dict[str, Any] = {
            "offer": self.offer.public_id,
            "slot": self.slots[slot].public_id,
            "beneficiary": self.beneficiary.public_id,
            "entitlement": None,
            "details": {},
        }
        return place.HoldRequest(**{**values, **changes})

    def hold(self, slot: int = 0, *, key: str | None = None, now: datetime = NOON, **changes: Any) -> str:
        """Hold a place; the booking's public id."""
        key = key or str(uuid.uuid4())
        return place.hold(self.principal, self.request(slot, **changes), key=key, fingerprint=b"f", now=now).public_id

    def submit(self, slot: int = 0, *, now: datetime = NOON) -> str:
        """Hold and confirm; the booking's public id."""
        public_id = self.hold(slot, now=now)
        submit(self.principal, public_id, now=now)
        return public_id


def make_offer(**terms: Any) -> tuple[Provider, Offer, list[Slot]]:
    """A provider with one offer at a site of its own; `terms` are those of add_offer."""
    with transaction() as session:
        return add_offer(session, **terms)


def add_offer(
    session: Session,
    *,
    slots: int = 3,
    capacity: int = 5,
    allotment: bool = False,
    package: Mapping[str, Any] | None = None,
    start: datetime = EIGHT,
    base_url: str = "http://127.0.0.1:9",
    kind: str = "health_check",
    adapter: str = "open_protocol",
    place_name: str = "示范医院",
) -> tuple[Provider, Offer, list[Slot]]:
    """The same in the caller's transaction."""
    number = next(_number)
    code = f"clinic{number}-{uuid.uuid4().hex[:6]}"
    provider = Provider(
        public_id=new_id("prv"),
        code=code,
        name_zh="和馨",
        name_en="Hexin",
        adapter=adapter,
        base_url=base_url,
        allotment=allotment,
    )
    site = Site(public_id=new_id("sit"), name=f"{place_name}{code}", province="浙江省", city="杭州市")
    session.add_all([provider, site])
    session.flush()
    pool = CapacityPool(public_id=new_id("pol"), provider_id=provider.id, site_id=site.id, external_ref="pool-1")
    session.add(pool)
    session.flush()
    offer = Offer(
        public_id=new_id("ofr"),
        provider_id=provider.id,
        site_id=site.id,
        pool_id=pool.id,
        kind=kind,
        external_ref="basic",
        name_zh="甄选套餐",
        name_en="Select package",
        package=dict(package or PACKAGE),
        price_minor=128000,
        certified=True,
    )
    session.add(offer)
    made = [make_slot(pool.id, start + timedelta(hours=hour), capacity) for hour in range(slots)]
    session.add_all(made)
    return provider, offer, made


def make_slot(pool_id: int, starts: datetime, capacity: int, zone_hours: int = 8) -> Slot:
    """An unsaved slot of half an hour."""
    return Slot(
        public_id=new_id("slt"),
        pool_id=pool_id,
        external_ref=f"s-{starts.isoformat()}",
        service_date=(starts + timedelta(hours=zone_hours)).date(),
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        offered=capacity,
        capacity=capacity,
    )


def make_world(*, quantity: int | None = 2, phone: str = "13800000021", **offer: Any) -> World:
    """Everything needed to book, for one customer. In one transaction: thousands of tests begin with it."""
    with transaction() as session:
        joined = _add_world(session, *add_offer(session, **offer), phone, quantity)
    return joined()


def join(provider: Provider, offer: Offer, slots: list[Slot], *, phone: str, quantity: int | None = 1) -> World:
    """Another customer, with an entitlement, in the same world."""
    with transaction() as session:
        joined = _add_world(session, provider, offer, slots, phone, quantity)
    return joined()


def _add_world(
    session: Session, provider: Provider, offer: Offer, slots: list[Slot], phone: str, quantity: int | None
) -> Callable[[], World]:
    """A customer who may book; what is returned signs her in, once she is there."""
    customer, herself = add_customer(session, phone)
    entitlement = add_entitlement(session, customer, quantity, kind=offer.kind)
    token = issue_token_to(session, customer, NOON).token
    return lambda: World(provider, offer, slots, customer, herself, entitlement, authenticate(token, now=NOON))


@dataclass
class FakeAdapter:
    """A provider that answers what the test puts into it. `sent` holds the commands in order."""

    answers: list[port.Answer | port.RemoteBooking | Callable[[Any], Any]] = field(default_factory=list)
    found: list[port.RemoteBooking | port.NotFound | port.Unknown | port.RetryAfter] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    asked: list[port.LookUp] = field(default_factory=list)

    def _answer(self, command: Any) -> Any:
        self.sent.append(command)
        answer = self.answers.pop(0)
        return answer(command) if callable(answer) else answer

    def reserve(self, command: port.Reserve) -> Any:
        """The next answer."""
        return self._answer(command)

    def cancel(self, command: port.Cancel) -> Any:
        """The next answer."""
        return self._answer(command)

    def change(self, command: port.Change) -> Any:
        """The next answer."""
        return self._answer(command)

    def decline(self, command: port.Decline) -> Any:
        """The next answer."""
        return self._answer(command)

    def look_up(self, question: port.LookUp) -> Any:
        """The next finding."""
        self.asked.append(question)
        return self.found.pop(0)


def connection_to(provider: Provider) -> ProviderConnection:
    """The provider as the worker sees it now."""
    with reading() as session:
        return connection_of(session.get_one(Provider, provider.id))


def one_pass(world: World, adapter: FakeAdapter, *, now: datetime, worker: str = "w1") -> list[str]:
    """One pass of the outbox at `now`; the outcomes."""
    known = connection_to(world.provider)
    claimed = send.claim_tasks(known, worker=worker, places=10, now=now)
    return [send.run_task(known, adapter, task, lambda: now).what for task in claimed]  # type: ignore[arg-type]


def claim_all(world: World, *, now: datetime, worker: str = "w1") -> list[outbox.Claimed]:
    """Claim what is due, as a worker that dies right after would."""
    return send.claim_tasks(connection_to(world.provider), worker=worker, places=10, now=now)


def booking_row(public_id: str) -> Booking:
    """The booking as it stands."""
    with reading() as session:
        return session.scalars(select(Booking).where(Booking.public_id == public_id)).one()


def go(public_id: str, *states: BookingState, actor: ActorKind = "provider", cause: str = "") -> None:
    """Move a booking through these states, one after the other."""
    for state in states:
        with transaction() as session:
            booking, _ = lock_booking(session, booking_row(public_id).id)
            move(session, booking, state, actor=Actor(actor), now=NOON, cause=cause)


def history(public_id: str) -> list[str]:
    """The states it went through."""
    with reading() as session:
        return list(
            session.scalars(
                select(BookingHistory.to_state)
                .join(Booking, Booking.id == BookingHistory.booking_id)
                .where(Booking.public_id == public_id, BookingHistory.cause.not_in(WISHES))
                .order_by(BookingHistory.version)
            )
        )


def tasks(public_id: str) -> list[tuple[str, str]]:
    """Its commands and where each stands."""
    with reading() as session:
        rows = session.execute(
            select(ProviderTask.command, ProviderTask.state)
            .join(Booking, Booking.id == ProviderTask.booking_id)
            .where(Booking.public_id == public_id)
            .order_by(ProviderTask.seq)
        )
        return [(row.command, row.state) for row in rows]


def taken(slot: Slot) -> int:
    """The slot's counter."""
    with reading() as session:
        return session.get_one(Slot, slot.id).taken


def set_provider(provider: Provider, **values: Any) -> None:
    """Change the provider's row."""
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == provider.id).values(**values))


def set_breaker(provider: Provider, call: Call = Call.COMMANDS, **values: Any) -> None:
    """Put a breaker into a state."""
    with transaction() as session:
        session.merge(ProviderBreaker(provider_id=provider.id, call=call.value, **values))


def breaker_row(provider: Provider, call: Call = Call.COMMANDS) -> tuple[int, datetime | None, datetime | None]:
    """A breaker's failures, until when it is open, and the lease of its probe."""
    with reading() as session:
        row = session.get(ProviderBreaker, (provider.id, call.value))
        return (row.failures, row.open_until, row.probe_until) if row is not None else (0, None, None)


def remote(public_id: str, status: str, version: int = 1, reference: str = "R-1", **more: Any) -> port.RemoteBooking:
    """The booking as the provider would tell it."""
    return port.RemoteBooking(reference, public_id, status, version, **more)  # type: ignore[arg-type]
