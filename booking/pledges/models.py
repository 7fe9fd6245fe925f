"""Pledges, and what was given for broken ones."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

REQUEST_ANSWER = "request_answer"
"""The promise that a request is answered by its deadline (booking.pledges.request)."""
OPEN = ("pending", "at_risk")
"""States in which a pledge can still be met."""
_OPEN = text("state IN ('pending','at_risk')")


class Pledge(Base):
    """A promise to a customer: `promise` (a code, as first_answer) about a subject (a kind and a public id) within so
    many `seconds`. There is one of each promise for a subject, whoever asks for it, and however often.

    `risk_due_at` and `due_at`: when it becomes at risk and when it is broken. `at_risk_at`, `met_at`, `breached_at` and
    `cancelled_at`: when that was. One that is met, breached or cancelled never changes again (trigger pledge_ends).
    `units`: how many units a broken one gives, as was ruled when it began. `booking_id`: the booking it is about, None
    for a promise about something else.
    """

    __tablename__ = "pledge"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject", "promise"),
        CheckConstraint("state IN ('pending','at_risk','breached','met','cancelled')", name="state"),
        CheckConstraint(
            "(state = 'met') = (met_at IS NOT NULL) AND (state = 'breached') = (breached_at IS NOT NULL)"
            " AND (state = 'cancelled') = (cancelled_at IS NOT NULL)",
            name="end",
        ),
        CheckConstraint(
            "(state <> 'pending' OR at_risk_at IS NULL) AND (state <> 'at_risk' OR at_risk_at IS NOT NULL)", name="risk"
        ),
        CheckConstraint(
            "seconds > 0 AND extract(epoch FROM due_at - begun_at) = seconds"
            " AND risk_due_at > begun_at AND risk_due_at < due_at",
            name="times",
        ),
        CheckConstraint(
            "met_at < due_at AND cancelled_at < due_at AND breached_at >= due_at", name="decided_by_moment"
        ),
        CheckConstraint("units >= 0", name="units"),
        Index("ix_pledge_booking", "booking_id"),
        Index("ix_pledge_due", "due_at", postgresql_where=_OPEN),
        Index("ix_pledge_risk_due", "risk_due_at", postgresql_where=text("state = 'pending'")),
        Index("ix_pledge_provider", "provider_id", "begun_at"),
        Index("ix_pledge_insurer", "insurer_id", "begun_at"),
        Index("ix_pledge_customer", "customer_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    promise: Mapped[str]
    subject_kind: Mapped[str]
    subject: Mapped[str]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    seconds: Mapped[int]
    units: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="pending")
    begun_at: Mapped[Moment]
    risk_due_at: Mapped[Moment]
    due_at: Mapped[Moment]
    at_risk_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class PledgeCompensation(Base):
    """What a broken pledge gave: one row for a pledge at most, so that nothing is given twice. `entitlement_id` is what
    was granted; None where the benefit is unlimited or nothing was promised: then it is the record of our regret."""

    __tablename__ = "pledge_compensation"
    __table_args__ = (
        CheckConstraint("(units = 0) = (entitlement_id IS NULL)", name="granted"),
        CheckConstraint("units >= 0", name="units"),
    )

    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id"), primary_key=True)
    entitlement_id: Mapped[int | None] = mapped_column(ForeignKey("entitlement.id"), unique=True)
    units: Mapped[int]
    at: Mapped[Moment]
