"""Times without a zone, and lists that are read by them: hours that come twice, clocks that are put back."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from providers.adapters import zoneless
from providers.adapters.changes_by_time import Window, next_window
from providers.port import ProviderError

NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"


def at(text: str) -> datetime:
    return zoneless.read({"at": text}, "at")


@pytest.mark.parametrize(
    ("zone", "told", "means"),
    [
        ("Asia/Shanghai", "2026-12-31 23:59:59", "2026-12-31T15:59:59"),
        ("Asia/Shanghai", "2028-02-29 00:00:00", "2028-02-28T16:00:00"),
        (NEW_YORK, "2026-03-08 01:59:59", "2026-03-08T06:59:59"),
        (NEW_YORK, "2026-03-08 03:00:00", "2026-03-08T07:00:00"),
        (LORD_HOWE, "2026-01-10 08:00:00", "2026-01-09T21:00:00"),
        (LORD_HOWE, "2026-07-10 08:00:00", "2026-07-09T21:30:00"),
    ],
)
def test_a_time_without_a_zone_is_read_in_the_providers(zone: str, told: str, means: str) -> None:
    assert zoneless.moment(at(told), zone, at(told)) == datetime.fromisoformat(means).replace(tzinfo=UTC)


def test_in_the_hour_that_comes_twice_a_time_is_the_later_one_only_if_that_has_come() -> None:
    told = at("2026-11-01 01:50:00")
    first, second = datetime(2026, 11, 1, 5, 50, tzinfo=UTC), datetime(2026, 11, 1, 6, 50, tzinfo=UTC)
    assert zoneless.moment(told, NEW_YORK, at("2026-11-01 01:20:00")) == first
    assert zoneless.moment(told, NEW_YORK, at("2026-11-01 02:10:00")) == second


@pytest.mark.parametrize(
    "text", ["2026-02-29 08:00:00", "2026-03-05T08:00:00", "2026-03-05 08:00", "0001-01-01 00:00:00"]
)
def test_what_is_no_time_is_an_error_of_the_provider(text: str) -> None:
    with pytest.raises(ProviderError, match="at"):
        at(text)


def _ends_at(server: str, cursor: str) -> str:
    window = Window.open(cursor, None, at(server), {"overlap_seconds": "120"})
    following = next_window(window, [], "updateTime", 200, at(server), {"overlap_seconds": "120"})
    assert isinstance(following, str)
    return following


def test_the_next_pull_begins_a_while_before_the_providers_clock_also_where_that_was_put_back() -> None:
    assert _ends_at("2026-11-01 01:59:55", "2026-11-01 01:57:40") == "2026-11-01 01:57:55"
    assert _ends_at("2026-11-01 01:00:10", "2026-11-01 01:57:55") == "2026-11-01 00:58:10"


def test_a_long_absence_is_caught_up_with_window_by_window_without_a_gap() -> None:
    window = Window.open("2026-01-01 00:00:00", None, at("2026-04-01 00:00:00"), {})
    edges = []
    following: Window | str = window
    while isinstance(following, Window):
        window = following
        edges.append((window.start, window.end))
        following = next_window(window, [], "updateTime", 200, at("2026-04-01 00:00:00"), {})
    assert all(one[1] == next_one[0] for one, next_one in pairwise(edges))
    assert edges[-1][1] > at("2026-04-01 00:00:00")
    assert following == "2026-03-31 23:45:00"


def test_more_changes_in_one_second_than_a_page_holds_are_read_page_by_page() -> None:
    second = {"updateTime": "2026-03-05 08:00:00"}
    window = Window.open("2026-03-05 08:00:00", None, at("2026-03-05 08:10:00"), {})
    following = next_window(window, [second] * 3, "updateTime", 3, at("2026-03-05 08:10:00"), {})
    assert isinstance(following, Window) and (following.start, following.page) == (window.start, 2)
    again = Window.open(None, following.token(), at("2026-03-05 08:11:00"), {})
    assert (again.page, again.began) == (2, at("2026-03-05 08:10:00"))
    following = next_window(again, [second, {"updateTime": "2026-03-05 08:00:01"}], "updateTime", 2, again.now, {})
    assert isinstance(following, Window) and (following.start, following.page) == (at("2026-03-05 08:00:01"), 1)


@pytest.mark.parametrize(
    ("times", "size"),
    [(["2026-03-05 07:59:59"], 1), (["2026-03-05 08:00:03", "2026-03-05 08:00:02", "2026-03-05 08:00:01"], 9)],
)
def test_a_page_that_says_nothing_of_where_to_go_on_is_an_error_of_the_provider(times: list[str], size: int) -> None:
    window = Window.open("2026-03-05 08:00:00", None, at("2026-03-05 08:10:00"), {})
    with pytest.raises(ProviderError):
        next_window(window, [{"updateTime": each} for each in times], "updateTime", size, window.now, {})


def test_a_row_that_was_not_asked_for_moves_no_window() -> None:
    window = Window.open("2026-03-05 08:00:00", None, at("2026-03-05 08:10:00"), {})
    rows = [{"updateTime": "2026-03-05 07:59:59"}, {"updateTime": "2026-03-05 08:00:02"}]
    following = next_window(window, rows, "updateTime", 2, window.now, {})
    assert isinstance(following, Window) and following.start == at("2026-03-05 08:00:02")
