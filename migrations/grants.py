"""What the application's role may do, table by table; applied after every migration.

The role can read everything and add to everything. It can't rewrite the ledger, the audit, the history or a statement,
can't write a counter (those are moved by triggers that run as the owner), and deletes only what is kept for a while.
It makes no tables, temporary ones neither: those could pass for the real ones where the path is not fixed.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

APPEND_ONLY = (
    *("audit_line", "audit_seal", "audit_verification", "booking_history"),
    *("closing_statement", "coverage_line", "entitlement_entry", "installation_release", "live_event"),
    *("pledge_compensation", "policy_version", "statement_line"),
)

KEPT_FOR_A_WHILE = (
    *(
        "api_token",
        "customer_phone",
        "delivered_row",
        "freed_slot",
        "idempotency_key",
        "inbox_event",
        "integrity_alarm",
    ),
    *("notice_setting", "notification", "notification_delivery", "personal_export"),
    *(
        "personal_export_part",
        "provider_call_count",
        "policy_snapshot_named",
        "provider_message",
        "rate_bucket",
        "row_try",
        "sign_in_code",
        "sign_in_link",
        "sign_in_session",
        "slot_snapshot",
    ),
    *("slot_snapshot_named", "webhook_delivery", "worker_beat", "conformance_made", "system_test", "rehearsal"),
    *("used_assertion", "provider_application", "conformance_call", "live_event", "live_ticket", "bulk_line"),
    *("favourite_site", "escort_absence", "escort_duty", "escort_knows", "escort_letter", "escort_search"),
)
"""The only tables the application deletes from; everything else is ended, not removed."""

COUNTERS = {
    "entitlement": ("granted", "available", "reserved", "used", "expired", "revoked"),
    "slot": ("taken",),
    "clinician_shift": ("in_hand",),
}

WRITTEN_ONCE = {
    "site_merge": ("id", "public_id", "site_id", "into_id", "merged_at", "merged_by"),
    "escort_deed": (
        *("id", "public_id", "assignment_id", "booking_id", "key", "number", "kind", "at", "received_at", "doubt"),
        *("position", "accuracy_m", "by_code"),
    ),
}
"""Columns that are written with their row and never again; what ends it is added to it."""


def apply(connection: Connection, role: str) -> None:
    """Give `role` its rights on every table; does nothing when `role` owns them (one role for everything)."""
    quoted = '"' + role.replace('"', '""') + '"'
    if connection.execute(text("SELECT current_user = :role"), {"role": role}).scalar_one():
        return
    tables = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
    ).scalars()
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {quoted}"))
    _no_temporary_tables(connection, quoted)
    for table in tables:
        connection.execute(text(f'REVOKE ALL ON "{table}" FROM {quoted}'))
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE"
        if table in KEPT_FOR_A_WHILE:
            rights += ", DELETE"
        fixed = {**COUNTERS, **WRITTEN_ONCE}.get(table)
        if fixed:
            columns = connection.execute(
                text(
                    "SELECT column_name FROM information_schema.columns "
                    "WHERE table_schema = 'public' AND table_name = :table"
                ),
                {"table": table},
            ).scalars()
            writable = ", ".join(f'"{name}"' for name in columns if name not in fixed)
            rights = f"SELECT, INSERT, UPDATE ({writable})"
        connection.execute(text(f'GRANT {rights} ON "{table}" TO {quoted}'))
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {quoted}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}"))


def _no_temporary_tables(connection: Connection, quoted: str) -> None:
    """Take away what everybody may in a new database. PostgreSQL warns and goes on if the database is not the owner's;
    then it is for whoever made the database to say."""
    database = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
    connection.execute(text(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {quoted}"))
