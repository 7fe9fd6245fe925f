"""The places that somebody can be sent to, as a customer finds them, and the nearest where one isn't covered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from booking.coverage.nearest import nearest
from booking.coverage.venues import Venue, venue, venues
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.search import SiteQuery
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound
from tests.booking.coverage.stage import asked, make_places, make_sender, say
from tests.marketplace.catalog.coverage.stage import DAY, other_insurer

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def _brief(found: Venue) -> tuple[str, str]:
    return found.site.name, found.level


def test_every_place_is_found_with_its_level_and_nobody_is_sent_where_it_is_not_covered(tmp_path: Path) -> None:
    ids, insurer = make_places(tmp_path), other_insurer("one")
    say("on_request")
    say("covered", tier="二级甲等", insurer=insurer)
    say("not_covered", tier="unknown")
    say("covered", tier="unknown", day=DAY + timedelta(3))
    own, other = asked(insurer), asked(other_insurer("two"))

    here = SiteQuery(city="北京")
    page = venues(here, own)
    assert list(map(_brief, page.items)) == [
        *(("乙医院", "covered"), ("甲医院", "on_request"), ("丙医院", "not_covered")),
    ]
    assert [it.senders for it in page.items] == [(), (), ()], "nobody offers it yet"
    assert [(it.changes_on, it.changes_to) for it in page.items] == [
        *((None, None), (None, None), (DAY + timedelta(3), "covered")),
    ]
    assert list(map(_brief, venues(here, other).items)) == [
        *(("甲医院", "on_request"), ("乙医院", "on_request"), ("丙医院", "not_covered")),
    ]

    offer = make_sender("甲医院", answer_hours=6)
    page = venues(here, own)
    assert [[sender.offer for sender in it.senders] for it in page.items] == [[offer], [offer], []]
    assert page.items[0].senders[0].answer_hours == 6

    first = venues(here, own, limit=2)
    assert first.next is not None
    rest = venues(here, own, limit=2, cursor=first.next)
    assert [_brief(it) for it in (*first.items, *rest.items)] == [_brief(it) for it in page.items]
    assert rest.next is None
    assert list(map(_brief, venues(SiteQuery(q="医院"), own, level="on_request").items)) == [("甲医院", "on_request")]
    assert [it.site.city for it in venues(SiteQuery(q="庚医院"), own).items] == ["杭州市"], "not in one city alone"
    assert venues(SiteQuery(city="北京", q="庚医院"), own, stage=Stage.EXACT).items == [], (
        "as freely as is said, no more"
    )
    assert [it.site.name for it in venues(SiteQuery(q="甲医完"), own, stage=Stage.LOOSE).items] == ["甲医院"]
    assert _brief(venue(ids["丙医院"], own)) == ("丙医院", "not_covered")
    with transaction() as session:
        session.execute(text("UPDATE site SET closed_at = now() WHERE name = '乙医院'"))
    assert len(venues(here, own).items) == 2
    for missing in ("site_x", ids["乙医院"], "\x00"):
        with pytest.raises(NotFound):
            venue(missing, own)
    with pytest.raises(Invalid):
        venues(here, own, level="perhaps")  # type: ignore[arg-type]
    for kind in ("health_check", "nothing"):
        with pytest.raises(NotFound):
            asked(insurer, kind=kind)


def test_the_nearest_is_in_the_same_city_then_by_the_way_there_then_in_the_province(tmp_path: Path) -> None:
    ids, own = make_places(tmp_path), asked(other_insurer("one"))

    def near(name: str) -> list[tuple[str, bool]]:
        return [(it.name, it.metres is not None) for it in nearest([venue(ids[name], own).site], own)[ids[name]]]

    assert near("甲医院") == []
    say("covered", city=("天津市", "天津市"))
    say("on_request", city=("河北省", "廊坊市"))
    say("covered", city=("河北省", "石家庄市"))
    assert near("甲医院") == [("丁医院", True), ("戊医院", True)], "as the crow flies, whatever the province"
    assert near("丁医院") == [("戊医院", True), ("己医院", False)]
    assert near("己医院") == [("丁医院", False)], "without coordinates: the same province"
    assert near("庚医院") == []
    say("on_request", tier="二级甲等")
    assert near("甲医院")[0] == ("乙医院", False), "the same city comes first"
    both = nearest([venue(ids[name], own).site for name in ("甲医院", "己医院")], own, most=2)
    way = both[ids["甲医院"]][1].metres
    assert way is not None and 45_000 < way < 55_000
    assert [it.name for it in both[ids["己医院"]]] == ["丁医院"]
    assert nearest([], own) == {}
