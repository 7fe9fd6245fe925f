"""The demonstration's clock: moved on by whoever tries the product out, for all processes, in development only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.config import settings
from providers.sandbox.ledger import Ledger
from tests.marketplace.web.visitors import Visitor, words
from tests.world import make_world

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
