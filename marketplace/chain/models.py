"""The tables of the chain. The application's role can only add to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base


class AuditSeal(Base):
    """One batch of the chain: the lines that `snapshot` shows and `base` (NULL: nothing) does not.

    More of them than fit into one batch make several with the same two snapshots: `through` says by table at which
    position (transaction, id) this one ends, `after` where the one before it ended; both are empty where all fits.
    `audit_digests` are 32 bytes for each of `audit_ids`, in their order; those of the ledger likewise.
    """

    __tablename__ = "audit_seal"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sealed_at: Mapped[Moment]
    base: Mapped[str | None] = mapped_column(Text)
    snapshot: Mapped[str] = mapped_column(Text)
    after: Mapped[dict[str, list[int]]] = mapped_column(JSONB)
    through: Mapped[dict[str, list[int]]] = mapped_column(JSONB)
    audit_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    audit_digests: Mapped[bytes] = mapped_column(BYTEA)
    ledger_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    ledger_digests: Mapped[bytes] = mapped_column(BYTEA)
    previous: Mapped[bytes] = mapped_column(BYTEA)
    hash: Mapped[bytes] = mapped_column(BYTEA)


class AuditVerification(Base):
    """How a verification of the chain ended; `findings` are the first of the `found`, each as a sentence."""

    __tablename__ = "audit_verification"

    id: Mapped[PrimaryKey]
    at: Mapped[datetime]
    seals: Mapped[int]
    lines: Mapped[int]
    found: Mapped[int]
    findings: Mapped[list[Any]] = mapped_column(JSONB)
