"""Finding a place that somebody can be sent to: levels and words, the city picker, and what helps where it is not
covered."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from booking.coverage.wish import wishes
from marketplace.catalog.one_place.merge import merge
from marketplace.core.database.db import transaction
from tests.booking.coverage.stage import make_places, make_sender, say
from tests.marketplace.catalog.coverage.stage import KIND
from tests.marketplace.web.visitors import Visitor, main, words
from tests.people import NOON, TODAY
from tests.world import World

BEIJING = f"benefit={KIND}&city={quote('北京')}"


# what is typed in Beijing: (the number, what is said of other cities, the rows)
LED = {
    "甲医院": ("1 place · Covered 1", "1 place", ["Jia Hospital"]),
    "甲医完": ("1 place · Covered 1", "1 place", ["Jia Hospital"]),
    "庚医院": ("1 place · Not covered 1", "Not in Beijing, but here: Hangzhou, 1 place", ["Geng Hospital"]),
    "庚医完": ("1 place · Not covered 1", "Not in Beijing, but here: Hangzhou, 1 place", ["Geng Hospital"]),
    "廊坊 丁医院": ("1 place · Not covered 1", "In Langfang, as you typed. Back to Beijing", ["Ding Hospital"]),
    "瑞金": ("No place", "No place fits all of this", []),
}


@pytest.fixture
def ids(world: World, tmp_path: Path) -> dict[str, str]:
    """Places of which one is covered, one on request, one not, with an escort service in their city."""
    found = make_places(tmp_path)
    say("covered", day=TODAY)
    say("on_request", tier="二级甲等", day=TODAY)
    say("not_covered", tier="unknown", day=TODAY)
    return found


def test_the_list_says_how_each_place_is_covered_and_leads_on(visitor: Visitor, ids: dict[str, str]) -> None:
    bare = visitor.get(f"/places/venues?{BEIJING}")
    assert "3 places · Covered 1 · On request 1 · Not covered 1" in words(bare)
    assert "No service sends anybody here yet." in main(bare) and "/services?" not in bare.text
    make_sender("甲医院", answer_hours=6)
    page = visitor.get(f"/places/venues?{BEIJING}&for=")
    assert re.findall(r'<h3 class="titled"><a [^>]*>([^<]+)', page.text) == [
        "Jia Hospital",
        "Yi Hospital",
        "Bing Hospital",
    ]
    assert f"/sites/{ids['甲医院']}/services?benefit={KIND}" in page.text
    assert "answered within 6 hours" in main(page)
    assert "Nearest that is covered: Jia Hospital · Beijing" in words(page)
    only = visitor.get(f"/places/venues?{BEIJING}&level=on_request")
    assert re.findall(r'<h3 class="titled"><a [^>]*>([^<]+)', only.text) == ["Yi Hospital"]
    assert "No place fits all of this" in main(visitor.get(f"/places/venues?{BEIJING}&level=covered&tier=unknown"))
    too_long = "x" * 101
    long = visitor.get(f"/places/venues?{BEIJING}&q={too_long}")
    assert "at most 100 characters" in main(long) and f'value="{too_long}"' in long.text, "said, and kept in the box"
    assert "Jia Hospital" not in main(long), "no list as if nothing had been typed"
    assert "Jia Hospital" in main(visitor.get(f"/places/venues?{BEIJING}&q={quote('甲' + ' ' * 80 + '医院')}"))
    for typed, (head, said, names) in LED.items():
        page = visitor.get(f"/places/venues?{BEIJING}&q={quote(typed)}")
        assert re.findall(r'<h3 class="titled"><a [^>]*>([^<]+)', page.text) == names, typed
        assert head in words(page) and said in words(page), typed
    back = visitor.get(f"/places/venues?{BEIJING}&district={quote('海淀区')}&q={quote('廊坊 丁医院')}")
    assert "Ding Hospital" in main(back) and "Haidian" not in main(back), (
        "a district of her own city says nothing of another one"
    )
    moved = visitor.get(f"/places?{BEIJING}")
    assert moved.status_code == 303 and moved.location.startswith("/places/venues?")
    for kind in ("health_check", "nothing", ""):
        assert visitor.get(f"/places/venues?benefit={kind}").status_code == 404
    assert visitor.get(f"/places/venues?{BEIJING}&tier=x").status_code in (404, 422)
    visitor.language = "zh"
    told = words(visitor.get(f"/places/venues?{BEIJING}"))
    assert "需申请 1" in told and "甲医院" in told and "北京·东城区" in told


def test_the_city_picker_counts_what_can_be_booked(visitor: Visitor, ids: dict[str, str]) -> None:
    page = visitor.get(f"/places/venues/cities?benefit={KIND}")
    assert "Beijing 2 of 3" in words(page) and "Langfang 0 of 1" in words(page)


def test_who_finds_a_place_not_covered_can_be_told_of_it(visitor: Visitor, ids: dict[str, str], world: World) -> None:
    address = f"/sites/{ids['丙医院']}/coverage?benefit={KIND}"
    page = visitor.get(address)
    assert "Nearest places that are covered Jia Hospital · Beijing" in words(page) and "Tell me" in main(page)
    assert visitor.post(address, address, act="ask").status_code == 303
    assert [it.site for it in wishes(world.principal, KIND)] == [ids["丙医院"]]
    assert "Don't tell me any more" in main(visitor.get(address))
    assert visitor.post(address, address, act="take_back").status_code == 303
    assert wishes(world.principal, KIND) == []
    with transaction() as session:
        merge(session, ids["乙医院"], ids["丙医院"], by="opr_1", now=NOON)
    entry = f"/sites/{ids['乙医院']}/coverage?benefit={KIND}"
    assert "Nearest places that are covered Jia Hospital · Beijing" in words(visitor.get(entry))
    assert visitor.post(entry, entry, act="ask").status_code == 303
    assert "Don't tell me any more" in main(visitor.get(entry)), "an entry of it stands for the place"
    make_sender("甲医院")
    covered = visitor.get(f"/sites/{ids['甲医院']}/coverage?benefit={KIND}")
    assert "Pick a time" in main(covered) and "Tell me" not in main(covered)
    say("covered", tier="unknown", day=TODAY + timedelta(15))
    later = visitor.get(address)
    assert re.search(r"From \w+ \d+ \w+: Covered", words(later)), "not today"
    assert f"/sites/{ids['丙医院']}/services?benefit={KIND}" in later.text and "Tell me" not in main(later)
    for missing in (f"/sites/site_x/coverage?benefit={KIND}", f"/sites/{ids['丙医院']}/coverage?benefit=health_check"):
        assert visitor.get(missing).status_code == 404


def test_the_address_of_a_merged_entry_shows_its_place_and_asks_for_that(
    visitor: Visitor, ids: dict[str, str], world: World
) -> None:
    with transaction() as session:
        merge(session, ids["甲医院"], ids["丙医院"], by="opr_1", now=NOON)
    address = f"/sites/{ids['甲医院']}/coverage?benefit={KIND}"
    page = visitor.get(address)
    assert "Bing Hospital" in main(page) and "Nearest places that are covered Yi Hospital" in words(page)
    assert f'action="/sites/{ids["丙医院"]}/coverage' in page.text
    assert visitor.post(address, address, act="ask").location.startswith(f"/sites/{ids['丙医院']}/coverage")
    assert "Don't tell me any more" in main(visitor.get(address))
    assert [it.site for it in wishes(world.principal, KIND)] == [ids["丙医院"]]
