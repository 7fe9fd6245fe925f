"""Today's work: what waits, agreeing to several at once, and the part that changes by itself."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from booking.answering import answer
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from marketplace.core import clock
from tests.booking.answering.desk import at, said
from tests.desk import at_desk, make_member
from tests.marketplace.web.desk.work.conftest import Seat
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.providers.partner_api.answering import requested, work
from tests.world import World, booking_row, join, make_world


def test_an_empty_desk_says_so(front: Visitor) -> None:
    page = main(front.get("/desk"))
    for sentence in ("Nothing waits for your answer.", "Nobody else is expected today.", "No report is owed."):
        assert sentence in page


def test_a_booking_is_agreed_to_from_the_list_and_the_customer_sees_it(
    front: Visitor, visitor: Visitor, provider: World
) -> None:
    booking = requested(provider)
    page = main(front.get("/desk"))
    assert "沈**" in page and "沈静宜" not in page and "New booking" in page
    version = booking_row(booking).version
    done = front.post(f"/desk/bookings/{booking}/confirm", "/desk", version=str(version), back="home")
    assert (done.status_code, done.headers["Location"]) == (303, "/desk")
    assert "Confirmed. The customer is told." in front.get("/desk").text
    assert "Confirmed" in main(visitor.get(f"/bookings/{booking}"))


def test_a_change_is_listed_with_the_date_that_is_kept(front: Visitor, provider: World) -> None:
    booking = requested(provider)
    answer.confirm(said(provider, booking), now=NOON)
    reschedule(provider.principal, booking, provider.slots[2].public_id, now=NOON)
    work(provider)
    page = main(front.get("/desk"))
    assert "Change of date" in page and "10 March, 08:00 is kept" in page and "10:00" in page
    version = booking_row(booking).version
    front.post(f"/desk/bookings/{booking}/accept_change", "/desk", version=str(version), back="home")
    assert booking_row(booking).starts_at == provider.slots[2].starts_at


def test_a_cancel_is_there_until_it_is_noted(front: Visitor, provider: World) -> None:
    booking = requested(provider)
    cancel(provider.principal, booking, now=NOON)
    work(provider)
    assert "Cancelled" in main(front.get("/desk"))
    front.post(f"/desk/bookings/{booking}/note", "/desk", version="1", back="home")
    assert "Nothing waits for your answer." in main(front.get("/desk"))


def test_all_that_is_ticked_is_agreed_to_each_by_itself(app: Flask, front: Visitor, provider: World) -> None:
    first = requested(provider)
    neighbour = join(provider.provider, provider.offer, provider.slots, phone="13800000031")
    second = requested(neighbour, 1)
    foreign = make_world(phone="13800000032")
    theirs = requested(foreign)
    chosen = [
        f"confirm.{first}.{booking_row(first).version}",
        f"confirm.{second}.{booking_row(second).version - 1}",
        f"confirm.{theirs}.{booking_row(theirs).version}",
        "confirm.",
        f"cancel.{first}.9",
        f"confirm.{first}.x",
    ]
    page = main(agree(front, chosen))
    assert "What became of it" in page and page.count("Confirmed. The customer is told.") == 1
    assert page.count("It changed while you looked at it.") == 1 and "It is now: Requested, not decided." in page
    states = [booking_row(each).state for each in (first, second, theirs)]
    assert states == ["confirmed", "awaiting_provider", "awaiting_provider"]
    again = main(agree(front, chosen[:1]))
    assert "Confirmed. The customer is told." in again, "sent again it does nothing more, and says the same"
    assert booking_row(first).version == 3
    assert "Nothing was chosen." in main(agree(front, []))


def agree(front: Visitor, chosen: list[str]):  # type: ignore[no-untyped-def]
    return front.post("/desk/agree", "/desk", chosen=chosen)  # type: ignore[arg-type]


def test_the_live_part_is_sent_when_something_changed(front: Visitor, provider: World) -> None:
    tag = front.get("/desk/live").headers["ETag"]
    assert f'data-etag="{tag.replace(chr(34), "&#34;")}"' in front.get("/desk").text
    same = front.get("/desk/live", headers={"If-None-Match": tag})
    assert (same.status_code, same.data) == (304, b"")
    requested(provider)
    moved = front.get("/desk/live", headers={"If-None-Match": tag})
    assert moved.status_code == 200 and "New booking" in moved.text
    with clock.frozen(NOON + timedelta(minutes=5)):
        later = front.get("/desk/live", headers={"If-None-Match": moved.headers["ETag"]})
    assert later.status_code == 200, "the time that is left is another one"


def test_who_is_late_is_checked_in_from_the_list(seat: Seat, provider: World) -> None:
    booking = requested(provider)
    answer.confirm(said(provider, booking), now=NOON)
    with clock.frozen(at(8.3)):
        front = seat()
        seated = front.get("/desk")
        assert "18 min late" in main(seated)
        version = str(booking_row(booking).version)
        front.post(f"/desk/bookings/{booking}/check_in", "/desk", version=version, back="home")
        assert "Checked in" in main(front.get("/desk"))
    assert booking_row(booking).state == "checked_in"


def test_a_clinician_sees_who_comes_and_no_bookings_to_answer(seat: Seat, provider: World) -> None:
    booking = requested(provider)
    clinician = seat("clinician")
    page = main(clinician.get("/desk"))
    assert "Coming next" in page and "To answer" not in page and "Places this week" not in page
    assert clinician.get("/desk/bookings").status_code == 404
    assert clinician.post("/desk/agree", "/desk/check-in", chosen="x").status_code == 404
    version = str(booking_row(booking).version)
    refused = clinician.post(f"/desk/bookings/{booking}/confirm", "/desk/check-in", version=version)
    assert (refused.status_code, booking_row(booking).state) == (404, "awaiting_provider")


def test_another_providers_member_finds_nothing(app: Flask, front: Visitor, provider: World) -> None:
    foreign = make_world(phone="13800000032")
    booking = requested(provider)
    stranger = at_desk(app, make_member(foreign.provider.code, login="stranger"))
    assert "Nothing waits for your answer." in main(stranger.get("/desk"))
    assert stranger.get(f"/desk/bookings/{booking}").status_code == 404
    assert stranger.get(f"/desk/bookings/{booking}/reject").status_code == 404
    version = str(booking_row(booking).version)
    for saying in ("confirm", "reject", "propose", "note", "check_in"):
        answer_ = stranger.post(
            f"/desk/bookings/{booking}/{saying}", "/desk/bookings", version=version, reason="closed", slot="x"
        )
        assert answer_.status_code == 404, saying
    assert booking_row(booking).state == "awaiting_provider"


def test_the_page_is_whole_in_chinese(seat: Seat, provider: World) -> None:
    requested(provider)
    page = main(seat(language="zh", login="fang").get("/desk"))
    for word in ("今日工作", "待答复", "新预约", "本周号源", "接下来到场", "应交报告", "批量同意", "扫码签到"):
        assert word in page, word


def test_the_menu_says_how_many_wait_with_every_answer(front: Visitor, provider: World) -> None:
    booking = requested(provider)
    assert front.get("/desk").text.count('class="count"') == 2, "the menu stands twice"
    chosen = f"confirm.{booking}.{booking_row(booking).version}"
    before = front.get("/desk/live")
    assert before.text.count('class="count"') == 1
    assert front.get("/desk/live", headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    answered = front.post("/desk/agree", "/desk", chosen=chosen)
    assert "What became of it" in main(answered) and 'class="count"' not in answered.text
    after = front.get("/desk/live", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and 'class="count"' not in after.text and "[data-counts=bookings]" in after.text


def test_who_answers_no_bookings_is_told_of_none_that_wait(seat: Seat, provider: World) -> None:
    requested(provider)
    clinician = seat("clinician")
    assert "data-counts" not in clinician.get("/desk").text + clinician.get("/desk/live").text
