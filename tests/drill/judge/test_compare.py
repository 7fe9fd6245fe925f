"""What the drill's comparison finds between our books, a provider's and what customers were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from drill.judge.books import Difference
from drill.judge.compare import Ours, Record, Step, Theirs, moment, read_theirs, with_customers, with_providers
from drill.judge.journal import Acknowledged, Journal

OURS = Ours("bkg_1", "cus_1", "p", "confirmed", 3, "2026-03-10T00:00:00+00:00", "s@1", "s")
THEIRS = Theirs("R1", "p", "bkg_1", "confirmed", True, OURS.starts, "s@1", "s")
PLACES = {"s": 1}
STEPS = {"bkg_1": [Step(1, "held"), Step(2, "awaiting_provider"), Step(3, "confirmed")]}
HELD = Acknowledged("hold", "cus_1", "bkg_1", "held", key="k")
CONFIRMED = Acknowledged("confirm", "cus_1", "bkg_1", "awaiting_provider", version=2)


def kinds(found: Sequence[Difference]) -> set[str]:
    return {difference.kind for difference in found}


def test_books_that_agree_differ_in_nothing() -> None:
    ended = replace(OURS, id="bkg_2", state="cancelled", slot="", pool="")
    gone = replace(THEIRS, reference="R2", ours="bkg_2", status="cancelled", live=False)
    assert with_providers([OURS, ended], [THEIRS, gone], PLACES) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (OURS, [], {"ours only", "places differ"}),
        (OURS, [replace(THEIRS, status="cancelled", live=False)], {"ours only", "places differ"}),
        (OURS, [replace(THEIRS, ours="bkg_9")], {"ours only", "theirs only"}),
        (OURS, [replace(THEIRS, provider="q")], {"ours only", "theirs only", "places differ"}),
        (
            OURS,
            [THEIRS, replace(THEIRS, reference="R2")],
            {"twice there", "places differ", "sold more than there are places"},
        ),
        (OURS, [replace(THEIRS, status="no_show")], {"state differs"}),
        (OURS, [replace(THEIRS, slot="s@2")], {"time differs", "places differ"}),
        (OURS, [replace(THEIRS, starts="2026-03-10T01:00:00+00:00")], {"time differs"}),
        (replace(OURS, state="cancelled", slot=""), [THEIRS], {"lives there, ended here", "places differ"}),
        (replace(OURS, slot=""), [THEIRS], {"time differs", "places differ"}),
    ],
)
def test_every_way_in_which_two_sides_can_differ_is_named(ours: Ours, theirs: list[Theirs], expected: set[str]) -> None:
    assert kinds(with_providers([ours], theirs, PLACES)) == expected


def test_a_no_show_on_a_date_that_was_given_up_is_no_difference() -> None:
    left = replace(THEIRS, reference="R0", slot="s@0", status="no_show")
    moved_away = replace(THEIRS, status="cancelled", live=False)
    ended = replace(OURS, state="cancelled", slot="")
    places = {**PLACES, left.pool: 2}
    assert with_providers([OURS], [left, THEIRS], places) == []
    assert with_providers([ended], [left, moved_away], places) == []
    assert kinds(with_providers([ended], [left], places)) == {"lives there, ended here", "places differ"}
    missed = replace(OURS, state="no_show", slot="s@0", starts=left.starts)
    assert with_providers([missed], [left, moved_away], places) == []


def test_a_moment_is_the_same_in_any_zone_and_a_day_is_its_date() -> None:
    assert moment("2026-03-10T08:00:00+08:00", "2026-03-10") == moment("2026-03-10T00:00:00+00:00", None)
    assert moment(None, "2026-03-10") == "2026-03-10"


def told(*lines: Acknowledged, ours: Ours = OURS, asked: set[str] | None = None) -> set[str]:
    return kinds(with_customers([ours], lines, Record(STEPS, {"bkg_1": asked or set()}, {"wtg_1"})))


def test_what_customers_were_told_is_there() -> None:
    assert told(HELD, CONFIRMED, replace(CONFIRMED, what="read", version=3, state="confirmed")) == set()


def test_an_acknowledged_booking_that_is_not_there_is_lost() -> None:
    assert told(replace(HELD, booking="bkg_9")) == {"acknowledged and lost"}
    assert told(replace(HELD, customer="cus_9")) == {"acknowledged and lost"}


def test_a_key_that_made_two_bookings_is_named() -> None:
    second = replace(OURS, id="bkg_2")
    found = with_customers(
        [OURS, second], [HELD, replace(HELD, booking="bkg_2")], Record({**STEPS, "bkg_2": STEPS["bkg_1"]}, {})
    )
    assert kinds(found) == {"one key made two bookings"}


def test_an_acknowledged_cancel_that_did_not_last_is_named() -> None:
    cancelled = Acknowledged("cancel", "cus_1", "bkg_1", "cancelled", version=3)
    assert told(cancelled) == {"told a state it was not in", "acknowledged and undone"}


def test_an_acknowledged_request_that_nobody_recorded_is_lost() -> None:
    asked = Acknowledged("cancel", "cus_1", "bkg_1", "confirmed", version=3, change="cancel")
    assert told(asked) == {"acknowledged and lost"}
    assert told(asked, asked={"cancel"}) == set()


def test_a_version_that_went_back_is_named() -> None:
    assert told(replace(CONFIRMED, version=4, state="confirmed")) == {"acknowledged and undone"}


def test_a_time_that_the_booking_did_not_have_is_named() -> None:
    read = replace(CONFIRMED, what="read", state="confirmed", version=3, starts=OURS.starts)
    assert told(read) == set()
    assert told(replace(read, starts="2026-03-11T00:00:00+00:00")) == {"told a time it did not have"}


def test_the_time_before_a_change_was_rightly_told() -> None:
    moved = [*STEPS["bkg_1"], Step(5, "confirmed", before="2026-03-09T00:00:00+00:00", after=OURS.starts)]
    own = replace(OURS, version=5)
    for version, starts in ((3, "2026-03-09T00:00:00+00:00"), (4, "2026-03-09T00:00:00+00:00"), (5, OURS.starts)):
        line = Acknowledged("read", "cus_1", "bkg_1", "confirmed", version=version, starts=starts)
        assert with_customers([own], [line], Record({"bkg_1": moved}, {})) == []


def test_an_acknowledged_place_in_line_is_there() -> None:
    assert told(Acknowledged("wait", "cus_1", "wtg_1", "waiting")) == set()
    assert told(Acknowledged("wait", "cus_1", "wtg_2", "waiting")) == {"acknowledged and lost"}


def test_the_journal_gives_back_what_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write(HELD)
    journal.write(CONFIRMED)
    journal.close()
    assert Journal.read(journal.path, Acknowledged) == [HELD, CONFIRMED]


def test_a_booking_that_replaces_one_is_the_same_booking_of_ours() -> None:
    row = {
        "reference": "R2",
        "our_reference": "bkg_1-4",
        "status": "confirmed",
        "live": True,
        "starts_at": None,
        "service_date": "2026-03-10",
        "slot": "s@1",
        "pool": "s",
    }
    (theirs,) = read_theirs("p", [row])
    assert theirs.ours == "bkg_1"
    gone = replace(theirs, reference="R1", status="cancelled", live=False)
    assert with_providers([replace(OURS, starts=theirs.starts)], [gone, theirs], PLACES) == []
