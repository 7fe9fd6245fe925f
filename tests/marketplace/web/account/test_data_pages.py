"""我的数据 in the browser: a copy of everything, and who may fetch it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date, timedelta

import pytest

from booking.personal.erase import UnderWay
from booking.personal.export import make_copies
from booking.states import BookingState
from marketplace.core import clock
from marketplace.web import formats
from marketplace.web.account import erasing
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.reports import deliver
from tests.world import World, booking_row, go
from vip.customers.family import NewMember, add_member, remove_member


def link(visitor: Visitor) -> str:
    """The address of the copy that the page offers."""
    found = re.search(r'href="(/me/data/copies/[^"]+)"', visitor.get("/me/data").text)
    assert found is not None
    return found[1]


def test_she_asks_for_a_copy_and_fetches_it(visitor: Visitor, world: World) -> None:
    deliver(world, world.submit())
    assert 'href="/me/data"' in visitor.get("/me").text
    assert visitor.post("/me/data/copies", page="/me/data").headers["Location"] == "/me/data"
    assert "Being prepared" in main(visitor.get("/me/data"))
    make_copies(now=NOON)
    assert "Ready, " in main(visitor.get("/me/data"))
    answer = visitor.get(link(visitor))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="anxiang-2026-03-02.zip"'
    assert (answer.content_type, answer.headers["Cache-Control"]) == ("application/zip", "no-store")
    assert answer.content_length == len(answer.data)
    copy = zipfile.ZipFile(io.BytesIO(answer.data))
    assert json.loads(copy.read("customer.json"))[0]["name"] == "沈静宜"
    visitor.language = "zh"
    assert "已就绪" in main(visitor.get("/me/data"))


def test_a_phone_left_lying_open_gives_no_copy_away(visitor: Visitor, world: World) -> None:
    visitor.post("/me/data/copies", page="/me/data")
    make_copies(now=NOON)
    address = link(visitor)
    with clock.frozen(NOON + timedelta(minutes=16)):
        page = visitor.get("/me/data")
        assert address not in page.text and "Sign in once more to download" in main(page)
        answer = visitor.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?again=1&next=/me/data")
        assert visitor.get(answer.headers["Location"]).status_code == 200, "she is asked, although she is signed in"


def test_a_browser_that_asks_ahead_fetches_nothing(visitor: Visitor, world: World) -> None:
    visitor.post("/me/data/copies", page="/me/data")
    make_copies(now=NOON)
    assert visitor.get(link(visitor), headers={"Sec-Purpose": "prefetch"}).status_code == 503


def test_asking_too_often_is_refused_in_words(visitor: Visitor, world: World) -> None:
    for _time in range(3):
        visitor.post("/me/data/copies", page="/me/data")
        make_copies(now=NOON)
    answer = visitor.post("/me/data/copies", page="/me/data")
    assert answer.status_code == 429 and "Too many tries" in main(answer)


# --- deleting --------------------------------------------------------------------------------------------------------


def test_she_deletes_everything_after_reading_what_stays(visitor: Visitor, world: World) -> None:
    booking = world.submit()
    go(booking, BookingState.CONFIRMED, BookingState.FULFILLED)
    deliver(world, booking)
    page = visitor.get("/me/data/erase")
    assert "What must stay, and until when" in main(page) and "Until 10 March 2041." in main(page)
    unsure = visitor.post("/me/data/erase", page="/me/data/erase")
    assert unsure.status_code == 422 and "Nothing was deleted." in main(unsure)
    answer = visitor.post("/me/data/erase", page="/me/data/erase", sure="1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/erased")
    told = main(visitor.get("/erased"))
    assert "Your data is deleted" in told and "Until 10 March 2029." in told
    assert visitor.get("/me").headers["Location"].startswith("/sign-in")
    assert visitor.get("/erased").headers["Location"] == "/sign-in", "told once"


def test_a_booking_under_way_is_shown_with_its_link(visitor: Visitor, world: World) -> None:
    booking = world.submit()
    page = visitor.get("/me/data/erase")
    number = formats.reference(booking_row(booking).reference)
    assert f'href="/bookings/{booking}"' in page.text and f"{number} is under way or in dispute" in main(page)
    assert 'name="sure"' not in page.text


def test_the_number_is_written_as_it_is_read_out_even_if_the_booking_ended_meanwhile(
    visitor: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_given: object, **_more: object) -> None:
        raise UnderWay(bookings="AX7K29143Q", ids=["bkg_1"])

    monkeypatch.setattr(erasing, "erase", refused)
    answer = visitor.post("/me/data/erase", page="/me/data/erase", sure="1")
    assert answer.status_code == 409 and "AX 7K29 143Q is under way or in dispute" in main(answer)


def test_who_signed_in_long_ago_is_asked_to_sign_in_again(visitor: Visitor, world: World) -> None:
    with clock.frozen(NOON + timedelta(minutes=16)):
        page = visitor.get("/me/data/erase")
        assert 'name="sure"' not in page.text and "again=1" in page.text
        answer = visitor.post("/me/data/erase", page="/me", sure="1")
        assert answer.status_code == 403 and visitor.get("/me").status_code == 200


def test_a_removed_relative_is_deleted(visitor: Visitor, world: World) -> None:
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1951, 9, 3)), NOON).public_id
    address = f"/me/data/people/{father}/erase"
    assert visitor.get(address).status_code == 404, "she is in the family"
    remove_member(world.principal, father, NOON, in_use=lambda _session, _person: False)
    assert f'href="{address}"' in visitor.get("/me/data").text
    assert visitor.post(address, page=address, sure="1").headers["Location"] == "/me/data"
    page = visitor.get("/me/data")
    assert "The data of 沈伯年 is deleted." in page.text and address not in page.text
