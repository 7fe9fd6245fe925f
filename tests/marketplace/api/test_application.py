"""The application finds a view as Flask does, from the path alone."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import create_environ

from marketplace.edge import Application

HOSTS = (
    "booking.example",
    "Booking.Example:8443",
    "booking.example:80",
    "127.0.0.1:8000",
    "[::1]:80",
    "",
    "a b",
    "bücher.example",
)
PATHS = ("/api/v1/offers", "//evil.example/a", "/%E4%BD%93", "/\xff", "/")


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "more", [{}, {"SCRIPT_NAME": "/under"}, {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}]
)
def test_a_request_is_bound_as_flask_binds_it(host: str, path: str, more: dict[str, str]) -> None:
    ours, theirs = (_bound(make, host, path, more) for make in (Application, Flask))
    assert ours == theirs


def test_a_host_that_has_no_spelling_is_taken_as_none() -> None:
    host = "a" * 64 + ".example"
    assert _bound(Application, host, "/a", {}) == _bound(Application, "", "/a", {}) == _bound(Flask, "", "/a", {})
    assert _bound(Flask, host, "/a", {}) == "BadHost"


@pytest.mark.parametrize(
    "settings",
    [
        {"SERVER_NAME": "booking.example:80"},
        {"TRUSTED_HOSTS": ["other.example"]},
        {"TRUSTED_HOSTS": [".example"]},
        {"host_matching": True},
        {"subdomain_matching": True, "SERVER_NAME": "booking.example"},
    ],
)
def test_settings_that_look_at_the_host_do(settings: dict[str, Any]) -> None:
    ours, theirs = (_bound(make, "shop.booking.example", "/", {}, settings) for make in (Application, Flask))
    assert ours == theirs


def _request(app: Flask, host: str, path: str, more: dict[str, str]) -> Any:
    environ = create_environ(path="/", query_string={"q": "体检"}, method="POST")
    environ |= {"PATH_INFO": path, "HTTP_HOST": host, **more}
    return app.request_class(environ)


def _bound(
    make: type[Flask], host: str, path: str, more: dict[str, str], settings: dict[str, Any] | None = None
) -> dict[str, Any] | str:
    given = dict(settings or {})
    matching = {name: given.pop(name) for name in ("host_matching", "subdomain_matching") if name in given}
    app = make("x", static_folder=None, **matching)
    app.config.update(given)
    request = _request(app, host, path, more)
    try:
        adapter = app.create_url_adapter(request)
    except Exception as refused:
        return type(refused).__name__
    assert adapter is not None
    told = {name: value for name, value in vars(adapter).items() if name != "map"}
    return {**told, "host": request.host, "outside": app.create_url_adapter(None) is None}
