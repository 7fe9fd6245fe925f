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
_OF_ONE_DAY = "by what two people know each other on one day, of no use after it"

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
        other="id customer_id operator_id client_id",
        personal={
            "public_id": contact("id"),
            "token_hash": contact("token_hash", never=_HASH),
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
            "token_hash": contact("token_hash", never=_HASH),
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
        "policy",
        file="policies",
        whose="t.customer_id = :customer",
        other="id insurer_id customer_id plan_id",
        personal={
            "public_id": process("id"),
            "number_sealed": contact("number", reader="policy_number", ends=_NO_BYTES),
            "number_index": contact("number_index", same_as="number_sealed", ends=_NOBODY),
            "contents_sealed": contact("contents", never="a digest of what the rest says", ends=_NO_BYTES),
            **all_process("key version product product_name_zh product_name_en long_term"),
            **all_process("in_force_from in_force_until status created_at updated_at"),
        },
    ),
    Table(
        "policy_insured",
        file="insured",
        whose="t.beneficiary_id IN ({people})",
        other="id customer_id",
        personal=all_process("relation since ended_on"),
        links={"policy_id": "policy", "beneficiary_id": "beneficiary"},
    ),
    Table(
        "policy_version",
        file="policy_versions",
        whose="t.policy_id IN (SELECT p.id FROM policy p WHERE p.customer_id = :customer)",
        other="id",
        personal=all_process("version at source product long_term in_force_from in_force_until status insured changed"),
        links={"policy_id": "policy"},
    ),
    Table(
        "policy_vanished",
        file="policies_vanished",
        whose="t.policy_id IN (SELECT p.id FROM policy p WHERE p.customer_id = :customer)",
        personal=all_process("ended_at status_before returned_at"),
        links={"policy_id": "policy", "snapshot_id": "policy_snapshot"},
        key="policy_id",
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
        other="id insurer_id customer_id market live occupied pending_period version attempt report_asked_at"
        " cancel_noted_at",
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
            "venue_id": "site",
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
        "escort_assignment",
        file="escorts",
        whose="t.booking_id IN ({bookings})",
        # its times are the booking's own
        other="id worker_id provider_id live period padded travel_seconds outside",
        personal={
            "public_id": process("id"),
            "safe_word_sealed": process("safe_word", never=_OF_ONE_DAY, ends=_NONE),
            "code_sealed": process("code", never=_OF_ONE_DAY, ends=_NONE),
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
            "digest_sealed": medical("digest", never="a fingerprint of the step, which is exported", ends=_NONE),
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
            "sealed": medical("sealed", never="its bytes are a file in `pictures`", ends=_NO_BYTES),
            "thumbnail_sealed": medical("small", never="a small copy of the picture", ends=_NO_BYTES),
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
            "sealed": medical("contents", reader="escort_deed", ends=_NONE),
            **{each: medical(each) for each in ("number", "kind", "at", "received_at", "doubt")},
            **{each: medical(each) for each in ("position", "accuracy_m", "by_code")},
        },
        links={"assignment_id": "escort_assignment", "booking_id": "booking"},
    ),
    Table(
        "conversation_offer",
        file="consultation_offers",
        whose="t.conversation_id IN ({talks})",
        other="id shift_id member_id",
        personal=all_process("state offered_at expires_at ended_at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_escalation",
        file="consultation_escalations",
        whose="t.conversation_id IN ({talks})",
        other="id",
        personal=all_process("step at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_handover",
        file="consultation_handovers",
        whose="t.conversation_id IN ({talks})",
        other="id from_member_id to_member_id",
        personal=all_process("at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_choice",
        file="consultation_choices",
        whose="t.conversation_id IN ({talks})",
        other="id",
        personal=all_process("choice call_back_at at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_picture",
        file="consultation_pictures",
        whose="t.message_id IN (SELECT m.id FROM conversation_message m WHERE m.conversation_id IN ({talks}))",
        other="id",
        personal={
            "public_id": medical("id"),
            "sealed": medical("sealed", never="its bytes are a file in `pictures`", ends=_NO_BYTES),
            "thumbnail_sealed": medical("small", never="a small copy of the picture", ends=_NO_BYTES),
            "size": medical("size", ends="0"),
            "width": medical("width"),
            "height": medical("height"),
        },
        links={"message_id": "conversation_message"},
    ),
    Table(
        "conversation_delivery",
        file="consultation_deliveries",
        whose="t.conversation_id IN ({talks})",
        other="id key provider_id tries run_after lease_until",
        personal=all_process("reason state sent_at finished_at refusal"),
        links={"conversation_id": "conversation", "message_id": "conversation_message"},
    ),
    Table(
        "conversation_line",
        file="consultation_lines",
        whose="t.conversation_id IN ({talks})",
        other="id",
        personal={
            "digest_sealed": medical("digest", never="a fingerprint of the message, which is exported", ends=_NONE),
            **all_process("seq their_id"),
        },
        links={"conversation_id": "conversation", "message_id": "conversation_message"},
    ),
    Table(
        "conversation_message",
        file="consultation_messages",
        whose="t.conversation_id IN ({talks})",
        other="id member_id outside_clinician_id",
        personal={
            "public_id": medical("id"),
            "body_sealed": medical("text", reader="message", ends=_NONE),
            **{each: medical(each) for each in ("seq", "client_message_id", "author", "kind", "at")},
        },
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_note",
        file="consultation_notes",
        whose="t.conversation_id IN ({talks})",
        other="id public_id member_id",
        personal={
            "body_sealed": process("note", never="what clinicians note for each other", ends=_NONE),
            **all_process("at"),
        },
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_read",
        file="consultation_read_marks",
        whose="t.conversation_id IN ({talks})",
        other="id member_id looked_at",
        personal=all_process("seq read_at typing_at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation",
        file="consultations",
        whose="t.id IN ({talks})",
        other="id provider_id last_seq clinician_id absent_id outside outside_clinician_id their_seq their_version"
        " listen_at",
        personal={
            "public_id": process("id"),
            **all_process("department language flagged_at first_message_at first_answer_at opened_at closed_at"),
            **all_process("handed_back_at reports_agreed_at"),
        },
        links={"booking_id": "booking"},
    ),
    Table(
        "rating",
        file="ratings",
        whose="t.booking_id IN ({bookings})",
        other="id",
        personal={
            "words_sealed": process("words", reader="rating", ends=_NONE),
            **all_process("stars at changed_at"),
        },
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
        "pledge_compensation",
        file="compensations",
        whose="t.pledge_id IN (SELECT p.id FROM pledge p WHERE p.customer_id = :customer)",
        personal=all_process("units at"),
        links={"pledge_id": "pledge", "entitlement_id": "entitlement"},
        key="pledge_id",
    ),
    Table(
        "pledge",
        file="pledges",
        whose="t.customer_id = :customer",
        other="id insurer_id customer_id",
        personal={
            "public_id": process("id"),
            **all_process("promise subject_kind subject seconds units state begun_at risk_due_at due_at at_risk_at"),
            **all_process("met_at breached_at cancelled_at"),
        },
        links={"provider_id": "provider", "booking_id": "booking"},
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
        "coverage_wish",
        file="coverage_wishes",
        whose="t.customer_id = :customer",
        other="id customer_id",
        personal={"public_id": process("id"), **all_process("kind asked_at ended_at outcome")},
        links={"site_id": "site"},
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
    Table(  # `reason`: what the provider lets her know, as she was told it
        "capacity_change_item",
        file="closed_places",
        whose="t.booking_id IN ({bookings})",
        other="id public_id change_id slot_id slot_ref actor",
        personal=all_process("action reason state outcome decided_at finished_at"),
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
        "escort_link",
        file="escort_links",
        whose="t.booking_id IN ({bookings})",
        other="id",
        personal={
            "public_id": process("id"),
            "token_hash": contact("token_hash", never=_HASH, ends=_NOBODY),
            "name_sealed": process("for", reader="escort_link_name", ends=_NONE),
            **all_process("with_notes days_after created_at ended_at"),
        },
        links={"booking_id": "booking"},
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
    # files that insurers bring in: what stands in them is of many people at once, sealed under a key of each file, and
    # goes 30 days after the last thing that happened to it (vip.imports.work); what it said of her is in her policy
    Table(
        "bulk_import",
        "id public_id insurer_id number kind state uploaded_by uploaded_at file_hash size wrapped_key details_sealed"
        " content_sealed lines failure changed_at started_by started_at ended_at forgotten_at counts",
    ),
    Table(
        "bulk_line",
        "id import_id number cells_sealed readable expected outcome reason errors tries done_at",
    ),
    # programs of providers: what a provider calls one, and hashes of secrets
    Table("api_client", "id public_id provider_id insurer_id name scopes created_at ended_at"),
    Table("api_secret", "id public_id client_id place secret_hash created_at ended_at"),
    Table("api_token", "id client_id secret_id token_hash scopes created_at expires_at ended_at"),
    # a provider's slots told anew: pools and days, and which lines could not be read, without what they held
    Table(
        "slot_snapshot",
        "id public_id provider_id pool_ids from_day to_day state refused refused_lines closed opened_at completed_at",
    ),
    Table("slot_snapshot_named", "snapshot_id slot_id"),
    # what an insurer's programs do, without a word about anybody: of refused lines their number and what is wrong
    Table("insurer_key", "id public_id insurer_id issuer kid algorithms public_key created_at ended_at"),
    Table("used_assertion", "id insurer_id jti_hash expires_at"),
    Table(
        "policy_snapshot",
        "id public_id insurer_id state ends_vanished most_percent refused refused_lines named known vanished ended"
        " opened_at completed_at decided_by",
    ),
    Table("policy_snapshot_named", "snapshot_id policy_id"),
    # digests of lines, and what a verification says of lines by their number
    Table(
        "audit_seal",
        "seq sealed_at base snapshot after through audit_ids audit_digests ledger_ids ledger_digests previous hash",
    ),
    Table("audit_verification", "id at seals lines found findings"),
    # `actor` is a member of the provider
    Table("capacity_change", "id public_id pool_id version kind day actor at"),
    Table("capacity_exception", "id pool_id day sections ended_at"),
    Table("capacity_pool", "id public_id provider_id site_id external_ref name"),
    Table(
        "capacity_rule",
        "id pool_id weekdays from_minute to_minute slot_minutes places valid_from valid_until ended_at",
    ),
    Table(
        "pool_calendar",
        "pool_id version closed_on_holidays make_up_weekday horizon_days published_version published_on"
        " published_edition lease lease_until",
    ),
    # what providers have proved; a transcript shows test bookings, and nothing of a person
    Table(
        "certificate", "id public_id provider_id run_id capability grade issued_at expires_at ended_at ended_because"
    ),
    Table("conformance_made", "id provider_id what subject pool service_date made_at taken_back_until"),
    Table(
        "conformance_run",
        "id public_id provider_id state actor_kind actor asked_at started_at lease_until finished_at reason steps"
        " left_behind tried_id refuse_seconds refused_until",
    ),
    Table("conformance_call", "id run_id at method route booking status"),  # of test bookings, until the run ends
    # of test customers alone, who are nobody
    Table(
        "rehearsal",
        "id public_id provider_id market state seed kinds bookings offer actor_kind actor stop_asked reason asked_at"
        " started_at lease_until finished_at",
    ),
    Table(
        "rehearsal_booking",
        "id rehearsal_id provider_id market number kind seconds hold state reason booking made_at struck_at judged_at",
    ),
    Table("rehearsal_step", "id rehearsal_booking_id at by what facts"),
    Table("closing_statement", "id public_id provider_id insurer_id day time_zone run_id made_at content"),
    Table("freed_slot", "id slot_id kept freed_at"),
    Table("recovery_code", "id operator_id code_hash created_at ended_at"),
    Table("installation_release", "id at cluster timeline history numbering lines_before"),
    # ends within two days; `scope` is a customer's public id
    Table("idempotency_key", "id scope key fingerprint status resource created_at"),
    Table("inbox_event", "id provider_id event_id kind received_at outcome"),
    Table("integrity_alarm", "id record times first_at last_at"),  # records by their public names
    Table("key_rewrap", "part key_id after_id seen moved again unreadable unknown started_at finished_at"),
    Table("insurer", "id public_id code name_zh name_en time_zone twin_id market"),
    Table("job_run", "name every_seconds started_at finished_at succeeded_at outcome"),
    Table(
        "offer",
        "id public_id provider_id market site_id pool_id kind external_ref name_zh name_en package price_minor currency"
        " lead_minutes cancel_hours change_hours max_changes active available_from available_until version"
        " certified",
    ),
    # deleted after an hour; `topics` are internal ids, `facts` public ids, numbers and versions
    Table("live_event", "id xact topics kind facts at"),
    # ends within a minute, or by its use
    Table("live_ticket", "id token_hash session_id topics expires_at"),
    # those who work here or for a provider: their data is no customer's
    Table(
        "operator",
        "id public_id insurer_id provider_id login name role password_hash password_once totp_sealed totp_since"
        " totp_step tries locked_until disabled_at created_at",
    ),
    # whom managers of providers ask to join them; the address goes when the invitation is over
    Table(
        "member_invitation",
        "id public_id provider_id inviter_id role channel language to_sealed token_hash token_sealed created_at"
        " expires_at run_after lease_until tries failures sent_at given_up_at accepted_at member_id withdrawn_at",
    ),
    # what patients are told of a provider's clinicians, and when they work
    Table(
        "clinician",
        "member_id provider_id shown_name title_zh title_en licence departments languages lead verified_at verified_by"
        " created_at updated_at",
    ),
    Table(
        "consultation_phrase",
        "id public_id provider_id member_id department name text_zh text_en position created_at updated_at removed_at",
    ),
    Table(
        "outside_clinician",
        "id public_id provider_id code name title_zh title_en licence verified_at verified_by listed_at created_at"
        " updated_at",
    ),
    Table(
        "clinician_shift",
        "id member_id provider_id capacity lead in_hand began_at break_since missed_at seen_at ended_at",
    ),
    Table("plan", "id public_id insurer_id code tier name_zh name_en"),
    Table("plan_benefit", "id plan_id kind quantity sharing months grace_days no_show_uses"),
    Table(
        "provider",
        "id public_id code name_zh name_en adapter base_url networks secret_sealed webhook_secrets_sealed settings"
        " time_zone"
        " allotment deadline_seconds max_in_flight settle_window_seconds answer_hours no_show_hours poll_seconds"
        " slots_seconds look_ups_a_minute paused_at approved_at paused_by pause_reason twin_of market"
        " system_since answers_slowly_since answers_slowly_reason usual_answer_ms usual_answer_at failures open_until",
    ),
    # organisations that register; the contact's name and address, sealed, go half a year after the last word about
    # them, and all of it after a week where the address was never confirmed (providers.applying.forget)
    Table(
        "provider_application",
        "id public_id state name_zh name_en answers country registration contact_sealed email_sealed language time_zone"
        " token_hash token_sealed created_at expires_at confirmed_at provider_id submitted_at decided_at note reply"
        " letter run_after lease_until tries failures sent_at given_up_at",
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
    # mail boxes of a provider's people, sealed, erased when they end; messages say which endpoint stopped
    Table("provider_contact", "id public_id provider_id email_sealed language created_at ended_at"),
    Table(
        "provider_message",
        "id contact_id endpoint_id reason failing_since state tries run_after lease_until error created_at finished_at",
    ),
    # numbers only: what came of calls within five minutes, and how long they took
    Table(
        "provider_call_count",
        "id provider_id call at calls succeeded timed_out unreached server_errors client_errors unreadable rate_limited"
        " other_errors milliseconds histogram",
        age=Age("at", "call_count_days", "what is usual for a provider is known from two weeks"),
    ),
    Table("provider_breaker", "provider_id call failures opened_at open_until probe_until retry_at"),
    # how a provider's system would be reached, as one of its people (`actor`) typed it; its secret stays for an hour
    Table(
        "system_test",
        "id public_id provider_id actor adapter base_url settings secret_sealed secret_hash secret_kept asked_at state"
        " tries lease_until finished_at outcome milliseconds calls missing connected_at"
        " connection_mark wrong_secrets",
    ),
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
        " time_zone terms search_text pinyin merged_into place_id closed_at updated_at",
    ),
    Table("site_allowance", "id public_id site_id kind allowed_at allowed_by ended_at ended_by"),
    Table(
        "coverage_line",
        "id public_id insurer_id kind province city district tier site_id narrowness level counts_from actor source"
        " written_at",
    ),
    Table("site_closure", "id public_id insurer_id site_id from_day to_day mode state actor asked_at finished_at"),
    Table("site_double", "id public_id first_id second_id score reasons found_at lost_at apart_at apart_by"),
    Table("site_merge", "id public_id site_id into_id merged_at merged_by undone_at undone_by"),
    Table(
        "slot",
        "id public_id pool_id external_ref service_date starts_at ends_at offered capacity taken closed version"
        " has_place",
    ),
    # which places a booking took: its times are the booking's own
    Table("slot_claim", "id booking_id slot_id places live created_at released_at"),
    Table("sync_cursor", "provider_id feed cursor last_success_at next_at failures"),
    # where providers' systems are told of bookings; an event names a booking by its id, and is kept 30 days
    Table(
        "webhook_delivery",
        "id public_id endpoint_id event_id event_type booking version occurred_at state tries failures run_after"
        " lease_until sent_at url body_hash status answer error milliseconds finished_at created_at",
    ),
    Table(
        "webhook_endpoint",
        "id public_id provider_id url event_types state reason state_since cursor failing_since not_before recovered_at"
        " created_at",
    ),
    Table("webhook_secret", "id public_id endpoint_id place sealed created_at ended_at"),
    Table("worker_beat", "worker at leader"),
)

TABLES = (*OF_CUSTOMERS, *OF_NOBODY)
