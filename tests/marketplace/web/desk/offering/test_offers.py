"""A clinic sets itself up at the desk: a site of the list, a service with its price, hours; then customers can book."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from booking.capacity_rules.edit import NEW, Editor, Wish, change
from booking.capacity_rules.extend import publish_calendar
from booking.offers.availability import OfferQuery, search_offers
from booking.offers.maintain import offer_of, offers_of
from marketplace.catalog.models import CapacityPool, Provider
from marketplace.catalog.new_provider import add_provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from tests.booking.capacity_rules.calendars import pool_id, weekly
from tests.desk import account, at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.sites import load_sites, row
from tests.world import World, set_provider

LIST, NEW_OFFER, NEW_PLACE = "/desk/offers", "/desk/offers/new", "/desk/offers/places/new"
TERMS = {
    "benefit": "health_check",
    "pool": "体检大厅",
    "name_zh": "入职体检",
    "name_en": "Pre-employment check",
    "price": "280.50",
    "currency": "CNY",
    "lead_minutes": "60",
    "cancel_hours": "24",
    "change_hours": "24",
    "max_changes": "2",
    "active": "1",
    "package.sex": "any",
    "package.age_min": "18",
    "package.items.0.code": "ecg",
    "package.items.0.name_zh": "心电图",
    "package.items.0.name_en": "ECG",
}
ITEM = {name: text for name, text in TERMS.items() if "items" in name}


@pytest.fixture
def fang(app: Flask, world: World) -> Visitor:
    """A manager of the world's provider, whose people answer at the desk."""
    set_provider(world.provider, adapter="desk")
    return at_desk(app, make_member(world.provider.code, login="fang"))


@pytest.fixture
def bo(app: Flask, world: World, tmp_path: Path) -> Visitor:
    """A manager of a clinic that has nothing yet. It stands in the hospital list."""
    load_sites(tmp_path, [row("乙诊所", province="浙江省", city="杭州市")])
    add_provider("clinic-b", "乙诊所", "Clinic B", adapter="desk", time_zone="Asia/Shanghai", actor="test", now=NOON)
    return at_desk(app, make_member("clinic-b", login="bo"))


def site_in(page: str) -> str:
    found = re.search(r'name="site" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def customers_see() -> list[str]:
    """The offers of the clinic's city that customers are shown with a free place."""
    page = search_offers(OfferQuery(city="杭州市"), now=NOON)
    return [it.public_id for it in page.items if it.next_free is not None]


def test_an_empty_clinic_gets_to_something_that_can_be_booked(bo: Visitor) -> None:
    assert "Begin with a place" in main(bo.get(LIST))
    assert bo.get(NEW_OFFER).headers["Location"] == NEW_PLACE
    site = site_in(bo.get(f"{NEW_PLACE}?q=乙诊所").text)
    assert bo.post(NEW_PLACE, NEW_PLACE, site=site, name="体检大厅").headers["Location"] == LIST
    assert "Nothing is offered yet" in main(bo.get(LIST))
    key = re.search(r'name="key" value="([^"]+)"', bo.get(f"{NEW_OFFER}?benefit=health_check").text)
    assert key is not None
    for _twice in range(2):  # a double click
        assert bo.post(NEW_OFFER, NEW_OFFER, **TERMS, key=key[1]).headers["Location"] == LIST
    with reading() as session:
        clinic = session.scalars(select(Provider.id).where(Provider.code == "clinic-b")).one()
        pool = session.scalars(select(CapacityPool).where(CapacityPool.provider_id == clinic)).one()
        lines = session.scalars(select(AuditLine).where(AuditLine.action.in_(("offer.added", "pool.added")))).all()
    [offer] = offers_of(clinic, cursor=None, limit=9).items
    assert (offer.price_minor, offer.name_zh, offer.max_changes) == (28_050, "入职体检", 2)
    assert offer.package == {
        "sex": "any",
        "age_min": 18,
        "items": [{"code": "ecg", "name_zh": "心电图", "name_en": "ECG"}],
    }
    assert {line.actor for line in lines} == {account("bo").public_id} and len(lines) == 2
    assert "No places yet" in main(bo.get(LIST)) and offer.id not in customers_see()
    change(Editor(clinic, "mbr_1"), pool.public_id, Wish(rules=weekly()), NEW, now=NOON)
    assert publish_calendar(pool.id, now=NOON) == "published"
    assert "Can be booked" in main(bo.get(LIST)) and offer.id in customers_see()


def test_a_service_that_the_kind_of_place_cannot_give_is_refused_at_the_place(bo: Visitor, tmp_path: Path) -> None:
    load_sites(tmp_path, [row("丁口腔诊所", kind="口腔医院")])
    site = site_in(bo.get(f"{NEW_PLACE}?q=丁口腔").text)
    assert bo.post(NEW_PLACE, NEW_PLACE, site=site, name="体检大厅").status_code == 303
    key = re.search(r'name="key" value="([^"]+)"', bo.get(f"{NEW_OFFER}?benefit=health_check").text)
    assert key is not None
    refused = bo.post(NEW_OFFER, NEW_OFFER, **TERMS, key=key[1])
    assert refused.status_code == 422 and "A dental hospital looks at teeth only" in main(refused)
    assert 'id="f-pool-error"' in refused.text


def test_a_place_is_at_a_site_of_the_list_and_stays_there(bo: Visitor, tmp_path: Path) -> None:
    load_sites(tmp_path, [row("乙诊所", province="浙江省", city="杭州市"), row("丙诊所")])
    nothing = bo.get(f"{NEW_PLACE}?q=没有这家")
    assert "No site of the list fits" in main(nothing)
    assert 'id="f-q-error"' in bo.get(f"{NEW_PLACE}?q={'x' * 101}").text
    site, other = (site_in(bo.get(f"{NEW_PLACE}?q={name}").text) for name in ("乙诊所", "丙诊所"))
    for fields, field in (
        ({"name": "a"}, "site"),
        ({"name": "a", "site": "sit_0"}, "site"),
        ({"site": site, "name": ""}, "name"),
        ({"site": site, "name": "a/b"}, "name"),
    ):
        answer = bo.post(NEW_PLACE, NEW_PLACE, q="乙诊所", **fields)
        assert answer.status_code == 422 and f'id="f-{field}-error"' in answer.text, fields
    assert bo.post(NEW_PLACE, NEW_PLACE, site=site, name="大厅").status_code == 303
    assert bo.post(NEW_PLACE, NEW_PLACE, site=site, name="大厅", q="again").status_code == 303
    moved = bo.post(NEW_PLACE, NEW_PLACE, site=other, name="大厅", q="丙诊所")
    assert moved.status_code == 409 and "at another site" in main(moved)


def test_a_place_is_called_as_its_people_call_it_and_keeps_its_reference(fang: Visitor, world: World) -> None:
    pool = pool_id(world)
    with reading() as session:
        reference = session.scalars(select(CapacityPool.external_ref)).one()
    page = f"{LIST}/places/{pool}"
    assert fang.post(page, page, name=" 三楼体检厅 ").headers["Location"] == LIST
    assert fang.post(page, page, name="三楼体检厅").status_code == 303
    shown = main(fang.get(LIST))
    assert "三楼体检厅 · " in shown and f"三楼体检厅 {reference}" in shown
    assert "三楼体检厅" in main(fang.get(f"/desk/capacity/{pool}")) and "三楼体检厅" in main(fang.get(own(world)))
    for wrong in ("x" * 81, "a\x07b"):
        refused = fang.post(page, page, name=wrong)
        assert refused.status_code == 422 and 'id="f-name-error"' in refused.text
    assert fang.post(page, page, name="").status_code == 303
    assert "三楼体检厅" not in main(fang.get(LIST)) and reference in main(fang.get(LIST))
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.action == "pool.named").order_by(AuditLine.id)).all()
    fangs = account("fang").public_id
    assert [(it.actor, it.facts["name"]) for it in lines] == [(fangs, "三楼体检厅"), (fangs, "")]


def own(world: World) -> str:
    return f"{LIST}/{world.offer.public_id}"


def form_of(fang: Visitor, path: str) -> dict[str, str]:
    """What the form of a service holds, as a browser would send it."""
    page = fang.get(path).text
    found = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page))
    chosen = re.findall(r'(?s)<select[^>]* name="([^"]+)".*?<option value="([^"]*)" selected', page)
    return {**found, **dict(chosen), "active": "1", "do": "save"}


def test_of_two_managers_who_change_the_same_version_the_second_sees_what_the_first_wrote(
    app: Flask, fang: Visitor, world: World
) -> None:
    make_member(world.provider.code, login="wu", name="吴迪")
    wu, path = at_desk(app, "wu"), own(world)
    ours, hers = form_of(fang, path), form_of(wu, path)
    assert fang.post(path, path, **{**TERMS, **ours, **ITEM, "price": "700"}).headers["Location"] == path
    late = wu.post(path, path, **{**TERMS, **hers, **ITEM, "price": "900"})
    assert late.status_code == 412 and "Somebody else changed this service meanwhile" in main(late)
    assert 'value="700.00"' in late.text
    for unseen in ("*", "", "x"):
        assert wu.post(path, path, **{**TERMS, **hers, **ITEM, "version": unseen}).status_code == 412
    stands = offer_of(world.provider.id, "basic")
    assert (stands.price_minor, stands.version) == (70_000, 2)


def test_a_service_is_taken_off_sale_and_its_place_stays(fang: Visitor, world: World) -> None:
    path = own(world)
    fields = {**TERMS, **form_of(fang, path), **ITEM, "pool": "other", "reference": "other"}
    del fields["active"]
    assert fang.post(path, path, **fields).status_code == 303
    stands = offer_of(world.provider.id, "basic")
    assert not stands.active and stands.pool == "pool-1" and "Not on sale" in main(fang.get(LIST))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name_zh", ""),
        ("name_en", "x" * 201),
        ("price", "12.345"),
        ("price", "-1"),
        ("price", ""),
        ("currency", "yuan"),
        ("lead_minutes", "soon"),
        ("max_changes", "101"),
        ("available_from", "2026-13-01"),
        ("package.items.0.code", "ÄÖ"),
        ("package.items.0.name_en", ""),
        ("package.age_min", "young"),
        ("package.age_min", "151"),
        ("package.fasting.hours", "8"),
        ("pool", "nowhere"),
        ("reference", "basic"),
        ("reference", "a/b"),
    ],
)
def test_what_cannot_be_used_is_named_at_its_field_and_everything_typed_stays(
    fang: Visitor, world: World, field: str, text: str
) -> None:
    answer = fang.post(NEW_OFFER, NEW_OFFER, **{**TERMS, "pool": "pool-1", "key": "k1", field: text})
    at = "package.fasting.hint_zh" if field == "package.fasting.hours" else field
    assert answer.status_code in (422, 428) and f'id="f-{at}-error"' in answer.text
    assert 'value="入职体检"' in answer.text or field == "name_zh"
    assert len(offers_of(world.provider.id, cursor=None, limit=9).items) == 1


def test_days_in_the_wrong_order_and_no_examinations_are_refused(fang: Visitor) -> None:
    fields = {**TERMS, "pool": "pool-1", "key": "k1"}
    days = {"available_from": "2026-05-02", "available_until": "2026-05-01"}
    assert 'id="f-available_until-error"' in fang.post(NEW_OFFER, NEW_OFFER, **{**fields, **days}).text
    none = {name: text for name, text in fields.items() if "items" not in name}
    assert 'id="f-package.items-error"' in fang.post(NEW_OFFER, NEW_OFFER, **none).text


def test_more_lines_can_be_had_without_saving_anything(fang: Visitor, world: World) -> None:
    form = fang.get(f"{NEW_OFFER}?benefit=health_check").text
    before = len(re.findall(r'name="package\.items\.\d+\.code"', form))
    more = fang.post(NEW_OFFER, NEW_OFFER, **{**TERMS, "do": "more", "key": "k"})
    after = re.findall(r'name="package\.items\.\d+\.code"', more.text)
    assert (before, len(after)) == (1, 6) and 'value="心电图"' in more.text
    assert len(offers_of(world.provider.id, cursor=None, limit=9).items) == 1


def test_where_an_own_system_answers_its_code_is_needed(fang: Visitor, world: World) -> None:
    set_provider(world.provider, adapter="open_protocol")
    fields = {**TERMS, "pool": "pool-1", "key": "k1"}
    answer = fang.post(NEW_OFFER, NEW_OFFER, **fields)
    assert answer.status_code == 422 and 'id="f-reference-error"' in answer.text
    assert fang.post(NEW_OFFER, NEW_OFFER, **fields, reference="T-9").headers["Location"] == LIST
    assert offer_of(world.provider.id, "T-9").name_en == "Pre-employment check"
    assert "Certificate missing" in main(fang.get(LIST))


def test_a_package_of_as_many_examinations_as_there_may_be_is_saved(fang: Visitor, world: World) -> None:
    items = {
        f"package.items.{number}.{name}": f"item-{number}"
        for number in range(300)
        for name in ("code", "name_zh", "name_en")
    }
    fields = {**TERMS, **items, "pool": "pool-1", "key": "k1", "reference": "long"}
    assert fang.post(NEW_OFFER, NEW_OFFER, **fields).status_code == 303
    assert len(offer_of(world.provider.id, "long").package["items"]) == 300
