"""What is shown of a booking: on a card of a list, and in full. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from booking.changes.rules import CancelClosed, ChangeClosed
from booking.offers.alternatives import Alternative
from booking.offers.answers_slowly import AnswersSlowly
from marketplace.core.text import Text
from vip.entitlements.ledger import ReservationStatus


@dataclass(frozen=True)
class Moved:
    """One entry of the timeline. `actor` is a kind (customer, provider, clock, …), never a person. A change of date
    has the time to which it moved the booking, and from which; one that is asked for, the time that is wanted."""

    at: datetime
    state: str
    actor: str
    cause: str
    service_date: date | None = None
    starts_at: datetime | None = None
    before_date: date | None = None
    before_starts_at: datetime | None = None


@dataclass(frozen=True)
class BookingCard:
    """A booking in a list. Times are UTC; `time_zone` is the site's."""

    id: str
    reference: str
    state: str
    version: int
    kind: str
    offer_id: str
    offer_name: Text
    site: dict[str, Any]
    provider_name: Text
    beneficiary_id: str
    beneficiary_name: str
    relation: str
    entitlement_id: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    hold_expires_at: datetime | None
    answer_due_at: datetime | None
    cause: str
    change: str | None
    price_minor: int
    currency: str
    report_state: str
    report_due_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class DisputeView:
    """The customer's dispute of a no-show. `state`: open, accepted or rejected; `answer` is the desk's text, blank if
    there is none; `decided_as` is the kind of actor that answered, blank while it is open."""

    state: str
    opened_at: datetime
    closed_at: datetime | None
    answer: str
    decided_as: str = ""


@dataclass(frozen=True)
class ProposalView:
    """A proposal of another time, to be answered before `expires_at`. `reason` is the provider's text, or blank."""

    id: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    expires_at: datetime
    reason: str


@dataclass(frozen=True)
class BookingView(BookingCard):
    """A booking in full.

    `cancel_until` and `change_until` are the last moments for doing so online, `can_cancel` and `can_change` whether it
    is allowed now, `cancel_closed` and `change_closed` why it is no
    longer (None while it is, whatever is asked of the provider), `changes_left` how many changes are left. `change` is
    the kind of the open request (cancel, reschedule; None: none), `new_…` the time that it asks for, `change_due_at`
    until when the provider may answer, `can_withdraw` whether it can be taken back, `change_unknown` whether the
    provider's answer is unknown. `taking_back`: one was taken back and its end is not known yet; the date stays. If the
    last request was refused, `change_refused` is the cause and `refused_kind` its kind. `benefit` is the status of the
    booking's unit. With `allotment` it is confirmed at once, else within `answer_hours`. `no_show_uses`: whether a
    no-show uses the unit; `dispute_until` is None unless it is a no-show. `proposal` is the one that waits for an
    answer, or None. `alternatives` are empty unless someone other than the customer ended the booking. `check_in_code`
    is what the provider's desk reads, blank where there is no desk or nobody to check in. `answers_slowly`: its
    provider is slower than usual now, and something waits for its answer. `conversation_id`: where it is held in a
    conversation, the id of that. `listed_as`: what the place is called now, if it was booked under another entry that
    is part of it by now; else blank. `answers`: what she told whoever is sent. `policy`: the policy by which it was
    allowed (ValidPolicy.snapshot), by which it stands whatever becomes of that.
    """

    package: dict[str, Any]
    cancel_until: datetime
    can_cancel: bool
    cancel_closed: CancelClosed | None
    change_until: datetime
    changes_left: int
    can_change: bool
    change_closed: ChangeClosed | None
    new_service_date: date | None
    new_starts_at: datetime | None
    new_ends_at: datetime | None
    change_refused: str | None
    refused_kind: str | None
    change_unknown: bool
    change_due_at: datetime | None
    can_withdraw: bool
    taking_back: bool
    report_id: str | None
    longitude: float | None
    latitude: float | None
    allotment: bool
    answer_hours: int
    benefit: ReservationStatus
    no_show_uses: bool
    proposal: ProposalView | None
    dispute_until: datetime | None
    can_dispute: bool
    dispute: DisputeView | None
    alternatives: Sequence[Alternative]
    timeline: Sequence[Moved]
    check_in_code: str = ""
    answers_slowly: AnswersSlowly | None = None
    conversation_id: str | None = None
    listed_as: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    policy: Mapping[str, Any] | None = None

    @property
    def ends_at_once(self) -> bool:
        """Whether a cancel that its provider knows of needs no agreement: it is firm at once, and not being moved."""
        return self.allotment and self.change is None and not self.taking_back
