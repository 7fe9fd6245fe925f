"""What belongs to a report besides its results: its papers, and to whom it was shown by a link."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.columns import Moment, PrimaryKey, PublicId
from marketplace.core.db import Base


class ReportDocument(Base):
    """A paper of one version, sealed under the version's key; papers count from 0. It has no name but that."""

    __tablename__ = "report_document"
    __table_args__ = (
        UniqueConstraint("version_id", "position"),
        CheckConstraint("media_type IN ('application/pdf','image/png')", name="media_type"),
        CheckConstraint("position >= 0 AND size >= 0", name="figures"),
    )

    id: Mapped[PrimaryKey]
    version_id: Mapped[int] = mapped_column(ForeignKey("report_version.id"))
    position: Mapped[int]
    media_type: Mapped[str]
    size: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(BYTEA)


class ReportShare(Base):
    """A link by which somebody without an account may read one report for a while.

    The token is kept as a hash, the access code as a keyed one; `views` never passes `max_views`. Ended, never deleted.
    """

    __tablename__ = "report_share"
    __table_args__ = (
        CheckConstraint("audience IN ('family','doctor')", name="audience"),
        CheckConstraint("tries >= 0", name="tries"),
        CheckConstraint("views >= 0 AND (max_views IS NULL OR views <= max_views)", name="views"),
        Index("ix_report_share_report", "report_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    report_id: Mapped[int] = mapped_column(ForeignKey("report.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    audience: Mapped[str]
    code_hash: Mapped[bytes | None] = mapped_column(BYTEA)
    tries: Mapped[int] = mapped_column(server_default="0")
    max_views: Mapped[int | None]
    views: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[datetime | None]
