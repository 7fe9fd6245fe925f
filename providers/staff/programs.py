"""The provider's own programs, as its managers look after them: clients of the partner API and their secrets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from marketplace.catalog.models import Provider
from marketplace.clients import credentials, listing
from marketplace.clients.credentials import By, Credentials
from marketplace.clients.listing import Client
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from providers.staff.duties import require
from vip.principal import Member
from vip.signin.signin import require_recent


def programs_of(member: Member) -> Sequence[Client]:
    """All clients of her provider, the oldest first. Raises NotFound without the duty."""
    require(member, "setup")
    return listing.clients_of(_code(member))


def program_of(member: Member, client_id: str) -> Client:
    """One of them. Raises NotFound."""
    for each in programs_of(member):
        if each.id == client_id:
            return each
    raise NotFound(field="client")


def add_program(member: Member, name: str, scopes: Collection[str], *, now: datetime, request: str = "") -> Credentials:
    """A new client with its first secret, to be shown once; the same `request` sent twice makes one. Audited. Raises
    NotFound, SignInAgain, Invalid(field="name" or "scopes"), TooManyClients, MadeBefore."""
    allow(member, now)
    return credentials.add_client(_code(member), name, scopes, by=_by(member), now=now, request=request)


def add_secret(member: Member, client_id: str, *, now: datetime, request: str = "") -> Credentials:
    """A second secret, to be shown once; the same `request` sent twice adds one. Audited. Raises NotFound, SignInAgain,
    TwoSecrets, MadeBefore."""
    allow(member, now)
    return credentials.add_secret(client_id, by=_by(member), now=now, request=request)


def end_secret(member: Member, client_id: str, secret_id: str, *, now: datetime) -> None:
    """End a secret and all tokens given for it. Audited. Raises NotFound, SignInAgain."""
    allow(member, now)
    credentials.end_secret(client_id, secret_id, by=_by(member), now=now)


def end_program(member: Member, client_id: str, *, now: datetime) -> None:
    """End a client for good. Audited. Raises NotFound, SignInAgain."""
    allow(member, now)
    credentials.end_client(client_id, by=_by(member), now=now)


def allow(member: Member, now: datetime) -> None:
    """Whether she may change how her provider's programs are connected: that decides who reads its bookings, so a
    session that was left open doesn't. Raises NotFound without the duty, SignInAgain."""
    require(member, "setup")
    require_recent(member, now)


def _by(member: Member) -> By:
    return By("provider", member.public_id, member.provider_id)


def _code(member: Member) -> str:
    with reading() as session:
        return session.get_one(Provider, member.provider_id).code
