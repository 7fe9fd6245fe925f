"""Telling a customer something: written in the transaction of what happened, delivered later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.notification_models import Notification
from marketplace.core.ids import new_id


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
    """Tell a customer something, unless she was told the same of the same subject; returns whether it is new.

    `subject` is the public id of what it is about, with the version or the date where the same thing may rightly be
    told again (`bkg_…:7`). `facts` are codes, ids and times that the words are made of, never personal data.
    """
    added = session.execute(
        insert(Notification)
        .values(
            public_id=new_id("ntf"),
            customer_id=customer_id,
            booking_id=booking_id,
            kind=kind,
            subject=subject,
            facts=dict(facts or {}),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["customer_id", "kind", "subject"])
        .returning(Notification.id)
    ).scalar_one_or_none()
    return added is not None
