"""What every request passes through, health, and the API's description."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from booking.worker_models import WorkerBeat
from marketplace import edge
from marketplace.api.description import CUSTOMER_API
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.edge import BODY_LIMIT
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON
from tests.world import World
from vip.customers import customers


def test_the_description_is_valid_and_the_file_is_current(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/openapi.json")
    validate(answer.get_json())
    assert answer.get_json()["openapi"] == "3.1.0"
    assert answer.text == CUSTOMER_API.file.read_text(encoding="utf-8"), "run `flask --app wsgi openapi write`"


def test_every_operation_documents_who_may_call_and_its_refusals(app: Flask) -> None:
    spec = app.test_client().get("/api/v1/openapi.json").get_json()
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            told = operation["responses"]
            assert ("401" in told) != (operation.get("security") == []), path
            assert {"500", "503"} <= set(told), path
            assert operation["summary"], path
            for status, answer in told.items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_what_goes_wrong_is_told_by_a_number_alone(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_customer_id: int) -> Any:
        raise RuntimeError("secret 13800000021")

    monkeypatch.setattr(customers, "profile", fail)
    body = problem(caller.get("/me"), 500, "internal")
    assert "secret" not in str(body)
    assert body["instance"] in body["detail"]


def test_what_goes_wrong_is_logged_without_its_text(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_customer_id: int) -> Any:
        raise RuntimeError("secret of a person")

    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(customers, "profile", fail)
    monkeypatch.setattr(
        edge.log, "error", lambda event, **fields: lines.append({"event": event, **fields}), raising=False
    )
    number = caller.get("/me?secret=1").headers["X-Request-Id"]
    [line] = lines
    assert (line["request"], line["error"], line["route"]) == (number, "RuntimeError", "/api/v1/me")
    assert "secret" not in str(line)


def test_a_database_that_is_away_is_told_as_503(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_customer_id: int) -> Any:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    monkeypatch.setattr(customers, "profile", away)
    answer = caller.get("/me")
    problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("wish", "word"), [("en", "Sign in first"), ("zh-CN,zh;q=0.9", "请先登录"), ("fr", "请先登录"), ("", "请先登录")]
)
def test_sentences_come_in_the_language_asked_for(app: Flask, db: Engine, wish: str, word: str) -> None:
    answer = app.test_client().get("/api/v1/me", headers={"Accept-Language": wish})
    assert answer.get_json()["title"] == word
    assert "Accept-Language" in answer.headers["Vary"]


def test_answers_carry_headers_that_keep_browsers_careful(caller: Caller) -> None:
    headers = caller.get("/me").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "Set-Cookie" not in headers


def test_proxies_are_believed_only_as_far_as_they_are_trusted(
    worker_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"X-Request-Id": "given-by-proxy", "X-Forwarded-Proto": "https"}
    plain = create_app().test_client().get("/api/v1/me", headers=given).headers
    assert plain["X-Request-Id"].startswith("req_")
    assert "Strict-Transport-Security" not in plain
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    settings.cache_clear()
    behind = create_app().test_client().get("/api/v1/me", headers=given).headers
    monkeypatch.delenv("TRUSTED_PROXIES")
    settings.cache_clear()
    assert behind["X-Request-Id"] == "given-by-proxy"
    assert "Strict-Transport-Security" in behind


@pytest.fixture
def production(worker_database: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application behind one proxy, at benefits.example.com."""
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    monkeypatch.setenv("PUBLIC_URL", "https://benefits.example.com")
    for name in ("MASTER_KEY", "INDEX_KEY"):
        monkeypatch.setenv(name, base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv("SECRET_KEY", "a long random text")
    monkeypatch.setenv("ANXIANG_ENV", "production")
    settings.cache_clear()
    yield create_app()
    settings.cache_clear()


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/problems/slot_full", "/nowhere"])
def test_a_request_that_calls_us_by_another_name_is_refused(production: Flask, path: str) -> None:
    client = production.test_client()
    own, foreign = {"Host": "benefits.example.com"}, {"Host": "evil.example.org"}
    assert client.get(path, headers=foreign).status_code == 400
    assert client.get(path, headers=own).status_code != 400
    assert client.get(path, headers={**own, "X-Forwarded-Host": "evil.example.org"}).status_code != 400
    assert client.get("/healthz", headers={"Host": "127.0.0.1:8000"}).status_code == 200


@pytest.mark.parametrize("more", [{}, {"Upgrade": "websocket", "Connection": "Upgrade"}])
@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", ".", "a b", ""])
def test_a_name_that_no_host_has_is_refused_with_a_page(production: Flask, host: str, more: dict[str, str]) -> None:
    client = production.test_client()
    answers = [client.get(path, headers={"Host": host, **more}) for path in ("/sign-in", "/nowhere", "/api/v1/me")]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert ["<h1" in answer.text for answer in answers] == [True, True, False]


def test_other_names_are_ours_where_the_settings_say_so(production: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "one.example.com, .example.net")
    settings.cache_clear()
    client = create_app().test_client()
    named = ("one.example.com", "two.example.net", "benefits.example.com")
    assert [client.get("/sign-in", headers={"Host": name}).status_code for name in named] == [200, 200, 400]


def test_a_form_behind_tls_needs_its_token_and_no_referrer(production: Flask) -> None:
    client = production.test_client()
    how: dict[str, Any] = {"base_url": "https://benefits.example.com"}
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in", **how).text)
    assert found is not None
    form = {"csrf_token": found[1], "phone": "not a number"}

    def status(**headers: str) -> int:
        return client.post("/sign-in", data=form, headers=headers, **how).status_code

    assert status() == status(Referer="https://benefits.example.com/sign-in") == 422
    assert status(Referer="https://evil.example.org/") == status(Origin="https://evil.example.org") == 403
    assert (
        status(**{"Sec-Fetch-Site": "cross-site"})
        == status(**{"Sec-Fetch-Site": "cross-site", "Origin": "null"})
        == 403
    )
    assert status(**{"Sec-Fetch-Site": "same-origin", "Origin": "https://benefits.example.com"}) == 422


def test_a_code_leads_to_its_meaning(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/problems/slot_full", headers={"Accept-Language": "en"})
    assert answer.get_json() == {"code": "slot_full", "title": "This time has just gone"}


@pytest.mark.parametrize("path", ["/api/v1//me", "//api/v1/me", "/bookings//bkg_0"])
def test_two_slashes_lead_nowhere_least_of_all_to_another_host(app: Flask, path: str) -> None:
    answer = app.test_client().get(path, headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)


@pytest.mark.parametrize(("spaces", "status"), [(BODY_LIMIT - 2, 200), (BODY_LIMIT - 1, 413), (BODY_LIMIT * 4, 413)])
def test_a_body_of_unannounced_length_has_the_same_limit(
    caller: Caller, world: World, spaces: int, status: int
) -> None:
    stream = BytesIO(b"{}" + b" " * spaces)
    answer = caller.post(
        f"/bookings/{world.hold()}/confirm",
        input_stream=stream,
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "path", ["/places/a\xffb", "/api/v1/me/\xc3", "/partner/v1/pools/a\xffb", "/desk/\xed\xa0\x80", "/\xff"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_path_that_is_no_utf8_is_refused_everywhere(app: Flask, method: str, path: str) -> None:
    answer = app.test_client().open(
        "/", method=method, environ_overrides={"PATH_INFO": path}
    )  # bytes, as PEP 3333 says
    assert answer.status_code == 400


def test_a_page_that_does_not_exist_is_no_problem_document(app: Flask) -> None:
    answer = app.test_client().get("/nothing-here")
    assert answer.status_code == 404
    assert answer.mimetype != "application/problem+json"


def test_healthz_touches_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.health.apart_engine", None)
    assert app.test_client().get("/healthz").get_json() == {"status": "ok"}


def test_readyz_tells_each_part(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        never = app.test_client().get("/readyz")
        assert (never.status_code, never.get_json()["parts"]["worker"]) == (503, "never")
        with transaction() as session:
            session.add(WorkerBeat(worker="w1", leader=True, at=NOON - timedelta(seconds=9)))
            session.add(WorkerBeat(worker="w2", leader=False, at=NOON + timedelta(seconds=2)))
        ready = app.test_client().get("/readyz")
    assert (ready.status_code, ready.get_json()) == (
        200,
        {"status": "ok", "parts": {"database": "ok", "migrations": "ok", "worker": "ok"}},
    )
    with clock.frozen(NOON + timedelta(seconds=2)):
        late = app.test_client().get("/readyz")
    assert (late.status_code, late.get_json()["parts"]["worker"]) == (503, "late")


def test_readyz_says_when_the_database_is_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    monkeypatch.setattr("marketplace.health.apart_engine", away)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.get_json()["parts"]["database"]) == (503, "unreachable")
