"""Rehearsals at the desk: ticked, begun, watched, ended, and done again with the same seed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from booking.faults.kinds import Kind
from booking.rehearsals import view
from marketplace.catalog.models import Offer
from marketplace.core.database.db import transaction
from tests.booking.rehearsals.running import asked, run, second, staged
from tests.booking.twins.stage import Stage, with_twin
from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import make_world
from vip.models import SignInSession
from vip.principal import MemberRole
from vip.signin.mode import in_test_mode as marked

PATH = "/desk/rehearsals"


def in_test_mode(app: Flask, stage: Stage, role: MemberRole = "manager") -> Visitor:
    """A member of the live provider whose session is in test mode."""
    login = make_member(stage.world.provider.code, role, login="fang")
    visitor = at_desk(app, login)
    with transaction() as session:
        for each in session.scalars(select(SignInSession)):
            each.token_hash = marked(each.token_hash)
    return visitor


def test_one_is_begun_watched_and_done_again(app: Flask, db: object) -> None:
    stage, twin = staged()
    fang = in_test_mode(app, stage)
    page = fang.get(PATH)
    assert "There was no rehearsal yet." in main(page) and page.text.count('name="faults"') == len(Kind)
    begun = fang.post(PATH, PATH, faults=["gone", "late"], bookings="2", seed="41", key="k")
    address = begun.headers["Location"]
    assert begun.status_code == 303 and address.startswith(f"{PATH}/rhs_")
    again = fang.post(PATH, PATH, faults=["gone", "late"], bookings="2", seed="41", key="k")
    assert again.headers["Location"] == address, "a form that is sent twice acts once"
    waiting = fang.get(address)
    assert "It begins within seconds." in main(waiting) and 'data-live="2"' in waiting.text

    run(twin.id, address.rpartition("/")[2])
    after = fang.get(address)
    assert "Not all right" in main(after) and "data-final" in after.text and 'hx-trigger="live"' not in after.text
    assert "The booking was not answered in time." in main(after) and "The test customer books." in main(after)
    assert "41" in main(fang.get(PATH))

    repeated = fang.post(address, address, act="again").headers["Location"]
    it = view.rehearsal(twin.id, repeated.rpartition("/")[2])
    assert repeated != address and (it.seed, list(it.faults), it.bookings) == (41, ["gone", "late"], 2)
    refused = fang.post(address, address, act="again", key="other")
    assert refused.status_code == 409 and "A rehearsal is under way in test mode." in main(refused)


def test_it_can_be_ended(app: Flask, db: object) -> None:
    stage, twin = staged()
    rehearsal = asked(twin.id, [Kind.GONE], 3)
    for seconds in range(6):
        second(twin.id, NOON + timedelta(seconds=seconds))
    fang = in_test_mode(app, stage)
    address = f"{PATH}/{rehearsal}"
    assert fang.post(address, address, act="stop").headers["Location"] == address
    second(twin.id, NOON + timedelta(seconds=7))
    assert "Ended early" in main(fang.get(address)) and "End it" not in main(fang.get(address))
    fang.post(address, address, act="stop")
    assert "It had ended before." in fang.get(address).text


def test_what_can_be_done_changes_with_the_live_part(app: Flask, db: object) -> None:
    stage, twin = staged()
    rehearsal = asked(twin.id, [Kind.GONE], 1)
    fang = in_test_mode(app, stage)
    live = f"{PATH}/{rehearsal}/live"
    going_on = fang.get(live).text
    assert "End it" in going_on and "Do the same again" not in going_on
    run(twin.id, rehearsal)
    over = fang.get(live).text
    assert "End it" not in over and "Do the same again" in over and 'name="csrf_token"' in over


def test_what_was_not_tried_is_incomplete(app: Flask, db: object) -> None:
    stage, twin = staged()
    rehearsal = asked(twin.id, [Kind.DUPLICATE, Kind.CLOCK_SKEW], 2)
    run(twin.id, rehearsal)
    assert "Incomplete: 2 not tried" in main(in_test_mode(app, stage).get(f"{PATH}/{rehearsal}"))


def test_its_live_part_is_sent_when_it_has_changed(app: Flask, db: object) -> None:
    stage, twin = staged()
    rehearsal = asked(twin.id, [Kind.GONE], 1)
    fang = in_test_mode(app, stage)
    live = f"{PATH}/{rehearsal}/live"
    first = fang.get(live)
    shown = re.search(r'data-etag="([^"]+)"', fang.get(f"{PATH}/{rehearsal}").text)
    assert shown is not None and first.headers["ETag"].strip('"') in shown[1]
    assert fang.get(live, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    run(twin.id, rehearsal)
    assert fang.get(live, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"faults": []}, "Choose at least one."),
        ({"faults": ["earthquake"]}, "not one of the possible values"),
        ({"bookings": "21"}, "f-bookings-error"),
        ({"bookings": "many"}, "f-bookings-error"),
        ({"seed": "1000000000"}, "f-seed-error"),
        ({"seed": ""}, "f-seed-error"),
        ({"offer": "ofr_x"}, "There is nothing here"),
    ],
)
def test_what_cant_be_used_is_said_at_its_field(app: Flask, db: object, changes: dict[str, object], said: str) -> None:
    stage, twin = staged()
    fang = in_test_mode(app, stage)
    given: dict[str, object] = {"faults": ["gone"], "bookings": "3", "seed": "7", **changes}
    refused = fang.post(PATH, PATH, **given)  # type: ignore[arg-type]
    assert refused.status_code in (404, 422) and said in refused.text
    assert view.rehearsals(twin.id) == []


def test_outside_test_mode_there_is_none(app: Flask, db: object) -> None:
    stage, twin = staged()
    theirs = asked(twin.id, [Kind.GONE], 1)
    fang = in_test_mode(app, stage)
    assert fang.get(f"{PATH}/{theirs}").status_code == 200
    fang.post("/desk/test-mode/leave", "/desk/test-mode")
    for path in (PATH, f"{PATH}/{theirs}", f"{PATH}/{theirs}/live"):
        assert fang.get(path).status_code == 404
    assert fang.post(PATH, "/desk/test-mode", faults=["gone"], bookings="1", seed="7").status_code == 404
    assert fang.post(f"{PATH}/{theirs}", "/desk/test-mode", act="stop").status_code == 404


def test_the_front_desk_has_none(app: Flask, db: object) -> None:
    stage, _twin = staged()
    mei = in_test_mode(app, stage, "front_desk")
    assert "Test mode" in mei.get("/desk").text and mei.get(PATH).status_code == 404


def test_another_twins_is_not_there(app: Flask, db: object) -> None:
    stage, _twin = staged()
    other = with_twin(make_world(phone="13800000044"))
    theirs = asked(other.twin.id, [Kind.GONE], 1)
    fang = in_test_mode(app, stage)
    for path in (f"{PATH}/{theirs}", f"{PATH}/{theirs}/live"):
        assert fang.get(path).status_code == 404
    for act in ("stop", "again"):
        assert fang.post(f"{PATH}/{theirs}", PATH, act=act).status_code == 404
    assert view.rehearsal(other.twin.id, theirs).state == "queued"


def test_a_place_to_book_comes_first(app: Flask, db: object) -> None:
    stage, twin = staged()
    with transaction() as session:
        session.execute(update(Offer).where(Offer.provider_id == twin.id).values(active=False))
    fang = in_test_mode(app, stage)
    assert "A rehearsal books a service." in main(fang.get(PATH))
