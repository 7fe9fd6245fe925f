"""Copies of a customer's data that she asked for, and erasures."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class PersonalExport(Base):
    """A copy of everything about a customer and her family, as she asked for it: a ZIP in sealed parts.

    The worker makes it and takes a lease; `tries` is the fencing token of a claim. `shown` are the people (internal
    ids) whose results are in it: it isn't given out once one of them may not be shown any more. `versions` are the
    versions of reports (internal ids) that can be read in it. Row and parts are deleted after `expires_at`, and with
    them the key (record = public id) that seals the parts.
    """

    __tablename__ = "personal_export"
    __table_args__ = (
        CheckConstraint("state IN ('asked','ready','failed')", name="state"),
        CheckConstraint("(state = 'ready') = (ready_at IS NOT NULL)", name="ready"),
        Index("ix_personal_export_customer", "customer_id", "id"),
        Index("uq_personal_export_asked", "customer_id", unique=True, postgresql_where=text("state = 'asked'")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(server_default="0")
    asked_at: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    size: Mapped[int] = mapped_column(server_default="0")
    shown: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    versions: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    wrapped_key: Mapped[bytes] = mapped_column(BYTEA)


class PersonalExportPart(Base):
    """Some megabytes of a copy, sealed under its key and bound to their position; parts count from 0."""

    __tablename__ = "personal_export_part"
    __table_args__ = (UniqueConstraint("export_id", "position"),)

    id: Mapped[PrimaryKey]
    export_id: Mapped[int] = mapped_column(ForeignKey("personal_export.id", ondelete="CASCADE"))
    position: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(BYTEA)


class Erasure(Base):
    """The erasure of a customer, or of a relative whom she removed: what is over already, and until when the rest
    stays. A class is over at its `…_done_at`; the days are the last on which what stays is stored."""

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint("(customer_id IS NULL) <> (beneficiary_id IS NULL)", name="whose"),
        UniqueConstraint("customer_id"),
        UniqueConstraint("beneficiary_id"),
        Index("ix_erasure_unfinished", "id", postgresql_where=text("medical_done_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    beneficiary_id: Mapped[int | None] = mapped_column(ForeignKey("beneficiary.id"))
    asked_at: Mapped[Moment]
    process_until: Mapped[date | None] = mapped_column(Date)
    medical_until: Mapped[date | None] = mapped_column(Date)
    contact_done_at: Mapped[datetime | None]
    process_done_at: Mapped[datetime | None]
    medical_done_at: Mapped[datetime | None]
