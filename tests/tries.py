"""Every purpose for which somebody tries a code or a password: one line each, for the tests of limits and turns.

`ATTACKERS` are other addresses; where limits go by who is signed in they are other customers, or other sessions of the
same operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import pyotp
from sqlalchemy import select, text

from booking.messages import settings as message_settings
from booking.reports import share
from booking.reports.share import NewShare, WrongAccessCode
from marketplace.core.database.db import transaction
from marketplace.core.errors import Refusal
from providers.staff import members
from tests.people import NOON, PHONE, SmsBox, make_customer, make_insurer, signed_in
from tests.reports import LATER, deliver
from tests.world import make_offer, make_world
from vip import phones
from vip.customers import change_phone, consent
from vip.customers.consent import record_consent
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary
from vip.operators import account_changes, device_changes, operators, sign_in_steps
from vip.operators.operators import WrongPassword
from vip.operators.second_factor import WrongSecondFactor
from vip.operators.sign_in_steps import NextStep, OperatorSignedIn
from vip.principal import Employer, Member, Principal, Somebody
from vip.signin import authentication, signin, turns
from vip.signin.codes import CodeEnded, WrongCode
from vip.signin.limits import Caller
from vip.signin.turns import Queues

OWNER = "owner"
ATTACKERS = ("attacker 1", "attacker 2", "attacker 3")
NEW_PHONE = "13900000077"
EMAIL = "shen@example.com"
PASSWORD, NEW_PASSWORD = "a long enough secret", "another river, another boat"
CALLERS = {OWNER: Caller("198.51.100.7")} | {who: Caller(f"203.0.113.{number}") for number, who in enumerate(ATTACKERS)}


@dataclass(frozen=True)
class Tries:
    """An account that is there: `wrong` and `right` are tries of somebody's at some time."""

    wrong: Callable[[str, datetime], object]
    right: Callable[[str, datetime], object]
    refused: tuple[type[Refusal], ...]
    queue: Queues
    since: datetime = NOON


class MailBox:
    """The newest mail's code."""

    def __init__(self, box: SmsBox | None = None) -> None:
        self._box = box or SmsBox()

    def send(self, address: str, subject: str, body: str, *, key: str = "") -> None:
        self._box.texts.append((phones.normalise(PHONE), body))

    def code(self) -> str:
        return self._box.code_for(PHONE)


def other(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


def customers(*, now: datetime = NOON) -> Mapping[str, Principal]:
    """The owner and the attackers, each a customer who is signed in."""
    known = {who: f"1380000010{number}" for number, who in enumerate((OWNER, *ATTACKERS))}
    for phone in known.values():
        make_customer(phone)
    return {who: signed_in(phone, now) for who, phone in known.items()}


def sign_in() -> Tries:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box, caller=CALLERS[OWNER])
    code = box.code_for(PHONE)

    def trying(typed: str) -> Callable[[str, datetime], object]:
        return lambda who, now: signin.sign_in(PHONE, typed, channel="web", now=now, caller=CALLERS[who])

    return Tries(trying(other(code)), trying(code), (WrongCode, CodeEnded), turns.trying)


def consent_page() -> Tries:
    """A relative takes back what she agreed to, by her phone alone."""
    make_customer()
    member = add_member(signed_in(), NewMember("mother", "沈阿宝", "female", date(1955, 5, 1)), NOON)
    with transaction() as session:
        person = session.scalars(select(Beneficiary).where(Beneficiary.public_id == member.public_id)).one()
        record_consent(session, [person], "phone_code", now=NOON, phone=phones.normalise(NEW_PHONE))
    box = SmsBox()
    consent.ask_withdrawal(NEW_PHONE, now=NOON, gateway=box, caller=CALLERS[OWNER])
    code = box.code_for(NEW_PHONE)

    def trying(typed: str) -> Callable[[str, datetime], object]:
        return lambda who, now: consent.withdraw_by_phone(NEW_PHONE, typed, now=now, caller=CALLERS[who])

    return Tries(trying(other(code)), trying(code), (WrongCode, CodeEnded), turns.trying)


def consent_of_a_relative() -> Tries:
    """Each attacker says that the same phone is her own relative's."""
    people, box = customers(), SmsBox()
    relatives = {
        who: add_member(one, NewMember("mother", "沈阿宝", "female", date(1955, 5, 1)), NOON).public_id
        for who, one in people.items()
    }
    for who, one in people.items():
        if who != OWNER:
            consent.ask_consent(one, relatives[who], NEW_PHONE, now=NOON, gateway=SmsBox())
    consent.ask_consent(people[OWNER], relatives[OWNER], NEW_PHONE, now=NOON, gateway=box)
    code = box.code_for(NEW_PHONE)

    def trying(typed: str) -> Callable[[str, datetime], object]:
        return lambda who, now: consent.give_consent(people[who], relatives[who], NEW_PHONE, typed, now=now)

    return Tries(trying(other(code)), trying(code), (WrongCode, CodeEnded), turns.trying)


def phone_change() -> Tries:
    """Each attacker wants the number that the owner moves to."""
    people, box = customers(), SmsBox()
    for who, one in people.items():
        gateway = box if who == OWNER else SmsBox()
        change_phone.start_phone_change(one, NEW_PHONE, now=NOON, gateway=gateway)
    old, new = box.code_for("13800000100"), box.code_for(NEW_PHONE)

    def trying(old_code: str, new_code: str) -> Callable[[str, datetime], object]:
        return lambda who, now: change_phone.confirm_phone_change(
            people[who], NEW_PHONE, old_code=old_code, new_code=new_code, now=now
        )

    return Tries(trying(other(old), other(new)), trying(old, new), (WrongCode, CodeEnded), turns.trying)


def email() -> Tries:
    """Each attacker says that the owner's address is her own."""
    people, box = customers(), MailBox()
    for who in (*ATTACKERS, OWNER):
        message_settings.give_email(people[who], EMAIL, now=NOON, gateway=box)
    code = box.code()

    def trying(typed: str) -> Callable[[str, datetime], object]:
        return lambda who, now: message_settings.confirm_email(people[who], typed, now=now)

    return Tries(trying(other(code)), trying(code), (WrongCode, CodeEnded), turns.trying)


def shared_report() -> Tries:
    world = make_world(quantity=4)
    made = share.share_report(
        world.principal, deliver(world, world.submit()), NewShare(audience="doctor", days=7, with_code=True), now=LATER
    )
    code = made.access_code or ""

    def trying(typed: str) -> Callable[[str, datetime], object]:
        return lambda who, now: share.open_share(made.token, typed, now=now, caller=CALLERS[who])

    return Tries(trying(other(code)), trying(code), (WrongAccessCode,), turns.trying, LATER)


def password() -> Tries:
    lin()
    return _password("lin", "insurer")


def password_of_a_member() -> Tries:
    fang()
    return _password("fang", "provider")


def _password(login: str, employer: Employer) -> Tries:
    def trying(typed: str) -> Callable[[str, datetime], object]:
        return lambda who, now: operators.sign_in_operator(login, typed, now, caller=CALLERS[who], employer=employer)

    return Tries(trying("not her password"), trying(PASSWORD), (WrongPassword,), turns.hashing)


def second_factor_by_app() -> Tries:
    secret, _ = device()
    return _second_factor(lambda now: pyotp.TOTP(secret).at(now), lambda _: "000000")


def second_factor_by_recovery_code() -> Tries:
    _, codes_left = device()
    return _second_factor(lambda _: codes_left[0], lambda _: "aaaa-aaaa-aaaa-aaaa")


def second_factor_of_a_member() -> Tries:
    fang()
    secret = first_device(of_fang(OWNER)[OWNER])
    return _second_factor(lambda now: pyotp.TOTP(secret).at(now), lambda _: "000000", "fang", "provider")


def change_of_password() -> Tries:
    """The attackers are other sessions of hers, which were stolen."""
    return _change_of_password(of_lin())


def change_of_password_of_a_member() -> Tries:
    fang()
    return _change_of_password(of_fang(OWNER, *ATTACKERS))


def _change_of_password(sessions: Mapping[str, Somebody]) -> Tries:
    def trying(present: str) -> Callable[[str, datetime], object]:
        return lambda who, now: account_changes.change_password(sessions[who], present, NEW_PASSWORD, now=now)

    return Tries(trying("not her password"), trying(PASSWORD), (WrongPassword,), turns.hashing)


def step_up() -> Tries:
    """What takes the present second factor of who is signed in: new recovery codes; another device likewise."""
    sessions = of_lin()
    secret = first_device(sessions[OWNER])

    def right(who: str, now: datetime) -> object:
        return device_changes.renew_recovery_codes(sessions[who], pyotp.TOTP(secret).at(now), now=now)

    def wrong(who: str, now: datetime) -> object:
        return device_changes.renew_recovery_codes(sessions[who], "000000", now=now)

    return Tries(wrong, right, (WrongSecondFactor,), turns.trying, LATER)


def another_device() -> Tries:
    sessions = of_lin()
    secret = first_device(sessions[OWNER])

    def trying(who: str, present: str, now: datetime) -> object:
        offer = device_changes.offer(sessions[who], now=now)
        return device_changes.change_device(
            sessions[who], present, offer.sealed, pyotp.TOTP(offer.secret).at(now), now=now
        )

    return Tries(
        lambda who, now: trying(who, "000000", now),
        lambda who, now: trying(who, pyotp.TOTP(secret).at(now), now),
        (WrongSecondFactor,),
        turns.trying,
        LATER,
    )


PURPOSES: tuple[Callable[[], Tries], ...] = (
    sign_in,
    consent_page,
    consent_of_a_relative,
    phone_change,
    email,
    shared_report,
    password,
    second_factor_by_app,
    second_factor_by_recovery_code,
    change_of_password,
    password_of_a_member,
    second_factor_of_a_member,
    change_of_password_of_a_member,
    step_up,
    another_device,
)


def lin() -> str:
    """An administrator; her public id."""
    make_insurer()
    return operators.create_admin("lin", PASSWORD, "林主管", now=NOON)


def fang() -> str:
    """A manager of a provider; her public id."""
    provider, _offer, _slots = make_offer()
    return members.add_member(provider.code, "fang", PASSWORD, "方敏", "manager", now=NOON)


def of_fang(*whose: str) -> Mapping[str, Member]:
    """Sessions of hers, one for each."""
    found = {who: operators.sign_in_operator("fang", PASSWORD, NOON, employer="provider") for who in whose}
    return {who: authentication.authenticate_member(it.token, now=NOON) for who, it in found.items()}  # type: ignore[union-attr]


def of_lin() -> Mapping[str, Principal]:
    """Sessions of hers, one for each."""
    lin()
    return {who: _entered(operators.sign_in_operator("lin", PASSWORD, NOON)) for who in (OWNER, *ATTACKERS)}


def first_device(principal: Somebody) -> str:
    """She sets a second factor up; its secret. Her other sessions go on, for a test."""
    offer = device_changes.offer(principal, now=NOON)
    device_changes.change_device(principal, "", offer.sealed, pyotp.TOTP(offer.secret).at(NOON), now=NOON)
    with transaction() as session:
        session.execute(text("UPDATE sign_in_session SET ended_at = NULL"))
    return offer.secret


def device() -> tuple[str, tuple[str, ...]]:
    """The secret of lin's device, and her recovery codes."""
    lin()
    principal = _entered(operators.sign_in_operator("lin", PASSWORD, NOON))
    offer = device_changes.offer(principal, now=NOON)
    made = device_changes.change_device(principal, "", offer.sealed, pyotp.TOTP(offer.secret).at(NOON), now=NOON)
    return offer.secret, made


def _second_factor(
    right: Callable[[datetime], str],
    wrong: Callable[[datetime], str],
    login: str = "lin",
    employer: Employer = "insurer",
) -> Tries:
    """Who tries knows the password, and shows it once for each moment."""

    @cache
    def ticket(who: str, now: datetime) -> str:
        found = operators.sign_in_operator(login, PASSWORD, now, caller=CALLERS[who], employer=employer)
        assert isinstance(found, NextStep)
        return found.ticket

    def trying(who: str, code: str, now: datetime) -> object:
        return sign_in_steps.show_code(ticket(who, now), code, now=now, caller=CALLERS[who], employer=employer)

    return Tries(
        lambda who, now: trying(who, wrong(now), now),
        lambda who, now: trying(who, right(now), now),
        (WrongSecondFactor,),
        turns.trying,
        LATER,
    )


def _entered(found: Any) -> Principal:
    assert isinstance(found, OperatorSignedIn)
    return authentication.authenticate(found.token, now=NOON)
