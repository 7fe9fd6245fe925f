"""Full snapshots of policies: what vanished is reported, ended only where that was said and is little, comes back."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.personal.erase import erase_by_command
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.marketplace.api.insurer.policies import facts
from tests.people import NOON, TODAY, make_customer, make_insurer
from tests.vip.insurers.app import insurers_app
from vip.insurers import snapshots, telling
from vip.insurers.snapshots import LinesRefused, Snapshot, SnapshotOver, TooManySnapshots
from vip.insurers.telling import Fault, Telling
from vip.policies import bulk
from vip.policies.facts import PolicyFacts
from vip.policies.put import put_policy
from vip.policies.told import LIFETIME

pytestmark = pytest.mark.usefixtures("db")
LATER = NOON + timedelta(minutes=5)
DAY = timedelta(days=1)


@pytest.fixture
def insurer() -> int:
    """The insurer, with ten policies of one customer in force."""
    make_customer()
    found = make_insurer().id
    answers = telling.tell_lines(Telling(found, "cli_t", NOON), [policy(n) for n in range(10)])
    assert [each.status for each in answers] == ["created"] * 10
    return found


def policy(number: int, version: int = 1, **changes: object) -> PolicyFacts:
    return facts(f"p-{number}", version=version, number=f"PN-0000{number}", phone="13800000011")


def opened(insurer: int, *, ends: bool = True, most: int = 20, now: datetime = LATER) -> str:
    made = snapshots.open_snapshot(insurer, ends_vanished=ends, most_percent=most, once=lambda *_: None, now=now)
    return made.id


def sent(insurer: int, snapshot: str, numbers: range, now: datetime = LATER, version: int = 1) -> list[str]:
    told = Telling(insurer, "cli_t", now, snapshot)
    return [each.status for each in telling.tell_lines(told, [policy(n, version) for n in numbers])]


def completed(insurer: int, snapshot: str, now: datetime = LATER) -> Snapshot:
    return snapshots.complete(insurer, snapshot, actor="cli_t", now=now)


def counts(shown: Snapshot) -> tuple[str, int, int, int]:
    return shown.state, shown.known, shown.vanished, shown.ended


def status(insurer: int, number: int) -> str:
    return telling.held_policy(insurer, f"p-{number}").status


def test_what_vanished_is_reported_and_nothing_is_ended_unless_that_was_said(insurer: int) -> None:
    snapshot = opened(insurer, ends=False)
    assert sent(insurer, snapshot, range(8)) == ["unchanged"] * 8
    assert snapshots.snapshot_of(insurer, snapshot, now=LATER).named == 8
    assert counts(completed(insurer, snapshot)) == ("completed", 10, 2, 0)
    assert counts(completed(insurer, snapshot)) == ("completed", 10, 2, 0), "asked again it is the same"
    assert snapshots.snapshot_of(insurer, snapshot, now=LATER).named == 8
    found = snapshots.vanished_of(insurer, snapshot, after="", limit=10)
    assert [(each.key, each.ended, each.returned) for each in found] == [("p-8", False, False), ("p-9", False, False)]
    assert [each.key for each in snapshots.vanished_of(insurer, snapshot, after="p-8", limit=10)] == ["p-9"]
    assert status(insurer, 9) == "in_force"


def test_little_that_vanished_is_ended_where_that_was_said_and_comes_back_when_it_is_told(insurer: int) -> None:
    snapshot = opened(insurer)
    sent(insurer, snapshot, range(8))
    assert counts(completed(insurer, snapshot)) == ("completed", 10, 2, 2)
    assert (status(insurer, 8), status(insurer, 7)) == ("ended", "in_force")
    assert telling.held_policy(insurer, "p-8").vanished == snapshot
    after = LATER + timedelta(hours=1)
    assert telling.tell(Telling(insurer, "cli_t", after), policy(8)).outcome == "unchanged"
    assert (status(insurer, 8), telling.held_policy(insurer, "p-8").vanished) == ("in_force", None)
    newer = telling.tell(Telling(insurer, "cli_t", after), policy(9, version=2))
    assert (newer.outcome, status(insurer, 9)) == ("updated", "in_force")
    found = snapshots.vanished_of(insurer, snapshot, after="", limit=10)
    assert [(each.ended, each.returned) for each in found] == [(True, True), (True, True)]


def imported(insurer: int, facts: PolicyFacts, now: datetime = LATER) -> str:
    """Put it as a line of a file."""
    with transaction() as session:
        return bulk.apply(session, insurer, facts, now=now, source="import:t")


def test_what_a_file_tells_counts_as_told(insurer: int) -> None:
    snapshot = opened(insurer)
    sent(insurer, snapshot, range(8))
    assert imported(insurer, policy(8)) == "unchanged"
    assert counts(completed(insurer, snapshot)) == ("completed", 10, 1, 1)
    assert (status(insurer, 8), status(insurer, 9)) == ("in_force", "ended")
    assert imported(insurer, policy(9)) == "unchanged"
    assert (status(insurer, 9), telling.held_policy(insurer, "p-9").vanished) == ("in_force", None)


def test_what_vanished_comes_back_as_its_newest_version_says(insurer: int) -> None:
    snapshot = opened(insurer)
    sent(insurer, snapshot, range(9))
    assert counts(completed(insurer, snapshot)) == ("completed", 10, 1, 1)
    lapsed = replace(policy(9, version=2), status="lapsed")
    assert imported(insurer, lapsed) == "updated"
    assert telling.tell(Telling(insurer, "cli_t", LATER), lapsed).outcome == "unchanged"
    assert status(insurer, 9) == "lapsed"
    with transaction() as session:  # as if the lapsed version had come by a way that brings nothing back
        session.execute(text("UPDATE policy_vanished SET returned_at = NULL"))
    telling.tell(Telling(insurer, "cli_t", LATER), lapsed)
    assert status(insurer, 9) == "lapsed"


def test_an_older_version_brings_nothing_back(insurer: int) -> None:
    telling.tell(Telling(insurer, "cli_t", NOON), policy(9, version=3))
    snapshot = opened(insurer)
    sent(insurer, snapshot, range(9))
    assert counts(completed(insurer, snapshot)) == ("completed", 10, 1, 1)
    assert telling.tell(Telling(insurer, "cli_t", LATER), policy(9, version=2)).outcome == "older"
    assert status(insurer, 9) == "ended"


def test_much_that_vanished_waits_for_a_person_who_ends_it_or_leaves_it(insurer: int) -> None:
    for end, state in ((False, "dismissed"), (True, "completed")):
        snapshot = opened(insurer)
        sent(insurer, snapshot, range(7))
        assert counts(completed(insurer, snapshot)) == ("waiting", 10, 3, 0)
        assert [each.id for each in snapshots.waiting()] == [snapshot]
        telling.tell(Telling(insurer, "cli_t", LATER), policy(9))  # the insurer is sorry
        decided = snapshots.decide(snapshot, end=end, actor="lin", now=LATER)
        assert counts(decided) == (state, 10, 3, 2 if end else 0)
        with pytest.raises(SnapshotOver):
            snapshots.decide(snapshot, end=end, actor="lin", now=LATER)
    assert [status(insurer, n) for n in (6, 7, 8, 9)] == ["in_force", "ended", "ended", "in_force"]
    assert snapshots.waiting() == []
    with pytest.raises(NotFound):
        snapshots.decide("snp_none", end=True, actor="lin", now=LATER)


def test_what_is_told_beside_a_snapshot_while_it_is_open_has_not_vanished(insurer: int) -> None:
    snapshot = opened(insurer)
    sent(insurer, snapshot, range(8))
    telling.tell(Telling(insurer, "cli_t", LATER), policy(8))
    telling.tell_lines(Telling(insurer, "cli_t", LATER), [policy(9, version=2)])
    assert counts(completed(insurer, snapshot)) == ("completed", 10, 0, 0)


def test_a_policy_whose_last_day_is_over_has_not_vanished(insurer: int) -> None:
    told = [replace(policy(n, version=2), in_force_until=until) for n, until in enumerate((TODAY - DAY, TODAY, None))]
    telling.tell_lines(Telling(insurer, "cli_t", NOON), told)
    snapshot = opened(insurer, most=0)
    sent(insurer, snapshot, range(3, 10))
    assert counts(completed(insurer, snapshot)) == ("waiting", 9, 2, 0)
    decided = snapshots.decide(snapshot, end=True, actor="lin", now=LATER + DAY)
    assert counts(decided) == ("completed", 9, 2, 1), "the other one was over before somebody decided"
    assert [status(insurer, n) for n in range(3)] == ["in_force", "in_force", "ended"]


def test_a_snapshot_with_a_refused_line_ends_nothing(insurer: int) -> None:
    snapshot = opened(insurer)
    answers = telling.tell_lines(
        Telling(insurer, "cli_t", LATER, snapshot),
        [policy(0), (Fault("line", "not_json"),), facts("p-1", number="PN-other", phone="13800000011")],
    )
    assert [each.status for each in answers] == ["unchanged", "refused", "refused"]
    with pytest.raises(LinesRefused) as refused:
        completed(insurer, snapshot)
    assert refused.value.facts["refused"] == 2
    assert [each["line"] for each in refused.value.facts["lines"]] == [2, 3]
    assert (status(insurer, 1), status(insurer, 9)) == ("in_force", "in_force")
    report = opened(insurer, ends=False)
    telling.tell_lines(Telling(insurer, "cli_t", LATER, report), [(Fault("line", "not_json"),)])
    assert counts(completed(insurer, report)) == ("completed", 10, 10, 0)


def test_a_policy_of_an_erased_holder_is_refused_and_holds_up_no_snapshot(insurer: int) -> None:
    other = make_customer("13800000012")
    telling.tell(Telling(insurer, "cli_t", NOON), facts("p-x", number="PN-X0001", phone="13800000012"))
    erase_by_command(other.public_id, now=NOON)
    snapshot = opened(insurer)
    erased = facts("p-x", version=2, number="PN-X0001", phone="13800000012")
    told = telling.tell_lines(Telling(insurer, "cli_t", LATER, snapshot), [erased, *map(policy, range(10))])
    assert [each.status for each in told] == ["refused"] + ["unchanged"] * 10
    assert told[0].faults == (Fault("key", "policy_erased"),)
    shown = snapshots.snapshot_of(insurer, snapshot, now=LATER)
    assert (shown.named, shown.refused) == (11, 0)
    assert counts(completed(insurer, snapshot)) == ("completed", 11, 0, 0)


def test_a_snapshot_is_its_insurers_alone_few_are_open_and_none_for_long(insurer: int) -> None:
    other = insurers_app("other", policy=False).insurer_id
    snapshot = opened(insurer)
    for act in (
        lambda: snapshots.snapshot_of(other, snapshot, now=LATER),
        lambda: completed(other, snapshot),
        lambda: snapshots.vanished_of(other, snapshot, after="", limit=1),
        lambda: sent(other, snapshot, range(1)),
        lambda: sent(insurer, "snp_none", range(1)),
    ):
        with pytest.raises(NotFound):
            act()
    opened(insurer)
    last = opened(insurer)
    with pytest.raises(TooManySnapshots):
        opened(insurer)
    opened(other)
    late = LATER + LIFETIME
    assert snapshots.snapshot_of(insurer, snapshot, now=late).state == "expired"
    for act in (lambda: sent(insurer, snapshot, range(1), late), lambda: completed(insurer, snapshot, late)):
        with pytest.raises(SnapshotOver):
            act()
    assert status(insurer, 9) == "in_force"
    sent(insurer, last, range(2))
    opened(insurer, now=late)
    assert (snapshots.expire(now=late - timedelta(seconds=1)), snapshots.expire(now=late)) == (0, 4)
    with reading() as session:
        assert session.scalar(text("SELECT count(*) FROM policy_snapshot_named")) == 0
    forgotten = snapshots.snapshot_of(insurer, last, now=LATER)
    assert (forgotten.state, forgotten.named) == ("expired", 2)


def test_a_completion_waits_for_a_put_that_is_under_way(insurer: int) -> None:
    snapshot = opened(insurer)
    sent(insurer, snapshot, range(9))
    done: list[Snapshot] = []
    completing = threading.Thread(target=lambda: done.append(completed(insurer, snapshot)))
    with transaction() as session:
        put_policy(session, insurer, policy(9), now=LATER, source="import:t")
        completing.start()
        completing.join(0.3)
        assert done == [] and completing.is_alive()
    completing.join()
    assert counts(done[0]) == ("completed", 10, 0, 0)


def test_of_two_who_open_the_last_one_at_once_one_is_refused(insurer: int) -> None:
    opened(insurer)
    opened(insurer)
    refused: list[TooManySnapshots] = []

    def second() -> None:
        with pytest.raises(TooManySnapshots) as too_many:
            opened(insurer)
        refused.append(too_many.value)

    opening = threading.Thread(target=second)

    def meanwhile(_session: Session, _public_id: str) -> None:
        opening.start()
        opening.join(0.3)

    snapshots.open_snapshot(insurer, ends_vanished=True, most_percent=2, once=meanwhile, now=LATER)
    opening.join()
    assert len(refused) == 1


def test_the_database_ends_nothing_for_a_snapshot_that_may_not(insurer: int) -> None:
    opened(insurer, ends=False)
    with pytest.raises(Exception, match="ck_policy_snapshot_ended"), transaction() as session:
        session.execute(text("UPDATE policy_snapshot SET ended = 1, state = 'completed'"))
    with reading() as session:
        assert session.scalar(text("SELECT sum(ended) FROM policy_snapshot")) == 0
