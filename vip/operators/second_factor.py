"""An operator's second factor: the codes of an app on her device (TOTP, RFC 6238), and recovery codes for who lost it.

A code of the device counts for its step of 30 s and the steps beside it, and no step counts twice.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import pyotp
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from marketplace.core import crypto
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from marketplace.core.text import without_invisible
from vip.models import Operator, RecoveryCode
from vip.operators.wrong_tries import Kind
from vip.signin import codes, limits
from vip.signin.limits import Caller, Limit

log = get_logger(__name__)

ISSUER = "Anxiang"
STEP_SECONDS = 30
BESIDE = (0, -1, 1)
"""Steps whose code is right, counted from now: a clock may be wrong by one."""
OFFERED_FOR = timedelta(minutes=15)
RECOVERY_CODES = 10

TRIES_BY_CALLER = Limit(60, 60)
TRIES_BY_DEVICE = Limit(10, 10)
"""Codes that a device tries that was signed in to this account before."""
TRIES_BY_ADDRESS = Limit(5, 2)
"""Codes that an address tries at an account it wasn't signed in to. Who gets that far knows the password already, so
tries come back slower than there."""
WRONG_AT_ACCOUNT = Limit(20, 20)
"""Wrong codes at an account, whoever's, that are no cause for alarm. It refuses nothing."""

ACCEPT_STEP = """
UPDATE operator SET totp_step = :step WHERE id = :operator AND totp_step < :step RETURNING id
"""
SPEND_CODE = """
UPDATE recovery_code SET ended_at = :now WHERE operator_id = :operator AND code_hash = :hash AND ended_at IS NULL
RETURNING id
"""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_LONGEST = 100
_RECOVERY = re.compile(f"[{_ALPHABET}]{{16}}")

Means = Literal["device", "recovery_code"]


class WrongSecondFactor(Refusal):
    """The code is none of the device's that counts now, was used before, or is no recovery code."""

    code = "wrong_second_factor"
    status = 422
    field = "code"


class OfferEnded(Refusal):
    """The new device's secret was shown too long ago, or not to this operator."""

    code = "offer_ended"
    status = 422
    field = "code"


@dataclass(frozen=True)
class Offer:
    """A secret for a new device, to be shown once: `uri` is what the device reads (as a QR code), `sealed` is what the
    form sends back."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    sealed: str = field(repr=False)


def offer(operator: Operator, now: datetime) -> Offer:
    """A new secret. Nothing is stored until the device has shown a code of it."""
    return _offer(operator, pyotp.random_base32(), now)


def offered(operator: Operator, sealed: str, now: datetime) -> Offer:
    """The secret that was offered to this operator. Raises OfferEnded."""
    try:
        shown = base64.urlsafe_b64decode(sealed.encode())
        opened = crypto.unseal_master(shown, f"operator:{operator.public_id}:offer", stored=False)
    except (crypto.Unreadable, binascii.Error, ValueError) as bad:
        raise OfferEnded() from bad
    since, _, secret = opened.partition(".")
    if now.timestamp() - int(since) > OFFERED_FOR.total_seconds():
        raise OfferEnded()
    return Offer(secret, _uri(operator, secret), sealed)


def count_try(session: Session, operator_id: str, device: str, caller: Caller, *, now: datetime) -> None:
    """Count a try of the operator with this public id; `device` names one that she was signed in on, else it is blank.
    Raises TooMany(retry_after)."""
    who = device or caller.name
    limits.take(session, TRIES_BY_DEVICE if device else TRIES_BY_ADDRESS, *_bucket(operator_id, who), now=now)
    limits.take(session, TRIES_BY_CALLER, "second_factor", who, now=now)


def proved(session: Session, operator_id: str, device: str, caller: Caller) -> None:
    """Whoever showed a right code has all tries at this account again."""
    limits.fill(session, *_bucket(operator_id, device or caller.name))


def notice_wrong(operator_id: str, now: datetime) -> None:
    """Note a wrong code at an operator's account. When those of everybody rise there, or at all accounts together, an
    alarm goes to the log."""
    codes.notice_wrong("second_factor", now)
    if codes.rises(WRONG_AT_ACCOUNT, "second_factor", operator_id, now=now):
        log.warning("guessing.rises", what="second_factor", operator=operator_id, an_hour=WRONG_AT_ACCOUNT.per_hour)


def _bucket(operator_id: str, who: str) -> tuple[str, str, str]:
    return "second_factor", operator_id, who


def prove(session: Session, operator: Operator, code: str, now: datetime) -> Means:
    """Spend a code of the device, or a recovery code, in the caller's transaction. Raises WrongSecondFactor."""
    if operator.totp_sealed is None:
        raise WrongSecondFactor()
    secret = crypto.unseal_master(operator.totp_sealed, totp_record(operator.public_id))
    for step in steps_of(secret, code, now):
        if session.execute(text(ACCEPT_STEP), {"operator": operator.id, "step": step}).one_or_none() is not None:
            return "device"
    plain = _plain(code)
    if _RECOVERY.fullmatch(plain):
        spent = {"operator": operator.id, "hash": _recovery_hash(operator, plain), "now": now}
        if session.execute(text(SPEND_CODE), spent).one_or_none() is not None:
            return "recovery_code"
    raise WrongSecondFactor()


def kind_of(code: str) -> Kind:
    """What a wrong code was meant as: the device's are digits alone."""
    return "second_factor" if _plain(code).isdecimal() else "recovery_code"


def set_device(session: Session, operator: Operator, given: Offer, code: str, now: datetime) -> tuple[str, ...]:
    """Make the offered secret the operator's second factor if the device shows a code of it; returns new recovery
    codes, in the caller's transaction, which has locked the operator. Raises WrongSecondFactor."""
    steps = steps_of(given.secret, code, now)
    if not steps:
        raise WrongSecondFactor()
    operator.totp_sealed = crypto.seal_master(given.secret, totp_record(operator.public_id))
    operator.totp_since, operator.totp_step = now, steps[0]
    return new_recovery_codes(session, operator, now)


def remove(session: Session, operator: Operator, now: datetime) -> None:
    """Take the second factor away, with its recovery codes, in the caller's transaction."""
    operator.totp_sealed = operator.totp_since = None
    _end_recovery_codes(session, operator, now)


def new_recovery_codes(session: Session, operator: Operator, now: datetime) -> tuple[str, ...]:
    """New recovery codes, to be shown once; the earlier ones end."""
    _end_recovery_codes(session, operator, now)
    made = tuple("".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES))
    session.add_all(
        RecoveryCode(operator_id=operator.id, code_hash=_recovery_hash(operator, code), created_at=now) for code in made
    )
    return tuple("-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in made)


def recovery_codes_left(session: Session, operator: Operator) -> int:
    """How many recovery codes are good."""
    wanted = select(func.count()).where(RecoveryCode.operator_id == operator.id, RecoveryCode.ended_at.is_(None))
    return session.scalar(wanted) or 0


def steps_of(secret: str, code: str, now: datetime) -> list[int]:
    """The steps about now of which this is the code."""
    given, totp = _plain(code), pyotp.TOTP(secret, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    near = [present + beside for beside in BESIDE]
    return [step for step in near if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode())]


def _offer(operator: Operator, secret: str, now: datetime) -> Offer:
    sealed = crypto.seal_master(f"{int(now.timestamp())}.{secret}", f"operator:{operator.public_id}:offer")
    return Offer(secret, _uri(operator, secret), base64.urlsafe_b64encode(sealed).decode())


def _uri(operator: Operator, secret: str) -> str:
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=operator.login, issuer_name=ISSUER)


def totp_record(operator_public_id: str) -> str:
    """The record that the secret of an operator's device is sealed for."""
    return f"operator:{operator_public_id}:totp"


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", without_invisible(code[:_LONGEST])).lower()


def _recovery_hash(operator: Operator, plain: str) -> bytes:
    """What is stored of a recovery code: of its 79 random bits no list can be made, so a plain hash is enough."""
    return crypto.token_hash(f"{operator.public_id}:{plain}")


def _end_recovery_codes(session: Session, operator: Operator, now: datetime) -> None:
    good = update(RecoveryCode).where(RecoveryCode.operator_id == operator.id, RecoveryCode.ended_at.is_(None))
    session.execute(good.values(ended_at=now))
