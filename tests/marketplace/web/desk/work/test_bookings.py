"""The desk's bookings: list, search, one in full, and the answers to it."""

from __future__ import annotations

import pytest

from booking.answering import answer
from booking.answering.find import SEARCHES
from booking.answering.shown import SHOWN
from marketplace.core import clock
from tests.booking.answering.desk import at, lines, said
from tests.marketplace.web.desk.work.conftest import Seat
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.providers.partner_api.answering import requested, work
from tests.world import World, booking_row, taken


def version(booking: str) -> str:
    return str(booking_row(booking).version)


def say(front: Visitor, booking: str, saying: str, **fields: str):  # type: ignore[no-untyped-def]
    fields = {"version": version(booking), **fields}
    return front.post(f"/desk/bookings/{booking}/{saying}", "/desk/bookings", **fields)


def test_the_list_is_narrowed_by_state_and_day(front: Visitor, provider: World) -> None:
    booking = requested(provider)
    number = booking_row(booking).reference[-3:]
    for query in ("", "?show=requested", "?day=2026-03-10", "?show=requested&day=2026-03-10", "?show=x&day=x"):
        assert number in main(front.get(f"/desk/bookings{query}")), query
    for query in ("?show=confirmed", "?day=2026-03-11", "?show=today", "?show=change_asked"):
        assert "There are no bookings like that." in main(front.get(f"/desk/bookings{query}")), query
    assert "沈静宜" not in front.get("/desk/bookings").text
    assert front.get("/desk/bookings?cursor=nonsense").status_code in (400, 422)


def test_a_search_is_sent_and_stands_in_no_address(front: Visitor, provider: World) -> None:
    booking = requested(provider)
    found = front.post("/desk/bookings", "/desk/bookings", wanted="沈静宜")
    assert (found.status_code, found.headers["Location"]) == (303, f"/desk/bookings/{booking}")
    none = front.post("/desk/bookings", "/desk/bookings", wanted="王")
    assert "No booking of yours has this name" in main(none)
    assert len(lines("booking.searched")) == 2


def test_too_many_searches_are_refused_with_when_to_come_back(front: Visitor) -> None:
    for _ in range(SEARCHES.capacity):
        front.client.post("/desk/bookings", data={"csrf_token": token(front), "wanted": ""})
    refused = front.post("/desk/bookings", "/desk/bookings", wanted="沈")
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0


def token(front: Visitor) -> str:
    if not hasattr(front, "_token"):
        front._token = front.get("/desk/bookings").text.split('name="csrf_token" value="')[1].split('"')[0]  # type: ignore[attr-defined]
    return str(front._token)  # type: ignore[attr-defined]


def test_one_booking_names_who_comes_and_each_look_is_audited(front: Visitor, provider: World) -> None:
    booking = requested(provider)
    before = len(lines(SHOWN))
    page = main(front.get(f"/desk/bookings/{booking}"))
    for text in ("沈静宜", "12 April 1988", "Answer by", "Confirm", "Propose another time", "Refuse"):
        assert text in page, text
    looks = lines(SHOWN)[before:]
    assert [(line.actor_kind, line.subject) for line in looks] == [("provider", booking)]
    assert looks[0].actor.startswith("mbr_")


def test_a_no_needs_its_reason_and_the_customer_reads_it(front: Visitor, visitor: Visitor, provider: World) -> None:
    booking = requested(provider)
    asked = front.get(f"/desk/bookings/{booking}/reject")
    assert "That time is no longer free" in main(asked)
    assert "沈静宜" not in asked.text
    missing = say(front, booking, "reject")
    assert missing.status_code == 422 and booking_row(booking).state == "awaiting_provider"
    words = "CT 设备检修，请改到下周。"
    assert say(front, booking, "reject", reason="other", words=words).status_code == 303
    assert (booking_row(booking).state, taken(provider.slots[0])) == ("rejected", 0)
    assert words in main(visitor.get(f"/bookings/{booking}"))


def test_another_time_is_proposed_and_the_customer_takes_it(front: Visitor, visitor: Visitor, provider: World) -> None:
    booking = requested(provider)
    page = front.get(f"/desk/bookings/{booking}/propose")
    assert provider.slots[1].public_id in page.text and provider.slots[0].public_id not in page.text
    missing = say(front, booking, "propose")
    assert missing.status_code == 422
    gone = say(front, booking, "propose", slot="slt_nothing")
    assert gone.status_code == 409 and "That time is not there any more." in main(gone)
    assert say(front, booking, "propose", slot=provider.slots[1].public_id).status_code == 303
    assert "You proposed" in main(front.get(f"/desk/bookings/{booking}"))
    assert "proposes another time" in main(visitor.get(f"/bookings/{booking}"))
    shown = visitor.get(f"/bookings/{booking}").text
    proposal = shown.split('name="proposal" value="')[1].split('"')[0]
    visitor.post(f"/bookings/{booking}/proposal", f"/bookings/{booking}", proposal=proposal, answer="accept")
    work(provider)
    row = booking_row(booking)
    assert (row.state, row.starts_at) == ("confirmed", provider.slots[1].starts_at)


def test_of_two_desks_the_second_is_told_what_the_first_said(seat: Seat, provider: World) -> None:
    one, other = seat(login="one"), seat(login="other")
    booking = requested(provider)
    seen = version(booking)
    assert say(one, booking, "confirm", version=seen).status_code == 303
    say(other, booking, "reject", version=seen, reason="closed")
    told = other.get(f"/desk/bookings/{booking}").text
    assert "It changed while you looked at it. Nothing of yours was carried out. It is now: Confirmed." in told
    assert booking_row(booking).state == "confirmed"


def test_a_form_that_is_sent_twice_does_it_once_and_says_the_same(front: Visitor, provider: World) -> None:
    booking = requested(provider)
    seen = version(booking)
    for _ in range(2):
        assert say(front, booking, "confirm", version=seen).status_code == 303
        assert "Confirmed. The customer is told." in front.get("/desk").text
    assert booking_row(booking).version == int(seen) + 1
    say(front, booking, "reject", version=seen, reason="closed")
    assert "It changed while you looked at it" in front.get("/desk").text
    assert booking_row(booking).state == "confirmed"


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "1e3", "99999999999", "９"])
def test_a_form_without_its_version_does_nothing(front: Visitor, provider: World, nonsense: str) -> None:
    booking = requested(provider)
    assert say(front, booking, "confirm", version=nonsense).status_code == 303
    assert booking_row(booking).state == "awaiting_provider"


def test_the_visit_is_recorded_step_by_step(seat: Seat, front: Visitor, provider: World) -> None:
    booking = requested(provider)
    answer.confirm(said(provider, booking), now=NOON)
    assert "Check in" not in main(front.get(f"/desk/bookings/{booking}")), "not before its day"
    say(front, booking, "check_in")
    assert "That can be said from" in front.get("/desk").text and booking_row(booking).state == "confirmed"
    with clock.frozen(at(8)):
        front = seat(login="later")
        for saying, state in (("check_in", "checked_in"), ("start", "in_service"), ("complete", "fulfilled")):
            assert say(front, booking, saying).status_code == 303
            assert booking_row(booking).state == state
        page = main(front.get(f"/desk/bookings/{booking}"))
    assert "沈静宜" not in page and "沈**" in page, "once it is over nobody needs her name"


@pytest.mark.parametrize(
    ("saying", "effect", "state"),
    [
        ("complete", "The visit took place and is over", "fulfilled"),
        ("no_show", "It is recorded that nobody came", "no_show"),
    ],
)
def test_what_ends_a_visit_is_said_on_a_page_that_tells_its_effect(
    seat: Seat, provider: World, saying: str, effect: str, state: str
) -> None:
    booking = requested(provider)
    answer.confirm(said(provider, booking), now=NOON)
    with clock.frozen(at(8)):
        front = seat(login="later")
        page = front.get(f"/desk/bookings/{booking}").text
        assert f'href="/desk/bookings/{booking}/{saying}"' in page
        assert f'action="/desk/bookings/{booking}/{saying}"' not in page
        asked = front.get(f"/desk/bookings/{booking}/{saying}")
        assert effect in main(asked) and "for the customer" not in main(asked)
        assert booking_row(booking).state == "confirmed"
        assert say(front, booking, saying).status_code == 303
    assert booking_row(booking).state == state


def test_nobody_is_said_not_to_have_come_before_her_time(seat: Seat, provider: World) -> None:
    booking = requested(provider)
    answer.confirm(said(provider, booking), now=NOON)
    with clock.frozen(at(7.9)):
        front = seat(login="early")
        assert "Nobody came" not in main(front.get(f"/desk/bookings/{booking}"))
        say(front, booking, "no_show")
        assert "That can be said from" in front.get("/desk").text
    assert booking_row(booking).state == "confirmed"


@pytest.mark.parametrize("saying", ["nothing", "__init__", "confirmed"])
def test_what_nobody_can_say_is_not_there(front: Visitor, provider: World, saying: str) -> None:
    booking = requested(provider)
    assert front.get(f"/desk/bookings/{booking}/{saying}").status_code == 404
    assert say(front, booking, saying).status_code == 404


def test_what_cannot_be_said_now_leads_back_to_the_booking(front: Visitor, provider: World) -> None:
    booking = requested(provider)
    assert front.get(f"/desk/bookings/{booking}/cancel").headers["Location"] == f"/desk/bookings/{booking}"
    assert front.get(f"/desk/bookings/{booking}/confirm").headers["Location"] == f"/desk/bookings/{booking}"
    say(front, booking, "accept_change")
    assert "Nothing was changed" in front.get("/desk").text or booking_row(booking).state == "awaiting_provider"


def test_who_may_not_say_yes_checks_nobody_in_before_it_was_said(seat: Seat, provider: World) -> None:
    booking = requested(provider)
    with clock.frozen(at(8)):
        clinician = seat("clinician")
        for saying in ("check_in", "start", "complete", "no_show"):
            clinician.post(f"/desk/bookings/{booking}/{saying}", "/desk/check-in", version=version(booking))
            assert booking_row(booking).state == "awaiting_provider", saying
