"""Who decides about applications."""

from __future__ import annotations

import pytest

from tests.desk import PASSWORD
from tests.people import NOON, make_insurer
from vip.operators.operators import create_admin, sign_in_operator
from vip.operators.sign_in_steps import OperatorSignedIn
from vip.principal import Principal
from vip.signin.authentication import authenticate


@pytest.fixture
def lin() -> Principal:
    """An administrator."""
    make_insurer()
    create_admin("lin", PASSWORD, "林默", now=NOON)
    found = sign_in_operator("lin", PASSWORD, NOON)
    assert isinstance(found, OperatorSignedIn)
    return authenticate(found.token, now=NOON)
