"""The list of escort workers: who may write it, what it takes, and what ends with a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from booking.escort import assign
from booking.escort.models import EscortAssignment, EscortWorker
from booking.escort.workers import keep, read, venues
from booking.escort.workers.keep import WorkerChanged
from marketplace.catalog.models import Site
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.text import Text
from tests.booking.escort.staff import DESK, assignments
from tests.booking.escort.workers.people import HE, Service, add, make_service
from tests.desk import make_member, member
from tests.escorts import add_site
from tests.people import NOON
from tests.world import make_offer

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def service(db: object) -> Service:
    return make_service()


def audited() -> list[str]:
    with reading() as session:
        lines = session.scalars(
            select(AuditLine.action).where(AuditLine.action.like("escort_worker.%")).order_by(AuditLine.id)
        )
        return [action.removeprefix("escort_worker.") for action in lines]


def test_a_worker_is_taken_on_once_and_sent_to_nobody_before_her_papers_were_looked_at(service: Service) -> None:
    made = add(service.manager, HE, "one form")
    assert add(service.manager, HE, "one form") == made and audited() == ["added"]
    [line] = read.workers_of(service.manager, now=NOON)
    assert (line.id, line.name, line.papers, line.hours) == (made, "何静", False, False)
    it = read.worker_of(service.manager, made, now=NOON)
    assert it.profile == replace(HE, phone="+8613900000088") and it.papers_checked_at is None
    with reading() as session:
        sealed = session.scalars(select(EscortWorker.phone_sealed)).one()
    assert sealed is not None and b"13900000088" not in sealed
    for wanted, found in (("何", 1), ("0427", 1), ("杭州", 1), ("陆", 0), ("%", 0), ("_", 0)):
        assert len(read.workers_of(service.manager, wanted, now=NOON)) == found, wanted


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("shown_name", {"shown_name": "  "}),
    ("shown_name", {"shown_name": "长" * 41}),
    ("shown_name", {"shown_name": "何\x00静"}),
    ("sex", {"sex": "other"}),
    ("languages", {"languages": ()}),
    ("languages", {"languages": ("mandarin", "klingon")}),
    ("city", {"city": ("浙江省", "宁波市")}),
    ("staff_number", {"staff_number": "9" * 21}),
    ("qualification_en", {"qualification": Text("", "x" * 41)}),
    ("phone", {"phone": "12345"}),
]


def test_what_is_said_of_her_is_checked_field_by_field(service: Service) -> None:
    for field, wrong in WRONG:
        with pytest.raises(Invalid) as refused:
            add(service.manager, replace(HE, **wrong), "one form")
        assert refused.value.at == field, wrong
    assert audited() == []


def test_another_name_ends_that_her_papers_were_looked_at_and_an_old_form_changes_nothing(service: Service) -> None:
    made = service.worker()
    seen = read.worker_of(service.manager, made, now=NOON).seen
    later = NOON + timedelta(minutes=1)
    keep.change(service.manager, made, replace(HE, staff_number="HZ 9"), seen=seen, now=later)
    assert read.worker_of(service.manager, made, now=NOON).papers_checked_at is not None
    keep.change(service.manager, made, replace(HE, staff_number="HZ 9"), seen=seen, now=later)  # a second click
    with pytest.raises(WorkerChanged):
        keep.change(service.manager, made, HE, seen=seen, now=later)
    keep.change(service.manager, made, replace(HE, shown_name="何静文"), seen=later, now=later)
    assert read.worker_of(service.manager, made, now=NOON).papers_checked_at is None
    with pytest.raises(WorkerChanged):  # who compared them with the name before
        keep.check_papers(service.manager, made, seen=seen, now=later)
    assert read.worker_of(service.manager, made, now=NOON).papers_checked_at is None
    keep.take_papers_back(service.manager, made, now=NOON)  # they are not looked at: nothing to take back
    assert audited() == ["added", "papers_checked", "roster_changed", "changed", "changed"]


@pytest.mark.every_postgres
def test_where_she_goes_she_is_called_so_now_and_where_she_was_as_she_was_called(service: Service) -> None:
    made = service.worker()
    bookings = [service.escorts.hold(slot) for slot in (0, 1)]
    for booking in bookings:
        service.submit(booking)
    assign.ask(service.id, bookings[0], made, actor=DESK, now=NOON)
    assign.replace(service.id, bookings[0], "ill", actor=DESK, now=NOON)
    assign.ask(service.id, bookings[1], made, actor=DESK, now=NOON)
    seen = read.worker_of(service.manager, made, now=NOON).seen
    keep.change(service.manager, made, replace(HE, shown_name="何静文"), seen=seen, now=NOON + timedelta(minutes=1))
    assert [assignments(booking)[0].worker_then["name"] for booking in bookings] == ["何静", "何静文"]
    with pytest.raises(DBAPIError, match="escort_assignment_stands"), transaction() as session:
        session.execute(update(EscortAssignment).values(worker_then={"name": "何静文"}))


def test_a_member_is_one_worker_and_an_escort_of_this_desk(service: Service) -> None:
    code = service.escorts.world.provider.code
    escort, front = make_member(code, "escort", login="he"), make_member(code, "front_desk", login="mei")
    other_provider, _offer, _slots = make_offer()
    stranger = make_member(other_provider.code, "escort", login="stranger")
    made, second = service.worker(), service.worker("陆萍")
    [free] = read.free_members(service.manager)
    assert free.id == member(escort).public_id
    for login in (front, stranger):
        with pytest.raises(Invalid) as refused:
            keep.link(service.manager, made, member(login).public_id, now=NOON)
        assert refused.value.at == "member"
    for _click in range(2):
        keep.link(service.manager, made, free.id, now=NOON)
    linked = read.worker_of(service.manager, made, now=NOON).member
    assert linked is not None and linked.id == free.id and not read.free_members(service.manager)
    with pytest.raises(Invalid) as refused:
        keep.link(service.manager, second, free.id, now=NOON)
    assert refused.value.facts == {"reason": "linked"}
    keep.link(service.manager, made, "", now=NOON)
    keep.link(service.manager, second, free.id, now=NOON)
    assert audited()[-3:] == ["linked", "unlinked", "linked"]


def test_venues_are_those_of_her_city_and_stand_for_their_place(service: Service) -> None:
    made = service.worker()
    here, double = service.escorts.venue, add_site("杭州示范总院东院区")
    elsewhere = add_site("宁波示范医院", city="宁波市")
    with transaction() as session:
        session.execute(update(Site).where(Site.id == double.id).values(merged_into=here.id))
    for site in (here, double, here):
        venues.knows(service.manager, made, site.public_id, now=NOON)
    assert [each.id for each in read.worker_of(service.manager, made, now=NOON).known] == [here.public_id]
    for site in (elsewhere.public_id, "sit_nothing"):
        with pytest.raises(Invalid) as refused:
            venues.knows(service.manager, made, site, now=NOON)
        assert refused.value.at == "site"
    for _click in range(2):
        venues.knows_no_more(service.manager, made, here.public_id, now=NOON)
    assert not read.worker_of(service.manager, made, now=NOON).known
    assert audited()[-2:] == ["knows", "knows_no_more"]


def test_venues_that_become_one_place_are_known_once_and_taken_off_together(service: Service) -> None:
    made, other = service.worker(), service.worker("陆萍")
    here, double = service.escorts.venue, add_site("杭州示范总院东院区")
    for worker in (made, other):
        for site in (here, double):
            venues.knows(service.manager, worker, site.public_id, now=NOON)
    with transaction() as session:
        session.execute(update(Site).where(Site.id == double.id).values(merged_into=here.id))
    [known] = read.worker_of(service.manager, made, now=NOON).known
    venues.knows_no_more(service.manager, made, known.id, now=NOON)
    assert read.worker_of(service.manager, made, now=NOON).known == []
    assert [each.id for each in read.worker_of(service.manager, other, now=NOON).known] == [here.public_id]


def test_nobody_but_her_own_providers_people_finds_her_and_only_a_manager_changes_her(service: Service) -> None:
    made = service.worker()
    code = service.escorts.world.provider.code
    front, escort = (member(make_member(code, role, login=role)) for role in ("front_desk", "escort"))
    other_provider, _offer, _slots = make_offer(kind="hospital_escort")
    other = member(make_member(other_provider.code, login="other"))
    changes = {
        "change": lambda who: keep.change(who, made, replace(HE, shown_name="x"), seen=NOON, now=NOON),
        "papers": lambda who: keep.check_papers(who, made, seen=NOON, now=NOON),
        "papers_back": lambda who: keep.take_papers_back(who, made, now=NOON),
        "link": lambda who: keep.link(who, made, "", now=NOON),
        "end": lambda who: keep.end(who, made, now=NOON),
        "return": lambda who: keep.take_back(who, made, now=NOON),
        "add": lambda who: add(who, HE, "another"),
    }
    for name, act in changes.items():
        for who in (front, escort):
            with pytest.raises(NotFound):
                act(who)
                pytest.fail(f"{who.role} may {name}")
    looks = {
        "see": lambda who: read.worker_of(who, made, now=NOON),
        "knows": lambda who: venues.knows(who, made, service.escorts.venue.public_id, now=NOON),
        "knows_no_more": lambda who: venues.knows_no_more(who, made, service.escorts.venue.public_id, now=NOON),
    }
    for name, act in {**changes, **looks}.items():
        if name != "add":
            with pytest.raises(NotFound):
                act(other)
                pytest.fail(f"another provider's manager may {name}")
    for name, act in looks.items():
        act(front)
        with pytest.raises(NotFound):
            act(escort)
            pytest.fail(f"an escort worker may {name}")
    assert read.workers_of(other, now=NOON) == []


def test_who_ended_comes_back_from_that_day_on(service: Service) -> None:
    made = service.worker()
    later = NOON + timedelta(days=3)
    for _click in range(2):
        keep.end(service.manager, made, now=NOON)
    [line] = read.workers_of(service.manager, now=NOON)
    assert line.ended
    for _click in range(2):
        keep.take_back(service.manager, made, now=later)
    it = read.worker_of(service.manager, made, now=later)
    assert (it.ended_at, it.active_from) == (None, later) and audited()[-2:] == ["ended", "returned"]
