"""A link to a report is opened as often as was agreed, and tried five times by one address, also by many at once."""

from __future__ import annotations

from collections import Counter
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, true

from booking.reports import share
from booking.reports.share import TRIES_AT_LINK, NewShare, open_share, share_report, shares
from tests.concurrency import controls
from tests.reports import LATER, deliver
from tests.world import World, make_world
from vip.signin.limits import Limit

pytestmark = pytest.mark.usefixtures("without_turns")
MANY = 12


@pytest.fixture
def world(many_connections: Engine) -> World:
    return make_world()


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody has found the link before the first one is counted."""
    find, found = share._find, Barrier(MANY)

    def find_together(*what: Any) -> Any:
        link = find(*what)
        found.wait(timeout=20)
        return link

    monkeypatch.setattr(share, "_find", find_together)


def opened(token: str, code: str) -> Counter[str]:
    results = controls.all_at_once([lambda: open_share(token, code, now=LATER)] * MANY)
    return Counter(type(each).__name__ for each in results)


def test_twelve_at_once_open_a_link_for_two_twice(world: World, together: None) -> None:
    report_id = deliver(world, world.submit())
    made = share_report(world.principal, report_id, NewShare("doctor", 7, max_views=2), now=LATER)
    assert opened(made.token, "") == {"ShareLink": 2, "NotFound": MANY - 2}
    assert shares(world.principal, report_id, now=LATER)[0].views == 2


def test_without_the_guard_the_constraint_refuses_the_others(
    world: World, together: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_id = deliver(world, world.submit())
    made = share_report(world.principal, report_id, NewShare("doctor", 7, max_views=2), now=LATER)
    monkeypatch.setattr(share, "_unused", true)
    assert opened(made.token, "") == {"ShareLink": 2, "IntegrityError": MANY - 2}


def test_twelve_guessers_at_once_get_five_tries(world: World, together: None) -> None:
    report_id = deliver(world, world.submit())
    made = share_report(world.principal, report_id, NewShare("doctor", 7, with_code=True), now=LATER)
    wrong = "111111" if made.access_code == "000000" else "000000"
    tries = TRIES_AT_LINK.capacity
    assert opened(made.token, wrong) == {"WrongAccessCode": tries, "TooMany": MANY - tries}


def test_without_the_count_all_twelve_would_be_compared(
    world: World, together: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_id = deliver(world, world.submit())
    made = share_report(world.principal, report_id, NewShare("doctor", 7, with_code=True), now=LATER)
    wrong = "111111" if made.access_code == "000000" else "000000"
    monkeypatch.setattr(share, "TRIES_AT_LINK", Limit(MANY, 1))
    assert opened(made.token, wrong) == {"WrongAccessCode": MANY}
