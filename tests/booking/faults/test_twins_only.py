"""A fault is a twin's: the database refuses any other, whoever writes it."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from booking.faults.kinds import Kind
from tests.booking.rehearsals.running import asked, staged

pytestmark = pytest.mark.every_postgres

REHEARSAL = """
  INSERT INTO rehearsal (public_id, provider_id, seed, kinds, bookings, offer, actor_kind, actor, asked_at)
  VALUES ('rhs_live', %(live)s, 1, '{gone}', 1, 'ofr_x', 'system', '', now())"""
FAULT = """
  INSERT INTO rehearsal_booking (rehearsal_id, provider_id, number, kind, seconds, hold)
  VALUES (%(rehearsal)s, %(live)s, 1, 'gone', 0, 0)"""
MOVED = "UPDATE rehearsal SET provider_id = %(live)s WHERE id = %(rehearsal)s"
OF_TWIN = "fk_{}_provider_market"


@pytest.fixture
def ids(db: Engine) -> dict[str, int]:
    """A live provider, and a rehearsal of its twin."""
    stage, twin = staged()
    public_id = asked(twin.id, [Kind.GONE], 1)
    with db.begin() as connection:
        found = connection.exec_driver_sql("SELECT id FROM rehearsal WHERE public_id = %s", (public_id,)).scalar_one()
    return {"live": stage.world.provider.id, "rehearsal": found}


@pytest.mark.parametrize(
    ("sql", "table", "dropped"),
    [
        (REHEARSAL, "rehearsal", (OF_TWIN.format("rehearsal"),)),
        (MOVED, "rehearsal", (OF_TWIN.format("rehearsal"),)),
        (FAULT, "rehearsal_booking", (OF_TWIN.format("rehearsal_booking"), "fk_rehearsal_booking_rehearsal")),
    ],
)
def test_a_live_provider_cant_have_one(
    db: Engine,
    owner_connection: Connection,
    ids: dict[str, int],
    sql: str,
    table: str,
    dropped: tuple[str, ...],
) -> None:
    with pytest.raises(IntegrityError) as refused, db.begin() as connection:
        connection.exec_driver_sql(sql, ids)
    assert any(name in str(refused.value.orig) for name in dropped)

    owner = owner_connection.connection.driver_connection
    assert isinstance(owner, psycopg.Connection)
    with owner.transaction(force_rollback=True):
        for name in dropped:
            owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
        assert owner.execute(sql.encode(), ids).rowcount == 1, "nothing else stands in its way"


def test_nobody_chooses_the_market(db: Engine, ids: dict[str, int]) -> None:
    with pytest.raises(Exception, match="market"), db.begin() as connection:
        connection.exec_driver_sql("UPDATE rehearsal SET market = 0 WHERE id = %(rehearsal)s", ids)
