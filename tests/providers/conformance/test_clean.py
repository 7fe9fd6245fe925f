"""What a run made is taken back, also what may still be on its way, was doubled, or cannot be cancelled any more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from marketplace.core import clock
from providers.conformance.clean import LATE_SECONDS, clean
from providers.conformance.journal import FileJournal, JournalInUse, Made
from providers.conformance.kit import Kit
from providers.conformance.step import NotTried
from providers.conformance.test_mode import NO_MODE
from providers.port import Accepted, Answer, Cancel, Confirmed, NotFound, Refused, Unknown
from providers.sandbox import secretly
from tests.providers.conformance.served import serve


def test_a_booking_that_may_still_be_made_stays_written_down_until_it_cannot_be(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        journal.add(Made("booking", "kit-late", clock.now().isoformat()))
        assert [*map(str, clean(kit, answered=False))] == ["booking kit-late (perhaps still on its way)"]
        with clock.frozen(clock.now() + timedelta(seconds=LATE_SECONDS + 1)):
            assert clean(kit, answered=False) == []
        assert journal.left() == []
        journal.close()


def test_a_command_without_a_certain_answer_is_not_given_up_by_the_run_that_sent_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        kit.prepare()
        wishes = [kit.wish(), kit.wish()]
        for wish, answer in zip(wishes, (Unknown("no answer"), Refused("sold_out")), strict=True):
            monkeypatch.setattr(kit.adapter, "reserve", lambda _wish, answer=answer: answer)
            kit.send(wish)
        assert [*map(str, clean(kit))] == [f"booking {wishes[0].our_reference} (perhaps still on its way)"]
        assert [made.subject for made in journal.left()] == [wishes[0].our_reference]
        journal.close()


def test_a_double_behind_the_booking_is_taken_back_too(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        kit.prepare()
        booked = kit.book()
        with served.desk.ledger.transaction() as tx:
            secretly.copy(served.desk, tx, booked.reference, {})
        assert len(served.live()) == 2
        assert (clean(kit), served.live()) == ([], [])
        journal.close()


def test_a_booking_that_took_place_is_removed_by_the_test_mode_or_told_as_left(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        kit.prepare()
        booked = kit.book()
        kit.mode.move(booked.reference, "fulfil")
        without = Kit(served.target(), journal)
        without._mode = None
        assert [*map(str, clean(without))] == [f"booking {booked.wish.our_reference} (the provider has no test mode)"]
        assert (clean(kit), served.live()) == ([], [])
        journal.close()


def test_what_the_test_mode_has_nothing_to_remove_of_is_left_only_where_it_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        kit.prepare()
        gone, there = kit.book(), kit.book()
        cancel = kit.adapter.cancel
        monkeypatch.setattr(kit.adapter, "cancel", lambda _command: Refused("other"))

        def forget(reference: str) -> None:
            if reference == gone.reference:  # it went by itself meanwhile
                cancel(Cancel("k", gone.wish.our_reference, reference, "test", gone.version))
            raise NotTried(NO_MODE())

        monkeypatch.setattr(kit.mode, "forget", forget)
        assert [*map(str, clean(kit))] == [f"booking {there.wish.our_reference} (the provider has no test mode)"]
        assert [made.subject for made in journal.left()] == [there.wish.our_reference]
        journal.close()


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (NotFound(), ""),
        (Confirmed("R-1", 2), ""),
        (Accepted("R-1", 2), "cannot be looked up"),
        (Refused("other"), "cannot be looked up"),
        (Unknown("status 500"), "cannot be looked up"),
    ],
)
def test_where_nothing_can_be_looked_up_the_answer_to_a_cancel_says_whether_something_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, left: str
) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        journal.add(Made("booking", "kit-1", clock.now().isoformat()))
        monkeypatch.setattr(kit.adapter, "look_up", lambda _question: Unknown("status 500"))
        monkeypatch.setattr(kit.adapter, "cancel", lambda _command: answer)
        assert [*map(str, clean(kit))] == ([f"booking kit-1 ({left})"] if left else [])
        journal.close()


def test_a_cancel_that_finds_nothing_says_nothing_of_what_may_still_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        journal.add(Made("booking", "kit-1", clock.now().isoformat()))
        monkeypatch.setattr(kit.adapter, "look_up", lambda _question: Unknown("status 500"))
        monkeypatch.setattr(kit.adapter, "cancel", lambda _command: NotFound())
        assert [*map(str, clean(kit, answered=False))] == ["booking kit-1 (perhaps still on its way)"]
        journal.close()


def test_what_cannot_be_looked_up_after_a_cancel_that_was_refused_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        kit.prepare()
        booked, look_up = kit.book(), kit.adapter.look_up
        looks = iter([look_up, lambda _question: Unknown("status 500")])
        monkeypatch.setattr(kit.adapter, "look_up", lambda question: next(looks)(question))
        monkeypatch.setattr(kit.adapter, "cancel", lambda _command: Accepted("R-1", 2))
        assert [*map(str, clean(kit))] == [f"booking {booked.wish.our_reference} (cannot be looked up)"]
        journal.close()


def test_a_journal_survives_its_process_and_is_one_runs_at_a_time(tmp_path: Path) -> None:
    first = FileJournal(tmp_path / "j")
    for name in ("kit-1", "kit-2"):
        first.add(Made("booking", name, clock.now().isoformat()))
    first.gone(first.left()[0])
    with pytest.raises(JournalInUse):
        FileJournal(tmp_path / "j")
    first.close()
    with (tmp_path / "j").open("a") as file:
        file.write('{"what": "booking", "subj')  # cut by the end of its process
    second = FileJournal(tmp_path / "j")
    assert [made.subject for made in second.left()] == ["kit-2"]
    second.add(Made("booking", "kit-3", clock.now().isoformat()))
    second.close()
    third = FileJournal(tmp_path / "j")
    assert [made.subject for made in third.left()] == ["kit-2", "kit-3"]
    third.close()
