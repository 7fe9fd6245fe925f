"""What stands between a right password and a session: the second factor, and a password of one's own. For operators of
the insurer and for members of providers, each at their own door: a ticket of one is none at the other."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.core import audit, crypto, ids
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.core.errors import Unauthenticated
from vip import accounts
from vip.models import Operator, SignInSession
from vip.operators import second_factor, wrong_tries
from vip.operators.second_factor import Means, Offer, WrongSecondFactor
from vip.operators.wrong_tries import Account
from vip.principal import Employer
from vip.signin import devices, turns
from vip.signin.limits import NOBODY, Caller
from vip.signin.mode import in_test_mode

LIFETIME = timedelta(hours=12)
TICKET_LASTS = timedelta(minutes=10)
_TICKET = re.compile(r"[0-9A-Za-z_-]{1,64}\.[a-z_]{0,20}\.[0-9]{1,12}\.[0-9a-f]{64}")

Step = Literal["code", "password", "device"]
"""`code`: show the second factor. `password`: choose one of one's own. `device`: set up a second factor."""


@dataclass(frozen=True)
class OperatorSignedIn:
    """A new session. `token` is shown once: only its hash is stored. `device` is what the device is known by later."""

    token: str = field(repr=False)
    expires_at: datetime
    operator_public_id: str
    device: str


@dataclass(frozen=True)
class NextStep:
    """There is no session yet. `ticket` says for ten minutes that the password (and the second factor, if there is one)
    was right; it opens nothing but the step."""

    step: Step
    ticket: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class DeviceSet:
    """A second factor was set up: the recovery codes, to be shown once, and what comes next."""

    recovery_codes: tuple[str, ...] = field(repr=False)
    then: OperatorSignedIn | NextStep


def advance(
    session: Session,
    operator: Operator,
    now: datetime,
    *,
    previous_token: str | None = None,
    means: Means | None = None,
) -> OperatorSignedIn | NextStep:
    """A session for an operator whose password was right, or the step that is still missing; in the caller's
    transaction, which has locked her. `means`: how she has shown her second factor."""
    step = _missing(operator, means is not None)
    if step is not None:
        ends = now + TICKET_LASTS
        return NextStep(step, _ticket(operator, means, int(ends.timestamp())), ends)
    return _open_session(session, operator, now, previous_token, means)


def awaited(ticket: str, *, now: datetime, employer: Employer = "insurer") -> Step:
    """The step that this ticket is for. Raises Unauthenticated for one that is over, used or not ours."""
    with transaction() as session:
        operator, means = _holder(session, ticket, now, employer)
        return _step(operator, means)


def offer_device(ticket: str, *, now: datetime, employer: Employer = "insurer") -> Offer:
    """A secret for the device of who holds the ticket. Raises Unauthenticated."""
    with transaction() as session:
        return second_factor.offer(_holder(session, ticket, now, employer, "device")[0], now)


def offered_device(ticket: str, sealed: str, *, now: datetime, employer: Employer = "insurer") -> Offer:
    """The secret that was offered to who holds the ticket. Raises Unauthenticated, OfferEnded."""
    with transaction() as session:
        return second_factor.offered(_holder(session, ticket, now, employer, "device")[0], sealed, now)


def show_code(
    ticket: str,
    code: str,
    *,
    now: datetime,
    previous_token: str | None = None,
    known_by: str | None = None,
    caller: Caller = NOBODY,
    employer: Employer = "insurer",
) -> OperatorSignedIn | NextStep:
    """Go on with a code of the device, or a recovery code, which is spent by it. Audited, wrong ones too.

    A try is counted, and committed, before the code is compared: by the device if it was signed in to this account
    before, else by the caller's address. Nobody else's tries count. Raises Unauthenticated, WrongSecondFactor,
    TooMany(retry_after) and, without a turn, Crowded(retry_after).
    """
    with transaction() as session:
        operator, _ = _holder(session, ticket, now, employer, "code")
        device = device_of(session, operator.id, previous_token or known_by)
    queue = turns.trying.known if device else turns.trying.holders
    with queue.turn(device or caller.name):
        return _show(ticket, code, device, caller, previous_token, now, employer)


def _show(
    ticket: str,
    code: str,
    device: str,
    caller: Caller,
    previous_token: str | None,
    now: datetime,
    employer: Employer,
) -> OperatorSignedIn | NextStep:
    with transaction() as session:
        operator, _ = _holder(session, ticket, now, employer, "code")
        whose, account = operator.public_id, Account(operator.public_id, operator.insurer_id)
        second_factor.count_try(session, whose, device, caller, now=now)
    try:
        with transaction() as session:
            operator, _ = _holder(session, ticket, now, employer, "code")
            means = second_factor.prove(session, operator, code, now)
            second_factor.proved(session, whose, device, caller)
            return advance(session, operator, now, previous_token=previous_token, means=means)
    except WrongSecondFactor:
        wrong_tries.at_sign_in(second_factor.kind_of(code), account, now)
        second_factor.notice_wrong(whose, now)
        raise


def set_up_device(
    ticket: str,
    sealed: str,
    code: str,
    *,
    now: datetime,
    previous_token: str | None = None,
    employer: Employer = "insurer",
) -> DeviceSet:
    """Make the offered secret the second factor, shown by a code of the device, and go on. Audited.

    Raises Unauthenticated, OfferEnded, WrongSecondFactor, Crowded(retry_after).
    """
    with transaction() as session:
        whose = _holder(session, ticket, now, employer, "device")[0].public_id
    with turns.trying.holders.turn(f"operator:{whose}"), transaction() as session:
        operator, _ = _holder(session, ticket, now, employer, "device")
        given = second_factor.offered(operator, sealed, now)
        codes = second_factor.set_device(session, operator, given, code, now)
        _audit(session, "operator.second_factor_set", operator, now)
        return DeviceSet(codes, advance(session, operator, now, previous_token=previous_token, means="device"))


def holder(session: Session, ticket: str, now: datetime, employer: Employer) -> tuple[Operator, Means | None]:
    """Who chooses a password of her own with this ticket, locked, and her second factor. Raises Unauthenticated."""
    return _holder(session, ticket, now, employer, "password")


def device_of(session: Session, operator_id: int, shown: str | None) -> str:
    """What limits of a known device go by: a session that this operator once had there; blank if there is none."""
    if not shown:
        return ""
    known = session.scalar(select(SignInSession.id).where(devices.had(shown), SignInSession.operator_id == operator_id))
    return "" if known is None else f"device:{known}"


def _missing(operator: Operator, shown: bool) -> Step | None:
    if operator.totp_sealed is not None and not shown:
        return "code"
    if operator.password_once:
        return "password"
    if operator.totp_sealed is None and settings().second_factor_required:
        return "device"
    return None


def _step(operator: Operator, means: Means | None) -> Step:
    step = _missing(operator, means is not None)
    if step is None:
        raise Unauthenticated()
    return step


def _ticket(operator: Operator, means: Means | None, until: int) -> str:
    return f"{operator.public_id}.{means or ''}.{until}.{_proofs(operator, means, until)[0]}"


def _proofs(operator: Operator, means: Means | None, until: int) -> list[str]:
    """The proof under each live key, the current one's first. Another password and another device end every ticket."""
    about = (operator.public_id, means or "", str(until), operator.password_hash, str(operator.totp_since))
    return [one.hex() for one in crypto.blind_indexes("\0".join(about), "operator_step")]


def _holder(
    session: Session, ticket: str, now: datetime, employer: Employer, step: Step | None = None
) -> tuple[Operator, Means | None]:
    """Whose ticket it is, locked, and how she has shown her second factor. Raises Unauthenticated for a ticket that is
    not ours or over, not for `step`, or of somebody who signs in at another door."""
    if not _TICKET.fullmatch(ticket):
        raise Unauthenticated()
    public_id, means, until, proof = ticket.split(".")
    wanted = select(Operator).where(
        Operator.public_id == public_id, Operator.disabled_at.is_(None), accounts.employed_by(employer)
    )
    operator = session.scalar(wanted.with_for_update())
    shown: Means | None = "device" if means == "device" else "recovery_code" if means == "recovery_code" else None
    if operator is None or not any([hmac.compare_digest(proof, it) for it in _proofs(operator, shown, int(until))]):
        raise Unauthenticated()
    if now.timestamp() > int(until) or (step is not None and _step(operator, shown) != step):
        raise Unauthenticated()
    return operator, shown


def _open_session(
    session: Session, operator: Operator, now: datetime, previous_token: str | None, means: Means | None
) -> OperatorSignedIn:
    token, ends, session_id = ids.new_token(), now + LIFETIME, ids.new_id("ses")
    if previous_token:
        before = crypto.token_hash(previous_token)
        session.execute(
            text(
                "UPDATE sign_in_session SET ended_at = :now WHERE token_hash IN (:hash, :testing) AND ended_at IS NULL"
            ),
            {"now": now, "hash": before, "testing": in_test_mode(before)},
        )
    session.add(
        SignInSession(
            public_id=session_id,
            token_hash=crypto.token_hash(token),
            operator_id=operator.id,
            channel="web",
            created_at=now,
            expires_at=ends,
        )
    )
    wrong_tries.conclude(session, Account(operator.public_id, operator.insurer_id), now)
    _audit(session, "operator.signed_in", operator, now, second_factor=means or "none")
    return OperatorSignedIn(token, ends, operator.public_id, devices.mark(session_id))


def _audit(session: Session, action: str, who: Operator, now: datetime, **facts: str) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=accounts.acts_as(who),
        actor=who.public_id,
        subject=who.public_id,
        insurer_id=who.insurer_id,
        **facts,
    )
