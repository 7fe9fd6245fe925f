"""The numbers of every city, and the changes that are known, against another way of counting."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, select

from marketplace.catalog.coverage.changes import next_changes
from marketplace.catalog.coverage.counts import by_city
from marketplace.catalog.models import Site
from marketplace.catalog.search import SiteQuery
from marketplace.core.database.db import reading
from tests.marketplace.catalog.coverage import recount
from tests.marketplace.catalog.coverage.stage import DAY, KIND, any_lines, load_places, other_insurer, store
from tests.sites import many_sites

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def _with_districts(number: int) -> list[dict[str, str]]:
    return [
        {**each, "district": f"{'东西南北'[place // 300 % 4]}城区"} for place, each in enumerate(many_sites(number))
    ]


def test_the_numbers_of_every_city_and_the_next_changes_are_what_a_recount_finds(db: Engine, tmp_path: Path) -> None:
    places = load_places(tmp_path, _with_districts(1500))
    insurers = [other_insurer(code) for code in ("one", "two")]
    lines = any_lines(Random(4), places, 2500, insurers)
    store(lines)
    for insurer in (insurers[0], None):
        expected = recount.cities(lines, places, KIND, DAY, insurer)
        found = by_city(KIND, DAY, insurer_id=insurer)
        assert {(each.province, each.city): (each.covered, each.on_request, each.not_covered) for each in found} == {
            city: (had["covered"], had["on_request"], had["not_covered"]) for city, had in expected.items()
        }
        assert len(found) == 300 and sum(each.sites for each in found) == 1500
        assert min(sum(each.covered for each in found), sum(each.on_request for each in found)) > 50

    days = [DAY + timedelta(ahead) for ahead in range(6)]
    with reading() as session:
        public_ids = {row.id: row.public_id for row in session.execute(select(Site.id, Site.public_id))}
    some = places[::5]
    changes = next_changes([public_ids[place.id] for place in some], KIND, DAY, insurer_id=insurers[0])
    assert len(changes) > 20
    for place in some:
        levels = [recount.level(lines, place, KIND, day, insurers[0]) for day in days]
        first = next((at for at, level in enumerate(levels) if level != levels[0]), None)
        change = changes.get(public_ids[place.id])
        known = None if change is None else (change.on_day, change.level)
        assert known == (None if first is None else (days[first], levels[first]))


def test_the_numbers_are_of_what_is_looked_for(tmp_path: Path) -> None:
    places = load_places(tmp_path, many_sites(600))
    [found] = by_city(KIND, DAY, insurer_id=None, query=SiteQuery(city=places[0].city, tier="三级甲等"))
    here = [place for place in places if place.city == places[0].city and place.tier == "三级甲等"]
    assert (found.city, found.sites, found.open) == (places[0].city, len(here), 0)
    assert next_changes([], KIND, DAY, insurer_id=None) == {}
