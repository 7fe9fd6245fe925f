"""The job that reads the lists of providers that send escorts: when, and what keeps it from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from booking.escort.outside.listen import AFTER, BEFORE, FAR, NEAR
from booking.feeds.unreadable import UnreadableRow
from booking.sync.webhooks import receive_event
from marketplace.core.errors import Invalid
from providers.port import ComeBackLater, NotAuthorised, ProviderError
from providers.reported import EscortPage, Event
from tests.booking.escort.outside.stage import (
    ENDS,
    Outside,
    assigned,
    by_event,
    came_of,
    deeds,
    line,
    listening,
    make_outside,
    open_cases,
    sent,
    state,
    unreadable,
)
from tests.booking.escort.staff import notices
from tests.people import NOON
from tests.world import EIGHT

pytestmark = pytest.mark.usefixtures("db")


def later(minutes: float) -> datetime:
    """So long after the beginning."""
    return EIGHT + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (NOON, NOON + FAR),
        (EIGHT - BEFORE - timedelta(minutes=5), EIGHT - BEFORE),
        (EIGHT - BEFORE, EIGHT - BEFORE + NEAR),
        (ENDS + AFTER - timedelta(seconds=1), ENDS + AFTER - timedelta(seconds=1) + NEAR),
        (ENDS + AFTER, ENDS + AFTER + FAR),
    ],
)
def test_it_is_read_every_minute_around_its_time_and_now_and_then_else(now: datetime, then: datetime) -> None:
    it = make_outside()
    booking = it.book()
    it.read(now)
    assert listening(booking).listen_at == then
    asked = len(it.there.asked_for)
    it.read(then - timedelta(seconds=1))
    assert len(it.there.asked_for) == asked
    it.read(then)
    assert len(it.there.asked_for) == asked + 1


def test_what_is_over_is_read_for_a_day_and_no_longer() -> None:
    it = make_outside()
    booking = it.book()
    by_event(it, assigned(booking), NOON)
    it.status(booking, "cancelled", 3, now=later(-60))
    it.read(later(-60))
    assert listening(booking).listen_at == later(-60) + FAR
    it.read(ENDS + AFTER)
    assert listening(booking).listen_at is None


def test_nothing_is_read_of_what_is_not_confirmed() -> None:
    it = make_outside(firm=False)
    it.book()
    assert it.read(NOON) == {}
    assert it.there.asked_for == []


def test_a_status_makes_it_due_at_once() -> None:
    it = make_outside()
    booking = it.book()
    it.read(later(0))
    it.status(booking, "in_service", 3, now=later(0.1))
    assert listening(booking).listen_at == later(0.1)


def test_a_line_that_an_event_could_not_bring_makes_it_due_at_once() -> None:
    it = make_outside()
    booking = it.book()
    it.read(later(0))
    row = unreadable(booking, 1)
    event = Event("evt-1", "escort.line", later(0.1), unreadable=row)
    assert receive_event(it.provider_id, event, now=later(0.1)) == "unreadable"
    it.there.lines.append(row)
    it.read(later(0.1))
    assert (came_of(booking), open_cases()) == (["passed"], ["unreadable_row"])


def test_a_row_without_a_number_is_recorded_and_passes_nothing_over() -> None:
    it = make_outside()
    booking = it.book()
    it.there.lines.append(unreadable(booking, None))
    it.there.escort_lines_after = lambda reference, seq: _page(unreadable(booking, None))  # type: ignore[method-assign]
    it.read(later(0))
    assert (came_of(booking), open_cases()) == ([], ["unreadable_row"])


def _page(row: UnreadableRow) -> object:
    return EscortPage([], None, [row])


def test_one_list_that_cannot_be_read_stops_no_other_and_is_a_case() -> None:
    it = make_outside()
    bad, good = it.book(0), it.book(1)
    it.there.broken[f"R-{bad}"] = ProviderError("500")
    it.says(assigned(good))
    assert it.read(later(-10)) == {"failed": 1, "taken": 1}
    assert (open_cases(), len(sent(good))) == (["escort_list_not_read"], 1)
    assert listening(bad).read_at is None
    it.there.broken.clear()
    it.read(later(-5))
    assert (open_cases(), listening(bad).read_at) == ([], later(-5))


def test_where_no_list_can_be_read_it_is_the_provider() -> None:
    it = make_outside()
    it.book(0), it.book(1)
    it.there.broken["*"] = ProviderError("500")
    with pytest.raises(ProviderError):
        it.read(later(0))
    assert open_cases() == []


@pytest.mark.parametrize("failure", [ComeBackLater("429", 60), NotAuthorised("401")])
def test_who_asks_for_a_pause_or_knows_our_key_no_more_is_asked_nothing_else(failure: ProviderError) -> None:
    it = make_outside()
    it.book(0), it.book(1)
    it.there.broken["*"] = failure
    with pytest.raises(type(failure)):
        it.read(later(0))
    assert len(it.there.asked_for) == 1


def test_a_picture_that_may_not_be_stored_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_content: bytes) -> object:
        raise Invalid(field="picture", reason="picture_type")

    monkeypatch.setattr("tests.booking.escort.outside.stage.examine", refuse)
    it = make_outside()
    booking = it.book()
    it.there.papers["p-1"] = b"no picture"
    it.says(assigned(booking))
    it.says(line(booking, 2, "paper", picture="p-1"))
    it.says(line(booking, 3, "met"))
    it.read(later(1))
    assert (came_of(booking), state(booking)) == (["named", "passed", "deed"], "checked_in")


@pytest.mark.parametrize("second", [lambda it, said: it.tell(said, now=later(1)), lambda it, _said: it.read(later(1))])
def test_of_two_that_bring_the_same_line_one_takes_it(second: Callable[[Outside, object], object]) -> None:
    it = make_outside()
    booking = it.book()
    said = it.says(assigned(booking))
    met = it.says(line(booking, 2, "met"))
    it.read(NOON)
    assert [each.kind for each in deeds(booking)] == ["met"]
    for seq in range(3, 9):
        said = it.says(line(booking, seq, "note", words=f"第 {seq} 条"))
        with ThreadPoolExecutor(2) as both:
            ways = [both.submit(it.tell, said, now=later(seq)), both.submit(second, it, said)]
            for way in ways:
                way.result()
    assert [each.number for each in deeds(booking)] == [met.seq, *range(3, 9)]
    assert (open_cases(), len(notices("escort_assigned"))) == ([], 1)
