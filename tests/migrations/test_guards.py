"""What the application's role cannot do to slots, claims and history, however it tries."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

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
