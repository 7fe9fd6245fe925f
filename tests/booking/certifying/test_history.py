"""What was tried and what was certified, newest first: for operators with names, for a provider only its own."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from booking.certifying.history import Cursors, history, own_history, own_run, run_of
from booking.certifying.journal import TableJournal
from booking.certifying.view import certificates_of
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from providers.conformance.certificates.issue import issue, lock_provider
from providers.conformance.certificates.models import ConformanceRun
from providers.conformance.clean import LEFT_BOOKING, ON_ITS_WAY
from providers.conformance.journal import Made
from providers.conformance.step import Capability
from tests.desk import account, make_member
from tests.people import NOON, make_insurer
from tests.world import World, make_offer
from vip.operators.operators import create_operator
from vip.principal import Principal

BOOKING, SLOTS = Capability.BOOKING, Capability.SLOTS


@pytest.fixture
def admin(world: World) -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")


def tried(
    provider_id: int, at: datetime, verdicts: dict[Capability, bool | None], kind: str = "system", actor: str = ""
) -> str:
    """A run that ended so, as carry_out settles it."""
    outcomes = {True: "passed", False: "failed", None: "not_tried"}
    steps = [{"name": each.value, "proves": each.value, "outcome": outcomes[it]} for each, it in verdicts.items()]
    with transaction() as session:
        provider = lock_provider(session, provider_id)
        values = {"actor_kind": kind, "actor": actor, "asked_at": at, "finished_at": at, "steps": steps}
        run = ConformanceRun(public_id=f"cfr_{at:%H%M}_{provider_id}", provider_id=provider_id, state="done", **values)
        session.add(run)
        session.flush()
        issue(session, provider, verdicts, run.id, now=at)
        return run.public_id


def test_runs_and_certificates_are_told_with_who_asked_what_was_given_and_why_it_ended(
    world: World, admin: Principal
) -> None:
    make_member(world.provider.code, login="fang", name="方敏")
    first = tried(world.provider.id, NOON, {SLOTS: True, BOOKING: True}, "provider", account("fang").public_id)
    second = tried(world.provider.id, NOON + timedelta(hours=1), {SLOTS: True, BOOKING: False, Capability.LISTS: None})
    found = history(admin, world.provider.code, Cursors(), limit=10)
    assert [(it.id, it.by_kind, it.by) for it in found.runs.items] == [
        (second, "system", ""),
        (first, "provider", "方敏"),
    ]
    assert found.runs.items[0].counts == {"passed": 1, "failed": 1, "not_tried": 1}
    assert [(it.capability, it.run, it.because) for it in found.given.items] == [
        (SLOTS, second, ""),
        (BOOKING, first, "failed"),
        (SLOTS, first, "replaced"),
    ]
    page = run_of(admin, world.provider.code, second)
    assert (page.given, page.ended) == ([SLOTS], [BOOKING])
    assert (run_of(admin, world.provider.code, first).given, found.runs.next, found.given.next) == (
        [SLOTS, BOOKING],
        None,
        None,
    )


def test_lists_go_on_at_their_own_cursors(world: World, admin: Principal) -> None:
    runs = [tried(world.provider.id, NOON + timedelta(minutes=each), {SLOTS: True}) for each in range(3)]
    first = history(admin, world.provider.code, Cursors(), limit=2)
    assert [it.id for it in first.runs.items] == [runs[2], runs[1]] and first.runs.next and first.given.next
    rest = history(admin, world.provider.code, Cursors(runs=first.runs.next), limit=2)
    assert ([it.id for it in rest.runs.items], rest.runs.next) == ([runs[0]], None)
    assert [it.run for it in rest.given.items] == [runs[2], runs[1]], "the other list stands where it was"
    older = history(admin, world.provider.code, Cursors(given=first.given.next), limit=2)
    assert [it.run for it in older.given.items] == [runs[0]]


def test_a_provider_sees_its_own_runs_alone_and_no_operators_name(world: World) -> None:
    other, _offer, _slots = make_offer()
    create_operator("lin", "a long password", "林默", "admin", now=NOON)
    mine = tried(world.provider.id, NOON, {SLOTS: True}, "operator", account("lin").public_id)
    theirs = tried(other.id, NOON, {SLOTS: True})
    found = own_history(world.provider.id, Cursors(), limit=10)
    assert [(it.id, it.by_kind, it.by) for it in found.runs.items] == [(mine, "operator", "")]
    assert [it.run for it in found.given.items if it.run] == [mine]
    assert own_run(world.provider.id, mine).line.by == ""
    for run in (theirs, "cfr_none"):
        with pytest.raises(NotFound):
            own_run(world.provider.id, run)


def test_what_was_left_behind_is_told_while_it_may_still_be_there(world: World, admin: Principal) -> None:
    run = tried(world.provider.id, NOON, {BOOKING: False})
    left = [LEFT_BOOKING(subject=each, why=ON_ITS_WAY()).stored() for each in ("kit-1", "kit-2")]
    left += ["booking kit-3 (still confirmed)", "booking kit-4 (still confirmed)"]
    with transaction() as session:
        session.execute(update(ConformanceRun).values(left_behind=left))
    journal = TableJournal(world.provider.id)
    for subject in ("kit-1", "kit-2", "kit-3", "kit-4"):
        journal.add(Made("booking", subject, NOON.isoformat()))
    assert seen_left(admin, world, run) == [*left]
    for made in journal.left():
        if made.subject in ("kit-1", "kit-3"):
            journal.gone(made)  # the worker asked again, and nothing is there
    assert seen_left(admin, world, run) == [left[1], left[3]]


def seen_left(admin: Principal, world: World, run: str) -> list[object]:
    """What is shown of it, in all three places."""
    page = run_of(admin, world.provider.code, run)
    (line,) = history(admin, world.provider.code, Cursors(), limit=1).runs.items
    last = certificates_of(world.provider.id).last
    assert last is not None and last.left == page.left and line.left == page.line.left == len(page.left)
    return list(page.left)


def test_operators_find_a_run_at_its_provider_alone_and_agents_none(world: World, admin: Principal) -> None:
    create_operator("lin", "a long password", "林默", "admin", now=NOON)
    run = tried(world.provider.id, NOON, {SLOTS: True}, "operator", account("lin").public_id)
    other, _offer, _slots = make_offer()
    assert run_of(admin, world.provider.code, run).line.by == "林默"
    for code, public_id in ((other.code, run), ("nobody", run), (world.provider.code, "cfr_none")):
        with pytest.raises(NotFound):
            run_of(admin, code, public_id)
    agent = Principal("operator", 1, "opr_1", admin.insurer_id, 1, "Asia/Shanghai", "agent")
    with pytest.raises(NotFound):
        history(agent, world.provider.code, Cursors(), limit=1)
    with pytest.raises(NotFound):
        run_of(agent, world.provider.code, run)
