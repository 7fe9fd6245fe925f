"""What a provider reports: its slots, bookings and reports, as plain data, whatever its system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

BookingStatus = Literal[
    "requested", "confirmed", "rejected", "cancelled", "checked_in", "in_service", "fulfilled", "no_show"
]
MessageKind = Literal["text", "picture", "summary"]
EscortLineKind = Literal[
    "assigned",
    "released",
    "on_the_way",
    "arrived",
    "met",
    "registered",
    "consulted",
    "examined",
    "medicines_fetched",
    "back_home",
    "note",
    "paper",
    "cost",
    "handed_over",
]


TEST_PREFIX = "kit-"
"""How our references of test bookings begin (providers.conformance). No booking of a customer has such a reference."""


@dataclass(frozen=True)
class Proposed:
    """Another time that the provider proposes for a booking, to be answered before `expires_at`. `reason` in its
    words, for the customer to read."""

    slot: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    expires_at: datetime
    reason: str = ""


@dataclass(frozen=True)
class RemoteBooking:
    """A booking as the provider sees it. `version` grows with every change there; times are with zone. Without a
    `proposal` none is open there (any more)."""

    reference: str
    our_reference: str | None
    status: BookingStatus
    version: int
    service_date: date | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reason: str = ""
    updated_at: datetime | None = None
    proposal: Proposed | None = None

    @property
    def for_test(self) -> bool:
        """Whether a run of conformance made it."""
        return (self.our_reference or "").startswith(TEST_PREFIX)


@dataclass(frozen=True)
class RemoteSlot:
    """Capacity of a pool for a window or a day. `offered` is all that is given to us, taken or not; a `closed` slot
    is no longer offered. Day capacity has no clock times."""

    pool: str
    reference: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    offered: int
    closed: bool = False
    version: int = 0

    @property
    def name(self) -> str:
        """What tells it from all other slots of its provider."""
        return slot_name(self.pool, self.reference)


def slot_name(pool: str, reference: str) -> str:
    """What tells a slot from all others of its provider: another pool may have the same reference."""
    return f"{pool}/{reference}"


MOST_DELIVERED = 16 * 1024
"""How many bytes are handed on of a row that cannot be read."""


@dataclass(frozen=True)
class UnreadableRow:
    """A row of a page that breaks the contract: everything else of the page is good, and of this one nothing but what
    stands here.

    `reference` (of a slot its `name`) and `our_reference` are None where they cannot be read either. `reason` is a code
    that names the field: `status.unknown`. `delivered` is the row as it came, in canonical JSON of at most 16 KiB;
    `digest` tells it from others, also beyond that. `seq`: the number of a line of a consultation; None of every other
    row, and where no number of that consultation can be read.
    """

    reason: str
    delivered: bytes = field(repr=False)
    digest: str
    reference: str | None = None
    our_reference: str | None = None
    seq: int | None = None

    @property
    def nameless(self) -> bool:
        """Whether it may be any row at all."""
        return self.reference is None and self.our_reference is None


@dataclass(frozen=True)
class SlotPage:
    """Some slots, and where to go on: `next` continues this pull, `cursor` starts the next one. What is `unreadable` is
    not absent: nothing is known of it."""

    slots: Sequence[RemoteSlot]
    next: str | None
    cursor: str | None
    unreadable: Sequence[UnreadableRow] = ()

    @property
    def references(self) -> list[str]:
        """What was read, by the names that unreadable rows have too."""
        return [slot.name for slot in self.slots]


@dataclass(frozen=True)
class BookingPage:
    """Bookings that changed since a cursor; `next` is None on the last page and `cursor` starts the next pull. What is
    `unreadable` is not absent."""

    bookings: Sequence[RemoteBooking]
    next: str | None
    cursor: str | None
    unreadable: Sequence[UnreadableRow] = ()

    @property
    def references(self) -> list[str]:
        """What was read, by the provider's references."""
        return [booking.reference for booking in self.bookings]


@dataclass(frozen=True)
class RemoteReport:
    """A report that exists at the provider; `version` 1 is the first, later ones correct it."""

    reference: str
    booking_reference: str
    our_reference: str | None
    version: int
    status: Literal["partial", "final", "corrected"]
    issued_at: datetime

    @property
    def for_test(self) -> bool:
        """Whether it is of a test booking."""
        return (self.our_reference or "").startswith(TEST_PREFIX)


@dataclass(frozen=True)
class ReportPage:
    """Reports that came or changed since a cursor. What is `unreadable` is not absent."""

    reports: Sequence[RemoteReport]
    next: str | None
    cursor: str | None
    unreadable: Sequence[UnreadableRow] = ()

    @property
    def references(self) -> list[str]:
        """What was read, by the provider's references."""
        return [report.reference for report in self.reports]


@dataclass(frozen=True)
class ReportItem:
    """One result as delivered. `loinc`, `code` (the provider's own) and `unit` (UCUM, or as the provider spells it) may
    be blank; `low`/`high` bound the reference range; `flag`: normal, low, high, abnormal or blank. `range_text` is a
    range that came in words and `mark` the laboratory's own mark, both as delivered; nobody has interpreted them."""

    name: str
    value: str
    loinc: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    flag: str = ""
    section: str = ""
    note: str = ""
    code: str = ""
    range_text: str = ""
    mark: str = ""


@dataclass(frozen=True)
class ReportContent:
    """A fetched report: items, the doctor's conclusion and the file as delivered, nobody having looked into it yet.

    `document_type`: application/pdf, image/png, application/zip (of PDF and PNG files) or application/fhir+json (an
    HL7 FHIR R4 DiagnosticReport or a Bundle with one; `items` may then be empty, and are read from it).
    """

    report: RemoteReport
    items: Sequence[ReportItem]
    conclusion: str
    document: bytes
    document_type: str


@dataclass(frozen=True)
class RemoteClinician:
    """A doctor of the provider, as its roster says. `code`: what its messages name her by. `licence`: 15 digits."""

    code: str
    name: str
    title_zh: str
    title_en: str
    licence: str


@dataclass(frozen=True)
class RemoteSummary:
    """With what a doctor closes: `next_service` is the code of a benefit kind, blank for none."""

    summary: str = field(repr=False)
    advice: str = field(default="", repr=False)
    next_service: str = ""
    next_department: str = ""


@dataclass(frozen=True)
class RemoteMessage:
    """A line of what a provider's doctor said. `seq`: the provider's number of it, from 1 in this consultation.
    `clinician`: a code of the roster. A text, a picture (`picture`: what fetch_picture is asked for) or a summary,
    which closes the consultation."""

    id: str
    reference: str
    our_reference: str | None
    seq: int
    kind: MessageKind
    clinician: str
    sent_at: datetime
    text: str = field(default="", repr=False)
    picture: str = ""
    summary: RemoteSummary | None = None


@dataclass(frozen=True)
class MessagePage:
    """What was said after a number, in its order. `next` is the number to go on after, None on the last page. An
    unreadable line is one of `unreadable`: it was said, and is asked for again."""

    messages: Sequence[RemoteMessage]
    next: int | None
    unreadable: Sequence[UnreadableRow] = ()


@dataclass(frozen=True)
class RemoteEscort:
    """Whom a provider sends. `code`: the provider's name of her, which its lines use; she is shown by `name`."""

    code: str
    name: str
    sex: Literal["female", "male"]
    staff_number: str = ""
    qualification_zh: str = ""
    qualification_en: str = ""


@dataclass(frozen=True)
class EscortCost:
    """What an escort laid out: `amount` in the currency's smallest unit (ISO 4217), and what for."""

    amount: int
    currency: str
    purpose: str = field(default="", repr=False)


@dataclass(frozen=True)
class EscortLine:
    """A line of what a provider's escort did. `seq`: the provider's number of it, from 1 in this booking. `escort`: the
    code of who did it. `at`: when, by the provider's clock.

    `assigned` says who comes from now on (`worker`), instead of anybody before, and by which word she and the person
    know each other (`safe_word`). `released` says that she does not (`cause`), and names nobody else. All others are
    deeds of who is assigned (booking.escort.evidence.kinds; no signature): `position` says whether she was within 300 m
    of the place (`within`, `away`, `not_checkable`) and how exact that is (`accuracy_m`), `code` is what the person
    showed her instead, and only of arrived and met; `words` of a note, a cost or the hand-over; `picture` (what
    fetch_paper is asked for) of a paper, or of a cost's receipt.
    """

    id: str
    reference: str
    our_reference: str | None
    seq: int
    kind: EscortLineKind
    escort: str
    at: datetime
    worker: RemoteEscort | None = None
    safe_word: str = field(default="", repr=False)
    cause: Literal["ill", "late", "other", ""] = ""
    position: Literal["within", "away", "not_checkable"] | None = None
    accuracy_m: int | None = None
    code: str = field(default="", repr=False)
    words: str = field(default="", repr=False)
    cost: EscortCost | None = field(default=None, repr=False)
    picture: str = ""


@dataclass(frozen=True)
class EscortPage:
    """What was done after a number, in its order. `next` is the number to go on after, None on the last page. An
    unreadable line is one of `unreadable` (with its `seq` where that can be read): it was said, and is asked for
    again."""

    lines: Sequence[EscortLine]
    next: int | None
    unreadable: Sequence[UnreadableRow] = ()


@dataclass(frozen=True)
class Event:
    """A verified message from the provider. `booking`, `report`, `message` or `escort` says what it is about; all are
    None for a kind we do not know, which is recorded and changes nothing. `unreadable` is what it is about where that
    breaks the contract."""

    id: str
    kind: str
    sent_at: datetime
    booking: RemoteBooking | None = None
    report: RemoteReport | None = None
    message: RemoteMessage | None = None
    escort: EscortLine | None = None
    unreadable: UnreadableRow | None = None
