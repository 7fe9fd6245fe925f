"""Our own books: do the counters equal the lines that they are the sums of? After a restore somebody asks."""

from __future__ import annotations

from sqlalchemy import text

from marketplace.core.database.db import reading

_ENTITLEMENTS = """
    SELECT e.public_id FROM entitlement e
      LEFT JOIN (SELECT entitlement_id AS id,
                        coalesce(sum(quantity) FILTER (WHERE entry = 'grant'), 0) AS granted,
                        coalesce(sum(quantity) FILTER (WHERE entry = 'reserve'), 0) AS reserved,
                        coalesce(sum(quantity) FILTER (WHERE entry = 'release'), 0) AS released,
                        coalesce(sum(quantity) FILTER (WHERE entry = 'use'), 0) AS used,
                        coalesce(sum(quantity) FILTER (WHERE entry = 'reverse'), 0) AS reversed,
                        coalesce(sum(quantity) FILTER (WHERE entry = 'expire'), 0) AS expired,
                        coalesce(sum(quantity) FILTER (WHERE entry = 'revoke'), 0) AS revoked
                   FROM entitlement_entry GROUP BY entitlement_id) l ON l.id = e.id
     WHERE e.reserved <> coalesce(l.reserved - l.released - l.used, 0)
        OR e.used <> coalesce(l.used - l.reversed, 0)
        OR e.expired <> coalesce(l.expired, 0)
        OR e.revoked <> coalesce(l.revoked, 0)
        OR (e.granted IS NOT NULL AND e.granted <> coalesce(l.granted, 0))
        OR (e.available IS NOT NULL AND e.available <> coalesce(
             l.granted - l.reserved + l.released + l.reversed - l.expired - l.revoked, 0))
     ORDER BY 1
"""
_SLOTS = """
    SELECT s.public_id FROM slot s
      LEFT JOIN (SELECT slot_id, sum(places) AS places FROM slot_claim WHERE live GROUP BY slot_id) c
             ON c.slot_id = s.id
     WHERE s.taken <> coalesce(c.places, 0) ORDER BY 1
"""


def check_books() -> list[str]:
    """Which entitlements and slots have counters that differ from their lines, a sentence each."""
    with reading() as session:
        entitlements = session.execute(text(_ENTITLEMENTS)).scalars().all()
        slots = session.execute(text(_SLOTS)).scalars().all()
    return [f"entitlement {each}: its counters differ from the ledger" for each in entitlements] + [
        f"slot {each}: taken differs from its claims" for each in slots
    ]
