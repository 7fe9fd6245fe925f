"""A broken pledge: written once, with what it gives the customer and her notice, in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.notices.notify import notify
from booking.pledges.models import REQUEST_ANSWER, Pledge, PledgeCompensation
from marketplace.catalog.models import Insurer
from marketplace.core.clock import today
from marketplace.core.logging import get_logger
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import Stamp
from vip.models import Customer, Entitlement

log = get_logger(__name__)

NOTICE = "pledge_breached"
USABLE_DAYS = 90
"""So long what is given for a broken pledge can be used at least: it must not end with a benefit that ends tomorrow."""


def breach(session: Session, pledge: Pledge, *, now: datetime, kept: bool = False) -> None:
    """Write the breach of an open pledge that the caller has locked, its booking before it, and whose `due_at` is not
    after `now`. `kept`: what was promised is done in this transaction, too late.

    Raises IntegrityError of `pk_pledge_compensation` where something was given for it before.
    """
    units, entitlement = _compensate(session, pledge, now)
    session.add(PledgeCompensation(pledge_id=pledge.id, entitlement_id=entitlement, units=units, at=now))
    session.flush()
    pledge.state, pledge.breached_at = "breached", now
    session.flush()
    late = (now - pledge.due_at).total_seconds()
    log.info("pledge.breached", pledge=pledge.public_id, units=units, seconds_after_due=late)
    if pledge.promise == REQUEST_ANSWER and units == 0:
        return  # the request ends at the same deadline, and tells it with the nearest other times
    facts: dict[str, Any] = {"units": units, "seconds": pledge.seconds, "promise": pledge.promise}
    if kept:
        facts["answered"] = True
    if pledge.subject_kind == "conversation":
        facts["conversation"] = pledge.subject
    booking = pledge.booking_id
    notify(session, pledge.customer_id, NOTICE, pledge.public_id, now=now, booking_id=booking, facts=facts)


def _compensate(session: Session, pledge: Pledge, now: datetime) -> tuple[int, int | None]:
    """Grant what the rule gives, on the terms of the benefit that was used; how many units, and of which entitlement.

    Nothing is granted for what is unlimited, for a promise about no booking, or to somebody who was erased; nor beyond
    one time for each unit of a benefit, and never for a unit that was such a grant itself: who cancels after a breach
    has her unit back, and could let it be broken again and again.
    """
    found = session.execute(
        select(Booking.kind, Entitlement, Customer, Insurer.time_zone)
        .join(Entitlement, Entitlement.id == Booking.entitlement_id)
        .join(Customer, Customer.id == Booking.customer_id)
        .join(Insurer, Insurer.id == Booking.insurer_id)
        .where(Booking.id == pledge.booking_id)
        .with_for_update(of=Entitlement, key_share=True)
    ).one_or_none()
    if found is None or pledge.units == 0:
        return 0, None
    code, used, customer, zone = found
    if customer.erased_at is not None or not _can_be_given(session, used):
        return 0, None
    first = today(zone, now)
    given = Grant(
        kind=code,
        quantity=pledge.units,
        valid_from=first,
        valid_until=max(used.valid_until, first + timedelta(days=USABLE_DAYS)),
        sharing=used.sharing,
        grace_days=used.grace_days,
        no_show_uses=used.no_show_uses,
    )
    stamp = Stamp(now, "system", "pledges", f"pledge {pledge.public_id}")
    return pledge.units, grant(session, customer, given, stamp).id


def owed(session: Session, pledge: Pledge) -> int:
    """How many units the breach of an open pledge would give now: what a customer may be promised."""
    query = select(Entitlement).join(Booking, Booking.entitlement_id == Entitlement.id)
    used = session.scalar(query.where(Booking.id == pledge.booking_id))
    return pledge.units if used is not None and _can_be_given(session, used) else 0


def _can_be_given(session: Session, used: Entitlement) -> bool:
    return used.granted is not None and not _made_good(session, used)


def _made_good(session: Session, used: Entitlement) -> bool:
    """Whether each unit of this locked entitlement was made good once, or it was given for a broken pledge itself."""
    given = select(func.count()).where(
        PledgeCompensation.entitlement_id.is_not(None),
        PledgeCompensation.pledge_id.in_(
            select(Pledge.id).join(Booking, Booking.id == Pledge.booking_id).where(Booking.entitlement_id == used.id)
        ),
    )
    is_one = session.scalar(select(exists().where(PledgeCompensation.entitlement_id == used.id)))
    return bool(is_one) or (session.scalar(given) or 0) >= (used.granted or 0)
