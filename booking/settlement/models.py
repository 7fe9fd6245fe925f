"""Closing statements and their lines."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class ClosingStatement(Base):
    """What one provider did for one insurer's customers on one day, as of when the day was closed.

    Never rewritten: a later change is a correction in a later statement. `day` is a service date; it ends at midnight
    in the provider's `time_zone`. `run_id` is the run that read the provider's list, None if it could not be read.
    `content` has the counts of both sides; money is in minor units, by currency.
    """

    __tablename__ = "closing_statement"
    __table_args__ = (UniqueConstraint("provider_id", "insurer_id", "day"),)

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    day: Mapped[date] = mapped_column(Date)
    time_zone: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("reconcile_run.id"))
    made_at: Mapped[Moment]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)


class StatementLine(Base):
    """What a statement adds for one booking: the difference between what the booking is worth and what was stated
    before, in units used and minor units. The sum of a booking's lines is what it is worth."""

    __tablename__ = "statement_line"
    __table_args__ = (
        UniqueConstraint("statement_id", "booking_id"),
        CheckConstraint("units <> 0 OR amount_minor <> 0", name="something"),
        Index("ix_statement_line_booking", "booking_id"),
    )

    id: Mapped[PrimaryKey]
    statement_id: Mapped[int] = mapped_column(ForeignKey("closing_statement.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    state: Mapped[str]
    service_date: Mapped[date] = mapped_column(Date)
    units: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    correction: Mapped[bool]
