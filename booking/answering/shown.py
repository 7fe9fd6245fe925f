"""A provider's bookings as it is shown them: a list, its queue first, and each one in full.

A list names nobody: who comes is shown with one booking at a time while that is live, and each such look is a line of
the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, DateTime, Row, Select, cast, func, literal, select, tuple_
from sqlalchemy.orm import Session

from booking.capacity.of_booking import own_slot
from booking.discrepancies import Discrepancy
from booking.eligibility.told import may_be_told
from booking.models import Booking, ChangeRequest, Slot
from booking.ownership import of_provider
from booking.proposal import Proposal
from booking.sealing import open_details
from booking.states import LIVE, BookingState
from marketplace.catalog.models import CapacityPool, Offer
from marketplace.core import audit
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_moment, encode_cursor
from marketplace.core.text import masked_name
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary

_S = BookingState

SHOWN = "booking.shown_to_provider"
"""The audit's action for a look at who comes."""

Status = Literal["requested", "confirmed", "rejected", "cancelled", "checked_in", "in_service", "fulfilled", "no_show"]
STATUSES: Sequence[Status] = get_args(Status)
CAME: Sequence[Status] = ("checked_in", "in_service", "fulfilled")
"""Somebody was there: a report can be due."""
_CANCELLED = (_S.CANCELLED, _S.ENTERED_IN_ERROR)
_REQUESTED = (_S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN)


def status_of(state: str) -> Status:
    """What a provider calls a booking in this state."""
    if state in _REQUESTED:
        return "requested"
    return "cancelled" if state in _CANCELLED else state  # type: ignore[return-value]


def _states_of(status: str) -> Sequence[BookingState]:
    return {"requested": _REQUESTED, "cancelled": _CANCELLED}.get(status) or (BookingState(status),)


@dataclass(frozen=True)
class AskedTime:
    """Another time: the one that a customer asks for, or that was proposed to her; to be answered before
    `answer_due_at`."""

    slot: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    answer_due_at: datetime | None


@dataclass(frozen=True)
class BookedVenue:
    """The site to which somebody is sent, as it was when it was booked."""

    id: str
    name: str
    city: str
    district: str
    address: str


@dataclass(frozen=True)
class ShownBooking:
    """A booking as its provider is shown it. `id` and `reference` are ours (the second can be read out), the offer,
    pool and slot are named as the provider does. Times are UTC, None for a whole day.

    `kind` is the benefit's code; what has no time has no slot either, and its day is the one it was asked for on.
    `change`: the date that the customer asks for; `cancel_asked`: her cancel is being carried out; `proposal`: what she
    has not answered yet; `differences`: kinds of what is open between our books and what the provider said; `venue`:
    None for what is done at the provider's own place.
    """

    id: str
    reference: str
    version: int
    kind: str
    status: Status
    cause: str
    offer: str
    pool: str
    slot: str | None
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    answer_due_at: datetime | None
    person_name: str
    change: AskedTime | None
    cancel_asked: bool
    proposal: AskedTime | None
    differences: Sequence[str]
    created_at: datetime
    updated_at: datetime
    venue: BookedVenue | None = None


@dataclass(frozen=True)
class Comer:
    """Who comes; the phone only where the offer needs it, and none does yet."""

    name: str = field(repr=False)
    sex: str = field(repr=False)
    birth_date: date = field(repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class WithPerson:
    """A booking with who comes and the answers to the offer's questions: None and empty once it is not live."""

    booking: ShownBooking
    person: Comer | None
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Wanted:
    """Which bookings: in a status, those with a change that waits for an answer, those of some service dates."""

    status: str | None = None
    change_asked: bool = False
    service_date_from: date | None = None
    service_date_to: date | None = None


def bookings(provider_id: int, wanted: Wanted, *, cursor: str | None, limit: int) -> Page[ShownBooking]:
    """A page of a provider's bookings: what waits for an answer by its deadline, everything else by service date.

    Raises Invalid(field="cursor").
    """
    order = _order(wanted)
    query = select(Booking, order.label("place")).where(*_filters(provider_id, wanted))
    if cursor is not None:
        place, last_id = decode_moment(cursor)
        query = query.where(tuple_(order, Booking.id) > tuple_(literal(place), literal(last_id)))
    with reading() as session:
        rows = session.execute(query.order_by(order, Booking.id).limit(limit + 1)).all()
        shown = show(session, [row.Booking for row in rows[:limit]])
    last = rows[limit - 1] if rows[limit:] else None
    following = None if last is None else encode_cursor([last.place.isoformat(), last.Booking.id])
    return Page(shown, following)


def booking(provider_id: int, public_id: str) -> ShownBooking:
    """One of a provider's bookings, without who comes. Raises NotFound."""
    with reading() as session:
        return show(session, [_one(session, provider_id, public_id)])[0]


def booking_with_person(provider_id: int, public_id: str, *, looker: str, now: datetime) -> WithPerson:
    """One of a provider's bookings with who comes while it is live; that is audited as a look by `looker`, a public id.
    Raises NotFound."""
    with transaction() as session:
        found = _one(session, provider_id, public_id)
        shown = show(session, [found])[0]
        if found.state not in LIVE:
            return WithPerson(shown, None)
        person = session.get_one(Beneficiary, found.beneficiary_id)
        return WithPerson(shown, _look(session, found, person, looker, now), _answers(session, found, person, now))


def booking_of_report(provider_id: int, public_id: str, *, looker: str, now: datetime) -> WithPerson:
    """One of a provider's bookings with who came, so that a report goes to the right person; without answers. None
    before somebody came. Audited as booking_with_person(). Raises NotFound."""
    with transaction() as session:
        found = _one(session, provider_id, public_id)
        shown = show(session, [found])[0]
        if shown.status not in CAME:
            return WithPerson(shown, None)
        return WithPerson(shown, _look(session, found, session.get_one(Beneficiary, found.beneficiary_id), looker, now))


def _look(session: Session, found: Booking, person: Beneficiary, looker: str, now: datetime) -> Comer:
    """Who it is, and the line of the audit that says who looked."""
    audit.record(
        session,
        SHOWN,
        at=now,
        actor_kind="provider",
        actor=looker,
        subject=found.public_id,
        insurer_id=found.insurer_id,
    )
    return Comer(person.name, person.sex, person.birth_date)


def show(session: Session, found: Sequence[Booking]) -> list[ShownBooking]:
    """These bookings as their provider is shown them, in the same order; one query for each kind of thing."""
    ids = [each.id for each in found]
    names = _names(session, ids)
    changes = {each.booking_id: each for each in session.scalars(_open_requests(ids))}
    slots = dict(
        session.execute(
            select(Slot.id, Slot.external_ref).where(
                Slot.id.in_([each.new_slot_id for each in changes.values() if each.new_slot_id is not None])
            )
        ).all()
    )
    proposals = {
        each.booking_id: each
        for each in session.scalars(select(Proposal).where(Proposal.booking_id.in_(ids), Proposal.state == "open"))
    }
    differences: dict[int, list[str]] = {}
    for row in session.execute(
        select(Discrepancy.booking_id, Discrepancy.kind)
        .where(Discrepancy.booking_id.in_(ids), Discrepancy.closed_at.is_(None), Discrepancy.kind.in_(_THEIRS))
        .order_by(Discrepancy.id)
    ):
        differences.setdefault(row.booking_id, []).append(row.kind)
    return [
        _shown(each, names[each.id], changes.get(each.id), slots, proposals.get(each.id), differences.get(each.id, ()))
        for each in found
    ]


_THEIRS = ("time_differs", "state_differs", "too_early", "old_date_used", "duplicate_there", "cancel_refused")
"""Kinds of discrepancies that come of what the provider said of a booking."""


def _shown(
    found: Booking,
    names: Row[Any],
    request: ChangeRequest | None,
    slots: Mapping[int, str],
    proposal: Proposal | None,
    differences: Sequence[str],
) -> ShownBooking:
    return ShownBooking(
        id=found.public_id,
        reference=found.reference,
        version=found.version,
        kind=found.kind,
        status=status_of(found.state),
        cause=found.cause,
        offer=names.offer,
        pool=names.pool,
        slot=names.slot,
        service_date=found.service_date,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        time_zone=found.time_zone,
        answer_due_at=found.answer_due_at,
        person_name=masked_name(names.person),
        change=_asked(request, slots),
        cancel_asked=request is not None and request.kind == "cancel",
        proposal=None if proposal is None else _proposed(proposal),
        differences=tuple(differences),
        created_at=found.created_at,
        updated_at=found.updated_at,
        venue=_venue(found),
    )


def _venue(found: Booking) -> BookedVenue | None:
    if found.venue_id is None:
        return None
    site = found.snapshot["site"]
    return BookedVenue(site["id"], site["name"], site["city"], site["district"], site["address"])


def _asked(request: ChangeRequest | None, slots: Mapping[int, str]) -> AskedTime | None:
    if request is None or request.new_service_date is None or request.new_slot_id is None:
        return None
    times = request.new_service_date, request.new_starts_at, request.new_ends_at
    return AskedTime(slots[request.new_slot_id], *times, request.answer_due_at)


def _proposed(proposal: Proposal) -> AskedTime:
    times = proposal.service_date, proposal.starts_at, proposal.ends_at
    return AskedTime(proposal.slot_ref, *times, proposal.expires_at)


def _names(session: Session, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """What names a booking's offer, pool, slot and person."""
    rows = session.execute(
        select(
            Booking.id,
            Offer.external_ref.label("offer"),
            CapacityPool.external_ref.label("pool"),
            own_slot(Slot.external_ref).label("slot"),
            Beneficiary.name.label("person"),
        )
        .join(Offer, Offer.id == Booking.offer_id)
        .join(CapacityPool, CapacityPool.id == Offer.pool_id)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .where(Booking.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _open_requests(ids: Sequence[int]) -> Select[ChangeRequest]:
    return select(ChangeRequest).where(ChangeRequest.booking_id.in_(ids), ChangeRequest.state == "open")


def _one(session: Session, provider_id: int, public_id: str) -> Booking:
    found = session.scalar(select(Booking).where(of_provider(provider_id), Booking.public_id == public_id))
    if found is None:
        raise NotFound(field="booking_id")
    return found


def _answers(session: Session, found: Booking, person: Beneficiary, now: datetime) -> Mapping[str, Any]:
    if not may_be_told(session, found, now):
        return {}
    try:
        return open_details(found.details_sealed, key_of(session, person, PROCESS), found.public_id)
    except Unreadable:  # erased meanwhile
        return {}


def _filters(provider_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [of_provider(provider_id)]
    if wanted.status is not None:
        conditions.append(Booking.state.in_(_states_of(wanted.status)))
    if wanted.change_asked:
        conditions.append(_change_due().is_not(None))
    if wanted.service_date_from is not None:
        conditions.append(Booking.service_date >= wanted.service_date_from)
    if wanted.service_date_to is not None:
        conditions.append(Booking.service_date <= wanted.service_date_to)
    return conditions


def _order(wanted: Wanted) -> ColumnElement[Any]:
    """What a list is sorted by, a moment: its deadline, or when its service date begins at the site."""
    if wanted.change_asked:
        return _change_due()
    begins: ColumnElement[Any] = func.timezone(Booking.time_zone, cast(Booking.service_date, DateTime))
    return func.coalesce(Booking.answer_due_at, begins) if wanted.status == "requested" else begins


def _change_due() -> ColumnElement[Any]:
    return (
        select(func.coalesce(ChangeRequest.answer_due_at, ChangeRequest.asked_at))
        .where(
            ChangeRequest.booking_id == Booking.id, ChangeRequest.state == "open", ChangeRequest.kind == "reschedule"
        )
        .scalar_subquery()
    )
