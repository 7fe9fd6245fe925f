"""Pausing a provider: for a reason, by somebody, written into the audit; its commands wait, and nothing else does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.health.figures import Window
from booking.health.pauses.pausing import LONGEST_REASON, pause, resume
from booking.health.pauses.standing import TOLD_FOR, Pause
from booking.health.view import Status, provider, providers
from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.ids import new_id
from tests.people import NOON
from tests.world import World, claim_all, make_world
from vip.models import Insurer
from vip.operators.operators import create_admin
from vip.principal import Principal

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


@pytest.fixture
def world() -> World:
    """A provider."""
    return make_world()


@pytest.fixture
def admin(world: World) -> Principal:
    """An administrator."""
    made = create_admin("lin", "a long password", "Lin", now=NOON)
    return Principal("operator", 1, made, world.principal.insurer_id, 1, "Asia/Shanghai", "admin")


def lines() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        rows = session.scalars(select(AuditLine).where(AuditLine.action.like("provider.%")).order_by(AuditLine.id))
        return [(row.action, row.actor, row.facts) for row in rows]


def test_who_paused_when_and_why_is_stored_shown_and_audited(world: World, admin: Principal) -> None:
    code = world.provider.code
    assert pause(admin, code, "  Its system  moves house ", now=NOON)
    found = provider(admin, code, Window.HOUR, now=NOON).state
    assert found.status is Status.PAUSED and found.pause is not None
    assert (found.pause.at, found.pause.by, found.pause.reason) == (NOON, "Lin", "Its system moves house")
    assert resume(admin, code, now=NOON + timedelta(minutes=3))
    assert providers(admin, now=NOON)[0].pause is None
    assert lines() == [
        ("provider.paused", admin.public_id, {"reason": "Its system moves house"}),
        ("provider.resumed", admin.public_id, {"seconds": 180, "paused_by": admin.public_id}),
    ]


def test_a_paused_provider_is_sent_no_new_command(world: World, admin: Principal) -> None:
    world.submit(0)
    pause(admin, world.provider.code, "x", now=NOON)
    assert claim_all(world, now=NOON) == []
    resume(admin, world.provider.code, now=NOON)
    assert len(claim_all(world, now=NOON)) == 1


def test_the_second_who_pauses_changes_nothing(world: World, admin: Principal) -> None:
    pause(admin, world.provider.code, "first", now=NOON)
    assert not pause(admin, world.provider.code, "second", now=NOON + timedelta(minutes=1))
    with reading() as session:
        row = session.scalars(select(Provider)).one()
    assert (row.paused_at, row.pause_reason) == (NOON, "first")
    resume(admin, world.provider.code, now=NOON)
    assert not resume(admin, world.provider.code, now=NOON)
    assert len(lines()) == 2


@pytest.mark.parametrize("reason", ["", "  ", "x" * (LONGEST_REASON + 1), "nul\0"])
def test_a_pause_has_a_reason(world: World, admin: Principal, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        pause(admin, world.provider.code, reason, now=NOON)
    assert refused.value.at == "reason"
    assert lines() == []


@pytest.fixture
def beside(admin: Principal) -> Principal:
    """An administrator of another insurer."""
    return of_insurer("other", "opr_9")


def of_insurer(code: str, operator: str) -> Principal:
    with transaction() as session:
        other = Insurer(public_id=new_id("ins"), code=code, name_zh="乙", name_en="B")
        session.add(other)
        session.flush()
        return Principal("operator", 9, operator, other.id, 1, "Asia/Shanghai", "admin")


def seen(who: Principal, now: datetime = NOON) -> tuple[Pause | None, datetime | None]:
    """The pause as she sees it, and when she is told that another insurer ended hers."""
    (state,) = providers(who, now=now)
    return state.pause, state.pause_ended_at


def test_another_insurer_sees_the_pause_without_name_and_reason_and_may_end_it(
    world: World, admin: Principal, beside: Principal
) -> None:
    pause(admin, world.provider.code, "Mrs Li complained", now=NOON)
    assert provider(beside, world.provider.code, Window.HOUR, now=NOON).state.pause == Pause(NOON, "", "", True, 1)
    assert seen(beside) == (Pause(NOON, "", "", True, 1), None)
    assert seen(admin) == (Pause(NOON, "Lin", "Mrs Li complained"), None)
    assert resume(beside, world.provider.code, now=NOON)
    assert lines()[-2] == ("provider.resumed", "opr_9", {"seconds": 0, "paused_by": admin.public_id})


def test_an_insurer_whose_pause_another_one_ended_is_told_by_its_console_and_its_audit(
    world: World, admin: Principal, beside: Principal
) -> None:
    pause(admin, world.provider.code, "x", now=NOON)
    later = NOON + timedelta(minutes=3)
    resume(beside, world.provider.code, now=later)
    assert (seen(admin, later), seen(beside, later)) == ((None, later), (None, None))
    assert seen(admin, later + TOLD_FOR) == (None, None)
    with reading() as session:
        told = session.scalars(select(AuditLine).where(AuditLine.action == "provider.pause_ended")).one()
    assert (told.insurer_id, told.actor, told.facts) == (admin.insurer_id, "", {"seconds": 180})
    pause(admin, world.provider.code, "again", now=later)
    assert seen(admin, later)[1] is None


def test_who_ends_her_own_pause_alone_tells_nobody(world: World, admin: Principal, beside: Principal) -> None:
    pause(admin, world.provider.code, "x", now=NOON)
    resume(admin, world.provider.code, now=NOON)
    assert [action for action, _actor, _facts in lines()] == ["provider.paused", "provider.resumed"]
    assert (seen(admin), seen(beside)) == ((None, None), (None, None))


def test_the_pauses_of_several_insurers_stand_beside_each_other_and_each_but_the_last_word_is_told(
    world: World, admin: Principal, beside: Principal
) -> None:
    third = of_insurer("third", "opr_7")
    code, later = world.provider.code, NOON + timedelta(minutes=1)
    assert pause(admin, code, "ours", now=NOON) and pause(beside, code, "theirs", now=later)
    assert not pause(beside, code, "twice", now=later), "its own stands already"
    assert seen(admin) == (Pause(NOON, "Lin", "ours", others=1), None)
    assert seen(beside) == (Pause(NOON, "", "theirs", others=1), None)
    assert seen(third) == (Pause(NOON, "", "", True, 2), None)
    assert resume(beside, code, now=later)
    assert [seen(each, later) for each in (admin, beside, third)] == [(None, later), (None, None), (None, None)]
    pause(third, code, "anew", now=later)
    assert seen(admin, later) == (Pause(later, "", "", True, 1), later), "what stood before it went on stands no more"


def test_a_pause_of_before_is_shown_by_the_row_of_the_provider(world: World, admin: Principal) -> None:
    values = {"paused_by": admin.public_id, "pause_reason": "x"}
    with transaction() as session:
        session.execute(update(Provider).values(paused_at=NOON, **values))
    assert seen(admin)[0] == Pause(NOON, "Lin", "x")
    assert not pause(admin, world.provider.code, "y", now=NOON)


def test_an_agent_and_a_customer_may_not(world: World, admin: Principal) -> None:
    agent = Principal("operator", 1, "opr_x", admin.insurer_id, 1, "Asia/Shanghai", "agent")
    for who in (agent, world.principal):
        with pytest.raises(NotFound):
            pause(who, world.provider.code, "x", now=NOON)
        with pytest.raises(NotFound):
            resume(who, world.provider.code, now=NOON)
    with pytest.raises(NotFound):
        pause(admin, "nobody\0", "x", now=NOON)
