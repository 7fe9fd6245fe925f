"""The desk's calendar of places as people use it: rules, a day that closes, what becomes of the bookings; no script."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from booking.capacity_rules import edit, extend
from booking.capacity_rules.edit import Wish
from booking.capacity_rules.extend import extend_calendars
from booking.hold.submit import submit
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.errors import TooMany
from tests.booking.capacity_rules.calendars import (
    ON,
    another,
    answers_here,
    book,
    books,
    closed_day,
    on_sale,
    pool_id,
    save,
    weekly,
)
from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World, booking_row, make_offer, set_provider

RULES = {
    "r1_day1": "1",
    "r1_day2": "1",
    "r1_from": "08:00",
    "r1_to": "10:00",
    "r1_minutes": "30",
    "r1_places": "4",
    "holidays": "closed",
    "make_up": "1",
    "horizon": "30",
}


@pytest.fixture
def desk(app: Flask, world: World) -> Visitor:
    """The front desk of the world's provider, who answers here; nothing is for sale yet."""
    answers_here(world)
    return at_desk(app, make_member(world.provider.code, "front_desk"))


def path(world: World, rest: str = "") -> str:
    return f"/desk/capacity/{pool_id(world)}{rest}"


def send(desk: Visitor, address: str, **fields: str) -> TestResponse:
    """Send a form from the page at the address, with the version that the page carries."""
    page = desk.get(address).text
    seen = re.search(r'name="version" value="(\d+)"', page)
    return desk.post(address, address, **{"version": seen[1] if seen else "0", **fields})


def carried(page: TestResponse) -> dict[str, str]:
    """The hidden fields of a preview, and of each booking that it shows that it goes with all."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    shown = dict.fromkeys(re.findall(r'<select [^>]*name="(what_[^"]+)"', page.text), "")
    return {name: value for name, value in found if name != "csrf_token"} | shown


def test_rules_are_written_looked_at_and_saved(desk: Visitor, world: World) -> None:
    assert "No weekly rules are written yet" in main(desk.get(path(world)))
    looked = send(desk, path(world, "/rules"), **RULES, do="look")
    assert looked.status_code == 200
    assert "What changes" in main(looked) and "Tue 3 March" in main(looked)
    assert {ref for ref, _ in on_sale(world)} == {slot.external_ref for slot in world.slots}, "nothing is saved yet"
    saved = desk.post(path(world, "/rules"), path(world, "/rules"), **carried(looked), do="save")
    assert (saved.status_code, saved.headers["Location"]) == (303, path(world))
    assert len(on_sale(world, date(2026, 3, 9))) == 4
    assert on_sale(world, date(2026, 3, 11)) == []
    page = desk.get(path(world))
    assert "Saved. The places are as you see them here." in page.text
    assert "Places are made until 31 March 2026" in main(page)


@pytest.mark.parametrize("version", ["", "x", "-1", "\u0663", "9" * 30])
def test_a_form_without_a_version_that_can_be_read_saves_nothing(desk: Visitor, world: World, version: str) -> None:
    save(world, weekly())
    before, day = on_sale(world), path(world, f"/days/{ON}")
    for address, fields in ((day, {"what": "closed"}), (path(world, "/rules"), RULES)):
        refused = desk.post(address, address, **fields, version=version, do="save")
        assert refused.status_code == 422, refused.text
    assert on_sale(world) == before


def test_what_was_saved_stands_in_the_form_again(desk: Visitor, world: World) -> None:
    save(world, weekly())
    page = desk.get(path(world, "/rules")).text
    for value in ('value="08:00"', 'value="10:00"', 'name="r1_places" type="number" value="4"', 'value="14"'):
        assert value in page, value
    looked = send(desk, path(world, "/rules"), **fields_of(page), do="look")
    assert "No day changes" in main(looked)


def fields_of(page: str) -> dict[str, str]:
    """The form of the rules as a browser would send it."""
    inputs = re.findall(r'<input[^>]*\bname="(r\d+_\w+|horizon)"[^>]*>', page)
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        ticked = 'type="checkbox"' not in tag or " checked" in tag
        if name and name[1] in inputs and value and ticked:
            found[name[1]] = value[1]
    for name, options in re.findall(r'(?s)<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


WRONG = {
    "r1_places": ("0", "This must be between 1 and 9999."),
    "r1_from": ("25:00", "This must be a time of day such as 22:00."),
    "r1_to": ("07:00", "The last day lies before the first one."),
    "r1_minutes": ("999", "One slot is longer than these hours."),
    "r1_since": ("x", "This must be a date such as 2030-01-31."),
    "horizon": ("400", "This must be between 1 and 366."),
}


@pytest.mark.parametrize("field", WRONG)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(desk: Visitor, world: World, field: str) -> None:
    value, sentence = WRONG[field]
    answer = send(desk, path(world, "/rules"), **{**RULES, field: value}, do="look")
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    if field != "r1_to":
        assert sentence in main(answer)
    assert 'name="r1_day2" value="1" checked' in answer.text


def test_who_saves_second_is_told_and_shown_what_is_there_now(desk: Visitor, world: World) -> None:
    save(world, weekly())
    looked = send(desk, path(world, "/rules"), **RULES, do="look")
    save(world, weekly(places=9))
    answer = desk.post(path(world, "/rules"), path(world, "/rules"), **carried(looked), do="save")
    assert answer.status_code == 412
    assert "Nothing was saved; look at it as it is now." in main(answer)
    assert 'name="r1_places" type="number" value="9"' in answer.text
    assert {places for _, places in on_sale(world)} == {9}


def test_closing_a_day_asks_what_becomes_of_its_bookings_and_says_what_came_of_it(desk: Visitor, world: World) -> None:
    save(world, weekly())
    first, second = (book(world, slot) for slot in books(world, ON)[:2])
    day = path(world, f"/days/{ON}")
    looked = send(desk, day, what="closed", do="look")
    assert "2 bookings: what becomes of them?" in main(looked)
    assert "沈**" in main(looked) and "沈静宜" not in looked.text
    answer = desk.post(day, day, **carried(looked), do="save")
    assert answer.status_code == 409
    assert "Say of each booking below what becomes of it." in main(answer)
    answer = desk.post(day, day, **carried(looked), do="save", what_all="cancel")
    assert answer.status_code == 422 and "This is needed." in main(answer)
    decided = {"what_all": "cancel", "why_all": "设备检修", f"what_{second}": "propose"}
    answer = desk.post(day, day, **{**carried(looked), **decided}, do="save")
    assert answer.status_code == 303
    page = main(desk.get(answer.headers["Location"]))
    assert "The customer was told, and the benefit was given back." in page
    assert "Other time proposed" in page
    assert booking_row(first).state is BookingState.CANCELLED
    assert booking_row(second).state is BookingState.CONFIRMED
    assert on_sale(world, ON) == []
    assert "Back to the weekly rules" in main(desk.get(day))


def test_what_is_said_of_all_is_not_said_of_who_booked_after_the_page_was_shown(desk: Visitor, world: World) -> None:
    save(world, weekly())
    seen = book(world, books(world, ON)[0])
    day = path(world, f"/days/{ON}")
    looked = send(desk, day, what="closed", do="look")
    late = book(world, books(world, ON)[1])
    cancel_all = {"what_all": "cancel", "why_all": "设备检修", "do": "save"}
    answer = desk.post(day, day, **carried(looked), **cancel_all)
    assert answer.status_code == 409 and "2 bookings: what becomes of them?" in main(answer)
    assert [booking_row(each).state for each in (seen, late)] == [BookingState.CONFIRMED] * 2
    assert desk.post(day, day, **carried(answer), **cancel_all).status_code == 303
    assert [booking_row(each).state for each in (seen, late)] == [BookingState.CANCELLED] * 2


def test_the_page_says_how_many_customers_are_moving_away_already(desk: Visitor, world: World) -> None:
    save(world, weekly())
    book(world, books(world, ON)[0])
    day = path(world, f"/days/{ON}")
    looked = send(desk, day, what="closed", do="look")
    desk.post(day, day, **{**carried(looked), "what_all": "propose"}, do="save")
    save(world, Wish(day=ON))
    closing = main(send(desk, day, what="closed", do="look"))
    assert "1 customer is about to move to another time already and is left alone" in closing
    assert "what becomes of it?" not in closing


def test_a_fault_while_a_day_is_saved_is_not_a_day_that_is_not_there(
    desk: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("broken")

    save(world, weekly())
    monkeypatch.setattr(edit, "preview", broken)
    assert send(desk, path(world, f"/days/{ON}"), what="closed", do="look").status_code == 500


def test_a_form_with_thousands_of_bookings_is_taken(desk: Visitor, world: World) -> None:
    save(world, weekly())
    day = path(world, f"/days/{ON}")
    looked = send(desk, day, what="closed", do="look")
    many = {f"why_bkg_{number:05}": "设备检修" * 10 for number in range(2000)}
    assert desk.post(day, day, **carried(looked), **many, do="save").status_code == 303
    assert send(desk, path(world, "/rules"), **RULES, **many, do="look").status_code == 200
    undecided = path(world, "/undecided")
    assert desk.post(undecided, undecided, **many).status_code == 422


def test_a_slot_alone_is_closed_by_one_button_and_a_look(desk: Visitor, world: World) -> None:
    save(world, weekly())
    day = path(world, f"/days/{ON}")
    button = re.search(r'name="what" value="(slot:\d+)"', desk.get(day).text)
    assert button is not None
    looked = send(desk, day, what=button[1], do="look")
    saved = desk.post(day, day, **carried(looked), do="save")
    assert saved.status_code == 303
    starts = [slot.starts_at for slot in books(world, ON) if not slot.closed]
    assert [f"{at:%H:%M}" for at in starts if at] == ["00:30", "01:00", "01:30"], "in UTC"


def test_a_day_gets_other_places_and_goes_back_to_the_rules(desk: Visitor, world: World) -> None:
    save(world, weekly())
    day = path(world, f"/days/{ON}")
    row = {"r1_from": "08:00", "r1_to": "09:00", "r1_minutes": "30", "r1_places": "7"}
    looked = send(desk, day, what="sections", do="look", **row)
    desk.post(day, day, **carried(looked), do="save")
    assert [places for _, places in on_sale(world, ON)] == [7, 7]
    looked = send(desk, day, what="rules", do="look")
    desk.post(day, day, **carried(looked), do="save")
    assert [places for _, places in on_sale(world, ON)] == [4] * 4


def test_an_empty_form_closes_nothing(desk: Visitor, world: World) -> None:
    save(world, weekly())
    for fields in ({}, {"what": "sections"}, {"what": "slot:x"}, {"what": "everything"}):
        assert send(desk, path(world, f"/days/{ON}"), **fields).status_code == 422
    assert len(on_sale(world, ON)) == 4


def test_bookings_that_came_in_meanwhile_are_asked_about(desk: Visitor, world: World) -> None:
    save(world, weekly())
    world.slots[:] = books(world, ON)[:1]
    late = another(world)
    held = late.hold(0)
    save(world, closed_day())
    submit(late.principal, held, now=NOON)
    assert "1 booking stands at a time that is closed" in main(desk.get(path(world)))
    undecided = path(world, "/undecided")
    assert desk.post(undecided, undecided).status_code == 422
    assert desk.post(undecided, undecided, what_all="keep").status_code == 422, "she was not on that page"
    done = desk.post(undecided, undecided, **carried(desk.get(undecided)), what_all="keep")
    assert done.status_code == 303
    assert "Stays" in main(desk.get(done.headers["Location"]))
    assert "Nothing is to decide" in main(desk.get(undecided))


def test_what_cannot_be_published_at_once_is_left_to_the_worker(
    desk: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crowded(*_: object) -> object:
        raise TooMany(retry_after=2)

    looked = send(desk, path(world, "/rules"), **RULES, do="look")
    with monkeypatch.context() as patched:
        patched.setattr(extend, "publish_slots", crowded)
        saved = desk.post(path(world, "/rules"), path(world, "/rules"), **carried(looked), do="save")
    assert saved.status_code == 303
    assert "The newest rules are being carried out" in main(desk.get(path(world)))
    assert extend_calendars(now=NOON + extend.LEASE) == {"published": 1}
    assert "The newest rules are being carried out" not in main(desk.get(path(world)))


def test_a_month_and_a_week_say_how_full_each_day_is(desk: Visitor, world: World) -> None:
    save(world, weekly())
    book(world, books(world, ON)[0])
    save(world, closed_day(date(2026, 3, 11)))
    month = main(desk.get(path(world)))
    assert "15 left 1 booked" in month and "Not open" in month and "Exception" in month
    week = main(desk.get(path(world, f"?view=week&day={ON}")))
    assert "08:00" in week and "1/4" in week
    assert desk.get(path(world, "?view=x&day=y")).status_code == 200
    assert "Qingming Festival" in main(desk.get(path(world, "?day=2026-04-04")))


def test_this_month_begins_with_this_week_and_the_days_before_come_by_a_link(
    app: Flask, desk: Visitor, world: World
) -> None:
    save(world, weekly())
    for passed, begins in ((0, 2), (16, 16)):
        with clock.frozen(NOON + timedelta(days=passed)):
            late = at_desk(app, "front_desk")
            page = late.get(path(world)).text
            days = re.findall(r"/days/(2026-\d\d-\d\d)", page)
            assert days[0] == f"2026-03-{begins:02}" and len(days) >= 28
            link = re.search(r'href="([^"]+whole=1)"', page)
            assert link is not None
            whole = late.get(link[1].replace("&amp;", "&")).text
            assert re.findall(r"/days/(2026-\d\d-\d\d)", whole)[0] == "2026-03-01"
            assert "Days of this month" in page and "Days of this month" not in whole
    for other in ("2026-02-01", "2026-04-01"):
        page = desk.get(path(world, f"?day={other}")).text
        assert f"/days/{other}" in page and "Days of this month" not in page and "agenda--now" not in page


def test_a_provider_whose_system_we_read_sees_its_calendar_and_changes_it_there(desk: Visitor, world: World) -> None:
    set_provider(world.provider, adapter="open_protocol")
    assert "Your own system fills this calendar." in main(desk.get(path(world)))
    for address in (path(world, "/rules"), path(world, f"/days/{ON}")):
        page = desk.get(address)
        assert page.status_code == 200 and '<form method="post" action="/desk/capacity' not in page.text
        assert desk.post(address, "/desk/password", **RULES).status_code == 409


def test_a_provider_with_several_pools_chooses_and_one_without_is_told(app: Flask, world: World, desk: Visitor) -> None:
    assert desk.get("/desk/capacity").headers["Location"] == path(world)
    other = make_offer(slots=0)[0]
    set_provider(other, adapter="partner")
    stranger = at_desk(app, make_member(other.code, login="stranger"))
    assert stranger.get(path(world)).status_code == 404
    assert stranger.get("/desk/capacity/x/days/2026-13-01").status_code == 404


def test_a_day_that_is_over_can_be_looked_at_and_not_changed(desk: Visitor, world: World) -> None:
    save(world, weekly())
    page = desk.get(path(world, "/days/2026-02-27"))
    assert page.status_code == 200 and "Close this day" not in page.text
    assert desk.post(path(world, "/days/2026-02-27"), "/desk/password", what="closed").status_code == 422


def test_everything_is_there_in_chinese(app: Flask, world: World, desk: Visitor) -> None:
    save(world, weekly())
    book(world, books(world, ON)[0])
    reader = at_desk(app, "front_desk", "zh")
    day = path(world, f"/days/{ON}")
    assert "号源日历" in main(reader.get(path(world)))
    assert "每周规则" in main(reader.get(path(world, "/rules")))
    assert "1 个预约如何处理？" in main(reader.post(day, day, what="closed", do="look", version="2"))
