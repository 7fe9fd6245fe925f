"""What the phone desk sees of its insurer's bookings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.changes.cancel import Reason, reasons_for
from booking.discrepancies import Discrepancy
from booking.escort.shown.overseen import Overseen, overseen
from booking.models import Booking
from booking.ownership import SEARCHED, VIEWED, insurers_booking, record_look
from booking.references import normal_number
from booking.views.cards import BookingCard, BookingView
from booking.views.customer import card_of, card_rows, full_view
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import storable
from vip import phones, roles
from vip.models import Customer
from vip.principal import Principal
from vip.signin import limits
from vip.signin.limits import Limit

MOST_FOUND = 50
SEARCHES = Limit(60, 240)
"""Searches of one operator."""

Cancelling = Literal["open", "admins_only", "asked", "over"]


@dataclass(frozen=True)
class AtDesk:
    """A booking as the desk sees it. `cancelling`: this operator may cancel it, only an administrator still may, a
    cancel is with the provider, or there is nothing to cancel. `as_customer`: her cancel counts as the customer's own.
    `past_window`: the customer herself could not cancel any more. `reasons`: those she may give. `discrepancies`: the
    kinds of what is open between our books and the provider's about it, each with its case where she may look at it
    (`may_see_cases`). `visit`: of a booking for which somebody is sent, who that is and what was done."""

    view: BookingView
    cancelling: Cancelling
    as_customer: bool
    past_window: bool
    reasons: tuple[Reason, ...]
    discrepancies: tuple[tuple[str, str | None], ...] = ()
    visit: Overseen | None = None
    may_see_cases: bool = False


def booking_at_desk(operator: Principal, public_id: str, *, now: datetime, visit: bool = False) -> AtDesk:
    """A booking of the operator's insurer in full, and what this operator may do with it. `visit`: with what is told of
    who was sent to it. Audited: one line, which says how many steps of that were shown. Raises NotFound."""
    view = full_view(insurers_booking(operator, public_id), now=now)
    overrules = roles.may(operator, "overrule")
    cancelling: Cancelling = "open" if overrules or view.can_cancel else "admins_only"
    if view.cancel_closed == "over":
        cancelling = "over"
    elif view.change == "cancel":
        cancelling = "asked"
    with transaction() as session:
        row = session.scalars(select(Booking).where(insurers_booking(operator, public_id))).one()
        told = overseen(session, row, now=now) if visit else None
        record_look(session, operator, VIEWED, public_id, now, **({} if told is None else {"steps": len(told.done)}))
    return AtDesk(
        view,
        cancelling,
        as_customer=not overrules,
        past_window=cancelling in ("open", "admins_only") and not view.can_cancel,
        reasons=reasons_for(operator),
        discrepancies=_differences(operator, public_id),
        visit=told,
        may_see_cases=roles.may(operator, "books"),
    )


def _differences(operator: Principal, public_id: str) -> tuple[tuple[str, str | None], ...]:
    """The open ones of a booking that the operator may see, the oldest first."""
    may_look = roles.may(operator, "books")
    with reading() as session:
        rows = session.execute(
            select(Discrepancy.kind, Discrepancy.public_id)
            .join(Booking, Booking.id == Discrepancy.booking_id)
            .where(Booking.public_id == public_id, Discrepancy.closed_at.is_(None))
            .order_by(Discrepancy.id)
        ).all()
    return tuple((row.kind, row.public_id if may_look else None) for row in rows)


def find_bookings(operator: Principal, wanted: str, *, now: datetime) -> Sequence[BookingCard]:
    """The bookings, newest first and at most MOST_FOUND, with this number, or of the customer with this phone number;
    of the operator's insurer. Empty for an unknown one and for what can be neither. Audited, and limited.

    Raises NotFound for anybody who is not of the desk, TooMany(retry_after).
    """
    roles.require(operator, "desk")
    with transaction() as session:  # of its own: a search that finds nothing counts too
        limits.take(session, SEARCHES, "bookings", operator.public_id, now=now)
    if not storable(wanted):
        return []
    with transaction() as session:
        by, query = _search(operator, wanted)
        rows = session.execute(query.order_by(Booking.id.desc()).limit(MOST_FOUND)).all()
        subject = _whom(session, rows[0].Booking, by) if rows else ""
        record_look(session, operator, SEARCHED, subject, now, by=by, found=len(rows))
        return [card_of(row.Booking, row.Beneficiary, row.entitlement) for row in rows]


def _search(operator: Principal, wanted: str) -> tuple[str, Select[Any]]:
    """By what is searched, and the search."""
    query = card_rows().where(Booking.insurer_id == operator.insurer_id)
    try:
        indexes = phones.indexes(phones.normalise(wanted))
    except Invalid:
        return "number", query.where(Booking.reference == normal_number(wanted))
    return "phone", query.join(Customer, Customer.id == Booking.customer_id).where(phones.of_customer(indexes))


def _whom(session: Session, booking: Booking, by: str) -> str:
    """Whom a search that found something was about: all its bookings are one customer's."""
    if by == "number":
        return booking.public_id
    return session.scalars(select(Customer.public_id).where(Customer.id == booking.customer_id)).one()
