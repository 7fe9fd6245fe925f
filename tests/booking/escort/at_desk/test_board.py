"""The board: who has nobody yet, who is asked, who goes; and what the desk does about one booking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from booking.answering import answer
from booking.answering.answer import ProvidersAnswer
from booking.escort.assign import AskIsOver
from booking.escort.assigning.refusals import AlreadyAsked
from booking.escort.at_desk.asked import accept_by_phone, ask_worker, asks_of, take_off
from booking.escort.at_desk.board import Board, Wanted, board, without_worker
from booking.escort.at_desk.fitting import fitting
from booking.escort.models import EscortWorker
from booking.escort.workers import absence
from booking.models import Booking, BookingHistory
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.booking.escort.staff import absent
from tests.booking.escort.workers.people import Service, make_service
from tests.desk import make_member, member
from tests.escorts import add_site
from tests.people import NOON
from tests.world import DAY, make_offer

pytestmark = pytest.mark.usefixtures("db")
ALL = Wanted(DAY - timedelta(days=1), DAY + timedelta(days=14))


@pytest.fixture
def service(db: object) -> Service:
    return make_service(slots=6, quantity=20)


def booked(service: Service, slot: int) -> str:
    booking = service.escorts.hold(slot)
    service.submit(booking)
    return booking


def standings(found: Board) -> dict[str, str]:
    return {each.booking: each.standing for each in found.lines}


def test_who_has_nobody_comes_first_and_each_day_says_who_goes(service: Service) -> None:
    he, lu = service.worker(), service.worker("陆萍")
    later, sooner, asked, goes = (booked(service, slot) for slot in (5, 0, 1, 4))
    held = service.escorts.hold(3)
    ask_worker(service.manager, asked, lu, now=NOON)
    ask_worker(service.manager, goes, he, now=NOON)
    accept_by_phone(service.manager, goes, asks_of(service.manager, goes)[0].id, now=NOON)
    found = board(service.manager, ALL)
    assert standings(found) == {sooner: "without", later: "without", asked: "asked", goes: "accepted"}
    assert held not in standings(found) and without_worker(service.id, now=NOON) == 2
    assert {each.booking for each in found.without} == {sooner, later}
    line = next(each for each in found.lines if each.booking == goes)
    assert line.person == "沈**" and line.sent is not None and line.sent.name == "何静" and not line.waits
    absence.go_away(service.manager, lu, NOON + timedelta(days=60), None, "leave", now=NOON)
    venue = service.escorts.venue.public_id
    for wanted, number in (
        (Wanted(ALL.first, ALL.last, city="杭州市", venue=venue, standing="asked"), 1),
        (Wanted(ALL.first, ALL.last, standing="without"), 2),
        (Wanted(ALL.first, ALL.last, city="上海市"), 0),
        (Wanted(ALL.first, ALL.last, venue="sit_x"), 0),
        (Wanted(DAY + timedelta(days=1), ALL.last), 0),
    ):
        assert len(board(service.manager, wanted).lines) == number, wanted
    assert found.cities == ["杭州市"] and [each.id for each in found.venues] == [venue]


def test_what_is_beyond_the_board_is_found_by_narrowing_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("booking.escort.at_desk.board.MOST_SHOWN", 2)
    he, lu = service.worker(), service.worker("陆萍")
    first, second = booked(service, 0), booked(service, 1)
    other = add_site("杭州示范二院")
    there = service.escorts.hold(5, venue=other.public_id)
    service.submit(there)
    ask_worker(service.manager, there, he, now=NOON)
    found = board(service.manager, ALL)
    assert list(standings(found)) == [first, second] and found.more
    assert {each.id for each in found.venues} == {service.escorts.venue.public_id, other.public_id}
    for narrowed in ({"venue": other.public_id}, {"standing": "asked"}):
        assert standings(board(service.manager, replace(ALL, **narrowed))) == {there: "asked"}
    accept_by_phone(service.manager, there, asks_of(service.manager, there)[0].id, now=NOON)
    assert list(standings(board(service.manager, replace(ALL, standing="accepted")))) == [there]
    ask_worker(service.manager, first, lu, now=NOON)
    away_from(lu)
    assert standings(board(service.manager, replace(ALL, standing="asked"))) == {}
    assert standings(board(service.manager, replace(ALL, standing="without"))) == dict.fromkeys(
        (first, second), "without"
    )
    assert standings(board(service.manager, replace(ALL, city="杭州市", standing="accepted"))) == {there: "accepted"}
    assert board(service.manager, replace(ALL, city="上海市")).venues == []


def test_who_had_nobody_yesterday_is_counted_no_more_by_the_clock_of_the_place(service: Service) -> None:
    booked(service, 0)
    day_there = datetime.combine(DAY, time(), ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    for hours, number in ((23, 1), (24, 0), (30, 0)):
        assert without_worker(service.id, now=day_there + timedelta(hours=hours)) == number, hours


def away_from(worker: str) -> None:
    """She is away, and nobody has looked after what she was asked for."""
    with transaction() as session:
        row = session.scalars(select(EscortWorker).where(EscortWorker.public_id == worker)).one()
    absent(row, NOON, None)


def test_a_request_with_another_time_proposed_is_not_short_of_somebody(service: Service) -> None:
    booking = booked(service, 0)
    said = ProvidersAnswer(service.id, booking, service.repeat("propose"), member=service.manager.public_id)
    answer.propose(said, service.escorts.world.slots[3].external_ref, reason="", expires_at=None, now=NOON)
    [line] = board(service.manager, ALL).lines
    assert line.proposed and without_worker(service.id, now=NOON) == 0


def test_a_worker_is_asked_once_and_somebody_else_not_beside_her(service: Service) -> None:
    he, lu, booking = service.worker(), service.worker("陆萍"), booked(service, 0)
    assert [each.worker.public_id for each in fitting(service.manager, booking, now=NOON).fitting] == sorted((he, lu))
    for _click in range(2):
        ask_worker(service.manager, booking, he, now=NOON)
    with pytest.raises(AlreadyAsked):
        ask_worker(service.manager, booking, lu, now=NOON)
    with pytest.raises(Invalid):
        ask_worker(service.manager, booking, "", now=NOON)
    [asked] = asks_of(service.manager, booking)
    assert (asked.worker, asked.live, asked.accepted, asked.by_desk) == (he, True, False, True)


def test_a_yes_by_telephone_confirms_and_is_the_managers_word(service: Service) -> None:
    he, booking = service.worker(), booked(service, 0)
    ask_worker(service.manager, booking, he, now=NOON)
    [asked] = asks_of(service.manager, booking)
    front = member(make_member(service.escorts.world.provider.code, "front_desk", login="mei"))
    with pytest.raises(NotFound):
        accept_by_phone(front, booking, asked.id, now=NOON)
    for _click in range(2):
        accept_by_phone(service.manager, booking, asked.id, now=NOON)
    with reading() as session:
        row = session.scalars(select(Booking).where(Booking.public_id == booking)).one()
        line = session.scalars(
            select(BookingHistory).where(
                BookingHistory.booking_id == row.id, BookingHistory.to_state == BookingState.CONFIRMED.value
            )
        ).one()
    assert row.state is BookingState.CONFIRMED and line.actor == service.manager.public_id


def test_an_old_page_takes_nobody_else_off(service: Service) -> None:
    he, lu, booking = service.worker(), service.worker("陆萍"), booked(service, 0)
    ask_worker(service.manager, booking, he, now=NOON)
    [first] = asks_of(service.manager, booking)
    with pytest.raises(Invalid):
        take_off(service.manager, booking, first.id, "bored", now=NOON)
    for _click in range(2):
        take_off(service.manager, booking, first.id, "late", now=NOON)
    ask_worker(service.manager, booking, lu, now=NOON)
    take_off(service.manager, booking, first.id, "late", now=NOON)
    with pytest.raises(AskIsOver):
        take_off(service.manager, booking, first.id, "ill", now=NOON)
    second, ended = asks_of(service.manager, booking)
    assert (second.worker, second.live) == (lu, True) and (ended.state, ended.cause) == ("replaced", "late")


def test_another_providers_bookings_and_asks_are_not_there(service: Service) -> None:
    he, booking, another = service.worker(), booked(service, 0), booked(service, 1)
    ask_worker(service.manager, booking, he, now=NOON)
    [asked] = asks_of(service.manager, booking)
    provider, _offer, _slots = make_offer(kind="hospital_escort")
    strangers = [member(make_member(provider.code, login="other"))]
    strangers.append(member(make_member(service.escorts.world.provider.code, "clinician", login="lin")))
    for who in strangers:
        for act in (
            lambda who: asks_of(who, booking),
            lambda who: fitting(who, booking, now=NOON),
            lambda who: ask_worker(who, another, he, now=NOON),
            lambda who: accept_by_phone(who, booking, asked.id, now=NOON),
            lambda who: take_off(who, booking, asked.id, "desk", now=NOON),
        ):
            with pytest.raises(NotFound):
                act(who)
    assert board(strangers[0], ALL).lines == []
    with pytest.raises(NotFound):
        take_off(service.manager, another, asked.id, "desk", now=NOON)
