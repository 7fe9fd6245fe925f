"""Where a worker sets out from: optional, a manager's to know, and where the way to her first escort begins."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from booking.escort.assign import ask
from booking.escort.models import EscortAssignment, EscortWorker
from booking.escort.workers import home, keep, read
from marketplace.catalog.models import Site
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.sphere import Position
from tests.booking.escort.staff import DESK
from tests.booking.escort.workers.people import Service, make_service
from tests.desk import make_member, member
from tests.escorts import add_site
from tests.people import NOON
from tests.world import make_offer


@pytest.fixture
def service(db: object) -> Service:
    return make_service()


def audited() -> list[str]:
    with reading() as session:
        lines = select(AuditLine.action).where(AuditLine.action.startswith("escort_worker.home")).order_by(AuditLine.id)
        return list(session.scalars(lines))


def test_it_is_not_given_then_typed_then_forgotten_and_audited_once_each(service: Service) -> None:
    worker, yan = service.worker(), service.manager
    assert home.home(yan, worker) is None
    for _click in range(2):
        home.set_typed(yan, worker, " 30.260449, 120.15 ", now=NOON)
    assert home.home(yan, worker) == home.Home(Position(30.26, 120.15), None), "to about a hundred metres"
    for _click in range(2):
        home.forget(yan, worker, now=NOON)
    assert home.home(yan, worker) is None
    assert audited() == ["escort_worker.home_given", "escort_worker.home_forgotten"]


@pytest.mark.parametrize("said", ["", "120.15", "30, 200"])
def test_what_is_no_place_on_earth_is_named_at_its_field(service: Service, said: str) -> None:
    worker = service.worker()
    with pytest.raises(Invalid) as refused:
        home.set_typed(service.manager, worker, said, now=NOON)
    assert refused.value.at == "coordinates" and home.home(service.manager, worker) is None


def test_what_is_far_from_her_city_was_copied_wrongly_and_is_not_stored(service: Service) -> None:
    worker, known = service.worker(), add_site("湖滨示范医院")
    closed = add_site("旧址示范医院")
    with transaction() as session:
        session.execute(update(Site).where(Site.id == known.id).values(latitude=30.2512, longitude=120.1694))
        gone = update(Site).where(Site.id == closed.id)
        session.execute(gone.values(latitude=39.9, longitude=116.4, closed_at=NOON))
    with pytest.raises(Invalid) as refused:
        home.set_typed(service.manager, worker, "39.9, 116.4", now=NOON)
    assert refused.value.at == "coordinates" and refused.value.facts["kilometres"] == 1_126
    home.set_typed(service.manager, worker, "30.26, 120.17", now=NOON)
    found = home.home(service.manager, worker)
    assert found is not None and found.near == home.Near("湖滨示范医院", "杭州市", "西湖区", 980)


def test_near_a_place_of_her_city_whose_coordinates_are_known(service: Service) -> None:
    worker, known, unknown = service.worker(), add_site("湖滨示范医院"), add_site("城北示范医院")
    elsewhere = add_site("上海外滩示范医院", city="上海市", province="上海市")
    with transaction() as session:
        both = update(Site).where(Site.id.in_([known.id, elsewhere.id]))
        session.execute(both.values(latitude=30.2512, longitude=120.1694))
    home.set_near(service.manager, worker, known.public_id, now=NOON)
    found = home.home(service.manager, worker)
    assert found is not None and found.position == Position(30.251, 120.169)
    for site in (unknown.public_id, elsewhere.public_id, "sit_none"):
        with pytest.raises(Invalid) as refused:
            home.set_near(service.manager, worker, site, now=NOON)
        assert refused.value.at == "site"


def test_the_way_to_what_she_is_promised_to_is_reckoned_anew(service: Service) -> None:
    worker = service.worker()
    with transaction() as session:
        session.execute(update(Site).values(latitude=30.2512, longitude=120.1694))
    booking = service.escorts.hold(0)
    service.submit(booking)
    ask(service.id, booking, worker, actor=DESK, now=NOON)
    before = _seconds()
    home.set_typed(service.manager, worker, "30.25, 120.17", now=NOON)
    assert _seconds() < before, "she lives next door"
    home.forget(service.manager, worker, now=NOON)
    assert _seconds() == before


def _seconds() -> int:
    with reading() as session:
        return session.scalars(select(EscortAssignment.travel_seconds)).one()


def test_another_city_is_another_home(service: Service) -> None:
    worker = service.worker()
    service.other_city()
    home.set_typed(service.manager, worker, "30.25, 120.17", now=NOON)
    it = read.worker_of(service.manager, worker, now=NOON)
    moved = it.profile.__class__(**{**vars(it.profile), "city": ("上海市", "上海市")})
    keep.change(service.manager, worker, moved, seen=it.seen, now=NOON)
    assert home.home(service.manager, worker) is None


def test_it_is_nobodys_to_know_but_her_managers(service: Service) -> None:
    worker = service.worker()
    provider, _offer, _slots = make_offer()
    stranger = member(make_member(provider.code, login="else"))
    front = member(make_member(service.escorts.world.provider.code, "front_desk", login="mei"))
    for who in (stranger, front):
        with pytest.raises(NotFound):
            home.home(who, worker)
        for change in (home.forget, lambda *a, **k: home.set_typed(*a, "30, 120", **k)):
            with pytest.raises(NotFound):
                change(who, worker, now=NOON)
    with reading() as session:
        assert session.scalars(select(EscortWorker.home_latitude)).one() is None
