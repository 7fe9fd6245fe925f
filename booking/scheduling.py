"""When a slot starts, as SQL; written once, so that lists, cards, the calendar and alternatives agree."""

from __future__ import annotations


def start_sql(slot: str, zone: str) -> str:
    """The start of `slot` (a table's alias), midnight in `zone` (an SQL expression) when it is for the whole day."""
    return f"coalesce({slot}.starts_at, {slot}.service_date::timestamp AT TIME ZONE {zone})"
