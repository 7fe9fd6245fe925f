"""Public keys of insurers' apps: registered by an operator, from a key or a set of keys, and ended at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.ids import new_id
from vip.insurers.ending import end_brought
from vip.insurers.models import InsurerKey

MOST = 10
"""How many keys of an insurer may be in use."""
LEAST_RSA_BITS = 2048
LONGEST_KID = 200
LONGEST_ISSUER = 200

_CURVES: Mapping[str, str] = {"P-256": "ES256", "P-384": "ES384"}


@dataclass(frozen=True)
class AppKey:
    """A key in use, as whoever runs it needs to see it."""

    id: str
    kid: str
    issuer: str
    algorithms: Sequence[str]
    made: datetime


def add_keys(insurer_code: str, issuer: str, document: str, *, actor: str, now: datetime) -> list[AppKey]:
    """Register the public keys of `document` for an insurer's app, which calls itself `issuer` (an address) in what it
    signs: a JWK, a set of JWKs, or one public key in PEM. A key that has no `kid` is called by its thumbprint (RFC
    7638). Audited.

    Raises NotFound(field="insurer"), Invalid(field="issuer"), and Invalid(field="keys") for a document that is no such
    thing, a key that is private, weak or of another kind, too many, or a `kid` that is in use.
    """
    _check_issuer(issuer)
    made = [_row(each, issuer, now) for each in _keys(document)]
    with transaction() as session:
        insurer_id = _live(session, insurer_code, lock=True)
        used = set(session.scalars(select(InsurerKey.kid).where(*_in_use(insurer_id))))
        kids = [each.kid for each in made]
        if len(set(kids)) < len(kids) or used & set(kids):
            raise Invalid(field="keys", reason="kid_in_use")
        if len(used) + len(made) > MOST:
            raise Invalid(field="keys", reason="too_many_keys", maximum=MOST)
        for each in made:
            each.insurer_id = insurer_id
            session.add(each)
            _audit(session, "insurer_key.added", each, actor, now)
    return [_view(each) for each in made]


def keys_of(insurer_code: str) -> list[AppKey]:
    """The insurer's keys in use, the oldest first. Raises NotFound(field="insurer")."""
    with reading() as session:
        insurer_id = _live(session, insurer_code)
        rows = session.scalars(select(InsurerKey).where(*_in_use(insurer_id)).order_by(InsurerKey.id))
        return [_view(each) for each in rows]


def end_key(key_id: str, *, actor: str, now: datetime) -> None:
    """End a key at once, and every session to which customers of its insurer were brought: whoever holds the key may
    have opened them. Audited. Raises NotFound(field="key")."""
    with transaction() as session:
        row = session.scalar(
            select(InsurerKey).where(InsurerKey.public_id == key_id, InsurerKey.ended_at.is_(None)).with_for_update()
        )
        if row is None:
            raise NotFound(field="key")
        row.ended_at = now
        end_brought(session, now, insurer_id=row.insurer_id)
        _audit(session, "insurer_key.ended", row, actor, now)


def key_of(session: Session, insurer_id: int, kid: str) -> InsurerKey | None:
    """The key in use that this insurer calls so."""
    return session.scalar(select(InsurerKey).where(*_in_use(insurer_id), InsurerKey.kid == kid))


def _in_use(insurer_id: int) -> tuple[Any, ...]:
    return InsurerKey.insurer_id == insurer_id, InsurerKey.ended_at.is_(None)


def _live(session: Session, code: str, *, lock: bool = False) -> int:
    found = session.scalar(select(Insurer.id).where(Insurer.code == code, Insurer.twin_id.is_(None)))
    if found is None:
        raise NotFound(field="insurer")
    if lock:  # of two who register keys at once the second sees what the first one did
        session.execute(select(func.pg_advisory_xact_lock(0x494B4559, found)))
    return found


def _check_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    if parts.scheme != "https" or not parts.hostname or len(issuer) > LONGEST_ISSUER or not issuer.isprintable():
        raise Invalid(field="issuer", reason="issuer")


def _keys(document: str) -> list[RSAKey | ECKey | OKPKey]:
    """The public keys of a document. Raises Invalid(field="keys")."""
    try:
        found: Any = json.loads(document)
    except ValueError:
        found = None
    try:
        if isinstance(found, dict):
            keys = [import_key(each) for each in found.get("keys", [found])]
        elif "-----BEGIN PUBLIC KEY-----" in document:
            keys = [_from_pem(document)]
        else:
            raise Invalid(field="keys", reason="no_public_key")
    except (JoseError, ValueError, TypeError, KeyError) as wrong:
        raise Invalid(field="keys", reason="no_public_key") from wrong
    if not keys:
        raise Invalid(field="keys", reason="no_public_key")
    return [_accepted(each) for each in keys]


def _from_pem(document: str) -> RSAKey | ECKey | OKPKey:
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(document)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    raise Invalid(field="keys", reason="no_public_key")


def _accepted(key: Any) -> RSAKey | ECKey | OKPKey:
    if not isinstance(key, RSAKey | ECKey | OKPKey):
        raise Invalid(field="keys", reason="key_kind")
    if key.is_private:
        raise Invalid(field="keys", reason="private_key")
    if isinstance(key, RSAKey) and key.public_key.key_size < LEAST_RSA_BITS:
        raise Invalid(field="keys", reason="weak_key")
    if not _algorithms(key):
        raise Invalid(field="keys", reason="key_kind")
    return key


def _algorithms(key: RSAKey | ECKey | OKPKey) -> list[str]:
    """What it may sign with: one, where the key says so, of those for its kind."""
    if isinstance(key, RSAKey):
        possible = ["PS256", "RS256"]
    elif isinstance(key, ECKey):
        possible = [_CURVES[key.curve_name]] if key.curve_name in _CURVES else []
    else:
        possible = ["Ed25519", "EdDSA"] if key.as_dict(private=False).get("crv") == "Ed25519" else []
    said = key.as_dict(private=False).get("alg")
    return possible if said is None else [each for each in possible if each == said]


def _row(key: RSAKey | ECKey | OKPKey, issuer: str, now: datetime) -> InsurerKey:
    plain = key.as_dict(private=False)
    if plain.get("use", "sig") != "sig":
        raise Invalid(field="keys", reason="key_kind")
    kid = plain.get("kid") or key.thumbprint()
    if not isinstance(kid, str) or len(kid) > LONGEST_KID or not kid.isprintable():
        raise Invalid(field="keys", reason="kid")
    material = {name: plain[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in plain}
    return InsurerKey(
        public_id=new_id("ike"),
        issuer=issuer,
        kid=kid,
        algorithms=_algorithms(key),
        public_key=material,
        created_at=now,
    )


def _view(row: InsurerKey) -> AppKey:
    return AppKey(row.public_id, row.kid, row.issuer, row.algorithms, row.created_at)


def _audit(session: Session, action: str, row: InsurerKey, actor: str, now: datetime) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind="operator",
        actor=actor,
        subject=row.public_id,
        insurer_id=row.insurer_id,
        algorithms=row.algorithms,
    )
