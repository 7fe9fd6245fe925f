"""Notifying a customer: recorded in the transaction of what happened, delivered later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.notices.kinds import KINDS, Channel
from booking.notices.models import NoticeSetting, Notification, NotificationDelivery
from marketplace.core.ids import new_id
from marketplace.core.text import Text
from vip.models import Customer

_SAID = "said_with_another"


@contextmanager
def said_with_another(session: Session, kind: str) -> Iterator[None]:
    """Within it no notice of that kind is made: the one that the caller makes says it too."""
    session.info[_SAID] = kind
    try:
        yield
    finally:
        del session.info[_SAID]


def notify(
    session: Session,
    customer_id: int,
    kind: str,
    subject: str,
    *,
    now: datetime,
    booking_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> bool:
    """Record a notice for a customer, unless she has one of the same kind and subject, or is erased, or
    another one says it (said_with_another). Returns whether it
    is new.

    `kind` is one of booking.notices.kinds. `subject` is the public id of what it is about, with a version or a date if
    there can be several notices about it (`bkg_…:7`). `facts` are the codes, ids and times that the words need, never
    personal data. With `booking_id` (internal), those of facts_of() are added, as they are in this transaction.
    """
    if session.info.get(_SAID) == kind:
        return False
    booking = session.get(Booking, booking_id) if booking_id is not None else None
    if session.scalar(select(Customer.erased_at).where(Customer.id == customer_id)) is not None:
        return False
    added = session.execute(
        insert(Notification)
        .values(
            public_id=new_id("ntf"),
            customer_id=customer_id,
            booking_id=booking_id,
            kind=kind,
            subject=subject,
            facts={**(facts_of(booking) if booking is not None else {}), **(facts or {})},
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["customer_id", "kind", "subject"])
        .returning(Notification.id)
    ).scalar_one_or_none()
    channels = KINDS[kind].channels if added is not None else ()
    setting = session.get(NoticeSetting, customer_id) if channels else None
    for channel in channels:
        if reaches(setting, channel):
            session.add(NotificationDelivery(notification_id=added, channel=channel, key=new_id("ntd"), run_after=now))
    session.flush()
    return added is not None


def reaches(setting: NoticeSetting | None, channel: Channel) -> bool:
    """Whether a customer is notified on this channel: by SMS unless turned off, by e-mail once her address is
    confirmed. `setting` is None if she has chosen nothing."""
    if channel == "sms":
        return setting is None or setting.sms
    return setting is not None and setting.email and setting.email_confirmed_at is not None


def facts_of(booking: Booking) -> dict[str, Any]:
    """What was booked, where and when: `benefit` (its code), `offer` (both names), `site`, `day`, `starts_at` (None for
    a whole day), `zone` (the site's), `cause`. Times are ISO 8601 in UTC."""
    offer, site = booking.snapshot.get("offer", {}), booking.snapshot.get("site", {})
    return {
        "benefit": booking.kind,
        "offer": Text.of(offer)._asdict(),
        "site": site.get("name", ""),
        "day": booking.service_date.isoformat(),
        "starts_at": booking.starts_at.isoformat() if booking.starts_at else None,
        "zone": booking.time_zone,
        "cause": booking.cause,
    }
