"""Every page that shows a booking follows it, and asking costs next to nothing while nothing moved."""

from __future__ import annotations

import pytest

from booking.changes.cancel import cancel
from booking.hold.submit import submit
from providers.port import Confirmed
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.statements import statements_sent
from tests.world import FakeAdapter, World, join, one_pass

LISTS = ("/bookings/live", "/live")


def tag_of(visitor: Visitor, path: str) -> str:
    return visitor.get(path).headers["ETag"]


def again(visitor: Visitor, path: str, tag: str):  # type: ignore[no-untyped-def]
    return visitor.get(path, headers={"If-None-Match": tag})


@pytest.mark.parametrize("which", ["list", "home", "booking", "confirm"])
def test_an_unchanged_page_costs_two_statements_and_no_body(visitor: Visitor, world: World, which: str) -> None:
    public_id = world.hold()
    path = {
        "list": "/bookings/live",
        "home": "/live",
        "booking": f"/bookings/{public_id}/live",
        "confirm": f"/bookings/{public_id}/confirm/live",
    }[which]
    tag = tag_of(visitor, path)
    again(visitor, path, tag)  # prepared statements and the connection are there
    with statements_sent() as sent:
        same = again(visitor, path, tag)
    assert (same.status_code, same.data) == (304, b"")
    asked = [each for each in sent if each.lstrip().upper().startswith(("SELECT", "WITH"))]
    assert len(asked) == 2, "who asks, and whether anything moved"
    assert "booking" in asked[1]


@pytest.mark.parametrize("path", LISTS)
def test_lists_follow_every_move_and_new_bookings(visitor: Visitor, world: World, path: str) -> None:
    public_id = world.hold()
    tag = tag_of(visitor, path)
    submit(world.principal, public_id, now=NOON)
    moved = again(visitor, path, tag)
    assert moved.status_code == 200 and "Waiting for the hospital" in moved.text
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    sure = again(visitor, path, moved.headers["ETag"])
    assert sure.status_code == 200 and "Confirmed" in sure.text
    assert again(visitor, path, sure.headers["ETag"]).status_code == 304
    world.hold(1)
    assert again(visitor, path, sure.headers["ETag"]).status_code == 200
    cancel(world.principal, public_id, now=NOON)
    assert again(visitor, path, sure.headers["ETag"]).status_code == 200


def test_the_list_carries_the_tag_that_its_live_part_answers(visitor: Visitor, world: World) -> None:
    world.hold()
    tag = tag_of(visitor, "/bookings/live")
    escaped = tag.replace(chr(34), "&#34;")
    assert f'data-etag="{escaped}"' in visitor.get("/bookings").text
    assert "data-live" not in visitor.get("/bookings?cursor=WzFd").text, "an earlier page stays as it is"


def test_somebody_elses_bookings_move_nothing_here(visitor: Visitor, world: World) -> None:
    world.hold()
    tag = tag_of(visitor, "/bookings/live")
    join(world.provider, world.offer, world.slots, phone="13800000066").hold(1)
    assert again(visitor, "/bookings/live", tag).status_code == 304


def test_a_hold_that_ends_elsewhere_leads_away_from_the_confirming_page(visitor: Visitor, world: World) -> None:
    public_id = world.hold()
    page = visitor.get(f"/bookings/{public_id}/confirm")
    path = f"/bookings/{public_id}/confirm/live"
    tag = tag_of(visitor, path)
    assert f'data-etag="{tag.replace(chr(34), "&#34;")}"' in page.text
    cancel(world.principal, public_id, now=NOON)
    gone = again(visitor, path, tag)
    assert gone.headers["HX-Redirect"] == f"/bookings/{public_id}"
    assert "You cancelled this booking" in main(visitor.get(f"/bookings/{public_id}"))
    assert visitor.get("/bookings/bkg_none/confirm/live").status_code == 404
