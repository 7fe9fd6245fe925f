"""The rows of tests: a system as somebody proposed it, and what came when it was tried."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class SystemTest(Base):
    """A test of a provider's system. `actor` is a member's public id. `secret_sealed` is erased when the test ends in
    anything but `fit`, when its values are connected, and an hour after it was asked for; `secret_hash`, a keyed
    fingerprint, still tells whether a secret is the one that was tried; `wrong_secrets` counts those typed that were
    not. `secret_kept`: it is the one that the provider had already.

    `connection_mark` tells whether the provider's system is still reached as it was when the test was asked for, or,
    once the test is connected, as was written then (booking.joining.present).

    `outcome` is one of booking.joining.outcomes; `calls` is what was asked and what came of each, `missing` what the
    system lacks in both languages: no secrets, no bodies. `tries` is a fencing token. One that runs and whose
    `lease_until` has passed is carried out by somebody else.
    """

    __tablename__ = "system_test"
    __table_args__ = (
        CheckConstraint("state IN ('queued','running','done')", name="state"),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL AND outcome <> '')", name="finished"),
        CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="lease"),
        CheckConstraint("secret_sealed IS NULL OR state <> 'done' OR outcome = 'fit'", name="secret_erased"),
        CheckConstraint("connected_at IS NULL OR (outcome = 'fit' AND secret_sealed IS NULL)", name="connected"),
        Index("ix_system_test_provider_id", "provider_id", "id"),
        Index(
            "uq_system_test_open",
            "provider_id",
            unique=True,
            postgresql_where=text("state IN ('queued','running')"),
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    actor: Mapped[str] = mapped_column(Text)
    adapter: Mapped[str] = mapped_column(Text)
    base_url: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    secret_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    secret_hash: Mapped[bytes] = mapped_column(BYTEA)
    secret_kept: Mapped[bool]
    wrong_secrets: Mapped[int] = mapped_column(server_default="0")
    connection_mark: Mapped[bytes | None] = mapped_column(BYTEA)
    asked_at: Mapped[Moment]
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    tries: Mapped[int] = mapped_column(server_default="0")
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text, server_default="")
    milliseconds: Mapped[int | None]
    calls: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    missing: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    connected_at: Mapped[datetime | None]
