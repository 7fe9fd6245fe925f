"""The breakers of each provider."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base


class ProviderBreaker(Base):
    """One provider's breaker for one kind of call (`booking.calls.breaker.Call`).

    `failures` in a row. `open_until` None: closed; once that moment is over, one probe may be made. `probe_until` is
    the lease of the probe that was claimed. `retry_at`: the provider asked to be left alone until then.
    """

    __tablename__ = "provider_breaker"
    __table_args__ = (
        CheckConstraint("failures >= 0", name="failures"),
        CheckConstraint("probe_until IS NULL OR open_until IS NOT NULL", name="probe"),
    )

    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"), primary_key=True)
    call: Mapped[str] = mapped_column(Text, primary_key=True)
    failures: Mapped[int] = mapped_column(server_default="0")
    opened_at: Mapped[datetime | None]
    open_until: Mapped[datetime | None]
    probe_until: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
