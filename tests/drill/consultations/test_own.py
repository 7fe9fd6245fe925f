"""The recount of what a test asks for itself."""

from __future__ import annotations

from sqlalchemy import Engine

from booking.consultation.assigning.escalate import escalate
from booking.pledges.keep import keep_pledges
from drill.consultations.recount import figures, recount
from drill.consultations.rows import read
from marketplace.core.clock import HOME_ZONE
from tests.booking.consultation.rooms import make_practice
from tests.booking.pledges.rows import after, give_up
from tests.conftest import TestDatabase
from tests.drill.consultations.asked import DAY


def test_a_clinician_who_writes_before_she_was_asked_has_answered_nothing(
    db: Engine, worker_database: TestDatabase
) -> None:
    practice = make_practice()
    opened = practice.open().conversation
    practice.answer(opened, "您好", now=after(-5))
    practice.ask(opened, "嗓子疼")
    practice.answer(opened, "多久了？", now=after(30))
    stored = read(worker_database.owner_url)
    assert recount(stored) == []
    assert figures(stored, "all", **DAY, zone=HOME_ZONE)[""].p50 == 30


def test_a_breach_gives_nothing_of_what_is_unlimited(db: Engine, worker_database: TestDatabase) -> None:
    practice = make_practice(quantity=None)
    practice.ask(practice.open().conversation, "嗓子疼")
    escalate(now=after(45))
    escalate(now=after(75))
    keep_pledges(now=after(90.5))
    stored = read(worker_database.owner_url)
    assert recount(stored) == []
    assert [made.units for made in stored.cases[0].made_good] == [0]


def test_each_unit_of_a_benefit_is_made_good_once(db: Engine, worker_database: TestDatabase) -> None:
    """One unit: given back after a breach and broken again it gives nothing more."""
    practice = make_practice(quantity=1)
    for begun in (0, 200):
        opened = practice.open()
        practice.ask(opened.conversation, "嗓子疼", now=after(begun))
        escalate(now=after(begun + 45))
        escalate(now=after(begun + 75))
        keep_pledges(now=after(begun + 91))
        give_up(opened.booking, now=after(begun + 100))
    stored = read(worker_database.owner_url)
    assert recount(stored) == []
    assert [made.units for case in stored.cases for made in case.made_good] == [1, 0]
