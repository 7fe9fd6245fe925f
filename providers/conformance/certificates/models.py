"""The rows of certificates, of the runs that gave them, and of what runs made at providers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class ConformanceRun(Base):
    """A run of the kit against a provider. `steps` is what each step came to, with the transcript of those that failed:
    codes of phrases with their facts (providers.conformance.words; English words in runs of before), no personal data,
    no secrets. `left_behind` is written alike. `reason`: why it ended without a result. `actor` is an operator's or a
    member's public id, or blank.
    One that runs and whose `lease_until` has passed was killed.

    A run that tries a provider's program acts in the books of its twin, `tried_id`. `refuse_seconds`: the next calls of
    that program are refused with 429 for so long; `refused_until`: until when, from the first of them on.
    """

    __tablename__ = "conformance_run"
    __table_args__ = (
        CheckConstraint("state IN ('queued','running','done','failed')", name="state"),
        Index("ix_conformance_run_provider_id", "provider_id", "id"),
        Index(
            "uq_conformance_run_open",
            "provider_id",
            unique=True,
            postgresql_where=text("state IN ('queued','running')"),
        ),
        Index("ix_conformance_run_tried", "tried_id", postgresql_where=text("state = 'running'")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    actor_kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[Moment]
    started_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, server_default="")
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    left_behind: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    tried_id: Mapped[int | None] = mapped_column(ForeignKey("provider.id"))
    refuse_seconds: Mapped[int | None]
    refused_until: Mapped[datetime | None]


class ConformanceCall(Base):
    """A call of the partner API that a provider's program made while it was tried: `route` is the pattern of its path,
    `booking` a public id or blank. Kept until the run ends."""

    __tablename__ = "conformance_call"
    __table_args__ = (Index("ix_conformance_call_run_id", "run_id", "id"),)

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(ForeignKey("conformance_run.id"))
    at: Mapped[Moment]
    method: Mapped[str] = mapped_column(Text)
    route: Mapped[str] = mapped_column(Text)
    booking: Mapped[str] = mapped_column(Text, server_default="")
    status: Mapped[int]


class Certificate(Base):
    """A capability that a provider has proved (`passed`), or that it is given time to prove (`provisional`, until
    `expires_at`). At most one of each counts at a time. `ended_because`: replaced, settings, failed or expired."""

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("grade IN ('passed','provisional')", name="grade"),
        CheckConstraint("(grade = 'passed') = (run_id IS NOT NULL)", name="run"),
        CheckConstraint("(grade = 'provisional') = (expires_at IS NOT NULL)", name="expires_at"),
        CheckConstraint("(ended_at IS NULL) = (ended_because = '')", name="ended"),
        Index(
            "uq_certificate_in_force",
            "provider_id",
            "capability",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("conformance_run.id"))
    capability: Mapped[str] = mapped_column(Text)
    grade: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[Moment]
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str] = mapped_column(Text, server_default="")


class ConformanceMade(Base):
    """Something that a run made at a provider and that is not taken back yet (providers.conformance.journal). Until
    `taken_back_until` somebody is about it: no run begins at the provider meanwhile."""

    __tablename__ = "conformance_made"
    __table_args__ = (UniqueConstraint("provider_id", "subject"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    what: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    pool: Mapped[str] = mapped_column(Text, server_default="")
    service_date: Mapped[str] = mapped_column(Text, server_default="")
    made_at: Mapped[Moment]
    taken_back_until: Mapped[datetime | None]
