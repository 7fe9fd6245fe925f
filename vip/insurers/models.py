"""Rows of what insurers' systems do: keys of their apps, and customers they bring."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class InsurerKey(Base):
    """A public key by which an insurer's app signs whom it has signed in. `kid` is its name in the insurer's tokens,
    `issuer` what they call themselves; `algorithms` are the only ones that this key is used with."""

    __tablename__ = "insurer_key"
    __table_args__ = (
        Index("uq_insurer_key_kid", "insurer_id", "kid", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    issuer: Mapped[str] = mapped_column(Text)
    kid: Mapped[str] = mapped_column(Text)
    algorithms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    public_key: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]


class UsedAssertion(Base):
    """A token of an insurer's app that was exchanged: its `jti`, hashed, is taken once. Stored until the token has long
    been over."""

    __tablename__ = "used_assertion"
    __table_args__ = (
        UniqueConstraint("insurer_id", "jti_hash"),
        CheckConstraint("octet_length(jti_hash) = 32", name="jti_hash"),
        Index("ix_used_assertion_expires_at", "expires_at"),
    )

    id: Mapped[PrimaryKey]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    jti_hash: Mapped[bytes] = mapped_column(BYTEA)
    expires_at: Mapped[Moment]


class SignInLink(Base):
    """A link by which an insurer's app opens the pages for one customer of that insurer, once and within a minute.
    Only the token's hash is stored. `path` is where it leads."""

    __tablename__ = "sign_in_link"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "insurer_id"], ["customer.id", "customer.insurer_id"]),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        CheckConstraint("expires_at <= created_at + interval '60 seconds'", name="short"),
        Index("ix_sign_in_link_customer", "customer_id"),
        Index("ix_sign_in_link_expires_at", "expires_at"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    client_id: Mapped[int] = mapped_column(ForeignKey("api_client.id"), index=True)
    customer_id: Mapped[int]
    path: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None]
