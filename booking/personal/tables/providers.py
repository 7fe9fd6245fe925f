"""Columns about providers: who they are, how they are reached, and what they have proved."""

from __future__ import annotations

from booking.personal.register import Age, Table

TABLES = (
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
    # whom managers of providers ask to join them; the address goes when the invitation is over
    Table(
        "member_invitation",
        "id public_id provider_id inviter_id role channel language to_sealed token_hash token_sealed created_at"
        " expires_at run_after lease_until tries failures sent_at given_up_at accepted_at member_id withdrawn_at",
    ),
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
)
