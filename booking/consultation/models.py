"""Conversations of a consultation and their messages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class Conversation(Base):
    """What is said in one booking of a kind without slots. `department` is one of the offer's package, `language` zh or
    en. `last_seq` is the number of the newest message, given under this row's lock: it is the order of all.

    `clinician_id`: the member who has it in hand, None while it waits; how many each has is moved by trigger
    (conversation_moves_in_hand). `handed_back_at`: when a clinician gave it back last; it stands before others then.
    `absent_id`: who had it in hand and was not seen any more, so that it went back; None once somebody has it again.
    `reports_agreed_at`: since when the customer lets the doctor see earlier reports of every provider; None: not.
    `flagged_at`: when an emergency sign was first found in the customer's words; a flagged one is taken first.
    `first_message_at` and `first_answer_at` are the customer's first message and the first one of a person who
    answered. `closed_at`: since when nothing can be added, unless it is reopened.

    `outside`: doctors of an outside provider answer it in their own system; then no member ever has it in hand, and
    `outside_clinician_id` is who answered last. `their_seq`: the provider's number of the newest line of theirs that
    stands here. `listen_at`: when their list of lines is read next, None while it is not. `their_version`: the version
    of the provider's booking when the customer opened it again, or the newest of those that say that it is done and
    came before anything that she said then was sent there; an end told by it, or an older one, is of before.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        CheckConstraint("last_seq >= 0", name="last_seq"),
        CheckConstraint("language IN ('zh','en')", name="language"),
        Index(
            "ix_conversation_waiting",
            "provider_id",
            "department",
            "first_message_at",
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_conversation_first_message", "provider_id", "department", "first_message_at"),
        Index("ix_conversation_clinician", "clinician_id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_conversation_listen", "provider_id", "listen_at", postgresql_where=text("listen_at IS NOT NULL")),
        CheckConstraint("NOT outside OR clinician_id IS NULL", name="outside_has_no_member"),
        CheckConstraint("their_seq >= 0 AND (outside OR their_seq = 0 AND listen_at IS NULL)", name="their_seq"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    department: Mapped[str]
    language: Mapped[str]
    last_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    clinician_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    flagged_at: Mapped[datetime | None]
    first_message_at: Mapped[datetime | None]
    first_answer_at: Mapped[datetime | None]
    handed_back_at: Mapped[datetime | None]
    absent_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    reports_agreed_at: Mapped[datetime | None]
    opened_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]
    outside: Mapped[bool] = mapped_column(server_default="false")
    outside_clinician_id: Mapped[int | None] = mapped_column(ForeignKey("outside_clinician.id"))
    their_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    their_version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    listen_at: Mapped[datetime | None]


class ConversationMessage(Base):
    """One message; rows are never changed. `seq` counts from 1 without a gap. `client_message_id` was chosen by whoever
    sent it and is unique in the conversation for ever, so that a message that is sent again is the same one.

    `author`: customer, clinician (then `member_id` says who, or `outside_clinician_id` among an outside provider's
    doctors) or automatic, which is nobody's word and answers nothing.
    `kind`: text, picture, summary, or what an automatic line is about. `body_sealed` is the text under the person's
    medical key: of a picture the SHA-256 of what was sent, of a summary its JSON. None for a line whose words are the
    reader's (automatic ones: the words are made from `kind`).
    """

    __tablename__ = "conversation_message"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "client_message_id"),
        CheckConstraint("author IN ('customer','clinician','automatic')", name="author"),
        CheckConstraint(
            "num_nonnulls(member_id, outside_clinician_id) = CASE WHEN author = 'clinician' THEN 1 ELSE 0 END",
            name="clinician_is_named",
        ),
        CheckConstraint("seq > 0", name="seq"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    client_message_id: Mapped[str]
    author: Mapped[str]
    member_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    outside_clinician_id: Mapped[int | None] = mapped_column(ForeignKey("outside_clinician.id"))
    kind: Mapped[str]
    body_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    at: Mapped[Moment]


class ConversationRead(Base):
    """How far somebody has read a conversation: a clinician (`member_id`), or the customer where that is None. `seq`
    only grows. `typing_at`: when she was last seen typing; `looked_at`: the last look at what was said that the audit
    has a line of (clinicians' only)."""

    __tablename__ = "conversation_read"
    __table_args__ = (
        UniqueConstraint("conversation_id", "member_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("seq >= 0", name="seq"),
    )

    id: Mapped[PrimaryKey]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    read_at: Mapped[datetime | None]
    typing_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]


class ConversationPicture(Base):
    """The picture of a message: a JPEG that was written anew here, and a small one of it, both sealed under the
    person's medical key and bound to this row. Sides are in pixels, `size` is the large one's in bytes."""

    __tablename__ = "conversation_picture"
    __table_args__ = (CheckConstraint("width > 0 AND height > 0 AND size >= 0", name="figures"),)

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    message_id: Mapped[int] = mapped_column(ForeignKey("conversation_message.id"), unique=True)
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(BYTEA, deferred=True)
    thumbnail_sealed: Mapped[bytes] = mapped_column(BYTEA, deferred=True)


class ConversationNote(Base):
    """What clinicians note about a conversation for each other; patients are never shown it. `body_sealed` is under the
    person's process key; None once it was erased or its time was over. Rows are never changed otherwise."""

    __tablename__ = "conversation_note"
    __table_args__ = (Index("ix_conversation_note_conversation", "conversation_id", "id"),)

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    body_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    at: Mapped[Moment]
