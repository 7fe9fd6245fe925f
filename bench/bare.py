"""The other side of every ratio: PostgreSQL without the product, driven by pgbench and by a bare psycopg client."""

from __future__ import annotations

import json
import multiprocessing
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import psycopg

from bench.data import A_POOL, BOOKABLE, HOT, PACKAGE, SOLD_OUT, TIMES, Loaded
from bench.stage import CannotMeasure, Stage
from marketplace.core.clock import HOME_ZONE
from marketplace.core.config import settings

Statement = tuple[str, Any]

# The number of a booking decides everything, exactly as Loaded.request() has it. Ids are as random as real ones, or
# their indexes would be cheaper to write here than there; the reference is a permutation, so that it never repeats.
_NUMBERS = """\
\\set i :i + 1
\\set n :client_id + :i * :clients
\\set customer :n % :customers
\\set person :n / :customers % 2
\\set round :n / (2 * :customers)
"""
_SPREAD = f"\\set pool :n % :pools\n\\set time {SOLD_OUT} + (:customer + :round) % {BOOKABLE}\n"
_HOT = f"\\set pool 0\n\\set time {HOT}\n"
_IDS = f"""\
\\set customer_id :first_customer + :customer
\\set beneficiary :first_beneficiary + 2 * :customer + :person
\\set entitlement :first_entitlement + :customer
\\set offer :first_offer + :pool
\\set slot :first_slot + {A_POOL} * :pool + :time
\\set day :time / {TIMES}
\\set minutes :time / {TIMES} * 1440 + :time % {TIMES} * 30
\\set reference :n * 2654435761 % 4294967296
"""
_START = "CAST(:first_day AS timestamptz) + CAST(:minutes AS integer) * interval '1 min'"
_CUSTOMER = "'cus_' || substr(md5('c' || :customer), 1, 20)"

_HOLD = f"""\
SELECT * FROM hold_booking(
  now(), :insurer, :customer_id, :beneficiary, ARRAY[CAST(:entitlement AS bigint)], :offer, :provider, 'health_check',
  :slot, {_START}, 'bkg_' || substr(md5('b' || :n), 1, 20),
  'AX' || lpad(to_hex(CAST(:reference AS bigint)), 8, '0'), CAST(:first_day AS date) + CAST(:day AS integer),
  {_START} + interval '30 min', '{HOME_ZONE}', tstzrange({_START}, {_START} + interval '30 min'),
  now() + interval '10 min', 98000, 'CNY', CAST(:snapshot AS jsonb), NULL, 'customer', {_CUSTOMER}, {_CUSTOMER},
  substr(md5('k' || :n), 1, 36), sha256('fingerprint'));
"""

_CONFIRM = f"""\
WITH moved AS (
  UPDATE booking SET state = 'awaiting_provider', version = 2, updated_at = now(), cause = 'submitted',
         hold_expires_at = NULL, answer_due_at = least(now() + interval '48 h', starts_at)
   WHERE public_id = 'bkg_' || substr(md5('b' || :n), 1, 20) AND state = 'held' AND hold_expires_at > now()
  RETURNING id, provider_id),
told AS (
  INSERT INTO booking_history (booking_id, version, at, from_state, to_state, actor_kind, actor, cause, facts)
  SELECT id, 2, now(), 'held', 'awaiting_provider', 'customer', {_CUSTOMER},
         'submitted', '{{}}' FROM moved)
INSERT INTO provider_task (public_id, provider_id, booking_id, seq, command, key, state, run_after, created_at, facts)
SELECT 'tsk_' || substr(md5('t' || :n), 1, 20), provider_id, id, 1, 'reserve', md5('t' || :n), 'queued', now(), now(),
       '{{}}' FROM moved;
"""

SCRIPTS = {
    "spread": _NUMBERS + _SPREAD + _IDS + _HOLD,
    "hot": _NUMBERS + _HOT + _IDS + _HOLD,
    "confirm": _NUMBERS + _SPREAD + _IDS + _HOLD + _CONFIRM,
}


def bookings(where: Stage, loaded: Loaded, what: str, *, clients: int, seconds: float) -> float:
    """Bookings per second by pgbench, prepared statements, one script a client. `hot` ends at the latest when
    everybody has been booked once, like the HTTP side. Raises CannotMeasure."""
    script = where.folder / f"{what}.sql"
    script.write_text(SCRIPTS[what])
    how_long = ["-T", str(max(1, round(seconds)))]
    if what == "hot":
        how_long = ["-t", str(min(loaded.numbers.people // clients, 300 * max(1, round(seconds))))]
    command = [
        str(where.programs / "pgbench"),
        *("--no-vacuum", "--protocol=prepared", "-c", str(clients), "-j", "1", *how_long, "-f", str(script)),
        *(part for name, value in _variables(loaded, clients).items() for part in ("-D", f"{name}={value}")),
        where.database.database_url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    failed = re.search(r"number of failed transactions: ([0-9]+)", done.stdout)
    if done.returncode != 0 or found is None or (failed is not None and failed[1] != "0"):
        raise CannotMeasure(f"pgbench failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return float(found[1])


def _variables(loaded: Loaded, clients: int) -> dict[str, object]:
    numbers = loaded.numbers
    snapshot = {
        "offer": {"id": "ofr_00000000000000000000", "zh": "甄选体检套餐", "en": "Select health check"},
        "provider": {"zh": "和馨", "en": "Hexin"},
        "site": {
            "id": "sit_00000000000000000000",
            "name": loaded.names[0],
            "city": loaded.cities[0],
            "district": "",
            "address": "",
            "tier": "三级甲等",
        },
        "package": PACKAGE,
        "cancel_hours": 24,
    }
    return {
        "i": -1,
        "clients": clients,
        "customers": numbers.customers,
        "pools": numbers.pools,
        "insurer": numbers.insurer,
        "provider": numbers.provider,
        "first_customer": numbers.first_customer,
        "first_beneficiary": numbers.first_beneficiary,
        "first_entitlement": numbers.first_entitlement,
        "first_offer": numbers.first_offer,
        "first_slot": numbers.first_slot,
        "first_day": numbers.first_day.isoformat(),
        "snapshot": json.dumps(snapshot, ensure_ascii=False),
    }


def statements_of(call: Callable[[], object]) -> list[Statement]:
    """The statements that one of the product's reads sends, with their values, as the driver gets them."""
    sent: list[Statement] = []

    send = psycopg.RawCursor.execute

    def note(cursor: psycopg.RawCursor[Any], sql: Any, values: Any = None, **options: Any) -> Any:
        sent.append((sql.decode() if isinstance(sql, bytes) else str(sql), values))
        return send(cursor, sql, values, **options)

    with mock.patch.object(psycopg.RawCursor, "execute", note):
        call()
    return sent


@dataclass(frozen=True)
class _Reader:
    """What one process reads: its questions in turn, each a list of statements."""

    address: str
    seconds: float
    questions: Sequence[Sequence[Statement]]


def read(questions: Sequence[Sequence[Statement]], *, clients: int, seconds: float) -> list[float]:
    """Latencies in milliseconds of the questions, asked again and again by `clients` processes at once."""
    address = settings().database_url.replace("postgresql+psycopg", "postgresql")
    readers = [_Reader(address, seconds, [*questions[n:], *questions[:n]]) for n in range(clients)]
    with multiprocessing.get_context("spawn").Pool(clients, _leave_ctrl_c_to_us) as pool:
        return [one for latencies in pool.map(_read, readers) for one in latencies]


def _leave_ctrl_c_to_us() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read(reader: _Reader) -> list[float]:
    latencies: list[float] = []
    with psycopg.connect(reader.address, autocommit=True, prepare_threshold=1) as connection:
        cursor = psycopg.RawCursor(connection)
        until = time.perf_counter() + reader.seconds
        while True:
            for statements in reader.questions:
                since = time.perf_counter()
                if since > until:
                    return latencies
                for sql, values in statements:
                    cursor.execute(sql.encode(), values)
                    cursor.fetchall()
                latencies.append((time.perf_counter() - since) * 1000)
