"""The keys of people, one for each class of their data."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base


class PersonKey(Base):
    """A person's data key of one class, wrapped by the master key (record `<public id>:<class>`). Without it what it
    sealed can't be read: None after `destroyed_at`."""

    __tablename__ = "person_key"
    __table_args__ = (
        CheckConstraint("retention IN ('contact','process','medical')", name="retention"),
        CheckConstraint("(wrapped_key IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"),
    )

    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"), primary_key=True)
    retention: Mapped[str] = mapped_column(Text, primary_key=True)
    wrapped_key: Mapped[bytes | None] = mapped_column(BYTEA)
    destroyed_at: Mapped[datetime | None]
