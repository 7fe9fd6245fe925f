"""An erasure, and what her phone asks for at the same moment: one comes first, and nothing of her is left."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text

from booking.messages.settings import own_row
from booking.models import Booking
from booking.personal import erase as erasing
from booking.personal.erase import UnderWay, erase
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from tests.people import NOON
from tests.world import World, make_world
from vip.customers.customers import choose_language
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary

pytestmark = pytest.mark.usefixtures("many_connections")

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
def world(many_connections: object) -> World:
    return make_world()


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, world: World, work: Callable[[], object]
) -> tuple[object, type[Exception] | None]:
    """Erase her; `work` begins when she has been judged and nothing is committed. Returns what the erasure answered,
    and what `work` raised."""
    judge = erasing._until
    begun: list[Future[object]] = []
    with ThreadPoolExecutor(1) as threads, monkeypatch.context() as patched:

        def slowly(*what: Any) -> Any:
            judged = judge(*what)
            begun.append(threads.submit(work))
            with reading() as session:
                while not begun[0].done() and not session.scalar(_WAITING):
                    pass
            return judged

        patched.setattr(erasing, "_until", slowly)
        stays = erase(world.principal, now=NOON)
        failed = begun[0].exception(timeout=30)
    return stays, None if failed is None else type(failed)


def test_a_hold_that_comes_while_she_is_erased_gets_no_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _stays, failed = meanwhile(monkeypatch, world, world.hold)
    assert failed is not None and issubclass(failed, Refusal)
    with reading() as session:
        assert session.scalars(select(Booking)).all() == []


def test_a_hold_that_came_first_stops_the_erasure(world: World) -> None:
    world.hold()
    with pytest.raises(UnderWay):
        erase(world.principal, now=NOON)


def test_a_relative_who_is_added_meanwhile_is_not_left_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    new = NewMember("father", "沈伯年", "male", date(1951, 9, 3))
    _stays, failed = meanwhile(monkeypatch, world, lambda: add_member(world.principal, new, NOON))
    assert failed is NotFound
    with reading() as session:
        assert session.scalars(select(Beneficiary.name)).all() == [""]


def test_a_language_or_setting_that_is_saved_meanwhile_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save() -> None:
        choose_language(world.customer.id, "en")
        with transaction() as session:
            own_row(session, world.principal, NOON)

    _stays, failed = meanwhile(monkeypatch, world, save)
    assert failed is NotFound
    with reading() as session:
        left = session.execute(
            text("SELECT (SELECT language FROM customer), (SELECT count(*) FROM notice_setting)")
        ).one()
    assert tuple(left) == (None, 0)
