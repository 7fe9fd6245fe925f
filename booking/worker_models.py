"""What background work records of itself: the last run of each job, each worker's heartbeat."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment
from marketplace.core.database.db import Base


class JobRun(Base):
    """The last run of a background job, so that one that did not run is visible."""

    __tablename__ = "job_run"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    every_seconds: Mapped[int]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class WorkerBeat(Base):
    """A worker's heartbeat; /readyz looks at the newest."""

    __tablename__ = "worker_beat"

    worker: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[Moment]
    leader: Mapped[bool] = mapped_column(server_default="false")
