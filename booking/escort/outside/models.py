"""Which lines of a provider that sends escorts of its own stand here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import PrimaryKey
from marketplace.core.database.db import Base


class EscortLineTaken(Base):
    """A line by the provider's number `seq`, and what came of it (`came`): `named` (who comes), `released` (she does
    not), `deed` (`deed_id`), `kept_out` (of somebody who was never named, or of what is over) or `passed` (it could not
    be read). Rows are never changed.

    `their_id` is the provider's name of it, None of one that could not be read. `digest_sealed`: the SHA-256 of what it
    says under the person's medical key, to know the same line again; None where there is none.
    """

    __tablename__ = "escort_line"
    __table_args__ = (
        UniqueConstraint("listening_id", "seq"),
        UniqueConstraint("listening_id", "their_id"),
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("came IN ('named','released','deed','kept_out','passed')", name="came"),
        CheckConstraint("(came = 'deed') = (deed_id IS NOT NULL)", name="deed"),
    )

    id: Mapped[PrimaryKey]
    listening_id: Mapped[int] = mapped_column(ForeignKey("escort_listening.id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    their_id: Mapped[str | None] = mapped_column(Text)
    came: Mapped[str]
    deed_id: Mapped[int | None] = mapped_column(ForeignKey("escort_deed.id"), unique=True)
    digest_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    received_at: Mapped[datetime]
