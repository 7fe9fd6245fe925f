"""What the steps have at hand: a twin's test customers who book and cancel, what its program calls, and messages to its
webhook endpoint.

The commands and the webhooks of a test booking go the way of every booking's, by the worker's other threads; the kit
looks at what comes of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from sqlalchemy import select

from booking.certifying.subject import TRIALS
from booking.models import Booking, BookingHistory
from booking.programs import watch
from booking.programs.free import Days, free_slots
from booking.programs.messages import Endpoint, delivered, endpoint_of
from booking.programs.watch import Call
from booking.states import BookingState
from booking.twins.act import cancel_as_customer
from booking.twins.customers import customer, customers
from booking.twins.place import book_slot
from marketplace.catalog.models import Offer
from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.db import reading
from marketplace.core.errors import Refusal
from providers.conformance.journal import Journal, Made
from providers.conformance.step import Failed, NotTried, wait_for
from providers.conformance.transcript import Transcript
from providers.conformance.words import Said, phrase

T = TypeVar("T")

DAYS_AHEAD, WEEKS = timedelta(days=3), timedelta(weeks=4)
"""Where test bookings are made: late enough that their customer can cancel them."""
TRIES = 10
NO_OFFER = phrase(
    "twin-without-offer",
    "测试模式下没有可约的项目：请先在测试模式中发布项目",
    "nothing is offered in test mode: publish an offer there first",
)
NO_BOOKING = phrase(
    "twin-not-booked",
    "测试模式下无法预约（{code}）：请先在测试模式中发布未来几周的时段",
    "nothing could be booked in test mode ({code}): publish slots of the coming weeks there first",
)
NO_CANCEL = phrase(
    "twin-not-cancelled",
    "测试客户无法取消预约（{code}）：请在测试模式中发布更晚的时段",
    "the test customer cannot cancel ({code}): publish slots further ahead in test mode",
)
NO_ENDPOINT = phrase(
    "twin-without-endpoint",
    "测试模式下没有接收事件的地址（程序自行读取事件）",
    "no webhook endpoint is active in test mode: the program reads events by itself",
)
BOOKED = phrase("trial-booked", "> 测试客户预约 {booking}", "> a test customer books {booking}")
CANCELS = phrase("trial-cancelled", "> 测试客户取消 {booking}", "> the test customer cancels {booking}")
CONFIRMED_WITHIN = phrase(
    "trial-confirmed-within",
    "程序在 {seconds} 秒内确认预约 {booking}",
    "the program confirms booking {booking} within {seconds} s",
)


@dataclass(frozen=True)
class Trial:
    """A run at a twin. `patience`: how long (seconds) is waited for what the program does; `quiet`: how long is watched
    that it does not do something. `meanwhile` is called while waiting: a test does there what a worker's threads do."""

    run_id: int
    twin_id: int
    journal: Journal = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    patience: float = 60.0
    quiet: float = 5.0
    meanwhile: Callable[[], None] = field(default=lambda: None, repr=False)


class ProgramKit:
    """One run. Steps use one after the other; `transcript` is the present step's."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self._told = [each.name for each in customers(trial.twin_id)]
        self._noted = 0
        self._numbers = count()
        self.transcript = self.new_transcript()

    def new_transcript(self) -> Transcript:
        """For the next step; what was called before is not in it."""
        self.transcript = Transcript(self._told)
        self._hear()
        self.transcript.lines.clear()
        return self.transcript

    # --- bookings -----------------------------------------------------------------------------------------------------

    def book(self, slot: str | None = None, offer: str | None = None) -> str:
        """A test booking at a slot (a public id), or at another one each time; its public id. Raises NotTried."""
        trial, number = self.trial, self.customer_number()
        trial.journal.add(Made(TRIALS, TRIALS, trial.clock().isoformat()))
        code = "no_free_time"
        for each in [slot] if slot is not None else self._slots():
            try:
                made = book_slot(trial.twin_id, offer or self.offer(), each, number, trial.clock())
            except Refusal as refusal:  # she may be somewhere else then
                code = refusal.code
                continue
            self.transcript.note(BOOKED(booking=made))
            return made
        raise NotTried(NO_BOOKING(code=code))

    def _slots(self) -> list[str]:
        """Free slots of the coming weeks where the offer is booked, but those that the program has to take for full;
        they begin with another one each time."""
        first = clock.today(HOME_ZONE, self.trial.clock()) + DAYS_AHEAD
        days = Days(first, first + WEEKS)
        free = free_slots(self.trial.twin_id, days, self.trial.clock(), offer=self.offer())
        found = [each.slot for each in free]
        begin = next(self._numbers) % len(found) if found else 0
        return [*found[begin:], *found[:begin]][:TRIES]

    def confirmed(self) -> str:
        """A test booking that the program has confirmed. Raises Failed."""
        made = self.book()
        self.until_confirmed(made)
        return made

    def until_confirmed(self, booking: str) -> None:
        """Wait until the program has confirmed it, by a call that has been noted: that call comes after nothing that is
        done next. Raises Failed; also where people confirm it at the desk."""
        expected = CONFIRMED_WITHIN(booking=booking, seconds=f"{self.trial.patience:g}")
        self.wait(lambda: self._confirmed(booking) or None, expected)

    def _confirmed(self, booking: str) -> bool:
        said = any(each.says and each.status < 400 for each in self.calls(booking))
        return said and self.state(booking) is BookingState.CONFIRMED

    def cancel(self, booking: str) -> None:
        """Its customer cancels it. Raises NotTried."""
        self.transcript.note(CANCELS(booking=booking))
        try:
            cancel_as_customer(self.trial.twin_id, booking, now=self.trial.clock())
        except Refusal as refusal:
            raise NotTried(NO_CANCEL(code=refusal.code)) from refusal

    def state(self, booking: str) -> BookingState:
        """How it stands in our books."""
        with reading() as session:
            return session.scalars(select(Booking.state).where(Booking.public_id == booking)).one()

    def why(self, booking: str) -> str:
        """The cause of its last move."""
        query = (
            select(BookingHistory.cause)
            .join(Booking, Booking.id == BookingHistory.booking_id)
            .where(Booking.public_id == booking)
        )
        with reading() as session:
            return session.scalars(query.order_by(BookingHistory.version.desc()).limit(1)).one()

    def offer(self) -> str:
        """What is booked: the twin's first offer on sale. Raises NotTried."""
        query = select(Offer.public_id).where(Offer.provider_id == self.trial.twin_id, Offer.active)
        with reading() as session:
            found = session.scalar(query.order_by(Offer.id).limit(1))
        if found is None:
            raise NotTried(NO_OFFER())
        return found

    def customer_number(self) -> int:
        """The kit's customer is the twin's last one: the others are the provider's own to test with."""
        return customer(self.trial.twin_id, len(self._told)).number

    # --- what the program does ----------------------------------------------------------------------------------------

    def calls(self, booking: str = "", after: int = 0) -> Sequence[Call]:
        """What it called after the call `after`, about this booking or about anything."""
        self._hear()
        found = watch.calls_since(self.trial.run_id, after)
        return [each for each in found if not booking or each.booking == booking]

    def last_call(self) -> int:
        """The newest call, for `after`; 0 before the first."""
        return max((each.id for each in watch.calls_since(self.trial.run_id, 0)), default=0)

    def told(self, booking: str, kind: str) -> bool:
        """Whether the program was told of this event: its endpoint acknowledged it, or it has read since."""
        endpoint = self.endpoint_or_none()
        if endpoint is not None and (done := delivered(endpoint, booking, kind)) is not None:
            self.transcript.note(f"> webhook {kind} < {done.status}")
            return True
        with reading() as session:
            row = session.scalars(select(Booking).where(Booking.public_id == booking)).one()
        since = row.created_at if kind == "booking.requested" else row.updated_at
        reads = (each for each in self.calls() if each.method == "GET" and each.status < 400 and each.at >= since)
        return any(each.booking in ("", booking) for each in reads)

    def wait(self, look: Callable[[], T | None], expected: Said) -> T:
        """What `look` gives once it gives something. Raises Failed when patience is over."""

        def once() -> T | None:
            self.trial.meanwhile()
            return look()

        try:
            return wait_for(once, expected, self.trial.patience)
        finally:
            self._hear()

    def watch_quiet(self, look: Callable[[], T | None]) -> T | None:
        """What `look` gives meanwhile, None if it gives nothing for as long as is watched."""
        over = time.monotonic() + self.trial.quiet
        while time.monotonic() < over:
            self.trial.meanwhile()
            if (found := look()) is not None:
                return found
            time.sleep(0.1)
        return None

    def writes(self, booking: str, after: int) -> Said | None:
        """What the program said of a booking after the call `after`, in words; None for nothing."""
        said = [f"{each.method} {each.says} ({each.status})" for each in self.calls(booking, after) if each.says]
        return SAID(calls=", ".join(said)[:200], booking=booking) if said else None

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def endpoint_or_none(self) -> Endpoint | None:
        """The twin's endpoint that is told of requests and cancels."""
        return endpoint_of(self.trial.twin_id)

    def endpoint(self) -> Endpoint:
        """The same. Raises NotTried."""
        found = self.endpoint_or_none()
        if found is None:
            raise NotTried(NO_ENDPOINT())
        return found

    def _hear(self) -> None:
        """Note what was called since the last time."""
        for each in watch.calls_since(self.trial.run_id, self._noted):
            self.transcript.note(f"< {each.method} {each.route} {each.booking} {each.status}".replace("  ", " "))
            self._noted = each.id


SAID = phrase("program-said", "{calls}（预约 {booking}）", "{calls} of booking {booking}")


def quiet_or(found: Said | None, expected: Said) -> None:
    """Raise Failed where something was done that should not be."""
    if found is not None:
        raise Failed(expected, found)
