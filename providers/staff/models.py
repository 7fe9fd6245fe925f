"""What is stored of invitations, of clinicians and of their shifts; and of doctors of outside providers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class MemberInvitation(Base):
    """Somebody is asked to become a member of a provider. The token of the link is stored as a hash; sealed (record
    `invitation:<public_id>:token`) only until the message is sent. The address (record `invitation:<public_id>:to`)
    stays until the invitation is over. `inviter_id`: who asked; her invitations count while she may invite.

    `run_after`, `lease_until`, `tries`: as of a NotificationDelivery; `failures` counts tries that failed, and
    `given_up_at` says that no more are made.
    """

    __tablename__ = "member_invitation"
    __table_args__ = (
        CheckConstraint("role IN ('manager','front_desk','clinician','escort')", name="role"),
        CheckConstraint("channel IN ('sms','email')", name="channel"),
        CheckConstraint("language IN ('zh','en')", name="language"),
        CheckConstraint("accepted_at IS NULL OR withdrawn_at IS NULL", name="one_end"),
        CheckConstraint("(accepted_at IS NULL) = (member_id IS NULL)", name="member"),
        CheckConstraint("sent_at IS NULL OR token_sealed IS NULL", name="token_gone"),
        Index("ix_member_invitation_provider", "provider_id"),
        Index("ix_member_invitation_due", "run_after", postgresql_where=text("token_sealed IS NOT NULL")),
        Index("ix_member_invitation_over", "expires_at", postgresql_where=text("to_sealed IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    inviter_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    role: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    to_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    token_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    member_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"), unique=True)
    withdrawn_at: Mapped[datetime | None]


class Clinician(Base):
    """What patients are told of a member with the role clinician. `licence`: the number of her practising certificate
    (医师执业证书编码), 15 digits; it is in a public register. `departments` are codes as an offer's package has them,
    `languages` zh and en. `lead`: she may lead a shift.

    `verified_at`: since when an operator of an insurer has compared her with the register; what was compared cannot
    change without it ending. Without it nothing she writes reaches a patient (trigger message_by_verified_clinician).
    """

    __tablename__ = "clinician"
    __table_args__ = (
        CheckConstraint("licence ~ '^[0-9]{15}$'", name="licence"),
        CheckConstraint("(verified_at IS NULL) = (verified_by IS NULL)", name="verified"),
        CheckConstraint("cardinality(departments) > 0", name="departments"),
        CheckConstraint("cardinality(languages) > 0 AND languages <@ ARRAY['zh','en']", name="languages"),
        Index("ix_clinician_provider", "provider_id"),
    )

    member_id: Mapped[int] = mapped_column(ForeignKey("operator.id"), primary_key=True, autoincrement=False)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    shown_name: Mapped[str] = mapped_column(Text)
    title_zh: Mapped[str] = mapped_column(Text)
    title_en: Mapped[str] = mapped_column(Text)
    licence: Mapped[str] = mapped_column(Text)
    departments: Mapped[list[str]] = mapped_column(ARRAY(Text))
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    lead: Mapped[bool] = mapped_column(server_default="false")
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class OutsideClinician(Base):
    """A doctor of a provider whose own system answers consultations, as its roster says. `code` is what its lines name
    her by; `licence` as of a Clinician. `listed_at`: when the roster named her last.

    `verified_at`: since when an operator of an insurer has compared her with the register; a roster that names her
    otherwise ends it. Without it nothing she writes reaches a patient (trigger message_by_verified_clinician).
    """

    __tablename__ = "outside_clinician"
    __table_args__ = (
        UniqueConstraint("provider_id", "code"),
        CheckConstraint("licence ~ '^[0-9]{15}$'", name="licence"),
        CheckConstraint("(verified_at IS NULL) = (verified_by IS NULL)", name="verified"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    title_zh: Mapped[str] = mapped_column(Text)
    title_en: Mapped[str] = mapped_column(Text)
    licence: Mapped[str] = mapped_column(Text)
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    listed_at: Mapped[Moment]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class ClinicianShift(Base):
    """A clinician at work; at most one is open for a member at a provider (its test mode is another one). `capacity`:
    how many conversations she takes at once. `in_hand`: how many she has, moved by the conversations' trigger alone:
    a shift that is over, or on a break, has none. `missed_at`: when an offer last ran out on her. `seen_at`: when a
    page of hers about consultations last asked for something (shifts.seen); None until the first one has: who works
    without pages is not judged by them."""

    __tablename__ = "clinician_shift"
    __table_args__ = (
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint("in_hand >= 0 AND in_hand <= capacity", name="in_hand"),
        CheckConstraint("in_hand = 0 OR (ended_at IS NULL AND break_since IS NULL)", name="nobody_left_behind"),
        Index(
            "uq_clinician_shift_open",
            "member_id",
            "provider_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_clinician_shift_provider", "provider_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    member_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    capacity: Mapped[int]
    lead: Mapped[bool] = mapped_column(server_default="false")
    in_hand: Mapped[int] = mapped_column(server_default="0")
    began_at: Mapped[Moment]
    break_since: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
