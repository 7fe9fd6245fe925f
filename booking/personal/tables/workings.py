"""Columns about the workings of the installation."""

from __future__ import annotations

from booking.personal.register import Table

TABLES = (
    Table("insurer", "id public_id code name_zh name_en time_zone twin_id market"),
    # digests of lines, and what a verification says of lines by their number
    Table(
        "audit_seal",
        "seq sealed_at base snapshot after through audit_ids audit_digests ledger_ids ledger_digests previous hash",
    ),
    Table("audit_verification", "id at seals lines found findings"),
    Table("integrity_alarm", "id record times first_at last_at"),  # records by their public names
    Table("installation_release", "id at cluster timeline history numbering lines_before"),
    # ends within two days; `scope` is a customer's public id
    Table("idempotency_key", "id scope key fingerprint status resource created_at"),
    Table("key_rewrap", "part key_id after_id seen moved again unreadable unknown started_at finished_at"),
    Table("job_run", "name every_seconds started_at finished_at succeeded_at outcome"),
    # deleted after an hour; `topics` are internal ids, `facts` public ids, numbers and versions
    Table("live_event", "id xact topics kind facts at"),
    # ends within a minute, or by its use
    Table("live_ticket", "id token_hash session_id topics expires_at"),
    # a keyed hash of an address or account, for an hour or two
    Table("rate_bucket", "id key_hash tokens refilled_at"),
    Table("worker_beat", "worker at leader"),
)
