"""What the marketplace asks of a provider, whatever its system: plain data in, plain data out (providers.reported).

An adapter translates and does nothing else. It never sees a database row, never decides what a booking becomes and
raises one exception only, ProviderError, for answers that say nothing about the command (see `Unknown` for those that
leave its outcome open). Every call has one total deadline of at most ten seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol, runtime_checkable

from marshmallow import Schema

from marketplace.core.clock import HOME_ZONE
from marketplace.core.text import Text
from providers.reported import BookingPage, Event, RemoteBooking, RemoteReport, ReportContent, ReportPage, SlotPage


class ProviderError(Exception):
    """A read (slots, lists, reports) failed; nothing is known and nothing was changed. Carries no personal data."""


class CursorLost(ProviderError):
    """The provider no longer knows the cursor (or page): the list has to be read from its start."""


class ComeBackLater(ProviderError):
    """The provider did not look at the read and asks to be left alone for `retry_after` seconds (HTTP 429, or 503 with
    Retry-After). It is well: this is no failure."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NotAuthorised(ProviderError):
    """The system does not take our key or credentials, and did not look at the call: a person has to fix that."""


class Oversize(ProviderError):
    """The answer is larger than anything we read; asking again brings no other."""


class BadSignature(ProviderError):
    """An inbound message is not signed by the provider, or is too old."""


@dataclass(frozen=True)
class Connection:
    """How to reach one provider. `secret` signs or authorises our calls, `webhook_secrets` verify theirs. Its address
    may lead to public ones by https, and into the `networks` that an operator allowed."""

    provider: str
    base_url: str
    secret: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    time_zone: str = HOME_ZONE
    deadline_seconds: float = 8.0
    settings: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Capabilities:
    """What a kind of system can do, which decides how commands are sent to it. `change`: it moves a booking by one
    command; without, a change is a second booking and the cancel of the first. `idempotency_keys`: a command may be
    sent again under its key; without, it is looked up first. `list_bookings`: it lists its bookings by service date;
    without, each of ours is looked up by itself. `answers_here`: its people answer in our own books, by the partner API
    or at their desk: there is nothing to read from it, and all that it says is known at once. `program`: what answers
    here is a program of the provider's, which has to prove by certificates that it does so rightly.
    `converses`: its own doctors can answer consultations (providers.conversing). `escorts`: it can send escorts of its
    own and say what they do (providers.escorting).

    What one provider agreed with us stands in its row (marketplace.catalog.models.Provider), not here.
    """

    change: bool
    idempotency_keys: bool
    list_bookings: bool = True
    answers_here: bool = False
    program: bool = False
    converses: bool = False
    escorts: bool = False


@dataclass(frozen=True)
class Person:
    """Who comes. `id_number` and `phone` are None unless the offer asks for them."""

    name: str = field(repr=False)
    sex: Literal["male", "female"] = field(repr=False)
    birth_date: date = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    id_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Venue:
    """Where somebody is sent, as it was when it was booked. `id` is ours."""

    id: str
    name: str
    city: str
    district: str
    address: str


@dataclass(frozen=True)
class Reserve:
    """Book one place. `key` never changes in the command's life; `our_reference` is the booking's public id. `agreed`:
    the provider proposed this time itself, and the customer accepted. `immediate`: what begins at once has no slot
    (`slot` is blank), and its day is the day on which it was asked for. `venue`: None for what is done at a place of
    the provider's own."""

    key: str
    our_reference: str
    offer: str
    pool: str
    slot: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    person: Person
    answers: Mapping[str, object] = field(default_factory=dict)
    agreed: bool = False
    immediate: bool = False
    venue: Venue | None = None


@dataclass(frozen=True)
class Cancel:
    """Cancel what exists at the provider under `reference`, or under our own reference when theirs is not known.
    `our_reference` is blank for what the provider has without one; `version` is the last that we know of it."""

    key: str
    our_reference: str
    reference: str | None
    reason: str
    version: int = 0


@dataclass(frozen=True)
class Change:
    """Move a booking to another slot, keeping its reference."""

    key: str
    our_reference: str
    reference: str
    slot: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class Decline:
    """The customer keeps her date: the time that was proposed (its `slot`) is not wanted."""

    key: str
    our_reference: str
    reference: str
    slot: str


@dataclass(frozen=True)
class LookUp:
    """Ask what became of the command with `key`, or of the booking with our reference."""

    key: str
    our_reference: str
    reference: str | None = None


# --- answers to a command -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Accepted:
    """The provider has the request and will decide later; `answer_by` if it said so."""

    reference: str
    version: int = 0
    answer_by: datetime | None = None


@dataclass(frozen=True)
class Confirmed:
    """Done: the booking is firm (or, as the answer to Cancel or Change, the cancel or change is)."""

    reference: str
    version: int = 0
    starts_at: datetime | None = None


@dataclass(frozen=True)
class Refused:
    """The provider says no and holds nothing. `code`: sold_out, closed, not_eligible, too_late, unknown_slot, other."""

    code: str
    text: str = ""


@dataclass(frozen=True)
class NotFound:
    """The provider knows neither the key nor our reference. Permits a resend only after the settle window."""


@dataclass(frozen=True)
class Unknown:
    """A time-out, a broken answer, an answer without our reference: neither done nor failed until evidence comes."""

    detail: str


@dataclass(frozen=True)
class RetryAfter:
    """The provider took nothing and asks us to come back in `seconds` (HTTP 429 or 503 with Retry-After). `reached`
    is False when it could not even be asked."""

    seconds: float
    reached: bool = True


Answer = Accepted | Confirmed | Refused | NotFound | Unknown | RetryAfter


class ProviderAdapter(Protocol):
    """One provider system's wire format. Construct with a Connection; instances are used by one thread at a time.
    `settings_schema` says which settings its providers have (Connection.settings); wrong ones are a ValueError when it
    is constructed.

    A row of a page that cannot be read stops no other: it is one of the page's `unreadable` (providers.adapters.rows).
    """

    capabilities: Capabilities
    settings_schema: type[Schema]

    def __init__(self, connection: Connection) -> None: ...

    def slots(self, start: date, end: date, cursor: str | None, page: str | None) -> SlotPage:
        """Slots with a service date in [start, end]; with `cursor`, only what changed since. Raises ProviderError,
        CursorLost when the cursor is not known any more."""
        ...

    def reserve(self, command: Reserve) -> Answer:
        """Ask for a place."""
        ...

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown | RetryAfter:
        """What exists at the provider for our key or reference."""
        ...

    def change(self, command: Change) -> Answer:
        """Move a booking. What is only requested yet is confirmed by a move to the time that was proposed for it."""
        ...

    def decline(self, command: Decline) -> Answer:
        """Turn down a proposal; Confirmed also when it was over before. Refused where proposals are not known."""
        ...

    def cancel(self, command: Cancel) -> Answer:
        """Cancel a booking; Confirmed also when it was cancelled before."""
        ...

    def bookings_since(self, cursor: str | None, page: str | None) -> BookingPage:
        """Bookings that changed since `cursor` (None: all). Raises ProviderError, CursorLost."""
        ...

    def bookings_in(self, start: date, end: date, page: str | None) -> BookingPage:
        """All bookings with a service date in [start, end], each as it is now, whatever their status; others may come
        along. `cursor` means nothing here. Raises ProviderError."""
        ...

    def reports_since(self, cursor: str | None, page: str | None) -> ReportPage:
        """Reports that came or changed since `cursor` (None: all). Raises ProviderError, CursorLost."""
        ...

    def fetch_report(self, report: RemoteReport) -> ReportContent:
        """The content of a report, at most 5 MiB. Raises ProviderError, Oversize."""
        ...

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Event:
        """Verify and parse a webhook. Raises BadSignature, or ProviderError when it cannot be read at all: not what it
        is about, but what it is."""
        ...


@runtime_checkable
class TellsWhatItCan(Protocol):
    """An adapter of systems that say what they can do, so that one that is no use is refused when it joins."""

    def missing(self) -> Sequence[Text]:
        """What this provider's system lacks for us, each in a sentence that names it; empty if it is fit. Raises
        ProviderError when it cannot be asked."""
        ...


def try_out(adapter: ProviderAdapter, today: date) -> Sequence[Text]:
    """Ask a system for what changes nothing there: what it lacks for us if it tells (that is returned, and nothing more
    is asked of one that is not fit), then the places of one day, which needs our key. Raises ProviderError."""
    missing = adapter.missing() if isinstance(adapter, TellsWhatItCan) else ()
    if not missing:
        adapter.slots(today, today, None, None)
    return missing
