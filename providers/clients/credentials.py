"""Clients and their secrets: made, rotated, ended. A secret is shown once, to whoever has it made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from providers.clients.models import ApiClient, ApiSecret, ApiToken
from providers.clients.scopes import SCOPES

PLACES = (1, 2)
BEGINNING = "axs_"
"""What a secret begins with, so that scanners of repositories know one when they see it."""


class TwoSecrets(Refusal):
    """The client has two live secrets: one has to end before there is another."""

    code = "two_secrets"


@dataclass(frozen=True)
class Credentials:
    """What a client signs in with. `secret` is nowhere else, and shown this once."""

    client_id: str
    secret_id: str
    secret: str = field(repr=False)


def add_client(provider_code: str, name: str, scopes: Collection[str], *, actor: str, now: datetime) -> Credentials:
    """A new client of a provider with its first secret. Audited. Raises NotFound(field="provider"), and
    Invalid(field="scopes") for one that there is not, or none."""
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Invalid(field="scopes", reason="unknown_value")
    with transaction() as session:
        provider_id = session.scalar(select(Provider.id).where(Provider.code == provider_code))
        if provider_id is None:
            raise NotFound(field="provider")
        client = ApiClient(
            public_id=new_id("cli"), provider_id=provider_id, name=name, scopes=sorted(scopes), created_at=now
        )
        session.add(client)
        session.flush()
        made = _add_secret(session, client, PLACES[0], now)
        _audit(session, "api_client.added", client, actor, now, scopes=client.scopes)
    return made


def add_secret(client_id: str, *, actor: str, now: datetime) -> Credentials:
    """One more secret of a client, beside the one it has. Audited. Raises NotFound(field="client"), TwoSecrets."""
    with transaction() as session:
        client = _live(session, client_id)
        taken = set(
            session.scalars(
                select(ApiSecret.place).where(ApiSecret.client_id == client.id, ApiSecret.ended_at.is_(None))
            )
        )
        free = [place for place in PLACES if place not in taken]
        if not free:
            raise TwoSecrets()
        made = _add_secret(session, client, free[0], now)
        _audit(session, "api_secret.added", client, actor, now, secret=made.secret_id)
    return made


def end_secret(client_id: str, secret_id: str, *, actor: str, now: datetime) -> None:
    """End a secret and every token that was given for it, at once. Audited. Ended before, it stays so. Raises
    NotFound(field="client" or "secret")."""
    with transaction() as session:
        client = _live(session, client_id)
        secret = session.scalar(
            select(ApiSecret).where(ApiSecret.client_id == client.id, ApiSecret.public_id == secret_id)
        )
        if secret is None:
            raise NotFound(field="secret")
        if secret.ended_at is None:
            secret.ended_at = now
            _end_tokens(session, now, ApiToken.secret_id == secret.id)
            _audit(session, "api_secret.ended", client, actor, now, secret=secret_id)


def end_client(client_id: str, *, actor: str, now: datetime) -> None:
    """End a client with its secrets and tokens, at once and for good. Audited. Raises NotFound(field="client")."""
    with transaction() as session:
        client = _live(session, client_id)
        client.ended_at = now
        session.execute(
            update(ApiSecret).where(ApiSecret.client_id == client.id, ApiSecret.ended_at.is_(None)).values(ended_at=now)
        )
        _end_tokens(session, now, ApiToken.client_id == client.id)
        _audit(session, "api_client.ended", client, actor, now)


def fingerprint(secret: str) -> bytes:
    """What is stored of a secret or a token: SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def secret_of(session: Session, client: ApiClient, secret: str) -> ApiSecret | None:
    """The live secret of the client that this is; None for any other."""
    return session.scalar(
        select(ApiSecret).where(
            ApiSecret.client_id == client.id,
            ApiSecret.secret_hash == fingerprint(secret),
            ApiSecret.ended_at.is_(None),
        )
    )


def _live(session: Session, client_id: str) -> ApiClient:
    client = session.scalar(
        select(ApiClient).where(ApiClient.public_id == client_id, ApiClient.ended_at.is_(None)).with_for_update()
    )
    if client is None:
        raise NotFound(field="client")
    return client


def _add_secret(session: Session, client: ApiClient, place: int, now: datetime) -> Credentials:
    secret = BEGINNING + secrets.token_urlsafe(32)
    row = ApiSecret(
        public_id=new_id("sec"), client_id=client.id, place=place, secret_hash=fingerprint(secret), created_at=now
    )
    session.add(row)
    session.flush()
    return Credentials(client.public_id, row.public_id, secret)


def _end_tokens(session: Session, now: datetime, which: ColumnElement[bool]) -> None:
    session.execute(update(ApiToken).where(which, ApiToken.ended_at.is_(None)).values(ended_at=now))


def _audit(session: Session, action: str, client: ApiClient, actor: str, now: datetime, **facts: Any) -> None:
    audit.record(session, action, at=now, actor_kind="operator", actor=actor, subject=client.public_id, **facts)
