"""What the steps have at hand: the provider through its adapter, its test mode, and test bookings that are all written
down before they are asked for."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from typing import TypeVar

from marketplace.core import clock
from providers.conformance.journal import Journal, Made
from providers.conformance.listening import Listener
from providers.conformance.step import Capability, Failed, NoSuchMode, NotTried, expect, wait_for
from providers.conformance.test_mode import NO_MODE, TEST_MODES, TestMode
from providers.conformance.transcript import Transcript, in_words
from providers.conformance.words import Said, phrase
from providers.conversing import Delivered, OpenConversation, Posted
from providers.port import (
    Accepted,
    Answer,
    Cancel,
    Confirmed,
    Connection,
    LookUp,
    NotFound,
    Person,
    ProviderAdapter,
    Refused,
    Reserve,
    RetryAfter,
    Unknown,
    Venue,
)
from providers.registry import capabilities, connect
from providers.reported import TEST_PREFIX, RemoteBooking, RemoteSlot

DAYS_AHEAD, DAYS = 2, 28
MOST_PAGES = 20
HASTY_SECONDS = 1.0
"""How long an answer is waited for that will not come in time."""
PERSON = Person("测试 Conformance", "male", date(1990, 1, 1))
"""The marked test person that every test booking is for."""
VENUE = Venue("kit", "测试地点 Conformance", "测试市", "", "")
ERRAND = {"department": "测试 test", "mobility": "walks"}
"""Where to and what for somebody is sent in tests."""

T = TypeVar("T")
Wish = Reserve | OpenConversation

NO_SUCH_MODE = phrase("kind-without-test-mode", "这类系统没有测试模式", "this kind of system has no test mode")
NO_OFFER = phrase(
    "no-offer-known",
    "没有可预约的测试项目：请指定一个，或由测试模式给出",
    "no offer is known to book: give one, or let the test mode say it",
)
NOTHING_ON_SALE = phrase(
    "no-test-slot-on-sale", "未来几周内没有可约的测试时段", "no slot of the tests' pool is on sale in the coming weeks"
)
NOBODY_LISTENS = phrase("nobody-listens", "这里没有接收事件的地址", "nobody listens for webhooks here")
READABLE_SLOTS = phrase("slots-readable", "每个时段都能读取", "slots that can all be read")
UNREADABLE_SLOTS = phrase("slots-unreadable", "有读不懂的行：{reasons}", "unreadable rows: {reasons}")
FREE_PLACE = phrase("free-place", "有空余名额", "a free place")
TEN_SLOTS = phrase("ten-slots", "连续十个时段都是：{came}", "{came} for ten slots")
TEST_CONFIRMED = phrase("test-booking-confirmed", "测试预约已确认", "the test booking confirmed")
CONFIRMED_OR_LATER = phrase(
    "confirmed-or-later", "立即确认，或先受理再确认", "confirmed, or accepted and confirmed later"
)
STATUS_WITHIN = phrase(
    "booking-status-within", "预约在 {seconds} 秒内变为 {statuses}", "the booking {statuses} within {seconds} s"
)
A_BOOKING = phrase("a-booking", "预约为 {status}，版本 {version}", "a booking that is {status}, version {version}")
REFUSED = phrase("refused", "拒绝（{code}）", "refused ({code})")
UNKNOWN_ANSWER = phrase("unknown-answer", "结果不明（{detail}）", "unknown ({detail})")
COME_BACK = phrase("come-back", "请 {seconds} 秒后再来", "come back in {seconds} s")
NOT_REACHED = phrase("not-reached", "没有连上", "not reached")
ACCEPTED = phrase("accepted", "已受理", "accepted")
CONFIRMED = phrase("confirmed", "已确认", "confirmed")
POSTED = phrase("posted", "已收到", "taken")
NOT_FOUND = phrase("not-found", "查无此预约", "not found")


@dataclass(frozen=True)
class Target:
    """Which system is tried, and how. `offer` and `pool`, offer and department of a `consultation`, and offer and pool
    of an `escort`, may be blank: the test mode says them, or they are those of `fallback`, `fallback_consultation` and
    `fallback_escort`. `patience` is how long (seconds) is waited for what the provider decides or sends later."""

    adapter: str
    connection: Connection = field(repr=False)
    offer: str = ""
    pool: str = ""
    patience: float = 30.0
    fallback: tuple[str, str] = ("", "")
    consultation: tuple[str, str] = ("", "")
    fallback_consultation: tuple[str, str] = ("", "")
    escort: tuple[str, str] = ("", "")
    fallback_escort: tuple[str, str] = ("", "")
    person: Person = field(default=PERSON, repr=False)


@dataclass(frozen=True)
class Booked:
    """A test booking that the provider has confirmed."""

    wish: Reserve
    reference: str
    version: int
    slot: RemoteSlot


def declared(adapter: str) -> list[Capability]:
    """What a system of this kind is declared to do; of a program that answers in our books, what it has to prove."""
    if capabilities(adapter).program:
        return [Capability.BOOKING, Capability.WEBHOOKS, Capability.REPORTS]
    can, mode = capabilities(adapter), TEST_MODES.get(adapter)
    found = {
        Capability.IDEMPOTENCY: can.idempotency_keys,
        Capability.CHANGE: can.change,
        Capability.LISTS: can.list_bookings,
        Capability.WEBHOOKS: mode is not None and mode.sends_events,
        Capability.REPORTS: can.answers_here or mode is not None,  # no report is issued but to order
        Capability.CONSULTATIONS: can.converses,
        Capability.ESCORTS: can.escorts,
    }
    return [each for each in Capability if found.get(each, True)]


class Kit:
    """One run. Steps use one after the other; `transcript` is the present step's."""

    def __init__(self, target: Target, journal: Journal, listener: Listener | None = None) -> None:
        self.target = target
        self.listener = listener
        self.journal = journal
        self.adapter: ProviderAdapter = connect(target.adapter, target.connection)
        hasty = replace(target.connection, deadline_seconds=HASTY_SECONDS)
        self.hasty: ProviderAdapter = connect(target.adapter, hasty)
        self.transcript = self.new_transcript()
        self._mode: TestMode | None = None
        made = TEST_MODES.get(target.adapter)
        self._mode = None if made is None else made(target.connection)
        self.offer, self.pool = target.offer, target.pool
        self.consultation = target.consultation if target.consultation[0] else target.fallback_consultation
        """Offer and department of the consultations of tests; blank where the provider is not known to answer any."""
        self.escort = target.escort if target.escort[0] else target.fallback_escort
        """Offer and pool of the escorts of tests; blank where the provider is not known to send any."""
        self._numbers = count()
        self._run = secrets.token_hex(5)
        self._slots: list[RemoteSlot] = []
        self.unsure: set[str] = set()
        """References of ours of commands without a certain answer: they may still be on their way."""

    def new_transcript(self) -> Transcript:
        """For the next step."""
        person, link = self.target.person, self.target.connection
        told = (person.name, person.birth_date.isoformat(), person.phone or "", person.id_number or "")
        self.transcript = Transcript((*told, link.secret, *link.webhook_secrets))
        return self.transcript

    # --- the test mode ------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Ask the provider whether it has a test mode, and for the offers that tests use."""
        offer, pool = "", ""
        if self._mode is not None:
            try:
                offer, pool = self._mode.offered()
                told = self._mode.consultation()
                if told[0] and not self.target.consultation[0]:
                    self.consultation = told
                told = self._mode.escort()
                if told[0] and not self.target.escort[0]:
                    self.escort = told
            except NotTried:
                self._mode = None
        if not (self.offer or offer):
            offer, pool = self.target.fallback
        self.offer, self.pool = self.offer or offer, self.pool or pool

    @property
    def mode(self) -> TestMode:
        """The test mode. Raises NotTried without one, NoSuchMode where its protocol has none."""
        if self.target.adapter not in TEST_MODES:
            raise NoSuchMode(NO_SUCH_MODE())
        if self._mode is None:
            raise NotTried(NO_MODE())
        return self._mode

    # --- slots --------------------------------------------------------------------------------------------------------

    def read_slots(self) -> list[RemoteSlot]:
        """All slots of the days that tests use, of every pool. Raises Failed for rows that cannot be read."""
        first = clock.today(self.target.connection.time_zone) + timedelta(days=DAYS_AHEAD)
        found: list[RemoteSlot] = []
        page = None
        for _number in range(MOST_PAGES):
            part = self.adapter.slots(first, first + timedelta(days=DAYS), None, page)
            reasons = sorted({row.reason for row in part.unreadable})
            expect(not reasons, READABLE_SLOTS(), UNREADABLE_SLOTS(reasons=", ".join(reasons)[:200]))
            found += part.slots
            page = part.next
            if page is None:
                break
        return found

    def on_sale(self, pool: str) -> list[RemoteSlot]:
        """The slots on sale of a pool, or of the first one that has any. Raises NotTried where there are none."""
        found = [slot for slot in self.read_slots() if not slot.closed and slot.offered > 0]
        pool = pool or next((slot.pool for slot in found), "")
        found = [slot for slot in found if slot.pool == pool]
        if not found:
            raise NotTried(NOTHING_ON_SALE())
        return found

    def slot(self) -> RemoteSlot:
        """A slot on sale of the tests' pool, another one each time as long as there are some. Raises NotTried."""
        if not self.offer:
            raise NotTried(NO_OFFER())
        if not self._slots:
            self._slots = self.on_sale(self.pool)
        return self._slots[next(self._numbers) % len(self._slots)]

    def alter(self, slot: RemoteSlot, offered: int | None, *, closed: bool = False) -> None:
        """Have the provider alter a slot; it is put right again at the end."""
        mode = self.mode
        self._order(self._made("slot", slot.reference, slot), lambda: mode.set_slot(slot, offered, closed=closed))

    # --- bookings -----------------------------------------------------------------------------------------------------

    def wish(self, slot: RemoteSlot | None = None) -> Reserve:
        """A command for a test booking of its own."""
        slot = slot or self.slot()
        ours = f"{TEST_PREFIX}{self._run}{secrets.token_hex(5)}"
        return Reserve(
            key=f"{ours}-key",
            our_reference=ours,
            offer=self.offer,
            pool=slot.pool,
            slot=slot.reference,
            service_date=slot.service_date,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            person=self.target.person,
            answers=ERRAND if self.offer == self.escort[0] else {},
            venue=VENUE if self.offer == self.escort[0] else None,
        )

    def send(self, wish: Reserve, *, hasty: bool = False) -> Answer:
        """Ask for it, once that is written down."""
        self.journal.add(
            Made("booking", wish.our_reference, clock.now().isoformat(), wish.pool, wish.service_date.isoformat())
        )
        self.unsure.add(wish.our_reference)
        answer = (self.hasty if hasty else self.adapter).reserve(wish)
        if not isinstance(answer, Unknown):
            self.unsure.discard(wish.our_reference)
        return answer

    def book(self) -> Booked:
        """A test booking that is confirmed. Raises Failed."""
        answer: Answer = Refused("other")
        for _try in range(10):
            slot = self.slot()
            wish = self.wish(slot)
            answer = self.send(wish)
            if not isinstance(answer, Refused) or answer.code != "sold_out":
                return self.confirmed(wish, answer, slot)
        raise Failed(FREE_PLACE(), TEN_SLOTS(came=said(answer)))

    def confirmed(self, wish: Reserve, answer: Answer, slot: RemoteSlot) -> Booked:
        """The booking that this answer promised, once it is confirmed. Raises Failed."""
        if isinstance(answer, Accepted):
            there = self.until(wish, ("confirmed", "rejected"))
            expect(there.status == "confirmed", TEST_CONFIRMED(), said(there))
            return Booked(wish, there.reference, there.version, slot)
        expect(isinstance(answer, Confirmed), CONFIRMED_OR_LATER(), said(answer))
        assert isinstance(answer, Confirmed)  # noqa: S101  for the type
        return Booked(wish, answer.reference, answer.version, slot)

    def look_up(self, wish: Wish, key: str = "") -> RemoteBooking | NotFound | Unknown | RetryAfter:
        """What the provider has under our reference, or under the key."""
        return self.adapter.look_up(LookUp(key, wish.our_reference))

    def until(self, wish: Wish, statuses: Sequence[str]) -> RemoteBooking:
        """The booking once it has one of the statuses. Raises Failed when patience is over."""

        def there() -> RemoteBooking | None:
            found = self.look_up(wish)
            return found if isinstance(found, RemoteBooking) and found.status in statuses else None

        expected = STATUS_WITHIN(statuses=" / ".join(statuses), seconds=f"{self.target.patience:g}")
        return self.wait(there, expected)

    def wait(self, look: Callable[[], T | None], expected: Said) -> T:
        """What `look` gives once it gives something. Raises Failed when patience is over."""
        return wait_for(look, expected, self.target.patience)

    def cancel(self, booked: Booked, number: int = 1) -> Answer:
        """Cancel it; `number` tells several cancels of one booking apart."""
        key = f"{booked.wish.our_reference}-cancel-{number}"
        return self.adapter.cancel(Cancel(key, booked.wish.our_reference, booked.reference, "test", booked.version))

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def listening(self) -> Listener:
        """The listener, to which the provider now sends what concerns tests. Raises NotTried."""
        if self.listener is None:
            raise NotTried(NOBODY_LISTENS())
        mode, url = self.mode, self.listener.url
        self._order(self._made("webhooks", "webhooks"), lambda: mode.webhooks(url))
        return self.listener

    def _order(self, made: Made, order: Callable[[], None]) -> None:
        """Order something that has to be taken back, once that is written down. Raises NotTried."""
        self.journal.add(made)
        try:
            order()
        except NotTried:
            self.journal.gone(made)
            raise

    def _made(self, what: str, subject: str, slot: RemoteSlot | None = None) -> Made:
        day = "" if slot is None else slot.service_date.isoformat()
        return Made(what, subject, clock.now().isoformat(), "" if slot is None else slot.pool, day)


def said(answer: Answer | Delivered | RemoteBooking) -> Said:
    """An answer in a few words, nothing of which a provider wrote."""
    if isinstance(answer, RemoteBooking):
        return A_BOOKING(status=answer.status, version=answer.version)
    if isinstance(answer, Refused):
        return REFUSED(code=answer.code)
    if isinstance(answer, Unknown):
        return UNKNOWN_ANSWER(detail=in_words(answer.detail))
    if isinstance(answer, RetryAfter):
        return COME_BACK(seconds=f"{answer.seconds:g}") if answer.reached else NOT_REACHED()
    if isinstance(answer, Posted):
        return POSTED()
    return (NOT_FOUND if isinstance(answer, NotFound) else ACCEPTED if isinstance(answer, Accepted) else CONFIRMED)()
