"""An operator's second factor: set up, shown, and the ticket between its steps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.core.config import settings
from marketplace.core.database.db import reading
from marketplace.core.errors import TooMany, Unauthenticated
from tests.people import NOON
from tests.vip.operators.devices import LATER, PASSWORD, STEP, code_of, entered, lines, next_step, set_up
from vip.operators import account_changes, device_changes, operators, second_factor, sign_in_steps
from vip.operators.operators import sign_in_operator
from vip.operators.second_factor import OfferEnded, WrongSecondFactor
from vip.operators.sign_in_steps import NextStep, show_code
from vip.signin.authentication import authenticate
from vip.signin.limits import Caller

pytestmark = pytest.mark.usefixtures("db", "lin")


def test_the_first_sign_in_sets_up_a_device_and_the_next_one_asks_for_its_code(lin: str) -> None:
    assert next_step().step == "device"
    secret, done = set_up()
    assert entered(done.then).public_id == lin
    again = next_step(LATER)
    assert again.step == "code"
    assert entered(show_code(again.ticket, code_of(secret, LATER), now=LATER), LATER).public_id == lin
    assert lines("operator.signed_in") == [{"second_factor": "device"}] * 2
    assert len(lines("operator.second_factor_set")) == 1


def test_where_it_is_optional_only_who_has_one_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_SECOND_FACTOR", "optional")
    settings.cache_clear()
    operators.create_admin("wu", PASSWORD, "吴", now=NOON)
    wu = entered(sign_in_operator("wu", PASSWORD, NOON))
    offer = device_changes.offer(wu, now=NOON)
    device_changes.change_device(wu, "", offer.sealed, code_of(offer.secret, NOON), now=NOON)
    found = sign_in_operator("wu", PASSWORD, NOON)
    assert isinstance(found, NextStep) and found.step == "code"
    assert entered(sign_in_operator("lin", PASSWORD, NOON))


def test_it_is_required_unless_the_installation_is_for_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPERATOR_SECOND_FACTOR")
    for environment, required in (("production", True), ("development", False), ("test", False)):
        monkeypatch.setenv("ANXIANG_ENV", environment)
        for name in ("MASTER_KEY", "INDEX_KEY"):
            monkeypatch.setenv(name, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        monkeypatch.setenv("SECRET_KEY", "secret")
        settings.cache_clear()
        assert settings().second_factor_required is required


def test_nothing_is_stored_until_the_device_has_shown_a_code() -> None:
    ticket = next_step().ticket
    offer = sign_in_steps.offer_device(ticket, now=NOON)
    with pytest.raises(WrongSecondFactor):
        sign_in_steps.set_up_device(ticket, offer.sealed, "000000", now=NOON)
    assert next_step().step == "device"


def test_the_secret_and_the_recovery_codes_are_not_stored_readable() -> None:
    secret, done = set_up()
    with reading() as session:
        row = session.execute(text("SELECT totp_sealed FROM operator WHERE login = 'lin'")).scalar_one()
        hashes = [bytes(each) for each in session.scalars(text("SELECT code_hash FROM recovery_code"))]
    assert secret.encode() not in bytes(row) and len(set(hashes)) == 10
    assert not any(code.encode() in each for code in done.recovery_codes for each in hashes)


@pytest.mark.parametrize("sealed", ["", "nonsense", "AAAA", "\ud800", "x" * 900])
def test_a_secret_that_was_not_offered_is_refused(sealed: str) -> None:
    ticket = next_step().ticket
    with pytest.raises(OfferEnded):
        sign_in_steps.set_up_device(ticket, sealed, "000000", now=NOON)


def test_an_offer_is_for_one_operator_and_a_quarter_of_an_hour() -> None:
    operators.create_admin("wu", PASSWORD, "吴", now=NOON)
    wu = sign_in_operator("wu", PASSWORD, NOON)
    assert isinstance(wu, NextStep)
    hers = sign_in_steps.offer_device(next_step().ticket, now=NOON)
    with pytest.raises(OfferEnded):
        sign_in_steps.set_up_device(wu.ticket, hers.sealed, code_of(hers.secret, NOON), now=NOON)
    late = NOON + timedelta(minutes=16)
    with pytest.raises(OfferEnded):
        sign_in_steps.set_up_device(next_step(late).ticket, hers.sealed, code_of(hers.secret, late), now=late)


@pytest.mark.parametrize(("away", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_for_its_step_and_the_ones_beside_it(away: int, right: bool) -> None:
    secret, _ = set_up()
    code = code_of(secret, LATER + away * STEP)
    if right:
        assert entered(show_code(next_step(LATER).ticket, code, now=LATER), LATER)
    else:
        with pytest.raises(WrongSecondFactor):
            show_code(next_step(LATER).ticket, code, now=LATER)


def test_a_code_is_taken_once_and_none_of_an_earlier_step_after_it() -> None:
    secret, _ = set_up()
    show_code(next_step(LATER).ticket, code_of(secret, LATER), now=LATER)
    for used in (code_of(secret, LATER), code_of(secret, LATER - STEP)):
        with pytest.raises(WrongSecondFactor):
            show_code(next_step(LATER).ticket, used, now=LATER)
    assert show_code(next_step(LATER).ticket, code_of(secret, LATER + STEP), now=LATER)


def test_the_code_that_set_the_device_up_signs_nobody_in() -> None:
    secret, _ = set_up()
    with pytest.raises(WrongSecondFactor):
        show_code(next_step().ticket, code_of(secret, NOON), now=NOON)


def test_a_code_is_taken_as_people_paste_it() -> None:
    secret, done = set_up()
    code = code_of(secret, LATER)
    pasted = f"\u200b{code[:3]}\u00a0{code[3:]}\u202c".translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert show_code(next_step(LATER).ticket, pasted, now=LATER)
    typed = f" {done.recovery_codes[0].upper().replace('-', ' ')}\u2060"
    assert show_code(next_step(LATER).ticket, typed, now=LATER)


def test_a_recovery_code_signs_in_once() -> None:
    _, done = set_up()
    assert len(done.recovery_codes) == 10
    code = done.recovery_codes[3]
    hers = entered(show_code(next_step(LATER).ticket, code, now=LATER), LATER)
    assert device_changes.status(hers).codes_left == 9
    with pytest.raises(WrongSecondFactor):
        show_code(next_step(LATER).ticket, code, now=LATER)
    assert lines("operator.signed_in")[-1] == {"second_factor": "recovery_code"}


def test_recovery_codes_are_one_operators() -> None:
    _, hers = set_up()
    operators.create_admin("wu", PASSWORD, "吴", now=NOON)
    wu = sign_in_operator("wu", PASSWORD, NOON)
    offer = sign_in_steps.offer_device(wu.ticket, now=NOON)
    sign_in_steps.set_up_device(wu.ticket, offer.sealed, code_of(offer.secret, NOON), now=NOON)
    with pytest.raises(WrongSecondFactor):
        show_code(sign_in_operator("wu", PASSWORD, LATER).ticket, hers.recovery_codes[0], now=LATER)


def test_wrong_codes_are_audited_and_those_of_other_addresses_keep_no_new_device_of_hers_out() -> None:
    secret, _ = set_up()
    ticket = next_step(LATER).ticket
    for number in range(25):
        with pytest.raises(WrongSecondFactor):
            show_code(ticket, "000000", now=LATER, caller=Caller(f"192.0.2.{number}"))
    assert show_code(ticket, code_of(secret, LATER), now=LATER, caller=Caller("192.0.2.99"))
    assert lines("operator.second_factor_wrong") == [{"tries": 1}, {"tries": 24}]


def test_an_address_tries_five_codes_and_two_an_hour_and_a_right_one_gives_all_tries_back() -> None:
    secret, _ = set_up()
    ticket, caller = next_step(LATER).ticket, Caller("192.0.2.1")
    for _ in range(4):
        with pytest.raises(WrongSecondFactor):
            show_code(ticket, "000000", now=LATER, caller=caller)
    assert show_code(ticket, code_of(secret, LATER), now=LATER, caller=caller)
    for _ in range(5):
        with pytest.raises(WrongSecondFactor):
            show_code(ticket, "000000", now=LATER, caller=caller)
    with pytest.raises(TooMany) as refused:
        show_code(ticket, "000000", now=LATER, caller=caller)
    assert refused.value.facts["retry_after"] == 1800


def test_when_wrong_codes_at_one_account_rise_there_is_an_alarm_that_names_it(
    lin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(second_factor.log, "warning", lambda event, **facts: said.append((event, facts)))
    set_up()
    ticket = next_step(LATER).ticket
    for number in range(second_factor.WRONG_AT_ACCOUNT.capacity + 1):
        assert said == []
        with pytest.raises(WrongSecondFactor):
            show_code(ticket, "000000", now=LATER, caller=Caller(f"192.0.2.{number}"))
    assert said == [("guessing.rises", {"what": "second_factor", "operator": lin, "an_hour": 20})]


def test_a_device_that_was_signed_in_before_has_its_own_tries() -> None:
    secret, done = set_up()
    known_by = done.then.device
    ticket = next_step(LATER, known_by=known_by).ticket
    for number in range(20):
        with pytest.raises(WrongSecondFactor):
            show_code(ticket, "000000", now=LATER, caller=Caller(f"192.0.2.{number}"))
    assert show_code(ticket, code_of(secret, LATER), now=LATER, known_by=known_by)
    for _ in range(10):
        with pytest.raises(WrongSecondFactor):
            show_code(ticket, "000000", now=LATER, known_by=known_by)
    with pytest.raises(TooMany):
        show_code(ticket, "000000", now=LATER, known_by=known_by)


def test_a_ticket_is_no_session_and_lasts_ten_minutes() -> None:
    secret, _ = set_up()
    ticket = next_step(LATER).ticket
    with pytest.raises(Unauthenticated):
        authenticate(ticket, now=LATER)
    late = LATER + timedelta(minutes=10, seconds=1)
    with pytest.raises(Unauthenticated):
        show_code(ticket, code_of(secret, late), now=late)


@pytest.mark.parametrize(
    "change",
    [
        lambda: account_changes.set_password("lin", "another river, another boat", now=LATER),
        lambda: account_changes.end_service("lin", now=LATER),
        lambda: device_changes.reset_by_command("lin", now=LATER),
    ],
)
def test_a_ticket_ends_with_password_service_and_device(change: Callable[[], object]) -> None:
    secret, _ = set_up()
    ticket = next_step(LATER).ticket
    change()
    with pytest.raises(Unauthenticated):
        show_code(ticket, code_of(secret, LATER), now=LATER)


def test_a_ticket_for_the_code_sets_up_no_device() -> None:
    set_up()
    with pytest.raises(Unauthenticated):
        sign_in_steps.offer_device(next_step(LATER).ticket, now=LATER)


def test_a_ticket_that_set_up_a_device_sets_up_no_second_one() -> None:
    ticket = next_step().ticket
    first, second = (sign_in_steps.offer_device(ticket, now=NOON) for _ in range(2))
    sign_in_steps.set_up_device(ticket, first.sealed, code_of(first.secret, NOON), now=NOON)
    with pytest.raises(Unauthenticated):
        sign_in_steps.set_up_device(ticket, second.sealed, code_of(second.secret, NOON), now=NOON)


@pytest.mark.parametrize("bend", [str.upper, lambda it: it[:-1], lambda it: it.replace("..", ".device."), lambda _: ""])
def test_a_forged_ticket_is_none(bend: Callable[[str], str]) -> None:
    with pytest.raises(Unauthenticated):
        sign_in_steps.awaited(bend(next_step().ticket), now=NOON)


def test_a_ticket_that_promises_to_last_longer_is_forged() -> None:
    public_id, means, until, proof = next_step().ticket.split(".")
    with pytest.raises(Unauthenticated):
        sign_in_steps.awaited(f"{public_id}.{means}.{int(until) + 1}.{proof}", now=NOON)


def test_a_password_for_once_is_replaced_before_anything_else() -> None:
    operators.create_operator("mei", PASSWORD, "梅", "agent", now=NOON, password_once=True)
    first = sign_in_operator("mei", PASSWORD, NOON)
    assert isinstance(first, NextStep) and first.step == "password"
    for bad in (PASSWORD, "short", "password1234"):
        with pytest.raises(Exception) as refused:
            account_changes.choose_password(first.ticket, bad, now=NOON)
        assert getattr(refused.value, "at", "") == "new"
    second = account_changes.choose_password(first.ticket, "another river, another boat", now=NOON)
    assert isinstance(second, NextStep) and second.step == "device"
    with pytest.raises(Unauthenticated):
        account_changes.choose_password(first.ticket, "a third river, a third boat", now=NOON)
    with pytest.raises(operators.WrongPassword):
        sign_in_operator("mei", PASSWORD, NOON)
    assert len(lines("operator.password_chosen")) == 1
