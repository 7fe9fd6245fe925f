"""Pulling a provider's feed page by page."""

from __future__ import annotations

from collections import Counter

import pytest

from booking.feeds import cursors
from booking.feeds.cursors import NotApplied, Pull, apply_each, cursor_of, pages
from booking.feeds.models import SyncCursor
from marketplace.core.database.db import reading
from providers.port import CursorLost, ProviderError
from providers.reported import BookingPage
from tests.people import NOON
from tests.world import make_offer

pytestmark = pytest.mark.usefixtures("db")

Asked = tuple[str | None, str | None]


class Feed:
    """A provider's list that answers what the test put into it, and keeps what it was asked."""

    def __init__(self, *answers: BookingPage | ProviderError) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []

    def __call__(self, cursor: str | None, page: str | None) -> BookingPage:
        self.asked.append((cursor, page))
        answer = self.answers.pop(0)
        if isinstance(answer, ProviderError):
            raise answer
        return answer


def read(provider: int, feed: Feed) -> int:
    return len(list(pages(provider, "bookings", feed, now=NOON)))


def kept(provider: int) -> tuple[str | None, int]:
    with reading() as session:
        row = session.get_one(SyncCursor, (provider, "bookings"))
        return row.cursor, row.failures


def test_a_pull_goes_on_where_the_last_complete_one_ended() -> None:
    provider = make_offer()[0].id
    first = Feed(BookingPage([], "p2", None), BookingPage([], None, "c1"))
    assert read(provider, first) == 2
    assert first.asked == [(None, None), (None, "p2")]
    second = Feed(BookingPage([], None, None))
    assert read(provider, second) == 1
    assert (second.asked, kept(provider)) == ([("c1", None)], ("c1", 0))


def test_a_pull_that_breaks_off_leaves_the_cursor_and_is_counted() -> None:
    provider = make_offer()[0].id
    read(provider, Feed(BookingPage([], None, "c1")))
    for failures in (1, 2):
        with pytest.raises(ProviderError, match="status 500"):
            read(provider, Feed(BookingPage([], "p2", "c2"), ProviderError("status 500")))
        assert kept(provider) == ("c1", failures)


def test_what_cannot_be_applied_keeps_nothing_else_from_it_and_is_corrected_by_provider() -> None:
    provider = make_offer()[0].id
    read(provider, Feed(BookingPage([], None, "c1")))
    applied: list[str] = []

    def work(reference: str) -> str:
        if reference == "R-1":
            raise ValueError("nobody thought of this one")
        applied.append(reference)
        return "applied"

    counts = Counter[str]()
    feed = Feed(BookingPage([], "p2", "c2"), BookingPage([], None, "c3"))
    told = iter((["R-1", "R-2"], ["R-3"]))
    with pytest.raises(NotApplied):
        for part in pages(provider, "bookings", feed, now=NOON):
            apply_each(Pull(provider, "bookings", NOON), part, [(each, each) for each in next(told)], work, counts)
    assert (applied, counts) == (["R-2", "R-3"], {"broken": 1, "applied": 2})
    assert kept(provider) == ("c1", 0)


def test_a_provider_that_lost_our_cursor_is_read_from_the_start() -> None:
    provider = make_offer()[0].id
    read(provider, Feed(BookingPage([], None, "c1")))
    feed = Feed(BookingPage([], "p2", None), CursorLost("lost"), BookingPage([], None, "c9"))
    assert read(provider, feed) == 2
    assert feed.asked == [("c1", None), ("c1", "p2"), (None, None)]
    assert kept(provider) == ("c9", 0)


def test_a_provider_that_refuses_even_the_start_is_an_error() -> None:
    provider = make_offer()[0].id
    with pytest.raises(CursorLost):
        read(provider, Feed(CursorLost("lost")))
    assert kept(provider) == (None, 1)


def test_a_list_without_an_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = make_offer()[0].id
    monkeypatch.setattr(cursors, "MOST_PAGES", 3)
    with pytest.raises(ProviderError, match="without an end"):
        read(provider, Feed(*[BookingPage([], "again", None)] * 4))
    with reading() as session:
        assert cursor_of(session, provider, "bookings") is None
