"""The time by the database's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.core.database.moment import by_database, moment, now_by_database
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_process_whose_clock_is_off_reads_the_same_time(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    monkeypatch.setenv("CLOCK_OFFSET_SECONDS", str(hours * 3600))
    assert abs(clock.now() - now_by_database()) > timedelta(minutes=59)
    assert abs(datetime.now(UTC) - now_by_database()) < timedelta(minutes=1)


def test_it_goes_on_within_a_transaction() -> None:
    with transaction() as session:
        first = by_database(session)
        session.execute(text("SELECT pg_sleep(0.02)"))
        assert by_database(session) - first >= timedelta(milliseconds=20)


def test_a_moment_that_is_given_is_taken_and_one_to_be_read_is_read() -> None:
    with transaction() as session:
        assert moment(session, NOON) == NOON
        with clock.frozen(NOON):
            assert moment(session, by_database) == NOON
        assert moment(session, by_database) != NOON
