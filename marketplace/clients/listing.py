"""The clients of a provider or an insurer, as whoever runs them needs to see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from marketplace.clients.models import ApiClient, ApiSecret, ApiToken
from marketplace.clients.owners import PROVIDERS, Caller, Owners
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound


@dataclass(frozen=True)
class Secret:
    """A live secret. `last_token`: when a token was last given for it, None when that is more than a week ago."""

    id: str
    made: datetime
    last_token: datetime | None


@dataclass(frozen=True)
class Client:
    """A client with its live secrets, the older first."""

    id: str
    name: str
    scopes: Sequence[str]
    ended: bool
    secrets: Sequence[Secret]


def clients_of(code: str, owners: Owners[Caller] = PROVIDERS) -> list[Client]:
    """All clients of the provider (or insurer) with this code, the oldest first. Raises NotFound(field="provider" or
    "insurer")."""
    with reading() as session:
        owner_id = session.scalar(select(owners.table.id).where(owners.table.code == code))
        if owner_id is None:
            raise NotFound(field=owners.name)
        last = select(func.max(ApiToken.created_at)).where(ApiToken.secret_id == ApiSecret.id).scalar_subquery()
        secrets: dict[int, list[Secret]] = {}
        for row in session.execute(
            select(ApiSecret.client_id, ApiSecret.public_id, ApiSecret.created_at, last)
            .join(ApiClient, ApiClient.id == ApiSecret.client_id)
            .where(owners.column == owner_id, ApiSecret.ended_at.is_(None))
            .order_by(ApiSecret.id)
        ):
            secrets.setdefault(row[0], []).append(Secret(row[1], row[2], row[3]))
        rows = session.scalars(select(ApiClient).where(owners.column == owner_id).order_by(ApiClient.id))
        return [
            Client(row.public_id, row.name, row.scopes, row.ended_at is not None, secrets.get(row.id, ()))
            for row in rows
        ]
