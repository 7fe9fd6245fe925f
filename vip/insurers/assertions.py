"""What an insurer's app signs about who is signed in there: a JWT (RFC 7519), believed once and for minutes.

Each rule is here and nowhere else: which key (by `kid`, of this insurer alone, never one that the token brings), which
algorithm (those that the key was registered for), who says it, to whom, until when, and that it was not shown before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.core.database.retention import forget
from marketplace.core.errors import Refusal
from marketplace.core.strictjson import storable
from vip.insurers.keys import key_of
from vip.insurers.models import InsurerKey, UsedAssertion

LONGEST = 4096
LONGEST_LIFE = timedelta(minutes=5)
"""From `iat` to `exp`, and from now to `exp`."""
SKEW = timedelta(seconds=30)
"""So far ahead of ours an insurer's clock may be."""
LONGEST_NAME = 200
KEPT = timedelta(days=1)
_HEADERS = frozenset({"alg", "kid", "typ"})
"""All that a header may hold. One that brings its key, or the address of one, is refused as a whole."""

Fault = Literal[
    "unreadable", "header", "key", "algorithm", "signature", "issuer", "audience", "time", "claims", "replayed"
]
FAULTS: tuple[Fault, ...] = get_args(Fault)


class BadAssertion(Refusal):
    """The token is not believed; `fault` says for which rule. It names nothing of what it holds."""

    code = "bad_assertion"
    status = 400

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault=fault)
        self.fault: Fault = fault


@dataclass(frozen=True)
class Assertion:
    """Whom the app has signed in (`subject`: the key of one of her policies), the token's name and end, and by which
    key (internal id) it is signed."""

    subject: str
    jti: str
    expires_at: datetime
    key_id: int


def read(session: Session, insurer_id: int, token: str, *, audience: str, now: datetime) -> Assertion:
    """What a token of this insurer's app says. Raises BadAssertion. That it was not used before says `take`."""
    headers = _headers(token)
    key = key_of(session, insurer_id, headers["kid"])
    if key is None:
        raise BadAssertion("key")
    if headers["alg"] not in key.algorithms:
        raise BadAssertion("algorithm")
    try:
        claims = jwt.decode(token, import_key(key.public_key), algorithms=key.algorithms).claims
    except (JoseError, ValueError, TypeError) as wrong:
        raise BadAssertion("signature") from wrong
    return _checked(claims, key, audience, now)


def take(session: Session, insurer_id: int, assertion: Assertion) -> None:
    """Use it up, in the transaction of what it is used for; its key does not end while that lasts. Raises BadAssertion
    where the key has ended meanwhile, and where it was used before."""
    key = select(InsurerKey.id).where(InsurerKey.id == assertion.key_id, InsurerKey.ended_at.is_(None))
    if session.scalar(key.with_for_update(read=True)) is None:
        raise BadAssertion("key")
    digest = hashlib.sha256(assertion.jti.encode()).digest()
    fresh = session.execute(
        insert(UsedAssertion)
        .values(insurer_id=insurer_id, jti_hash=digest, expires_at=assertion.expires_at)
        .on_conflict_do_nothing(index_elements=["insurer_id", "jti_hash"])
        .returning(UsedAssertion.id)
    ).scalar_one_or_none()
    if fresh is None:
        raise BadAssertion("replayed")


def forget_assertions(*, now: datetime, batch: int = 1000) -> int:
    """Forget tokens that have been over for a day; returns how many."""
    return forget(UsedAssertion.id, UsedAssertion.expires_at, now - KEPT, batch)


def _headers(token: str) -> Mapping[str, str]:
    """`alg` and `kid` of a token's header."""
    if len(token) > LONGEST or not token.isascii():
        raise BadAssertion("unreadable")
    try:
        found: Any = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError) as wrong:
        raise BadAssertion("unreadable") from wrong
    if not isinstance(found, dict) or not found.keys() <= _HEADERS:
        raise BadAssertion("header")
    kind = found.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise BadAssertion("header")
    named = {name: found.get(name) for name in ("alg", "kid")}
    if not all(isinstance(each, str) and 0 < len(each) <= LONGEST_NAME and storable(each) for each in named.values()):
        raise BadAssertion("header")
    return {name: str(each) for name, each in named.items()}


def _checked(claims: Mapping[str, Any], key: InsurerKey, audience: str, now: datetime) -> Assertion:
    if claims.get("iss") != key.issuer:
        raise BadAssertion("issuer")
    if claims.get("aud") not in (audience, [audience]):
        raise BadAssertion("audience")
    issued_at, expires_at = _moment(claims.get("iat")), _moment(claims.get("exp"))
    starts_at = _moment(claims.get("nbf", claims.get("iat")))
    if issued_at > now + SKEW or starts_at > now + SKEW or expires_at <= now:
        raise BadAssertion("time")
    if expires_at - issued_at > LONGEST_LIFE or expires_at - now > LONGEST_LIFE + SKEW:
        raise BadAssertion("time")
    subject, jti = claims.get("sub"), claims.get("jti")
    if not _named(subject) or not _named(jti):
        raise BadAssertion("claims")
    return Assertion(str(subject), str(jti), expires_at, key.id)


def _named(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and storable(value)


def _moment(value: Any) -> datetime:
    """A NumericDate of this century (RFC 7519, section 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 946_684_800 <= value < 4_102_444_800:
        raise BadAssertion("time")
    return datetime.fromtimestamp(value, UTC)
