"""What is saved of a drill that failed: logs, journal, and the rows behind each difference."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from drill.judge.books import Difference
from drill.rig.stage import CODES, Stage

_MOST = 50
_ROWS = {
    "booking": (
        "SELECT id, public_id, state, version, attempt, service_date, starts_at, cause, hold_expires_at, created_at,"
        " updated_at FROM booking WHERE public_id = %s"
    ),
    "history": (
        "SELECT h.version, h.at, h.from_state, h.to_state, h.actor_kind, h.cause"
        " FROM booking_history h JOIN booking b ON b.id = h.booking_id WHERE b.public_id = %s ORDER BY h.id"
    ),
    "commands": (
        "SELECT t.seq, t.command, t.state, t.tries, t.key, t.first_sent_at, t.finished_at, t.unknown_since,"
        " t.run_after, t.last_error, t.facts"
        " FROM provider_task t JOIN booking b ON b.id = t.booking_id WHERE b.public_id = %s ORDER BY t.seq"
    ),
    "at the provider": (
        "SELECT r.reference, r.role, r.status, r.version, r.seen_at"
        " FROM provider_booking r JOIN booking b ON b.id = r.booking_id WHERE b.public_id = %s ORDER BY r.id"
    ),
    "requests": (
        "SELECT r.kind, r.state, r.actor_kind, r.cause, r.asked_at, r.closed_at"
        " FROM change_request r JOIN booking b ON b.id = r.booking_id WHERE b.public_id = %s ORDER BY r.id"
    ),
    "claims": (
        "SELECT s.external_ref, c.live, c.created_at, c.released_at FROM slot_claim c JOIN slot s ON s.id = c.slot_id"
        " JOIN booking b ON b.id = c.booking_id WHERE b.public_id = %s ORDER BY c.id"
    ),
    "ledger": (
        "SELECT l.entry, l.attempt, l.at, l.actor_kind, l.reason"
        " FROM entitlement_entry l JOIN booking b ON b.id = l.booking_id WHERE b.public_id = %s ORDER BY l.id"
    ),
    "discrepancies": "SELECT kind, facts, opened_at, closed_at, resolution FROM discrepancy WHERE subject = %s",
}


def gather(where: Stage, found: Iterable[Difference], target: Path) -> None:
    """Copy logs and journal to `target` and write `evidence.json` there."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(where.fleet.logs, target / "logs", dirs_exist_ok=True)
    shutil.copy(where.folder / "journal.jsonl", target)
    shutil.copy(where.database.state / "server.log", target / "logs" / "postgresql.log")
    journal = (where.folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    ledgers = {code: where.control("GET", code, "/bookings")["bookings"] for code in CODES}
    with where.books() as books:
        cases = [_case(books, difference, journal, ledgers) for difference in list(found)[:_MOST]]
    (target / "evidence.json").write_text(
        json.dumps(cases, ensure_ascii=False, indent=1, default=str), encoding="utf-8"
    )


def _case(
    books: psycopg.Connection[Any], difference: Difference, journal: list[str], ledgers: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    subject = _booking(books, difference.subject)
    rows = {
        name: [row._asdict() for row in books.execute(question.encode(), [subject]).fetchall()]
        for name, question in _ROWS.items()
    }
    rows["the provider's ledger"] = [
        row for ledger in ledgers.values() for row in ledger if subject in (row["our_reference"], row["reference"])
    ]
    rows["told"] = [json.loads(line) for line in journal if subject in line]
    return {**asdict(difference), **rows}


def _booking(books: psycopg.Connection[Any], subject: str) -> str:
    """The booking a difference is about: its own id, or that of a provider's reference or of a discrepancy."""
    row = books.execute(
        "SELECT b.public_id FROM provider_booking r JOIN booking b ON b.id = r.booking_id WHERE r.reference = %(it)s"
        " UNION ALL"
        " SELECT b.public_id FROM discrepancy d JOIN booking b ON b.id = d.booking_id WHERE d.subject = %(it)s LIMIT 1",
        {"it": subject},
    ).fetchone()
    return subject if row is None else str(row.public_id)
