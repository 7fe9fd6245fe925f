"""Signing in and out: codes by SMS, and sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core import audit, crypto, ids
from marketplace.core.config import ConfigError, settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.sending import sms
from marketplace.core.sending.sms import SmsBackend
from marketplace.core.text import Text, language_of
from vip import phones
from vip.models import Customer, Operator, SignInSession
from vip.principal import Principal, Somebody
from vip.signin import codes, devices
from vip.signin.authentication import idle_limit
from vip.signin.codes import Asker, CodeSent
from vip.signin.limits import NOBODY, Caller

LIFETIME = timedelta(days=30)
LIFETIME_BROUGHT = timedelta(hours=12)
"""The same where her insurer's app brought her, which can bring her again."""
RECENT = timedelta(minutes=15)
"""For how long after signing in she may do what a phone left lying open should not do."""
Channel = Literal["api", "web"]


class DevelopmentOnly(Refusal):
    """A shortcut for developers was asked for elsewhere."""

    code = "development_only"
    status = 403


class SignInAgain(Refusal):
    """What was asked for needs a sign-in of the last minutes. Facts: `within`, minutes."""

    code = "sign_in_again"
    status = 403


@dataclass(frozen=True)
class SignedIn:
    """A new session. `token` is shown once: only its hash is stored. `device` is what the device is known by later."""

    token: str
    expires_at: datetime
    customer_public_id: str
    device: str


@dataclass(frozen=True)
class SessionView:
    """A session that has not ended, for the page that lists them. `brought`: her insurer's app opened it."""

    public_id: str
    channel: str
    created_at: datetime
    expires_at: datetime
    current: bool
    brought: bool = False


def send_code(
    phone: str,
    *,
    now: datetime,
    gateway: SmsBackend | None = None,
    caller: Caller = NOBODY,
    known_by: str | None = None,
) -> CodeSent:
    """Send a sign-in code to `phone`; a phone that no customer has gets none, with the same answer. None is sent either
    where one went out less than a minute ago. `known_by`: a device that was signed in to this account is known by
    its session's token or mark.

    Raises Invalid(field="phone"), TooMany(retry_after) for a caller who asks too often, and Crowded(retry_after) for
    one who gets no turn.
    """
    number = phones.normalise(phone)
    gateway = gateway or sms.backend()
    address, asker = _who(number, caller, known_by)
    with codes.turn_to_ask(address, asker), transaction() as session:
        codes.lock_phones(session, address)
        made = codes.new_code(session, address, now, asker)
        customer = _customer(session, address)
    if customer is not None and made.code is not None:
        gateway.send(number, code_text(made.code, customer.language))
    return made.sent


def code_text(code: str, language: str | None) -> str:
    """The text that carries a code, in the customer's language."""
    minutes = int(codes.LIFETIME.total_seconds() // 60)
    said = Text(
        f"【安享】验证码 {code}，{minutes} 分钟内有效。请勿告诉任何人。",
        f"[Anxiang] Your code is {code}. It is valid for {minutes} minutes. Tell it to nobody.",
    )
    return said.in_language(language_of(language))


def sign_in(
    phone: str,
    code: str,
    *,
    channel: Channel,
    now: datetime,
    previous_token: str | None = None,
    known_by: str | None = None,
    caller: Caller = NOBODY,
) -> SignedIn:
    """Sign in with the code that was sent. The session of `previous_token`, if one is presented, ends. A device
    is known by that token or by `known_by`, its mark of an earlier session.

    Raises Invalid, WrongCode(tries_left), CodeEnded, TooMany(retry_after) or, without a turn, Crowded(retry_after); a
    blocked customer's answer is that of a wrong code.
    """
    number, digits = phones.normalise(phone), codes.clean(code)
    address, asker = _who(number, caller, previous_token or known_by)
    with codes.turn_to_try(address, asker, now):
        return _sign_in(address, asker, digits, channel, now, previous_token)


def _sign_in(
    address: codes.Address, asker: Asker, digits: str, channel: Channel, now: datetime, previous_token: str | None
) -> SignedIn:
    with transaction() as session:
        counted = codes.count_try(session, address, now, asker)
    right = codes.compare(counted, address, digits, now=now)
    with transaction() as session:
        customer = _customer(session, address, lock=True)
        if customer is None:
            raise codes.WrongCode(tries_left=right.tries_left)
        codes.use(session, right, now)
        codes.proved(session, address, asker)
        end_previous(session, previous_token, now)
        signed_in = open_session(session, customer, channel, now)
        _audit(session, "customer.signed_in", customer, now, channel=channel)
    return signed_in


def open_session(
    session: Session, customer: Customer, channel: Channel, now: datetime, *, brought_by: int | None = None
) -> SignedIn:
    """Add a session of `customer` in the caller's transaction. `brought_by`: the program (internal id) of her insurer
    that says who she is; such a session is shorter, and never passes for a sign-in of the last minutes."""
    lifetime = LIFETIME if brought_by is None else LIFETIME_BROUGHT
    token, ends, session_id = ids.new_token(), now + lifetime, ids.new_id("ses")
    session.add(
        SignInSession(
            public_id=session_id,
            token_hash=crypto.token_hash(token),
            customer_id=customer.id,
            client_id=brought_by,
            channel=channel,
            created_at=now,
            expires_at=ends,
        )
    )
    return SignedIn(token, ends, customer.public_id, devices.mark(session_id))


def end_previous(session: Session, token: str | None, now: datetime) -> None:
    """End the session of a token that a device still shows when it gets another one, in the caller's transaction."""
    if token:
        _end(session, SignInSession.token_hash == crypto.token_hash(token), now=now)


def sign_out(principal: Somebody, now: datetime) -> None:
    """End this session. Ending it twice is the same as once."""
    with transaction() as session:
        _end(session, SignInSession.id == principal.session_id, now=now)


def sign_out_everywhere(principal: Somebody, now: datetime) -> int:
    """End all sessions of this customer, operator or member, this one too; returns how many. Audited."""
    account = "customer" if principal.kind == "customer" else "operator"
    with transaction() as session:
        ended = _end(session, _owner(principal), now=now)
        audit.record(
            session,
            f"{account}.signed_out_everywhere",
            at=now,
            actor_kind=principal.acts_as,
            actor=principal.public_id,
            subject=principal.public_id,
            insurer_id=principal.insurer_id,
            sessions=ended,
        )
    return ended


def sessions(principal: Somebody, now: datetime) -> list[SessionView]:
    """The sessions that have not ended, newest first."""
    with reading() as session:
        rows = session.scalars(
            select(SignInSession)
            .where(
                _owner(principal),
                SignInSession.ended_at.is_(None),
                SignInSession.expires_at > now,
                func.coalesce(SignInSession.seen_at, SignInSession.created_at)
                > now - idle_limit(principal.kind, principal.role),
            )
            .order_by(SignInSession.id.desc())
        ).all()
    return [
        SessionView(
            row.public_id,
            row.channel,
            row.created_at,
            row.expires_at,
            row.id == principal.session_id,
            row.client_id is not None,
        )
        for row in rows
    ]


def signed_in_recently(principal: Somebody, now: datetime) -> bool:
    """Whether this session was opened within the last RECENT, by signing in here: never where an insurer's app brought
    her, which has proved nothing of hers to us."""
    with reading() as session:
        opened_at = session.scalar(
            select(SignInSession.created_at).where(
                SignInSession.id == principal.session_id, SignInSession.client_id.is_(None)
            )
        )
    return opened_at is not None and now - opened_at <= RECENT


def require_recent(principal: Somebody, now: datetime) -> None:
    """Raises SignInAgain unless she signed in recently."""
    if not signed_in_recently(principal, now):
        raise SignInAgain(within=int(RECENT.total_seconds() // 60))


def end_session(principal: Somebody, public_id: str, now: datetime) -> None:
    """End one of one's own sessions by its public id. Raises NotFound."""
    if not ids.well_formed(public_id):
        raise NotFound(field="session_id")
    with transaction() as session:
        if not _end(session, _owner(principal), SignInSession.public_id == public_id, now=now):
            raise NotFound(field="session_id")


def issue_token(phone: str, now: datetime) -> SignedIn:
    """A token without a code, for scripts. Raises DevelopmentOnly elsewhere, NotFound(field="phone")."""
    require_development()
    number = phones.normalise(phone)
    with transaction() as session:
        customer = _customer(session, codes.Address(insurer_id(session), phones.indexes(number)))
        if customer is None:
            raise NotFound(field="phone")
        return issue_token_to(session, customer, now)


def issue_token_to(session: Session, customer: Customer, now: datetime) -> SignedIn:
    """The same for a customer at hand, in the caller's transaction. Raises DevelopmentOnly elsewhere."""
    require_development()
    signed_in = open_session(session, customer, "api", now)
    _audit(session, "customer.token_issued", customer, now)
    return signed_in


def keep_open(by: timedelta, now: datetime) -> None:
    """Before the demonstration's clock moves on by that much: what is open now, customers' sessions and operators', was
    used and ends that much later. Raises DevelopmentOnly elsewhere."""
    require_development()
    used_at = func.coalesce(SignInSession.seen_at, SignInSession.created_at)
    escorts = SignInSession.operator_id.in_(select(Operator.id).where(Operator.role == "escort"))
    unused_since = case(
        (SignInSession.operator_id.is_(None), now - idle_limit("customer")),
        (escorts, now - idle_limit("member", "escort")),
        else_=now - idle_limit("operator"),
    )
    with transaction() as session:
        session.execute(
            update(SignInSession)
            .where(SignInSession.ended_at.is_(None), SignInSession.expires_at > now, used_at > unused_since)
            .values(seen_at=used_at + by, expires_at=SignInSession.expires_at + by)
        )


def require_development() -> None:
    """Raises DevelopmentOnly unless this is a development or test installation."""
    if not settings().development:
        raise DevelopmentOnly()


def insurer_id(session: Session) -> int:
    """The insurer this installation serves (`INSURER_CODE`). Raises ConfigError if the database has none."""
    found = session.scalar(select(Insurer.id).where(Insurer.code == settings().insurer_code))
    if found is None:
        raise ConfigError(f"There is no insurer with the code {settings().insurer_code!r} in the database.")
    return found


def end_other_sessions(session: Session, principal: Principal, now: datetime) -> int:
    """End all but this session, in the caller's transaction; returns how many."""
    return _end(session, _owner(principal), SignInSession.id != principal.session_id, now=now)


def _who(number: str, caller: Caller, shown: str | None) -> tuple[codes.Address, Asker]:
    """Whose account is meant, and who asks."""
    with reading() as session:
        address = codes.Address(insurer_id(session), phones.indexes(number))
        return address, _asker(session, address, caller, shown)


def _asker(session: Session, address: codes.Address, caller: Caller, shown: str | None) -> Asker:
    """The caller, known by a session that this account once had on her device, be it over or not. One that her
    insurer's app opened says nothing of the device: whoever has its secret could make as many as it likes, and each
    would have tries of its own."""
    if not shown:
        return Asker(caller)
    known = session.scalar(
        select(SignInSession.id)
        .join(Customer, Customer.id == SignInSession.customer_id)
        .where(
            devices.had(shown),
            SignInSession.client_id.is_(None),
            Customer.insurer_id == address.insurer_id,
            phones.of_customer(address.phone_indexes),
        )
    )
    return Asker(caller, known)


def _owner(principal: Somebody) -> ColumnElement[bool]:
    column = SignInSession.customer_id if principal.kind == "customer" else SignInSession.operator_id
    return column == principal.id


def _end(session: Session, *which: ColumnElement[bool], now: datetime) -> int:
    ended = session.scalars(
        update(SignInSession)
        .where(*which, SignInSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(SignInSession.id)
    ).all()
    return len(ended)


def _audit(session: Session, action: str, customer: Customer, now: datetime, **facts: str) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind="customer",
        actor=customer.public_id,
        subject=customer.public_id,
        insurer_id=customer.insurer_id,
        **facts,
    )


def _customer(session: Session, address: codes.Address, *, lock: bool = False) -> Customer | None:
    """The customer with that phone who may sign in. With `lock` nobody blocks her while the transaction lasts: what
    ends her sessions leaves out none that is just being opened."""
    wanted = select(Customer).where(
        Customer.insurer_id == address.insurer_id,
        phones.of_customer(address.phone_indexes),
        Customer.blocked_at.is_(None),
    )
    return session.scalar(wanted.with_for_update(read=True) if lock else wanted)
