"""The rows of rehearsals: what was asked for, the fault of each test booking, and what happened there.

The first two name the provider as a market of its own, which only a twin is (marketplace.catalog.markets), and a
foreign key compares that with the provider's row: a rehearsal, and with it a fault, can't be of a provider whose
customers are real.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


def _of_a_twin(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["provider_id", "market"], ["provider.id", "provider.market"], name=f"fk_{table}_provider_market"
    )


class Rehearsal(Base):
    """Test bookings that are made one after another, each with a fault of the plan. At most one is open for a provider.

    `offer` is a public id. `stop_asked`: it ends after the step that is being done. `lease_until`: somebody does a
    step. `reason`: why it ended without all of its bookings. `actor` is a member's, an operator's or a client's public
    id, or blank.
    """

    __tablename__ = "rehearsal"
    __table_args__ = (
        _of_a_twin("rehearsal"),
        UniqueConstraint("id", "provider_id", name="uq_rehearsal_provider"),
        CheckConstraint("state IN ('queued','running','done','stopped')", name="state"),
        CheckConstraint("(state IN ('done','stopped')) = (finished_at IS NOT NULL)", name="finished"),
        CheckConstraint("bookings BETWEEN 1 AND 20", name="bookings"),
        CheckConstraint("seed BETWEEN 0 AND 999999999", name="seed"),
        CheckConstraint("cardinality(kinds) > 0", name="kinds"),
        Index("ix_rehearsal_provider_id", "provider_id", "id"),
        Index("uq_rehearsal_open", "provider_id", unique=True, postgresql_where=text("state IN ('queued','running')")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int]
    market: Mapped[int] = mapped_column(BigInteger, Computed("provider_id", persisted=True))
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    seed: Mapped[int]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    bookings: Mapped[int]
    offer: Mapped[str] = mapped_column(Text)
    actor_kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    stop_asked: Mapped[bool] = mapped_column(server_default="false")
    reason: Mapped[str] = mapped_column(Text, server_default="")
    asked_at: Mapped[Moment]
    started_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class RehearsalBooking(Base):
    """One test booking of a rehearsal and its fault (booking.faults.plan.Fault). `booking` is its public id, blank
    before it is made. `struck_at`: when what strikes once did. `state`: what it was judged, `reason` by which code."""

    __tablename__ = "rehearsal_booking"
    __table_args__ = (
        _of_a_twin("rehearsal_booking"),
        ForeignKeyConstraint(
            ["rehearsal_id", "provider_id"],
            ["rehearsal.id", "rehearsal.provider_id"],
            name="fk_rehearsal_booking_rehearsal",
            ondelete="CASCADE",
        ),
        UniqueConstraint("rehearsal_id", "number"),
        CheckConstraint(
            "kind IN ('lost_answer','duplicate','out_of_order','clock_skew','gone','late')",
            name="kind",
        ),
        CheckConstraint("state IN ('waiting','running','right','wrong','not_tried')", name="state"),
        Index(
            "uq_rehearsal_booking_booking",
            "provider_id",
            "booking",
            unique=True,
            postgresql_where=text("booking <> ''"),
        ),
    )

    id: Mapped[PrimaryKey]
    rehearsal_id: Mapped[int]
    provider_id: Mapped[int]
    market: Mapped[int] = mapped_column(BigInteger, Computed("provider_id", persisted=True))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)
    seconds: Mapped[int]
    hold: Mapped[int]
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    reason: Mapped[str] = mapped_column(Text, server_default="")
    booking: Mapped[str] = mapped_column(Text, server_default="")
    made_at: Mapped[datetime | None]
    struck_at: Mapped[datetime | None]
    judged_at: Mapped[datetime | None]


class RehearsalStep(Base):
    """A line of a test booking's timeline: what we, the partner or the customer did. `facts` hold no personal data:
    statuses, codes, types of events, and of an idempotency key the beginning of its hash."""

    __tablename__ = "rehearsal_step"
    __table_args__ = (
        CheckConstraint("by IN ('us','partner','customer')", name="by"),
        Index("ix_rehearsal_step_of", "rehearsal_booking_id", "id"),
    )

    id: Mapped[PrimaryKey]
    rehearsal_booking_id: Mapped[int] = mapped_column(ForeignKey("rehearsal_booking.id", ondelete="CASCADE"))
    at: Mapped[Moment]
    by: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
