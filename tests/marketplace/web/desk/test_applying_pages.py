"""Registering from the page to the approval, as the applicant and the operator see it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine

from marketplace.core import clock
from marketplace.core.sending import email
from tests.desk import DOOR, at_desk, make_member
from tests.marketplace.web.console.entering import enter
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, make_insurer
from tests.providers.applying.applicants import CODE, letters, stored, token_of
from tests.world import World
from vip.operators.operators import create_admin

APPLY, SENT, OWN = "/desk/apply", "/desk/apply/sent", "/desk/application"
FORM = {
    "name_zh": "启航体检",
    "name_en": "Qihang Checkups",
    "answers": "desk",
    "country": "cn",
    "registration": CODE,
    "contact": "方敏",
    "email": "fang@example.com",
    "language": "en",
    "time_zone": "Asia/Shanghai",
}
NEW = "another river, another boat"


@pytest.fixture(autouse=True)
def standing(db: Engine) -> Iterator[None]:
    """The clock stands at NOON."""
    with clock.frozen(NOON):
        yield


@pytest.fixture
def lin(app: Flask) -> Visitor:
    """An administrator at the console."""
    make_insurer()
    create_admin("lin", "a long password", "林默", now=NOON)
    visitor = Visitor(app)
    assert enter(visitor).status_code == 303
    return visitor


def registered(app: Flask, **changes: str) -> Visitor:
    """Somebody who registered, opened the link and signed in."""
    visitor = Visitor(app)
    assert visitor.post(APPLY, APPLY, **{**FORM, **changes}).headers["Location"] == SENT
    link = f"{APPLY}/{token_of(letters()[-1])}"
    assert visitor.post(link, link, login="fang", password=NEW).headers["Location"] == DOOR
    assert visitor.post(DOOR, DOOR, name="fang", password=NEW).headers["Location"] == "/desk"
    return visitor


def names_on(lin: Visitor, path: str) -> dict[str, str]:
    """The names that the form of an approval carries."""
    return dict(re.findall(r'<input type="hidden" name="(name_zh|name_en)" value="([^"]*)"', lin.get(path).text))


def test_from_the_page_to_the_approval(app: Flask, lin: Visitor) -> None:
    assert f'href="{APPLY}"' in Visitor(app).get(DOOR).text
    fang = Visitor(app)
    assert fang.post(APPLY, APPLY, **FORM).headers["Location"] == SENT
    assert "A letter with a link is on its way." in main(fang.get(SENT))
    [letter] = letters()
    link = f"{APPLY}/{token_of(letter)}"
    for _ in range(2):  # programs that look through mail open links
        look = fang.get(link)
        assert "Register Qihang Checkups" in main(look) and look.headers["Cache-Control"] == "no-store"
    weak = fang.post(link, link, login="fang", password="short")
    assert weak.status_code == 422 and 'id="f-password-error"' in weak.text
    taken = fang.post(link, link, login="LIN", password=NEW)
    assert taken.status_code == 409 and 'id="f-login-error"' in taken.text and NEW not in taken.text
    assert fang.post(link, link, login="fang", password=NEW).headers["Location"] == DOOR
    assert fang.get("/desk").status_code == 303, "the link signs nobody in"
    assert fang.get(link).status_code == 404
    assert fang.post(DOOR, DOOR, name="fang", password=NEW).headers["Location"] == "/desk"
    band = "Customers don't see your services yet"
    assert band in html.unescape(fang.get("/desk").text) and f'href="{OWN}"' in fang.get("/desk").text
    assert "We are looking at your registration" in main(fang.get(OWN))
    for page in ("/desk/profile", "/desk/members", "/desk/offers", "/desk/setup", "/desk/system"):
        assert fang.get(page).status_code == 200, page

    assert "no certificate is needed" in main(fang.get("/desk/system"))
    fang.post(OWN, OWN, answers="system", country="cn", registration=CODE, reply="")
    awaited = main(fang.get("/desk/system"))
    assert "No system of yours is connected yet." in awaited and "no certificate is needed" not in awaited

    [path] = set(re.findall(r'href="(/operators/applications/app_\w+)"', lin.get("/operators/applications").text))
    seen = main(lin.get(path))
    assert "fang@example.com" in seen and CODE in seen and "方敏" in seen
    assert lin.post(path, path, act="ask", question="Which licence?").headers["Location"] == path
    assert "Which licence?" in letters()[-1].text and "Which licence?" in main(fang.get(OWN))
    again = {"answers": "partner", "country": "cn", "registration": CODE, "reply": "The one of 2025."}
    assert fang.post(OWN, OWN, **again).headers["Location"] == OWN
    assert "The one of 2025." in main(lin.get(path))
    empty = lin.post(path, path, act="decline", reason="")
    assert empty.status_code == 422 and 'id="f-reason-error"' in empty.text
    assert lin.post(path, path, act="decline", reason="Too old.").headers["Location"] == path
    assert "Too old." in main(fang.get(OWN)) and "Declined" in main(lin.get(path))
    assert fang.post(OWN, OWN, **again).headers["Location"] == OWN
    for step in (
        "A service with its price to be done",
        "Certificates, where your program or your system answers to be done",
    ):
        assert step in main(lin.get(path)), step
    unsure = lin.post(path, path, act="approve")
    assert unsure.status_code == 422 and 'id="f-confirmed-error"' in unsure.text
    assert "Your organisation is approved" not in main(fang.get(OWN))
    later = NOON + timedelta(minutes=5)
    read = {"act": "approve", "confirmed": "1", **names_on(lin, path)}
    with clock.frozen(later):
        renamed = lin.post(path, path, **{**read, "name_en": "Qihang"})
        assert renamed.status_code == 409 and "Its people changed its names meanwhile." in main(renamed)
        assert lin.post(path, path, **read).headers["Location"] == path
    assert f'datetime="{later.isoformat()}"' in lin.get(path).text, "the decision's time"
    assert band not in html.unescape(fang.get("/desk").text)
    assert "Your organisation is approved" in main(fang.get(OWN))
    late = lin.post(path, "/operators/password", **read)
    assert late.status_code == 409 and "Somebody else has approved or declined it meanwhile." in main(late)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_field_at_fault_is_named_beside_it_and_nothing_typed_is_lost(app: Flask, language: str) -> None:
    visitor = Visitor(app, language)
    wrong = visitor.post(APPLY, APPLY, **{**FORM, "name_en": "", "registration": CODE[:-1] + "4", "email": "fang"})
    assert wrong.status_code == 422
    for name in ("name_en", "registration", "email"):
        assert f'id="f-{name}-error"' in wrong.text
    assert 'id="f-name_zh-error"' not in wrong.text and 'value="启航体检"' in wrong.text and letters() == []


def test_a_known_address_and_an_unknown_one_are_answered_alike(app: Flask) -> None:
    registered(app)
    answers = []
    for address in (FORM["email"], "nobody@example.com"):
        answer = Visitor(app).post(APPLY, APPLY, **{**FORM, "email": address})
        answers.append((answer.status_code, answer.headers["Location"], answer.text))
    assert answers[0] == answers[1]


def test_who_registers_too_often_is_told_when_to_go_on(app: Flask) -> None:
    visitor = Visitor(app)
    answers = [visitor.post(APPLY, APPLY, **FORM).status_code for _ in range(3)]
    refused = visitor.post(APPLY, APPLY, **FORM)
    assert answers == [303] * 3 and refused.status_code == 429 and refused.headers["Retry-After"] == "3600"
    assert 'value="启航体检"' in refused.text


def test_where_there_is_no_e_mail_the_page_says_so(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "backend", lambda: None)
    assert "There is no e-mail here" in main(Visitor(app).get(APPLY))
    refused = Visitor(app).post(APPLY, APPLY, **FORM)
    assert refused.status_code == 422 and 'id="f-email-error"' in refused.text


def test_the_desk_of_a_provider_that_an_operator_made_has_no_band(app: Flask, world: World) -> None:
    fang = at_desk(app, make_member(world.provider.code, login="owner"))
    assert "not approved" not in main(fang.get("/desk")) and fang.get(OWN).status_code == 404


def test_an_application_that_nobody_confirmed_is_not_at_the_console(app: Flask, lin: Visitor) -> None:
    Visitor(app).post(APPLY, APPLY, **FORM)
    assert "No application here." in main(lin.get("/operators/applications"))
    assert lin.get(f"/operators/applications/{stored().public_id}").status_code == 404
    assert lin.get("/operators/applications?state=asked").status_code == 404
