"""Dates, spans and money read naturally in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.web import formats
from tests.marketplace.web.gallery import create_gallery

NOW = datetime(2026, 11, 23, 1, 48, tzinfo=UTC)
EIGHT = datetime(2026, 11, 26, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_gallery()


@pytest.fixture(params=["zh", "en"])
def lang(app: Flask, request: pytest.FixtureRequest) -> Iterator[str]:
    with app.test_request_context(f"/?lang={request.param}"), clock.frozen(NOW):
        yield request.param


def test_day_has_a_space_between_han_and_digits(lang: str) -> None:
    assert formats.day(EIGHT) == {"zh": "11 月 26 日 周四", "en": "Thu 26 November"}[lang]


def test_day_of_a_year_that_is_over_names_the_year(lang: str) -> None:
    past = EIGHT.replace(year=EIGHT.year - 1)
    assert formats.day(past).split() == {"zh": "2025 年 11 月 26 日 周三", "en": "Wed 26 November 2025"}[lang].split()


def test_moment_today_needs_no_date(lang: str) -> None:
    assert formats.moment(datetime(2026, 11, 23, 8, 0, tzinfo=UTC)) == {"zh": "今天 16:00", "en": "Today, 16:00"}[lang]


def test_deadline_reads_inside_a_sentence(lang: str) -> None:
    today, later = datetime(2026, 11, 23, 8, 0, tzinfo=UTC), datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
    assert formats.deadline(today) == {"zh": "今天 16:00", "en": "16:00 today"}[lang]
    assert formats.deadline(later) == {"zh": "11 月 26 日 09:00", "en": "09:00 on 26 November"}[lang]


def test_moment_of_last_year_names_the_year(lang: str) -> None:
    shown = formats.moment(datetime(2025, 11, 20, 11, 42, tzinfo=UTC))
    assert shown == {"zh": "2025 年 11 月 20 日 19:42", "en": "20 November 2025, 19:42"}[lang]


def test_time_range_has_an_en_dash(lang: str) -> None:
    assert formats.time_range(EIGHT, datetime(2026, 11, 26, 0, 30, tzinfo=UTC)) == "08:00\u201308:30"


def test_zone_is_named_only_where_clocks_differ(lang: str) -> None:
    assert formats.zone_note("Asia/Shanghai", EIGHT) == ""
    assert formats.zone_note("Asia/Urumqi", EIGHT) == {"zh": "乌鲁木齐时间", "en": "Urumqi time"}[lang]


@pytest.mark.parametrize(
    ("days", "zh", "en"),
    [
        (22, "昨天", "Yesterday"),
        (23, "今天", "Today"),
        (24, "明天", "Tomorrow"),
        (26, "再过 3 天", "In 3 days"),
        (20, "3 天前", "3 days ago"),
    ],
)
def test_relative_day(lang: str, days: int, zh: str, en: str) -> None:
    assert formats.relative_day(date(2026, 11, days)) == {"zh": zh, "en": en}[lang]


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (165_600, "1 天 22 小时", "1 day 22 h"),
        (22_320, "6 小时 12 分", "6 h 12 min"),
        (582, "9 分 42 秒", "9 min 42 s"),
        (540, "9 分", "9 min"),
        (3_605, "1 小时", "1 h"),
        (-5, "0 秒", "0 s"),
    ],
)
def test_span_shows_two_units_at_most(lang: str, seconds: int, zh: str, en: str) -> None:
    assert formats.span(seconds) == {"zh": zh, "en": en}[lang]


def test_money_comes_from_minor_units_and_hides_empty_decimals(lang: str) -> None:
    sign = {"zh": "¥", "en": "CN¥"}[lang]
    assert formats.money(128000) == f"{sign}1,280"
    assert formats.money(128050) == f"{sign}1,280.50"
    assert formats.money(500, "JPY").endswith("500")


def test_phone_is_masked_and_short_input_gives_nothing_away() -> None:
    assert formats.masked_phone("+8613812342041") == "138****2041"
    assert formats.masked_phone("1234567") == "****"


def test_reference_is_read_in_groups() -> None:
    assert formats.reference("AX7K2M914Q") == "AX 7K2M 914Q"
