"""Whose token it is: the one query behind every authenticated request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from marketplace.core import crypto
from marketplace.core.config import settings
from marketplace.core.database.db import Ask, rows
from marketplace.core.errors import Unauthenticated
from vip.principal import Principal
from vip.signin.devices import LONGEST_TOKEN

WHOSE = """
    SELECT s.id AS session_id, s.customer_id, s.operator_id, i.id AS insurer_id, i.time_zone AS insurer_zone,
           coalesce(c.public_id, o.public_id) AS principal_id, o.role, coalesce(s.seen_at, s.created_at) AS used_at
      FROM sign_in_session s
      LEFT JOIN customer c ON c.id = s.customer_id
      LEFT JOIN operator o ON o.id = s.operator_id
      JOIN insurer i ON i.id = coalesce(c.insurer_id, o.insurer_id)
     WHERE s.token_hash = %(token)s AND s.ended_at IS NULL AND s.expires_at > %(now)s
       AND c.blocked_at IS NULL AND o.disabled_at IS NULL
       AND coalesce(s.seen_at, s.created_at)
           > CASE WHEN s.operator_id IS NULL THEN %(customers_idle)s::timestamptz ELSE %(operators_idle)s END
"""
"""Whose session a token is: one row with what principal_of() wants, or none. Values: those of whose_values()."""


@dataclass(frozen=True)
class Credential:
    """A token that was shown and is not looked up yet: a use case that takes one asks WHOSE it is together with its
    own first question, in one round trip."""

    hash: bytes = field(repr=False)


def credential(token: str) -> Credential:
    """The token as a credential. Raises Unauthenticated if we never gave one out that looks like it."""
    if not token or len(token) > LONGEST_TOKEN:
        raise Unauthenticated()
    return Credential(crypto.token_hash(token))


def whose_values(shown: Credential, now: datetime) -> dict[str, Any]:
    """What WHOSE asks with."""
    return {
        "token": shown.hash,
        "now": now,
        "customers_idle": now - idle_limit("customer"),
        "operators_idle": now - idle_limit("operator"),
    }


def idle_limit(kind: Literal["customer", "operator"]) -> timedelta:
    """How long a session may stand unused."""
    if kind == "operator":
        return timedelta(minutes=settings().operator_idle_minutes)
    return timedelta(days=settings().customer_idle_days)


def authenticate(token: str, *, now: datetime) -> Principal:
    """Whose token it is; one query, and its use is noted: one write in a tenth of what it may stand unused.

    Raises Unauthenticated if there is no such session, it stood unused for too long, or it or its owner ended."""
    return in_use(rows(WHOSE, whose_values(credential(token), now)), now)


def rows_for(who: Credential, sql: str, values: Mapping[str, Any], *, now: datetime) -> list[Any]:
    """What `rows` finds, in the question's own order, if `who` is a customer's: whose it is is asked in the same round
    trip, and its use is noted. Each row has the columns of WHOSE before its own. Raises Unauthenticated."""
    found = rows(_TOGETHER.format(sql), {**values, **whose_values(who, now)})
    if in_use(found, now).kind != "customer":
        raise Unauthenticated()
    return [row for row in found if row.place is not None]


_TOGETHER = f"""
    SELECT w.*, asked.* FROM ({WHOSE}) AS w
      LEFT JOIN (SELECT row_number() OVER () AS place, question.* FROM ({{}}) AS question) AS asked ON true
     ORDER BY asked.place
"""


def in_use(found: Sequence[Any], now: datetime, *, ask: Ask = rows) -> Principal:
    """Who the first row of WHOSE names; her session's use is noted by `ask`, once in a tenth of what it may stand
    unused. Every use case that asks WHOSE takes its answer from here. Raises Unauthenticated if there is none."""
    principal = principal_of(found[0] if found else None)
    noted_until = now - idle_limit(principal.kind) / 10
    if found[0].used_at <= noted_until:
        ask(_USED, {"session": principal.session_id, "noted_until": noted_until, "now": now})
    return principal


_USED = """
    UPDATE sign_in_session SET seen_at = %(now)s
     WHERE id = %(session)s AND coalesce(seen_at, created_at) <= %(noted_until)s
 RETURNING id
"""


def principal_of(row: Any) -> Principal:
    """Who the row of WHOSE names. Raises Unauthenticated if there is none."""
    if row is None or row.session_id is None:
        raise Unauthenticated()
    return Principal(
        kind="customer" if row.customer_id is not None else "operator",
        id=row.customer_id if row.customer_id is not None else row.operator_id,
        public_id=row.principal_id,
        insurer_id=row.insurer_id,
        session_id=row.session_id,
        time_zone=row.insurer_zone,
        role=row.role,
    )
