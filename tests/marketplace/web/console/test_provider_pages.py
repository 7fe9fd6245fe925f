"""The console's page of a provider: its figures, and pausing it for a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.calls.breaker import Call
from booking.health.counts import Came, Counts
from booking.health.figures import ENOUGH
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading
from tests.marketplace.web.console.entering import enter
from tests.marketplace.web.visitors import Visitor, main, words
from tests.people import NOON
from tests.world import World, set_provider
from vip.operators.operators import create_operator


@pytest.fixture
def url(world: World) -> str:
    """The provider's page."""
    return f"/operators/providers/{world.provider.code}"


def count(world: World, came: Came, number: int) -> None:
    counts = Counts()
    for _ in range(number):
        counts.add(world.provider.id, Call.COMMANDS, came, 300, at=NOON - timedelta(minutes=2))
    counts.write()


def paused() -> tuple[object, str | None]:
    with reading() as session:
        row = session.scalars(select(Provider)).one()
        return row.paused_at, row.pause_reason


def test_the_list_leads_to_it_and_tells_the_last_hour(operator: Visitor, world: World, url: str) -> None:
    count(world, Came.SUCCEEDED, 19)
    count(world, Came.TIMED_OUT, 1)
    page = operator.get("/operators/providers")
    assert f'href="{url}"' in page.text
    assert "95% of 20 calls no answer in time: 1" in main(page)


def test_nothing_is_told_as_nothing(operator: Visitor, world: World, url: str) -> None:
    assert "no call" in main(operator.get("/operators/providers"))
    page = operator.get(url)
    assert page.status_code == 200
    assert "Nothing was asked of it" in main(page) and "No request was answered" in main(page)
    assert '<svg class="bars"' not in page.text


@pytest.mark.parametrize("window", ["", "1h", "24h", "7d", "rubbish"])
def test_its_figures_are_told_in_numbers_and_drawn(operator: Visitor, world: World, url: str, window: str) -> None:
    count(world, Came.SUCCEEDED, 19)
    count(world, Came.SERVER_ERRORS, 1)
    page = operator.get(f"{url}?window={window}")
    told = main(page)
    assert "Commands 20 95%" in told and "error of its server (5xx): 1" in told
    assert page.text.count('<svg class="bars"') == 1 and "bars__failed" in page.text
    operator.language = "zh"
    assert "服务器错误（5xx）：1" in main(operator.get(f"{url}?window={window}"))


def test_who_only_asks_us_to_come_later_is_drawn_neither_as_answering_nor_as_failing(
    operator: Visitor, world: World, url: str
) -> None:
    count(world, Came.RATE_LIMITED, 12)
    page = operator.get(url)
    assert 'class="bars__later" x' in page.text and 'class="bars__good" x' not in page.text
    assert 'class="bars__failed" x' not in page.text


def test_of_a_few_calls_nothing_is_marked_on_any_page(operator: Visitor, world: World, url: str) -> None:
    count(world, Came.SERVER_ERRORS, ENOUGH - 1)
    assert "Many calls fail" not in main(operator.get(url))
    assert "bad strong" not in operator.get(url).text.split("calls-title")[0]
    count(world, Came.SERVER_ERRORS, 1)
    assert "Many calls fail" in main(operator.get(url))
    assert "bad strong" in operator.get(url).text.split("calls-title")[0]


def test_it_is_paused_for_a_reason_and_goes_on(operator: Visitor, world: World, url: str) -> None:
    assert operator.post(url, url, act="pause", reason="Its system <moves>").status_code == 303
    assert paused() == (NOON, "Its system <moves>")
    page = operator.get(url)
    assert "Its system &lt;moves&gt;" in page.text and "by 林默" in main(page)
    assert operator.post(url, url, act="resume").status_code == 303
    assert paused() == (None, None)


def test_without_a_reason_it_is_not_paused_and_the_field_says_so(operator: Visitor, world: World, url: str) -> None:
    page = operator.post(url, url, act="pause", reason="  ")
    assert page.status_code == 422 and "This is needed." in main(page)
    long = operator.post(url, url, act="pause", reason="x" * 201)
    assert long.status_code == 422 and "at most 200 characters" in main(long)
    assert operator.post(url, url, act="explode").status_code == 422
    assert paused() == (None, None)


def test_who_comes_second_is_told(operator: Visitor, world: World, url: str) -> None:
    operator.post(url, url, act="pause", reason="first")
    operator.post(url, url, act="pause", reason="second")
    assert "It was paused already." in words(operator.get(url))
    assert paused()[1] == "first"


def test_what_is_not_there_and_what_is_not_hers_is_not_found(door: Visitor, world: World, url: str) -> None:
    create_operator("mei", "a long password", "Mei", "agent", now=NOON)
    enter(door, "mei")
    assert door.get(url).status_code == 404


def test_another_code_is_not_found(operator: Visitor, world: World) -> None:
    assert operator.get("/operators/providers/nobody").status_code == 404
    assert operator.get("/operators/providers/%00").status_code == 404


def test_a_pause_of_before_has_neither_reason_nor_name(operator: Visitor, world: World, url: str) -> None:
    set_provider(world.provider, paused_at=NOON)
    assert "Since Today, 12:00" in main(operator.get(url))


def test_an_operator_renames_a_provider(operator: Visitor, url: str, world: World) -> None:
    page = f"{url}/names"
    assert f'href="{page}"' in operator.get(url).text
    before = {"seen_name_zh": "和馨", "seen_name_en": "Hexin"}
    wrong = operator.post(page, page, **before, name_zh="和馨", name_en="")
    assert wrong.status_code == 422 and 'id="f-name_en-error"' in wrong.text
    new = {"name_zh": "和馨体检", "name_en": "Hexin Health"}
    assert operator.post(page, page, **before, **new).headers["Location"] == url
    assert "Hexin Health" in main(operator.get(url))
    late = operator.post(page, page, **before, **{**new, "name_en": "Another"})
    assert late.status_code == 409 and 'value="Hexin Health"' in late.text and "Another" not in late.text
