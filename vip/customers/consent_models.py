"""What an adult of the family has agreed to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class Consent(Base):
    """A person's agreement to one purpose; withdrawn, never deleted. At most one counts at a time.

    `purpose`: reports (they are fetched and shown) or dispatch (whoever is sent to her is given the booking's answers).
    `method`: phone_code (she passed on a code sent to her phone), booking (the customer said so as she booked) or
    demonstration. The phone's blind index is stored,
    and the number itself under her key of the class contact (record `consent:<public_id>:phone`), so that the index
    can be made anew under another key.
    """

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("purpose IN ('reports','dispatch')", name="purpose"),
        CheckConstraint("method IN ('phone_code','demonstration','booking')", name="method"),
        CheckConstraint("withdrawn_by IN ('customer','person')", name="withdrawn_by"),
        Index(
            "uq_consent_given",
            "beneficiary_id",
            "purpose",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("ix_consent_beneficiary", "beneficiary_id"),
        Index("ix_consent_phone", "phone_index", postgresql_where=text("withdrawn_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"))
    purpose: Mapped[str]
    method: Mapped[str]
    phone_index: Mapped[bytes | None] = mapped_column(BYTEA)
    phone_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    given_at: Mapped[Moment]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
