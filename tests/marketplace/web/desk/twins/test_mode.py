"""Test mode at the desk: one switch of one session, and then every page is the twin's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from booking.states import BookingState
from booking.twins.book import book_for_test
from booking.twins.open import twin_of
from booking.twins.view import TrialBooking, trial_bookings
from marketplace.catalog.models import Offer
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.web.urls import DESK_PAGES
from providers.staff.duties import DUTIES
from tests.booking.twins.stage import Stage, with_twin
from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main, words
from tests.people import NOON
from tests.world import EIGHT, World, booking_row, go, history, make_world, set_provider
from vip.models import Operator
from vip.principal import MemberRole

BAND = "Test mode: nothing here is real"
CLEAR = "/desk/test-bookings/clear"
S = BookingState


def trials(stage: Stage) -> Sequence[TrialBooking]:
    """Her test bookings."""
    return trial_bookings(stage.twin.id, cursor=None, limit=50, now=NOON).items


def switched(app: Flask, world: World, login: str = "manager") -> Visitor:
    """A manager in test mode."""
    visitor = at_desk(app, make_member(world.provider.code, "manager", login=login))
    assert visitor.post("/desk/test-mode", "/desk/test-mode", do="on").status_code == 303
    return visitor


@pytest.fixture
def stage(world: World) -> Stage:
    """Test mode opened before, with free times."""
    set_provider(world.provider, adapter="desk")
    return with_twin(world)


def test_a_manager_switches_it_on_and_every_page_is_the_twins_under_a_band(app: Flask, world: World) -> None:
    live = world.submit()
    visitor = at_desk(app, make_member(world.provider.code))
    assert BAND not in visitor.get("/desk").text and twin_of(world.provider.id) is None
    answer = visitor.post("/desk/test-mode", "/desk/test-mode", do="on")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/test-bookings")
    assert twin_of(world.provider.id) is not None
    shown = [page for page in DESK_PAGES if not page.open and "GET" in page.methods and "<" not in page.rule]
    pages = {page.rule: visitor.get(page.rule) for page in shown if not page.rule.endswith("/live")}
    there = {rule for rule, answer in pages.items() if answer.status_code == 200}
    assert {"/desk", "/desk/bookings", "/desk/offers", "/desk/setup", "/desk/test-bookings"} <= there
    assert [rule for rule in there if BAND not in pages[rule].text] == []
    assert {rule for rule, answer in pages.items() if answer.status_code == 404} == {
        page.rule for page in shown if page.at == "live" and not page.rule.endswith("/live")
    }
    assert visitor.get(f"/desk/bookings/{live}").status_code == 404, "what is live is not there"
    assert "Hexin (test)" in pages["/desk"].text


def test_leaving_it_leads_back_to_the_real_desk(app: Flask, stage: Stage) -> None:
    visitor = switched(app, stage.world)
    assert visitor.post("/desk/test-mode/leave", "/desk/test-mode").headers["Location"] == "/desk"
    assert BAND not in visitor.get("/desk/bookings").text
    assert visitor.get("/desk/test-bookings").status_code == 404


@pytest.mark.parametrize("role", ["front_desk", "clinician"])
def test_who_has_another_role_by_now_can_leave_it(app: Flask, stage: Stage, role: str) -> None:
    visitor = switched(app, stage.world)
    with transaction() as session:
        session.execute(update(Operator).where(Operator.login == "manager").values(role=role))
    page = visitor.get("/desk").text
    assert BAND in page and 'action="/desk/test-mode/leave"' in page
    assert visitor.post("/desk/test-mode/leave", "/desk").headers["Location"] == "/desk"
    assert BAND not in visitor.get("/desk").text


def test_it_is_of_one_session_alone(app: Flask, stage: Stage) -> None:
    switched(app, stage.world)
    assert BAND not in at_desk(app, "manager").get("/desk").text


@pytest.mark.parametrize("role", ["front_desk", "clinician"])
def test_who_sets_nothing_up_switches_once_a_manager_has_opened_it(app: Flask, world: World, role: MemberRole) -> None:
    visitor = at_desk(app, make_member(world.provider.code, role))
    page = visitor.get("/desk/test-mode")
    assert "A manager opens test mode the first time" in main(page) and 'value="on"' not in page.text
    assert visitor.post("/desk/test-mode", "/desk/test-mode", do="on").headers["Location"] == "/desk/test-mode"
    assert twin_of(world.provider.id) is None and BAND not in visitor.get("/desk").text
    switched(app, world)
    begins = {"front_desk": "/desk/test-bookings", "clinician": "/desk"}[role]
    for _tab in range(2):
        assert visitor.post("/desk/test-mode", "/desk/test-mode", do="on").headers["Location"] == begins
    assert BAND in visitor.get(begins).text


@pytest.mark.parametrize("role", ["manager", "front_desk", "clinician"])
def test_every_role_finds_in_test_mode_what_its_duties_open(app: Flask, stage: Stage, role: MemberRole) -> None:
    visitor = at_desk(app, make_member(stage.world.provider.code, role))
    visitor.post("/desk/test-mode", "/desk/test-mode", do="on")
    for page in DESK_PAGES:
        if page.open or "<" in page.rule or "GET" not in page.methods:
            continue
        may = page.there(test=True) and (page.duty is None or page.duty in DUTIES[role])
        assert (visitor.get(page.rule).status_code != 404) is may, page.endpoint
    for endpoint in ("setup", "offers", "rehearsals", "system"):
        assert (f'href="/desk/{endpoint}"' in visitor.get("/desk").text) is (role == "manager"), endpoint


@pytest.mark.parametrize("role", ["front_desk", "clinician"])
def test_clearing_is_a_managers(app: Flask, stage: Stage, role: MemberRole) -> None:
    book_for_test(stage.twin.id, stage.offer.public_id, None, 1, NOON)
    visitor = at_desk(app, make_member(stage.world.provider.code, role))
    visitor.post("/desk/test-mode", "/desk/test-mode", do="on")
    assert CLEAR not in visitor.get("/desk/test-mode").text
    assert visitor.get(CLEAR).status_code == 404
    assert visitor.post(CLEAR, "/desk/test-mode").status_code == 404
    assert [each.state for each in trials(stage)] == [S.AWAITING_PROVIDER]


def test_the_front_desk_books_answers_checks_in_and_reports_a_test_as_a_real_booking(app: Flask, stage: Stage) -> None:
    visitor = at_desk(app, make_member(stage.world.provider.code, "front_desk"))
    visitor.post("/desk/test-mode", "/desk/test-mode", do="on")
    form = f"/desk/test-bookings/new?offer={stage.offer.public_id}"
    slot = stage.slots[1].public_id
    sent = visitor.post("/desk/test-bookings/new", form, offer=stage.offer.public_id, slot=slot, customer="1")
    assert sent.headers["Location"] == "/desk/test-bookings"
    [made] = trials(stage)
    say(visitor, made.id, "confirm")
    with clock.frozen(EIGHT + timedelta(hours=5)):
        visitor = at_desk(app, "front_desk")
        visitor.post("/desk/test-mode", "/desk/test-mode", do="on")
        for saying in ("check_in", "complete"):
            say(visitor, made.id, saying)
        assert booking_row(made.id).state is S.FULFILLED
        path = f"/desk/bookings/{made.id}/reports"
        assert "Deliver it to the customer" in main(visitor.get(path))


def say(visitor: Visitor, booking: str, saying: str) -> None:
    """Something of a booking, by its page."""
    path, version = f"/desk/bookings/{booking}/{saying}", str(booking_row(booking).version)
    assert visitor.post(path, "/desk/test-bookings", version=version).status_code == 303, saying


def test_a_provider_without_a_twin_is_not_in_test_mode_whatever_its_session_says(app: Flask, world: World) -> None:
    other = at_desk(app, make_member(world.provider.code))
    assert other.post(CLEAR, "/desk/test-mode").status_code == other.get(CLEAR).status_code == 404
    assert other.post("/desk/test-mode", "/desk/test-mode", do="nothing").headers["Location"] == "/desk/test-mode"


def test_a_test_booking_from_the_page_to_the_answer_and_the_end(app: Flask, stage: Stage) -> None:
    visitor = switched(app, stage.world)
    assert "No test bookings yet" in main(visitor.get("/desk/test-bookings"))
    offers = visitor.get("/desk/test-bookings/new")
    assert "Select package" in main(offers)
    form = f"/desk/test-bookings/new?offer={stage.offer.public_id}"
    assert "5 free" in main(visitor.get(form))
    slot = stage.slots[1].public_id
    sent = visitor.post("/desk/test-bookings/new", form, offer=stage.offer.public_id, slot=slot, customer="2")
    assert sent.headers["Location"] == "/desk/test-bookings"
    [made] = trials(stage)
    assert "测试客户二" in made.customer and made.state is S.AWAITING_PROVIDER
    page = main(visitor.get("/desk/test-bookings"))
    assert "测试客户二" in page and "Cancel" in page and "Change the date" not in page
    answered = visitor.post(f"/desk/bookings/{made.id}/confirm", f"/desk/bookings/{made.id}", version="2")
    assert answered.status_code == 303 and booking_row(made.id).state is S.CONFIRMED

    change = f"/desk/test-bookings/{made.id}/change"
    assert "Ask for this time" in main(visitor.get(change))
    moved = visitor.post(change, change, slot=stage.slots[2].public_id)
    assert moved.headers["Location"] == "/desk/test-bookings"
    asked = visitor.get("/desk/test-bookings")
    assert "Change of date asked for" in main(asked)
    assert made.place and f"· {made.place}" in main(asked)
    tag = re.search(r'data-etag="([^"]+)"', asked.text)
    assert tag is not None
    same = visitor.get("/desk/test-bookings/live", headers={"If-None-Match": tag[1].replace("&#34;", '"')})
    assert same.status_code == 304

    assert visitor.post(f"/desk/test-bookings/{made.id}/cancel", "/desk/test-bookings").status_code == 303
    assert trials(stage)[0].asked == "cancel"
    assert visitor.get("/desk/test-bookings/live").status_code == 200


def test_what_does_not_go_is_said_and_nothing_is_lost(app: Flask, stage: Stage) -> None:
    visitor = switched(app, stage.world)
    form = f"/desk/test-bookings/new?offer={stage.offer.public_id}"
    slot = stage.slots[0].public_id

    def send(**changes: str) -> tuple[int, str]:
        fields = {"offer": stage.offer.public_id, "slot": slot, "customer": "1", **changes}
        answer = visitor.post("/desk/test-bookings/new", form, **fields)
        return answer.status_code, "" if answer.status_code == 303 else main(answer)

    assert send()[0] == 303
    status, said = send()
    assert status == 409 and "Who and when" in said, "somebody is there already, and the form stays"
    status, said = send(customer="9", slot=stage.slots[1].public_id)
    assert status == 404 and "Choose one of the test customers." in said
    assert send(customer="x")[0] == 404
    status, said = send(slot=stage.world.slots[0].public_id)
    assert status == 404 and "That time is not there any more." in said
    assert send(offer=stage.world.offer.public_id)[0] == 404
    assert visitor.get(f"/desk/test-bookings/new?offer={stage.world.offer.public_id}").status_code == 404
    [made] = trials(stage)
    change = f"/desk/test-bookings/{made.id}/change"
    assert "can't ask for another date now" in main(visitor.get(change))
    assert visitor.post(change, "/desk/test-mode", slot=stage.slots[1].public_id).status_code == 303
    assert history(made.id) == ["held", "awaiting_provider"]


def test_two_clicks_make_one_booking_and_another_choice_is_not_taken_for_it(app: Flask, stage: Stage) -> None:
    visitor = switched(app, stage.world)
    form = f"/desk/test-bookings/new?offer={stage.offer.public_id}"
    key = re.search(r'name="key" value="([^"]{20,})"', visitor.get(form).text)
    assert key is not None
    fields = {"offer": stage.offer.public_id, "slot": stage.slots[0].public_id, "customer": "1", "key": key[1]}
    for _click in range(2):
        answer = visitor.post("/desk/test-bookings/new", form, **fields)
        assert answer.headers["Location"] == "/desk/test-bookings"
    [made] = trials(stage)
    assert history(made.id) == ["held", "awaiting_provider"]
    other = {**fields, "slot": stage.slots[1].public_id}
    assert visitor.post("/desk/test-bookings/new", form, **other).status_code >= 400
    assert len(trials(stage)) == 1


def test_a_booking_whose_service_is_off_sale_has_no_other_time(app: Flask, stage: Stage) -> None:
    visitor = switched(app, stage.world)
    made = book_for_test(stage.twin.id, stage.offer.public_id, None, 1, NOON)
    go(made, S.CONFIRMED)
    with transaction() as session:
        session.execute(update(Offer).where(Offer.id == stage.offer.id).values(active=False))
    answer = visitor.get(f"/desk/test-bookings/{made}/change")
    assert answer.status_code == 200 and "There is no other free time." in main(answer)


def test_without_free_times_the_page_says_where_to_write_them(app: Flask, world: World) -> None:
    visitor = switched(app, world)
    offers = visitor.get("/desk/test-bookings/new")
    assert "no free time yet" in main(offers)
    link = re.search(r'href="(/desk/test-bookings/new\?offer=[^"]+)"', offers.text)
    assert link is not None
    assert "No free time yet" in main(visitor.get(link[1]))


def test_anothers_test_bookings_and_live_ones_are_not_there(app: Flask, stage: Stage) -> None:
    other = with_twin(make_world(phone="13800000044"))
    theirs = book_for_test(other.twin.id, other.offer.public_id, None, 1, NOON)
    live = stage.world.submit()
    visitor = switched(app, stage.world)
    for booking in (theirs, live):
        for path in (f"/desk/test-bookings/{booking}/cancel", f"/desk/test-bookings/{booking}/change"):
            assert visitor.post(path, "/desk/test-mode", slot="x").status_code == 404
        assert visitor.get(f"/desk/test-bookings/{booking}/change").status_code == 404
    assert booking_row(theirs).state is booking_row(live).state is S.AWAITING_PROVIDER


def test_all_are_cleared_once_the_page_has_said_how_many(app: Flask, stage: Stage) -> None:
    visitor = switched(app, stage.world)
    made = [book_for_test(stage.twin.id, stage.offer.public_id, None, number, NOON) for number in (1, 2)]
    go(made[0], S.CONFIRMED)
    mode = visitor.get("/desk/test-mode")
    assert f'href="{CLEAR}"' in mode.text and "btn--bad" not in mode.text, "no button there ends anything"
    assert visitor.post("/desk/test-mode", "/desk/test-mode", do="clear").status_code == 303
    page = visitor.get(CLEAR)
    assert "2 test bookings will end" in main(page)
    assert [booking_row(each).state for each in made] == [S.CONFIRMED, S.AWAITING_PROVIDER], "asking ends nothing"
    answer = visitor.post(CLEAR, CLEAR)
    assert answer.headers["Location"] == "/desk/test-bookings"
    assert "2 test bookings were cleared." in words(visitor.get("/desk/test-bookings"))
    assert [booking_row(each).state for each in made] == [S.ENTERED_IN_ERROR] * 2
    assert "There is nothing to clear." in main(visitor.get(CLEAR)) and "btn--bad" not in visitor.get(CLEAR).text


def test_a_secret_made_in_test_mode_says_so_and_is_the_twins(app: Flask, stage: Stage) -> None:
    visitor = switched(app, stage.world)
    new = "/desk/setup/clients/new"
    answer = visitor.post(new, new, name="trial", scopes="slots")
    found = re.search(r"ax[st]_[\w-]+", answer.text)
    if found is None:
        pytest.fail(main(answer))
    assert found[0].startswith("axt_")
    visitor.post("/desk/test-mode/leave", "/desk/test-mode")
    assert "trial" not in main(visitor.get("/desk/setup"))


def test_the_band_is_in_chinese_too(app: Flask, stage: Stage) -> None:
    switched(app, stage.world)
    chinese = at_desk(app, "manager", "zh")
    chinese.post("/desk/test-mode", "/desk/test-mode", do="on")
    assert "测试模式：这里的一切都不是真的" in chinese.get("/desk").text
