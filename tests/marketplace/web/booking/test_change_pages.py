"""Another date through the pages: the picker, old beside new, and the result as it comes in, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from booking.actors import CLOCK
from booking.exchange.inbound import apply_remote
from booking.models import ChangeRequest
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted, Confirmed, Refused, Unknown
from providers.reported import Proposed
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.visitors import Visitor, main, words
from tests.people import NOON
from tests.world import EIGHT, FakeAdapter, World, booking_row, make_offer, one_pass, remote, set_provider, taken, tasks
from vip.signin.signin import issue_token

PHONE = "13800000021"


def confirmed(world: World) -> str:
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return public_id


def answer(world: World, *answers: object) -> None:
    one_pass(world, FakeAdapter(answers=list(answers)), now=NOON)  # type: ignore[arg-type]


def ask(visitor: Visitor, world: World, public_id: str, slot: int = 1, key: str = "k"):  # type: ignore[no-untyped-def]
    check = f"/bookings/{public_id}/change/check"
    return visitor.post(check, "/me", slot=world.slots[slot].public_id, idempotency_key=key)


def test_windows_and_limits_are_told_before_the_tap(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    page = main(visitor.get(f"/bookings/{public_id}"))
    assert "The date can be changed until 9 March, 08:00. 3 changes left." in page
    with clock.frozen(EIGHT - timedelta(hours=23)):
        late = visitor.get(f"/bookings/{public_id}")
        assert "Changing the date online closed on" in main(late) and "/change" not in late.text
        assert visitor.get(f"/bookings/{public_id}/change").headers["Location"] == f"/bookings/{public_id}"


def test_the_picker_marks_the_present_time_and_changes_nothing(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    page = visitor.get(f"/bookings/{public_id}/change")
    assert "Your date: Tue 10 March 08:00. It stays until a new one is agreed." in main(page)
    assert "yours now" in main(page)
    assert f'value="{world.slots[0].public_id}" required disabled' in page.text
    assert f'value="{world.slots[1].public_id}" required checked' in page.text
    sent = visitor.post(f"/bookings/{public_id}/change", "/me", slot=world.slots[1].public_id)
    assert sent.headers["Location"] == f"/bookings/{public_id}/change/check?slot={world.slots[1].public_id}"
    shown = main(visitor.get(sent.headers["Location"]))
    assert "Your present date stays until the hospital agrees." in shown and "09:00–09:30" in shown
    assert "After that it can be changed 2 more times." in shown
    assert tasks(public_id) == [("reserve", "done")] and taken(world.slots[1]) == 0


def test_a_change_is_asked_once_and_told_as_it_stands(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    for _ in range(2):
        assert ask(visitor, world, public_id).headers["Location"] == f"/bookings/{public_id}"
    assert [command for command, _state in tasks(public_id)] == ["reserve", "change"]
    page = main(visitor.get(f"/bookings/{public_id}"))
    assert re.search(r"Still yours 10 Tuesday, March 2026 08:00–08:30 .* Asked for Waiting for the hospital 10", page)
    assert "Waiting for the hospital, until 12:00 on 4 March at the latest." in page
    assert "Your date is 10 March, 09:00, and the old one is given back." in page
    assert "Your date stays 10 March, 08:00; we take the request back." in page
    assert "You asked for another date Today, 12:00 To 10 March, 09:00." in page
    assert "Waiting for the hospital by 12:00 on 4 March" in page, "the timeline waits too"
    assert "A new date is being asked for; this one stays." in main(visitor.get("/bookings"))
    answer(world, Unknown("timed out"))
    assert "Its system has not answered clearly yet." in main(visitor.get(f"/bookings/{public_id}"))


@pytest.mark.parametrize(
    ("slot", "told"),
    [(0, "Your booking has this time."), (2, "This time has just gone. Your benefit is untouched.")],
)
def test_a_time_that_cannot_be_had_is_told_with_the_date_standing(
    visitor: Visitor, world: World, slot: int, told: str, owner_connection
) -> None:  # type: ignore[no-untyped-def]
    public_id = confirmed(world)
    owner_connection.exec_driver_sql(f"UPDATE slot SET capacity = 0, offered = 0 WHERE id = {world.slots[2].id}")
    sent = ask(visitor, world, public_id, slot)
    assert sent.headers["Location"] == f"/bookings/{public_id}/change"
    assert told in words(visitor.get(sent.headers["Location"]))
    assert booking_row(public_id).starts_at == EIGHT and booking_row(public_id).pending_period is None


def test_allotted_places_are_switched_at_once(visitor: Visitor, world: World) -> None:
    set_provider(world.provider, allotment=True)
    public_id = world.submit()
    answer(world, Confirmed("R-1", 1))
    check = visitor.get(f"/bookings/{public_id}/change/check?slot={world.slots[1].public_id}")
    assert "It is changed at once" in main(check)
    ask(visitor, world, public_id)
    page = main(visitor.get(f"/bookings/{public_id}"))
    assert "The date was changed." in page and "09:00–09:30" in page


@pytest.mark.parametrize("slot", ["", "slt_none", "\0", "x" * 900])
def test_a_slot_that_is_none_changes_nothing(visitor: Visitor, world: World, slot: str) -> None:
    public_id = confirmed(world)
    check = f"/bookings/{public_id}/change/check"
    assert visitor.get(check, query_string={"slot": slot}).status_code == 303
    assert visitor.post(check, "/me", slot=slot).status_code in (303, 404)
    assert visitor.get("/bookings/bkg_other/change").status_code == 404
    with reading() as session:
        assert session.query(ChangeRequest).count() == 0


def propose(world: World, public_id: str, version: int = 2) -> None:
    """The hospital proposes the second time instead, until the next noon."""
    new, row = world.slots[1], booking_row(public_id)
    told = Proposed(
        new.external_ref, new.service_date, new.starts_at, new.ends_at, NOON + timedelta(days=1), "设备检修"
    )
    status = "confirmed" if row.state == "confirmed" else "requested"
    message = remote(public_id, status, version, service_date=row.service_date, starts_at=row.starts_at, proposal=told)
    with transaction() as session:
        apply_remote(session, world.provider.id, message, now=NOON)


def test_a_proposed_time_stands_beside_the_old_one_and_can_be_declined_once(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    propose(world, public_id)
    page = visitor.get(f"/bookings/{public_id}")
    told = main(page)
    assert "The hospital proposes another time" in told and "The hospital's reason: 设备检修" in told
    assert "08:00–08:30" in told and "09:00–09:30" in told
    assert "Answer by 12:00 tomorrow. Your date stays until you agree; without an answer you keep it." in told
    assert "Answer the proposed time your turn" in told
    assert "The hospital proposed another time" in told, "the timeline tells it"
    which = re.search(r'name="proposal" value="(prp_\w+)"', page.text)
    assert which is not None
    for answer_ in ("decline", "decline", "accept"):
        sent = visitor.post(f"/bookings/{public_id}/proposal", "/me", proposal=which[1], answer=answer_)
        assert sent.headers["Location"] == f"/bookings/{public_id}"
    after = words(visitor.get(f"/bookings/{public_id}"))
    assert "You declined the proposed time" in after and "proposal was answered, taken back" in after
    assert tasks(public_id) == [("reserve", "done"), ("decline", "queued")]


def test_for_a_booking_that_was_not_confirmed_declining_is_told_as_its_end(visitor: Visitor, world: World) -> None:
    public_id = world.submit()
    answer(world, Accepted("R-1", 1))
    propose(world, public_id)
    page = visitor.get(f"/bookings/{public_id}")
    assert "It can't confirm the time you asked for." in main(page) and "Decline and cancel" in main(page)
    which = re.search(r'name="proposal" value="(prp_\w+)"', page.text)
    assert which is not None
    visitor.post(f"/bookings/{public_id}/proposal", "/me", proposal=which[1], answer="decline")
    answer(world, Confirmed("R-1", 3))
    after = main(visitor.get(f"/bookings/{public_id}"))
    assert "Your benefit is back in full." in after and "The nearest other times" in after


@pytest.mark.parametrize(
    "form", [{}, {"answer": "accept"}, {"answer": "?"}, {"answer": "accept", "proposal": "x" * 900}]
)
def test_an_answer_to_no_proposal_changes_nothing(visitor: Visitor, world: World, form: dict[str, str]) -> None:
    public_id = confirmed(world)
    propose(world, public_id)
    assert visitor.post(f"/bookings/{public_id}/proposal", "/me", **form).status_code in (303, 404)
    assert tasks(public_id) == [("reserve", "done")] and taken(world.slots[1]) == 0


# --- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """The customer's phone, signed in, reading English."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, reduced_motion="reduce", extra_http_headers={"Accept-Language": "en"}
    )
    token = issue_token(PHONE, NOON).token
    context.add_cookies([{"name": "signed_in", "value": token, "domain": "127.0.0.1", "path": "/"}])
    yield context.new_page()
    context.close()


def change_in(page: Page, site: Site, public_id: str) -> None:
    """From the booking's page to the question that was asked."""
    page.goto(site.url(f"/bookings/{public_id}"))
    page.get_by_role("link", name="Change the date").click()
    page.get_by_role("button", name="Next, compare both dates").click()
    page.get_by_role("button", name="Ask for the new date").click()
    expect(page.get_by_role("article", name="Asked for")).to_contain_text("09:00–09:30")
    expect(page.locator(".when__time").first).to_have_text("08:00–08:30")
    page.evaluate("document.body.dataset.kept = 'yes'")


def test_a_changed_date_appears_by_itself(page: Page, site: Site, world: World) -> None:
    public_id = confirmed(world)
    change_in(page, site, public_id)
    answer(world, Confirmed("R-1", 2))
    expect(page.locator(".when__time").first).to_have_text("09:00–09:30", timeout=12_000)
    expect(page.locator(".turn")).to_contain_text("The date was changed.")
    assert page.evaluate("document.body.dataset.kept") == "yes", "the page was loaded anew"
    assert [taken(slot) for slot in world.slots] == [0, 1, 0]


def turns(visitor: Visitor, public_id: str) -> list[tuple[str, str]]:
    """Tone and title of each box that says who acts now."""
    page = visitor.get(f"/bookings/{public_id}").get_data(as_text=True)
    return re.findall(r'<div class="turn turn--(\w+)">.*?<h2[^>]*>(.*?)</h2>', page, re.DOTALL)


def failed_steps(visitor: Visitor, public_id: str) -> list[str]:
    page = visitor.get(f"/bookings/{public_id}").get_data(as_text=True)
    return re.findall(r'<li class="fail">.*?<h3[^>]*>(.*?)</h3>', page, re.DOTALL)


def test_a_refused_change_is_one_message_that_says_so_in_its_title(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    ask(visitor, world, public_id)
    answer(world, Refused("sold_out"))
    assert turns(visitor, public_id) == [("bad", "The hospital did not agree to the new date.")]
    assert failed_steps(visitor, public_id) == ["The other date was not possible"]
    told = main(visitor.get(f"/bookings/{public_id}"))
    assert "That time is no longer free there. Your date stays." in told, "the timeline says why"


def test_after_a_refused_change_other_times_here_are_asked_for_and_other_places_booked(
    visitor: Visitor, world: World
) -> None:
    public_id = confirmed(world)
    _provider, nearby, _slots = make_offer()
    ask(visitor, world, public_id)
    answer(world, Refused("sold_out"))
    page = visitor.get(f"/bookings/{public_id}")
    assert "The nearest other times" in main(page)
    assert f'href="/bookings/{public_id}/change/check?slot={world.slots[2].public_id}"' in page.text
    assert f'action="/offers/{nearby.public_id}/times"' in page.text
    assert "it takes one more use until you cancel this one" in main(page)
    visitor.post(f"/bookings/{public_id}/cancel", f"/bookings/{public_id}")
    assert "The nearest other times" not in main(visitor.get(f"/bookings/{public_id}")), (
        "another thing is asked for now"
    )


def test_a_refused_cancel_shows_other_times_too(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    visitor.post(f"/bookings/{public_id}/cancel", f"/bookings/{public_id}")
    answer(world, Refused("too_late"))
    told = main(visitor.get(f"/bookings/{public_id}"))
    assert "The request reached it too late." in told and "The nearest other times" in told


def test_a_change_is_taken_back_with_one_button(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    ask(visitor, world, public_id)
    assert "Take the change back, keep 10 March" in main(visitor.get(f"/bookings/{public_id}"))
    for _ in range(2):
        sent = visitor.post(f"/bookings/{public_id}/change/withdraw", f"/bookings/{public_id}")
        assert sent.headers["Location"] == f"/bookings/{public_id}"
    after = words(visitor.get(f"/bookings/{public_id}"))
    assert "You took the change of date back" in after and "Your date stays." in after
    assert "No change of date is open any more." in after, "the second time there is nothing to take back"
    assert (tasks(public_id)[-1], booking_row(public_id).starts_at) == (("change", "refused"), EIGHT)
    assert visitor.post("/bookings/bkg_other/change/withdraw", f"/bookings/{public_id}").status_code == 404


def test_one_that_the_hospital_may_have_is_taken_back_and_says_that_the_date_stays(
    visitor: Visitor, world: World
) -> None:
    public_id = confirmed(world)
    ask(visitor, world, public_id)
    answer(world, Unknown("timed out"))
    visitor.post(f"/bookings/{public_id}/change/withdraw", f"/bookings/{public_id}")
    page = visitor.get(f"/bookings/{public_id}")
    assert "Whatever it answers, your date stays as it is." in main(page) and "/change" not in page.text


def test_a_time_at_which_she_is_booked_leads_to_that_booking(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    held = world.hold(1)
    sent = ask(visitor, world, public_id)
    page = visitor.get(sent.headers["Location"])
    assert "This person has another booking at that time. Your benefit is untouched. Your date stays." in words(page)
    assert f'<a href="/bookings/{held}">Look at that booking</a>' in page.text
    _provider, elsewhere, slots = make_offer()
    form = {"slot": slots[1].public_id, "for": world.beneficiary.public_id, "day": "2026-03-10"}
    again = visitor.post(f"/offers/{elsewhere.public_id}/times", "/me", **form)
    assert f'<a href="/bookings/{held}">Look at that booking</a>' in visitor.get(again.headers["Location"]).text


def test_a_refused_cancel_is_one_message_that_says_so_in_its_title(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    visitor.post(f"/bookings/{public_id}/cancel", f"/bookings/{public_id}")
    answer(world, Refused("cancel_window_closed"))
    assert turns(visitor, public_id) == [("bad", "The hospital did not agree to cancel, so this date stays.")]
    assert failed_steps(visitor, public_id) == ["The hospital did not agree to cancel"]


def test_a_refused_change_leaves_the_old_date_and_says_why(page: Page, site: Site, world: World) -> None:
    public_id = confirmed(world)
    change_in(page, site, public_id)
    answer(world, Refused("sold_out"))
    expect(page.locator(".turn")).to_contain_text("The hospital did not agree to the new date.", timeout=12_000)
    expect(page.locator(".turn")).to_contain_text("That time is no longer free there. This date stays.")
    expect(page.locator(".when__time").first).to_have_text("08:00–08:30")
    assert [taken(slot) for slot in world.slots] == [1, 0, 0]


def test_a_lost_connection_is_told_and_heals_by_itself(page: Page, site: Site, world: World) -> None:
    public_id = confirmed(world)
    page.goto(site.url(f"/bookings/{public_id}"))
    site.stop()
    expect(page.locator("#offline")).to_be_visible(timeout=6_000)
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        move(session, booking, BookingState.CHECKED_IN, actor=CLOCK, now=NOON)
    site.start()
    expect(page.locator(".ticket .pill")).to_have_text("Checked in", timeout=12_000)
    expect(page.locator("#offline")).to_be_hidden()


def test_a_page_in_the_background_rests_and_catches_up_when_it_is_seen(page: Page, site: Site, world: World) -> None:
    public_id = confirmed(world)
    page.goto(site.url(f"/bookings/{public_id}"))
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    page.evaluate(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2_600)
    assert [url for url in asked if url.endswith("/live")] == []
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        move(session, booking, BookingState.CHECKED_IN, actor=CLOCK, now=NOON)
    page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".ticket .pill")).to_have_text("Checked in", timeout=12_000)


def test_a_proposal_appears_by_itself_and_its_acceptance_is_seen_live(page: Page, site: Site, world: World) -> None:
    public_id = confirmed(world)
    page.goto(site.url(f"/bookings/{public_id}"))
    expect(page.locator(".turn h2")).to_be_visible()
    propose(world, public_id)
    panel = page.get_by_role("region", name="The hospital proposes another time")
    expect(panel).to_contain_text("09:00–09:30", timeout=12_000)
    panel.get_by_role("button", name="Take the proposed time").click()
    expect(page.get_by_role("article", name="Asked for")).to_contain_text("09:00–09:30")
    expect(page.locator(".when__time").first).to_have_text("08:00–08:30")
    answer(world, Confirmed("R-1", 3))
    expect(page.locator(".when__time").first).to_have_text("09:00–09:30", timeout=12_000)
    assert [taken(slot) for slot in world.slots] == [0, 1, 0]
