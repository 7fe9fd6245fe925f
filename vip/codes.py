"""One-time codes: 6 digits, 5 minutes, 5 tries a code, 5 codes an hour a phone.

Everything is counted in the database. A code's row is made for an unknown phone just as for one that a customer
has, so limits and answers are the same for both. A try is counted and committed before the code is compared.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core import crypto
from marketplace.core.errors import Invalid, Refusal, TooMany
from marketplace.core.retention import forget
from vip.models import SignInCode

DIGITS = 6
LIFETIME = timedelta(minutes=5)
TRIES = 5
CODES_PER_HOUR = 5
RESEND_AFTER = timedelta(seconds=60)

COUNT_TRY = """
UPDATE sign_in_code SET tries = tries + 1 WHERE id = (
  SELECT id FROM sign_in_code WHERE insurer_id = :insurer AND phone_index = :phone
  AND purpose = :purpose AND customer_id IS NOT DISTINCT FROM :customer ORDER BY id DESC LIMIT 1)
  AND used_at IS NULL AND expires_at > :now
  AND tries < :most /* guard */
  RETURNING id, code_hash, tries
"""


class WrongCode(Refusal):
    """The code is not the one that was sent. Facts: `tries_left`."""

    code = "wrong_code"
    status = 422
    field = "code"


class CodeEnded(Refusal):
    """There is no code to try: it was used, replaced, tried too often, is older than 5 minutes, or none was asked."""

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
    """Whose code it is: a phone's (or an e-mail address's) index within an insurer, for a purpose; `customer_id` where
    a signed-in person asked for it."""

    insurer_id: int
    phone_index: bytes
    purpose: str = "sign_in"
    customer_id: int | None = None


@dataclass(frozen=True)
class Try:
    """A try that was counted."""

    id: int
    code_hash: bytes
    tries: int


def clean(code: str, *, field: str = "code") -> str:
    """The six digits that were typed, in ASCII. Raises Invalid(reason="code")."""
    if len(code) > 4 * DIGITS:
        raise Invalid(field=field, reason="code")
    digits = "".join(unicodedata.normalize("NFKC", code).split())
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        raise Invalid(field=field, reason="code")
    return digits


def lock_phones(session: Session, *phone_indexes: bytes) -> None:
    """Lock each phone until the transaction ends, in one order, so that codes an hour are counted exactly."""
    for phone_index in sorted(phone_indexes):
        number = int.from_bytes(phone_index[:8], "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def new_code(session: Session, address: Address, now: datetime) -> str:
    """Make a code for `address`, ending the ones before it. The caller holds the phone's lock.

    Raises TooMany(retry_after) after five codes within an hour, whatever they were for.
    """
    asked = session.execute(
        text(
            "SELECT count(*), min(created_at) FROM sign_in_code"
            " WHERE insurer_id = :insurer AND phone_index = :phone AND created_at > :hour_ago"
        ),
        {"insurer": address.insurer_id, "phone": address.phone_index, "hour_ago": now - timedelta(hours=1)},
    ).one()
    if asked[0] >= CODES_PER_HOUR:
        wait = asked[1] + timedelta(hours=1) - now
        raise TooMany(field="phone", retry_after=max(1, int(wait.total_seconds()) + 1))
    session.execute(
        text(
            "UPDATE sign_in_code SET expires_at = :now WHERE insurer_id = :insurer AND phone_index = :phone"
            " AND purpose = :purpose AND used_at IS NULL AND expires_at > :now"
        ),
        {"insurer": address.insurer_id, "phone": address.phone_index, "purpose": address.purpose, "now": now},
    )
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    session.add(
        SignInCode(
            insurer_id=address.insurer_id,
            phone_index=address.phone_index,
            purpose=address.purpose,
            customer_id=address.customer_id,
            code_hash=_hash(address, code),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    session.flush()
    return code


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


def count_try(session: Session, address: Address, now: datetime) -> Try | None:
    """Count a try at the newest code of `address`; None if there is none that may be tried.

    The caller commits this before it compares, so that a try costs something even if the program dies meanwhile.
    """
    row = session.execute(
        text(COUNT_TRY),
        {
            "insurer": address.insurer_id,
            "phone": address.phone_index,
            "purpose": address.purpose,
            "customer": address.customer_id,
            "most": TRIES,
            "now": now,
        },
    ).one_or_none()
    return None if row is None else Try(row.id, bytes(row.code_hash), row.tries)


def compare(counted: Try | None, address: Address, code: str, *, field: str = "code") -> Try:
    """The try, if `code` is right; compared in constant time. Raises WrongCode or CodeEnded."""
    if counted is None:
        raise CodeEnded(field=field)
    if not hmac.compare_digest(counted.code_hash, _hash(address, code)):
        raise WrongCode(field=field, tries_left=TRIES - counted.tries)
    return counted


def use(session: Session, right: Try, now: datetime, *, field: str = "code") -> None:
    """Spend the code. Raises CodeEnded if it was spent or replaced meanwhile."""
    spent = session.execute(
        text(
            "UPDATE sign_in_code SET used_at = :now"
            " WHERE id = :id AND used_at IS NULL AND expires_at > :now RETURNING id"
        ),
        {"id": right.id, "now": now},
    ).one_or_none()
    if spent is None:
        raise CodeEnded(field=field)


def forget_codes(*, now: datetime, batch: int = 1000) -> int:
    """Drop codes older than a day: they ended long ago, and only the last hour's are counted. Returns how many."""
    return forget(SignInCode.id, SignInCode.created_at, now - timedelta(days=1), batch)


def _hash(address: Address, code: str) -> bytes:
    return crypto.blind_index(f"{address.phone_index.hex()}:{address.purpose}:{code}", "code")
