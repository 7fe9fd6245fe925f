"""The demonstration's people at the provider desk."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from marketplace.core.database.db import reading
from marketplace.demo.desk import MEMBERS, NAME_EN, PASSWORD, load_desk
from providers.staff.members import myself
from tests.people import NOON, make_insurer
from vip.models import Operator
from vip.operators.operators import sign_in_operator
from vip.operators.sign_in_steps import OperatorSignedIn
from vip.signin.authentication import authenticate_member


@pytest.mark.usefixtures("db")
def test_they_sign_in_with_what_is_printed_and_loading_again_changes_nothing() -> None:
    make_insurer()
    assert load_desk(NOON) == load_desk(NOON) == MEMBERS
    for one in MEMBERS:
        found = sign_in_operator(one.login, PASSWORD, NOON, employer="provider")
        assert isinstance(found, OperatorSignedIn)
        me = myself(authenticate_member(found.token, now=NOON))
        assert (me.name, me.role, me.provider.en) == (one.name, one.role, NAME_EN)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Operator)) == len(MEMBERS)
