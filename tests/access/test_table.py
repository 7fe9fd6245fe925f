"""Every route stands in one table, and everybody is answered as it says: each line is tried by all of them, in a world
where every word says whose it is."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.access.routes import gaps
from tests.access.row import Row
from tests.access.table.all import TABLE
from tests.access.trying import Trial


def test_every_route_has_one_line_and_every_line_a_route(app: Flask) -> None:
    assert gaps(app, TABLE) == []


@pytest.mark.parametrize("row", TABLE, ids=[row.route for row in TABLE])
def test_everybody_is_answered_as_the_line_says(trial: Trial, row: Row) -> None:
    assert trial.faults(row) == []
