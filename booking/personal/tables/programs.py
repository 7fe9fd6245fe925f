"""Columns about programs of providers and insurers, and what they are told."""

from __future__ import annotations

from booking.personal.register import Table

TABLES = (
    # programs of providers: what a provider calls one, and hashes of secrets
    Table("api_client", "id public_id provider_id insurer_id name scopes created_at ended_at"),
    Table("api_secret", "id public_id client_id place secret_hash created_at ended_at"),
    Table("api_token", "id client_id secret_id token_hash scopes created_at expires_at ended_at"),
    # what an insurer's programs do, without a word about anybody: of refused lines their number and what is wrong
    Table("insurer_key", "id public_id insurer_id issuer kid algorithms public_key created_at ended_at"),
    Table("used_assertion", "id insurer_id jti_hash expires_at"),
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
)
