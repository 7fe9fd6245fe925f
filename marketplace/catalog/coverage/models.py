"""What was said of coverage, line by line."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Computed, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

SITE, DISTRICT_AND_TIER, DISTRICT, TIER, CITY = 4, 3, 2, 1, 0
"""How narrow what a line is about is: the narrower one counts."""

_NARROWNESS = (
    f"CASE WHEN site_id IS NOT NULL THEN {SITE} "
    f"WHEN district IS NOT NULL AND tier IS NOT NULL THEN {DISTRICT_AND_TIER} "
    f"WHEN district IS NOT NULL THEN {DISTRICT} WHEN tier IS NOT NULL THEN {TIER} ELSE {CITY} END"
)


class CoverageLine(Base):
    """One statement about a kind of benefit in a city, or in a part of it: a district, the sites of a tier (`unknown`:
    those whose tier is not known), both, or one site.

    It counts from a day on, for the customers of one insurer or (`insurer_id` None) of all. `level` None takes back
    what was said of exactly that part, so that the wider lines count there again. Lines are never changed or deleted:
    what counts is decided by level.py. `actor` is who wrote it, an operator's public id or `system`; `source` by what
    way: `console`, `command`, or the import that it came with.
    """

    __tablename__ = "coverage_line"
    __table_args__ = (
        CheckConstraint("level IN ('covered','on_request','not_covered')", name="level"),
        CheckConstraint("site_id IS NULL OR (district IS NULL AND tier IS NULL)", name="one_part"),
        CheckConstraint("province <> '' AND city <> '' AND district <> '' AND tier <> ''", name="no_blanks"),
        Index("ix_coverage_line_place", "kind", "province", "city", "counts_from"),
        Index("ix_coverage_line_site", "site_id", postgresql_where=text("site_id IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int | None] = mapped_column(ForeignKey("insurer.id"))
    kind: Mapped[str]
    province: Mapped[str]
    city: Mapped[str]
    district: Mapped[str | None]
    tier: Mapped[str | None]
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    narrowness: Mapped[int] = mapped_column(BigInteger, Computed(_NARROWNESS, persisted=True))
    level: Mapped[str | None]
    counts_from: Mapped[date] = mapped_column(Date)
    actor: Mapped[str]
    source: Mapped[str]
    written_at: Mapped[Moment]
