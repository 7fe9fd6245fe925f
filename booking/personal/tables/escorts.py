"""Columns about whoever is sent to be with a customer, and what came of it."""

from __future__ import annotations

from booking.personal.register import Age, Table, all_process, contact, medical, process
from booking.personal.tables.common import HASH, NO_BYTES, NOBODY, NONE, OF_ONE_DAY

TABLES = (
    Table(
        "escort_assignment",
        file="escorts",
        whose="t.booking_id IN ({bookings})",
        # its times are the booking's own
        other="id worker_id provider_id live period padded travel_seconds outside worker_then notify_at",
        personal={
            "public_id": process("id"),
            "safe_word_sealed": process("safe_word", never=OF_ONE_DAY, ends=NONE),
            "code_sealed": process("code", never=OF_ONE_DAY, ends=NONE),
            **all_process("state asked_at answer_due_at answered_at ended_at cause asked_by_kind asked_by"),
        },
        links={"booking_id": "booking"},
    ),
    Table(
        "escort_listening",
        file="escort_lists",
        whose="t.booking_id IN ({bookings})",
        other="id provider_booking_id their_seq listen_at status_version",
        personal=all_process("read_at over_at"),
        links={"booking_id": "booking"},
    ),
    Table(
        "escort_line",
        file="escort_lines",
        whose="t.listening_id IN (SELECT l.id FROM escort_listening l WHERE l.booking_id IN ({bookings}))",
        other="id listening_id",
        personal={
            "digest_sealed": medical("digest", never="a fingerprint of the step, which is exported", ends=NONE),
            **all_process("seq their_id came received_at"),
        },
        links={"deed_id": "escort_deed"},
    ),
    Table(
        "escort_search",
        file="escort_searches",
        whose="t.booking_id IN ({bookings})",
        personal=all_process("begun_at look_at nobody_since"),
        links={"booking_id": "booking"},
        key="booking_id",
    ),
    Table(
        "escort_picture",
        file="escort_pictures",
        whose="t.deed_id IN (SELECT d.id FROM escort_deed d WHERE d.booking_id IN ({escorted}))",
        other="id",
        personal={
            "public_id": medical("id"),
            "sealed": medical("sealed", never="its bytes are a file in `pictures`", ends=NO_BYTES),
            "thumbnail_sealed": medical("small", never="a small copy of the picture", ends=NO_BYTES),
            "size": medical("size", ends="0"),
            "width": medical("width"),
            "height": medical("height"),
        },
        links={"deed_id": "escort_deed"},
    ),
    Table(
        "escort_deed",
        file="escort_steps",
        whose="t.booking_id IN ({escorted})",
        other="id key",
        personal={
            "public_id": medical("id"),
            "sealed": medical("contents", reader="escort_deed", ends=NONE),
            **{each: medical(each) for each in ("number", "kind", "at", "received_at", "doubt")},
            **{each: medical(each) for each in ("position", "accuracy_m", "by_code")},
        },
        links={"assignment_id": "escort_assignment", "booking_id": "booking"},
    ),
    Table(
        "escort_link",
        file="escort_links",
        whose="t.booking_id IN ({bookings})",
        other="id",
        personal={
            "public_id": process("id"),
            "token_hash": contact("token_hash", never=HASH, ends=NOBODY),
            "name_sealed": process("for", reader="escort_link_name", ends=NONE),
            **all_process("with_notes days_after created_at ended_at"),
        },
        links={"booking_id": "booking"},
    ),
    # whom a provider sends to customers, and when they work
    Table(
        "escort_worker",
        "id public_id provider_id member_id shown_name staff_number sex languages qualification_zh qualification_en"
        " province city home_longitude home_latitude phone_sealed papers_checked_at papers_checked_by auto active_from"
        " ended_at outside_code created_at updated_at",
    ),
    Table("escort_knows", "worker_id site_id", key="worker_id"),
    Table("escort_duty", "id worker_id weekdays start_minute end_minute valid_from valid_until"),
    Table("escort_absence", "id public_id worker_id period cause created_at by_kind by"),
    Table(
        "escort_letter",
        "id public_id assignment_id what created_at run_after lease_until tries failures sent_at given_up_at",
        age=Age(
            "created_at",
            "delivery_days",
            "as of other messages: whether a worker was told is asked within weeks",
            only="(t.sent_at IS NOT NULL OR t.given_up_at IS NOT NULL)",
        ),
    ),
)
