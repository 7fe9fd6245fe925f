"""What customers mark of the catalogue."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base


class FavouriteSite(Base):
    """A customer wants to find this place again; the row goes when she does not."""

    __tablename__ = "favourite_site"
    __table_args__ = (UniqueConstraint("customer_id", "site_id"),)

    id: Mapped[PrimaryKey]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    created_at: Mapped[Moment]
