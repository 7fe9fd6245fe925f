"""Events that streams deliver, and the tickets that open a stream."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, WritingTransaction
from marketplace.core.database.db import Base


class LiveEvent(Base):
    """Something has changed; rows are never changed, and deleted after an hour. `topics`: for whom, as
    booking.live.topics names them. `facts`: public ids, numbers and versions, never a word of anybody's: whoever is
    told asks for the thing itself."""

    __tablename__ = "live_event"

    id: Mapped[PrimaryKey]
    xact: Mapped[WritingTransaction] = mapped_column(index=True)
    topics: Mapped[list[str]] = mapped_column(ARRAY(Text))
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[Moment]


class LiveTicket(Base):
    """A ticket that was not used yet: its use deletes it. What it opens is its session's, and ends with that."""

    __tablename__ = "live_ticket"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sign_in_session.id", ondelete="CASCADE"))
    topics: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime]
