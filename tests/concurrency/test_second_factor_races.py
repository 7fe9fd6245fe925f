"""A code of an operator's device, or a recovery code, lets one in of many who show it at once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pyotp
import pytest
from sqlalchemy import select

from marketplace.core.database.db import transaction
from tests.concurrency.controls import all_at_once
from tests.people import NOON, make_insurer
from vip.models import Operator
from vip.operators import operators, second_factor
from vip.operators.second_factor import WrongSecondFactor
from vip.operators.sign_in_steps import OperatorSignedIn, show_code
from vip.signin.limits import Caller

pytestmark = pytest.mark.usefixtures("db", "without_turns")
PASSWORD = "a long enough secret"
LATER = NOON + timedelta(minutes=5)
GUARD = " AND totp_step < :step"


def outcomes(code_of_the_device: bool) -> list[type]:
    """What eight threads come to that show the same code at once, each from an address of its own."""
    make_insurer()
    operators.create_admin("lin", PASSWORD, "林主管", now=NOON)
    with transaction() as session:
        lin = session.scalars(select(Operator).with_for_update()).one()
        offer = second_factor.offer(lin, NOON)
        codes = second_factor.set_device(session, lin, offer, pyotp.TOTP(offer.secret).at(NOON), NOON)
    code = pyotp.TOTP(offer.secret).at(LATER) if code_of_the_device else codes[0]
    ticket = operators.sign_in_operator("lin", PASSWORD, LATER).ticket
    callers = [Caller(f"203.0.113.{number}") for number in range(8)]
    return [type(one) for one in all_at_once([partial(show_code, ticket, code, now=LATER, caller=c) for c in callers])]


@pytest.mark.parametrize("code_of_the_device", [True, False])
def test_a_code_lets_one_of_eight_in(code_of_the_device: bool) -> None:
    found = outcomes(code_of_the_device)
    assert (found.count(OperatorSignedIn), found.count(WrongSecondFactor)) == (1, 7)


def test_without_the_condition_a_step_counts_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GUARD in second_factor.ACCEPT_STEP
    monkeypatch.setattr(second_factor, "ACCEPT_STEP", second_factor.ACCEPT_STEP.replace(GUARD, ""))
    assert outcomes(True).count(OperatorSignedIn) == 8


def test_without_the_condition_a_recovery_code_counts_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = " AND ended_at IS NULL"
    assert guard in second_factor.SPEND_CODE
    monkeypatch.setattr(second_factor, "SPEND_CODE", second_factor.SPEND_CODE.replace(guard, ""))
    assert outcomes(False).count(OperatorSignedIn) == 8
