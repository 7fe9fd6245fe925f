"""What the phone desk sees of its insurer's bookings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from booking.changes.cancel import Reason, reasons_for
from booking.models import Booking, Discrepancy
from booking.ownership import insurers_booking
from booking.states import LIVE
from booking.views.cards import BookingCard, BookingView
from booking.views.customer import card_of, card_rows, full_view
from marketplace.core.db import reading
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import storable
from vip import phones, roles
from vip.models import Customer
from vip.principal import Principal

MOST_FOUND = 50

Cancelling = Literal["open", "admins_only", "asked", "over"]


@dataclass(frozen=True)
class AtDesk:
    """A booking as the desk sees it. `cancelling`: this operator may cancel it, only an administrator still may, a
    cancel is with the provider, or there is nothing to cancel. `as_customer`: her cancel counts as the customer's own.
    `past_window`: the customer herself could not cancel any more. `reasons`: those she may give. `discrepancies`: the
    kinds of what is open between our books and the provider's about it, each with its case where she may look at it."""

    view: BookingView
    cancelling: Cancelling
    as_customer: bool
    past_window: bool
    reasons: tuple[Reason, ...]
    discrepancies: tuple[tuple[str, str | None], ...] = ()


def booking_at_desk(operator: Principal, public_id: str, *, now: datetime) -> AtDesk:
    """A booking of the operator's insurer in full, and what this operator may do with it. Raises NotFound."""
    view = full_view(insurers_booking(operator, public_id), now=now)
    overrules = roles.may(operator, "overrule")
    cancelling: Cancelling = "open" if overrules or view.can_cancel else "admins_only"
    if view.state not in LIVE:
        cancelling = "over"
    elif view.change == "cancel":
        cancelling = "asked"
    past = cancelling in ("open", "admins_only") and not view.can_cancel
    return AtDesk(view, cancelling, not overrules, past, reasons_for(operator), _differences(operator, public_id))


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


def find_bookings(operator: Principal, wanted: str) -> Sequence[BookingCard]:
    """The bookings, newest first and at most MOST_FOUND, with this number, or of the customer with this phone number;
    of the operator's insurer. Empty for an unknown one and for what can be neither. Raises NotFound for anybody who is
    not of the desk."""
    roles.require(operator, "desk")
    if not storable(wanted):
        return []
    query = card_rows().where(Booking.insurer_id == operator.insurer_id)
    number = "".join(wanted.split()).upper()
    try:
        index = phones.index(phones.normalise(wanted))
        query = query.join(Customer, Customer.id == Booking.customer_id).where(Customer.phone_index == index)
    except Invalid:
        query = query.where(Booking.reference == number)
    with reading() as session:
        rows = session.execute(query.order_by(Booking.id.desc()).limit(MOST_FOUND)).all()
        return [card_of(row.Booking, row.Beneficiary, row.entitlement) for row in rows]
