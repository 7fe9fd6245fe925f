"""An operator at the console's door, and inside."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.marketplace.web.console.entering import PASSWORD, enter
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON
from tests.world import World
from vip.operators.operators import create_admin


@pytest.fixture
def door(app: Flask, world: World) -> Visitor:
    """Somebody before the console's door; there is an operator `lin`."""
    create_admin("lin", PASSWORD, "林默", now=NOON)
    return Visitor(app)


@pytest.fixture
def operator(door: Visitor) -> Visitor:
    """The operator, signed in."""
    assert enter(door).status_code == 303
    return door
