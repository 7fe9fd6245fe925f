"""Ratings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base


class Rating(Base):
    """One booking's rating. `words_sealed`: under the person's process key, None without words. `at` is when it was
    first given, `changed_at` when last."""

    __tablename__ = "rating"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    id: Mapped[PrimaryKey]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    stars: Mapped[int]
    words_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    at: Mapped[Moment]
    changed_at: Mapped[datetime]
