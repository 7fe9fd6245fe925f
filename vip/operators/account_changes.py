"""What happens to an account later, an operator's or a member's: another password, the end of service, the return."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid
from vip import accounts
from vip.models import Operator
from vip.operators import operators, passwords, sign_in_steps, wrong_tries
from vip.operators.sign_in_steps import NextStep, OperatorSignedIn
from vip.principal import Employer, Somebody
from vip.signin import limits, turns
from vip.signin.codes import notice_wrong


def change_password(principal: Somebody, present: str, new: str, *, now: datetime) -> int:
    """Change one's own password and end one's other sessions; returns how many. Audited.

    A try at the present password is counted by the session that makes it. Raises WrongPassword(field present),
    Invalid(field new; reason password_length, password_common, password_same or password_text), TooMany(retry_after)
    and Crowded(retry_after).
    """
    with turns.hashing.signed_in(principal):
        stored, hashed = _proved_and_hashed(principal, present, new, now)
    with transaction() as session:
        operator = operators.own(session, principal, lock=True)
        if operator.password_hash != stored:
            raise operators.WrongPassword(field="present")
        operator.password_hash = hashed
        ended = accounts.end_sessions(session, operator, now, but=principal.session_id)
        accounts.record(session, "operator.password_changed", operator, principal, now, sessions_ended=ended)
    return ended


def _proved_and_hashed(principal: Somebody, present: str, new: str, now: datetime) -> tuple[str, str]:
    """The stored hash, which is that of `present`, and the new one."""
    with transaction() as session:
        limits.take(session, operators.TRIES_AT_LOGIN, "password", f"session:{principal.session_id}", now=now)
        operator = operators.own(session, principal)
        stored, about = operator.password_hash, (operator.login, operator.name)
    if not operators.is_password(stored, present):
        wrong_tries.in_session("password", principal, now)
        notice_wrong("password", now)
        raise operators.WrongPassword(field="present")
    if new == present:
        raise Invalid(field="new", reason="password_same")
    passwords.check(new, *about, field="new")
    return stored, operators.hash_password(new, field="new")


def choose_password(
    ticket: str, new: str, *, now: datetime, previous_token: str | None = None, employer: Employer = "insurer"
) -> OperatorSignedIn | NextStep:
    """Choose a password of one's own in place of the one that was good once, and go on signing in. Audited.

    Raises Unauthenticated for a ticket that is over, Invalid(field "new"), Crowded(retry_after).
    """
    with transaction() as session:
        operator, _ = sign_in_steps.holder(session, ticket, now, employer)
        stored, about = operator.password_hash, (operator.login, operator.name)
    with turns.hashing.known.turn(f"login:{about[0]}"):
        if operators.is_password(stored, new):
            raise Invalid(field="new", reason="password_same")
        passwords.check(new, *about, field="new")
        hashed = operators.hash_password(new, field="new")
    with transaction() as session:
        operator, means = sign_in_steps.holder(session, ticket, now, employer)
        operator.password_hash, operator.password_once = hashed, False
        ended = accounts.end_sessions(session, operator, now)
        accounts.record(session, "operator.password_chosen", operator, None, now, sessions_ended=ended)
        return sign_in_steps.advance(session, operator, now, previous_token=previous_token, means=means)


def set_password(login: str, new: str, *, now: datetime) -> int:
    """Give an operator a new password, for who runs the installation; all sessions end. Returns how many. Audited.

    Raises NotFound(field="login"), Invalid(field="password").
    """
    with transaction() as session:
        operator = operators.named(session, login)
        about = (operator.login, operator.name)
    passwords.check(new, *about)
    hashed = operators.hash_password(new)
    with transaction() as session:
        operator = operators.named(session, login)
        operator.password_hash = hashed
        ended = accounts.end_sessions(session, operator, now)
        accounts.record(session, "operator.password_set", operator, None, now, sessions_ended=ended)
    return ended


def end_service(login: str, *, now: datetime) -> int:
    """End an operator's service: all sessions end at once, and no sign-in works. Returns how many sessions. Audited,
    once. Raises NotFound(field="login")."""
    with transaction() as session:
        return accounts.end_service(session, operators.named(session, login), None, now)


def resume(session: Session, operator: Operator, by: Somebody | None, now: datetime) -> None:
    """Let an operator, who is locked, sign in again, in the caller's transaction; `by` is None for a command. What a
    member invited is ended before (providers.staff.administration)."""
    if operator.disabled_at is not None:
        operator.disabled_at = None
        accounts.record(session, "operator.service_resumed", operator, by, now)
