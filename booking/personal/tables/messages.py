"""Columns about what customers are told, and what they asked to be told."""

from __future__ import annotations

from booking.personal.register import Age, Retention, Table, contact
from booking.personal.tables.common import HASH

TABLES = (
    Table(
        "notice_setting",
        file="message_settings",
        whose="t.customer_id = :customer",
        other="customer_id",
        personal={
            "email_sealed": contact("email", reader="email"),
            "feed_hash": contact("feed_hash", never=HASH),
            "email": contact("by_email"),
            **{each: contact(each) for each in ("sms", "email_confirmed_at", "quiet", "quiet_from", "quiet_until")},
            **{each: contact(each) for each in ("feed_made_at", "updated_at")},
        },
        key="customer_id",
        rows_end=Retention.CONTACT,
    ),
    Table(
        "favourite_site",
        file="favourite_places",
        whose="t.customer_id = :customer",
        other="id customer_id",
        personal={"created_at": contact("marked_at")},
        links={"site_id": "site"},
        rows_end=Retention.CONTACT,
    ),
    Table(
        "notification_delivery",
        file="deliveries",
        whose="t.notification_id IN ({notices})",
        other="id key tries failures run_after lease_until",
        personal={each: contact(each) for each in ("channel", "state", "finished_at", "reason")},
        links={"notification_id": "notification"},
        rows_end=Retention.CONTACT,
        age=Age(
            "finished_at", "delivery_days", "whoever missed a message asks within weeks whether and where it was sent"
        ),
    ),
    Table(
        "notification",
        file="notifications",
        whose="t.id IN ({notices})",
        other="id customer_id",
        personal={
            "public_id": contact("id"),
            **{each: contact(each) for each in ("kind", "subject", "facts", "created_at", "read_at")},
        },
        links={"booking_id": "booking"},
        rows_end=Retention.CONTACT,
        age=Age(
            "created_at",
            "notice_days",
            "a year's bookings can be looked back at with what was said about them",
            only="NOT EXISTS (SELECT FROM notification_delivery d WHERE d.notification_id = t.id)",
        ),
    ),
)
