"""Policies as an insurer puts them, who is insured by each, the history of their versions, and full snapshots."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

_STATUSES = "status IN ('in_force','lapsed','surrendered','ended')"
_DAYS = "in_force_until IS NULL OR in_force_from <= in_force_until"


class Policy(Base):
    """A policy at its newest version. `key` is the insurer's and says nothing; the number is sealed (record
    `policy:<public_id>:number`) and found by its blind index alone. `customer_id` is the holder.

    In force from and until are whole days in the insurer's zone, both included; `in_force_until` None: for good.
    `contents_sealed` holds a digest of everything that this version said (record `policy:<public_id>:contents`), so
    that the same version with other contents is noticed. The version never goes back
    (`vip/policies/policy_version_grows.sql`).
    """

    __tablename__ = "policy"
    __table_args__ = (
        UniqueConstraint("insurer_id", "key"),
        ForeignKeyConstraint(["customer_id", "insurer_id"], ["customer.id", "customer.insurer_id"]),
        CheckConstraint(_STATUSES, name="status"),
        CheckConstraint(_DAYS, name="days"),
        CheckConstraint("version > 0", name="version"),
        Index("uq_policy_customer", "id", "customer_id", unique=True),
        Index("ix_policy_customer", "customer_id"),
        Index("ix_policy_list", "insurer_id", "id"),
        Index("ix_policy_number", "insurer_id", "number_index"),
        Index("ix_policy_ending", "insurer_id", "in_force_until", postgresql_where=text("status = 'in_force'")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    customer_id: Mapped[int]
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    key: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    number_sealed: Mapped[bytes] = mapped_column(BYTEA)
    number_index: Mapped[bytes] = mapped_column(BYTEA)
    product: Mapped[str] = mapped_column(Text)
    product_name_zh: Mapped[str] = mapped_column(Text)
    product_name_en: Mapped[str] = mapped_column(Text)
    long_term: Mapped[bool]
    in_force_from: Mapped[date] = mapped_column(Date)
    in_force_until: Mapped[date | None] = mapped_column(Date)
    status: Mapped[str] = mapped_column(Text)
    contents_sealed: Mapped[bytes] = mapped_column(BYTEA)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class PolicyInsured(Base):
    """A person insured by a policy, one of its holder's people, from the day `since` on. `ended_on` is the first day
    on which she is not insured any more, None while she is. Ended, never deleted."""

    __tablename__ = "policy_insured"
    __table_args__ = (
        ForeignKeyConstraint(["policy_id", "customer_id"], ["policy.id", "policy.customer_id"]),
        ForeignKeyConstraint(["beneficiary_id", "customer_id"], ["beneficiary.id", "beneficiary.customer_id"]),
        CheckConstraint("ended_on IS NULL OR since <= ended_on", name="days"),
        Index(
            "uq_policy_insured_now",
            "policy_id",
            "beneficiary_id",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
        Index("ix_policy_insured_beneficiary", "beneficiary_id"),
    )

    id: Mapped[PrimaryKey]
    policy_id: Mapped[int]
    customer_id: Mapped[int]
    beneficiary_id: Mapped[int]
    relation: Mapped[str] = mapped_column(Text)
    since: Mapped[date] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)


class PolicyVersion(Base):
    """What one version of a policy said, without naming anybody: who put it (`source`), when, and which facts differ
    from the version before (`changed`; empty for the first). Only ever added."""

    __tablename__ = "policy_version"
    __table_args__ = (
        UniqueConstraint("policy_id", "version"),
        CheckConstraint(_STATUSES, name="status"),
        CheckConstraint(_DAYS, name="days"),
    )

    id: Mapped[PrimaryKey]
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id"))
    version: Mapped[int]
    at: Mapped[Moment]
    source: Mapped[str] = mapped_column(Text)
    product: Mapped[str] = mapped_column(Text)
    long_term: Mapped[bool]
    in_force_from: Mapped[date] = mapped_column(Date)
    in_force_until: Mapped[date | None] = mapped_column(Date)
    status: Mapped[str] = mapped_column(Text)
    insured: Mapped[int]
    changed: Mapped[list[str]] = mapped_column(ARRAY(Text))


class PolicySnapshot(Base):
    """An insurer's word that it tells all its policies in force. `open`: it takes lines; `completed`: what it did not
    name is known (and was ended, where `ends_vanished`); `waiting`: more than `most_percent` vanished, so that a person
    decides; `dismissed`: she left them as they are. `named`: how many were told until it was over; `known`: how many
    were in force when it was completed."""

    __tablename__ = "policy_snapshot"
    __table_args__ = (
        CheckConstraint("state IN ('open','waiting','completed','dismissed','expired')", name="state"),
        CheckConstraint("most_percent BETWEEN 0 AND 20", name="most_percent"),
        CheckConstraint("ended = 0 OR (refused = 0 AND ends_vanished AND state = 'completed')", name="ended"),
        Index("ix_policy_snapshot_insurer", "insurer_id", "id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    state: Mapped[str] = mapped_column(Text, server_default="open")
    ends_vanished: Mapped[bool]
    most_percent: Mapped[int]
    refused: Mapped[int] = mapped_column(server_default="0")
    refused_lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    named: Mapped[int] = mapped_column(server_default="0")
    known: Mapped[int] = mapped_column(server_default="0")
    vanished: Mapped[int] = mapped_column(server_default="0")
    ended: Mapped[int] = mapped_column(server_default="0")
    opened_at: Mapped[Moment]
    completed_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(Text)


class NamedPolicy(Base):
    """A policy that was told while a snapshot was open."""

    __tablename__ = "policy_snapshot_named"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("policy_snapshot.id", ondelete="CASCADE"), primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id"), primary_key=True)


class VanishedPolicy(Base):
    """A policy in force that a snapshot did not name. `ended_at`: it was ended for that, and was `status_before` until
    then; `returned_at`: the insurer told it again."""

    __tablename__ = "policy_vanished"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (status_before IS NULL)", name="ended"),
        Index(
            "ix_policy_vanished_policy",
            "policy_id",
            postgresql_where=text("returned_at IS NULL"),
        ),
    )

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("policy_snapshot.id"), primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id"), primary_key=True)
    ended_at: Mapped[datetime | None]
    status_before: Mapped[str | None] = mapped_column(Text)
    returned_at: Mapped[datetime | None]
