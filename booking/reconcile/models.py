"""Reconciliation runs, and look-ups of single bookings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class ReconcileRun(Base):
    """One comparison of our books with a provider's, requested by an operator or due by the clock. At most one runs at
    a time for a provider.

    `case_id` limits it to one discrepancy that an operator wants asked about again. `counts`: listed, unreadable,
    compared, busy, found, repaired, opened, closed, unverified. `theirs` sums up the last days of the provider's list,
    for the closing statements. A running one whose `lease_until` has passed was killed.
    """

    __tablename__ = "reconcile_run"
    __table_args__ = (
        CheckConstraint("state IN ('queued','running','done','failed')", name="state"),
        Index("uq_reconcile_run_running", "provider_id", unique=True, postgresql_where=text("state = 'running'")),
        Index(
            "uq_reconcile_run_queued",
            "provider_id",
            text("coalesce(case_id, 0)"),
            unique=True,
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_reconcile_run_provider", "provider_id", "id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("discrepancy.id"))
    state: Mapped[str]
    actor_kind: Mapped[str]
    actor: Mapped[str] = mapped_column(server_default="")
    asked_at: Mapped[Moment]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    theirs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class BookingLookUp(Base):
    """When a confirmed booking was last looked up at its provider, whose list of bookings is not read.

    `asked_at` and `calls` (how many requests it took) count against the provider's rate. `answered_at`: the last clear
    answer, None before the first.
    """

    __tablename__ = "booking_look_up"
    __table_args__ = (
        CheckConstraint("calls >= 0", name="calls"),
        Index("ix_booking_look_up_asked", "provider_id", "asked_at"),
    )

    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    asked_at: Mapped[Moment]
    answered_at: Mapped[datetime | None]
    calls: Mapped[int]
