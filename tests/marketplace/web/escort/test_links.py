"""The family's link on the pages: shown once, looked at without an account, ended at once, and in no log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unittest.mock import patch

import pytest
import structlog
from flask import Flask
from sqlalchemy import update
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from booking.escort.following.links import links_of
from booking.escort.shown.words import DOUBTS
from booking.models import Booking
from booking.states import BookingState
from marketplace import edge
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.escorting import Escorted, escorted
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import go

HERS = "13800000021"


@pytest.fixture
def one(db: Engine) -> Iterator[Escorted]:
    with clock.frozen(NOON):
        made = escorted()
        made.did("on_the_way", 2)
        made.did("note", 3, words="血压药已服")
        yield made


def make(visitor: Visitor, one: Escorted, **more: str) -> TestResponse:
    page = f"/bookings/{one.booking}/escort/links"
    return visitor.post(page, page=page, **{"name": "哥哥", "days_after": "0", "with_notes": "0", **more})


def test_the_form_sent_twice_makes_one_link_and_shows_the_same_again(app: Flask, one: Escorted) -> None:
    visitor = Visitor.signed_in(app, HERS)
    key = re.search(
        r'name="idempotency_key" value="([\w-]+)"', visitor.get(f"/bookings/{one.booking}/escort/links").text
    )
    assert key is not None
    first, again = make(visitor, one, idempotency_key=key[1]), make(visitor, one, idempotency_key=key[1])
    assert path_of(first) == path_of(again) and len(links_of(one.me, one.booking, now=NOON)) == 1
    assert Visitor(app).get(path_of(again)).status_code == 200
    assert make(visitor, one, idempotency_key=key[1], name="嫂子").status_code == 422
    assert path_of(make(visitor, one)) != path_of(first)


def test_what_open_pages_ask_by_themselves_leaves_no_line_in_the_log(app: Flask, one: Escorted) -> None:
    visitor = Visitor.signed_in(app, HERS)
    path = path_of(make(visitor, one))
    with patch.object(edge, "log", structlog.get_logger()), structlog.testing.capture_logs() as lines:
        visitor.post(path, page=path)
        for asked in (path, f"{path}/live", f"/bookings/{one.booking}/escort", f"/bookings/{one.booking}/escort/live"):
            assert visitor.get(asked).status_code == 200
    routes = {line["route"] for line in lines if line["event"] == "request"}
    assert len(routes) == 2 and not any("live" in each for each in routes)


def path_of(answer: TestResponse) -> str:
    found = re.search(r"/shared/escort/[\w-]{43}", answer.text)
    assert found is not None
    return found[0]


def discreet(answer: TestResponse) -> bool:
    """Whether the address is told to nobody and kept in no index."""
    headers = answer.headers
    return (headers["Referrer-Policy"], headers.get("X-Robots-Tag")) == ("strict-origin", "noindex, nofollow")


def test_it_is_shown_once_and_opens_the_steps_alone_and_is_in_no_log(
    app: Flask, one: Escorted, capfd: pytest.CaptureFixture[str]
) -> None:
    visitor, brother = Visitor.signed_in(app, HERS), Visitor(app)
    made = make(visitor, one)
    path = path_of(made)
    token = path.rpartition("/")[2]
    assert "哥哥" in main(made) and token not in visitor.get(f"/bookings/{one.booking}/escort/links").text
    door = brother.get(path)
    assert discreet(door) and "On the way" not in door.text and "示范" not in main(door)
    assert "Not looked at yet" in main(visitor.get(f"/bookings/{one.booking}/escort/links"))
    opened = brother.post(path, page=path)
    assert opened.status_code == 303 and discreet(opened)
    shown = brother.get(path)
    assert discreet(shown) and "On the way 08:02" in main(shown) and "noindex" in shown.text
    for hidden in ("血压药已服", "何静", "沈静宜", "13900000099"):
        assert hidden not in shown.text
    live = brother.get(f"{path}/live")
    assert live.status_code == 200 and discreet(live)
    same = brother.get(f"{path}/live", headers={"If-None-Match": live.headers["ETag"]})
    assert same.status_code == 304
    assert "Looked at 1 time" in main(visitor.get(f"/bookings/{one.booking}/escort/links"))
    told = capfd.readouterr()
    assert token not in told.out + told.err


def test_with_notes_ticked_what_the_escort_writes_is_shown_and_moves_the_page(app: Flask, one: Escorted) -> None:
    path = path_of(make(Visitor.signed_in(app, HERS), one, with_notes="1"))
    brother = Visitor(app)
    brother.post(path, page=path)
    assert "血压药已服" in main(brother.get(path))
    etag = brother.get(f"{path}/live").headers["ETag"]
    one.did("note", 4, words="已取号")
    assert "已取号" in brother.get(f"{path}/live", headers={"If-None-Match": etag}).text


def test_a_doubtful_time_is_marked_for_the_family_as_for_the_customer(app: Flask, one: Escorted) -> None:
    path = path_of(make(Visitor.signed_in(app, HERS), one, with_notes="1"))
    brother = Visitor(app)
    brother.post(path, page=path)
    assert DOUBTS["after"].en not in main(brother.get(path))
    one.did("arrived", 5, doubt="after")
    one.did("note", 6, words="排队中", doubt="after")
    assert main(brother.get(path)).count(DOUBTS["after"].en) == 2, "the step and the note"


def test_ended_wrong_and_other_tokens_answer_alike_and_a_page_that_is_open_begins_anew(
    app: Flask, one: Escorted
) -> None:
    visitor, brother = Visitor.signed_in(app, HERS), Visitor(app)
    path = path_of(make(visitor, one))
    brother.post(path, page=path)
    link = links_of(one.me, one.booking, now=NOON)[0].id
    page = f"/bookings/{one.booking}/escort/links"
    assert visitor.post(f"{page}/{link}/end", page=page).status_code == 303
    answers = [brother.get(each) for each in (path, "/shared/escort/wrong", f"/shared/escort/{'x' * 43}")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(r'nonce="[^"]*"|/shared/escort/[\w-]+', "", answer.text) for answer in answers}) == 1
    assert {answer.headers["Referrer-Policy"] for answer in answers} == {"strict-origin"}
    assert brother.get(f"{path}/live").status_code == brother.get("/shared/escort/wrong/live").status_code == 401


def test_what_one_link_opened_opens_no_other(app: Flask, one: Escorted) -> None:
    visitor, brother = Visitor.signed_in(app, HERS), Visitor(app)
    first, second = path_of(make(visitor, one)), path_of(make(visitor, one))
    brother.post(first, page=first)
    assert "On the way" not in brother.get(second).text
    assert brother.get(f"{second}/live").status_code == 401
    brother.post(second, page=second)
    for each in (first, second):
        assert "On the way" in brother.get(each).text and brother.get(f"{each}/live").status_code == 200


def test_what_is_wrong_with_the_form_is_said_beside_the_field(app: Flask, one: Escorted) -> None:
    visitor = Visitor.signed_in(app, HERS)
    blank = make(visitor, one, name="")
    assert blank.status_code == 422 and 'id="f-name-error"' in blank.text
    assert make(visitor, one, days_after="7").status_code == 422
    for _number in range(5):
        make(visitor, one)
    full = make(visitor, one)
    assert full.status_code == 409 and "at most 5 open links" in main(full)


def test_until_when_it_opens_is_told_by_the_clock_of_the_place(app: Flask, one: Escorted) -> None:
    with transaction() as session:
        session.execute(update(Booking).values(time_zone="Asia/Tokyo"))
    visitor, brother = Visitor.signed_in(app, HERS), Visitor(app)
    made = make(visitor, one)
    path = path_of(made)
    door = brother.get(path)
    brother.post(path, page=path)
    for answer in (made, door, brother.get(path)):
        assert "ntil 11 March, 00:00" in main(answer)


def test_of_one_whose_person_was_not_met_nobody_is_told_that_it_is_done(app: Flask, one: Escorted) -> None:
    path = path_of(make(Visitor.signed_in(app, HERS), one))
    go(one.booking, BookingState.NO_SHOW)
    brother = Visitor(app)
    brother.post(path, page=path)
    shown = main(brother.get(path))
    assert "This escort does not take place" in shown and "Escort done" not in shown
