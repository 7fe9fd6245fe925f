"""Reminders of tomorrow's booking, and of a benefit that is about to end.

The reminder of a booking is due at 18:00 on the day before, on the wall clock of its site. There is one for each date:
a booking that has moved gets another one. A booking that is made later than that is reminded of at once, unless it
begins within REMIND_AT_LEAST, as the customer has only just chosen it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, String, cast, func, select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.notices.models import Notification
from booking.notices.notify import notify
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.kinds import without_times, words_of
from marketplace.catalog.models import Insurer
from marketplace.core.clock import start_of, today
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import one_by_one
from marketplace.core.text import Language, Text
from vip.models import Entitlement

REMIND_AT = time(18)
REMIND_AT_LEAST = timedelta(hours=3)
ENDING_DAYS = (7, 30)
"""How many days before its end the customer is notified of a benefit, the fewest first."""
ENDINGS_AT_ONCE = 500


def due_at(day: date, zone: str) -> datetime:
    """When the reminder of a booking on `day` is due: 18:00 the day before, on the wall clock of the site's `zone`
    (UTC)."""
    return datetime.combine(day - timedelta(days=1), REMIND_AT, ZoneInfo(zone)).astimezone(UTC)


def is_due(day: date, starts_at: datetime | None, zone: str, now: datetime) -> bool:
    """Whether the reminder of a booking at that time is due and not too late. `starts_at` is None for a whole day."""
    return due_at(day, zone) <= now <= start_of(day, starts_at, zone) - REMIND_AT_LEAST


def remind_of_bookings(*, now: datetime) -> int:
    """Notify the customers whose bookings are tomorrow, once for each date, of what has times. Returns how many were
    notified."""
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
                Booking.kind.not_in(without_times()),
                Booking.service_date.between(now.date() - timedelta(days=1), now.date() + timedelta(days=2)),
                Notification.id.is_(None),
            )
            .order_by(Booking.id)
        ).all()
    due = [row.id for row in waiting if is_due(row.service_date, row.starts_at, row.time_zone, now)]
    return one_by_one("reminders", due, lambda booking_id: _remind(booking_id, now))["notified"]


def _remind(booking_id: int, now: datetime) -> str:
    """Notify the customer of a booking, checked again under its lock. Returns the outcome."""
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        if booking.state is not BookingState.CONFIRMED:
            return "moved_on"
        if not is_due(booking.service_date, booking.starts_at, booking.time_zone, now):
            return "not_due"
        facts = {"prepare": preparation(booking.kind, booking.snapshot.get("package", {}))._asdict()}
        about = subject(booking)
        new = notify(session, booking.customer_id, "reminder", about, now=now, booking_id=booking.id, facts=facts)
    return "notified" if new else "known"


def preparation(kind: str, package: Mapping[str, Any]) -> Text:
    """What to do before and what to bring, in both languages, from the package as it was booked; what the kind asks to
    bring is added where the package doesn't speak of it."""
    return Text("".join(_preparation(kind, package, "zh")), " ".join(_preparation(kind, package, "en")))


def _preparation(kind: str, package: Mapping[str, Any], language: Language) -> list[str]:
    words, fasting, hints = words_of(kind), package.get("fasting", {}), package.get("preparation", ())
    texts = [str(fasting.get(f"hint_{language}", "")), *(str(hint.get(language, "")) for hint in hints[:3])]
    if not any(words.brought.in_language(language) in text for text in texts):
        texts.append(words.bring.in_language(language))
    return [text for text in texts if text]


def subject(booking: Booking) -> str:
    """The subject of a reminder: the booking and its time, so that a new time gets a reminder of its own."""
    at = int(booking.starts_at.timestamp()) if booking.starts_at else "day"
    return f"{booking.public_id}:{booking.service_date.isoformat()}:{at}"


def _subject_in_sql() -> Any:
    at = func.coalesce(cast(cast(func.extract("epoch", Booking.starts_at), Notification.id.type), String), "day")
    return func.concat(Booking.public_id, ":", cast(Booking.service_date, String), ":", at)


def remind_of_endings(*, now: datetime, part: int = ENDINGS_AT_ONCE) -> int:
    """Notify customers of benefits that end in 30 and in 7 days on the insurer's calendar, if units are left.

    A benefit that was granted within those days is left out: the customer has only just got it. Many may end on the
    same day, so `part` of them are read at a time. Returns how many customers were notified.
    """
    reminded, after = 0, 0
    while True:
        with reading() as session:
            ending = _ending(session, now, after, part)
            news = _not_reminded(session, ending, now)
        reminded += one_by_one("endings", news, lambda row: _notify_of_end(row[1], row[2], row[3], now))["notified"]
        if len(ending) < part:
            return reminded
        after = ending[-1][0].id


def _ending(session: Session, now: datetime, after: int, part: int) -> Sequence[Row[Entitlement, str]]:
    """The next benefits by id that end soon, each with its insurer's zone."""
    first, last = now.date() - timedelta(days=1), now.date() + timedelta(days=ENDING_DAYS[-1] + 1)
    return session.execute(
        select(Entitlement, Insurer.time_zone)
        .join(Insurer, Insurer.id == Entitlement.insurer_id)
        .where(Entitlement.available > 0, Entitlement.valid_until.between(first, last), Entitlement.id > after)
        .order_by(Entitlement.id)
        .limit(part)
    ).all()


def _not_reminded(
    session: Session, ending: Sequence[Row[Entitlement, str]], now: datetime
) -> list[tuple[int, Entitlement, str, str]]:
    """Those of which a notice is due and has not been given: (id, benefit, the notice's subject, zone)."""
    due = [(held.id, held, about, zone) for held, zone in ending if (about := ending_about(held, zone, now))]
    known = session.scalars(
        select(Notification.subject).where(
            Notification.kind == "entitlement_expiring",
            Notification.customer_id.in_({held.customer_id for _, held, _, _ in due}),
            Notification.subject.in_([about for _, _, about, _ in due]),
        )
    ).all()
    return [row for row in due if row[2] not in set(known)]


def ending_about(held: Entitlement, zone: str, now: datetime) -> str:
    """The subject of the notice of an ending benefit: its last day and the number of ENDING_DAYS that was reached;
    blank if none is due."""
    left = (held.valid_until - today(zone, now)).days
    mark = next((days for days in ENDING_DAYS if 0 <= left <= days), None)
    if mark is None or (held.valid_until - today(zone, held.created_at)).days < mark:
        return ""
    return f"{held.public_id}:{held.valid_until.isoformat()}:{mark}"


def _notify_of_end(held: Entitlement, about: str, zone: str, now: datetime) -> str:
    facts = {
        "entitlement": held.public_id,
        "benefit": held.kind,
        "until_day": held.valid_until.isoformat(),
        "days_left": (held.valid_until - today(zone, now)).days,
    }
    with transaction() as session:
        new = notify(session, held.customer_id, "entitlement_expiring", about, now=now, facts=facts)
    return "notified" if new else "known"
