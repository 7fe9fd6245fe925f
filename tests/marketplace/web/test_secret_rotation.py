"""SECRET_KEY changes while people are signed in and have pages open."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from marketplace.app import create_app
from marketplace.core.config import settings
from marketplace.core.sending import sms
from tests.keys import forget_keys, use_keys
from tests.marketplace.web.visitors import Visitor, words
from tests.people import PHONE, SmsBox, make_customer
from tests.world import World

FATHER = {"name": "沈伯年", "relation": "father", "sex": "male", "birth_date": "1951-09-03", "id_number": ""}
FORM = re.compile(r'name="csrf_token" value="([^"]+)"')


def app_with(monkeypatch: pytest.MonkeyPatch, secret: str, fallbacks: str = "") -> Flask:
    """The application as a process with these secrets has it."""
    monkeypatch.setenv("SECRET_KEY", secret)
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", fallbacks)
    use_keys(monkeypatch)
    return create_app()


def moved_to(app: Flask, visitor: Visitor) -> Visitor:
    """The same browser at a process of other settings."""
    there = Visitor(app, visitor.language)
    for cookie in visitor.client._cookies.values():
        there.client.set_cookie(cookie.key, cookie.value, path=cookie.path)
    return there


@pytest.fixture
def opened(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[Visitor, str]:
    """Somebody who is signed in, and the token of the form on her page."""
    visitor = Visitor.signed_in(app_with(monkeypatch, "old"), "13800000021")
    token = FORM.search(visitor.get("/me").text)
    assert token is not None
    return visitor, token[1]


@pytest.mark.parametrize(
    ("secret", "fallbacks", "status"),
    [("old", "new", 303), ("new", "old", 303), ("new", "older old", 303), ("new", "", 403), ("new", "other", 403)],
)
def test_a_form_that_was_open_is_taken_as_long_as_its_secret_is_a_fallback(
    opened: tuple[Visitor, str], monkeypatch: pytest.MonkeyPatch, secret: str, fallbacks: str, status: int
) -> None:
    visitor, token = opened
    there = moved_to(app_with(monkeypatch, secret, fallbacks), visitor)
    assert there.client.post("/me/family/new", data={"csrf_token": token, **FATHER}).status_code == status
    assert there.get("/me").status_code == 200, "she is signed in, whatever signs the cookie of her forms"


def test_a_form_from_a_process_that_is_ahead_is_taken_by_one_that_knows_its_secret(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = Visitor.signed_in(app_with(monkeypatch, "new", "old"), "13800000021")
    token = FORM.search(ahead.get("/me").text)
    assert token is not None
    behind = moved_to(app_with(monkeypatch, "old", "new"), ahead)
    assert behind.client.post("/me/sessions/end", data={"csrf_token": token[1], "everywhere": "1"}).status_code == 303


@pytest.mark.parametrize(("fallbacks", "goes_on"), [("old", True), ("", False)])
def test_a_sign_in_half_way_goes_on_until_the_fallback_is_taken_away(
    world: World, monkeypatch: pytest.MonkeyPatch, fallbacks: str, goes_on: bool
) -> None:
    box = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: box)
    make_customer(PHONE)
    visitor = Visitor(app_with(monkeypatch, "old"))
    visitor.post("/sign-in", page="/sign-in", phone=PHONE)
    there = moved_to(app_with(monkeypatch, "new", fallbacks), visitor)
    code = there.get("/sign-in/code")
    assert (code.status_code == 200) is goes_on, words(code)


def test_a_page_that_is_loaded_after_the_fallback_went_has_a_good_form(
    opened: tuple[Visitor, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, _token = opened
    after = moved_to(app_with(monkeypatch, "new"), visitor)
    assert after.post("/me/family/new", **FATHER).status_code == 303
    assert settings().secret_key_fallbacks == ()
    forget_keys()
