"""Which language a reader gets, and how she changes it."""

from __future__ import annotations

from unittest import mock

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.web import assets
from tests.marketplace.web.gallery import create_gallery


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_gallery()


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def test_chinese_is_the_default(browser: FlaskClient) -> None:
    answer = browser.get("/gallery/home", headers={"Accept-Language": "fr"})
    assert '<html lang="zh-CN"' in answer.text
    assert answer.headers["Content-Language"] == "zh-CN"


def test_the_browsers_wish_is_followed(browser: FlaskClient) -> None:
    assert '<html lang="en"' in browser.get("/gallery/home", headers={"Accept-Language": "en-GB,en;q=0.9"}).text


def test_a_choice_in_the_address_is_kept_in_a_cookie(browser: FlaskClient) -> None:
    browser.get("/gallery/home?lang=en")
    assert '<html lang="en"' in browser.get("/gallery/home", headers={"Accept-Language": "zh-CN"}).text


def test_an_unknown_language_changes_nothing(browser: FlaskClient) -> None:
    answer = browser.get("/gallery/home?lang=<script>")
    assert '<html lang="zh-CN"' in answer.text
    assert "Set-Cookie" not in {name for name, value in answer.headers if value.startswith("lang=")}


def test_the_switch_keeps_the_rest_of_the_address(browser: FlaskClient) -> None:
    assert 'href="/gallery/home?q=a%26b&amp;lang=en"' in browser.get("/gallery/home?q=a%26b&lang=zh").text


@pytest.mark.parametrize("path", ["css/base.css", "css/nothing.css", "../assets.py", "../../../nothing"])
def test_nobody_learns_from_static_addresses_which_files_there_are(browser: FlaskClient, path: str) -> None:
    with mock.patch.object(assets, "fingerprint", wraps=assets.fingerprint) as read:
        answer = browser.open(f"/static/{path}", method="OPTIONS")
    assert (answer.status_code, read.call_count) == (200, 0)
    assert "Cache-Control" not in answer.headers


def test_static_files_carry_their_fingerprint_and_stay(browser: FlaskClient) -> None:
    page = browser.get("/gallery/home").text
    address = page.split('href="/static/css/tokens.css')[1].split('"')[0]
    with browser.get("/static/css/tokens.css" + address) as named:
        assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Cookie" not in named.headers.get("Vary", "")
    with browser.get("/static/css/tokens.css") as plain:
        assert "immutable" not in plain.headers["Cache-Control"]
