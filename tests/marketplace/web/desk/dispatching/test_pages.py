"""The desk's pages about escort workers, as a manager clicks through them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace as changed
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from booking.answering.shown import SHOWN
from booking.changes.cancel import cancel
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.escort.assign import replace
from booking.escort.at_desk.asked import asks_of
from booking.escort.models import EscortWorker
from booking.escort.workers import keep, read, roster
from booking.models import ProviderTask
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from tests.booking.escort.staff import DESK, EIGHT
from tests.booking.escort.workers.people import EVERY_DAY, Service, make_service
from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.sites import load_sites
from tests.world import booking_row, go, make_offer

WORKERS, NEW, BOARD = "/desk/dispatch/workers", "/desk/dispatch/workers/new", "/desk/dispatch"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Eight days before the bookings."""
    with clock.frozen(NOON):
        yield


@pytest.fixture
def service(db: object) -> Service:
    return make_service()


@pytest.fixture
def yan(app: Flask, service: Service) -> Visitor:
    """The manager, at the desk."""
    return at_desk(app, "yan")


def form(**changes: str) -> dict[str, str]:
    given = {
        "shown_name": "何静",
        "sex": "female",
        "city": "浙江省|杭州市",
        "language.mandarin": "1",
        "key": "one form",
        "auto": "1",
    }
    return {**given, **changes}


def test_a_worker_is_written_down_once_and_made_ready(yan: Visitor, service: Service, tmp_path: Path) -> None:
    assert "No escort workers yet" in main(yan.get(WORKERS))
    wrong = yan.post(NEW, NEW, **form(shown_name="", phone="12"))
    assert wrong.status_code == 422 and "This is needed." in main(wrong) and 'value="12"' in wrong.text
    for _click in range(2):
        made = yan.post(NEW, NEW, **form())
        assert made.status_code == 303
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(EscortWorker)) == 1
    path = made.headers["Location"]
    page = main(yan.get(path))
    assert "Look at her identity card" in page and "Write her weekly hours" in page and "何静" in main(yan.get(WORKERS))
    assert "何静" in main(yan.post(WORKERS, WORKERS, q="何")) and "Nobody has this name" in main(
        yan.post(WORKERS, WORKERS, q="陆")
    )
    seen = re.search(r'name="seen" value="([^"]+)"', yan.get(path).text)
    assert seen is not None and yan.post(path, path, do="papers", seen="2026-01-01").status_code == 409
    assert yan.post(path, path, do="papers", seen=seen[1]).status_code == 303
    for _click in range(2):
        answer = yan.post(f"{path}/roster", path, do="add", day1="1", start="08:00", end="17:00", first="2026-03-09")
        assert answer.status_code == 303
    refused = yan.post(f"{path}/roster", path, do="add", day1="1", start="08:00", end="07:00", first="2026-03-09")
    assert refused.status_code == 422 and "The end must lie after the start." in main(refused)
    page = main(yan.get(path))
    assert "Look at her identity card and her health certificate, then" not in page and page.count("08:00–17:00") == 1
    place = {"province": "浙江省", "kind": "综合/其他"}
    load_sites(tmp_path, [{**place, "name": f"{city[:2]}安定医院", "city": city} for city in ("杭州市", "宁波市")])
    found = re.findall(r'name="site" value="(\w+)"', yan.get(f"{path}/venues", query_string={"q": "安定"}).text)
    assert len(found) == 1, "of her city alone"
    for _click in range(2):
        assert yan.post(f"{path}/venues", path, do="add", site=found[0], q="安定").status_code == 303
    known = yan.get(f"{path}/venues", query_string={"q": "安定"}).text
    assert known.count(found[0]) == 1 and "Take off" in known and "No other place of her city fits" in known
    wrong = yan.post(f"{path}/venues", path, do="add", site=service.escorts.world.offer.public_id)
    assert wrong.status_code == 422
    for do in ("nothing", "link"):
        assert yan.post(path, path, do=do).status_code == 422


def test_where_she_sets_out_from_is_searched_or_typed_and_may_stay_unknown(
    app: Flask, yan: Visitor, service: Service, tmp_path: Path
) -> None:
    worker = service.worker()
    path = f"{WORKERS}/{worker}"
    assert "Where she sets out from Change : Where she sets out from Not given" in main(yan.get(path))
    place = {"province": "浙江省", "city": "杭州市", "kind": "综合/其他"}
    there = {**place, "longitude": "120.1694", "latitude": "30.2512"}
    load_sites(tmp_path, [{**there, "name": "湖滨安定医院"}, {**place, "name": "城北安定医院"}])
    found = yan.get(f"{path}/home", query_string={"q": "安定"}).text
    sites = re.findall(r'name="site" value="(\w+)"', found)
    assert len(sites) == 1, "whose coordinates are known alone"
    assert yan.post(f"{path}/home", path, do="near", site=sites[0], q="安定").status_code == 303
    assert "About latitude 30.251, longitude 120.169 · 0.1 km from" in main(yan.get(path))
    pasted = yan.post(f"{path}/home", path, do="typed", coordinates="120.1501，30.2604")
    assert pasted.status_code == 303
    told = "Saved: About latitude 30.26, longitude 120.15 · 2.1 km from"
    assert told in yan.get(path).text, "what was understood is told"
    wrong = yan.post(f"{path}/home", path, do="typed", coordinates="120")
    assert wrong.status_code == 422 and 'id="f-coordinates-error"' in wrong.text and 'value="120"' in wrong.text
    far = yan.post(f"{path}/home", path, do="typed", coordinates="31.2, 12.1")
    assert far.status_code == 422 and "km from her city" in main(far)
    assert yan.post(f"{path}/home", path, do="near", site="sit_x").status_code == 422
    assert yan.post(f"{path}/home", path, do="dance").status_code == 422
    assert yan.post(f"{path}/home", path, do="forget").status_code == 303 and "Not given" in main(yan.get(path))
    make_member(service.escorts.world.provider.code, "front_desk", login="mei")
    mei = at_desk(app, "mei")
    assert "sets out" not in main(mei.get(path)) and mei.get(f"{path}/home").status_code == 404


def test_an_old_form_about_her_says_so_and_a_right_one_is_saved(yan: Visitor, service: Service) -> None:
    path = f"{WORKERS}/{service.worker()}"
    seen = re.search(r'name="seen" value="([^"]+)"', yan.get(f"{path}/change").text)
    assert seen is not None
    old = yan.post(f"{path}/change", path, **form(seen="2026-01-01", staff_number="9"))
    assert old.status_code == 409 and "Nothing was saved: open her page again." in main(old)
    assert yan.post(f"{path}/change", path, **form(seen=seen[1], staff_number="9")).status_code == 303
    assert "9" in main(yan.get(path))


def test_what_an_absence_hits_is_shown_before_it_is_written(yan: Visitor, service: Service) -> None:
    worker = service.worker()
    booking = service.escorts.hold(0)
    service.submit(booking)
    dispatch, away = f"{BOARD}/bookings/{booking}", f"{WORKERS}/{worker}/away"
    assert yan.post(dispatch, dispatch, do="ask", worker=worker).status_code == 303
    assert 'value="ill" selected' in yan.get(away, query_string={"cause": "ill"}).text
    look = yan.post(away, away, cause="ill", until="2026-03-10", do="look")
    assert look.status_code == 200 and "Write it, and ask others" in main(look)
    assert [each.live for each in asks_of(service.manager, booking)] == [True]
    wrong = yan.post(away, away, cause="ill", until="2026-01-01", do="look")
    assert wrong.status_code == 422 and "The end must lie after the start." in main(wrong)
    for _click in range(2):
        assert yan.post(away, away, cause="ill", until="2026-03-10", do="write").status_code == 303
    assert [each.cause for each in asks_of(service.manager, booking)] == ["ill"]
    [absence] = read.worker_of(service.manager, worker, now=NOON).away
    assert yan.post(away, away, do="back", absence=absence.id).status_code == 303
    assert "She is not away" in main(yan.get(f"{WORKERS}/{worker}"))


@pytest.mark.parametrize(
    "times", [{"until": "9999-12-31"}, {"until": "9999-12-31", "until_time": "24:00"}, {"since": "0001-01-01"}]
)
def test_a_day_at_the_end_of_the_calendar_is_a_slip(yan: Visitor, service: Service, times: dict[str, str]) -> None:
    away = f"{WORKERS}/{service.worker()}/away"
    for do in ("look", "write"):
        wrong = yan.post(away, away, cause="ill", do=do, **times)
        assert wrong.status_code == 422 and "This must be a date such as" in main(wrong)


def test_a_booking_is_given_to_somebody_and_taken_back(app: Flask, yan: Visitor, service: Service) -> None:
    he, lu = service.worker(), service.worker("陆萍", languages=("mandarin",))
    booking = service.escorts.hold(0)
    service.submit(booking)
    path = f"{BOARD}/bookings/{booking}"
    assert "No worker yet" in main(yan.get(BOARD)) and f"{BOARD}/bookings/{booking}" in yan.get(BOARD).text
    before = looks()
    page = yan.get(path)
    assert looks() == before + 1, "each look at the details is one line of the audit"
    assert "2 in the city: 2 fit" in main(page) and "In a wheelchair" in main(page) and "心内科" in page.text
    for _click in range(2):
        assert yan.post(path, path, do="ask", worker=he).status_code == 303
    other = yan.post(path, path, do="ask", worker=lu)
    assert other.status_code == 409
    [asked] = asks_of(service.manager, booking)
    make_member(service.escorts.world.provider.code, "front_desk", login="mei")
    mei = at_desk(app, "mei")
    assert "She has said yes by phone" not in main(mei.get(path))
    assert mei.post(path, path, do="accept", assignment=asked.id).status_code == 404
    for _click in range(2):
        assert yan.post(path, path, do="accept", assignment=asked.id).status_code == 303
    assert "Accepted" in main(yan.get(BOARD)) and "Replace her" in main(yan.get(path))
    for _click in range(2):
        assert yan.post(path, path, do="take_off", assignment=asked.id, cause="ill").status_code == 303
    assert "Taken off: ill" in main(yan.get(path))
    for wrong in ({"do": "ask", "worker": "esw_x"}, {"do": "take_off", "assignment": "esa_x", "cause": "ill"}):
        assert yan.post(path, path, **wrong).status_code == 404, wrong
    assert yan.post(path, path, do="dance").status_code == 422


def test_once_it_has_begun_somebody_else_can_be_asked_until_it_is_over(
    app: Flask, yan: Visitor, service: Service
) -> None:
    he, lu = service.worker(), service.worker("陆萍")
    booking = service.escorts.hold(0)
    service.submit(booking)
    path, ask = f"{BOARD}/bookings/{booking}", f'name="worker" value="{lu}"'
    yan.post(path, path, do="ask", worker=he)
    [asked] = asks_of(service.manager, booking)
    yan.post(path, path, do="accept", assignment=asked.id)
    for minutes, state in ((10, None), (20, BookingState.CHECKED_IN), (30, BookingState.IN_SERVICE)):
        with clock.frozen(EIGHT + timedelta(minutes=minutes)):
            if state is None:
                replace(service.id, booking, "ill", actor=DESK, now=clock.now())
            else:
                go(booking, state)
            now = at_desk(app, "yan")
            assert ask in now.get(path).text, state
    with clock.frozen(EIGHT + timedelta(minutes=40)):
        now = at_desk(app, "yan")
        now.post(path, path, do="ask", worker=lu)
        [there] = [each.id for each in asks_of(service.manager, booking) if each.live]
        assert now.post(path, path, do="take_off", assignment=there, cause="desk").status_code == 303
        assert "Now ask somebody else here." in now.get(path).text
    with clock.frozen(EIGHT + timedelta(hours=4)):
        page = at_desk(app, "yan").get(path)
    assert ask not in page.text and "Nobody is sent to this booking any more." in main(page)


def test_why_nobody_can_be_asked_now_stands_instead_of_the_form(yan: Visitor, service: Service) -> None:
    service.worker()
    booking = service.escorts.hold(0)
    service.submit(booking)
    with transaction() as session:
        session.execute(update(ProviderTask).values(state="done", first_sent_at=NOON, finished_at=NOON))
    cancel(service.escorts.world.principal, booking, now=NOON)
    page = yan.get(f"{BOARD}/bookings/{booking}")
    assert "The customer cancelled, and that is being carried out." in main(page) and "fits-title" not in page.text


def test_who_moves_through_the_board_by_keys_stays_where_she_is_when_it_changes(yan: Visitor, service: Service) -> None:
    booking = service.escorts.hold(0)
    service.submit(booking)
    board, live = yan.get(BOARD).text, yan.get(f"{BOARD}/live").text
    assert re.search(r'<div id="live"[^>]* tabindex="-1" data-morph ', board) and "js/morph" in board
    row = re.search(r'<li class="dispatch__row" data-key="(\w+)">', live)
    assert row is not None and f'<a class="go strong" id="b-{row[1]}" href="{BOARD}/bookings/{booking}"' in live
    assert re.search(r"<dl [^>]*data-announce>", live)


def test_nobody_fits_and_the_page_says_what_would_help(yan: Visitor, service: Service) -> None:
    worker = service.worker(ready=False)
    booking = service.escorts.hold(0)
    service.submit(booking)
    page = yan.get(f"{BOARD}/bookings/{booking}")
    assert "1 in the city: 1 without checked papers" in main(page)
    assert "Missing: somebody who has checked papers and is on duty then" in main(page)
    assert f"/desk/bookings/{booking}/propose" in page.text and worker in page.text


@pytest.mark.parametrize(
    ("kind", "facts", "says"),
    [
        ("escort_lost", {"cancelled": False}, "Find out whether somebody of yours went"),
        ("escort_lost", {"cancelled": True}, "It was cancelled, and the customer has her benefit back."),
        ("escort_came_after_all", {}, "It took place after it was cancelled"),
        ("escort_late", {}, "Call your worker now"),
    ],
)
def test_what_is_to_be_looked_at_stands_on_the_board_and_with_its_booking(
    yan: Visitor, service: Service, kind: str, facts: dict[str, bool], says: str
) -> None:
    booking = service.escorts.hold(0)
    service.submit(booking)
    row, path = booking_row(booking), f"{BOARD}/bookings/{booking}"
    assert "To be looked at now" not in main(yan.get(BOARD)) + main(yan.get(path))
    with transaction() as session:
        open_discrepancy(session, row.provider_id, kind, booking, now=NOON, booking_id=row.id, facts=facts)
    for page in (BOARD, f"{BOARD}/live", path):
        assert says in html.unescape(yan.get(page).text), page
    assert f"{BOARD}/bookings/{booking}" in yan.get(f"{BOARD}/live?city=nowhere").text, "however it is narrowed"
    whole = main(yan.get(f"/desk/bookings/{booking}"))
    assert "Something about it differs" not in whole
    with transaction() as session:
        close_discrepancy(session, row.provider_id, kind, booking, "explained", now=NOON)
    assert "To be looked at now" not in main(yan.get(BOARD)) + main(yan.get(path))


def test_what_has_begun_is_given_to_somebody_for_what_is_left_of_it(app: Flask, service: Service) -> None:
    worker, booking = service.worker(), service.escorts.hold(0)
    service.submit(booking)
    go(booking, BookingState.CONFIRMED)
    path = f"{BOARD}/bookings/{booking}"
    for hours, is_open in ((1, True), (4, False)):
        with clock.frozen(EIGHT + timedelta(hours=hours)):
            page = at_desk(app, "yan").get(path).text
        assert (f'value="{worker}"' in page) is is_open and ("Nobody is sent to this booking" in page) is not is_open


def test_whoever_is_asked_without_a_phone_is_to_be_called(yan: Visitor, service: Service) -> None:
    worker, booking = service.worker(phone=""), service.escorts.hold(0)
    service.submit(booking)
    path = f"{BOARD}/bookings/{booking}"
    assert yan.post(path, path, do="ask", worker=worker).status_code == 303
    assert "so she was sent no message. Please call her." in main(yan.get(path))


@pytest.mark.parametrize(("from_minute", "free"), [(9 * 60, True), (8 * 60 + 30, False)])
def test_another_time_is_proposed_with_the_one_that_would_help_chosen(
    yan: Visitor, service: Service, from_minute: int, free: bool
) -> None:
    worker, booking = service.worker(ready=False), service.escorts.hold(0)
    keep.check_papers(service.manager, worker, seen=NOON, now=NOON)
    roster.add_hours(service.manager, worker, changed(EVERY_DAY, start_minute=from_minute), now=NOON)
    service.submit(booking)
    address = re.search(r'href="(/desk/bookings/\w+/propose[^"]*)"', yan.get(f"{BOARD}/bookings/{booking}").text)
    assert address is not None
    page = yan.get(html.unescape(address[1]))
    chosen = re.findall(r'name="slot" value="(\w+)" required checked', page.text)
    assert chosen == ([service.escorts.world.slots[1].public_id] if free else [])
    assert ("no place is open then" in main(page)) is not free
    plain = address[1].partition("?")[0]
    for other in ("", "?at=2026-03-10T09:00:00", "?at=yesterday"):
        text = yan.get(f"{plain}{other}").text
        assert "checked" not in text and "no place is open" not in text, other


def test_the_room_is_there_where_somebody_is_sent(app: Flask, service: Service) -> None:
    provider, _offer, _slots = make_offer()
    make_member(provider.code, login="fang")
    fang = at_desk(app, "fang")
    assert [fang.get(path).status_code for path in (BOARD, WORKERS, NEW)] == [404, 404, 404]
    assert BOARD not in fang.get("/desk").text and "Escort worker" not in fang.get("/desk/members/invite").text
    yan = at_desk(app, "yan")
    assert BOARD in yan.get("/desk").text and "Escort worker" in yan.get("/desk/members/invite").text
    make_member(service.escorts.world.provider.code, "escort", login="he")
    he = at_desk(app, "he")
    assert he.get("/desk").status_code == 303 and he.get(BOARD).status_code == 404
    assert yan.get(f"{BOARD}/live").status_code == 200


def looks() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(AuditLine).where(AuditLine.action == SHOWN)) or 0
