"""What operators said of entries that may mean one hospital, and of what a kind of place may do."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, Float, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class SiteMerge(Base):
    """That site `site_id` is the hospital of site `into_id`, since when and by whom (an operator's public id), until it
    was undone. Never rewritten. `site.merged_into` is what follows from all that stand."""

    __tablename__ = "site_merge"
    __table_args__ = (
        CheckConstraint("site_id <> into_id", name="into_another"),
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone"),
        Index("uq_site_merge_standing", "site_id", unique=True, postgresql_where=text("undone_at IS NULL")),
        Index("ix_site_merge_into", "into_id", postgresql_where=text("undone_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    into_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    merged_at: Mapped[Moment]
    merged_by: Mapped[str] = mapped_column(Text)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(Text)


class SiteDouble(Base):
    """Two sites that may be one place, as the last search found: `score` and `reasons` are those of
    catalog.one_place.likeness. `lost_at`: since when it finds them no more. `apart_at`, `apart_by`: an operator said
    that they are not the same."""

    __tablename__ = "site_double"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="in_order"),
        CheckConstraint("(apart_at IS NULL) = (apart_by IS NULL)", name="apart"),
        Index("ix_site_double_second", "second_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    first_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    second_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    score: Mapped[float] = mapped_column(Float)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    found_at: Mapped[Moment]
    lost_at: Mapped[datetime | None]
    apart_at: Mapped[datetime | None]
    apart_by: Mapped[str | None] = mapped_column(Text)


class SiteAllowance(Base):
    """That a site may give a benefit kind which its kind of place can't, by an operator's word, until it was ended."""

    __tablename__ = "site_allowance"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index("uq_site_allowance_standing", "site_id", "kind", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(Text)
    allowed_at: Mapped[Moment]
    allowed_by: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(Text)
