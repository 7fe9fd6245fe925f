"""What the application's role cannot do to slots, claims and history, however it tries."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from marketplace.core import migrate
from marketplace.development.embedded.postgres import APPLICATION
from tests.conftest import TestDatabase
from tests.world import make_world, taken

FORBIDDEN = (
    "UPDATE slot SET taken = 0",
    "DELETE FROM slot_claim",
    "DELETE FROM slot",
    "DELETE FROM booking",
    "UPDATE booking_history SET cause = 'x'",
    "DELETE FROM booking_history",
    "TRUNCATE slot_claim",
    "UPDATE audit_line SET action = 'x'",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_may_not(db: Engine, statement: str) -> None:
    world = make_world()
    world.hold()
    with pytest.raises(DBAPIError) as refused, db.begin() as connection:
        connection.execute(text(statement))
    assert getattr(refused.value.orig, "sqlstate", "") == "42501"
    assert taken(world.slots[0]) == 1


def test_a_slot_starts_with_nothing_taken(db: Engine) -> None:
    world = make_world()
    copy = (
        "INSERT INTO slot (public_id, pool_id, external_ref, service_date, offered, capacity, taken) "
        "SELECT 'slt_copy', pool_id, 'copy', service_date, 5, 5, 1 FROM slot LIMIT 1"
    )
    with pytest.raises(DBAPIError) as refused, db.begin() as connection:
        connection.execute(text(copy))
    assert getattr(refused.value.orig, "sqlstate", "") == "AX904"
    assert taken(world.slots[0]) == 0


AS_OWNER = {
    "slot": ("UPDATE public.slot_claim SET live = false, released_at = now()", "SELECT sum(taken) FROM public.slot", 0),
    "customer_phone": (
        r"UPDATE public.customer SET phone_index = '\x21'",
        "SELECT phone_index FROM public.customer_phone",
        b"\x21",
    ),
    "entitlement": (
        "INSERT INTO public.entitlement_entry (entitlement_id, entry, quantity, at, actor_kind, actor)"
        " SELECT id, 'revoke', 1, now(), 'system', 'x' FROM public.entitlement LIMIT 1",
        "SELECT revoked FROM public.entitlement LIMIT 1",
        1,
    ),
}


@pytest.mark.parametrize("table", AS_OWNER)
def test_what_runs_as_the_owner_writes_the_real_table_and_no_temporary_one(db: Engine, table: str) -> None:
    statement, look, expected = AS_OWNER[table]
    make_world().hold()
    with db.connect() as connection:
        connection.execute(text(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM public.{table}"))
        connection.execute(text(f"GRANT ALL ON pg_temp.{table} TO PUBLIC"))
        connection.execute(text(statement))
        assert connection.execute(text(look)).scalars().all() == [expected]
        connection.rollback()


def test_every_function_that_runs_as_the_owner_looks_for_temporary_tables_last(owner_connection: Connection) -> None:
    found = owner_connection.execute(
        text(
            "SELECT proname, array_to_string(proconfig, ';') FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        )
    ).all()
    assert {name for name, _set in found} >= {"customer_phone_follows", "slot_claim_moves_taken"}
    assert {name for name, config in found if config != "search_path=public, pg_temp"} == set()


def test_the_application_makes_no_temporary_tables(other_database: Callable[[str], TestDatabase]) -> None:
    made = other_database("temporary")  # what a database allows is not copied with its template
    migrate.upgrade(made.owner_url, application_role=APPLICATION)
    with psycopg.connect(made.database_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TEMPORARY TABLE slot (id bigint)")
