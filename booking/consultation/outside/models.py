"""What has to reach a provider whose own doctors answer, and which of their lines stand here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base

UNFINISHED = "state IN ('queued','in_flight')"
"""What is still on its way."""


class ConversationDelivery(Base):
    """What has to reach the provider of an outside conversation: a message of the customer (`message_id`), or that it
    is over here (`reason`: closed, idle or cancelled). `key` never changes: of a message it is the message's public id.

    Claimed with SKIP LOCKED and a lease, only the oldest unfinished of a conversation (by `id`, which was given under
    the conversation's lock); `tries` is the fencing token of a claim. `sent_at`: from then on the provider may have it.
    `state`: queued, in_flight, delivered, or refused, and then `refusal` says why: a code of the provider's, or `ended`
    where the conversation ended before.
    """

    __tablename__ = "conversation_delivery"
    __table_args__ = (
        CheckConstraint("state IN ('queued','in_flight','delivered','refused')", name="state"),
        CheckConstraint("(state IN ('delivered','refused')) = (finished_at IS NOT NULL)", name="finished"),
        CheckConstraint("(state = 'in_flight') = (lease_until IS NOT NULL)", name="lease"),
        CheckConstraint("(state = 'refused') = (refusal <> '')", name="refusal"),
        CheckConstraint("(message_id IS NULL) = (reason <> '')", name="what"),
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_conversation_delivery_due", "provider_id", "run_after", postgresql_where=text(UNFINISHED)),
        Index("ix_conversation_delivery_line", "conversation_id", "id", postgresql_where=text(UNFINISHED)),
        Index("ix_conversation_delivery_conversation", "conversation_id"),
    )

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(Text, unique=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("conversation_message.id"), unique=True)
    reason: Mapped[str] = mapped_column(Text, server_default="")
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    tries: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(Text, server_default="")


class ConversationLine(Base):
    """A line of what an outside provider's doctors said, by the provider's number `seq`, and the message that it is
    here: hers, or the automatic one that says that it could not be read. Rows are never changed.

    `their_id` is the provider's name of it, None of one that could not be read. `digest_sealed`: the SHA-256 of its
    body under the person's medical key, to know the same line again; None where there is none.
    """

    __tablename__ = "conversation_line"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "their_id"),
        CheckConstraint("seq > 0", name="seq"),
    )

    id: Mapped[PrimaryKey]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    their_id: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[int] = mapped_column(ForeignKey("conversation_message.id"), unique=True)
    digest_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
