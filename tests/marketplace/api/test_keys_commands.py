"""`flask keys`: what an operator of the installation sees of a rotation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, select, update

from booking.discrepancies import EXPLAINED, Discrepancy
from booking.feeds.unreadable import DIGEST_KEY, record_rows
from booking.models import Feed
from marketplace import cli
from marketplace.core import clock, integrity
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.one_sentence import FOUND
from providers.reported import UnreadableRow
from tests.keys import text_of, use_keys
from tests.people import NOON, make_customer
from tests.world import make_world
from vip.models import Customer, SignInCode
from vip.signin import limits
from vip.signin.limits import Limit

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


def test_a_key_that_explained_rows_are_known_by_is_in_use(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, index="old")
    provider_id = make_world().provider.id
    _deliver(provider_id, "R-1", "R-2", "R-3", "R-4")
    with transaction() as session:
        for case in session.scalars(select(Discrepancy)):
            case.closed_at, case.resolution = NOON, EXPLAINED
            if case.facts["reference"] == "R-3":  # of an earlier release
                case.facts = {name: fact for name, fact in case.facts.items() if name != DIGEST_KEY}
    use_keys(monkeypatch, index="new old")
    _deliver(provider_id, "R-1")
    _deliver(provider_id, "R-4", text="it is another one now")
    run("keys rewrap")
    both = run("keys list").output
    assert (
        "  old: in use for 1 values that no rewrap moves (docs/keys.md);"
        " its 1 fingerprints go with a rewrap after it is out of the settings\n"
        "    discrepancy.facts: 1\n"
    ) in both
    assert "  new: used for what is new\n    customer.phone_index: 1\n    discrepancy.facts: 2\n" in both
    assert "discrepancy.facts: 1 rest on an index key whose id is not stored\n" in both
    use_keys(monkeypatch, index="new")
    assert "discrepancy.facts: 1 rest on index keys that are gone (docs/keys.md)\n" in run("keys list").output


def test_codes_and_limits_are_counted_until_they_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, index="old")
    customer, now = make_customer(), clock.now()
    with transaction() as session:
        limits.take(session, Limit(3, 60), "ask", "somebody", now=now)
        for ends in (now, now + timedelta(minutes=5)):
            code = SignInCode(purpose="sign_in", phone_index=b"phone", code_hash=b"code", created_at=now)
            code.insurer_id, code.expires_at = customer.insurer_id, ends
            session.add(code)
    listed = run("keys list").output
    unknown = "1 rest on an index key whose id is not stored; the last ends at"
    assert f"sign_in_code.code_hash: {unknown} {now + timedelta(minutes=5)}\n" in listed
    assert f"rate_bucket.key_hash: {unknown} {now + timedelta(days=2)}\n" in listed


def _deliver(provider_id: int, *references: str, text: str = "") -> None:
    rows = [UnreadableRow("status.unknown", b"{}", f"{text}{each}", each) for each in references]
    record_rows(provider_id, Feed.BOOKINGS, rows, now=NOON)


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
