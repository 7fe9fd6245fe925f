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
from vip.principal import Member, Principal, Somebody
from vip.signin.devices import LONGEST_TOKEN
from vip.signin.mode import IN_TEST_MODE, in_test_mode

OPEN = """
       s.ended_at IS NULL AND s.expires_at > %(now)s
       AND c.blocked_at IS NULL AND o.disabled_at IS NULL
       AND coalesce(s.seen_at, s.created_at)
           > CASE WHEN s.operator_id IS NULL THEN %(customers_idle)s::timestamptz
                  WHEN o.role = 'escort' THEN %(escorts_idle)s ELSE %(operators_idle)s END
"""
"""Whether a session goes on: `s` is its row, `c` and `o` those of its customer or of who works here or for a provider,
where there are. Values: those of open_values()."""

NOW_OF = f"""
       s.id AS session_id, s.customer_id, s.operator_id, o.role,
       coalesce((SELECT twin.id FROM provider twin WHERE twin.twin_of = o.provider_id AND {IN_TEST_MODE}),
                o.provider_id) AS provider_id
"""
"""Columns that say whose a session is, in which role, and for which provider a member's works now: for its twin while
it is in test mode. `s`, `c` and `o` are as in OPEN."""

WHOSE = f"""
    SELECT s.id AS session_id, s.customer_id, s.operator_id, i.id AS insurer_id, i.time_zone AS insurer_zone, i.market,
           coalesce(c.public_id, o.public_id) AS principal_id, o.role, coalesce(s.seen_at, s.created_at) AS used_at
      FROM sign_in_session s
      LEFT JOIN customer c ON c.id = s.customer_id
      LEFT JOIN operator o ON o.id = s.operator_id
      JOIN insurer i ON i.id = coalesce(c.insurer_id, o.insurer_id)
     WHERE s.token_hash = %(token)s AND {OPEN}
"""
"""Whose session a token is: one row with what principal_of() wants, or none; never a member's of a provider, whose
account has no insurer. Values: those of whose_values()."""

MEMBERS = """
    SELECT s.id AS session_id, o.id, o.public_id, p.id AS provider_id, o.role, p.time_zone, p.public_id AS desk,
           p.twin_of IS NOT NULL AS test, coalesce(s.seen_at, s.created_at) AS used_at
      FROM sign_in_session s
      JOIN operator o ON o.id = s.operator_id
      LEFT JOIN provider twin ON twin.twin_of = o.provider_id AND s.token_hash = %(testing)s
      JOIN provider p ON p.id = coalesce(twin.id, o.provider_id)
     WHERE s.token_hash IN (%(token)s, %(testing)s) AND s.ended_at IS NULL AND s.expires_at > %(now)s
       AND o.disabled_at IS NULL
       AND coalesce(s.seen_at, s.created_at)
           > CASE WHEN o.role = 'escort' THEN %(escorts_idle)s::timestamptz ELSE %(operators_idle)s END
"""
"""Which member of a provider a token's session is, with the twin for her provider while the session is in test mode:
one row, or none. Values: those of whose_values()."""


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
    """What WHOSE and MEMBERS ask with."""
    return {"token": shown.hash, "testing": in_test_mode(shown.hash), **open_values(now)}


def open_values(now: datetime) -> dict[str, Any]:
    """What OPEN asks with."""
    return {
        "now": now,
        "customers_idle": now - idle_limit("customer"),
        "operators_idle": now - idle_limit("operator"),
        "escorts_idle": now - idle_limit("member", "escort"),
    }


def idle_limit(kind: Literal["customer", "operator", "member"], role: str | None = None) -> timedelta:
    """How long a session may stand unused: of somebody in that role. What an escort worker did waits on her phone where
    there is no network, and her phone shows her own work alone: hers lasts for a shift."""
    if kind == "customer":
        return timedelta(days=settings().customer_idle_days)
    if role == "escort":
        return timedelta(minutes=settings().escort_idle_minutes)
    return timedelta(minutes=settings().operator_idle_minutes)


def authenticate(token: str, *, now: datetime) -> Principal:
    """Whose token it is; one query, and its use is noted: one write in a tenth of what it may stand unused.

    Raises Unauthenticated if there is no such session, it stood unused for too long, or it or its owner ended."""
    return in_use(rows(WHOSE, whose_values(credential(token), now)), now)


def authenticate_member(token: str, *, now: datetime) -> Member:
    """Which member of a provider the token is of, as `authenticate` does for customers and operators, who are nobody
    here. Raises Unauthenticated."""
    found = rows(MEMBERS, whose_values(credential(token), now))
    if not found:
        raise Unauthenticated()
    row = found[0]
    member = Member(row.id, row.public_id, row.provider_id, row.session_id, row.time_zone, row.role, row.test, row.desk)
    _note_use(member, row.used_at, now, rows)
    return member


def rows_for(who: Credential, sql: str, values: Mapping[str, Any], *, now: datetime) -> list[Any]:
    """What `rows` finds, in the question's own order, if `who` is a customer's: whose it is is asked in the same round
    trip, and its use is noted. Each row has the columns of WHOSE before its own; the question may name the market that
    she sees as CUSTOMERS_MARKET. Raises Unauthenticated."""
    found = rows(_TOGETHER.format(sql), {**values, **whose_values(who, now)})
    if in_use(found, now).kind != "customer":
        raise Unauthenticated()
    return [row for row in found if row.place is not None]


CUSTOMERS_MARKET = "w.market"
"""The market of who asks, as an expression in a question of rows_for()."""

_TOGETHER = f"""
    SELECT w.*, asked.* FROM ({WHOSE}) AS w
      LEFT JOIN LATERAL (SELECT row_number() OVER () AS place, question.* FROM ({{}}) AS question) AS asked ON true
     ORDER BY asked.place
"""


def in_use(found: Sequence[Any], now: datetime, *, ask: Ask = rows) -> Principal:
    """Who the first row of WHOSE names; her session's use is noted by `ask`, once in a tenth of what it may stand
    unused. Every use case that asks WHOSE takes its answer from here. Raises Unauthenticated if there is none."""
    principal = principal_of(found[0] if found else None)
    _note_use(principal, found[0].used_at, now, ask)
    return principal


def _note_use(who: Somebody, used_at: datetime, now: datetime, ask: Ask) -> None:
    noted_until = now - idle_limit(who.kind, who.role) / 10
    if used_at <= noted_until:
        ask(_USED, {"session": who.session_id, "noted_until": noted_until, "now": now})


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
        market=row.market,
    )
