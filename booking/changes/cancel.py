"""Cancel a booking.

Held and unsent bookings end at once, what is firm at once, and those without a time: their provider is told. If the
provider may know of it, a ChangeRequest opens: state, place and quota stay reserved until evidence shows that nothing
is live there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor, actor_of
from booking.changes import swap
from booking.changes.requests import NOT_ANSWERED, close_cancel, record_request
from booking.changes.rules import cancel_closed, cancel_until
from booking.changes.withdraw import take_back
from booking.eligibility.entitled import firm_at_once
from booking.models import Booking, ChangeRequest, ProviderTask
from booking.offers.alternatives import elsewhere
from booking.outbox import annul, enqueue, unsent
from booking.ownership import insurers_booking_id, own_booking_id
from booking.pledges import pledge
from booking.states import BookingState, state_at
from booking.transition import lock_booking, move
from marketplace.catalog.kinds import has_times
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.logging import get_logger
from vip import roles
from vip.principal import Principal

log = get_logger(__name__)
_S = BookingState


Reason = Literal["customer_phoned", "provider_trouble", "unwell", "duplicate", "other"]

REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why the desk cancels for a customer: codes, so that nothing private is written down."""


class CancelTooLate(Refusal):
    """The window for cancelling online is over; `until` says when it closed."""

    code = "cancel_too_late"


class OnlyAdminsCancel(Refusal):
    """The customer's own window is over (`until` says when it closed), or the service has begun: an agent acts for
    her and may not cancel any more, an administrator may."""

    code = "only_admins_cancel"


class NotCancellable(Refusal):
    """The booking has begun or is over; `state` says what it is. `reason` is `answered` where what has no time was
    answered: it can be closed."""

    code = "not_cancellable"


def cancel(principal: Principal, public_id: str, *, now: datetime, pledged: When | None = None) -> None:
    """A customer cancels her own booking. Asking again changes nothing and succeeds. `pledged`: the moment that decides
    about what was pledged, read under the booking's lock; `now` without it.

    Raises NotFound, CancelTooLate, NotCancellable.
    """
    with transaction() as session:
        booking, tasks = lock_booking(session, own_booking_id(session, principal, public_id))
        if booking.state is _S.CANCELLED:
            return
        closed = cancel_closed(booking, now)
        if closed == "too_late":
            raise CancelTooLate(until=cancel_until(booking), time_zone=booking.time_zone)
        if closed is not None:
            facts = {"reason": "answered"} if closed == "begun" and not has_times(booking.kind) else {}
            raise NotCancellable(state=state_at(booking.state, booking.hold_expires_at, now).value, **facts)
        actor = actor_of(principal)
        begin_cancel(session, booking, tasks, actor=actor, cause="customer_asked", now=now, pledged=pledged)
    log.info("booking.cancel_asked", booking=public_id)


def cancel_for(
    operator: Principal, public_id: str, reason: Reason, *, now: datetime, pledged: When | None = None
) -> None:
    """The desk cancels for a customer. Asking again changes nothing and succeeds. Audited; `reason` is one of
    `reasons_for(operator)`, `pledged` as for `cancel`.

    An agent acts for the customer: within her window, and it counts as her own cancel. An administrator may until the
    booking is over, and whatever the reason, the benefit comes back as when the platform is the cause: in full, and
    with the plan's grace if its validity is over.

    Raises NotFound (another insurer's booking as one that is not there), Invalid(field="reason"), NotCancellable,
    OnlyAdminsCancel.
    """
    roles.require(operator, "desk")
    if reason not in reasons_for(operator):
        raise Invalid(field="reason", reason="unknown_value")
    with transaction() as session:
        booking, tasks = lock_booking(session, insurers_booking_id(session, operator, public_id))
        if booking.state is _S.CANCELLED:
            return
        closed = cancel_closed(booking, now)
        if closed == "over":
            raise NotCancellable(state=state_at(booking.state, booking.hold_expires_at, now).value)
        past = closed is not None
        if past and not roles.may(operator, "overrule"):
            raise OnlyAdminsCancel(until=cancel_until(booking), time_zone=booking.time_zone)
        actor = actor_of(operator)
        audit.record(
            session,
            "booking.cancelled_for_customer",
            at=now,
            actor_kind=actor.kind,
            actor=actor.id,
            subject=booking.public_id,
            insurer_id=booking.insurer_id,
            reason=reason,
            past_window=past,
        )
        begin_cancel(session, booking, tasks, actor=actor, cause=f"desk_{reason}", now=now, pledged=pledged)
    log.info("booking.cancel_asked", booking=public_id, by=operator.acts_as)


def reasons_for(operator: Principal) -> tuple[Reason, ...]:
    """The reasons that this operator may give. What the provider can't keep is not the customer's cancel, and so not
    an agent's."""
    mine = roles.may(operator, "overrule")
    return tuple(reason for reason in REASONS if mine or reason != "provider_trouble")


def begin_cancel(
    session: Session,
    booking: Booking,
    tasks: list[ProviderTask],
    *,
    actor: Actor,
    cause: str,
    now: datetime,
    pledged: When | None = None,
) -> None:
    """Cancel a locked live booking at once where nothing can be live at the provider, or where it has no say: what is
    firm at once and is not being moved, and what has no time to give back. Else ask the provider. What was pledged
    about it ends with the customer's own word, not with anybody else's, by the moment `pledged` (`now` without it)."""
    if actor.kind in ("customer", "agent"):
        pledge.cancel(session, booking, now=moment(session, pledged or now))
    reserve = next((task for task in tasks if task.command == "reserve"), None)
    change = swap.open_change(session, booking)
    if booking.state is _S.HELD or (reserve is not None and unsent(reserve)):
        for task in tasks:
            annul(task, now=now)
        if change is not None:
            swap.close(session, booking, change, cause="cancelled", now=now)
        facts = instead(session, booking, cause, now=now)
        move(session, booking, _S.CANCELLED, actor=actor, now=now, cause=cause, facts=facts)
        close_cancel(session, booking, "done", now)  # asked for before, while the reserve was out
        return
    allotment = session.scalar(select(Provider.allotment).where(Provider.id == booking.provider_id))
    if not has_times(booking.kind) or (change is None and firm_at_once(booking.snapshot, bool(allotment))):
        enqueue(session, booking, "cancel", now=now, facts={"reason": cause})
        move(session, booking, _S.CANCELLED, actor=actor, now=now, cause=cause)
        return
    request = session.scalar(
        select(ChangeRequest).where(ChangeRequest.booking_id == booking.id, ChangeRequest.state == "open")
    )
    if request is not None and request.kind == "cancel":
        return
    if change is not None:  # an unsent one ends here, a sent one is waited for (by seq) and then undone
        take_back(session, booking, tasks, change, cause="cancelled", now=now)
    request = record_request(session, booking, "cancel", actor=actor, cause=cause, now=now)
    enqueue(session, booking, "cancel", now=now, change_request_id=request.id, facts={"reason": cause})


def instead(session: Session, booking: Booking, cause: str, *, now: datetime) -> dict[str, Any]:
    """The facts of a cancel that the customer did not ask for, since nobody answered her: the nearest other times."""
    return elsewhere(session, booking, now=now) if cause == NOT_ANSWERED and has_times(booking.kind) else {}
