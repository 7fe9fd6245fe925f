"""What is stored of limits."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base


class RateBucket(Base):
    """What is left of a limit: the tokens there were at `refilled_at`. Or what was counted since the last report, which
    was then. The key is hashed with a secret."""

    __tablename__ = "rate_bucket"
    __table_args__ = (CheckConstraint("tokens >= 0", name="tokens"),)

    id: Mapped[PrimaryKey]
    key_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    tokens: Mapped[float]
    refilled_at: Mapped[Moment]
