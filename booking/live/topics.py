"""For whom an event is: names by internal ids, which no stream shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.core.database.db import rows
from vip.principal import Member, Principal
from vip.signin.authentication import NOW_OF, OPEN, open_values


@dataclass(frozen=True)
class Scope:
    """What a session is told of, and what decides it: whose it is, for which provider she works (its twin in test mode)
    and in which role. A stream lasts as long as its session's scope stays the same."""

    topics: tuple[str, ...]
    role: str


def of_customer(customer_id: int) -> str:
    """A customer, wherever she is signed in."""
    return f"customer:{customer_id}"


def of_member(member_id: int) -> str:
    """One member of a provider."""
    return f"member:{member_id}"


def of_provider(provider_id: int) -> str:
    """All members of a provider who work at its desk: an escort worker is told of her own alone."""
    return f"provider:{provider_id}"


def topics_of(who: Principal | Member) -> list[str]:
    """What somebody who is signed in is told of; nothing for an operator."""
    if isinstance(who, Member):
        return _of_work(who.id, who.provider_id, who.role)
    return [of_customer(who.id)] if who.kind == "customer" else []


def scope_of(row: Any) -> Scope:
    """The scope of a session, from the columns of NOW_OF; without topics for an operator."""
    if row.customer_id is not None:
        return Scope((of_customer(row.customer_id),), "customer")
    if row.provider_id is not None:
        return Scope(tuple(_of_work(row.operator_id, row.provider_id, row.role)), row.role)
    return Scope((), row.role or "")


def _of_work(member_id: int, provider_id: int, role: str) -> list[str]:
    return [of_member(member_id)] if role == "escort" else [of_member(member_id), of_provider(provider_id)]


def scopes(sessions: Sequence[int], *, now: datetime) -> dict[int, Scope]:
    """The scopes of those of the sessions (internal ids) that go on; one query for all of them."""
    found = rows(_SCOPES, {"sessions": list(sessions), **open_values(now)})
    return {row.session_id: scope_of(row) for row in found}


_SCOPES = f"""
    SELECT {NOW_OF}
      FROM sign_in_session s
      LEFT JOIN customer c ON c.id = s.customer_id
      LEFT JOIN operator o ON o.id = s.operator_id
     WHERE s.id = ANY(%(sessions)s) AND {OPEN}
"""
