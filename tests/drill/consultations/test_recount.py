"""The recount: it agrees with the product where all is well, and finds each thing that is not. All of it is read or
planted in what was asked once; consultations of a test's own are in test_own.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from math import inf
from typing import get_args

import psycopg
import pytest
from psycopg.rows import dict_row

from booking.consultation.pledge_figures import By, pledge_figures
from drill.consultations.recount import figures, lateness, recount
from drill.consultations.rows import read, read_by
from marketplace.core.clock import HOME_ZONE
from marketplace.core.config import ROOT
from tests.booking.consultation.rooms import Practice
from tests.conftest import TestDatabase
from tests.drill.consultations.asked import DAY, five_asked
from tests.people import NOON


@pytest.fixture(scope="module")
def practice(module_db: object) -> Practice:
    """Made once: what a test here plants is taken back by its end."""
    return five_asked()


@pytest.fixture
def books(practice: Practice, worker_database: TestDatabase) -> Iterator[psycopg.Connection]:
    """The owner in a transaction that is taken back, where no trigger of ours fires: anything can be planted."""
    with (
        psycopg.connect(worker_database.owner_url, row_factory=dict_row) as connection,
        connection.transaction(force_rollback=True),
    ):
        for table in ("pledge", "conversation", "conversation_message", "entitlement_entry", "booking_history"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        yield connection


def test_it_imports_nothing_of_the_product() -> None:
    asked = "import sys, drill.consultations.recount; print(*{name.partition('.')[0] for name in sys.modules})"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"booking", "marketplace", "vip", "providers", "sqlalchemy"}.isdisjoint(said.stdout.split())
    assert "psycopg" in said.stdout.split()


def test_what_the_product_did_agrees_with_its_messages(practice: Practice, worker_database: TestDatabase) -> None:
    stored = read(worker_database.owner_url)
    assert recount(stored) == []
    assert [len(case.lines) for case in stored.cases] == [3, 3, 3, 2, 2]
    assert [round(says, 1) for says, _ in lateness(stored)] == [1.0, 1.2, 1.2]


@pytest.mark.parametrize("by", get_args(By))
def test_its_figures_are_those_of_the_product(practice: Practice, worker_database: TestDatabase, by: By) -> None:
    again = figures(read(worker_database.owner_url), by, **DAY, zone=HOME_ZONE)
    ours = pledge_figures(by, **DAY)
    assert {each.name for each in ours} == again.keys() != set()
    for each in ours:
        for name, value in asdict(again[each.name]).items():
            assert getattr(each, name) == value, name


def test_figures_by_hand(practice: Practice, worker_database: TestDatabase) -> None:
    found = figures(read(worker_database.owner_url), "department", **DAY, zone=HOME_ZONE)
    general, skin = found["general"], found["dermatology"]
    assert (general.met, general.breached, general.cancelled, general.kept) == (1, 1, 1, 0.5)
    assert (general.p50, general.p90, general.p99) == (20, 120, 120)
    assert (skin.met, skin.breached, skin.unanswered, skin.kept) == (0, 2, 1, 0)
    assert (skin.p50, skin.p90, skin.p99) == (91, inf, inf), "who was never answered waited longer than all others"


def test_figures_leave_out_other_times_providers_and_insurers(
    practice: Practice, worker_database: TestDatabase
) -> None:
    stored = read(worker_database.owner_url)
    code = practice.world.provider.code
    assert figures(stored, "provider", **DAY, zone=HOME_ZONE, provider=code).keys() == {code}
    assert figures(stored, "provider", **DAY, zone=HOME_ZONE, provider="nobody") == {}
    assert figures(stored, "provider", **DAY, zone=HOME_ZONE, insurer="nobody") == {}
    later = {"since": NOON + timedelta(seconds=1), "until": NOON + timedelta(days=1)}
    assert figures(stored, "provider", **later, zone=HOME_ZONE) == {}


BROKEN = "(SELECT min(id) FROM pledge WHERE state = 'breached')"
MET = "(SELECT id FROM pledge WHERE state = 'met')"
LAST = "(SELECT id FROM conversation_message WHERE author = 'clinician' ORDER BY id LIMIT 1)"
SECOND = "(SELECT id FROM conversation_message WHERE seq = 2 ORDER BY id LIMIT 1)"
COLUMNS = (
    "promise, subject_kind, subject, insurer_id, customer_id, provider_id, booking_id, seconds, units, state, begun_at,"
    " risk_due_at, due_at, at_risk_at, breached_at"
)

PLANTED = {
    "messages are not numbered from 1 without a gap": [f"DELETE FROM conversation_message WHERE id = {SECOND}"],
    "the newest message has another number": ["UPDATE conversation SET last_seq = last_seq + 1"],
    "a message stands twice": [
        "ALTER TABLE conversation_message DROP CONSTRAINT uq_conversation_message_conversation_id_client_message_id",
        "INSERT INTO conversation_message (public_id, conversation_id, seq, client_message_id, author, kind, at)"
        " SELECT public_id || 'x', conversation_id, seq + 9, client_message_id, author, kind, at"
        f" FROM conversation_message WHERE id = {SECOND}",
    ],
    "a message is older than the one before it": [
        f"UPDATE conversation_message SET at = at - interval '1 min' WHERE id = {SECOND}"
    ],
    "not promised once": [
        "ALTER TABLE pledge DROP CONSTRAINT uq_pledge_subject_kind_subject_promise",
        f"INSERT INTO pledge (public_id, {COLUMNS}) SELECT public_id || 'x', {COLUMNS} FROM pledge WHERE id = {BROKEN}",
    ],
    "the first message is at another moment": [
        "UPDATE conversation SET first_message_at = first_message_at + interval '1 s'"
    ],
    "the first answer is at another moment": [
        "UPDATE conversation SET first_answer_at = first_answer_at - interval '1 s'"
    ],
    "a pledge runs otherwise": [
        "UPDATE pledge SET begun_at = begun_at + interval '1 s', due_at = due_at + interval '1 s',"
        " risk_due_at = risk_due_at + interval '1 s', breached_at = breached_at + interval '1 s'"
        f" WHERE id = {BROKEN}"
    ],
    "a pledge ended otherwise": [
        f"UPDATE pledge SET state = 'met', met_at = due_at - interval '1 s', breached_at = NULL WHERE id = {BROKEN}"
    ],
    "a pledge was met at another moment": [f"UPDATE pledge SET met_at = met_at - interval '1 s' WHERE id = {MET}"],
    "a breach is early or late by its moment": [
        f"UPDATE pledge SET breached_at = due_at + interval '2100 ms' WHERE id = {BROKEN}"
    ],
    "a breach is not made good once": [f"DELETE FROM pledge_compensation WHERE pledge_id = {BROKEN}"],
    "a breach is not notified once": ["UPDATE notification SET kind = 'reminder' WHERE kind = 'pledge_breached'"],
    "what was given does not stand in the ledger once": [
        "INSERT INTO entitlement_entry (entitlement_id, entry, quantity, at, actor_kind, actor, reason)"
        " SELECT entitlement_id, entry, quantity, at, actor_kind, actor, reason FROM entitlement_entry"
        f" WHERE reason = 'pledge ' || (SELECT public_id FROM pledge WHERE id = {BROKEN})"
    ],
    "what was given is another benefit": [
        "UPDATE entitlement SET granted = granted + 1, available = available + 1 WHERE id ="
        f" (SELECT entitlement_id FROM pledge_compensation WHERE pledge_id = {BROKEN})"
    ],
    "a breach gave another number of units": [f"UPDATE pledge_compensation SET units = 2 WHERE pledge_id = {BROKEN}"],
    "an escalation is not once and in time": ["UPDATE conversation_escalation SET at = at + interval '2 s'"],
    "an escalation is missing": ["DELETE FROM conversation_escalation WHERE step = 2"],
    "a shift has another number in hand": ["UPDATE clinician_shift SET in_hand = in_hand + 1"],
}


@pytest.mark.parametrize("kind", PLANTED)
def test_each_difference_is_found(books: psycopg.Connection, kind: str) -> None:
    assert recount(read_by(books)) == []
    for statement in PLANTED[kind]:
        books.execute(statement.encode())
    assert kind in {each.kind for each in recount(read_by(books))}


def test_an_answer_that_a_machine_gave_counts_for_nothing(books: psycopg.Connection) -> None:
    """The clinician's words become an automatic line: by the messages nobody has answered."""
    books.execute(f"UPDATE conversation_message SET author = 'automatic', member_id = NULL WHERE id = {LAST}".encode())
    kinds = {each.kind for each in recount(read_by(books))}
    assert {"the first answer is at another moment", "a pledge ended otherwise"} <= kinds
