"""Changing a phone number with both numbers proved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, Refusal, TooMany, Unauthenticated
from tests.people import NOON, OTHER_PHONE, PHONE, SmsBox, make_customer, signed_in
from vip.customers.change_phone import confirm_phone_change, start_phone_change
from vip.customers.customers import profile
from vip.phones import PhoneTaken
from vip.principal import Principal
from vip.signin import authentication, codes, signin

pytestmark = pytest.mark.usefixtures("db")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def started(phone: str = OTHER_PHONE) -> tuple[Principal, SmsBox]:
    principal, box = signed_in(), SmsBox()
    start_phone_change(principal, phone, now=NOON, gateway=box)
    return principal, box


def refusal(principal: Principal, old: str, new: str, phone: str = OTHER_PHONE) -> Refusal:
    with pytest.raises(Refusal) as refused:
        confirm_phone_change(principal, phone, old_code=old, new_code=new, now=NOON)
    return refused.value


def test_with_both_codes_the_customer_signs_in_with_the_new_number_only() -> None:
    customer = make_customer()
    principal, box = started()
    confirm_phone_change(
        principal, OTHER_PHONE, old_code=box.code_for(PHONE), new_code=box.code_for(OTHER_PHONE), now=NOON
    )
    assert profile(customer.id).phone_masked == "138****0012"
    signin.send_code(PHONE, now=NOON, gateway=box)
    assert [to for to, _ in box.texts] == ["+8613800000011", "+8613800000012"]
    signin.send_code(OTHER_PHONE, now=NOON, gateway=box)
    again = signin.sign_in(OTHER_PHONE, box.code_for(OTHER_PHONE), channel="web", now=NOON)
    assert again.customer_public_id == customer.public_id


def test_other_sessions_end_this_one_stays_and_the_audit_knows_no_number() -> None:
    make_customer()
    elsewhere = signin.issue_token(PHONE, NOON).token
    principal, box = started()
    confirm_phone_change(
        principal, OTHER_PHONE, old_code=box.code_for(PHONE), new_code=box.code_for(OTHER_PHONE), now=NOON
    )
    with pytest.raises(Unauthenticated):
        authentication.authenticate(elsewhere, now=NOON)
    assert [one.current for one in signin.sessions(principal, NOON)] == [True]
    with reading() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.action == "customer.phone_changed")).one()
    assert (line.actor, line.facts) == (principal.public_id, {"sessions_ended": 1})


@pytest.mark.parametrize("field", ["old_code", "new_code"])
def test_one_wrong_code_changes_nothing(field: str) -> None:
    customer = make_customer()
    principal, box = started()
    old, new = box.code_for(PHONE), box.code_for(OTHER_PHONE)
    refused = refusal(principal, *((wrong(old), new) if field == "old_code" else (old, wrong(new))))
    assert (type(refused), refused.at) == (codes.WrongCode, field)
    assert profile(customer.id).phone_masked == "138****0011"


def test_a_taken_number_is_told_only_to_who_proved_both() -> None:
    customer = make_customer()
    make_customer(OTHER_PHONE)
    principal, box = started()
    old, new = box.code_for(PHONE), box.code_for(OTHER_PHONE)
    assert isinstance(refusal(principal, old, wrong(new)), codes.WrongCode)
    assert isinstance(refusal(principal, old, new), PhoneTaken)
    assert profile(customer.id).phone_masked == "138****0011"


def test_the_answer_to_asking_for_a_taken_number_is_the_answer_for_a_free_one() -> None:
    make_customer()
    make_customer(OTHER_PHONE)
    principal, box = signed_in(), SmsBox()
    taken = start_phone_change(principal, OTHER_PHONE, now=NOON, gateway=box)
    assert taken == start_phone_change(principal, "13800000013", now=NOON, gateway=box)


def test_codes_of_a_change_do_not_sign_in_and_sign_in_codes_do_not_change() -> None:
    make_customer()
    principal, box = started()
    with pytest.raises(codes.CodeEnded):
        signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=NOON)
    new = box.code_for(OTHER_PHONE)
    signin.send_code(PHONE, now=NOON, gateway=box)
    assert isinstance(refusal(principal, box.code_for(PHONE), new), codes.WrongCode)


def test_another_customer_cannot_use_the_codes() -> None:
    make_customer()
    make_customer("13800000019")
    _, box = started()
    thief = signed_in("13800000019")
    assert isinstance(refusal(thief, box.code_for(PHONE), box.code_for(OTHER_PHONE)), codes.CodeEnded)


def test_after_five_wrong_tries_the_right_code_waits() -> None:
    make_customer()
    principal, box = started()
    old, new = box.code_for(PHONE), box.code_for(OTHER_PHONE)
    for _ in range(5):
        assert isinstance(refusal(principal, wrong(old), new), codes.WrongCode)
    assert isinstance(refusal(principal, old, new), TooMany)


def test_the_same_number_no_number_and_an_operator_are_refused() -> None:
    customer = make_customer()
    principal = signed_in()
    for phone, reason in (("+86 138-0000-0011", "same_phone"), ("12", "phone")):
        with pytest.raises(Invalid) as refused:
            start_phone_change(principal, phone, now=NOON, gateway=SmsBox())
        assert (refused.value.at, refused.value.facts["reason"]) == ("phone", reason)
    operator = Principal("operator", customer.id, "opr_x", customer.insurer_id, 1, "Asia/Shanghai", "admin")
    with pytest.raises(Unauthenticated):
        start_phone_change(operator, OTHER_PHONE, now=NOON, gateway=SmsBox())


def test_a_customer_asks_for_five_changes_and_can_sign_in_all_the_same() -> None:
    make_customer()
    principal, box = signed_in(), SmsBox()
    for last in "23456":
        start_phone_change(principal, f"1380000001{last}", now=NOON + timedelta(minutes=1), gateway=box)
    with pytest.raises(TooMany):
        start_phone_change(principal, "13800000017", now=NOON + timedelta(minutes=2), gateway=box)
    signin.send_code(PHONE, now=NOON + timedelta(minutes=2), gateway=box)
    assert [to for to, _ in box.texts].count("+8613800000011") == 2  # one for all five changes, and that to sign in
