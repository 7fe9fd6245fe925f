"""So many runs an hour: a provider's people have their own number all together, and operators theirs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from booking.actors import SYSTEM
from booking.certifying.ask import MOST_AN_HOUR, TooManyRuns, ask_own, queue_certification, request_certification
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates.models import ConformanceRun
from tests.people import NOON, make_insurer
from tests.world import World, make_offer
from vip.principal import Principal

MOST = MOST_AN_HOUR["provider"]


def ended() -> None:
    with transaction() as session:
        session.execute(update(ConformanceRun).values(state="done"))


def asked(world: World, times: int, *, now: datetime = NOON) -> None:
    """A run that is asked for and ends at once, so often, a minute between each two; members in turn."""
    for number in range(times):
        assert ask_own(world.provider.id, f"mbr_{number % 2}", now=now + timedelta(minutes=number))
        ended()


def count() -> int:
    with reading() as session:
        return session.scalars(select(func.count()).select_from(ConformanceRun)).one()


def test_a_provider_asks_so_often_an_hour_whoever_of_its_people_it_is(world: World) -> None:
    asked(world, MOST)
    now = NOON + timedelta(minutes=MOST)
    with pytest.raises(TooManyRuns) as refused:
        ask_own(world.provider.id, "mbr_9", now=now)
    assert refused.value.facts == {"most": MOST, "retry_after": (60 - MOST) * 60}
    assert count() == MOST
    with pytest.raises(TooManyRuns) as later:
        ask_own(world.provider.id, "mbr_9", now=NOON + timedelta(minutes=59, seconds=59))
    assert later.value.facts["retry_after"] == 1
    assert ask_own(world.provider.id, "mbr_9", now=NOON + timedelta(hours=1))


def test_a_run_that_is_open_is_said_to_be_so_and_not_counted_against_the_limit(world: World) -> None:
    asked(world, MOST - 1)
    assert ask_own(world.provider.id, "mbr_1", now=NOON)
    assert not ask_own(world.provider.id, "mbr_1", now=NOON)


def test_operators_commands_and_other_providers_are_counted_apart(world: World) -> None:
    asked(world, MOST)
    other, _offer, _slots = make_offer()
    assert ask_own(other.id, "mbr_1", now=NOON)
    operator = Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
    for number in range(MOST_AN_HOUR["operator"]):
        assert request_certification(operator, world.provider.code, now=NOON + timedelta(seconds=number))
        ended()
    with pytest.raises(TooManyRuns):
        request_certification(operator, world.provider.code, now=NOON + timedelta(minutes=1))
    with transaction() as session:
        assert queue_certification(session, world.provider.code, SYSTEM, now=NOON)


def test_two_members_who_ask_at_once_have_one_run(world: World) -> None:
    asked(world, MOST - 1)
    now = NOON + timedelta(minutes=30)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda member: ask_own(world.provider.id, member, now=now), ("mbr_1", "mbr_2")))
    assert sorted(found) == [False, True] and count() == MOST
