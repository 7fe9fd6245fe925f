"""How a customer wants to be notified: channels, her e-mail address, quiet hours."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, time

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.notices.models import NoticeSetting
from booking.notices.quiet_hours import QUIET_FROM, QUIET_UNTIL
from booking.ownership import customer_of
from marketplace.core import crypto
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.sending import email
from marketplace.core.sending.email import EmailBackend
from marketplace.core.text import Text, language_of
from vip import phones
from vip.customers import email_address
from vip.customers.customers import require_not_erased
from vip.models import Customer
from vip.principal import Principal
from vip.signin import codes, turns

log = get_logger(__name__)


class NoEmail(Refusal):
    """This installation sends no e-mail."""

    code = "no_email"


class EmailNotSent(Refusal):
    """The mail server did not accept the mail with the code."""

    code = "email_not_sent"


@dataclass(frozen=True)
class Settings:
    """A customer's settings. `email_masked` is blank without an address; `email_open` is true until it is confirmed by
    its code. `feed_made_at` is None without a calendar feed."""

    sms: bool
    email: bool
    phone_masked: str
    email_masked: str
    email_open: bool
    quiet: bool
    quiet_from: time
    quiet_until: time
    feed_made_at: datetime | None


@dataclass(frozen=True)
class Choices:
    """Settings that a customer chooses. The times are on the insurer's clock; equal ones mean no quiet hours."""

    sms: bool
    email: bool
    quiet: bool
    quiet_from: time
    quiet_until: time


def settings_of(principal: Principal) -> Settings:
    """The customer's settings; the defaults if she has chosen none."""
    with reading() as session:
        customer = session.get_one(Customer, customer_of(principal))
        row = session.get(NoticeSetting, customer.id)
    phone = phones.masked(phones.unseal(customer.phone_sealed, customer.public_id))
    if row is None:
        return Settings(True, True, phone, "", False, True, QUIET_FROM, QUIET_UNTIL, None)
    address = email_address.unseal(row.email_sealed, customer.public_id) if row.email_sealed is not None else ""
    return Settings(
        sms=row.sms,
        email=row.email,
        phone_masked=phone,
        email_masked=email_address.masked(address) if address else "",
        email_open=bool(address) and row.email_confirmed_at is None,
        quiet=row.quiet,
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        feed_made_at=row.feed_made_at if row.feed_hash is not None else None,
    )


def choose(principal: Principal, choices: Choices, *, now: datetime) -> None:
    """Store the customer's choices. They apply to messages that are waiting, too."""
    values = {**asdict(choices), "updated_at": now}
    with transaction() as session:
        row = own_row(session, principal, now)
        session.execute(update(NoticeSetting).where(NoticeSetting.customer_id == row.customer_id).values(values))


def give_email(principal: Principal, text: str, *, now: datetime, gateway: EmailBackend | None = None) -> None:
    """Store an e-mail address, replacing an earlier one, and send a code to it. It is used once the code is entered.

    Raises Invalid(field="email"), NoEmail, EmailNotSent, Crowded(retry_after), and TooMany(retry_after) within 60 s of
    the code before or after five within an hour, to whatever addresses: then the one before stays good, and so does its
    address.
    """
    address = email_address.normalise(text)
    server = gateway or email.backend()
    if server is None:
        raise NoEmail()
    with turns.asking.signed_in(principal), transaction() as session:
        row = own_row(session, principal, now)
        customer = session.get_one(Customer, row.customer_id)
        whose = _whose(customer)
        codes.lock_phones(session, whose)
        code = codes.only_code(session, whose, now)
        row.email_sealed = email_address.seal(address, customer.public_id)
        row.email_confirmed_at, row.updated_at = None, now
        language = customer.language
    subject, body = code_mail(code, language)
    try:
        server.send(address, subject, body, key=new_id("ntd"))
    except Exception as trouble:
        log.warning("email.code_not_sent", error=type(trouble).__name__)
        raise EmailNotSent() from trouble


def code_mail(code: str, language: str | None) -> tuple[str, str]:
    """Subject and text of the mail that carries a code."""
    minutes = int(codes.LIFETIME.total_seconds() // 60)
    subject = Text("安享：确认邮箱", "Anxiang: confirm your e-mail address")
    body = Text(
        f"验证码 {code}，{minutes} 分钟内有效。如果不是您本人填写，请忽略。",
        f"Your code is {code}. It is valid for {minutes} minutes. If it wasn't you who asked, do nothing.",
    )
    return subject.in_language(language_of(language)), body.in_language(language_of(language))


def confirm_email(principal: Principal, code: str, *, now: datetime) -> None:
    """Check the code and use the address from now on. Raises Invalid(field="code"), WrongCode, CodeEnded,
    TooMany(retry_after), Crowded(retry_after)."""
    digits = codes.clean(code)
    with turns.trying.signed_in(principal):
        _confirm(principal, digits, now)


def _confirm(principal: Principal, digits: str, now: datetime) -> None:
    with transaction() as session:
        row = own_row(session, principal, now)
        customer = session.get_one(Customer, row.customer_id)
        if row.email_sealed is None:
            raise codes.CodeEnded()
        whose, sealed = _whose(customer), row.email_sealed
        counted = codes.count_try(session, whose, now)
    right = codes.compare(counted, whose, digits, now=now)
    with transaction() as session:
        row = own_row(session, principal, now)
        if row.email_sealed != sealed:  # she gave another address meanwhile: this code is not for it
            raise codes.CodeEnded()
        codes.use(session, right, now)
        codes.proved(session, whose)
        row.email_confirmed_at = row.updated_at = now


def forget_email(principal: Principal, *, now: datetime) -> None:
    """Delete the e-mail address."""
    with transaction() as session:
        row = own_row(session, principal, now)
        row.email_sealed = row.email_confirmed_at = None
        row.updated_at = now


def own_row(session: Session, principal: Principal, now: datetime) -> NoticeSetting:
    """The customer's row, locked; made with the defaults if there is none. Raises NotFound once she was erased."""
    customer = customer_of(principal)
    require_not_erased(session, customer)
    session.execute(
        insert(NoticeSetting)
        .values(customer_id=customer, updated_at=now)
        .on_conflict_do_nothing(index_elements=["customer_id"])
    )
    return session.scalars(select(NoticeSetting).where(NoticeSetting.customer_id == customer).with_for_update()).one()


def parse_time(text: str, field: str) -> time:
    """A time of day as forms send it (`22:00`). Raises Invalid(reason="time")."""
    try:
        hour, minute = (int(part) for part in text.split(":", 1))
        return time(hour, minute)
    except ValueError as bad:
        raise Invalid(field=field, reason="time") from bad


def _whose(customer: Customer) -> codes.Address:
    """Codes are counted by customer, so that nobody can have many mails sent to strangers. Only the newest code is
    valid, and it is for the address given last."""
    indexes = crypto.blind_indexes(customer.public_id, "email")
    return codes.Address(customer.insurer_id, indexes, "email", customer.id)
