"""The state table in the database: whoever writes a booking's state, by whatever statement."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from booking.states import FIRST, BookingState, first_states_sql, legal, legal_moves_sql
from marketplace.core.config import ROOT
from marketplace.core.database import db as database
from tests.world import booking_row, make_world

COPIED = (
    "insurer_id, customer_id, beneficiary_id, offer_id, provider_id, entitlement_id, kind, service_date, time_zone, "
    "price_minor, currency, snapshot, created_at, updated_at"
)


def test_the_triggers_are_generated_from_the_table() -> None:
    """Paste what is asked for into the file, and into a migration's frozen copy."""
    moves = (ROOT / "booking" / "booking_moves_legally.sql").read_text()
    starts = (ROOT / "booking" / "booking_starts_legally.sql").read_text()
    assert f"NOT IN (\n{legal_moves_sql()}))" in moves
    assert f"NOT IN ({first_states_sql()})" in starts


def outcome(connection: Connection, statement: str) -> str:
    """What becomes of a statement, which is then taken back: `done`, or the refusal."""
    attempt = connection.begin_nested()
    try:
        connection.execute(text(statement))
    except DBAPIError as refused:
        return database.violated(refused) or type(refused.orig).__name__
    finally:
        attempt.rollback()
    return "done"


@pytest.mark.parametrize("state", BookingState)
def test_every_other_move_is_refused_whoever_writes(
    db: Engine, owner_connection: Connection, state: BookingState
) -> None:
    public_id = make_world().hold()
    owner_connection.execute(text("ALTER TABLE booking DISABLE TRIGGER booking_moves_legally"))
    owner_connection.execute(text(f"UPDATE booking SET state = '{state}'"))
    owner_connection.execute(text("ALTER TABLE booking ENABLE TRIGGER booking_moves_legally"))
    found = {}
    with db.begin() as connection:
        for to in BookingState:
            found[to] = outcome(connection, f"UPDATE booking SET state = '{to}' WHERE public_id = '{public_id}'")
    assert found == {to: "done" if to is state or legal(state, to) else "illegal_move" for to in BookingState}
    assert booking_row(public_id).state is state


def test_a_booking_begins_in_few_states(db: Engine) -> None:
    make_world().hold()
    insert = (
        f"INSERT INTO booking (public_id, reference, period, state, {COPIED}) SELECT 'bkg_copy', 'copy', "
        f"tstzrange(upper(period), upper(period) + interval '1 hour'), '%s', {COPIED} FROM booking"
    )
    with db.begin() as connection:
        found = {state: outcome(connection, insert % state.value) for state in BookingState}
    assert found == {state: "done" if state in FIRST else "illegal_start" for state in BookingState}


def test_no_word_beside_the_table_is_a_state(db: Engine, owner_connection: Connection) -> None:
    make_world().hold()
    owner_connection.execute(text("ALTER TABLE booking DISABLE TRIGGER booking_moves_legally"))
    try:
        with pytest.raises(DBAPIError) as refused:
            owner_connection.execute(text("UPDATE booking SET state = 'waitlisted'"))
    finally:
        owner_connection.execute(text("ALTER TABLE booking ENABLE TRIGGER booking_moves_legally"))
    assert database.violated(refused.value) == "ck_booking_state"
