"""Another device, new recovery codes, and a reset by somebody else."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound, TooMany, Unauthenticated
from tests.people import NOON, make_insurer
from tests.vip.operators.devices import LATER, PASSWORD, STEP, code_of, entered, lines, next_step, set_up
from vip.operators import administration, device_changes, operators, second_factor
from vip.operators.second_factor import WrongSecondFactor
from vip.operators.sign_in_steps import show_code
from vip.operators.team import OwnAccount
from vip.principal import Principal
from vip.signin.authentication import authenticate

pytestmark = pytest.mark.usefixtures("db", "lin")


def test_another_device_needs_the_present_one_and_ends_the_other_sessions_and_codes() -> None:
    secret, done = set_up()
    other = done.then.token
    me = entered(show_code(next_step(LATER).ticket, code_of(secret, LATER), now=LATER), LATER)
    offer = device_changes.offer(me, now=LATER)
    new = code_of(offer.secret, LATER)
    for present in ("000000", code_of(secret, LATER)):  # the second one was used
        with pytest.raises(WrongSecondFactor) as refused:
            device_changes.change_device(me, present, offer.sealed, new, now=LATER)
        assert refused.value.at == "present"
    with pytest.raises(WrongSecondFactor) as refused:
        device_changes.change_device(me, code_of(secret, LATER + STEP), offer.sealed, "000000", now=LATER)
    assert refused.value.at == "code"
    codes = device_changes.change_device(me, code_of(secret, LATER + STEP), offer.sealed, new, now=LATER)
    with pytest.raises(Unauthenticated):
        authenticate(other, now=LATER)
    after = LATER + 10 * STEP
    for old in (code_of(secret, after), done.recovery_codes[0]):
        with pytest.raises(WrongSecondFactor):
            show_code(next_step(after).ticket, old, now=after)
    assert show_code(next_step(after).ticket, codes[0], now=after)
    assert show_code(next_step(after).ticket, code_of(offer.secret, after), now=after)


def test_new_recovery_codes_need_the_device_and_end_the_earlier_ones() -> None:
    secret, done = set_up()
    me = entered(done.then)
    with pytest.raises(WrongSecondFactor):
        device_changes.renew_recovery_codes(me, "000000", now=NOON)
    codes = device_changes.renew_recovery_codes(me, code_of(secret, NOON + STEP), now=NOON)
    assert set(codes).isdisjoint(done.recovery_codes) and device_changes.status(me).codes_left == 10
    with pytest.raises(WrongSecondFactor):
        show_code(next_step(LATER).ticket, done.recovery_codes[0], now=LATER)


def test_a_stolen_session_may_not_go_on_guessing() -> None:
    _, done = set_up()
    me = entered(done.then)
    for _ in range(10):
        with pytest.raises(WrongSecondFactor):
            device_changes.renew_recovery_codes(me, "000000", now=NOON)
    with pytest.raises(TooMany):
        device_changes.renew_recovery_codes(me, "000000", now=NOON)


def test_another_administrator_resets_it_and_all_sessions_end(lin: str) -> None:
    _, done = set_up()
    recent = entered(done.then).session_id  # one of the last minutes
    wu = Principal("operator", 0, operators.create_admin("wu", PASSWORD, "吴", now=NOON), 1, recent, "UTC", "admin")
    wu = Principal(**{**vars(wu), "insurer_id": make_insurer().id})
    assert administration.reset(wu, lin, now=NOON) == 1
    assert administration.reset(wu, lin, now=NOON) == 0
    with pytest.raises(Unauthenticated):
        authenticate(done.then.token, now=NOON)
    assert next_step(LATER).step == "device"
    assert lines("operator.second_factor_reset") == [{"sessions_ended": 1}]


def test_nobody_resets_her_own_and_no_agent_anybodys(lin: str) -> None:
    _, done = set_up()
    me = entered(done.then)
    with pytest.raises(OwnAccount):
        administration.reset(me, lin, now=NOON)
    agent = Principal(**{**vars(me), "role": "agent", "public_id": "opr_other"})
    with pytest.raises(NotFound):
        administration.reset(agent, lin, now=NOON)
    stranger = Principal(**{**vars(me), "insurer_id": me.insurer_id + 1, "public_id": "opr_other"})
    with pytest.raises(NotFound):
        administration.reset(stranger, lin, now=NOON)
    assert device_changes.status(me).since == NOON


def test_the_command_resets_it_by_login() -> None:
    _, done = set_up()
    assert device_changes.reset_by_command(" LIN ", now=NOON) == 1
    with pytest.raises(Unauthenticated):
        authenticate(done.then.token, now=NOON)
    with pytest.raises(NotFound):
        device_changes.reset_by_command("nobody", now=NOON)
    with pytest.raises(WrongSecondFactor):
        second_factor_of_nobody()


def second_factor_of_nobody() -> None:
    """A code for an operator without a device is never right."""
    with reading() as session:
        operator = session.scalar(select(second_factor.Operator).where(second_factor.Operator.login == "lin"))
        second_factor.prove(session, operator, "000000", NOON)
