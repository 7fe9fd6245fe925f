"""What operators and managers are shown of first answers is what the recount finds in the messages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from math import inf
from typing import get_args

import pytest
from flask import Flask

from booking.consultation.pledge_figures import By
from drill.consultations.recount import Counted, figures
from drill.consultations.rows import read
from marketplace.core import clock
from tests.booking.consultation.rooms import Practice
from tests.booking.pledges.rows import after
from tests.conftest import TestDatabase
from tests.desk import at_desk, make_member
from tests.drill.consultations.asked import five_asked
from tests.drill.consultations.test_recount import DAY
from tests.marketplace.web.console.entering import PASSWORD, enter
from tests.marketplace.web.visitors import Visitor
from vip.operators.operators import create_admin

TABLE = "/{door}/figures/csv?from=2026-03-02&to=2026-03-02"


@pytest.fixture
def practice(db: object) -> Iterator[Practice]:
    """Everything has happened an hour ago."""
    made = five_asked()
    with clock.frozen(after(3600)):
        yield made


def at_door(door: str, app: Flask, practice: Practice) -> Visitor:
    if door == "desk":
        return at_desk(app, make_member(practice.world.provider.code))
    create_admin("lin", PASSWORD, "林默", now=after(3600))
    visitor = Visitor(app)
    assert enter(visitor).status_code == 303
    return visitor


def as_shown(each: Counted) -> list[str]:
    """A group's numbers as a table writes them."""
    asked = each.met + each.breached + each.cancelled + each.open
    counts = (asked, each.met, each.breached, each.unanswered, each.cancelled, each.open)
    kept = "" if each.kept is None else str(round(each.kept, 4))
    return [*map(str, counts), kept, *map(seconds, (each.p50, each.p90, each.p99))]


def seconds(time: float | None) -> str:
    if time is None:
        return ""
    return "not answered" if time == inf else str(round(time, 3))


@pytest.mark.parametrize("door", ["operators", "desk"])
def test_the_table_of_figures_is_the_recount(
    app: Flask, practice: Practice, worker_database: TestDatabase, door: str
) -> None:
    answer = at_door(door, app, practice).get(TABLE.format(door=door), headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    _header, *lines = csv.reader(io.StringIO(answer.text.lstrip("\ufeff")))
    shown: dict[str, list[list[str]]] = {}
    for label, _name, *numbers in lines:
        shown.setdefault(label, []).append(numbers)
    stored = read(worker_database.owner_url)
    assert len(shown) == len(get_args(By))
    for by, numbers in zip(get_args(By), shown.values(), strict=True):
        again = figures(stored, by, **DAY, zone=clock.HOME_ZONE).values()
        assert sorted(numbers) == sorted(map(as_shown, again)), by
