"""A new twin's calendar: the weekly hours of the live provider, so that there are times to try."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from booking.capacity_rules.calendars import row_of, rules_of
from booking.capacity_rules.extend import publish_calendar
from booking.capacity_rules.models import CapacityChange, PoolCalendar
from marketplace.core.errors import Busy, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger

log = get_logger(__name__)


def copy_hours(session: Session, copies: Mapping[int, int], actor: str, now: datetime) -> list[int]:
    """Write the weekly rules of live pools into the calendars of their copies (internal ids), in the transaction that
    makes these; returns the copies that have rules now. A pool that the live provider's program fills stays empty."""
    filled = []
    for live, copy in copies.items():
        calendar = session.get(PoolCalendar, live)
        rules = rules_of(session, calendar) if calendar is not None else None
        if rules is None or not rules.weekly:
            continue
        first = PoolCalendar(
            pool_id=copy,
            version=1,
            closed_on_holidays=rules.closed_on_holidays,
            make_up_weekday=rules.make_up_weekday,
            horizon_days=rules.horizon_days,
        )
        session.add(first)
        session.flush()
        session.add_all(row_of(copy, rule) for rule in rules.weekly)
        session.add(
            CapacityChange(
                public_id=new_id("cch"), pool_id=copy, version=first.version, kind="rules", actor=actor, at=now
            )
        )
        filled.append(copy)
    session.flush()
    return filled


def publish_hours(filled: Collection[int], now: datetime) -> None:
    """Publish the slots of a new twin's pools. What can't be published now the worker's next run publishes."""
    for pool_id in filled:
        try:
            publish_calendar(pool_id, now=now)
        except (Busy, Refusal) as later:
            log.info("twin.hours_later", pool=pool_id, reason=type(later).__name__)
