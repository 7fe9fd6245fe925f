"""What is stored of the desk's canned phrases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class ConsultationPhrase(Base):
    """A sentence that clinicians insert instead of typing it. `member_id`: whose own it is; None where all clinicians
    of the provider share it. `department`: a code, None for all. At least one of the two texts is there; it is shown in
    conversations of that language. They are read by `position`, then as they were made. `removed_at`: it is gone."""

    __tablename__ = "consultation_phrase"
    __table_args__ = (
        CheckConstraint("text_zh IS NOT NULL OR text_en IS NOT NULL", name="some_text"),
        Index("ix_consultation_phrase_list", "provider_id", "member_id", postgresql_where=text("removed_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    department: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    text_zh: Mapped[str | None] = mapped_column(Text)
    text_en: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    removed_at: Mapped[datetime | None]
