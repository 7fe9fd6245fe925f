"""The headers that keep browsers careful stand on every kind of answer."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from marketplace.edge import BODY_LIMIT
from tests.marketplace.web.visitors import Visitor
from tests.reports import deliver
from tests.world import World
from vip.signin import authentication

WANTED = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
KINDS = [
    ("GET", "/sign-in?again=1", 200),
    ("GET", "/sign-in", 303),
    ("GET", "/me", 200),
    ("GET", "/live", 200),
    ("GET", "/places/nowhere", 404),
    ("GET", "/bookings/bkg_none", 404),
    ("POST", "/preferences", 403),
    ("PUT", "/sign-in", 405),
    ("GET", "/operators", 303),
    ("GET", "/operators/sign-in", 200),
    ("GET", "/sw.js", 200),
    ("GET", "/static/js/page.js", 200),
    ("GET", "/static/nothing.js", 404),
    ("GET", "/shared/nothing", 404),
    ("GET", "/calendar/nothing.ics", 404),
    ("GET", "/healthz", 200),
    ("GET", "/metrics", 404),
    ("GET", "/api/v1/me", 401),
    ("GET", "/api/v1/nothing", 404),
    ("GET", "/api/v1/openapi.json", 200),
    ("DELETE", "/api/v1/offers", 405),
    ("POST", "/partner/v1/webhooks/nobody", 401),
]


def assert_careful(answer: TestResponse) -> None:
    """Each header once, and saying what it should. A page of an error tells its own address to nobody, ours included:
    it may be a shared report's."""
    page_of_an_error = answer.status_code >= 400 and answer.mimetype == "text/html"
    wanted = WANTED | {"Referrer-Policy": "strict-origin"} if page_of_an_error else WANTED
    assert {name: answer.headers.getlist(name) for name in wanted} == {name: [said] for name, said in wanted.items()}
    assert not page_of_an_error or '<meta name="referrer" content="strict-origin">' in answer.text


@pytest.mark.parametrize(("method", "path", "status"), KINDS)
def test_every_kind_of_answer_is_careful(visitor: Visitor, method: str, path: str, status: int) -> None:
    answer = visitor.client.open(path, method=method, buffered=True)
    assert answer.status_code == status
    assert_careful(answer)


def test_files_and_what_has_not_changed_are_careful(visitor: Visitor, world: World) -> None:
    report = deliver(world, world.submit())
    paper = visitor.get(f"/reports/{report}/papers/0")
    assert (paper.status_code, paper.mimetype) == (200, "application/pdf")
    assert_careful(paper)
    script = visitor.get("/static/js/page.js", buffered=True)
    again = visitor.get("/static/js/page.js", headers={"If-None-Match": script.headers["ETag"]}, buffered=True)
    assert again.status_code == 304
    assert_careful(again)


def test_what_is_too_large_is_answered_carefully(visitor: Visitor) -> None:
    for path in ("/sign-in", "/api/v1/bookings"):
        answer = visitor.client.post(path, data=b"x" * (BODY_LIMIT + 1))
        assert answer.status_code == 413
        assert_careful(answer)


@pytest.mark.parametrize(
    ("trouble", "status"),
    [(RuntimeError("no"), 500), (OperationalError("SELECT", {}, Exception("connection refused")), 503)],
)
def test_our_own_trouble_is_answered_carefully(
    visitor: Visitor, app: Flask, monkeypatch: pytest.MonkeyPatch, trouble: Exception, status: int
) -> None:
    def fail(*_args: Any, **_named: Any) -> Any:
        raise trouble

    monkeypatch.setattr(authentication, "authenticate", fail)
    cookie = visitor.client.get_cookie("signed_in")
    assert cookie is not None
    api = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {cookie.value}"})
    for answer in (visitor.get("/me"), api):
        assert answer.status_code == status
        assert_careful(answer)
