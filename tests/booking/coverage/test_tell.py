"""Asking to be told of a place, and being told once it can be booked there."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from booking.coverage.models import CoverageWish
from booking.coverage.tell import DAYS_AHEAD, tell_covered
from booking.coverage.wish import MOST_OPEN, TooManyWishes, ask_to_be_told, take_back, wishes
from booking.notices.models import Notification
from booking.offers.availability import MAX_DAYS
from marketplace.catalog.one_place.merge import merge
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.messages import compose
from tests.booking.coverage.stage import make_places, make_sender, say
from tests.marketplace.catalog.coverage.stage import KIND
from tests.people import NOON, TODAY
from tests.world import World, join, make_world

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def ids(tmp_path: Path) -> dict[str, str]:
    return make_places(tmp_path)


@pytest.fixture
def world(ids: dict[str, str]) -> World:
    return make_world()


def _told(world: World) -> list[dict[str, Any]]:
    with reading() as session:
        return list(
            session.scalars(
                select(Notification.facts)
                .where(Notification.customer_id == world.customer.id, Notification.kind == "place_covered")
                .order_by(Notification.id)
            )
        )


def test_a_wish_is_her_own_once_and_within_limits(ids: dict[str, str], world: World) -> None:
    me, other = world.principal, join(world.provider, world.offer, world.slots, phone="13800000099").principal
    for _ in range(2):
        ask_to_be_told(me, KIND, ids["甲医院"], now=NOON)
    ask_to_be_told(other, KIND, ids["乙医院"], now=NOON)
    assert [(it.site, it.site_name, it.city) for it in wishes(me, KIND)] == [(ids["甲医院"], "甲医院", "北京市")]
    take_back(other, KIND, ids["甲医院"], now=NOON)
    assert len(wishes(me, KIND)) == 1, "another customer's act ends nothing of hers"
    with transaction() as session:
        merge(session, ids["甲医院"], ids["丙医院"], by="opr_1", now=NOON)
    ask_to_be_told(me, KIND, ids["丙医院"], now=NOON)
    assert [it.site for it in wishes(me, KIND)] == [ids["丙医院"]], "she waits for the place, wherever of it she asked"
    take_back(me, KIND, ids["丙医院"], now=NOON)
    take_back(me, KIND, "\x00", now=NOON)
    assert wishes(me, KIND) == []
    ask_to_be_told(me, KIND, ids["甲医院"], now=NOON)
    ask_to_be_told(me, KIND, ids["丙医院"], now=NOON)
    assert len(wishes(me, KIND)) == 1, "its entry is the same place"
    take_back(me, KIND, ids["甲医院"], now=NOON)
    assert wishes(me, KIND) == []
    for kind, site, field in (
        (KIND, "site_nowhere", "venue_id"),
        (KIND, "\x00", "venue_id"),
        ("health_check", ids["甲医院"], "benefit"),
    ):
        with pytest.raises(NotFound) as missing:
            ask_to_be_told(me, kind, site, now=NOON)
        assert missing.value.at == field
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO site (public_id, name, province, city) "
                "SELECT 'site_n' || n, 'n' || n, '浙江省', '杭州市' FROM generate_series(1, :most) AS n"
            ),
            {"most": MOST_OPEN},
        )
    for number in range(MOST_OPEN):
        ask_to_be_told(me, KIND, f"site_n{number + 1}", now=NOON)
    with pytest.raises(TooManyWishes):
        ask_to_be_told(me, KIND, ids["甲医院"], now=NOON)
    ask_to_be_told(me, KIND, "site_n1", now=NOON)


def test_she_is_told_once_when_it_can_be_booked(ids: dict[str, str], world: World) -> None:
    ask_to_be_told(world.principal, KIND, ids["甲医院"], now=NOON)
    ask_to_be_told(world.principal, KIND, ids["庚医院"], now=NOON)
    assert tell_covered(now=NOON) == {}
    say("covered", day=TODAY)
    assert tell_covered(now=NOON) == {}, "covered, and nobody can be booked there yet"
    make_sender("乙医院")
    assert tell_covered(now=NOON) == {"told": 1}
    assert tell_covered(now=NOON) == {}
    [facts] = _told(world)
    assert (facts["place"], facts["level"], facts["covered_from"]) == (ids["甲医院"], "covered", None)
    said = compose.say("place_covered", facts, "zh", as_of=NOON)
    assert said.text == "甲医院：陪诊现在可以预约。"
    assert [it.site_name for it in wishes(world.principal, KIND)] == ["庚医院"]

    ask_to_be_told(world.principal, KIND, ids["甲医院"], now=NOON)
    assert tell_covered(now=NOON) == {"told": 1}, "who asks again is told again"
    with reading() as session:
        ended = session.scalars(select(CoverageWish.outcome).order_by(CoverageWish.id)).all()
    assert ended == ["told", "open", "told"]


@pytest.mark.parametrize(("ahead", "told"), [(62, 1), (63, 0)])
def test_she_is_told_of_a_day_to_come_as_soon_as_it_can_be_booked(
    ids: dict[str, str], world: World, ahead: int, told: int
) -> None:
    assert DAYS_AHEAD == MAX_DAYS
    make_sender("乙医院")
    ask_to_be_told(world.principal, KIND, ids["甲医院"], now=NOON)
    first = TODAY + timedelta(ahead)
    say("on_request", day=first, insurer=world.customer.insurer_id)
    assert tell_covered(now=NOON).get("told", 0) == told
    for facts in _told(world):
        assert (facts["level"], date.fromisoformat(facts["covered_from"])) == ("on_request", first)
        said = compose.say("place_covered", facts, "en", as_of=NOON)
        assert "for Sun 3 May and later" in said.text and "asked for first" in said.text


def test_another_insurers_word_and_a_closed_place_tell_her_nothing(ids: dict[str, str], world: World) -> None:
    make_sender("乙医院")
    ask_to_be_told(world.principal, KIND, ids["甲医院"], now=NOON)
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone) "
                "VALUES ('ins_o', 'o', 'o', 'o', 'Asia/Shanghai')"
            )
        )
        other = session.execute(text("SELECT id FROM insurer WHERE code = 'o'")).scalar_one()
    say("covered", day=TODAY, insurer=other)
    assert tell_covered(now=NOON) == {}
    say("covered", day=TODAY)
    with transaction() as session:
        session.execute(text("UPDATE site SET closed_at = now() WHERE name = '甲医院'"))
    assert tell_covered(now=NOON) == {}


def test_a_wish_for_a_merged_entry_is_one_for_its_place(ids: dict[str, str], world: World) -> None:
    me, entry, place = world.principal, ids["丙医院"], ids["甲医院"]
    ask_to_be_told(me, KIND, entry, now=NOON)
    with transaction() as session:
        merge(session, entry, place, by="opr_1", now=NOON)
    for asked in (place, entry):
        ask_to_be_told(me, KIND, asked, now=NOON)
        assert [(it.site, it.site_name) for it in wishes(me, KIND)] == [(place, "甲医院")]
        with reading() as session:
            assert session.scalars(select(CoverageWish.outcome)).all() == ["open"]
    take_back(me, KIND, place, now=NOON)
    assert wishes(me, KIND) == []


def test_who_waits_for_two_entries_of_a_place_is_told_once_when_the_place_is_covered(
    ids: dict[str, str], world: World
) -> None:
    me, entry, place = world.principal, ids["丙医院"], ids["甲医院"]
    for asked in (entry, place):
        ask_to_be_told(me, KIND, asked, now=NOON)
    with transaction() as session:
        merge(session, entry, place, by="opr_1", now=NOON)
    assert len(wishes(me, KIND)) == 1
    make_sender("乙医院")
    say("covered", day=TODAY, tier="三级甲等")  # the place's tier; the entry has none
    tell_covered(now=NOON)
    assert [facts["place"] for facts in _told(world)] == [place] and wishes(me, KIND) == []
