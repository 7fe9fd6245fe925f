"""Imports and their lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

_STATES = "state IN ('uploaded','checking','checked','running','paused','done','stopped','failed')"


class BulkImport(Base):
    """A file and how far it is: uploaded → checking → checked → running ⇄ paused → done. `failed` ended when it was
    read (`failure`: reason and facts), `stopped` by an operator or by its age.

    `number` is what people call it, from 1 for each insurer. The file (`content_sealed`, until it is read), its name
    and columns (`details_sealed`) and the cells of its lines are sealed under a key of its own (record: public id).
    `counts` say what became of the lines once it has ended; after `forgotten_at` the lines, the key and what it opened
    are gone.
    """

    __tablename__ = "bulk_import"
    __table_args__ = (
        UniqueConstraint("insurer_id", "number"),
        CheckConstraint(_STATES, name="state"),
        CheckConstraint("(state IN ('done','stopped','failed')) = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("(wrapped_key IS NULL) = (forgotten_at IS NOT NULL)", name="forgotten"),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
        Index("ix_bulk_import_file", "insurer_id", "kind", "file_hash"),
        Index("ix_bulk_import_work", "id", postgresql_where=text("state IN ('uploaded','checking','running')")),
        Index("ix_bulk_import_kept", "changed_at", postgresql_where=text("wrapped_key IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    uploaded_at: Mapped[Moment]
    file_hash: Mapped[bytes] = mapped_column(BYTEA)
    size: Mapped[int]
    wrapped_key: Mapped[bytes | None] = mapped_column(BYTEA)
    details_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    content_sealed: Mapped[bytes | None] = mapped_column(BYTEA, deferred=True)
    lines: Mapped[int] = mapped_column(server_default="0")
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    changed_at: Mapped[Moment]
    started_by: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]
    counts: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))


class BulkLine(Base):
    """A line of a file. `number` is what a spreadsheet shows. `expected` is what would become of it, by the trial;
    `outcome` what did: a code of the kind, or `refused`. `errors` say why, by column: `{"column", "reason", "facts"}`
    without anything that stands in the line; `reason` is the first one's. `readable` is false for a line that the trial
    could make no row of: it is refused without being tried again. `together`: the number of the first of the lines that
    bear upon each other, None for one that stands alone, 0 where there are too many for the trial to see them all.
    `tries`: how often a rival was in the way.
    """

    __tablename__ = "bulk_line"
    __table_args__ = (
        UniqueConstraint("import_id", "number"),
        CheckConstraint("(outcome IS NULL) = (done_at IS NULL)", name="done"),
        Index("ix_bulk_line_to_try", "import_id", "number", postgresql_where=text("expected IS NULL")),
        Index("ix_bulk_line_to_do", "import_id", "number", postgresql_where=text("outcome IS NULL")),
        Index("ix_bulk_line_reason", "import_id", "reason", "number", postgresql_where=text("reason IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    import_id: Mapped[int] = mapped_column(ForeignKey("bulk_import.id", ondelete="CASCADE"))
    number: Mapped[int]
    cells_sealed: Mapped[bytes] = mapped_column(BYTEA)
    readable: Mapped[bool] = mapped_column(server_default="true")
    together: Mapped[int | None]
    expected: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    tries: Mapped[int] = mapped_column(server_default="0")
    done_at: Mapped[datetime | None]
