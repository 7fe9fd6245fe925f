"""Who asked to be told when a place is covered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class CoverageWish(Base):
    """A customer wants to be told once a site is covered for a kind of benefit. It ends when she was told, or when she
    takes it back."""

    __tablename__ = "coverage_wish"
    __table_args__ = (
        CheckConstraint("outcome IN ('open','told','withdrawn')", name="outcome"),
        CheckConstraint("(outcome = 'open') = (ended_at IS NULL)", name="ended"),
        Index(
            "uq_coverage_wish_open",
            "customer_id",
            "kind",
            "site_id",
            unique=True,
            postgresql_where=text("outcome = 'open'"),
        ),
        Index("ix_coverage_wish_open", "id", postgresql_where=text("outcome = 'open'")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    kind: Mapped[str]
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    asked_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(server_default="open")
