"""The lines that are sealed: which tables and columns, and how those between two snapshots are read.

A line has the number of the transaction that wrote it (`xact`, a default of the column). A snapshot of PostgreSQL says
of every transaction whether it had ended when it was taken. So the lines that one snapshot shows and an earlier one
does not are exactly those of the transactions that ended in between, in whatever order they took their ids and
committed, and reading them again later gives the same lines: a seal is made, and verified, by one query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from marketplace.chain.canonical import digest

AUDIT, LEDGER = "audit_line", "entitlement_entry"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    AUDIT: ("id", "xact", "at", "insurer_id", "actor_kind", "actor", "action", "subject", "facts"),
    LEDGER: (
        *("id", "xact", "entitlement_id", "booking_id", "entry", "quantity", "attempt", "at"),
        *("actor_kind", "actor", "reason"),
    ),
}
"""All of a table's columns. One that is added later belongs to the lines from then on: to list it here would make
another digest of every line that was sealed before."""

Position = tuple[int, int]
"""(transaction, id): the order in which lines are read."""

_SHOWN = "pg_visible_in_snapshot(CAST(CAST(xact AS text) AS xid8), CAST(:{} AS pg_snapshot))"
_BETWEEN = f"""
    xact >= :low AND (xact, id) > (:after_xact, :after_id) AND (xact, id) <= (:through_xact, :through_id)
    AND {_SHOWN.format("snapshot")} AND {_SHOWN.format("base")} IS NOT TRUE
"""
_FIRST: Position = (-1, 0)
_LAST: Position = (2**63 - 1, 2**63 - 1)


@dataclass(frozen=True)
class Line:
    """A line as it is hashed."""

    id: int
    xact: int
    at: datetime
    digest: bytes

    @property
    def position(self) -> Position:
        """Where it stands in the order of reading."""
        return self.xact, self.id


@dataclass(frozen=True)
class Span:
    """Lines that `snapshot` shows and `base` (None: nothing) does not; of those, by table, only what is behind `after`
    and not behind `through`."""

    base: str | None
    snapshot: str
    after: Mapping[str, Sequence[int]] = field(default_factory=dict)
    through: Mapping[str, Sequence[int]] = field(default_factory=dict)


def read(session: Session, table: str, span: Span, limit: int | None = None) -> list[Line]:
    """The lines of a table in a span, in the order of their positions, the first `limit` of them."""
    names = ", ".join(COLUMNS[table])
    query = f"SELECT {names} FROM {table} WHERE {_BETWEEN} ORDER BY xact, id LIMIT :limit"
    rows = session.execute(text(query), {**_bounds(table, span), "limit": limit})
    return [_line(table, row) for row in rows]


def by_id(session: Session, table: str, ids: Sequence[int]) -> list[Line]:
    """The lines with these ids, as far as there are any."""
    query = f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE id = ANY(:ids)"
    return [_line(table, row) for row in session.execute(text(query), {"ids": list(ids)})]


def oldest(session: Session, table: str, span: Span) -> datetime | None:
    """The earliest time that a line in the span claims, None without any."""
    query = f"SELECT min(at) FROM {table} WHERE {_BETWEEN}"
    found: datetime | None = session.execute(text(query), _bounds(table, span)).scalar_one()
    return found


def of_the_future(session: Session, table: str) -> Iterator[Line]:
    """Lines of a transaction that there cannot have been yet, or ever: somebody wrote its number by hand."""
    ahead = "xact < 0 OR xact >= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
    query = f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE {ahead} ORDER BY xact, id LIMIT 1000"
    return (_line(table, row) for row in session.execute(text(query)))


def current_snapshot(session: Session) -> str:
    """The snapshot of now, as PostgreSQL writes it: oldest running transaction, next one, those running in between."""
    return str(session.execute(text("SELECT CAST(pg_current_snapshot() AS text)")).scalar_one())


def lowest(snapshot: str) -> int:
    """Every transaction before this one had ended when the snapshot was taken."""
    return int(snapshot.split(":")[0])


def next_one(snapshot: str) -> int:
    """No transaction from this one on had begun when the snapshot was taken."""
    return int(snapshot.split(":")[1])


def running(snapshot: str) -> frozenset[int]:
    """The transactions that had begun and not ended when the snapshot was taken."""
    return frozenset(int(each) for each in snapshot.split(":")[2].split(",") if each)


def _bounds(table: str, span: Span) -> dict[str, Any]:
    after = span.after.get(table, _FIRST)
    through = span.through.get(table, _LAST)
    return {
        "base": span.base,
        "snapshot": span.snapshot,
        "low": lowest(span.base) if span.base else 0,
        "after_xact": after[0],
        "after_id": after[1],
        "through_xact": through[0],
        "through_id": through[1],
    }


def _line(table: str, row: Row[Any]) -> Line:
    return Line(row.id, row.xact, row.at, digest({"table": table, **dict(zip(COLUMNS[table], row, strict=True))}))
