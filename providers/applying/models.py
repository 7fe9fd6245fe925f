"""What is stored of providers' applications."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class ProviderApplication(Base):
    """An organisation that wants to be a provider. `asked`: its e-mail address is not confirmed, and there is no
    provider yet; then it waits for an operator (`new`), who asks something (`returned`), declines or approves.
    `forgotten`: it was never used.

    The contact's name and address are sealed (records in providers.applying.records), and go as
    providers.applying.forget says. The token of the link is stored as a hash; sealed only until the letter is sent.
    `answers` says who answers bookings: its own `system`, its programs by the `partner` API, or people at the `desk`.
    `registration` is the unified social credit code in mainland China (`country` cn), another number elsewhere. `note`
    is the operator's question or reason, `reply` the provider's word about it. `submitted_at`: since when it waits for
    an operator's word.

    `letter` is the one to be sent or sent last; `run_after`, `lease_until`, `tries`, `failures`, `sent_at` and
    `given_up_at` are of that one, as of a MemberInvitation. `tries` only grows: a newer letter overtakes
    the one before.
    """

    __tablename__ = "provider_application"
    __table_args__ = (
        CheckConstraint("state IN ('asked','new','returned','declined','approved','forgotten')", name="state"),
        CheckConstraint("answers IN ('system','partner','desk')", name="answers"),
        CheckConstraint("country IN ('cn','other')", name="country"),
        CheckConstraint("language IN ('zh','en')", name="language"),
        CheckConstraint("letter IN ('confirm','returned','declined','approved')", name="letter"),
        CheckConstraint("(state = 'asked') = (provider_id IS NULL)", name="provider"),
        CheckConstraint("(state = 'asked') = (confirmed_at IS NULL)", name="confirmed"),
        CheckConstraint("sent_at IS NULL OR token_sealed IS NULL", name="token_gone"),
        Index(
            "ix_provider_application_due",
            "run_after",
            postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL"),
        ),
        Index("ix_provider_application_state", "state", "id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    state: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    answers: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(Text)
    registration: Mapped[str] = mapped_column(Text)
    contact_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    email_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    language: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    token_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    confirmed_at: Mapped[datetime | None]
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("provider.id"), unique=True)
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, server_default="")
    reply: Mapped[str] = mapped_column(Text, server_default="")
    letter: Mapped[str] = mapped_column(Text)
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
