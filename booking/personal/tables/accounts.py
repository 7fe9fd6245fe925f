"""Columns about customers, their families and those who sign in."""

from __future__ import annotations

from booking.personal.register import Age, Retention, Table, all_process, contact, medical, process
from booking.personal.tables.common import BLANK, HASH, KEY, NO_BYTES, NO_DAY, NOBODY, NONE

TABLES = (
    Table(
        "customer",
        file="customer",
        whose="t.id = :customer",
        other="id insurer_id",
        personal={
            "public_id": process("id"),
            "name": contact("name", ends=BLANK),
            "phone_sealed": contact("phone", reader="customer_phone", ends=NO_BYTES),
            "phone_index": contact("phone_index", same_as="phone_sealed", ends=NOBODY),
            "language": contact("language", ends=NONE),
            **all_process("tier blocked_at erased_at created_at"),
        },
    ),
    Table(
        "beneficiary",
        file="family",
        whose="t.id IN ({people})",
        other="id insurer_id customer_id",
        personal={
            "public_id": process("id"),
            "name": contact("name", ends=BLANK),
            "birth_date": contact("birth_date", ends=NO_DAY),
            "phone_sealed": contact("phone", reader="person_phone", ends=NONE),
            "id_number_sealed": contact("id_number", reader="id_number", ends=NONE),
            "id_number_index": contact("id_number_index", same_as="id_number_sealed", ends=NONE),
            "wrapped_key": contact("wrapped_key", never=KEY, ends=NONE),
            "record_sealed": medical("record", reader="record", ends=NONE),
            **all_process("relation sex removed_at erased_at created_at"),
        },
    ),
    Table(
        "person_key",
        file="keys",
        whose="t.beneficiary_id IN ({people})",
        personal={
            "wrapped_key": process("wrapped_key", never=KEY),
            **all_process("retention destroyed_at"),
        },
        links={"beneficiary_id": "beneficiary"},
        key="beneficiary_id",
    ),
    Table(
        "erasure",
        file="erasures",
        whose="(t.customer_id = :customer OR t.beneficiary_id IN ({people}))",
        other="id",
        personal={
            "public_id": process("id"),
            **all_process("asked_at process_until medical_until contact_done_at process_done_at medical_done_at"),
        },
        links={"customer_id": "customer", "beneficiary_id": "beneficiary"},
    ),
    Table(
        "personal_export_part",
        file="copy_parts",
        whose="t.export_id IN (SELECT e.id FROM personal_export e WHERE e.customer_id = :customer)",
        other="id export_id position",
        personal={"sealed": contact("sealed", never="a copy of all the rest")},
        rows_end=Retention.CONTACT,
    ),
    Table(
        "personal_export",
        file="copies",
        whose="t.customer_id = :customer",
        other="id customer_id tries lease_until shown versions",
        personal={
            "public_id": contact("id"),
            "wrapped_key": contact("wrapped_key", never=KEY),
            **{each: contact(each) for each in ("state", "asked_at", "ready_at", "expires_at", "size")},
        },
        rows_end=Retention.CONTACT,
    ),
    Table(
        "consent",
        file="consents",
        whose="t.beneficiary_id IN ({people})",
        other="id",
        personal={
            "public_id": process("id"),
            "phone_sealed": contact("phone", reader="consent_phone", ends=NONE),
            "phone_index": contact("phone_index", same_as="phone_sealed", ends=NONE),
            **all_process("purpose method given_at withdrawn_at withdrawn_by"),
        },
        links={"beneficiary_id": "beneficiary"},
    ),
    Table(
        "sign_in_session",
        file="sessions",
        whose="t.customer_id = :customer",
        other="id customer_id operator_id client_id",
        personal={
            "public_id": contact("id"),
            "token_hash": contact("token_hash", never=HASH),
            **{each: contact(each) for each in ("channel", "created_at", "expires_at", "seen_at", "ended_at", "facts")},
        },
        rows_end=Retention.CONTACT,
        age=Age("expires_at", "session_days", "a device is known by the session it had, for a year after it was over"),
    ),
    Table(
        "sign_in_link",
        file="sign_in_links",
        whose="t.customer_id = :customer",
        other="id insurer_id client_id customer_id",
        personal={
            "public_id": contact("id"),
            "token_hash": contact("token_hash", never=HASH),
            **{each: contact(each) for each in ("path", "created_at", "expires_at", "used_at")},
        },
        rows_end=Retention.CONTACT,
    ),
    Table(
        "sign_in_code",
        file="codes",
        whose=(
            "(t.customer_id = :customer OR t.phone_index IN"
            " (SELECT c.phone_index FROM customer_phone c WHERE c.customer_id = :customer"
            " AND c.insurer_id = t.insurer_id))"
        ),
        other="id insurer_id customer_id",
        personal={
            "phone_index": contact("phone_index", never="a keyed fingerprint of the number that was written to"),
            "code_hash": contact("code_hash", never=HASH),
            **{each: contact(each) for each in ("purpose", "created_at", "expires_at", "tries", "used_at")},
        },
        rows_end=Retention.CONTACT,
        age=Age("created_at", "code_days", "limits count codes of the last hour; none counts after ten minutes"),
    ),
    Table(  # its row under the current key is made anew when `customer.phone_index` is overwritten
        "customer_phone",
        file="phone_indexes",
        whose="t.customer_id = :customer",
        other="id insurer_id customer_id",
        personal={
            "phone_index": contact("phone_index", never="a keyed fingerprint of the phone", ends=NOBODY),
        },
    ),
    Table(
        "audit_line",
        file="audit",
        whose=(
            "t.subject IN (SELECT c.public_id FROM customer c WHERE c.id = :customer"
            " UNION ALL SELECT b.public_id FROM beneficiary b WHERE b.id IN ({people})"
            " UNION ALL SELECT k.public_id FROM booking k WHERE k.id IN ({bookings})"
            " UNION ALL SELECT r.public_id FROM report r WHERE r.id IN ({reports}))"
        ),
        other="id insurer_id xact",
        personal=all_process("at actor_kind actor action subject facts"),
    ),
    # those who work here or for a provider: their data is no customer's
    Table(
        "operator",
        "id public_id insurer_id provider_id login name role password_hash password_once totp_sealed totp_since"
        " totp_step tries locked_until disabled_at created_at",
    ),
    Table("recovery_code", "id operator_id code_hash created_at ended_at"),
)
