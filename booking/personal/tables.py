"""The register's lines: every table of the schema, every column once.

Who adds a column adds it here: to the table's `personal` with its class, or to `other` if it says nothing about a
customer or her family. Of `other` are: internal ids, the workings of the outbox and of claims, and what is only about
providers, plans and those who work here. One list, longer than a file
should be: it is data, read from top to bottom.
"""

from __future__ import annotations

from booking.personal.register import Age, Retention, Table, all_process, contact, medical, process

_BLANK = "''"
_NONE = "NULL"
_NO_BYTES = "''::bytea"
_NOBODY = "sha256(convert_to(gen_random_uuid()::text, 'UTF8'))"
"""32 bytes that are the fingerprint of nothing, different for each row: the column is unique."""
_NO_DAY = "DATE '1900-01-01'"

_HASH = "the hash of a secret, of use to nobody"
_KEY = "a key: what it opens is exported"

OF_CUSTOMERS = (
    Table(
        "customer",
        file="customer",
        whose="t.id = :customer",
        other="id insurer_id",
        personal={
            "public_id": process("id"),
            "name": contact("name", ends=_BLANK),
            "phone_sealed": contact("phone", reader="customer_phone", ends=_NO_BYTES),
            "phone_index": contact("phone_index", same_as="phone_sealed", ends=_NOBODY),
            "language": contact("language", ends=_NONE),
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
            "name": contact("name", ends=_BLANK),
            "birth_date": contact("birth_date", ends=_NO_DAY),
            "phone_sealed": contact("phone", reader="person_phone", ends=_NONE),
            "id_number_sealed": contact("id_number", reader="id_number", ends=_NONE),
            "id_number_index": contact("id_number_index", same_as="id_number_sealed", ends=_NONE),
            "wrapped_key": contact("wrapped_key", never=_KEY, ends=_NONE),
            "record_sealed": medical("record", reader="record", ends=_NONE),
            **all_process("relation sex removed_at erased_at created_at"),
        },
    ),
    Table(
        "person_key",
        file="keys",
        whose="t.beneficiary_id IN ({people})",
        personal={
            "wrapped_key": process("wrapped_key", never=_KEY),
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
            "wrapped_key": contact("wrapped_key", never=_KEY),
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
            "phone_sealed": contact("phone", reader="consent_phone", ends=_NONE),
            "phone_index": contact("phone_index", same_as="phone_sealed", ends=_NONE),
            **all_process("purpose method given_at withdrawn_at withdrawn_by"),
        },
        links={"beneficiary_id": "beneficiary"},
    ),
    Table(
        "sign_in_session",
        file="sessions",
        whose="t.customer_id = :customer",
        other="id customer_id operator_id",
        personal={
            "public_id": contact("id"),
            "token_hash": contact("token_hash", never=_HASH),
            **{each: contact(each) for each in ("channel", "created_at", "expires_at", "seen_at", "ended_at", "facts")},
        },
        rows_end=Retention.CONTACT,
        age=Age("expires_at", "session_days", "a device is known by the session it had, for a year after it was over"),
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
            "code_hash": contact("code_hash", never=_HASH),
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
            "phone_index": contact("phone_index", never="a keyed fingerprint of the phone", ends=_NOBODY),
        },
    ),
    Table(
        "notice_setting",
        file="message_settings",
        whose="t.customer_id = :customer",
        other="customer_id",
        personal={
            "email_sealed": contact("email", reader="email"),
            "feed_hash": contact("feed_hash", never=_HASH),
            "email": contact("by_email"),
            **{each: contact(each) for each in ("sms", "email_confirmed_at", "quiet", "quiet_from", "quiet_until")},
            **{each: contact(each) for each in ("feed_made_at", "updated_at")},
        },
        key="customer_id",
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
    Table(
        "entitlement",
        file="benefits",
        whose="t.customer_id = :customer",
        other="id insurer_id customer_id plan_benefit_id",
        personal={
            "public_id": process("id"),
            **all_process("kind sharing valid_from valid_until grace_days no_show_uses"),
            **all_process("granted available reserved used expired revoked created_at"),
        },
    ),
    Table(
        "entitlement_entry",
        file="benefit_entries",
        whose="t.entitlement_id IN (SELECT e.id FROM entitlement e WHERE e.customer_id = :customer)",
        other="id xact",
        personal=all_process("entry quantity attempt at actor_kind actor reason"),
        links={"entitlement_id": "entitlement", "booking_id": "booking"},
    ),
    Table(
        "booking_look_up",
        file="look_ups",
        whose="t.booking_id IN ({bookings})",
        other="provider_id calls",
        personal=all_process("asked_at answered_at"),
        links={"booking_id": "booking"},
        key="booking_id",
    ),
    Table(
        "booking",
        file="bookings",
        whose="t.id IN ({bookings})",
        # `occupied` and `live` are computed; `pending_period` repeats an open change
        other="id insurer_id customer_id live occupied pending_period version attempt report_asked_at",
        personal={
            "public_id": process("id"),
            "details_sealed": process("answers", reader="answers", ends=_NONE),
            "period": process("period", same_as="starts_at"),
            **all_process(
                "reference kind state service_date starts_at ends_at time_zone hold_expires_at answer_due_at"
            ),
            **all_process("cause price_minor currency snapshot report_state report_due_at created_at updated_at"),
        },
        links={
            "beneficiary_id": "beneficiary",
            "offer_id": "offer",
            "provider_id": "provider",
            "entitlement_id": "entitlement",
        },
    ),
    Table(
        "booking_history",
        file="booking_history",
        whose="t.booking_id IN ({bookings})",
        other="id version provider_id xact",
        personal=all_process("at from_state to_state actor_kind actor cause facts"),
        links={"booking_id": "booking"},
    ),
    Table(
        "change_request",
        file="changes",
        whose="t.booking_id IN ({bookings})",
        other="id new_slot_id",
        personal={
            "public_id": process("id"),
            **all_process("kind state actor_kind actor cause new_service_date new_starts_at new_ends_at asked_at"),
            **all_process("closed_at refusal answer_due_at"),
        },
        links={"booking_id": "booking"},
    ),
    Table(
        "proposal",
        file="proposed_times",
        whose="t.booking_id IN ({bookings})",
        other="id slot_id slot_ref",
        personal={
            "public_id": process("id"),
            "reason": process("reason", ends=_BLANK),
            **all_process("service_date starts_at ends_at expires_at state made_at closed_at"),
        },
        links={"booking_id": "booking"},
    ),
    Table(
        "provider_task",
        file="commands",
        whose="t.booking_id IN ({bookings})",
        other="id provider_id change_request_id key tries run_after lease_until worker unknown_since silent_since",
        personal={
            "public_id": process("id"),
            "last_error": process("last_error", ends=_BLANK),
            **all_process("seq command state facts first_sent_at finished_at created_at"),
        },
        links={"booking_id": "booking"},
    ),
    Table(
        "provider_booking",
        file="provider_bookings",
        whose="t.booking_id IN ({bookings})",
        other="id provider_id version",
        personal=all_process("reference role status seen_at our_reference"),
        links={"booking_id": "booking"},
    ),
    Table(
        "dispute",
        file="disputes",
        whose="t.booking_id IN ({bookings})",
        other="id",
        personal={
            "public_id": process("id"),
            "words_sealed": process("words", reader="words", ends=_NO_BYTES),
            "answer_sealed": process("answer", reader="words", ends=_NONE),
            **all_process("state opened_at closed_at decided_by decided_as"),
        },
        links={"booking_id": "booking"},
    ),
    Table(
        "discrepancy",
        file="discrepancies",
        whose="t.booking_id IN ({bookings})",
        other="id provider_id",
        personal={
            "public_id": process("id"),
            "note": process("note", ends=_BLANK),
            **all_process("kind subject facts opened_at closed_at resolution quota_units money_minor currency"),
        },
        links={"booking_id": "booking"},
    ),
    Table(
        "delivered_row",
        file="unreadable_rows",
        whose=(
            "t.discrepancy_id IN (SELECT d.id FROM discrepancy d JOIN booking k ON k.id = d.booking_id"
            " WHERE k.id IN ({bookings}) AND k.beneficiary_id IN ({shown}))"
        ),
        # what a provider sent of a report or booking and nobody could read: no record, gone within 30 days anyway
        personal={
            "sealed": contact("delivered", reader="delivered"),
            "stored_at": contact("stored_at"),
            "wrapped_key": contact("wrapped_key", never=_KEY),
        },
        links={"discrepancy_id": "discrepancy"},
        key="discrepancy_id",
        rows_end=Retention.CONTACT,
    ),
    Table(
        "waiting_entry",
        file="waiting",
        whose="t.id IN ({entries})",
        other="id insurer_id customer_id number version hours_before",
        personal={
            "public_id": process("id"),
            **all_process("kind first_day last_day weekdays from_hour until_hour auto_book state cause lapses"),
            **all_process("closes_at created_at updated_at"),
        },
        links={"beneficiary_id": "beneficiary", "entitlement_id": "entitlement"},
    ),
    Table(
        "waiting_place",
        file="waiting_places",
        whose="t.entry_id IN ({entries})",
        other="id pool_id beneficiary_id",
        personal=all_process("open"),
        links={"entry_id": "waiting_entry", "offer_id": "offer"},
    ),
    Table(
        "waiting_chance",
        file="waiting_offers",
        whose="t.booking_id IN ({bookings})",
        other="id slot_id",
        personal=all_process("until outcome made_at closed_at"),
        links={"entry_id": "waiting_entry", "booking_id": "booking"},
    ),
    Table(
        "statement_line",
        file="statement_lines",
        whose="t.booking_id IN ({bookings})",
        other="id statement_id",
        personal=all_process("state service_date units amount_minor currency correction"),
        links={"booking_id": "booking"},
    ),
    Table(
        "site_closure_item",
        file="closures",
        whose="t.booking_id IN ({bookings})",
        other="id closure_id",
        personal=all_process("outcome at"),
        links={"booking_id": "booking"},
    ),
    Table(
        "report",
        file="reports",
        whose="t.id IN ({reports})",
        other="id insurer_id provider_id customer_id announced_version fetched_version fetch_after failures",
        personal={
            "public_id": medical("id"),
            **{each: medical(each) for each in ("reference", "state", "issued_at", "created_at", "deleted_at")},
        },
        links={"booking_id": "booking", "beneficiary_id": "beneficiary"},
    ),
    Table(
        "report_version",
        file="report_versions",
        whose="t.report_id IN ({reports})",
        other="id",
        personal={
            "content_sealed": medical("content", reader="report", ends=_NO_BYTES),
            "document_sealed": medical("document", never="its bytes are a file in `papers`", ends=_NO_BYTES),
            "wrapped_key": medical("wrapped_key", never=_KEY, ends=_NONE),
            "items": medical("items", ends="0"),
            "abnormal": medical("abnormal", ends="0"),
            **{each: medical(each) for each in ("version", "status", "issued_at", "received_at", "document_type")},
        },
        links={"report_id": "report"},
    ),
    Table(
        "report_document",
        file="report_papers",
        whose="t.version_id IN (SELECT v.id FROM report_version v WHERE v.report_id IN ({reports}))",
        other="id version_id",
        personal={
            "sealed": medical("sealed", never="its bytes are a file in `papers`", ends=_NO_BYTES),
            "size": medical("size", ends="0"),
            "position": medical("position"),
            "media_type": medical("media_type"),
        },
    ),
    Table(
        "report_share",
        file="shared_links",
        whose="t.report_id IN ({reports})",
        other="id customer_id tries",
        personal={
            "public_id": process("id"),
            "token_hash": contact("token_hash", never=_HASH, ends=_NOBODY),
            "code_hash": contact("code_hash", never=_HASH, ends=_NONE),
            **all_process("audience max_views views created_at expires_at revoked_at"),
        },
        links={"report_id": "report"},
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
)
"""What is about customers and their family. A table stands before the one that its rows depend on."""

OF_NOBODY = (
    # programs of providers: what a provider calls one, and hashes of secrets
    Table("api_client", "id public_id provider_id name scopes created_at ended_at"),
    Table("api_secret", "id public_id client_id place secret_hash created_at ended_at"),
    Table("api_token", "id client_id secret_id token_hash scopes created_at expires_at ended_at"),
    # a provider's slots told anew: pools and days, and which lines could not be read, without what they held
    Table(
        "slot_snapshot",
        "id public_id provider_id pool_ids from_day to_day state refused refused_lines closed opened_at completed_at",
    ),
    Table("slot_snapshot_named", "snapshot_id slot_id"),
    # digests of lines, and what a verification says of lines by their number
    Table(
        "audit_seal",
        "seq sealed_at base snapshot after through audit_ids audit_digests ledger_ids ledger_digests previous hash",
    ),
    Table("audit_verification", "id at seals lines found findings"),
    Table("capacity_pool", "id public_id provider_id site_id external_ref"),
    Table("closing_statement", "id public_id provider_id insurer_id day time_zone run_id made_at content"),
    Table("freed_slot", "id slot_id kept freed_at"),
    Table("recovery_code", "id operator_id code_hash created_at ended_at"),
    Table("installation_release", "id at cluster timeline"),
    # ends within two days; `scope` is a customer's public id
    Table("idempotency_key", "id scope key fingerprint status resource created_at"),
    Table("inbox_event", "id provider_id event_id kind received_at outcome"),
    Table("integrity_alarm", "id record times first_at last_at"),  # records by their public names
    Table("key_rewrap", "part key_id after_id seen moved again unreadable unknown started_at finished_at"),
    Table("insurer", "id public_id code name_zh name_en time_zone"),
    Table("job_run", "name every_seconds started_at finished_at succeeded_at outcome"),
    Table(
        "offer",
        "id public_id provider_id site_id pool_id kind external_ref name_zh name_en package price_minor currency"
        " lead_minutes cancel_hours change_hours max_changes active available_from available_until",
    ),
    # those who work here: their data is no customer's
    Table(
        "operator",
        "id public_id insurer_id login name role password_hash password_once totp_sealed totp_since totp_step tries"
        " locked_until disabled_at created_at",
    ),
    Table("plan", "id public_id insurer_id code tier name_zh name_en"),
    Table("plan_benefit", "id plan_id kind quantity sharing months grace_days no_show_uses"),
    Table(
        "provider",
        "id public_id code name_zh name_en adapter base_url secret_sealed webhook_secrets_sealed settings time_zone"
        " allotment deadline_seconds max_in_flight settle_window_seconds answer_hours no_show_hours poll_seconds"
        " slots_seconds look_ups_a_minute paused_at failures open_until",
    ),
    Table("provider_breaker", "provider_id call failures opened_at open_until probe_until retry_at"),
    # a booking at a provider that is nobody's of ours; `actor` is the administrator who had it cancelled
    Table(
        "stray_cancel",
        "id key provider_id discrepancy_id reference our_reference actor_kind actor asked_at tries run_after"
        " lease_until sent_at finished_at outcome silent_tries",
    ),
    # a keyed hash of an address or account, for an hour or two
    Table("rate_bucket", "id key_hash tokens refilled_at"),
    # `theirs` lists bookings by the provider's reference, without people
    Table(
        "reconcile_run",
        "id public_id provider_id case_id state actor_kind actor asked_at started_at finished_at lease_until reason"
        " counts theirs",
        age=Age(
            "finished_at",
            "list_days",
            "closing statements of the last days are made from it; afterwards they say all of it",
            only="t.theirs <> '{}'",
            empties="theirs = '{}'",
        ),
    ),
    Table("report_item_code", "id provider_id code item changed_at"),
    Table("row_try", "id provider_id feed reference tries last_at"),
    Table(
        "site",
        "id public_id name aliases province city district tier tier_source tier_date kind address longitude latitude"
        " time_zone terms search_text pinyin closed_at updated_at",
    ),
    Table("site_closure", "id public_id insurer_id site_id from_day to_day mode state actor asked_at finished_at"),
    Table(
        "slot",
        "id public_id pool_id external_ref service_date starts_at ends_at offered capacity taken closed version"
        " has_place",
    ),
    # which places a booking took: its times are the booking's own
    Table("slot_claim", "id booking_id slot_id places live created_at released_at"),
    Table("sync_cursor", "provider_id feed cursor last_success_at next_at failures"),
    Table("worker_beat", "worker at leader"),
)

TABLES = (*OF_CUSTOMERS, *OF_NOBODY)
