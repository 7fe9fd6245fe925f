"""The desk's pages about its own people: inviting somebody, her first day, and what a manager changes later."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.core import clock
from marketplace.core.sending import email
from providers.staff.letters import Post
from providers.staff.post import INVITATIONS
from tests.desk import DOOR, PASSWORD, account, at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World

INVITE, TEAM = "/desk/members/invite", "/desk/members"
NEW = "another river, another boat"


@pytest.fixture
def fang(app: Flask, world: World) -> Visitor:
    """A manager of the world's provider, at the desk."""
    return at_desk(app, make_member(world.provider.code, login="fang"))


@pytest.fixture
def wu(world: World) -> str:
    """The page of a clinician there."""
    make_member(world.provider.code, "clinician", login="wu", name="吴迪")
    return f"{TEAM}/{account('wu').public_id}"


def letters() -> list[Post]:
    """What the worker sends now."""
    found: list[Post] = []
    INVITATIONS.send_due(lambda: NOON, send=found.append)
    return found


def token_of(letter: Post) -> str:
    found = re.search(r"(/desk/join/[0-9A-Za-z_-]+)", letter.text)
    assert found is not None
    return found[1]


def invite(fang: Visitor, to: str = "13900001111", role: str = "front_desk") -> TestResponse:
    return fang.post(INVITE, INVITE, to=to, role=role)


def test_two_clicks_invite_once_and_the_next_form_invites_anew(fang: Visitor) -> None:
    def form() -> dict[str, str]:
        key = re.search(r'name="key" value="([^"]{20,})"', fang.get(INVITE).text)
        assert key is not None
        return {"to": "13900001111", "role": "front_desk", "key": key[1]}

    one = form()
    for _click in range(2):
        assert fang.post(INVITE, INVITE, **one).headers["Location"] == TEAM
    assert len(letters()) == 1
    invitation = re.search(r'action="(/desk/members/invitations/[^"]+/withdraw)"', fang.get(TEAM).text)
    assert invitation is not None
    fang.post(invitation[1], TEAM)
    again = fang.post(INVITE, INVITE, **one)
    assert again.status_code == 409 and "that invitation is over" in main(again) and one["key"] not in again.text
    assert letters() == [] and fang.post(INVITE, INVITE, **form()).status_code == 303
    assert len(letters()) == 1


@pytest.mark.parametrize(("language", "said", "shown"), [("en", "invites you", "Sent"), ("zh", "邀请您加入", "已发送")])
def test_somebody_is_invited_in_the_language_of_the_page_and_comes_in(
    app: Flask, fang: Visitor, language: str, said: str, shown: str
) -> None:
    fang.language = language
    assert invite(fang).headers["Location"] == TEAM
    [letter] = letters()
    page = main(fang.get(TEAM))
    assert said in letter.text and "139****1111" in page and shown in page and "13900001111" not in page
    join, chen = token_of(letter), Visitor(app)
    look = chen.get(join)
    assert "Front desk" in main(look) and look.headers["Cache-Control"] == "no-store"
    assert 'name="referrer" content="strict-origin"' in look.text
    taken = chen.post(join, join, name="陈可", login="FANG", password=NEW)
    assert taken.status_code == 409 and 'id="f-login-error"' in taken.text
    assert "陈可" in taken.text and NEW not in taken.text
    weak = chen.post(join, join, name="陈可", login="chen", password="short")
    assert weak.status_code == 422 and 'id="f-password-error"' in weak.text
    assert chen.post(join, join, name="陈可", login="chen", password=NEW).headers["Location"] == DOOR
    assert "Your account is made. Sign in with it." in chen.get(DOOR).text
    assert chen.get("/desk").status_code == 303, "the link signs nobody in"
    assert chen.post(DOOR, DOOR, name="chen", password=NEW).headers["Location"] == "/desk"
    assert "陈可" in chen.get("/desk").text and chen.get(TEAM).status_code == 404
    assert chen.get(join).status_code == 404
    assert "139****1111" not in main(fang.get(TEAM)) and "陈可" in main(fang.get(TEAM))


def test_an_invitation_is_taken_back(app: Flask, fang: Visitor) -> None:
    invite(fang)
    [letter] = letters()
    form = re.search(r'action="(/desk/members/invitations/inv_[0-9a-z]+/withdraw)"', fang.get(TEAM).text)
    assert form is not None
    assert fang.post(form[1], TEAM).headers["Location"] == TEAM
    assert "139****1111" not in main(fang.get(TEAM)) and Visitor(app).get(token_of(letter)).status_code == 404
    assert fang.post(form[1], "/desk/password").status_code == 404


@pytest.mark.parametrize(
    ("to", "role", "field"), [("", "clinician", "to"), ("13", "clinician", "to"), ("13900001111", "owner", "role")]
)
def test_what_cannot_be_used_is_named_beside_its_field(fang: Visitor, to: str, role: str, field: str) -> None:
    answer = invite(fang, to, role)
    assert answer.status_code == 422 and f'id="f-{field}-error"' in answer.text and letters() == []


def test_where_there_is_no_e_mail_none_is_offered(fang: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "backend", lambda: None)
    assert "E-mail" not in main(fang.get(INVITE))
    answer = invite(fang, "chen@example.com")
    assert answer.status_code == 422 and "There is no e-mail here. Give a mobile number." in main(answer)


def test_who_invites_too_many_is_told_when_to_go_on(fang: Visitor) -> None:
    answers = [invite(fang).status_code for _ in range(3)]
    refused = invite(fang)
    assert answers == [303] * 3 and refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0


def test_a_manager_changes_a_role_ends_service_and_lets_her_return(app: Flask, fang: Visitor, wu: str) -> None:
    hers = at_desk(app, "wu")
    assert fang.post(wu, wu, act="role", role="front_desk").status_code == 303
    assert "The role is changed." in fang.get(wu).text
    assert hers.get("/desk").status_code == 200 and "Front desk" in hers.get("/desk").text
    assert fang.post(wu, wu, act="end").status_code == 303
    assert hers.get("/desk").status_code == 303
    assert Visitor(app).post(DOOR, DOOR, name="wu", password=PASSWORD).status_code == 422
    assert fang.post(wu, wu, act="resume").status_code == 303 and at_desk(app, "wu")
    assert fang.post(wu, wu, act="dance").status_code == 422


def test_a_new_password_is_shown_once_and_replaced_at_the_first_sign_in(app: Flask, fang: Visitor, wu: str) -> None:
    page = fang.post(wu, wu, act="password")
    given = re.search(r'class="secret" translate="no">([^<]+)<', page.text)
    assert page.status_code == 200 and given is not None and given[1] not in fang.get(wu).text
    hers, own = Visitor(app), "/desk/sign-in/password"
    assert hers.post(DOOR, DOOR, name="wu", password=given[1]).headers["Location"] == own
    assert hers.post(own, own, new=NEW).headers["Location"] == "/desk"


def test_ones_own_account_is_changed_by_somebody_else(fang: Visitor) -> None:
    path = f"{TEAM}/{account('fang').public_id}"
    assert "Another manager changes its role" in main(fang.get(path))
    for act in ("role", "end", "password", "reset"):
        answer = fang.post(path, "/desk/password", act=act, role="clinician")
        assert answer.status_code == 409 and "Somebody else who administers accounts has to do this" in main(answer)
    assert fang.get(TEAM).status_code == 200


def test_a_member_changes_her_own_password(app: Flask, fang: Visitor) -> None:
    other, page = at_desk(app, "fang"), "/desk/password"
    wrong = fang.post(page, page, present="wrong", new=NEW)
    assert wrong.status_code == 422 and 'id="f-present-error"' in wrong.text
    assert fang.post(page, page, present=PASSWORD, new=NEW).headers["Location"] == page
    assert (fang.get("/desk").status_code, other.get("/desk").status_code) == (200, 303)
    with clock.frozen(NOON + timedelta(minutes=1)):
        assert Visitor(app).post(DOOR, DOOR, name="fang", password=NEW).headers["Location"] == "/desk"
