"""Differences planted on purpose, by the tables' owner, to see that the recount finds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import psycopg

Books = psycopg.Connection[Any]

_BROKEN = "SELECT id, subject, customer_id FROM pledge WHERE state = 'breached' ORDER BY id LIMIT 1"


def twice(books: Books) -> None:
    """A breach that is written twice, since nothing keeps a promise unique any more."""
    books.execute(b"ALTER TABLE pledge DROP CONSTRAINT uq_pledge_subject_kind_subject_promise")
    books.execute(
        "INSERT INTO pledge (public_id, promise, subject_kind, subject, insurer_id, customer_id, provider_id,"
        " booking_id, seconds, units, state, begun_at, risk_due_at, due_at, at_risk_at, breached_at)"
        " SELECT public_id || 'x', promise, subject_kind, subject, insurer_id, customer_id, provider_id,"
        " booking_id, seconds, units, state, begun_at, risk_due_at, due_at, at_risk_at, breached_at"
        f" FROM pledge WHERE id = (SELECT id FROM ({_BROKEN}) AS broken)".encode()
    )


def granted(books: Books) -> None:
    """A unit that a breach gave twice."""
    books.execute(
        b"INSERT INTO entitlement_entry (entitlement_id, entry, quantity, at, actor_kind, actor, reason)"
        b" SELECT entitlement_id, entry, quantity, at, actor_kind, actor, reason FROM entitlement_entry"
        b" WHERE id = (SELECT max(id) FROM entitlement_entry WHERE entry = 'grant' AND reason LIKE 'pledge %')"
    )


def late(books: Books) -> None:
    """A breach that is written three seconds after its moment."""
    books.execute(b"ALTER TABLE pledge DISABLE TRIGGER pledge_ends")
    books.execute(
        f"UPDATE pledge SET breached_at = due_at + interval '3 s' WHERE id = (SELECT id FROM ({_BROKEN}) AS b)".encode()
    )


def forgiven(books: Books) -> None:
    """A breach that counts as kept."""
    books.execute(b"ALTER TABLE pledge DISABLE TRIGGER pledge_ends")
    books.execute(
        b"UPDATE pledge SET state = 'met', met_at = due_at - interval '1 s', breached_at = NULL"
        + f" WHERE id = (SELECT id FROM ({_BROKEN}) AS b)".encode()
    )


def lost(books: Books) -> None:
    """A message that is gone."""
    books.execute(
        b"DELETE FROM conversation_message WHERE id = (SELECT max(m.id) FROM conversation_message m"
        b" JOIN conversation c ON c.id = m.conversation_id AND m.seq < c.last_seq WHERE m.author = 'customer')"
    )


KINDS: Mapping[str, Callable[[Books], None]] = {
    "twice": twice,
    "granted": granted,
    "late": late,
    "forgiven": forgiven,
    "lost": lost,
}
"""What is planted, by name."""
