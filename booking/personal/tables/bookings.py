"""Columns about bookings, their changes, what their providers say, and the waiting list."""

from __future__ import annotations

from booking.personal.register import Age, Retention, Table, all_process, contact, process
from booking.personal.tables.common import BLANK, KEY, NO_BYTES, NONE

TABLES = (
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
            "details_sealed": process("answers", reader="answers", ends=NONE),
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
        "rating",
        file="ratings",
        whose="t.booking_id IN ({bookings})",
        other="id",
        personal={
            "words_sealed": process("words", reader="rating", ends=NONE),
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
            "reason": process("reason", ends=BLANK),
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
            "last_error": process("last_error", ends=BLANK),
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
            "words_sealed": process("words", reader="words", ends=NO_BYTES),
            "answer_sealed": process("answer", reader="words", ends=NONE),
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
            "note": process("note", ends=BLANK),
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
            "wrapped_key": contact("wrapped_key", never=KEY),
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
    Table(  # `reason`: what the provider lets her know, as she was told it
        "capacity_change_item",
        file="closed_places",
        whose="t.booking_id IN ({bookings})",
        other="id public_id change_id slot_id slot_ref actor",
        personal=all_process("action reason state outcome decided_at finished_at"),
        links={"booking_id": "booking"},
    ),
    Table("closing_statement", "id public_id provider_id insurer_id day time_zone run_id made_at content"),
    Table("inbox_event", "id provider_id event_id kind received_at outcome"),
    # a booking at a provider that is nobody's of ours; `actor` is the administrator who had it cancelled
    Table(
        "stray_cancel",
        "id key provider_id discrepancy_id reference our_reference actor_kind actor asked_at tries run_after"
        " lease_until sent_at finished_at outcome silent_tries",
    ),
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
    Table("row_try", "id provider_id feed reference tries last_at"),
    # which places a booking took: its times are the booking's own
    Table("slot_claim", "id booking_id slot_id places live created_at released_at"),
)
