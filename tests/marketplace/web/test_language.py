"""Which language a reader gets, and how she changes it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.marketplace.web.gallery import create_gallery


@pytest.fixture
def browser() -> FlaskClient:
    return create_gallery().test_client()


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


def test_static_files_carry_their_fingerprint_and_stay(browser: FlaskClient) -> None:
    page = browser.get("/gallery/home").text
    address = page.split('href="/static/css/tokens.css')[1].split('"')[0]
    with browser.get("/static/css/tokens.css" + address) as named:
        assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Cookie" not in named.headers.get("Vary", "")
    with browser.get("/static/css/tokens.css") as plain:
        assert "immutable" not in plain.headers["Cache-Control"]
