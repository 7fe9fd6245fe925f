"""Every form of the desk may be sent twice, as by two clicks or by going back: what it made is there once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.access.asking import ask
from tests.access.everybody import Actor
from tests.access.row import Ask, Row
from tests.access.table.desk import DESK
from tests.access.trying import LOGS, Trial

FORMS = [row for row in DESK if row.method == "POST"]
REPLACES: Mapping[str, set[str]] = {
    # a secret that was shown once, and perhaps to nobody, ends, and another is in its place
    "POST /desk/setup/clients/new": {"api_secret"},
    "POST /desk/setup/clients/<client>": {"api_secret"},
    # each stream opens with a ticket of its own, which ends with its use or after a minute
    "POST /desk/live/ticket": {"live_ticket"},
}
"""Forms whose second sending adds a row, in place of one that ends or good for a minute, in these tables."""


@pytest.mark.parametrize("row", FORMS, ids=[row.route for row in FORMS])
def test_a_form_that_is_sent_twice_makes_nothing_twice(trial: Trial, row: Row) -> None:
    who = sender(trial, row)
    for way in row.asks:
        send(trial, row, way, who)
        before = trial.kept.counted()
        again = send(trial, row, way, who)
        after = trial.kept.counted()
        trial.kept.restore()
        more = {name for name, number in after.items() if number > before[name]}
        assert more - LOGS - REPLACES.get(row.route, set()) == set(), way.form
        assert again < 500, way.form


def sender(trial: Trial, row: Row) -> Actor:
    """The manager of the provider whose things the line names, or whoever is asked first at an open page."""
    door = "desk" if row.door == "anybody" else row.door
    return next(each for each in trial.world.actors if each.door == door and each.owns and each.column == "manager")


def send(trial: Trial, row: Row, way: Ask, who: Actor) -> int:
    """The status of the answer."""
    tests = trial.world.tests if row.door == "test desk" else {}
    return ask(trial.app, row, way, {**trial.world.values, **tests, **who.values}, who).status_code
