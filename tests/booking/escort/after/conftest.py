"""Who settles a case."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import Engine

from tests.people import make_insurer
from vip.principal import Principal


@pytest.fixture
def manager(db: Engine) -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
