"""One-time codes: 6 digits, 5 minutes; limits go by who asks, so that nobody locks out another.

Everything is counted in the database. A code's row is made for an unknown phone just as for one that a customer
has, so limits and answers are the same for both. A try is counted and committed before the code is compared. Of one
account only new codes are spaced; a code that was sent stays good until its own end, whoever asks for another.
"""

from __future__ import annotations

import hmac
import math
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.core import crypto
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, Refusal, TooMany
from marketplace.core.logging import get_logger
from marketplace.core.text import without_invisible
from vip import phones
from vip.models import SignInCode
from vip.signin import limits, turns
from vip.signin.limits import NOBODY, Caller, Limit

DIGITS = 6
LIFETIME = timedelta(minutes=5)
TRIES = 5
RESEND_AFTER = timedelta(seconds=60)

ASKED_BY_CALLER = Limit(60, 60)
"""Codes one asks for, for whatever accounts."""
ASKED_OF_ACCOUNT = Limit(5, 5)
"""Codes one asks for, for one account and purpose."""
TRIES_BY_CALLER = Limit(60, 60)
TRIES_AT_ACCOUNT = Limit(TRIES, 5)
WRONG_IN_ALL = Limit(200, 400)
"""Wrong codes of all callers together that are no cause for alarm. It refuses nothing."""
ALARMS = Limit(1, 6)
"""How often an alarm is raised while wrong codes rise: one that comes with every try is one that nobody reads."""

log = get_logger(__name__)


class WrongCode(Refusal):
    """The code is not the one that was sent. Facts: `tries_left`."""

    code = "wrong_code"
    status = 422
    field = "code"


class CodeEnded(Refusal):
    """There is no code to try: it was used, is older than 5 minutes, or none was asked for."""

    code = "code_ended"
    status = 422
    field = "code"


@dataclass(frozen=True)
class CodeSent:
    """`expires_at`: until when the code counts; `resend_after_seconds`: when to offer another one."""

    expires_at: datetime
    resend_after_seconds: int


@dataclass(frozen=True)
class Address:
    """Whose code it is: a phone's (or an e-mail address's) indexes within an insurer, one for each live key, for a
    purpose; `customer_id` where a signed-in person asked for it."""

    insurer_id: int
    phone_indexes: tuple[bytes, ...]
    purpose: str = "sign_in"
    customer_id: int | None = None

    @property
    def phone_index(self) -> bytes:
        """The one that is stored: that of the current key."""
        return self.phone_indexes[0]

    @property
    def use(self) -> str:
        """The purpose without whom it is about: one use's tries don't count for another."""
        return self.purpose.partition(":")[0]


@dataclass(frozen=True)
class Asker:
    """Who asks for codes and tries them: a signed-in customer answers for herself, a device that was signed in to
    this account before too, and everybody else goes by the client's address."""

    caller: Caller = NOBODY
    device: int | None = None

    def name(self, address: Address) -> str:
        """What limits go by."""
        if address.customer_id is not None:
            return f"customer:{address.customer_id}"
        return self.caller.name if self.device is None else f"device:{self.device}"


STRANGER = Asker()


@dataclass(frozen=True)
class Made:
    """What became of asking for a code; `code` is None where one went out less than a minute ago, which stays good."""

    code: str | None
    sent: CodeSent


@dataclass(frozen=True)
class Try:
    """A try that was counted: the codes that are good, by id, how many tries are left, and which code was right."""

    good: dict[int, bytes]
    tries_left: int
    right: int | None = None


def clean(code: str, *, field: str = "code") -> str:
    """The six digits that were typed or pasted, in ASCII. Raises Invalid(reason="code")."""
    if len(code) > 4 * DIGITS:
        raise Invalid(field=field, reason="code")
    digits = "".join(without_invisible(code).split())
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        raise Invalid(field=field, reason="code")
    return digits


def lock_phones(session: Session, *addresses: Address) -> None:
    """Lock each phone until the transaction ends, in one order, so that codes an hour are counted exactly."""
    phones.lock(session, (one for address in addresses for one in address.phone_indexes))


def new_code(session: Session, address: Address, now: datetime, asker: Asker = STRANGER) -> Made:
    """Make a code for `address`, unless one went out less than 60 s ago. The caller holds the phone's lock.

    Earlier codes stay good until their own end, so that asking in her name takes nothing from an owner. A known device
    isn't spaced by what others asked for. Raises TooMany(retry_after) for who asks too often.
    """
    _may_ask(session, address, now, asker)
    last = None if asker.device is not None else _good_codes(session, address, now, since=now - RESEND_AFTER)
    if last:
        wait = last[0].created_at + RESEND_AFTER - now
        return Made(None, CodeSent(last[0].expires_at, max(1, math.ceil(wait.total_seconds()))))
    return Made(_add(session, address, now), CodeSent(now + LIFETIME, int(RESEND_AFTER.total_seconds())))


def only_code(session: Session, address: Address, now: datetime) -> str:
    """Make a code that ends the ones before it: for what only the signed-in customer can ask for, where an earlier
    code proves something else. The caller holds the lock.

    Raises TooMany(retry_after) within 60 s of the one before, whatever became of that, and for who asks too often.
    """
    wait = _seconds_until_spaced(session, address, now)
    try:
        _may_ask(session, address, now, STRANGER)
    except TooMany as refusal:
        raise TooMany(retry_after=max(wait, refusal.facts["retry_after"])) from refusal
    if wait > 0:
        raise TooMany(retry_after=wait)
    session.execute(
        text(
            "UPDATE sign_in_code SET expires_at = :now WHERE insurer_id = :insurer AND phone_index = ANY(:phones)"
            " AND purpose = :purpose AND used_at IS NULL AND expires_at > :now"
        ),
        {
            "insurer": address.insurer_id,
            "phones": list(address.phone_indexes),
            "purpose": address.purpose,
            "now": now,
        },
    )
    return _add(session, address, now)


def _seconds_until_spaced(session: Session, address: Address, now: datetime) -> int:
    """When the account may be sent another code; 0 or less for now."""
    last = session.scalar(
        select(func.max(SignInCode.created_at)).where(
            SignInCode.insurer_id == address.insurer_id,
            SignInCode.phone_index.in_(address.phone_indexes),
            SignInCode.purpose == address.purpose,
        )
    )
    return 0 if last is None else math.ceil((last + RESEND_AFTER - now).total_seconds())


def bound(session: Session, customer_id: int, purpose: str, most: int, now: datetime, *, field: str) -> None:
    """Limit the codes that a customer can have sent to other people: at most `most` an hour for a purpose (or
    `purpose:…`), whatever the address. The caller holds a lock of the customer's. Raises TooMany(retry_after)."""
    asked = session.execute(
        text(
            "SELECT count(*), min(created_at) FROM sign_in_code WHERE customer_id = :customer"
            " AND split_part(purpose, ':', 1) = :purpose AND created_at > :hour_ago"
        ),
        {"customer": customer_id, "purpose": purpose, "hour_ago": now - timedelta(hours=1)},
    ).one()
    if asked[0] >= most:
        wait = asked[1] + timedelta(hours=1) - now
        raise TooMany(field=field, retry_after=max(1, int(wait.total_seconds()) + 1))


def turn_to_ask(address: Address, asker: Asker) -> AbstractContextManager[None]:
    """A turn of who is not signed in, to have a code sent. Raises Crowded."""
    queue = turns.asking.strangers if asker.device is None else turns.asking.known
    return queue.turn(asker.name(address))


def turn_to_try(address: Address, asker: Asker, now: datetime) -> AbstractContextManager[None]:
    """A turn of who is not signed in, to try a code: who tries codes where none was sent doesn't hold up those who
    have one. Raises Crowded."""
    return _queue_to_try(address, asker, now).turn(asker.name(address))


def _queue_to_try(address: Address, asker: Asker, now: datetime) -> turns.Turns:
    if asker.device is not None:
        return turns.trying.known
    with reading() as session:
        is_out = bool(_good_codes(session, address, now))
    return turns.trying.holders if is_out else turns.trying.strangers


def count_try(session: Session, address: Address, now: datetime, asker: Asker = STRANGER) -> Try:
    """Count a try at the codes of `address`. Raises TooMany(retry_after) for who tried too often.

    The caller commits this before it compares, so that a try costs something even if the program dies meanwhile.
    """
    who = asker.name(address)
    left = limits.take(session, TRIES_AT_ACCOUNT, "try", *_account(address), who, now=now)
    limits.take(session, TRIES_BY_CALLER, "try", address.use, who, now=now)
    good = {code.id: bytes(code.code_hash) for code in _good_codes(session, address, now)}
    return Try(good, left)


def compare(counted: Try, address: Address, code: str, *, now: datetime, field: str = "code") -> Try:
    """The try, if `code` is right; compared in constant time. Raises WrongCode or CodeEnded."""
    if not counted.good:
        raise CodeEnded(field=field)
    typed = [
        one for index in address.phone_indexes for one in crypto.blind_indexes(_said(index, address, code), "code")
    ]
    right = [
        number for number, stored in counted.good.items() if any([hmac.compare_digest(stored, one) for one in typed])
    ]
    if not right:
        notice_wrong("code", now)
        raise WrongCode(field=field, tries_left=counted.tries_left)
    return replace(counted, right=right[0])


def notice_wrong(what: str, now: datetime) -> None:
    """Note a wrong code or password of whoever's; when those of all together rise, an alarm goes to the log."""
    if rises(WRONG_IN_ALL, what, now=now):
        log.warning("guessing.rises", what=what, an_hour=WRONG_IN_ALL.per_hour)


def rises(limit: Limit, *of: str, now: datetime) -> bool:
    """Note one more wrong try, and say whether to raise an alarm: they are more than `limit`, and there was none for
    ten minutes."""
    return not _within(limit, "wrong", *of, now=now) and _within(ALARMS, "alarm", *of, now=now)


def _within(limit: Limit, *key: str, now: datetime) -> bool:
    """Take one of the bucket, in a transaction of its own; whether there was one."""
    try:
        with transaction() as session:
            limits.take(session, limit, *key, now=now)
    except TooMany:
        return False
    return True


def use(session: Session, right: Try, now: datetime, *, field: str = "code") -> None:
    """Spend the code. Raises CodeEnded if it was spent or ended meanwhile."""
    spent = session.execute(
        text(
            "UPDATE sign_in_code SET used_at = :now"
            " WHERE id = :id AND used_at IS NULL AND expires_at > :now RETURNING id"
        ),
        {"id": right.right, "now": now},
    ).one_or_none()
    if spent is None:
        raise CodeEnded(field=field)


def proved(session: Session, address: Address, asker: Asker = STRANGER) -> None:
    """Whoever used a right code has all tries at this account and purpose again."""
    limits.fill(session, "try", *_account(address), asker.name(address))


def _said(phone_index: bytes, address: Address, code: str) -> str:
    """What is hashed of a code."""
    return f"{phone_index.hex()}:{address.purpose}:{code}"


def _may_ask(session: Session, address: Address, now: datetime, asker: Asker) -> None:
    who = asker.name(address)
    limits.take(session, ASKED_OF_ACCOUNT, "ask", *_account(address), who, now=now)
    limits.take(session, ASKED_BY_CALLER, "ask", address.use, who, now=now)


def _account(address: Address) -> tuple[str, str, str]:
    """What limits call the account."""
    return str(address.insurer_id), address.phone_index.hex(), address.purpose


def _add(session: Session, address: Address, now: datetime) -> str:
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    session.add(
        SignInCode(
            insurer_id=address.insurer_id,
            phone_index=address.phone_index,
            purpose=address.purpose,
            customer_id=address.customer_id,
            code_hash=crypto.blind_index(_said(address.phone_index, address, code), "code"),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    session.flush()
    return code


def _good_codes(
    session: Session, address: Address, now: datetime, *, since: datetime | None = None
) -> Sequence[SignInCode]:
    """The codes that can be used, made after `since`; the newest first."""
    return session.scalars(
        select(SignInCode)
        .where(
            SignInCode.insurer_id == address.insurer_id,
            SignInCode.phone_index.in_(address.phone_indexes),
            SignInCode.purpose == address.purpose,
            SignInCode.customer_id.is_not_distinct_from(address.customer_id),
            SignInCode.created_at > (since or now - LIFETIME),
            SignInCode.expires_at > now,
            SignInCode.used_at.is_(None),
        )
        .order_by(SignInCode.id.desc())
    ).all()
