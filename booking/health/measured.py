"""An adapter whose calls are counted: what came of each, and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from time import perf_counter
from typing import Any, TypeVar

from marshmallow import Schema

from booking.calls.breaker import Call
from booking.health.counts import Came, Counts
from marketplace.core import clock
from providers.adapters.http import NO_TIME, TOO_LATE, NoAnswer, Reply, overhear
from providers.conversing import (
    CloseConversation,
    Delivered,
    OpenConversation,
    OutgoingMessage,
    Picture,
    conversing_adapter,
)
from providers.escorting import escorting_adapter
from providers.port import (
    Answer,
    Cancel,
    Capabilities,
    Change,
    ComeBackLater,
    CursorLost,
    Decline,
    LookUp,
    NotFound,
    Oversize,
    ProviderAdapter,
    ProviderError,
    Reserve,
    RetryAfter,
    Unknown,
)
from providers.reported import (
    BookingPage,
    EscortLine,
    EscortPage,
    Event,
    MessagePage,
    RemoteBooking,
    RemoteClinician,
    RemoteMessage,
    RemoteReport,
    ReportContent,
    ReportPage,
    SlotPage,
)

_LATE = frozenset({TOO_LATE, NO_TIME, "ReadTimeout"})
"""What a call of ours ended with that took too long, whether or not a later step of it was still sent."""

_LATER = frozenset({200, 429, 503})
"""What says that the provider is to be left alone for a while; some say it inside a 200."""

T = TypeVar("T")

Heard = int | NoAnswer | None
"""What came last on the wire: a status, and not the answer with it, of which a pull has hundreds."""


class Measured:
    """`adapter`, with each of its calls counted as one of the kind `call`. It answers and raises what that does."""

    def __init__(self, adapter: ProviderAdapter, provider_id: int, call: Call, counts: Counts) -> None:
        self.capabilities: Capabilities = adapter.capabilities
        self.settings_schema: type[Schema] = adapter.settings_schema
        self._adapter = adapter
        self._provider_id = provider_id
        self._call = call
        self._counts = counts

    def slots(self, start: date, end: date, cursor: str | None, page: str | None) -> SlotPage:
        """As the port has it, and so are all others."""
        return self._count(lambda: self._adapter.slots(start, end, cursor, page))

    def reserve(self, command: Reserve) -> Answer:
        return self._count(lambda: self._adapter.reserve(command))

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown | RetryAfter:
        return self._count(lambda: self._adapter.look_up(question))

    def change(self, command: Change) -> Answer:
        return self._count(lambda: self._adapter.change(command))

    def decline(self, command: Decline) -> Answer:
        return self._count(lambda: self._adapter.decline(command))

    def cancel(self, command: Cancel) -> Answer:
        return self._count(lambda: self._adapter.cancel(command))

    def bookings_since(self, cursor: str | None, page: str | None) -> BookingPage:
        return self._count(lambda: self._adapter.bookings_since(cursor, page))

    def bookings_in(self, start: date, end: date, page: str | None) -> BookingPage:
        return self._count(lambda: self._adapter.bookings_in(start, end, page))

    def reports_since(self, cursor: str | None, page: str | None) -> ReportPage:
        return self._count(lambda: self._adapter.reports_since(cursor, page))

    def fetch_report(self, report: RemoteReport) -> ReportContent:
        return self._count(lambda: self._adapter.fetch_report(report))

    def open(self, command: OpenConversation) -> Answer:
        return self._count(lambda: conversing_adapter(self._adapter).open(command))

    def post(self, message: OutgoingMessage) -> Delivered:
        return self._count(lambda: conversing_adapter(self._adapter).post(message))

    def close(self, command: CloseConversation) -> Delivered:
        return self._count(lambda: conversing_adapter(self._adapter).close(command))

    def said_after(self, reference: str, seq: int) -> MessagePage:
        return self._count(lambda: conversing_adapter(self._adapter).said_after(reference, seq))

    def fetch_picture(self, message: RemoteMessage) -> Picture:
        return self._count(lambda: conversing_adapter(self._adapter).fetch_picture(message))

    def clinicians(self) -> Sequence[RemoteClinician]:
        return self._count(lambda: conversing_adapter(self._adapter).clinicians())

    def escort_lines_after(self, reference: str, seq: int) -> EscortPage:
        return self._count(lambda: escorting_adapter(self._adapter).escort_lines_after(reference, seq))

    def fetch_paper(self, line: EscortLine) -> Picture:
        return self._count(lambda: escorting_adapter(self._adapter).fetch_paper(line))

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Event:
        return self._adapter.read_event(headers, body, now)

    def _count(self, asked: Callable[[], T]) -> T:
        """What the call answers, counted with what came last on the wire."""
        last: Heard = None
        before = overhear.get()

        def listen(what: str, parts: Mapping[str, Any], came: Reply | NoAnswer) -> None:
            nonlocal last
            last = came.status if isinstance(came, Reply) else came
            if before is not None:
                before(what, parts, came)

        token, began = overhear.set(listen), perf_counter()
        outcome: object = None
        try:
            answer = asked()
            outcome = answer
        except Exception as error:
            outcome = error
            raise
        finally:
            overhear.reset(token)
            milliseconds = (perf_counter() - began) * 1000
            came = what_came(outcome, last)
            self._counts.add(self._provider_id, self._call, came, milliseconds, at=clock.now())
        return answer


def what_came(outcome: object, heard: Heard) -> Came:
    """What kind of answer or failure a call of the port was; `outcome` is what it returned or raised."""
    match outcome:
        case ComeBackLater() | RetryAfter(reached=True):
            # A key that is not accepted is tried again later too, and is a failure all the same.
            return _failure(heard) if isinstance(heard, int) and heard not in _LATER else Came.RATE_LIMITED
        case RetryAfter():
            return Came.TIMED_OUT if isinstance(heard, NoAnswer) and heard.reason in _LATE else Came.UNREACHED
        case CursorLost():
            return Came.SUCCEEDED
        case Oversize():
            return Came.UNREADABLE
        case Unknown() | ProviderError():
            return _failure(heard)
        case BaseException():
            return Came.OTHER_ERRORS
    return Came.SUCCEEDED


def _failure(heard: Heard) -> Came:
    if isinstance(heard, NoAnswer):
        if heard.reason in _LATE:
            return Came.TIMED_OUT
        return Came.OTHER_ERRORS if heard.sent else Came.UNREACHED
    if heard is None:
        return Came.OTHER_ERRORS
    if heard == 429:
        return Came.RATE_LIMITED
    if heard >= 500:
        return Came.SERVER_ERRORS
    return Came.CLIENT_ERRORS if heard >= 400 else Came.UNREADABLE
