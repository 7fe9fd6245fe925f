"""What goes wrong in a provider's books without anybody being told: no webhook, nothing in the list of changes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from providers.sandbox.bookings import MOVES, Desk, find
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

STATUSES = ("requested", *(end for _, end in MOVES.values()))
CHANGEABLE = ("status", "service_date", "starts_at", "ends_at", "our_reference")


def alter(desk: Desk, tx: Transaction, reference: str, wish: Mapping[str, Any]) -> Row:
    """Change columns of a booking. Its version grows unless `keep_version`; no other trace is left. Raises Problem."""
    find(desk, tx, reference)
    values = _values(wish)
    if not values:
        raise Problem(422, "invalid", f"Give some of {', '.join(CHANGEABLE)}")
    grown = "" if wish.get("keep_version") else "version = version + 1, "
    columns = ", ".join(f"{name} = ?" for name in values)
    tx.execute(
        f"UPDATE booking SET {grown}{columns} WHERE account = ? AND reference = ?",
        [*values.values(), desk.account.code, reference],
    )
    return find(desk, tx, reference)


def copy(desk: Desk, tx: Transaction, reference: str, wish: Mapping[str, Any]) -> Row:
    """Another booking like this one under a reference of its own; the wish changes columns of the copy. It shares the
    number of change of no other booking, and none that is told. Raises Problem."""
    row = dict(find(desk, tx, reference))
    lowest = tx.execute("SELECT min(seq) FROM booking").fetchone()[0]
    row |= _values(wish)
    row |= {"reference": f"{reference[:3]}X{secrets.token_hex(5).upper()}", "version": 1, "seq": min(lowest, 0) - 1}
    tx.execute(f"INSERT INTO booking ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
    return find(desk, tx, row["reference"])


def lose(desk: Desk, tx: Transaction, reference: str) -> None:
    """Forget a booking altogether. Raises Problem."""
    find(desk, tx, reference)
    tx.execute("DELETE FROM booking WHERE account = ? AND reference = ?", (desk.account.code, reference))


def _values(wish: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: wish[name] for name in CHANGEABLE if name in wish}
    if values.get("status", "requested") not in STATUSES:
        raise Problem(422, "invalid", f"A status is one of {', '.join(STATUSES)}")
    return values
