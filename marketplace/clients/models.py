"""The rows of API clients. Secrets and tokens are random, 256 bits: a plain hash of one says nothing about it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class ApiClient(Base):
    """A program of a provider that may call the partner API, or of an insurer that may call the insurer's. `public_id`
    is its OAuth client id."""

    __tablename__ = "api_client"
    __table_args__ = (
        CheckConstraint("(provider_id IS NULL) <> (insurer_id IS NULL)", name="owner"),
        Index("ix_api_client_insurer", "insurer_id", postgresql_where=text("insurer_id IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("provider.id"), index=True)
    insurer_id: Mapped[int | None] = mapped_column(ForeignKey("insurer.id"))
    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]


class ApiSecret(Base):
    """One of the secrets of a client. Each that is live stands in one of two places, so that there are two at most:
    a new one is used while the old one still works."""

    __tablename__ = "api_secret"
    __table_args__ = (
        CheckConstraint("place IN (1, 2)", name="place"),
        CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),
        Index("uq_api_secret_place", "client_id", "place", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    client_id: Mapped[int] = mapped_column(ForeignKey("api_client.id"))
    place: Mapped[int] = mapped_column(SmallInteger)
    secret_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]


class ApiToken(Base):
    """An access token. It ends with its time, its client, the secret that it was given for, or by itself."""

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        Index("ix_api_token_expires_at", "expires_at"),
    )

    id: Mapped[PrimaryKey]
    client_id: Mapped[int] = mapped_column(ForeignKey("api_client.id"), index=True)
    secret_id: Mapped[int] = mapped_column(ForeignKey("api_secret.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]
