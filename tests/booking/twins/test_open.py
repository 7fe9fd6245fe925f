"""Opening test mode: what a twin begins with, and that it is made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select, text

from booking.calls.join import System, join_system
from booking.capacity_rules.calendars import pools
from booking.capacity_rules.edit import NEW, Editor, Wish, calendar_of, change
from booking.capacity_rules.extend import extend_calendars
from booking.offers.availability import slots
from booking.twins import open as opening
from booking.twins.customers import customers
from booking.twins.open import IsATwin, open_test_mode, twin_of
from marketplace.catalog.kinds import kinds
from marketplace.catalog.models import CapacityPool, Insurer, Offer, Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.ids import new_id
from providers.staff.members import add_member
from tests.booking.capacity_rules.calendars import pool_id, weekly
from tests.booking.twins.stage import BY, make_stage
from tests.people import NOON
from tests.world import DAY, make_offer, make_world, set_provider
from vip import phones
from vip.models import Customer, Entitlement

pytestmark = pytest.mark.usefixtures("db")


def test_a_twin_begins_with_the_offers_of_the_live_provider_and_none_of_its_slots_or_secrets() -> None:
    world = make_world(allotment=True)
    twin = open_test_mode(world.provider.id, BY, NOON)
    with reading() as session:
        live, row = session.get_one(Provider, world.provider.id), session.get_one(Provider, twin.id)
        assert (row.code, row.twin_of, row.test, live.test) == (f"{live.code}-test", live.id, True, False)
        assert (row.name_en, row.name_zh) == ("Hexin (test)", "和馨（测试）")
        assert (row.adapter, row.base_url, row.secret_sealed) == ("partner", "", None), "nothing calls the live system"
        assert row.allotment
        offer = session.scalars(select(Offer).where(Offer.provider_id == twin.id)).one()
        pool = session.get_one(CapacityPool, offer.pool_id)
        assert (offer.name_en, offer.price_minor, offer.market) == ("Select package", 128000, twin.id)
        assert (pool.provider_id, pool.external_ref) == (twin.id, "pool-1")
        slots = session.scalar(text("SELECT count(*) FROM slot WHERE pool_id = :pool"), {"pool": pool.id})
    assert slots == 0


def test_hours_of_the_live_calendar_are_the_twins_too_and_its_slots_are_its_own() -> None:
    world = make_world()
    set_provider(world.provider, adapter="desk")
    pool = pool_id(world)
    change(Editor(world.provider.id, "mbr_1"), pool, Wish(rules=weekly()), NEW, now=NOON)
    twin = open_test_mode(world.provider.id, BY, NOON)
    [copy] = pools(twin.id)
    assert calendar_of(twin.id, copy.id)[2].weekly == calendar_of(world.provider.id, pool)[2].weekly != []
    with reading() as session:
        offer = session.scalars(select(Offer.public_id).where(Offer.provider_id == twin.id)).one()
    assert any(each.bookable for each in slots(offer, DAY, DAY, market=twin.id, now=NOON))
    open_test_mode(world.provider.id, BY, NOON)
    assert calendar_of(twin.id, copy.id)[1] > NEW


def test_each_pool_has_the_hours_of_its_own_original_whatever_its_name() -> None:
    """Two places whose names are each the other's reference, and one that has no hours."""
    world = make_world()
    set_provider(world.provider, adapter="desk")
    with transaction() as session:
        live = session.scalars(select(CapacityPool).where(CapacityPool.provider_id == world.provider.id)).one()
        offer = session.scalars(select(Offer).where(Offer.provider_id == world.provider.id)).one()
        live.name = "pool-2"
        for number, name in ((2, live.external_ref), (3, None)):
            pool = CapacityPool(
                public_id=new_id("pol"),
                provider_id=world.provider.id,
                site_id=live.site_id,
                external_ref=f"pool-{number}",
                name=name,
            )
            session.add(pool)
            session.flush()
            terms = ("site_id", "kind", "name_zh", "name_en", "package", "price_minor", "currency")
            session.add(
                Offer(
                    public_id=new_id("ofr"),
                    provider_id=world.provider.id,
                    pool_id=pool.id,
                    external_ref=f"offer-{number}",
                    certified=True,
                    **{each: getattr(offer, each) for each in terms},
                )
            )
    for each in pools(world.provider.id):
        if each.reference != "pool-3":
            places = {"pool-1": 1, "pool-2": 2}[each.reference]
            change(Editor(world.provider.id, "mbr_1"), each.id, Wish(rules=weekly(places)), NEW, now=NOON)
    twin = open_test_mode(world.provider.id, BY, NOON)
    found = {
        each.reference: (each.name, [rule.section.places for rule in calendar_of(twin.id, each.id)[2].weekly])
        for each in pools(twin.id)
    }
    assert found == {"pool-1": ("pool-2", [1]), "pool-2": ("pool-1", [2]), "pool-3": ("pool-3", [])}


def test_a_process_that_dies_when_the_twin_is_made_leaves_its_hours_to_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make_world()
    set_provider(world.provider, adapter="desk")
    change(Editor(world.provider.id, "mbr_1"), pool_id(world), Wish(rules=weekly()), NEW, now=NOON)

    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(opening, "publish_hours", die)
    with pytest.raises(SystemExit):
        open_test_mode(world.provider.id, BY, NOON)
    twin = twin_of(world.provider.id)
    assert twin is not None
    extend_calendars(now=NOON)
    with reading() as session:
        offer = session.scalars(select(Offer.public_id).where(Offer.provider_id == twin.id)).one()
    assert any(each.bookable for each in slots(offer, DAY, DAY, market=twin.id, now=NOON))


def test_two_who_open_at_once_write_the_hours_once() -> None:
    world = make_world()
    set_provider(world.provider, adapter="desk")
    change(Editor(world.provider.id, "mbr_1"), pool_id(world), Wish(rules=weekly()), NEW, now=NOON)
    with ThreadPoolExecutor(2) as threads:
        twin = next(iter(threads.map(lambda _: open_test_mode(world.provider.id, BY, NOON), range(2))))
    [copy] = pools(twin.id)
    assert len(calendar_of(twin.id, copy.id)[2].weekly) == 1


def test_its_three_test_customers_may_book_anything_without_limit_and_nobody_can_sign_in_as_one() -> None:
    stage = make_stage()
    found = customers(stage.twin.id)
    assert [each.number for each in found] == [1, 2, 3]
    assert {each.principal.market for each in found} == {stage.twin.id}
    with reading() as session:
        insurer = session.scalars(select(Insurer).where(Insurer.twin_id == stage.twin.id)).one()
        rows = session.scalars(select(Customer).where(Customer.insurer_id == insurer.id)).all()
        kept = session.execute(
            select(Entitlement.kind, Entitlement.granted, func.count())
            .where(Entitlement.insurer_id == insurer.id)
            .group_by(Entitlement.kind, Entitlement.granted)
        ).all()
    assert {(kind, granted, count) for kind, granted, count in kept} == {(kind, None, 3) for kind in kinds()}
    for row in rows:
        with pytest.raises(Invalid):
            phones.normalise(phones.unseal(row.phone_sealed, row.public_id))


def test_opening_again_changes_nothing_also_by_two_at_once() -> None:
    world = make_world()
    with ThreadPoolExecutor(2) as pool:
        twins = list(pool.map(lambda _: open_test_mode(world.provider.id, BY, NOON), range(2)))
    assert twins[0] == twins[1] == open_test_mode(world.provider.id, BY, NOON) == twin_of(world.provider.id)
    assert len(customers(twins[0].id)) == 3


def test_two_providers_have_test_customers_of_their_own() -> None:
    one, other = make_stage(), make_stage(phone="13800000033")
    theirs = {each.public_id for each in customers(one.twin.id)} & {each.public_id for each in customers(other.twin.id)}
    assert theirs == set()


def test_a_code_that_is_taken_gets_a_number(db: Engine) -> None:
    world = make_world()
    taken, _offer, _slots = make_offer()
    with db.begin() as connection:
        connection.execute(
            text("UPDATE provider SET code = :code WHERE id = :id"),
            {"code": f"{world.provider.code}-test", "id": taken.id},
        )
    assert open_test_mode(world.provider.id, BY, NOON).code == f"{world.provider.code}-test2"


def test_a_twin_is_not_joined_to_the_live_system() -> None:
    world = make_world(base_url="https://clinic.example/api")
    twin = open_test_mode(world.provider.id, BY, NOON)
    for address in ("https://clinic.example/api", "https://clinic.example/api/"):
        with pytest.raises(Invalid) as refused:
            join_system(twin.code, System("open_protocol", address, {}, "s"), actor="test", now=NOON)
        assert refused.value.facts["reason"] == "live_system"


def test_a_twin_has_no_twin_and_nobody_has_none() -> None:
    stage = make_stage()
    with pytest.raises(IsATwin):
        open_test_mode(stage.twin.id, BY, NOON)
    with pytest.raises(NotFound):
        open_test_mode(10**9, BY, NOON)
    assert customers(stage.world.provider.id) == []


def test_nobody_becomes_a_member_of_a_twin() -> None:
    stage = make_stage()
    with pytest.raises(NotFound):
        add_member(stage.twin.code, "somebody", "a long password", "方敏", "manager", now=NOON)
