"""When a worker works: her week, and absences with what they hit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from booking.escort.at_desk.asked import accept_by_phone, ask_worker, asks_of
from booking.escort.dispatch import steps, watch
from booking.escort.dispatch.watch import replace_absent
from booking.escort.workers import absence, keep, read, roster
from booking.escort.workers.roster import MOST_LINES, Hours, RosterFull
from marketplace.core.errors import Invalid, NotFound
from tests.booking.escort.staff import assignments
from tests.booking.escort.workers.people import Service, make_service
from tests.desk import make_member, member
from tests.people import NOON, TODAY
from tests.world import EIGHT, make_offer

pytestmark = pytest.mark.usefixtures("db")
WEEK = Hours(frozenset({1, 2, 3}), 480, 1020, TODAY)


@pytest.fixture
def service(db: object) -> Service:
    return make_service()


def hours(service: Service, worker: str) -> list[Hours]:
    return list(read.worker_of(service.manager, worker, now=NOON).hours)


def test_a_line_is_there_once_and_what_is_past_stays_written(service: Service) -> None:
    made = service.worker(ready=False)
    for _click in range(2):
        roster.add_hours(service.manager, made, WEEK, now=NOON)
    begun = Hours(frozenset({7}), 0, 24 * 60, TODAY - timedelta(days=30), TODAY + timedelta(days=30))
    roster.add_hours(service.manager, made, begun, now=NOON)
    assert hours(service, made) == [begun, WEEK]
    for _click in range(2):
        for line in (begun, WEEK):
            roster.end_hours(service.manager, made, line.key, now=NOON)
    assert hours(service, made) == []
    long_ago = read.worker_of(service.manager, made, now=NOON - timedelta(days=20)).hours
    assert [each.last for each in long_ago] == [TODAY - timedelta(days=1)]


def test_a_week_is_checked_field_by_field_and_has_an_end(service: Service) -> None:
    made = service.worker(ready=False)
    wrong = {
        "weekdays": [Hours(frozenset(), 0, 60, TODAY), Hours(frozenset({8}), 0, 60, TODAY)],
        "start": [Hours(frozenset({1}), -1, 60, TODAY), Hours(frozenset({1}), 1440, 1440, TODAY)],
        "end": [Hours(frozenset({1}), 60, 60, TODAY), Hours(frozenset({1}), 60, 1441, TODAY)],
        "last": [Hours(frozenset({1}), 0, 60, TODAY, TODAY - timedelta(days=1))],
    }
    for field, lines in wrong.items():
        for line in lines:
            with pytest.raises(Invalid) as refused:
                roster.add_hours(service.manager, made, line, now=NOON)
            assert refused.value.at == field
    for number in range(MOST_LINES):
        roster.add_hours(service.manager, made, Hours(frozenset({1}), number, 1000, TODAY), now=NOON)
    with pytest.raises(RosterFull):
        roster.add_hours(service.manager, made, WEEK, now=NOON)


def test_who_falls_ill_is_taken_off_what_she_had_accepted_then_and_nothing_else(service: Service) -> None:
    made, manager = service.worker(), service.manager
    first, second = service.escorts.hold(0), service.escorts.hold(2)
    for booking in (first, second):
        service.submit(booking)
    ask_worker(manager, first, made, now=NOON)
    [asked] = asks_of(manager, first)
    accept_by_phone(manager, first, asked.id, now=NOON)
    until = EIGHT + timedelta(hours=1)
    [hit] = absence.hit(manager, made, NOON, until)
    assert (hit.booking, hit.accepted) == (first, True)
    assert absence.hit(manager, made, until + timedelta(days=1), None) == []
    assert absence.go_away(manager, made, NOON, until, "ill", now=NOON) == [first]
    [ended] = asks_of(manager, first)
    assert (ended.state, ended.cause) == ("replaced", "ill")
    later = NOON + timedelta(seconds=2)
    assert absence.go_away(manager, made, later, until, "ill", now=later) == []  # a second click
    it = read.worker_of(manager, made, now=later)
    assert [(each.since, each.until, each.cause) for each in it.away] == [(NOON, until, "ill")]
    assert [each.away for each in read.workers_of(manager, now=later)] == [True]


def test_who_was_asked_in_her_stead_meanwhile_stays_and_so_does_she_who_has_met_the_person(
    db: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(slots=8)
    ill, other, manager = service.worker(), service.worker("陆敏"), service.manager
    booking, begun = service.escorts.hold(0), service.escorts.hold(5)
    for each in (booking, begun):
        service.submit(each)
        ask_worker(manager, each, ill, now=NOON)
        accept_by_phone(manager, each, asks_of(manager, each)[0].id, now=NOON)
    rows = [assignments(each)[0].id for each in (booking, begun)]
    for module in (steps, watch):
        monkeypatch.setattr(module, "last_step", lambda session, row: "met" if row == rows[1] else None)
    real = absence.replace

    def between(provider_id: int, what: str, *how: Any, **more: Any) -> None:
        if what == booking:
            replace_absent(now=NOON)
            ask_worker(manager, booking, other, now=NOON)
        real(provider_id, what, *how, **more)

    monkeypatch.setattr(absence, "replace", between)
    assert absence.go_away(manager, ill, NOON, None, "ill", now=NOON) == []
    assert [(each.worker == other, each.live) for each in asks_of(manager, booking)] == [(True, True), (False, False)]
    assert asks_of(manager, begun)[0].live


def test_she_comes_back_earlier_or_does_not_go(service: Service) -> None:
    made, manager = service.worker(), service.manager
    later = NOON + timedelta(hours=2)
    absence.go_away(manager, made, NOON, None, "ill", now=NOON)
    absence.go_away(manager, made, NOON + timedelta(days=9), NOON + timedelta(days=10), "leave", now=NOON)
    ill, leave = read.worker_of(manager, made, now=NOON).away
    for _click in range(2):
        absence.come_back(manager, made, ill.id, now=later)
        absence.come_back(manager, made, leave.id, now=later)
    assert read.worker_of(manager, made, now=later).away == []
    assert [each.until for each in read.worker_of(manager, made, now=NOON).away] == [later]
    for until, cause, field in ((NOON, "ill", "until"), (NOON - timedelta(1), "ill", "until"), (None, "x", "cause")):
        with pytest.raises(Invalid) as refused:
            absence.go_away(manager, made, NOON, until, cause, now=NOON)
        assert refused.value.at == field


def test_who_leaves_is_taken_off_everything_and_her_city_stays_while_she_goes_somewhere(service: Service) -> None:
    made, manager = service.worker(), service.manager
    booking = service.escorts.hold(0)
    service.submit(booking)
    ask_worker(manager, booking, made, now=NOON)
    it = read.worker_of(manager, made, now=NOON)
    service.other_city()
    moved = replace(it.profile, city=("上海市", "上海市"))
    with pytest.raises(Invalid) as refused:
        keep.change(manager, made, moved, seen=it.seen, now=NOON)
    assert refused.value.facts == {"reason": "has_escorts"}
    keep.end(manager, made, now=NOON)
    assert absence.hand_on_all(manager, made, now=NOON) == [booking]
    keep.change(manager, made, moved, seen=NOON, now=NOON + timedelta(minutes=1))


def test_her_week_and_her_absences_are_her_own_providers(service: Service) -> None:
    made = service.worker()
    absence.go_away(service.manager, made, NOON, None, "other", now=NOON)
    [away] = read.worker_of(service.manager, made, now=NOON).away
    provider, _offer, _slots = make_offer(kind="hospital_escort")
    strangers = [member(make_member(provider.code, login="other"))]
    strangers.append(member(make_member(service.escorts.world.provider.code, "escort", login="escort")))
    for who in strangers:
        for act in (
            lambda who: roster.add_hours(who, made, WEEK, now=NOON),
            lambda who: roster.end_hours(who, made, WEEK.key, now=NOON),
            lambda who: absence.hit(who, made, NOON, None),
            lambda who: absence.go_away(who, made, NOON, None, "ill", now=NOON),
            lambda who: absence.come_back(who, made, away.id, now=NOON),
        ):
            with pytest.raises(NotFound):
                act(who)
    assert date(2026, 1, 1) in [each.first for each in hours(service, made)]
