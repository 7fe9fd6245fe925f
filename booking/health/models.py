"""Calls to providers and answers of providers, counted."""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from booking.models import BookingHistory
from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base


class ProviderCallCount(Base):
    """What one provider answered in one kind of call (`booking.calls.breaker.Call`) within the five minutes that begin
    `at`; of the kind `answers`, the bookings that it said yes or no to.

    `calls` is the sum of `succeeded` and of all kinds of failure. `histogram` counts the calls by how long they took
    (booking.health.histogram); `milliseconds` is the sum.
    """

    __tablename__ = "provider_call_count"
    __table_args__ = (
        UniqueConstraint("provider_id", "call", "at"),
        CheckConstraint(
            "calls = succeeded + timed_out + unreached + server_errors + client_errors + unreadable + rate_limited"
            " + other_errors",
            name="calls",
        ),
        Index("ix_provider_call_count_at", "at"),
        Index("ix_provider_call_count_answers", "at", postgresql_where=text("call = 'answers'")),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    call: Mapped[str] = mapped_column(Text)
    at: Mapped[Moment]
    calls: Mapped[int]
    succeeded: Mapped[int]
    timed_out: Mapped[int] = mapped_column(server_default="0")
    unreached: Mapped[int] = mapped_column(server_default="0")
    server_errors: Mapped[int] = mapped_column(server_default="0")
    client_errors: Mapped[int] = mapped_column(server_default="0")
    unreadable: Mapped[int] = mapped_column(server_default="0")
    rate_limited: Mapped[int] = mapped_column(server_default="0")
    other_errors: Mapped[int] = mapped_column(server_default="0")
    milliseconds: Mapped[int]
    histogram: Mapped[list[int]] = mapped_column(ARRAY(Integer))


ANSWERED = (
    "actor_kind = 'provider' AND from_state IN ('awaiting_provider','outcome_unknown')"
    " AND to_state IN ('confirmed','rejected')"
)
"""The lines of a history in which a provider answers a request."""

ASKED = "to_state = 'awaiting_provider' AND from_state IS DISTINCT FROM 'outcome_unknown'"
"""The lines of a history in which a provider is asked; one that goes on after an unknown outcome asks nothing anew."""

Index("ix_booking_history_answered", BookingHistory.at, postgresql_where=text(ANSWERED))
