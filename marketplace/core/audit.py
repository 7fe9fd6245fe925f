"""The audit trail: who did what to whose data, one line each. The application's role can only add to it.

No line is ever deleted. They are sealed into a chain after they were written (`marketplace.chain`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, WritingTransaction
from marketplace.core.database.db import Base


class AuditLine(Base):
    """One line. `actor` and `subject` are public ids; `facts` hold no personal data."""

    __tablename__ = "audit_line"
    __table_args__ = (Index("ix_audit_line_subject", "subject", "id"), Index("ix_audit_line_xact", "xact", "id"))

    id: Mapped[PrimaryKey]
    at: Mapped[Moment]
    insurer_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    xact: Mapped[WritingTransaction]


def record(
    session: Session,
    action: str,
    *,
    at: datetime,
    actor_kind: str,
    actor: str,
    subject: str,
    insurer_id: int | None = None,
    **facts: Any,
) -> None:
    """Add a line in the caller's transaction."""
    session.add(
        AuditLine(
            at=at,
            insurer_id=insurer_id,
            actor_kind=actor_kind,
            actor=actor,
            action=action,
            subject=subject,
            facts=facts,
        )
    )
