"""What a provider's own codes for results mean in our vocabulary."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.columns import Moment, PrimaryKey
from marketplace.core.db import Base


class ReportItemCode(Base):
    """A provider's `code` stands for the vocabulary's `item`; a blank item takes the mapping back."""

    __tablename__ = "report_item_code"
    __table_args__ = (UniqueConstraint("provider_id", "code"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    code: Mapped[str]
    item: Mapped[str]
    changed_at: Mapped[Moment]
