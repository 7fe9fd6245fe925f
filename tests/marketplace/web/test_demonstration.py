"""The demonstration's clock: moved on by whoever tries the product out, for all processes, in development only."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import Unauthenticated
from marketplace.web import demonstration
from providers.sandbox.ledger import Ledger
from tests.marketplace.web.visitors import Visitor, words
from tests.people import NOON
from tests.world import make_world
from vip.operators.operators import create_admin, sign_in_operator
from vip.signin import authentication, signin
from vip.signin.authentication import authenticate
from vip.signin.signin import issue_token, sign_out

PHONE_OF_WORLD = "13800000021"
STRIP = "/development/clock"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the demonstration's clock stands."""
    monkeypatch.setenv("DEMO_CLOCK_FILE", str(tmp_path / "clock"))
    yield tmp_path / "clock"
    clock.follow_demonstration(development=False)


def rules(app: Flask) -> set[str]:
    return {rule.rule for rule in app.url_map.iter_rules()}


def test_only_a_development_process_of_the_demonstration_has_the_control(file: Path, db: object) -> None:
    assert STRIP in rules(create_app())
    clock.follow_demonstration(development=False)
    file.write_text("86400")
    assert not clock.can_move_on() and clock.now() - clock.of_the_machine() < timedelta(minutes=1)
    with pytest.raises(ValueError, match="demonstration"):
        clock.move_on(timedelta(hours=1))


def test_in_production_nothing_of_it_is_registered(file: Path, db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("86400")
    production = replace(settings(), env="production")
    assert not production.development
    monkeypatch.setattr("marketplace.app.settings", lambda: production)
    app = create_app()
    assert STRIP not in rules(app) and not clock.can_move_on()
    assert clock.now() - clock.of_the_machine() < timedelta(minutes=1)


def test_an_hour_and_a_day_move_pages_worker_and_providers_together(file: Path, db: object, tmp_path: Path) -> None:
    make_world()
    visitor, provider = Visitor(create_app()), Ledger(tmp_path / "sandbox", clock_file=file)
    assert "Demonstration" in words(visitor.get("/sign-in"))
    for step in ("hour", "day"):
        assert visitor.post(STRIP, "/sign-in", by=step).status_code == 303
    began = clock.of_the_machine()
    for now in (clock.now(), provider.now()):
        assert began + timedelta(hours=25) <= now < began + timedelta(hours=25, minutes=1)
    assert visitor.post(STRIP, "/sign-in", by="year").status_code == 422
    with pytest.raises(ValueError, match="only on"):
        clock.move_on(timedelta(hours=-1))
    provider.close()


def test_who_is_signed_in_stays_so_however_far_time_is_moved_and_who_was_not_is_not(file: Path, db: object) -> None:
    make_world()
    now = clock.now()
    create_admin("admin", "a long password", "Admin", now=now)
    visitor = Visitor(create_app())
    tokens = {
        "customer": issue_token(PHONE_OF_WORLD, now).token,
        "operator": sign_in_operator("admin", "a long password", now=now).token,
        "idle customer": issue_token(PHONE_OF_WORLD, now - timedelta(days=15)).token,
        "idle operator": sign_in_operator("admin", "a long password", now=now - timedelta(minutes=40)).token,
    }
    over = issue_token(PHONE_OF_WORLD, now).token
    sign_out(authenticate(over, now=now), now)
    for _day in range(40):
        assert visitor.post(STRIP, "/sign-in", by="day").status_code == 303
    assert clock.now() - now >= timedelta(days=40)
    assert {name: is_open(token) for name, token in tokens.items()} == {
        "customer": True, "operator": True, "idle customer": False, "idle operator": False,
    }  # fmt: skip
    assert not is_open(over)


def test_only_in_development_sessions_are_kept_open(db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signin, "settings", lambda: replace(settings(), env="production"))
    with pytest.raises(signin.DevelopmentOnly):
        signin.keep_open(timedelta(days=1), clock.now())


def test_an_error_page_has_no_strip_and_a_page_none_that_the_database_cannot_fill(file: Path, db: object) -> None:
    make_world()
    visitor = Visitor.signed_in(create_app(), PHONE_OF_WORLD)

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    with clock.frozen(NOON), pytest.MonkeyPatch.context() as patch:
        assert STRIP in visitor.get("/me").text
        patch.setattr(demonstration, "bookings", away)
        page = visitor.get("/me")
        assert page.status_code == 200 and STRIP not in page.text
        patch.setattr(authentication, "authenticate", away)
        for path, status in (("/me", 503), ("/nowhere", 404)):
            assert visitor.get(path).status_code == status
            assert STRIP not in visitor.get(path).text


def test_moves_at_the_same_moment_all_count(file: Path) -> None:
    clock.follow_demonstration(development=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.move_on, [timedelta(hours=1)] * 200))
    assert file.read_text() == str(200 * 3600)


def is_open(token: str) -> bool:
    try:
        authenticate(token, now=clock.now())
    except Unauthenticated:
        return False
    return True
