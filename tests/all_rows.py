"""All rows of the database, to compare what two ways of doing one thing write."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.database.db import Base

Rows = dict[str, list[dict[str, Any]]]

MADE_UP = {
    "provider_task": {"id", "public_id", "key"},
    "notification": {"id", "public_id"},
    "notification_delivery": {"id", "notification_id", "key"},
    "booking_history": {"id", "xact"},
    "inbox_event": {"id"},
    "live_event": {"id", "xact"},
    "pledge": {"id", "public_id"},
}
"""What is drawn anew for each row."""


class TakenBackError(Exception):
    """Ends a transaction whose rows were looked at."""


def all_rows(session: Session) -> Rows:
    """Every row of every table, without what is drawn anew."""
    found: Rows = {}
    for table in Base.metadata.sorted_tables:
        rows = session.scalars(text(f'SELECT to_jsonb(t) FROM "{table.name}" AS t ORDER BY to_jsonb(t)::text')).all()
        hidden = MADE_UP.get(table.name, set())
        kept = [{name: value for name, value in row.items() if name not in hidden} for row in rows]
        found[table.name] = sorted(kept, key=repr)
    return found
