"""What a kind of place can't do isn't offered there: by the kind's own rule, unless an operator allows it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from booking.offers.availability import OfferQuery, search_offers, slots
from booking.offers.cities import offer_cities
from marketplace.catalog.kinds import kinds
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.merge import merge
from marketplace.catalog.one_place.suits import allow, check_suited, end_allowance, suits, unsuited_by
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.people import NOON, TODAY
from tests.sites import add_slot, load_sites, make_offer, row

DENTAL, GENERAL, AMBULANCES = "甲口腔医院", "乙医院", "北京市急救中心"
DAY = TODAY + timedelta(days=3)


@pytest.fixture(autouse=True)
def listed(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, [row(DENTAL, kind="口腔医院"), row(GENERAL), row(AMBULANCES)])


def site(name: str) -> Site:
    with reading() as session:
        return session.scalars(select(Site).where(Site.name == name)).one()


def sold() -> list[str]:
    return sorted(card.site_name for card in search_offers(OfferQuery(city="北京市"), now=NOON).items)


def decide(step: object, name: str) -> bool:
    with transaction() as session:
        return bool(step(session, site(name).place_id, "health_check", by="opr_1", now=NOON))  # type: ignore[operator]


def test_each_rule_says_of_which_places_and_why_in_both_languages() -> None:
    for code, kind in kinds().items():
        for rule in kind.not_at:
            assert rule.reason.zh and rule.reason.en and (rule.kinds or rule.endings), code
    assert unsuited_by("health_check", "口腔医院", DENTAL) is not None
    assert unsuited_by("health_check", "综合/其他", AMBULANCES) is not None
    assert unsuited_by("health_check", "综合/其他", "急救中心附属医院") is None
    assert unsuited_by("health_check", "", GENERAL) is None
    assert unsuited_by("online_consultation", "口腔医院", DENTAL) is None
    assert unsuited_by("not_installed", "口腔医院", DENTAL) is None


def test_the_sql_says_what_the_rule_says() -> None:
    names = {"口腔医院": DENTAL, "综合/其他": AMBULANCES, "": "某口腔医院", "眼耳鼻喉医院": "眼科医院"}
    with reading() as session:
        for code in kinds():
            for kind, name in names.items():
                row_of = "(SELECT CAST(:kind AS text) AS kind, CAST(:name AS text) AS name, 0 AS place_id)"
                asked = text(f"SELECT {suits('CAST(:code AS text)', 's')} FROM {row_of} AS s")
                said = session.scalar(asked, {"code": code, "kind": kind, "name": name})
                assert said is (unsuited_by(code, kind, name) is None), (code, kind, name)


def test_it_is_not_found_not_counted_and_not_bookable_until_it_is_allowed() -> None:
    made = {name: make_offer(name, code=str(number)) for number, name in enumerate((DENTAL, GENERAL, AMBULANCES))}
    for place in made.values():
        add_slot(place, DAY, at(DAY, 9), at(DAY, 10))
    assert sold() == [GENERAL] and [each.sites for each in offer_cities("health_check")] == [1]

    def reason() -> str | None:
        return slots(made[DENTAL].offer, DAY, DAY, now=NOON)[0].reason

    assert reason() == "offer_closed"
    assert decide(allow, DENTAL) and not decide(allow, DENTAL), "twice changes nothing"
    assert sold() == sorted([DENTAL, GENERAL]) and reason() is None
    assert [each.sites for each in offer_cities("health_check")] == [2]
    assert decide(end_allowance, DENTAL) and not decide(end_allowance, DENTAL)
    assert sold() == [GENERAL]


def test_a_new_offer_is_refused_with_the_kinds_own_reason() -> None:
    with reading() as session:
        check_suited(session, "health_check", site(GENERAL).id)
        check_suited(session, "online_consultation", site(DENTAL).id)
        with pytest.raises(Invalid) as refusal:
            check_suited(session, "health_check", site(DENTAL).id)
    assert refusal.value.at == "pool" and refusal.value.facts["why"].en.startswith("A dental hospital")
    decide(allow, DENTAL)
    with reading() as session:
        check_suited(session, "health_check", site(DENTAL).id)
    with pytest.raises(NotFound), transaction() as session:
        allow(session, site(DENTAL).id, "no_such", by="opr_1", now=NOON)


def test_what_counts_is_the_kind_of_the_place_and_an_allowance_holds_wherever_of_it_it_was_said() -> None:
    make_offer(DENTAL)
    with transaction() as session:
        merge(session, site(DENTAL).public_id, site(GENERAL).public_id, by="opr_1", now=NOON)
    assert sold() == [GENERAL], "the hospital that it is part of can do it"
    with transaction() as session:
        session.execute(text("UPDATE site SET kind = '口腔医院' WHERE name = :name"), {"name": GENERAL})
    assert sold() == []
    with transaction() as session:
        allow(session, site(DENTAL).id, "health_check", by="opr_1", now=NOON)
    assert sold() == [GENERAL]


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour - 8, tzinfo=NOON.tzinfo)
