"""Reports with their versions and papers, the links that share them, and the codes of providers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.models import Booking
from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base
from vip.models import Beneficiary


class ReportItemCode(Base):
    """A provider's `code` means the vocabulary's `item`; a blank item means that the mapping was removed."""

    __tablename__ = "report_item_code"
    __table_args__ = (UniqueConstraint("provider_id", "code"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    code: Mapped[str]
    item: Mapped[str]
    changed_at: Mapped[Moment]


class Report(Base):
    """A delivered result. Versions never overwrite each other; `state` as in the booking's report axis."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("provider_id", "reference"),
        CheckConstraint("state IN ('expected','partial','ready','corrected')", name="state"),
        Index("ix_report_beneficiary", "beneficiary_id", "id"),
        Index("ix_report_booking", "booking_id"),
        Index("ix_report_customer", "customer_id", "id"),
        Index("ix_report_due", "provider_id", "fetch_after", postgresql_where=text("fetch_after IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    reference: Mapped[str]
    state: Mapped[str]
    announced_version: Mapped[int]
    fetched_version: Mapped[int] = mapped_column(server_default="0")
    issued_at: Mapped[Moment]
    fetch_after: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[Moment]
    deleted_at: Mapped[datetime | None]

    booking: Mapped[Booking] = relationship()
    beneficiary: Mapped[Beneficiary] = relationship()


class ReportVersion(Base):
    """One version of a report, sealed under a key of its own that the master key wraps; without the key it cannot be
    read.

    `content_sealed`: JSON of items and conclusion; `document_sealed`: the first paper, of `document_type` (blank when
    there is none), megabytes that are read only when asked for. All papers are rows of `report_document`; versions from
    before that table have this one alone.
    """

    __tablename__ = "report_version"
    __table_args__ = (
        UniqueConstraint("report_id", "version"),
        CheckConstraint("status IN ('partial','final','corrected')", name="status"),
    )

    id: Mapped[PrimaryKey]
    report_id: Mapped[int] = mapped_column(ForeignKey("report.id"))
    version: Mapped[int]
    status: Mapped[str]
    issued_at: Mapped[Moment]
    received_at: Mapped[Moment]
    wrapped_key: Mapped[bytes | None] = mapped_column(BYTEA)
    content_sealed: Mapped[bytes] = mapped_column(BYTEA)
    document_sealed: Mapped[bytes] = mapped_column(BYTEA, deferred=True)
    document_type: Mapped[str]
    items: Mapped[int]
    abnormal: Mapped[int]


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
    """A link by which a person without an account can read one report until `expires_at`.

    Of the token a hash is stored, of the access code a keyed hash. `views` never exceeds `max_views`. Rows are revoked,
    never deleted.
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
    # No longer used (see booking.reports.share). The release before this one reads it; the next one drops it.
    tries: Mapped[int] = mapped_column(server_default="0")
    max_views: Mapped[int | None]
    views: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[datetime | None]
