"""Commands to a provider that belong to no booking of ours."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base

GAVE_UP = "gave_up"
"""How a cancel ends that was not ended by an answer; the fact of its case says after how many tries."""

WHY = "gave_up_why"
"""The fact that says why: what the last try came to, one of `silent`, `unreached`, `busy` and `undecided`."""
OF_ITS_CANCEL = ("code", GAVE_UP, WHY)
"""The facts of a case that say how its last cancel ended: why it was refused there, or given up."""


class StrayCancel(Base):
    """A cancel of a booking at the provider that belongs to nobody of ours: a command without a booking of its own.

    `key` is its idempotency key for life; `tries` the fencing token of a claim, `silent_tries` those that nobody
    answered. `sent_at`: from then on it may have been carried out, and nobody takes that reference over; after giving
    up not while its case is open. `outcome` says how it ended.
    """

    __tablename__ = "stray_cancel"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        Index("uq_stray_cancel_open", "discrepancy_id", unique=True, postgresql_where=text("finished_at IS NULL")),
        Index("ix_stray_cancel_due", "provider_id", "run_after", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(Text, unique=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    discrepancy_id: Mapped[int] = mapped_column(ForeignKey("discrepancy.id"))
    reference: Mapped[str] = mapped_column(Text)
    our_reference: Mapped[str] = mapped_column(Text)
    actor_kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[Moment]
    tries: Mapped[int] = mapped_column(server_default="0")
    silent_tries: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text, server_default="")
