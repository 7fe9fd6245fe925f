"""When the drill goes on: as soon as nothing is left to do, not when its patience ends."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import namedtuple_row
from sqlalchemy import Engine

from booking.feeds.models import SyncCursor
from drill.calm import all_polled
from drill.rig.stage import CODES
from marketplace.catalog.models import Provider
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.conftest import TestDatabase
from tests.people import NOON


@pytest.mark.parametrize(
    ("asked", "expected"), [(CODES, True), ((*CODES, "another"), True), ((*CODES[1:], "another"), False)]
)
def test_a_provider_that_the_drill_does_not_book_at_counts_for_nothing(
    db: Engine, worker_database: TestDatabase, asked: tuple[str, ...], expected: bool
) -> None:
    with transaction() as session:
        for code in (*CODES, "another"):
            words = {"name_zh": code, "name_en": code, "adapter": "open_protocol", "base_url": "http://127.0.0.1:9"}
            provider = Provider(public_id=new_id("prv"), code=code, **words)
            session.add(provider)
            session.flush()
            at = NOON + timedelta(seconds=1 if code in asked else -1)
            session.add(SyncCursor(provider_id=provider.id, feed="bookings", last_success_at=at))
    with psycopg.connect(worker_database.owner_url, row_factory=namedtuple_row) as books:
        assert all_polled(books, NOON) is expected
