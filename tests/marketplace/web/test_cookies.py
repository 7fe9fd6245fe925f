"""Every cookie that the product sets, as browsers get it: walked through both doors, behind TLS and in development."""

from __future__ import annotations

import ast
import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import pyotp
import pytest
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.sending import sms
from marketplace.web import cookies
from providers.staff.members import add_member
from tests.conventions.sources import modules, parsed
from tests.marketplace.web.console.test_second_factor_pages import PASSWORD, offered
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON, SmsBox, give, make_customer
from tests.world import make_offer
from vip.operators.operators import create_admin

HERS = "13800000021"
YEAR = timedelta(days=365)

# The name behind TLS, in development, path, SameSite, HttpOnly, how long it lasts (None: until the browser closes).
TABLE = [
    ("__Host-signed_in", "signed_in", "/", "Lax", True, timedelta(days=30)),
    ("__Host-known_device", "known_device", "/", "Lax", True, YEAR),
    ("__Host-session", "session", "/", "Lax", True, None),
    ("__Host-lang", "lang", "/", "Lax", True, YEAR),
    ("__Host-city", "city", "/", "Lax", True, YEAR),
    ("__Host-theme", "theme", "/", "Lax", False, YEAR),
    ("__Secure-operator", "operator", "/operators", "Strict", True, timedelta(hours=12)),
    ("__Secure-known_operator", "known_operator", "/operators", "Strict", True, YEAR),
    ("__Secure-operator_step", "operator_step", "/operators", "Strict", True, timedelta(minutes=10)),
    ("__Secure-desk", "desk", "/desk", "Strict", True, timedelta(hours=12)),
    ("__Secure-known_desk", "known_desk", "/desk", "Strict", True, YEAR),
    ("__Secure-desk_step", "desk_step", "/desk", "Strict", True, timedelta(minutes=10)),
]


class Sent(NamedTuple):
    """A cookie as a browser got it. `lasts` is zero where it was taken back."""

    name: str
    secure: bool
    path: str
    same_site: str
    http_only: bool
    lasts: timedelta | None


def read(header: str) -> Sent:
    """A Set-Cookie header, received at noon."""
    pair, *rest = header.split("; ")
    said = {key.lower(): value for key, _, value in (part.partition("=") for part in rest)}
    assert "domain" not in said
    lasts = None
    if "max-age" in said:
        lasts = timedelta(seconds=int(said["max-age"]))
    elif "expires" in said:
        lasts = parsedate_to_datetime(said["expires"]) - NOON
    return Sent(pair.partition("=")[0], "secure" in said, said["path"], said["samesite"], "httponly" in said, lasts)


@dataclass
class Collector(Visitor):
    """A browser behind our proxy, which speaks TLS with it. `found` holds each Set-Cookie header it was sent."""

    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.client.environ_base["HTTP_X_FORWARDED_PROTO"] = "https"
        self.client.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.9"

    def get(self, path: str, **more: Any) -> TestResponse:
        """One page."""
        return self._seen(super().get(path, **more))

    def post(self, path: str, page: str = "/me", **fields: str) -> TestResponse:
        """One form."""
        return self._seen(super().post(path, page, **fields))

    def _seen(self, answer: TestResponse) -> TestResponse:
        self.found += answer.headers.getlist("Set-Cookie")
        return answer


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch, db: Engine) -> SmsBox:
    """Where codes arrive."""
    made = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: made)
    return made


@pytest.fixture(params=["production", "test"])
def env(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, db: Engine) -> Iterator[str]:
    """Which kind of installation the process is of, at noon."""
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    monkeypatch.setenv("OPERATOR_SECOND_FACTOR", "required")
    monkeypatch.setenv("SECRET_KEY", "a long random text")
    for name in ("MASTER_KEY", "INDEX_KEY"):
        monkeypatch.setenv(name, base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv("ANXIANG_ENV", request.param)
    settings.cache_clear()
    with clock.frozen(NOON):
        yield request.param
    settings.cache_clear()


def customer_walks(visitor: Collector, box: SmsBox) -> None:
    """Through her door and out again, with each choice that a page keeps on the way."""
    visitor.get("/sign-in?lang=zh")
    visitor.post("/sign-in", "/sign-in", phone=HERS)
    assert visitor.post("/sign-in/code", "/sign-in/code", code=box.code_for(HERS)).status_code == 303
    assert visitor.get("/places?benefit=health_check&city=上海").status_code == 200
    assert visitor.post("/preferences", theme="dark", lang="en").status_code == 303
    assert visitor.post("/sign-out").status_code == 303


def walks_through(visitor: Collector, home: str, login: str) -> None:
    """Through the console's door, or the desk's, with its second step, and out again."""
    door, device = f"{home}/sign-in", f"{home}/sign-in/device"
    assert visitor.post(door, door, name=login, password=PASSWORD).status_code == 303
    secret, sealed = offered(visitor.get(device))
    code = pyotp.TOTP(secret).at(NOON)
    assert visitor.post(device, device, offer=sealed, code=code).status_code == 200
    assert visitor.post(f"{home}/sign-out", home).status_code == 303


def test_every_cookie_is_as_the_table_says(env: str, box: SmsBox) -> None:
    provider, offer, _slots = make_offer()
    give(make_customer(HERS), 2, kind=offer.kind)
    create_admin("lin", PASSWORD, "林默", now=NOON)
    add_member(provider.code, "fang", PASSWORD, "方敏", "manager", now=NOON)
    tls = env == "production"
    visitor = Collector(create_app())
    customer_walks(visitor, box)
    walks_through(visitor, "/operators", "lin")
    walks_through(visitor, "/desk", "fang")
    sent = [read(header) for header in visitor.found]
    expected = {
        Sent(hidden if tls else plain, tls, path, same_site, http_only, lasts)
        for hidden, plain, path, same_site, http_only, lasts in TABLE
    }
    assert {cookie for cookie in sent if cookie.lasts != timedelta(0)} == expected
    taken_back = [cookie for cookie in sent if cookie.lasts == timedelta(0)]
    assert {cookie._replace(lasts=None) for cookie in taken_back} <= {it._replace(lasts=None) for it in expected}
    assert {cookie.name for cookie in cookies.ALL} == {cookie.name for cookie in expected}


def test_scripts_write_the_look_under_the_name_that_is_read(env: str, box: SmsBox) -> None:
    make_customer(HERS)
    visitor = Collector(create_app())
    visitor.post("/sign-in", "/sign-in", phone=HERS)
    visitor.post("/sign-in/code", "/sign-in/code", code=box.code_for(HERS))
    assert f'data-cookie="{cookies.THEME.name}"' in visitor.get("/me").text


def test_no_other_module_sets_a_cookie() -> None:
    found = {
        str(path)
        for path, tree in parsed(modules("marketplace", "booking", "vip", "providers"), about="cookie|Host-|Secure-")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("set_cookie", "delete_cookie"))
        or (isinstance(node, ast.Constant) and str(node.value).startswith(("__Host-", "__Secure-")))
        or (isinstance(node, ast.Attribute) and node.attr == "cookies" and isinstance(node.value, ast.Name))
    }
    calling_out = {"providers/adapters/http.py"}  # keeps none that a provider sends
    assert found - calling_out == {"marketplace/web/cookies.py"}
