"""The inbox, the bell, and what opening a message does."""

from __future__ import annotations

import re
from datetime import date

from booking.hold.submit import submit
from booking.notices.notify import notify
from marketplace.core.database.db import transaction
from tests.booking.test_moves import S as State
from tests.booking.test_moves import go
from tests.marketplace.web.visitors import Visitor, main, words
from tests.people import NOON
from tests.world import World
from vip.customers.family import NewMember, add_member


def bell(visitor: Visitor) -> str:
    found = re.search(r'class="btn btn--icon bell" href="/notices" aria-label="([^"]+)"', visitor.get("/").text)
    assert found is not None
    return found[1]


def test_an_empty_inbox_says_what_will_come(visitor: Visitor) -> None:
    assert "No messages yet" in main(visitor.get("/notices"))
    assert bell(visitor) == "Messages"
    visitor.language = "zh"
    assert "还没有消息" in main(visitor.get("/notices"))


def test_a_confirmed_booking_rings_and_opening_it_leads_there(visitor: Visitor, world: World) -> None:
    booking = world.submit()
    go(booking, State.CONFIRMED)
    assert bell(visitor) == "Messages, 1 new"
    page = visitor.get("/notices")
    assert "Your booking is confirmed New" in main(page)
    assert "Select package, Tue 10 March, 08:00" in main(page)
    found = re.search(r'href="(/notices/ntf_[^"]+)"', page.text)
    assert found is not None
    assert visitor.get(found[1], headers={"Sec-Purpose": "prefetch"}).status_code == 503
    assert bell(visitor) == "Messages, 1 new", "a browser that asks ahead has read nothing"
    opened = visitor.get(found[1])
    assert (opened.status_code, opened.headers["Location"]) == (303, f"/bookings/{booking}")
    assert bell(visitor) == "Messages"
    assert "New" not in main(visitor.get("/notices"))
    visitor.language = "zh"
    assert "预约已确认" in main(visitor.get("/notices"))


def test_all_can_be_marked_as_read(visitor: Visitor, world: World) -> None:
    with transaction() as session:
        for number in range(25):
            notify(session, world.customer.id, "waitlist_ended", f"wait:{number}", now=NOON)
    page = visitor.get("/notices")
    assert "25 new messages" in main(page)
    assert main(page).count("The waiting list is over") == 20
    earlier = re.search(r'href="(/notices\?cursor=[^"]+)"', page.text)
    assert earlier is not None
    assert main(visitor.get(earlier[1])).count("The waiting list is over") == 5
    assert visitor.post("/notices/read", page="/notices").status_code == 303
    after = visitor.get("/notices")
    assert "All messages are marked as read." in words(after)
    assert "new messages" not in main(after)


def test_a_message_of_a_relatives_booking_names_her(visitor: Visitor, world: World) -> None:
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1954, 3, 12)), NOON)
    for slot, person in ((0, world.beneficiary.public_id), (1, father.public_id)):
        booking = world.hold(slot, beneficiary=person)
        submit(world.principal, booking, now=NOON)
        go(booking, State.CONFIRMED)
    told = main(visitor.get("/notices"))
    assert "沈伯年 · Father" in told
    assert "沈静宜" not in told, "her own need no name"


def test_a_message_that_is_not_hers_is_not_there(visitor: Visitor) -> None:
    for wrong in ("ntf_00000000000000000000", "%00", "x" * 80):
        assert visitor.get(f"/notices/{wrong}").status_code == 404
    assert visitor.get("/notices?cursor=W10").status_code == 422
