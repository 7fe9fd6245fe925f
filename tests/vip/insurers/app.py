"""An insurer's app that signs whom it has signed in, and the program beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from sqlalchemy import select

from marketplace.catalog.models import Insurer
from marketplace.clients import credentials
from marketplace.clients.credentials import Credentials
from marketplace.clients.models import ApiClient, ApiSecret
from marketplace.clients.owners import INSURERS, INSURERS_SCOPES
from marketplace.core import ids
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from tests.marketplace.api.insurer.policies import facts
from tests.people import NOON, PHONE
from vip.insurers import ending, keys, snapshots
from vip.insurers.bring import Bringer
from vip.insurers.telling import Telling, tell

ISSUER = "https://app.evergreen.example"
AUDIENCE = "http://127.0.0.1:8000/insurer/v1/oauth/token"
OURS, THEIRS = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
ED = OKPKey.generate_key("Ed25519")
RSA = RSAKey.generate_key(2048)
AnyKey = ECKey | OKPKey | RSAKey | OctKey


def jwks(*named: tuple[str, AnyKey]) -> str:
    """The public keys as the insurer sends them, by their kids."""
    public = [{**key.as_dict(private=False), "kid": kid} for kid, key in named]
    return json.dumps({"keys": public})


def signed(
    *,
    key: AnyKey = OURS,
    header: dict[str, Any] | None = None,
    now: datetime = NOON,
    **claims: Any,
) -> str:
    """A token of the app for the holder of the policy `p-1`; what is None is left out."""
    seconds = int(now.timestamp())
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "p-1",
        "iat": seconds,
        "exp": seconds + 120,
        "jti": ids.new_token(),
        **claims,
    }
    kept = {name: value for name, value in said.items() if value is not None}
    head = {"alg": "ES256", "kid": "app", "typ": "JWT", **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    algorithms = ["ES256", "EdDSA", "RS256", "PS256", "HS256", "none"]
    return jwt.encode(head, kept, key, algorithms=algorithms)


@dataclass
class InsurersApp:
    """An insurer with a program, a key of its app, and the policy `p-1` of the customer with that phone."""

    insurer_id: int
    credentials: Credentials = field(repr=False)
    bringer: Bringer


def insurers_app(code: str = "", key: AnyKey = OURS, *, policy: bool = True, phone: str = PHONE) -> InsurersApp:
    """Make one, for the installation's insurer or the one with this code."""
    code = code or settings().insurer_code
    with transaction() as session:
        insurer = session.scalar(select(Insurer).where(Insurer.code == code))
        if insurer is None:
            insurer = Insurer(public_id=ids.new_id("ins"), code=code, name_zh="另一家", name_en="The other")
            session.add(insurer)
            session.flush()
        insurer_id = insurer.id
    by = credentials.operator("test", INSURERS)
    made = credentials.add_client(code, "app", list(INSURERS_SCOPES), by=by, now=NOON)
    keys.add_keys(code, ISSUER, jwks(("app", key)), actor="test", now=NOON)
    with reading() as session:
        row = session.scalars(select(ApiClient).where(ApiClient.public_id == made.client_id)).one()
        secret_id = session.scalars(select(ApiSecret.id).where(ApiSecret.public_id == made.secret_id)).one()
    if policy:
        tell(Telling(insurer_id, row.public_id, NOON), facts("p-1", number=f"PN-{code}-0001", phone=phone))
    return InsurersApp(insurer_id, made, Bringer(row.id, row.public_id, insurer_id, secret_id))


def end(what: str, app: InsurersApp) -> None:
    """End the installation's insurer's key, or the app's secret or the whole program."""
    by = credentials.operator("t", INSURERS)
    if what == "client":
        ending.end_client(app.credentials.client_id, by=by, now=NOON)
    elif what == "secret":
        ending.end_secret(app.credentials.client_id, app.credentials.secret_id, by=by, now=NOON)
    else:
        [key] = keys.keys_of(settings().insurer_code)
        keys.end_key(key.id, actor="t", now=NOON)


def later(seconds: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def waiting_snapshot(insurer_id: int, *, now: datetime) -> str:
    """A snapshot that was opened and completed at that moment and named nothing: it waits for a person, as any policy
    of the insurer that was put before has vanished."""
    made = snapshots.open_snapshot(insurer_id, ends_vanished=True, most_percent=0, once=lambda *_: None, now=now)
    assert snapshots.complete(insurer_id, made.id, actor="cli_t", now=now).state == "waiting"
    return made.id
