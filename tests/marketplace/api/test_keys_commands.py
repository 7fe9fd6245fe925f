"""`flask keys`: what an operator of the installation sees of a rotation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, update

from marketplace import cli
from marketplace.core import integrity
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.one_sentence import FOUND
from tests.keys import text_of, use_keys
from tests.people import make_customer
from vip.models import Customer

Run = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def run(app: Flask, db: Engine) -> Iterator[Run]:
    """Run a command line."""
    cli.install(app)
    integrity.forget_raised()
    yield lambda line: app.test_cli_runner().invoke(None, line.split())
    settings.cache_clear()


def test_a_rotation_is_seen_from_its_begin_to_its_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="old", index="old")
    make_customer()
    use_keys(monkeypatch, master="new old", index="new old")
    before = run("keys list").output
    assert (
        "master keys\n  new: used for what is new; 4 rows wait for a rewrap\n  old: in use for what is older\n"
        in before
    )
    assert (
        "index keys\n  new: used for what is new; 1 rows wait for a rewrap\n  old: in use for what is older\n" in before
    )
    assert "    person_key.wrapped_key: 3\n" in before
    moved = run("keys rewrap --batch 2")
    assert moved.exit_code == 0
    assert "person_key.wrapped_key: 2 looked at, 3 moved, 0 unreadable, finished\n" in moved.output
    assert "5 moved, 0 unreadable.\n" in moved.output
    after = run("keys list").output
    assert after.count("  new: used for what is new\n") == 2
    assert after.count("  old: nothing rests on it\n") == 1, "a master key"
    beside = "  old: nothing rests on it; its 1 fingerprints go with a rewrap after it is out of the settings\n"
    assert after.count(beside) == 1, "an index key"


def test_what_does_not_open_is_counted_and_makes_the_exit_code_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="old")
    make_customer()
    with transaction() as session:
        session.execute(update(Customer).values(phone_sealed=b"rubbish"))
    use_keys(monkeypatch, master="new old")
    moved = run("keys rewrap")
    assert moved.exit_code == FOUND
    assert "customer.phone_sealed: 2 looked at" not in moved.output
    assert "customer.phone_sealed: 1 rest on no live key or do not open\n" in run("keys list").output


@pytest.mark.parametrize(("purpose", "setting"), [("master", "MASTER_KEYS"), ("index", "INDEX_KEYS")])
def test_a_new_key_is_printed_as_settings_for_two_steps(
    run: Run, monkeypatch: pytest.MonkeyPatch, purpose: str, setting: str
) -> None:
    use_keys(monkeypatch, master="old", index="old")
    result = run(f"keys rotate {purpose}")
    known, used = (line for line in result.stdout.splitlines() if line.startswith(f"{setting}="))
    assert known.startswith(f"{setting}={text_of('old')},")
    assert used.endswith(f",{text_of('old')}")
    assert result.exit_code == 0


def test_lists_show_no_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="old", index="old")
    make_customer()
    assert text_of("old").removeprefix("old:") not in run("keys list").output + run("keys rewrap").output
