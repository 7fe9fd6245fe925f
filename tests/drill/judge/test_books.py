"""Each of the drill's questions to our own books, with the difference it is there for planted by the tables' owner."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import namedtuple_row
from sqlalchemy import Engine

from booking.changes.cancel import cancel
from drill.judge.books import QUESTIONS, differences, served_anyway
from tests.conftest import TestDatabase
from tests.people import NOON
from tests.world import World, make_world

ANSWERED = """
    UPDATE provider_task SET state = 'done';
    UPDATE booking SET state = 'confirmed', version = 3 WHERE state = 'awaiting_provider';
    INSERT INTO booking_history (booking_id, version, at, from_state, to_state, actor_kind, actor)
    SELECT id, 3, now(), 'awaiting_provider', 'confirmed', 'provider', 'p' FROM booking WHERE state = 'confirmed'
"""


@pytest.fixture
def world(db: Engine) -> World:
    """Two bookings that the provider has confirmed, one cancelled, nothing left to do."""
    made = make_world(quantity=5)
    for slot in range(2):
        made.submit(slot)
    cancel(made.principal, made.hold(2), now=NOON)
    return made


@pytest.fixture
def books(world: World, worker_database: TestDatabase) -> Iterator[psycopg.Connection]:
    """The owner in a transaction that is taken back, where no trigger of ours fires: anything can be planted."""
    with (
        psycopg.connect(worker_database.owner_url, row_factory=namedtuple_row) as connection,
        connection.transaction(force_rollback=True),
    ):
        for table in ("booking", "entitlement_entry", "slot_claim", "booking_history"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        connection.execute(ANSWERED.encode())
        yield connection


def test_books_that_agree_differ_in_nothing(books: psycopg.Connection) -> None:
    assert differences(books) == []


LAST = "(SELECT max(id) FROM booking WHERE state = 'confirmed')"

PLANTED = {
    "places are not what is claimed": "UPDATE slot SET taken = 0 WHERE taken > 0",
    "a booking does not hold its place": "UPDATE slot_claim SET live = false, released_at = now() WHERE live",
    "a booking and its slot tell two times": (
        f"UPDATE booking SET starts_at = starts_at + interval '5 min' WHERE id = {LAST}"
    ),
    "counters are not the ledger's sums": (
        "DELETE FROM entitlement_entry WHERE id = (SELECT min(id) FROM entitlement_entry WHERE entry = 'reserve')"
    ),
    "a booking's unit is not where its state says": (
        "INSERT INTO entitlement_entry (entitlement_id, booking_id, entry, at, actor_kind, actor)"
        f" SELECT entitlement_id, id, 'release', now(), 'system', 'planted' FROM booking WHERE id = {LAST}"
    ),
    "a unit was reserved, used or given back twice": (
        "DROP INDEX uq_entitlement_entry_back_once;"
        "INSERT INTO entitlement_entry (entitlement_id, booking_id, entry, at, actor_kind, actor)"
        f" SELECT entitlement_id, id, unnest(ARRAY['release', 'use']), now(), 'system', 'planted' FROM booking"
        f" WHERE id = {LAST}"
    ),
    "a person is at two places at once": (
        "ALTER TABLE booking DROP CONSTRAINT ex_booking_one_place_at_a_time;"
        "UPDATE booking SET period = (SELECT period FROM booking WHERE state = 'confirmed' ORDER BY id LIMIT 1)"
        " WHERE state = 'confirmed'"
    ),
    "a command was never finished": (
        "UPDATE provider_task SET state = 'unknown' WHERE id = (SELECT max(id) FROM provider_task)"
    ),
    "a booking was never answered": f"UPDATE booking SET state = 'outcome_unknown' WHERE id = {LAST}",
    "a request is still open": (
        "INSERT INTO change_request (public_id, booking_id, kind, state, actor_kind, actor, asked_at)"
        f" VALUES ('chg_planted', {LAST}, 'cancel', 'open', 'customer', 'c', now())"
    ),
    "a booking keeps a time it did not get": f"UPDATE booking SET pending_period = period WHERE id = {LAST}",
    "a difference nobody has settled": (
        "INSERT INTO discrepancy (public_id, provider_id, kind, subject, opened_at)"
        " SELECT 'dsc_planted', id, 'theirs_only', 'R1', now() FROM provider"
    ),
    "what was delivered outlives its discrepancy": (
        "INSERT INTO discrepancy (public_id, provider_id, kind, subject, opened_at, closed_at)"
        " SELECT 'dsc_planted', id, 'unreadable_row', 'slots:R1', now(), now() FROM provider;"
        "INSERT INTO delivered_row (discrepancy_id, stored_at, wrapped_key, sealed)"
        " SELECT id, now(), 'k', 's' FROM discrepancy"
    ),
    "a history with a hole": f"DELETE FROM booking_history WHERE booking_id = {LAST} AND version = 2",
    "a booking was made without its key, or twice by one": "DELETE FROM idempotency_key",
    "a place is kept for somebody in line, and its booking is over": (
        "INSERT INTO waiting_entry (public_id, insurer_id, customer_id, beneficiary_id, kind, number, first_day,"
        " last_day, weekdays, from_hour, until_hour, hours_before, auto_book, closes_at, created_at, updated_at)"
        " SELECT 'wtg_planted', insurer_id, customer_id, beneficiary_id, kind, 1, service_date, service_date, 1, 0,"
        f" 24, 0, false, now(), now(), now() FROM booking WHERE id = {LAST};"
        "INSERT INTO waiting_chance (entry_id, slot_id, booking_id, until, made_at)"
        f" SELECT e.id, s.id, {LAST}, now(), now() FROM waiting_entry e, slot s LIMIT 1"
    ),
    "a customer was told something twice": (
        "ALTER TABLE notification DROP CONSTRAINT uq_notification_customer_id_kind_subject;"
        "INSERT INTO notification (public_id, customer_id, kind, subject, created_at)"
        " SELECT 'ntf_' || n, id, 'confirmed', 'bkg_1', now() FROM customer, generate_series(1, 2) AS n"
    ),
    "an event was taken in twice": (
        "ALTER TABLE inbox_event DROP CONSTRAINT uq_inbox_event_provider_id_event_id;"
        "INSERT INTO inbox_event (provider_id, event_id, kind, received_at, outcome)"
        " SELECT id, 'evt', 'k', now(), 'applied' FROM provider, generate_series(1, 2)"
    ),
    "a line is not in one seal": (
        "INSERT INTO audit_seal (seq, sealed_at, snapshot, after, through, audit_ids, audit_digests, ledger_ids,"
        " ledger_digests, previous, hash)"
        " SELECT 1, now(), format('%1$s:%1$s:', pg_current_xact_id()), '{}', '{}', '{}', '', '{}', '', '', ''"
    ),
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_a_planted_difference_is_found_and_named(books: psycopg.Connection, kind: str) -> None:
    books.execute(PLANTED[kind].encode())
    assert kind in {difference.kind for difference in differences(books)}


_CASE = """
    INSERT INTO discrepancy (public_id, provider_id, kind, subject, facts, opened_at)
    SELECT 'dsc_' || c.kind, b.provider_id, c.kind, CASE c.kind WHEN 'state_differs' THEN b.public_id ELSE 'R1' END,
           c.facts::jsonb, now()
      FROM booking b, (VALUES ('state_differs', '{"theirs": "%s", "reference": "R1"}'),
                              ('cancel_refused', '{"code": "too_late"}')) AS c(kind, facts)
     WHERE b.state = '%s' LIMIT 2
"""


def test_a_service_that_was_given_although_it_was_given_up_is_a_persons_to_judge(books: psycopg.Connection) -> None:
    books.execute((_CASE % ("fulfilled", "cancelled")).encode())
    assert (differences(books), served_anyway(books)) == ([], {"R1"})


@pytest.mark.parametrize(("theirs", "ours"), [("confirmed", "cancelled"), ("fulfilled", "confirmed")])
def test_any_other_open_case_is_a_difference(books: psycopg.Connection, theirs: str, ours: str) -> None:
    books.execute((_CASE % (theirs, ours)).encode())
    found = [(each.kind, each.facts["kind"]) for each in differences(books)]
    assert ("a difference nobody has settled", "state_differs") in found
    assert served_anyway(books) == set()
