"""Reminders: of tomorrow's booking, and of a benefit that is about to end.

A booking is reminded of at 18:00 the day before, on the wall clock of its site, whatever the clocks do that night. Each
date is reminded of once: a booking that has moved is reminded of its new date. One that is made after that hour is
reminded of at once, unless it begins within REMIND_AT_LEAST: she has only just chosen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.notices import notify
from booking.notification_models import Notification
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.models import Insurer
from marketplace.core.clock import start_of, today
from marketplace.core.db import reading, transaction
from vip.models import Entitlement

REMIND_AT = time(18)
REMIND_AT_LEAST = timedelta(hours=3)
ENDING_DAYS = (7, 30)
"""How many days before its end a benefit is told of, the nearest first."""

_BRING = {
    "zh": ("", "身份证", "请携带体检人的身份证原件。"),
    "en": (" ", "ID", "Bring the original ID card of the person who is checked."),
}


def due_at(day: date, zone: str) -> datetime:
    """When a booking on `day` is reminded of: 18:00 the day before, on the wall clock of the site's `zone` (UTC)."""
    return datetime.combine(day - timedelta(days=1), REMIND_AT, ZoneInfo(zone)).astimezone(UTC)


def is_due(day: date, starts_at: datetime | None, zone: str, now: datetime) -> bool:
    """Whether the reminder of a booking at that time is to be told now."""
    return due_at(day, zone) <= now <= start_of(day, starts_at, zone) - REMIND_AT_LEAST


def remind_of_bookings(*, now: datetime) -> int:
    """Tell everybody whose booking is tomorrow, once for each date; returns how many were told."""
    told = 0
    with reading() as session:
        waiting = session.execute(
            select(Booking.id, Booking.service_date, Booking.starts_at, Booking.time_zone)
            .outerjoin(
                Notification,
                (Notification.customer_id == Booking.customer_id)
                & (Notification.kind == "reminder")
                & (Notification.subject == _subject_in_sql()),
            )
            .where(
                Booking.state == BookingState.CONFIRMED,
                Booking.service_date.between(now.date() - timedelta(days=1), now.date() + timedelta(days=2)),
                Notification.id.is_(None),
            )
            .order_by(Booking.id)
        ).all()
    for row in waiting:
        if is_due(row.service_date, row.starts_at, row.time_zone, now):
            with transaction() as session:
                told += _remind(session, row.id, now)
    return told


def _remind(session: Session, booking_id: int, now: datetime) -> bool:
    """Tell of a booking as it stands now that it is locked."""
    booking, _ = lock_booking(session, booking_id)
    if booking.state is not BookingState.CONFIRMED:
        return False
    if not is_due(booking.service_date, booking.starts_at, booking.time_zone, now):
        return False
    facts = {"prepare": preparation(booking.snapshot.get("package", {}))}
    return notify(
        session, booking.customer_id, "reminder", subject(booking), now=now, booking_id=booking.id, facts=facts
    )


def preparation(package: Mapping[str, Any]) -> dict[str, str]:
    """What to do before and what to bring, in both languages, from the package as it was booked; the ID card is added
    where the package doesn't speak of it."""
    fasting, hints = package.get("fasting", {}), package.get("preparation", ())
    said = {}
    for language, (between, card, bring) in _BRING.items():
        texts = [str(fasting.get(f"hint_{language}", "")), *(str(hint.get(language, "")) for hint in hints[:3])]
        if not any(card in text for text in texts):
            texts.append(bring)
        said[language] = between.join(text for text in texts if text)
    return said


def subject(booking: Booking) -> str:
    """What a reminder is about: the booking at that very time."""
    at = int(booking.starts_at.timestamp()) if booking.starts_at else "day"
    return f"{booking.public_id}:{booking.service_date.isoformat()}:{at}"


def _subject_in_sql() -> Any:
    at = func.coalesce(cast(cast(func.extract("epoch", Booking.starts_at), Notification.id.type), String), "day")
    return func.concat(Booking.public_id, ":", cast(Booking.service_date, String), ":", at)


def remind_of_endings(*, now: datetime) -> int:
    """Tell of benefits that end in 30 and in 7 days on the insurer's calendar, if something of them is left.

    What was granted within those days is not told of: she has only just got it. Returns how many were told."""
    with reading() as session:
        ending = session.execute(
            select(Entitlement, Insurer.time_zone)
            .join(Insurer, Insurer.id == Entitlement.insurer_id)
            .where(
                Entitlement.available > 0,
                Entitlement.valid_until.between(
                    now.date() - timedelta(days=1), now.date() + timedelta(days=ENDING_DAYS[-1] + 1)
                ),
            )
            .order_by(Entitlement.id)
        ).all()
        about = {
            (held.customer_id, subject): held for held, zone in ending if (subject := ending_about(held, zone, now))
        }
        found = session.execute(
            select(Notification.customer_id, Notification.subject).where(
                Notification.kind == "entitlement_expiring",
                Notification.customer_id.in_({customer for customer, _ in about}),
                Notification.subject.in_({subject for _, subject in about}),
            )
        )
        known = {(row.customer_id, row.subject) for row in found}
    told = 0
    zones = {held.id: zone for held, zone in ending}
    for (customer, subject), held in about.items():
        if (customer, subject) not in known:
            with transaction() as session:
                told += _tell_of_end(session, held, subject, zones[held.id], now)
    return told


def ending_about(held: Entitlement, zone: str, now: datetime) -> str:
    """What the notice of an ending benefit is about: its end and the mark that was passed; blank when none is due."""
    left = (held.valid_until - today(zone, now)).days
    mark = next((days for days in ENDING_DAYS if 0 <= left <= days), None)
    if mark is None or (held.valid_until - today(zone, held.created_at)).days < mark:
        return ""
    return f"{held.public_id}:{held.valid_until.isoformat()}:{mark}"


def _tell_of_end(session: Session, held: Entitlement, about: str, zone: str, now: datetime) -> bool:
    facts = {
        "entitlement": held.public_id,
        "benefit": held.kind,
        "until_day": held.valid_until.isoformat(),
        "days_left": (held.valid_until - today(zone, now)).days,
    }
    return notify(session, held.customer_id, "entitlement_expiring", about, now=now, facts=facts)
