"""Who repairs."""

from __future__ import annotations

import pytest

from tests.people import make_insurer
from tests.world import World
from vip.principal import Principal


@pytest.fixture
def operator(world: World) -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
