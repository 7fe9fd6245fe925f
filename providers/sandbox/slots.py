"""Slots by pattern. Only pools and what deviates from the pattern are stored, so that thousands of pools cost nothing
at start; the days roll on by themselves."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from providers.sandbox.config import Pool
from providers.sandbox.ledger import Ledger, Row, Transaction, last_seq, next_seq

HORIZON_DAYS = 60
PAGE_LIMIT = 1000
SUNDAY = 6
_STARTS: dict[str, tuple[tuple[time, int], ...]] = {
    "half_hourly": tuple((time(7 + (30 + 30 * n) // 60, (30 + 30 * n) % 60), 30) for n in range(7)),
    "four_a_day": tuple((time(7 + n, 30), 60) for n in range(4)),
    "half_days": ((time(8), 240), (time(13, 30), 240)),
}


class BadCursor(ValueError):
    """A cursor or page token that this provider did not hand out."""


@dataclass(frozen=True)
class Slot:
    """A slot as offered now. Times carry the pool's offset and are None for a whole day."""

    pool: str
    slot: str
    service_date: str
    starts_at: str | None
    ends_at: str | None
    offered: int
    closed: bool
    version: int


@dataclass(frozen=True)
class KnownPool:
    """A registered pool with the number of its last change."""

    pool: Pool
    active: bool
    seq: int


@dataclass(frozen=True)
class _Position:
    """Where a pull stands: it began at `seq` and `at`, asks for changes since (`since_seq`, `since_at`), and has
    handed out everything up to `after` in `pool`."""

    seq: int
    at: int
    since_seq: int = -1
    since_at: int = 0
    pool: str = ""
    after: str = ""


def base_capacity(pool: Pool) -> int:
    """Places per slot: as configured, or by a hash of the pool's code (2-8 half-hourly, 5-14, 2-6 in half a day, or
    20-59 a day)."""
    if pool.capacity is not None:
        return pool.capacity
    low, width = {"half_hourly": (2, 7), "four_a_day": (5, 10), "half_days": (2, 5), "day": (20, 40)}[pool.pattern]
    return low + int.from_bytes(hashlib.sha256(pool.code.encode()).digest()[:4], "big") % width


@lru_cache(maxsize=4096)
def _day(zone: str, pattern: str, day: date) -> tuple[tuple[str, str, str | None, str | None], ...]:
    """(suffix of the reference, date, start, end) of each slot of a day; none on Sundays."""
    if day.weekday() == SUNDAY:
        return ()
    if pattern == "day":
        return ((f"@{day:%Y%m%d}", day.isoformat(), None, None),)
    times = []
    for start, minutes in _STARTS[pattern]:
        begins = datetime.combine(day, start, ZoneInfo(zone))
        ends = begins + timedelta(minutes=minutes)
        times.append((f"@{begins:%Y%m%dT%H%M}", day.isoformat(), begins.isoformat(), ends.isoformat()))
    return tuple(times)


def horizon(pool: Pool, at: datetime) -> tuple[date, date]:
    """First and last day on sale at the moment `at`, in the pool's zone."""
    today = at.astimezone(ZoneInfo(pool.time_zone)).date()
    return today, today + timedelta(days=HORIZON_DAYS)


def register(ledger: Ledger, account: str, pools: Sequence[Pool], *, replace: bool) -> int:
    """Make `pools` known; with `replace`, those not named are taken off sale. Returns how many changed. Quick when the
    same list was registered before."""
    digest = hashlib.sha256(json.dumps([asdict(pool) for pool in pools], sort_keys=True).encode()).hexdigest()
    with ledger.transaction() as tx:
        mark = f"pools {account}"
        known_digest = tx.execute("SELECT value FROM meta WHERE name = ?", (mark,)).fetchone()
        if replace and known_digest is not None and known_digest[0] == digest:
            return 0
        known = {row["code"]: row for row in tx.execute("SELECT * FROM pool WHERE account = ?", (account,))}
        changed = [pool for pool in pools if not _same(known.get(pool.code), pool)]
        if changed:
            seq = next_seq(tx)
            tx.executemany(
                "INSERT OR REPLACE INTO pool VALUES (?, ?, ?, ?, ?, ?, 1, ?)",
                [(account, p.code, json.dumps(p.offers), p.time_zone, p.pattern, p.capacity, seq) for p in changed],
            )
        gone = {code for code, row in known.items() if row["active"]} - {pool.code for pool in pools}
        if replace and gone:
            seq = next_seq(tx)
            tx.executemany(
                "UPDATE pool SET active = 0, seq = ? WHERE account = ? AND code = ?",
                [(seq, account, code) for code in sorted(gone)],
            )
        # A list given while running differs from the file's; the next start has to compare again.
        tx.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (mark, digest if replace else ""))
        return len(changed) + (len(gone) if replace else 0)


def _same(row: Row | None, pool: Pool) -> bool:
    return row is not None and bool(row["active"]) and _pool(row) == pool


def _pool(row: Row) -> Pool:
    return Pool(row["code"], json.loads(row["offers"]), row["time_zone"], row["pattern"], row["capacity"])


def zone_of(tx: Transaction, account: str, pool: str) -> str | None:
    """The zone of a pool, on sale or not; None for one never known."""
    row = tx.execute("SELECT time_zone FROM pool WHERE account = ? AND code = ?", (account, pool)).fetchone()
    return None if row is None else str(row["time_zone"])


def known_pools(tx: Transaction, account: str, first: str = "") -> Iterator[KnownPool]:
    """The account's pools in the order of their codes, from `first` on."""
    for row in tx.execute("SELECT * FROM pool WHERE account = ? AND code >= ? ORDER BY code", (account, first)):
        yield KnownPool(_pool(row), bool(row["active"]), row["seq"])


def find(tx: Transaction, account: str, reference: str, at: datetime) -> tuple[KnownPool, Slot] | None:
    """The slot with this reference if it is on sale now."""
    row = tx.execute("SELECT * FROM pool WHERE account = ? AND code = ?", (account, reference.split("@")[0])).fetchone()
    if row is None or not row["active"]:
        return None
    known = KnownPool(_pool(row), True, row["seq"])
    try:
        day = datetime.strptime(reference.partition("@")[2][:8], "%Y%m%d").date()
    except ValueError:
        return None
    for slot in _slots(known, (day, day), at, _overrides(tx, account, known.pool.code)):
        if slot.slot == reference:
            return known, slot
    return None


def override(tx: Transaction, account: str, slot: Slot, offered: int | None, closed: bool) -> None:
    """Deviate from the pattern: another number of places (None: the pattern's), or not on sale."""
    tx.execute(
        "INSERT OR REPLACE INTO slot_override VALUES (?, ?, ?, ?, ?, ?)",
        (account, slot.pool, slot.slot, offered, int(closed), next_seq(tx)),
    )


def _overrides(tx: Transaction, account: str, pool: str) -> dict[str, Row]:
    rows = tx.execute("SELECT * FROM slot_override WHERE account = ? AND pool = ?", (account, pool))
    return {row["slot"]: row for row in rows}


def _slots(known: KnownPool, days: tuple[date, date], at: datetime, overrides: dict[str, Row]) -> Iterator[Slot]:
    pool, places = known.pool, base_capacity(known.pool)
    today, last = horizon(pool, at)
    day, end = max(days[0], today), min(days[1], last)
    while day <= end:
        for suffix, service_date, starts_at, ends_at in _day(pool.time_zone, pool.pattern, day):
            slot = pool.code + suffix
            row = overrides.get(slot)
            offered = places if row is None or row["offered"] is None else row["offered"]
            closed = not known.active or (row is not None and bool(row["closed"]))
            version = known.seq if row is None else max(known.seq, row["seq"])
            yield Slot(pool.code, slot, service_date, starts_at, ends_at, offered, closed, version)
        day += timedelta(days=1)


def pull(
    ledger: Ledger, account: str, days: tuple[date, date], tokens: tuple[str | None, str | None], limit: int
) -> dict[str, Any]:
    """A page of slots, ordered by pool and time. `tokens`: cursor of the last pull (only changes since) and page token
    (goes on where a page ended). Changed are: slots that were overridden, all of a pool that was registered or taken
    off, and days that came into sight. Raises BadCursor."""
    cursor, page = tokens
    at = ledger.now()
    with ledger.reading() as tx:
        if page is not None:
            position = _decode(page)
        else:
            since = _decode(cursor) if cursor is not None else _Position(-1, 0)
            position = _Position(last_seq(tx), int(at.timestamp()), since.seq, since.at)
        found: list[Slot] = []
        for slot in _walk(tx, account, days, at, position):
            if len(found) == limit:
                token = _encode(_Position(**{**asdict(position), "pool": found[-1].pool, "after": found[-1].slot}))
                return {"slots": [vars(slot) for slot in found], "next": token, "cursor": None}
            found.append(slot)
    done = _encode(_Position(position.seq, position.at))
    return {"slots": [vars(slot) for slot in found], "next": None, "cursor": done}


def _walk(tx: Transaction, account: str, days: tuple[date, date], at: datetime, position: _Position) -> Iterator[Slot]:
    full = position.since_seq < 0
    changed = set() if full else _changed_pools(tx, account, position.since_seq)
    then = datetime.fromtimestamp(position.since_at, UTC)
    for known in known_pools(tx, account, position.pool):
        code, window = known.pool.code, days
        if full and not known.active:
            continue
        whole = full or known.seq > position.since_seq
        if not whole and code not in changed:
            seen = horizon(known.pool, then)[1]
            if seen >= min(days[1], horizon(known.pool, at)[1]):
                continue
            window = (max(days[0], seen + timedelta(days=1)), days[1])
        seen_day = horizon(known.pool, then)[1].isoformat()
        for slot in _slots(known, window, at, _overrides(tx, account, code)):
            if code == position.pool and slot.slot <= position.after:
                continue
            if whole or slot.version > position.since_seq or slot.service_date > seen_day:
                yield slot


def all_on_days(tx: Transaction, account: str, days: tuple[date, date], at: datetime) -> Iterator[Slot]:
    """Every slot with a date in `days`, ordered by pool and time; those of pools taken off sale are closed."""
    for known in known_pools(tx, account):
        yield from _slots(known, days, at, _overrides(tx, account, known.pool.code))


def _changed_pools(tx: Transaction, account: str, since: int) -> set[str]:
    rows = tx.execute("SELECT DISTINCT pool FROM slot_override WHERE account = ? AND seq > ?", (account, since))
    return {row["pool"] for row in rows}


def _encode(position: _Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(vars(position).values())).encode()).decode().rstrip("=")


def _decode(token: str) -> _Position:
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        position = _Position(*values)
        datetime.fromtimestamp(position.since_at, UTC)
    except (ValueError, TypeError, OverflowError, OSError, binascii.Error) as error:
        raise BadCursor("this cursor was not handed out here") from error
    if not all(isinstance(number, int) for number in values[:4]) or not all(isinstance(s, str) for s in values[4:]):
        raise BadCursor("this cursor was not handed out here")
    return position
