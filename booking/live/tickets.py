"""Tickets: what opens a stream, since a browser's own way of opening one sends no credential but an address.

A ticket is good for one stream, within a minute, of the session that it was made for. It is signed, so that a guess
costs no query. What it opens is what its session is told of when it is used, whatever that was when it was made. Its
use deletes its row.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadSignature, Signer
from sqlalchemy.orm import Session

from booking.live.models import LiveTicket
from booking.live.topics import Scope, scope_of, topics_of
from marketplace.core import crypto
from marketplace.core.config import settings
from marketplace.core.database.db import rows, transaction
from marketplace.core.errors import Unauthenticated
from vip.principal import Member, Principal
from vip.signin.authentication import NOW_OF, OPEN, open_values
from vip.signin.limits import Limit, take

LASTS = timedelta(seconds=60)
LONGEST = 200
BY_SESSION = Limit(30, 900)
"""Streams that a session may open: 30 at once, then one in four seconds."""


@dataclass(frozen=True)
class Opened:
    """What a ticket opens."""

    session_id: int
    scope: Scope


def issue(who: Principal | Member, *, now: datetime) -> str:
    """A ticket for what somebody who is signed in is told of. Raises Unauthenticated for an operator, who is told of
    nothing, and TooMany(retry_after)."""
    topics = topics_of(who)
    if not topics:
        raise Unauthenticated()
    token = secrets.token_urlsafe(24)
    with transaction() as session:
        take(session, BY_SESSION, "live-ticket", str(who.session_id), now=now)
        _store(session, who.session_id, topics, token, now)
    return _signer().sign(token).decode()


def _store(session: Session, session_id: int, topics: Sequence[str], token: str, now: datetime) -> None:
    session.add(
        LiveTicket(
            token_hash=crypto.token_hash(token), session_id=session_id, topics=list(topics), expires_at=now + LASTS
        )
    )


def redeem(ticket: str, *, now: datetime) -> Opened:
    """Use a ticket up. Raises Unauthenticated: it is not ours, was used, is too old, or its session has ended."""
    if not 0 < len(ticket) <= LONGEST or not ticket.isascii():
        raise Unauthenticated()
    try:
        token = _signer().unsign(ticket).decode()
    except BadSignature as wrong:
        raise Unauthenticated() from wrong
    found = rows(_USE, {"token": crypto.token_hash(token), **open_values(now)})
    scope = scope_of(found[0]) if found else None
    if scope is None or not scope.topics:
        raise Unauthenticated()
    return Opened(found[0].session_id, scope)


_USE = f"""
    DELETE FROM live_ticket t
     USING sign_in_session s
      LEFT JOIN customer c ON c.id = s.customer_id
      LEFT JOIN operator o ON o.id = s.operator_id
     WHERE t.token_hash = %(token)s AND t.expires_at > %(now)s AND s.id = t.session_id AND {OPEN}
 RETURNING {NOW_OF}
"""


def _signer() -> Signer:
    """Signs by the secret in use, and believes those before it."""
    config = settings()
    return Signer([*reversed(config.secret_key_fallbacks), config.secret_key], salt="live ticket")
