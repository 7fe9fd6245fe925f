"""How far a reader walks who follows one webhook from its route to the commit."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import FrameType

import pytest
from flask import Flask
from standardwebhooks.webhooks import Webhook
from werkzeug.test import TestResponse

from marketplace.app import create_app
from marketplace.core import clock, crypto
from providers.port import Accepted
from tests.people import NOON
from tests.sandboxes import WEBHOOK_SECRET
from tests.world import FakeAdapter, World, booking_row, make_world, one_pass, set_provider

pytestmark = pytest.mark.usefixtures("db")

BOOKING = Path(__file__).resolve().parents[3] / "booking"
LATER = NOON + timedelta(minutes=5)

MOST_STOPS = 25
"""Functions of `booking` that are entered, each counted once; docs/reconciliation.md names them."""
MOST_EXITS = 8
"""Places in these where the walk may end before the function's last line."""


@dataclass(frozen=True)
class Stop:
    """A function that was entered; `line` is its first, decorators counted."""

    file: Path
    name: str
    line: int


@pytest.fixture
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


@pytest.fixture
def world() -> World:
    """A provider that signs its events."""
    made = make_world()
    record = f"provider:{made.provider.code}:webhook"
    set_provider(made.provider, webhook_secrets_sealed=[crypto.seal_master(WEBHOOK_SECRET, record)])
    return made


def walked(run: Callable[[], TestResponse]) -> tuple[TestResponse, list[Stop]]:
    """The answer, and the functions of `booking` that were entered for it, in order."""
    stops: dict[Stop, None] = {}

    def entered(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(f"{BOOKING}/") and not code.co_name.startswith("<"):
            stops.setdefault(Stop(Path(code.co_filename), code.co_qualname, code.co_firstlineno))

    before = sys.getprofile()
    sys.setprofile(entered)
    try:
        answer = run()
    finally:
        sys.setprofile(before)
    return answer, list(stops)


def returns_in(node: ast.AST) -> Iterator[ast.Return]:
    """The function's own returns, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from returns_in(child)


@cache
def exits_by_line(file: Path) -> Mapping[int, int]:
    """Of each function of a file, by its first line: how many of its returns stand before its last statement."""
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]
    return {
        min([node.lineno, *(each.lineno for each in node.decorator_list)]): sum(
            found is not node.body[-1] for found in returns_in(node)
        )
        for node in functions
    }


def told(app: Flask, world: World, public_id: str, kind: str, version: int) -> tuple[TestResponse, list[Stop]]:
    """The provider sends one signed event that says that the booking is confirmed."""
    booking = booking_row(public_id)
    there = {
        "reference": "R-1",
        "our_reference": public_id,
        "slot": "s",
        "status": "confirmed",
        "version": version,
        "service_date": booking.service_date.isoformat(),
        "starts_at": booking.starts_at.isoformat() if booking.starts_at else None,
        "ends_at": booking.ends_at.isoformat() if booking.ends_at else None,
        "updated_at": NOON.isoformat(),
    }
    body, message = json.dumps({"type": kind, "timestamp": NOON.isoformat(), "data": {"booking": there}}), f"e{version}"
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(LATER.timestamp())),
        "webhook-signature": Webhook(WEBHOOK_SECRET).sign(message, LATER, body),
    }
    url = f"/partner/v1/webhooks/{world.provider.code}"
    with clock.frozen(LATER):
        return walked(lambda: app.test_client().post(url, data=body, headers=headers))


def test_the_walk_of_a_webhook_stays_short(app: Flask, world: World) -> None:
    """Both ways: the one of whatever a provider may say, and the short one of a plain confirmation (decision 0039)."""
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    for kind, version, way in (
        ("booking.confirmed", 2, "sync/confirmed.py: confirm_plainly"),
        ("booking.changed", 3, "exchange/inbound.py: apply_remote"),
    ):
        answer, stops = told(app, world, public_id, kind, version)
        assert answer.get_json() == {"outcome": "applied"} and booking_row(public_id).state.value == "confirmed"
        names = [f"{stop.file.relative_to(BOOKING)}: {stop.name}" for stop in stops]
        assert way in names, "the walk was seen"
        assert len(stops) <= MOST_STOPS, "\n".join(names)
        exits = {name: exits_by_line(stop.file)[stop.line] for name, stop in zip(names, stops, strict=True)}
        assert sum(exits.values()) <= MOST_EXITS, exits
