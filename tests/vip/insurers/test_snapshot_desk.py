"""An insurer's operators see what a snapshot would end, decide it once, and take an end back."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from booking.personal.erase import erase_by_command
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.people import NOON
from tests.vip.insurers.app import insurers_app
from tests.vip.insurers.test_snapshots import DAY, LATER, completed, counts, opened, policy, sent, status
from tests.vip.insurers.test_snapshots import insurer as insurer
from vip.insurers import at_desk, snapshots, telling
from vip.insurers.snapshots import SnapshotOver
from vip.insurers.telling import Telling
from vip.principal import Principal
from vip.signin import signin

pytestmark = pytest.mark.usefixtures("db")


def operator(insurer: int, role: str = "admin") -> Principal:
    return Principal("operator", 1, "opr_1", insurer, 1, "Asia/Shanghai", role)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def recent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator has just signed in."""
    monkeypatch.setattr(signin, "signed_in_recently", lambda *_: True)


@pytest.fixture
def waits(insurer: int) -> str:
    """A snapshot in which three of ten policies vanished, one of which was told again since."""
    snapshot = opened(insurer)
    sent(insurer, snapshot, range(7))
    completed(insurer, snapshot)
    telling.tell(Telling(insurer, "cli_t", LATER + timedelta(hours=1)), policy(9))
    return snapshot


def lines(action: str) -> list[str]:
    with reading() as session:
        return list(session.scalars(select(AuditLine.actor).where(AuditLine.action == action)))


def fates(found: at_desk.SnapshotInFull) -> list[tuple[str, str, str | None]]:
    return [(it.number_masked, it.fate, it.status_before) for it in found.vanished.items]


def test_what_an_end_would_end_is_shown_masked_page_by_page_and_each_look_is_recorded(insurer: int, waits: str) -> None:
    who = operator(insurer)
    assert at_desk.count_waiting(who) == 1
    found = at_desk.snapshot(who, waits, cursor=None, limit=2, now=LATER)
    assert (found.snapshot.vanished, found.would_end, found.decided_by) == (3, 2, "")
    assert fates(found) == [("****0007", "would_end", None), ("****0008", "would_end", None)]
    assert all("*" in it.holder for it in found.vanished.items)
    rest = at_desk.snapshot(who, waits, cursor=found.vanished.next, limit=2, now=LATER)
    assert (fates(rest), rest.vanished.next) == ([("****0009", "told", None)], None)
    assert lines("policy_snapshot.viewed") == ["opr_1", "opr_1"]
    listed = at_desk.snapshots_of(who, waiting=True, cursor=None, limit=5, now=LATER)
    assert ([it.id for it in listed.items], listed.next) == ([waits], None)


def test_an_operator_ends_what_vanished_once_and_only_that(insurer: int, waits: str) -> None:
    who = operator(insurer)
    decided = at_desk.decide(who, waits, "end", now=LATER + DAY)
    assert counts(decided) == ("completed", 10, 3, 2)
    assert [status(insurer, n) for n in (6, 7, 8, 9)] == ["in_force", "ended", "ended", "in_force"]
    with pytest.raises(SnapshotOver):
        at_desk.decide(who, waits, "leave", now=LATER + DAY)
    found = at_desk.snapshot(who, waits, cursor=None, limit=5, now=LATER + DAY)
    assert [it[1:] for it in fates(found)] == [("ended", "in_force"), ("ended", "in_force"), ("told", None)]
    assert (found.would_end, found.decided_by, at_desk.count_waiting(who)) == (0, "opr_1", 0)
    assert lines("policy_snapshot.decided") == ["opr_1"]


def test_an_operator_leaves_what_vanished(insurer: int, waits: str) -> None:
    assert counts(at_desk.decide(operator(insurer), waits, "leave", now=LATER)) == ("dismissed", 10, 3, 0)
    assert [status(insurer, n) for n in (7, 8, 9)] == ["in_force"] * 3
    found = at_desk.snapshot(operator(insurer), waits, cursor=None, limit=5, now=LATER)
    assert [it.fate for it in found.vanished.items] == ["left", "left", "told"]
    with pytest.raises(SnapshotOver):
        at_desk.decide(operator(insurer), waits, "take_back", now=LATER)


def test_an_end_is_taken_back_to_what_each_was_before_and_what_was_told_since_stays(insurer: int, waits: str) -> None:
    who = operator(insurer)
    at_desk.decide(who, waits, "end", now=LATER + DAY)
    telling.tell(Telling(insurer, "cli_t", LATER + 2 * DAY), policy(8, version=2))
    with transaction() as session:  # as if another status had vanished: what was stored is what comes back
        session.execute(text("UPDATE policy_vanished SET status_before = 'lapsed' WHERE status_before IS NOT NULL"))
    back = at_desk.decide(who, waits, "take_back", now=LATER + 3 * DAY)
    assert counts(back) == ("dismissed", 10, 3, 0)
    assert [status(insurer, n) for n in (7, 8, 9)] == ["lapsed", "in_force", "in_force"]
    assert telling.held_policy(insurer, "p-7").vanished is None
    assert lines("policy_snapshot.taken_back") == ["opr_1"]
    with pytest.raises(SnapshotOver):
        at_desk.decide(who, waits, "take_back", now=LATER + 3 * DAY)


def test_a_policy_that_was_told_and_ended_by_its_insurer_since_stays_ended(insurer: int, waits: str) -> None:
    at_desk.decide(operator(insurer), waits, "end", now=LATER + DAY)
    told = Telling(insurer, "cli_t", LATER + 2 * DAY)
    telling.tell(told, replace(policy(8, version=2), status="ended"))
    at_desk.decide(operator(insurer), waits, "take_back", now=LATER + 3 * DAY)
    assert (status(insurer, 7), status(insurer, 8)) == ("in_force", "ended")


def test_what_is_taken_back_has_not_been_told_to_a_snapshot_that_is_open(insurer: int, waits: str) -> None:
    at_desk.decide(operator(insurer), waits, "end", now=LATER + DAY)
    following = opened(insurer, ends=False, now=LATER + 2 * DAY)
    at_desk.decide(operator(insurer), waits, "take_back", now=LATER + 2 * DAY + timedelta(minutes=1))
    shown = completed(insurer, following, LATER + 2 * DAY + timedelta(minutes=2))
    assert counts(shown) == ("completed", 10, 10, 0)


def test_of_two_who_decide_at_once_one_does(insurer: int, waits: str) -> None:
    ready, outcomes = threading.Barrier(2), []

    def deciding(act: str) -> None:
        ready.wait()
        try:
            outcomes.append(at_desk.decide(operator(insurer), waits, act, now=LATER + DAY).state)
        except SnapshotOver:
            outcomes.append("over")

    threads = [threading.Thread(target=deciding, args=(act,)) for act in ("end", "leave")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) in (["completed", "over"], ["dismissed", "over"])
    ended = status(insurer, 7) == "ended"
    assert ended == ("completed" in outcomes)


def test_a_decision_waits_for_one_that_is_under_way(insurer: int, waits: str, monkeypatch: pytest.MonkeyPatch) -> None:
    second: list[object] = []

    def late() -> None:
        try:
            second.append(at_desk.decide(operator(insurer), waits, "leave", now=LATER + DAY).state)
        except SnapshotOver:
            second.append("over")

    deciding = threading.Thread(target=late)
    ending = snapshots._end

    def meanwhile(*args: object) -> None:
        deciding.start()
        deciding.join(0.3)
        assert second == [] and deciding.is_alive()
        ending(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(snapshots, "_end", meanwhile)
    assert at_desk.decide(operator(insurer), waits, "end", now=LATER + DAY).ended == 2
    deciding.join()
    assert second == ["over"]


def test_a_snapshot_is_for_operators_of_its_insurer_with_the_role(insurer: int, waits: str) -> None:
    other = insurers_app("other", policy=False).insurer_id
    for who in (operator(other), operator(insurer, "agent")):
        assert at_desk.count_waiting(who) == 0
        for act in ("end", "leave", "take_back"):
            with pytest.raises(NotFound):
                at_desk.decide(who, waits, act, now=LATER)
        with pytest.raises(NotFound):
            at_desk.snapshot(who, waits, cursor=None, limit=1, now=LATER)
    for wrong in ("snp_none", "x\0"):
        with pytest.raises(NotFound):
            at_desk.snapshot(operator(insurer), wrong, cursor=None, limit=1, now=LATER)
    with pytest.raises(NotFound):
        at_desk.snapshots_of(operator(insurer, "agent"), waiting=True, cursor=None, limit=1, now=LATER)
    assert at_desk.snapshots_of(operator(other), waiting=False, cursor=None, limit=1, now=LATER).items == []
    with pytest.raises(Invalid):
        at_desk.decide(operator(insurer), waits, "guess", now=LATER)
    assert status(insurer, 7) == "in_force"


def test_the_list_of_all_is_paged_the_newest_first(insurer: int, waits: str) -> None:
    newer = opened(insurer, now=LATER + DAY)
    page = at_desk.snapshots_of(operator(insurer), waiting=False, cursor=None, limit=1, now=LATER + DAY)
    assert [it.id for it in page.items] == [newer]
    rest = at_desk.snapshots_of(operator(insurer), waiting=False, cursor=page.next, limit=1, now=LATER + DAY)
    assert ([it.id for it in rest.items], rest.next) == ([waits], None)


def test_who_was_erased_is_named_no_more(insurer: int, waits: str) -> None:
    with reading() as session:
        holder = session.scalar(text("SELECT public_id FROM customer LIMIT 1"))
    erase_by_command(holder, now=NOON + DAY)
    found = at_desk.snapshot(operator(insurer), waits, cursor=None, limit=5, now=LATER + DAY)
    assert {(it.number_masked, it.holder) for it in found.vanished.items} == {("", "")}
