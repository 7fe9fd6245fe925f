"""Limits of tries: token buckets in the database, and of reads: token buckets in this process's memory.

A bucket belongs to who asks (an address, a customer, a known device) or to that together with whose account is meant,
never to an account alone: a stranger can't use up what its owner needs. Keys are stored as keyed hashes.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core import crypto
from marketplace.core.database.db import reading
from marketplace.core.database.retention import forget
from marketplace.core.errors import TooMany
from vip.signin.limit_models import RateBucket

TAKE = """
INSERT INTO rate_bucket AS b (key_hash, tokens, refilled_at) VALUES (:key, :capacity - 1, :now)
ON CONFLICT (key_hash) DO UPDATE SET
  tokens = LEAST(:capacity, b.tokens + GREATEST(0, EXTRACT(epoch FROM :now - b.refilled_at)) * :per_second) - 1,
  refilled_at = GREATEST(b.refilled_at, :now)
  WHERE LEAST(:capacity, b.tokens + GREATEST(0, EXTRACT(epoch FROM :now - b.refilled_at)) * :per_second) >= 1
RETURNING tokens
"""

COUNT = """
INSERT INTO rate_bucket AS b (key_hash, tokens, refilled_at) VALUES (:key, 1, :due)
ON CONFLICT (key_hash) DO UPDATE SET tokens = b.tokens + 1 RETURNING tokens, refilled_at
"""

KEPT = timedelta(days=2)
"""Longer than any bucket takes to fill: a bucket that is forgotten is a full one."""


@dataclass(frozen=True)
class Limit:
    """At most `capacity` at once, and `per_hour` afterwards."""

    capacity: int
    per_hour: int

    @property
    def per_second(self) -> float:
        """How fast the bucket fills."""
        return self.per_hour / 3600


@dataclass(frozen=True)
class Caller:
    """Who asks: the client's address as the outermost trusted proxy saw it. Callers without one share their limits."""

    address: str = ""

    @property
    def name(self) -> str:
        """What limits go by: an IPv4 address, or the /64 of an IPv6 one, which is one subscriber's."""
        try:
            found = ipaddress.ip_address(self.address)
        except ValueError:
            return "address:unknown"
        if isinstance(found, ipaddress.IPv6Address):
            if found.ipv4_mapped is None:
                return f"address:{ipaddress.ip_network((int(found), 64), strict=False)}"
            found = found.ipv4_mapped
        return f"address:{found}"


NOBODY = Caller()


def take(session: Session, limit: Limit, *key: str, now: datetime) -> int:
    """Take one token of the bucket named `key`; returns how many whole ones are left. Raises TooMany(retry_after)."""
    hashed = _hash(key)
    values = {"key": hashed, "capacity": float(limit.capacity), "per_second": limit.per_second, "now": now}
    left = session.execute(text(TAKE), values).scalar_one_or_none()
    if left is not None:
        return int(left)
    raise TooMany(retry_after=_wait(session, limit, hashed, now))


def look(limit: Limit, *key: str, now: datetime) -> None:
    """Take nothing. Raises TooMany(retry_after) where `take` would."""
    with reading() as session:
        wait = _wait(session, limit, _hash(key), now)
    if wait:
        raise TooMany(retry_after=wait)


def _wait(session: Session, limit: Limit, key_hash: bytes, now: datetime) -> int:
    """Seconds until the bucket has a token, 0 if it has."""
    stored = session.execute(
        text("SELECT tokens, refilled_at FROM rate_bucket WHERE key_hash = :key"), {"key": key_hash}
    ).one_or_none()
    if stored is None:
        return 0
    grown = stored.tokens + max(0.0, (now - stored.refilled_at).total_seconds()) * limit.per_second
    return 0 if grown >= 1 else _seconds((1 - grown) / limit.per_second)


def fill(session: Session, *key: str) -> None:
    """Make the bucket full again: whoever proved to be the owner starts anew."""
    session.execute(text("DELETE FROM rate_bucket WHERE key_hash = :key"), {"key": _hash(key)})


def count(session: Session, key: tuple[str, ...], *, every: timedelta, now: datetime) -> int:
    """Count one more of what is reported at most once in `every`: how many to report now, which are all since the last
    report, or 0 while that is younger."""
    values = {"key": _hash(key), "now": now, "due": now - every}
    stored = session.execute(text(COUNT), values).one()
    if stored.refilled_at > values["due"]:
        return 0
    session.execute(text("UPDATE rate_bucket SET tokens = 0, refilled_at = :now WHERE key_hash = :key"), values)
    return int(stored.tokens)


def counted(session: Session, keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """How many were counted and not reported, for each key that has some; all these counts begin anew."""
    hashed = {_hash(key): key for key in keys}
    gone = text("DELETE FROM rate_bucket WHERE key_hash = ANY(:keys) RETURNING key_hash, tokens")
    found = session.execute(gone, {"keys": list(hashed)}).all()
    return {hashed[bytes(row.key_hash)]: int(row.tokens) for row in found if row.tokens > 0}


def forget_buckets(*, now: datetime, batch: int = 1000) -> int:
    """Drop buckets that nobody took from for two days; returns how many."""
    return forget(RateBucket.id, RateBucket.refilled_at, now - KEPT, batch)


class InMemory:
    """Buckets of this process alone, without a write anywhere; at most `most`, the longest unused goes first."""

    def __init__(self, limit: Limit, most: int = 10_000) -> None:
        self._limit, self._most = limit, most
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: bytes, at: float | None = None) -> int:
        """Take one token at `at` (seconds of a clock that never goes back); returns how many whole ones are left.
        Raises TooMany(retry_after)."""
        at = time.monotonic() if at is None else at
        with self._lock:
            tokens = self._grown(key, at)
            enough = tokens >= 1
            self._buckets[key] = (tokens - 1 if enough else tokens, at)
            self._buckets.move_to_end(key)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        if not enough:
            raise self._too_many(tokens)
        return int(tokens - 1)

    def look(self, key: bytes, at: float | None = None) -> None:
        """Take nothing. Raises TooMany(retry_after) where `take` would."""
        with self._lock:
            tokens = self._grown(key, time.monotonic() if at is None else at)
        if tokens < 1:
            raise self._too_many(tokens)

    def _grown(self, key: bytes, at: float) -> float:
        """What the bucket holds at that time."""
        tokens, since = self._buckets.get(key, (float(self._limit.capacity), at))
        return min(float(self._limit.capacity), tokens + (at - since) * self._limit.per_second)

    def _too_many(self, tokens: float) -> TooMany:
        return TooMany(retry_after=_seconds((1 - tokens) / self._limit.per_second))


reads = InMemory(Limit(600, 20 * 3600))
"""What a session may read: 600 at once, 20 a second afterwards."""


def _hash(key: tuple[str, ...]) -> bytes:
    return crypto.blind_index("\0".join(key), "rate")


def _seconds(wait: float) -> int:
    """Whole seconds, at least one; what is less than a thousandth comes from counting in fractions."""
    return max(1, math.ceil(round(wait, 3)))
