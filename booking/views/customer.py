"""What a customer sees of her bookings, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from booking.attendance.check_in_code import code_to_show
from booking.attendance.disputes import DISPUTE_FOR
from booking.attendance.models import Dispute
from booking.changes.rules import (
    cancel_closed,
    cancel_until,
    change_closed,
    change_until,
    changes_allowed,
    changes_left,
    customer_may_cancel,
    may_change,
)
from booking.consultation.models import Conversation
from booking.eligibility.entitled import firm_at_once
from booking.hold.submit import Submitted
from booking.models import Booking, BookingHistory, ChangeRequest, ProviderTask
from booking.offers.alternatives import Alternative, nearest
from booking.offers.answers_slowly import AnswersSlowly, answers_slowly
from booking.ownership import own_booking
from booking.proposal import open_proposal
from booking.reports.models import Report
from booking.sealing import open_details, open_words
from booking.states import BookingState
from booking.transition import WISHES
from booking.views.cards import BookingCard, BookingView, DisputeView, Moved, ProposalView
from marketplace.catalog.kinds import has_times, is_dispatched
from marketplace.catalog.models import Offer, Provider, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from vip.customers.person_keys import PROCESS, key_of
from vip.entitlements.ledger import Reservation, ReservationStatus, reservation_status
from vip.models import Beneficiary, Entitlement
from vip.principal import Principal

_LOST = (BookingState.CANCELLED, BookingState.REJECTED)
ASKED = (BookingState.AWAITING_PROVIDER, BookingState.OUTCOME_UNKNOWN)


def booking(principal: Principal, public_id: str, *, now: datetime) -> BookingView:
    """The principal's own booking in full. Raises NotFound."""
    return full_view(own_booking(principal, public_id), now=now, hers=True)


def full_view(which: ColumnElement[bool], *, now: datetime, hers: bool = False) -> BookingView:
    """The booking for which the condition `which` holds, in full; what the customer answered only where she herself
    (`hers`) looks. Raises NotFound."""
    with reading() as session:
        row = session.execute(
            card_rows()
            .add_columns(Site.public_id.label("place"), Site.name.label("listed_as"))
            .add_columns(Site.longitude, Site.latitude, Provider.allotment, Provider.answer_hours, Provider.adapter)
            .add_columns(Provider.answers_slowly_since, Provider.answers_slowly_reason)
            .join(Offer, Offer.id == Booking.offer_id)
            .join(Site, Site.id == place_id(func.coalesce(Booking.venue_id, Offer.site_id)))
            .join(Provider, Provider.id == Booking.provider_id)
            .where(which)
        ).one_or_none()
        if row is None:
            raise NotFound(field="booking_id")
        booking_id = row.Booking.id
        requests = session.scalars(
            select(ChangeRequest).where(ChangeRequest.booking_id == booking_id).order_by(ChangeRequest.id)
        ).all()
        report = session.scalar(
            select(Report.public_id)
            .where(Report.booking_id == booking_id, Report.fetched_version > 0, Report.deleted_at.is_(None))
            .order_by(Report.id.desc())
            .limit(1)
        )
        history = session.scalars(
            select(BookingHistory).where(BookingHistory.booking_id == booking_id).order_by(BookingHistory.version)
        ).all()
        booking: Booking = row.Booking
        asked = _asked(requests)
        left = changes_left(session, booking)
        lost = booking.state in _LOST and bool(history) and history[-1].actor_kind not in ("customer", "agent")
        lost = lost or (booking.state is BookingState.CANCELLED and booking.cause == "proposal_declined")
        around = _Around(
            longitude=row.longitude,
            latitude=row.latitude,
            allotment=firm_at_once(booking.snapshot, row.allotment),
            answer_hours=row.answer_hours,
            no_show_uses=row.no_show_uses,
            history=history,
            changes_left=left,
            benefit=reservation_status(session, Reservation(booking.entitlement_id, booking.id, booking.attempt)),
            requests=requests,
            change_unknown=asked is not None and _is_unknown(session, asked),
            report=report,
            dispute=_dispute(session, booking, row.Beneficiary),
            proposal=_proposal(session, booking, now) if asked is None else None,
            alternatives=_instead(session, booking, requests, left, lost=lost, now=now),
            check_in_code=code_to_show(booking, row.adapter),
            answers_slowly=answers_slowly(row.answers_slowly_since, row.answers_slowly_reason)
            if (booking.state in ASKED and has_times(booking.kind)) or asked is not None
            else None,
            answers=_answers(session, booking, row.Beneficiary) if hers and is_dispatched(booking.kind) else {},
            conversation=session.scalar(select(Conversation.public_id).where(Conversation.booking_id == booking_id)),
            listed_as=row.listed_as if row.place != booking.snapshot["site"]["id"] else "",
        )
    return _view(booking, _card(booking, row.Beneficiary, row.entitlement), around, now=now)


def _instead(
    session: Session, booking: Booking, requests: Sequence[ChangeRequest], left: int, *, lost: bool, now: datetime
) -> Sequence[Alternative]:
    """Other times after a no: for the date that was lost, or near the one that a change asked for."""
    if lost:
        return nearest(session, booking, now=now)
    last = requests[-1] if requests else None
    if last is None or last.state != "refused":
        return []
    if not may_change(booking, unfinished=_unfinished(requests), left=left, now=now):
        return []
    wanted = (last.new_service_date, last.new_starts_at) if last.new_service_date else None
    return nearest(session, booking, now=now, wanted=wanted)


def submitted(done: Submitted, *, now: datetime) -> BookingView:
    """A booking that has just been submitted, in full, from what the submission brought back: nothing was asked for
    yet, nothing reported, and its unit is reserved."""
    around = _Around(
        longitude=done.longitude,
        latitude=done.latitude,
        allotment=done.allotment,
        answer_hours=done.answer_hours,
        no_show_uses=done.no_show_uses,
        history=done.history,
        changes_left=changes_allowed(done.booking),
        benefit="reserved",
    )
    return _view(done.booking, _card(done.booking, done.beneficiary, done.entitlement), around, now=now)


@dataclass(frozen=True)
class _Around:
    """What a view shows of a booking besides its own row."""

    longitude: float | None
    latitude: float | None
    allotment: bool
    answer_hours: int
    no_show_uses: bool
    history: Sequence[BookingHistory]
    changes_left: int
    benefit: ReservationStatus
    requests: Sequence[ChangeRequest] = ()
    change_unknown: bool = False
    report: str | None = None
    dispute: DisputeView | None = None
    proposal: ProposalView | None = None
    alternatives: Sequence[Alternative] = ()
    check_in_code: str = ""
    answers_slowly: AnswersSlowly | None = None
    conversation: str | None = None
    listed_as: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)


def _view(booking: Booking, card: dict[str, Any], around: _Around, *, now: datetime) -> BookingView:
    asked = _asked(around.requests)
    refused = around.requests[-1] if around.requests and around.requests[-1].state == "refused" else None
    missed = next((line for line in reversed(around.history) if line.to_state == BookingState.NO_SHOW.value), None)
    until_disputed = missed.at + DISPUTE_FOR if missed and booking.state is BookingState.NO_SHOW else None
    left = around.changes_left
    confirmed = booking.state is BookingState.CONFIRMED
    taking_back = any(request.state == "withdrawn" and request.closed_at is None for request in around.requests)
    card["change"] = asked.kind if asked else None
    return BookingView(
        **card,
        package=booking.snapshot.get("package", {}),
        cancel_until=cancel_until(booking),
        can_cancel=customer_may_cancel(booking, asked=asked is not None and asked.kind == "cancel", now=now),
        cancel_closed=cancel_closed(booking, now),
        change_until=change_until(booking),
        changes_left=left,
        can_change=may_change(booking, unfinished=_unfinished(around.requests), left=left, now=now),
        change_closed=change_closed(booking, left, now),
        new_service_date=asked.new_service_date if asked else None,
        new_starts_at=asked.new_starts_at if asked else None,
        new_ends_at=asked.new_ends_at if asked else None,
        change_refused=refused.refusal if refused else None,
        refused_kind=refused.kind if refused else None,
        change_unknown=around.change_unknown,
        change_due_at=asked.answer_due_at if asked else None,
        can_withdraw=confirmed and asked is not None and asked.kind == "reschedule",
        taking_back=taking_back,
        report_id=around.report,
        longitude=around.longitude,
        latitude=around.latitude,
        allotment=around.allotment,
        answer_hours=around.answer_hours,
        benefit=around.benefit,
        no_show_uses=around.no_show_uses,
        proposal=around.proposal,
        dispute_until=until_disputed,
        can_dispute=until_disputed is not None and around.dispute is None and now < until_disputed,
        dispute=around.dispute,
        alternatives=around.alternatives,
        timeline=_timeline(around.history, around.requests, around.dispute),
        check_in_code=around.check_in_code,
        answers_slowly=around.answers_slowly,
        conversation_id=around.conversation,
        listed_as=around.listed_as,
        answers=around.answers,
        policy=booking.snapshot.get("policy"),
    )


def _answers(session: Session, booking: Booking, person: Beneficiary) -> Mapping[str, Any]:
    try:
        return open_details(booking.details_sealed, key_of(session, person, PROCESS), booking.public_id)
    except Unreadable:  # erased meanwhile
        return {}


def _asked(requests: Sequence[ChangeRequest]) -> ChangeRequest | None:
    return next((request for request in requests if request.state == "open"), None)


def _unfinished(requests: Sequence[ChangeRequest]) -> bool:
    return any(request.closed_at is None for request in requests)


def booking_version(principal: Principal, public_id: str) -> int:
    """The booking's version alone, for pages that poll it. Raises NotFound."""
    with reading() as session:
        version: int | None = session.scalar(select(Booking.version).where(own_booking(principal, public_id)))
    if version is None:
        raise NotFound(field="booking_id")
    return version


def card_rows() -> Select[*tuple[Any, ...]]:
    """Bookings with what `card_of` reads beside them, and whether not coming uses the benefit."""
    return (
        select(Booking, Beneficiary, Entitlement.public_id.label("entitlement"), Entitlement.no_show_uses)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .join(Entitlement, Entitlement.id == Booking.entitlement_id)
    )


def card_of(booking: Booking, person: Beneficiary, entitlement: str, change: str | None = None) -> BookingCard:
    """A booking as a list shows it, with its open change; `entitlement` by its public id."""
    return BookingCard(**{**_card(booking, person, entitlement), "change": change})


def _card(booking: Booking, person: Beneficiary, entitlement: str) -> dict[str, Any]:
    offer = booking.snapshot["offer"]
    return {
        "id": booking.public_id,
        "reference": booking.reference,
        "state": booking.state.value,
        "version": booking.version,
        "kind": booking.kind,
        "offer_id": offer["id"],
        "offer_name": Text.of(offer),
        "site": booking.snapshot["site"],
        "provider_name": Text.of(booking.snapshot["provider"]),
        "beneficiary_id": person.public_id,
        "beneficiary_name": person.name,
        "relation": person.relation,
        "entitlement_id": entitlement,
        "service_date": booking.service_date,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "time_zone": booking.time_zone,
        "hold_expires_at": booking.hold_expires_at,
        "answer_due_at": booking.answer_due_at,
        "cause": booking.cause,
        "change": None,
        "price_minor": booking.price_minor,
        "currency": booking.currency,
        "report_state": booking.report_state,
        "report_due_at": booking.report_due_at,
        "created_at": booking.created_at,
        "updated_at": booking.updated_at,
    }


def _is_unknown(session: Session, asked: ChangeRequest) -> bool:
    """Whether the provider gave no clear answer to what was asked, so that it is being looked up."""
    return bool(
        session.scalar(
            select(exists().where(ProviderTask.change_request_id == asked.id, ProviderTask.unknown_since.is_not(None)))
        )
    )


def _dispute(session: Session, booking: Booking, person: Beneficiary) -> DisputeView | None:
    found = session.scalar(select(Dispute).where(Dispute.booking_id == booking.id))
    if found is None:
        return None
    said = ""
    key = key_of(session, person, PROCESS)
    if found.answer_sealed is not None and key.wrapped is not None:
        said = open_words(found.answer_sealed, key, f"dispute:{found.public_id}:answer")
    return DisputeView(found.state, found.opened_at, found.closed_at, said, found.decided_as)


def _proposal(session: Session, booking: Booking, now: datetime) -> ProposalView | None:
    found = open_proposal(session, booking)
    if found is None or found.expires_at <= now:
        return None
    return ProposalView(
        found.public_id, found.service_date, found.starts_at, found.ends_at, found.expires_at, found.reason
    )


def _time(facts: Mapping[str, Any], which: str) -> tuple[date | None, datetime | None]:
    """The time `before` or `after` a change of date (booking/changes/swap.py); None for every other line."""
    time = facts.get(which)
    if not time:
        return None, None
    starts = time["starts_at"]
    return date.fromisoformat(time["service_date"]), datetime.fromisoformat(starts) if starts else None


def _timeline(
    history: Sequence[BookingHistory], requests: Sequence[ChangeRequest], dispute: DisputeView | None
) -> list[Moved]:
    """Moves, asked changes and a dispute in the order of time. What was asked for is listed when it was asked."""
    lines = [
        Moved(it.at, it.to_state, it.actor_kind, it.cause, *_time(it.facts, "after"), *_time(it.facts, "before"))
        for it in history
        if it.cause not in WISHES
    ]
    for request in requests:
        asked = (request.new_service_date, request.new_starts_at)
        lines.append(Moved(request.asked_at, f"{request.kind}_asked", request.actor_kind, request.cause, *asked))
        if request.state == "refused" and request.closed_at is not None:
            lines.append(Moved(request.closed_at, f"{request.kind}_refused", "provider", request.refusal or ""))
        if request.kind == "reschedule" and request.state == "withdrawn" and request.closed_at is not None:
            lines.append(Moved(request.closed_at, "reschedule_withdrawn", "customer", request.refusal or ""))
    if dispute is not None:
        lines.append(Moved(dispute.opened_at, "dispute_asked", "customer", ""))
        if dispute.state == "rejected" and dispute.closed_at is not None:
            lines.append(Moved(dispute.closed_at, "dispute_rejected", dispute.decided_as or "operator", ""))
    return sorted(lines, key=lambda line: line.at)
