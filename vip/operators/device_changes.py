"""An operator's second factor once she is signed in, and its reset by an administrator or by command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.core.database.db import reading, transaction
from vip import accounts, risky
from vip.models import Operator
from vip.operators import operators, second_factor, wrong_tries
from vip.operators.second_factor import Offer, WrongSecondFactor
from vip.principal import Somebody
from vip.signin import limits, turns


@dataclass(frozen=True)
class DeviceStatus:
    """One's own second factor: since when (None without one), and how many recovery codes are good."""

    since: datetime | None
    codes_left: int


def status(principal: Somebody) -> DeviceStatus:
    """One's own second factor. Raises Unauthenticated."""
    with reading() as session:
        operator = operators.own(session, principal)
        return DeviceStatus(operator.totp_since, second_factor.recovery_codes_left(session, operator))


def offer(principal: Somebody, *, now: datetime) -> Offer:
    """A secret for a new device of one's own. Raises Unauthenticated."""
    with reading() as session:
        return second_factor.offer(operators.own(session, principal), now)


def offered(principal: Somebody, sealed: str, *, now: datetime) -> Offer:
    """The secret that was offered. Raises Unauthenticated, OfferEnded."""
    with reading() as session:
        return second_factor.offered(operators.own(session, principal), sealed, now)


def change_device(principal: Somebody, present: str, sealed: str, code: str, *, now: datetime) -> tuple[str, ...]:
    """Put the offered secret in place of the second factor, which `present` shows (anything while there is none), and
    end one's other sessions; returns new recovery codes. Audited.

    Raises SignInAgain for a first one, OfferEnded, WrongSecondFactor(field "present" or "code"), TooMany(retry_after),
    Crowded(retry_after).
    """
    if status(principal).since is None:
        risky.allow(principal, "set_first_device", now=now)
    with turns.trying.signed_in(principal):
        return _change(principal, present, sealed, code, now)


def _change(principal: Somebody, present: str, sealed: str, code: str, now: datetime) -> tuple[str, ...]:
    with transaction() as session:
        operator = operators.own(session, principal)
        if not second_factor.steps_of(second_factor.offered(operator, sealed, now).secret, code, now):
            raise WrongSecondFactor()
    _count(principal, now)
    try:
        with transaction() as session:
            operator = operators.own(session, principal, lock=True)
            if operator.totp_sealed is not None:
                second_factor.prove(session, operator, present, now)
            given = second_factor.offered(operator, sealed, now)
            codes = second_factor.set_device(session, operator, given, code, now)
            ended = accounts.end_sessions(session, operator, now, but=principal.session_id)
            accounts.record(session, "operator.second_factor_set", operator, principal, now, sessions_ended=ended)
    except WrongSecondFactor as wrong:
        wrong_tries.in_session(second_factor.kind_of(present), principal, now)
        second_factor.notice_wrong(principal.public_id, now)
        raise WrongSecondFactor(field="present") from wrong
    return codes


def renew_recovery_codes(principal: Somebody, present: str, *, now: datetime) -> tuple[str, ...]:
    """New recovery codes; the earlier ones end. Audited, a wrong one too. Raises WrongSecondFactor(field "present"),
    TooMany(retry_after), Crowded(retry_after)."""
    with turns.trying.signed_in(principal):
        return _renew(principal, present, now)


def _renew(principal: Somebody, present: str, now: datetime) -> tuple[str, ...]:
    _count(principal, now)
    try:
        with transaction() as session:
            operator = operators.own(session, principal, lock=True)
            second_factor.prove(session, operator, present, now)
            accounts.record(session, "operator.recovery_codes_made", operator, principal, now)
            return second_factor.new_recovery_codes(session, operator, now)
    except WrongSecondFactor as wrong:
        wrong_tries.in_session(second_factor.kind_of(present), principal, now)
        second_factor.notice_wrong(principal.public_id, now)
        raise WrongSecondFactor(field="present") from wrong


def reset_by_command(login: str, *, now: datetime) -> int:
    """Take the second factor of an operator or member away, for who runs the installation; her sessions end. Returns
    how many. Audited, once. Raises NotFound(field="login")."""
    with transaction() as session:
        return take_away(session, operators.named(session, login), None, now)


def take_away(session: Session, operator: Operator, by: Somebody | None, now: datetime) -> int:
    """Take the second factor away from an account that is locked, in the caller's transaction; returns how many
    sessions ended by it. Audited, once. `by` is None for a command."""
    if operator.totp_sealed is None:
        return 0
    second_factor.remove(session, operator, now)
    ended = accounts.end_sessions(session, operator, now)
    accounts.record(session, "operator.second_factor_reset", operator, by, now, sessions_ended=ended)
    return ended


def _count(principal: Somebody, now: datetime) -> None:
    """Count a try at one's present second factor, by the session that makes it. Raises TooMany(retry_after)."""
    with transaction() as session:
        key = f"session:{principal.session_id}"
        limits.take(session, second_factor.TRIES_BY_DEVICE, "second_factor", principal.public_id, key, now=now)
