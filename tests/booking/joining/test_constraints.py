"""What the database itself refuses of a test of a provider's system."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection as Database
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from booking.joining import ask
from booking.joining.ask import Proposed, ask_for_test
from marketplace.core import clock
from tests.booking.joining.proposed import manager
from tests.world import World

pytestmark = pytest.mark.every_postgres

NOBODY = Proposed("open_protocol", "http://127.0.0.1:9", {}, "key-of-nobody")


def test_the_database_itself_keeps_a_second_one_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    who = manager(world)
    ask_for_test(who, NOBODY, now=clock.now())
    monkeypatch.setattr(ask, "_judge_number", lambda *_: None)
    with pytest.raises(IntegrityError, match="uq_system_test_open"):
        ask_for_test(who, NOBODY, now=clock.now())


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE system_test SET state = 'done', finished_at = now(), outcome = 'status', lease_until = NULL",
        "UPDATE system_test SET connected_at = now()",
        "UPDATE system_test SET state = 'running'",
    ],
)
def test_the_database_refuses_a_secret_that_stays_where_it_must_go(
    world: World, owner_connection: Database, wrong: str
) -> None:
    ask_for_test(manager(world), NOBODY, now=clock.now())
    with pytest.raises(IntegrityError, match="ck_system_test"):
        owner_connection.execute(text(wrong))
