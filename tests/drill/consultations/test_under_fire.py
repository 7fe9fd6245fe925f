"""Twenty consultations at once and two workers, one of which dies before the pledges run out: all counted again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import func, select

from booking.consultation.pledge_figures import pledge_figures
from booking.consultation.say import Said, clinician_says, customer_says
from booking.worker_models import WorkerBeat
from drill.consultations.plan import Setting, make_plan
from drill.consultations.recount import figures, recount
from drill.consultations.rows import Stored, read, read_by
from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.db import reading
from marketplace.core.database.moment import by_database
from tests.booking.consultation.rooms import Practice, make_practice
from tests.conftest import TestDatabase
from tests.eventually import eventually
from tests.people import give, make_customer, self_of, signed_in
from tests.processes import Running, killed_afterwards, start_worker

MANY, PLEDGED = 20, 3


@pytest.fixture
def workers(db: object, tmp_path: Path) -> Iterator[list[Running]]:
    """Two that work."""
    made = [start_worker(os.environ, tmp_path / f"worker{number}.log") for number in range(2)]
    with killed_afterwards(*made):
        eventually(lambda: _beating() == len(made), 60)
        yield made


def _beating() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(WorkerBeat)) or 0


def another(practice: Practice, number: int) -> Practice:
    """The same for a customer of her own."""
    customer = make_customer(phone := f"138000050{number:02}")
    today = clock.today(HOME_ZONE)
    give(customer, 2, kind="online_consultation", valid_from=today, valid_until=today + timedelta(days=90))
    world = replace(practice.world, customer=customer, beneficiary=self_of(customer), principal=signed_in(phone))
    return replace(practice, world=world)


def consult(practice: Practice, number: int) -> None:
    """Say two things, the second one twice under one id; the doctor answers in time, late or never."""
    conversation = practice.open(now=clock.now()).conversation
    ask = practice.world.principal
    customer_says(ask, conversation, Said(f"message-{number}-1", "嗓子疼"), now=by_database)
    for _ in range(2):
        customer_says(ask, conversation, Said(f"message-{number}-2", "还有点头晕"), now=by_database)
    if number % 4 == 3:
        return
    time.sleep((0.3, PLEDGED - 0.4, PLEDGED + 0.4)[number % 4])
    clinician_says(practice.clinician, conversation, Said(f"answer-{number}", "多久了？"), now=by_database)


def all_ended(address: str) -> Stored | None:
    stored = read(address)
    open_ones = [it for case in stored.cases for it in case.promises if it.state in ("pending", "at_risk")]
    return None if open_ones or len(stored.cases) < MANY else stored


def test_one_worker_dies_and_the_recount_agrees_and_a_doubled_grant_does_not(
    workers: list[Running], worker_database: TestDatabase
) -> None:
    practice = make_practice(package={"pledge_seconds": PLEDGED})
    everybody = [another(practice, number) for number in range(MANY)]
    with ThreadPoolExecutor(MANY) as customers:
        asked = [customers.submit(consult, hers, number) for number, hers in enumerate(everybody)]
        time.sleep(PLEDGED * 80 / 90)
        workers[0].kill()
        for each in asked:
            each.result()
    stored = eventually(lambda: all_ended(worker_database.owner_url), PLEDGED + 40)
    assert recount(stored) == []
    assert sorted(len(case.lines) for case in stored.cases) == [2] * 5 + [3] * 15
    day = {"since": stored.now - timedelta(hours=1), "until": stored.now}
    (again,) = figures(stored, "provider", **day, zone=HOME_ZONE).values()
    (ours,) = pledge_figures("provider", **day)
    assert (ours.met, ours.breached, ours.p50, ours.p99) == (again.met, again.breached, again.p50, again.p99)
    assert again.met + again.breached == MANY and again.breached >= MANY // 2
    doubled = (
        "INSERT INTO entitlement_entry (entitlement_id, entry, quantity, at, actor_kind, actor, reason)"
        " SELECT entitlement_id, entry, quantity, at, actor_kind, actor, reason FROM entitlement_entry"
        " WHERE reason LIKE 'pledge %' LIMIT 1"
    )
    with (
        psycopg.connect(worker_database.owner_url, row_factory=dict_row) as books,
        books.transaction(force_rollback=True),
    ):
        books.execute(doubled.encode())
        kinds = {each.kind for each in recount(read_by(books))}
    assert "what was given does not stand in the ledger once" in kinds


def test_a_seed_decides_who_asks_what_and_which_worker_dies() -> None:
    plans = [make_plan(seed, Setting(), ("general", "dermatology")) for seed in (7, 7, 8)]
    assert plans[0] == plans[1] != plans[2]
    assert {plan.killed for plan in plans} <= {"worker-1", "worker-2"}
    visits = plans[0].visits
    assert len(visits) == 200
    assert {visit.flagged for visit in visits} == {True, False} == {visit.gives_up is None for visit in visits}
    assert any(words.twice for visit in visits for words in visit.words)
    for visit in visits:
        assert [words.after for words in visit.words] == sorted(words.after for words in visit.words)
        assert visit.words[0].after == 0
