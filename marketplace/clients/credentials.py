"""Clients and their secrets: made, rotated, ended. A secret is shown once, to whoever has it made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from marketplace.clients.models import ApiClient, ApiSecret, ApiToken
from marketplace.clients.owners import INSURERS, PROVIDERS, Caller, Owners
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import id_of, new_id

PLACES = (1, 2)
_LOCKS = {"provider": 0x434C4E54, "insurer": 0x434C4E49}
LONGEST_NAME = 80
MOST = 20
"""How many clients of an owner may be in use."""


class TooManyClients(Refusal):
    """The owner has as many clients in use as it may; `most` says how many."""

    code = "too_many_clients"


class MadeBefore(Refusal):
    """The form was sent before, and its client or secret has been used or changed since; `client` says whose it is."""

    code = "made_before"


class TwoSecrets(Refusal):
    """The client has two live secrets: one has to end before there is another."""

    code = "two_secrets"


@dataclass(frozen=True)
class By:
    """Who does it, for the audit: an operator, who looks after the clients of all `owners`, or somebody of the one
    owner `owner_id`. Clients of others are not there for her."""

    kind: str
    name: str
    owner_id: int | None = None
    owners: Owners[Caller] = PROVIDERS

    @property
    def hers(self) -> ColumnElement[bool]:
        """The condition on clients that are there for her."""
        column = self.owners.column
        return column.is_not(None) if self.owner_id is None else column == self.owner_id


@dataclass(frozen=True)
class Credentials:
    """What a client signs in with. `secret` is nowhere else, and shown this once."""

    client_id: str
    secret_id: str
    secret: str = field(repr=False)


Besides = Callable[[Session, ApiClient], None]
"""What ends with a client or a secret of it, in the same transaction."""


def operator(name: str, owners: Owners[Caller] = PROVIDERS) -> By:
    """An operator, who looks after the clients of all providers, or of all insurers."""
    return By("operator", name, owners=owners)


def add_client(
    owner_code: str, name: str, scopes: Collection[str], *, by: By, now: datetime, request: str = ""
) -> Credentials:
    """A new client of a provider (an insurer, where `by` looks after theirs) with its first secret. Audited.

    `request`: what a form names its sending by. Sent twice with the same content, as by two clicks, it makes one
    client: the second answer has another secret, since nobody may have seen the first one, which ends.

    Raises NotFound(field="provider" or "insurer"), also for an insurer that is there for tests, Invalid(field="name")
    for a blank or long one, Invalid(field="scopes") for one that there is not, or none, TooManyClients, and MadeBefore
    where the client was used or changed meanwhile.
    """
    if not name.strip():
        raise Invalid(field="name", reason="required")
    if len(name) > LONGEST_NAME:
        raise Invalid(field="name", reason="too_long", maximum=LONGEST_NAME)
    if not scopes:
        raise Invalid(field="scopes", reason="none_chosen")
    owners = by.owners
    if not set(scopes) <= set(owners.scopes):
        raise Invalid(field="scopes", reason="unknown_value")
    with transaction() as session:
        owner_id = session.scalar(select(owners.table.id).where(owners.table.code == owner_code, *owners.may_have))
        if owner_id is None or by.owner_id not in (None, owner_id):
            raise NotFound(field=owners.name)
        lock(session, owners, owner_id)
        named = _named(request, by, owner_code, name, *sorted(scopes))
        before = session.scalar(select(ApiClient).where(ApiClient.public_id == named))
        if before is not None:
            return _once_more(session, before, by, now)
        in_use = select(func.count()).where(owners.column == owner_id, ApiClient.ended_at.is_(None))
        if (session.scalar(in_use) or 0) >= MOST:
            raise TooManyClients(most=MOST)
        client = ApiClient(public_id=named, name=name, scopes=sorted(scopes), created_at=now)
        setattr(client, f"{owners.name}_id", owner_id)
        session.add(client)
        session.flush()
        made = _add_secret(session, client, PLACES[0], now)
        _audit(session, "api_client.added", client, by, now, scopes=client.scopes)
    return made


def add_secret(client_id: str, *, by: By, now: datetime, request: str = "") -> Credentials:
    """One more secret of a client, beside the one it has. Audited. `request` as for add_client(): sent twice it adds
    one, and the second answer has another in its place. Raises NotFound(field="client"), TwoSecrets, MadeBefore."""
    with transaction() as session:
        client = _live(session, client_id, by)
        named = id_of("sec", _sending(request, by, client_id)) if request else new_id("sec")
        before = session.scalar(select(ApiSecret).where(ApiSecret.public_id == named))
        if before is not None:
            used = session.scalar(select(ApiToken.id).where(ApiToken.secret_id == before.id).limit(1))
            if before.ended_at is not None or used is not None:
                raise MadeBefore(client=client.public_id)
            return _in_place_of(session, client, before, by, now)
        taken = set(
            session.scalars(
                select(ApiSecret.place).where(ApiSecret.client_id == client.id, ApiSecret.ended_at.is_(None))
            )
        )
        free = [place for place in PLACES if place not in taken]
        if not free:
            raise TwoSecrets()
        made = _add_secret(session, client, free[0], now, named)
        _audit(session, "api_secret.added", client, by, now, secret=made.secret_id)
    return made


def end_secret(client_id: str, secret_id: str, *, by: By, now: datetime, also: Besides | None = None) -> None:
    """End a secret and every token that was given for it, at once, and what `also` ends. Audited. Ended before, it
    stays so. Raises NotFound(field="client" or "secret")."""
    with transaction() as session:
        client = _live(session, client_id, by)
        secret = session.scalar(
            select(ApiSecret).where(ApiSecret.client_id == client.id, ApiSecret.public_id == secret_id)
        )
        if secret is None:
            raise NotFound(field="secret")
        if secret.ended_at is None:
            secret.ended_at = now
            _end_tokens(session, now, ApiToken.secret_id == secret.id)
            if also is not None:
                also(session, client)
            _audit(session, "api_secret.ended", client, by, now, secret=secret_id)


def end_client(client_id: str, *, by: By, now: datetime, also: Besides | None = None) -> None:
    """End a client with its secrets and tokens, at once and for good, and what `also` ends. Audited. Raises
    NotFound(field="client")."""
    with transaction() as session:
        client = _live(session, client_id, by)
        client.ended_at = now
        session.execute(
            update(ApiSecret).where(ApiSecret.client_id == client.id, ApiSecret.ended_at.is_(None)).values(ended_at=now)
        )
        _end_tokens(session, now, ApiToken.client_id == client.id)
        if also is not None:
            also(session, client)
        _audit(session, "api_client.ended", client, by, now)


def lock(session: Session, owners: Owners[Caller], owner_id: int) -> None:
    """Of two who make clients of an owner at once the second sees what the first one made."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCKS[owners.name], owner_id)))


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


def _live(session: Session, client_id: str, by: By) -> ApiClient:
    query = select(ApiClient).where(ApiClient.public_id == client_id, ApiClient.ended_at.is_(None), by.hers)
    client = session.scalar(query.with_for_update())
    if client is None:
        raise NotFound(field="client")
    return client


def _named(request: str, by: By, *given: str) -> str:
    """The public id of the client that a request makes: the same for the same request of the same person."""
    return id_of("cli", _sending(request, by, *given)) if request else new_id("cli")


def _sending(request: str, by: By, *given: str) -> str:
    return "\0".join((by.kind, by.name, request, *given))


def _once_more(session: Session, client: ApiClient, by: By, now: datetime) -> Credentials:
    """A secret in place of the first one of a client that the same request made before, if no program has signed in
    with it. Raises MadeBefore where more has happened with it since."""
    live = session.scalars(
        select(ApiSecret).where(ApiSecret.client_id == client.id, ApiSecret.ended_at.is_(None)).with_for_update()
    ).all()
    used = session.scalar(select(ApiToken.id).where(ApiToken.client_id == client.id).limit(1))
    if client.ended_at is not None or len(live) != 1 or used is not None:
        raise MadeBefore(client=client.public_id)
    return _in_place_of(session, client, live[0], by, now)


def _in_place_of(session: Session, client: ApiClient, unseen: ApiSecret, by: By, now: datetime) -> Credentials:
    """Another secret for one that nobody has used, and may not have seen."""
    unseen.ended_at = now
    session.flush()
    made = _add_secret(session, client, unseen.place, now)
    _audit(session, "api_secret.replaced", client, by, now, secret=made.secret_id, ended=unseen.public_id)
    return made


def _add_secret(
    session: Session, client: ApiClient, place: int, now: datetime, public_id: str | None = None
) -> Credentials:
    secret = _beginning(session, client) + secrets.token_urlsafe(32)
    row = ApiSecret(
        public_id=public_id or new_id("sec"),
        client_id=client.id,
        place=place,
        secret_hash=fingerprint(secret),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return Credentials(client.public_id, row.public_id, secret)


def _beginning(session: Session, client: ApiClient) -> str:
    owners: Owners[Caller] = PROVIDERS if client.provider_id is not None else INSURERS
    owner_id = getattr(client, f"{owners.name}_id")
    test = session.scalar(select(owners.twin_of).where(owners.table.id == owner_id)) is not None
    return (test and owners.of_tests) or owners.beginning


def _end_tokens(session: Session, now: datetime, which: ColumnElement[bool]) -> None:
    session.execute(update(ApiToken).where(which, ApiToken.ended_at.is_(None)).values(ended_at=now))


def _audit(session: Session, action: str, client: ApiClient, by: By, now: datetime, **facts: Any) -> None:
    audit.record(session, action, at=now, actor_kind=by.kind, actor=by.name, subject=client.public_id, **facts)
