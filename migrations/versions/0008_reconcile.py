"""Reconciliation runs, closing statements, sites that close, and what a difference means for quota and money.

Revision ID: 0008
Revises: 0007
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.add_index import add_index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STAYS_CLOSED = """
CREATE FUNCTION slot_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT NEW.closed AND EXISTS (
    SELECT FROM capacity_pool p JOIN site_closure c ON c.site_id = p.site_id
     WHERE p.id = NEW.pool_id AND c.state <> 'withdrawn'
       AND NEW.service_date >= c.from_day AND (c.to_day IS NULL OR NEW.service_date <= c.to_day))
  THEN
    NEW.closed := true;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER slot_stays_closed BEFORE INSERT OR UPDATE OF closed, service_date ON slot
  FOR EACH ROW EXECUTE FUNCTION slot_stays_closed();
"""


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=default)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _json(name: str, default: str | None = "{}") -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(), nullable=False, server_default=default)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def upgrade() -> None:
    add_index("ix_booking_provider_day", "booking", ["provider_id", "service_date"])
    add_index("ix_discrepancy_booking", "discrepancy", ["booking_id"])
    for column in (
        _number("quota_units", default="0"),
        _number("money_minor", default="0"),
        _text("currency", ""),
        _text("note", ""),
    ):
        op.add_column("discrepancy", column)
    _runs()
    _statements()
    _closures()
    op.execute(STAYS_CLOSED)


def _runs() -> None:
    op.create_table(
        "reconcile_run",
        _id(),
        _text("public_id"),
        _number("provider_id"),
        _number("case_id", nullable=True),
        _text("state"),
        _text("actor_kind"),
        _text("actor", ""),
        _at("asked_at"),
        _at("started_at", nullable=True),
        _at("finished_at", nullable=True),
        _at("lease_until", nullable=True),
        _text("reason", ""),
        _json("counts"),
        _json("theirs"),
        sa.CheckConstraint("state IN ('queued','running','done','failed')", name="ck_reconcile_run_state"),
        _refers("reconcile_run", "provider_id", "provider"),
        _refers("reconcile_run", "case_id", "discrepancy"),
        sa.PrimaryKeyConstraint("id", name="pk_reconcile_run"),
        sa.UniqueConstraint("public_id", name="uq_reconcile_run_public_id"),
    )
    op.create_index(
        "uq_reconcile_run_running",
        "reconcile_run",
        ["provider_id"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "uq_reconcile_run_queued",
        "reconcile_run",
        ["provider_id", sa.text("coalesce(case_id, 0)")],
        unique=True,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_reconcile_run_provider", "reconcile_run", ["provider_id", "id"])


def _statements() -> None:
    op.create_table(
        "closing_statement",
        _id(),
        _text("public_id"),
        _number("provider_id"),
        _number("insurer_id"),
        sa.Column("day", sa.Date(), nullable=False),
        _text("time_zone"),
        _number("run_id", nullable=True),
        _at("made_at"),
        _json("content", None),
        _refers("closing_statement", "provider_id", "provider"),
        _refers("closing_statement", "insurer_id", "insurer"),
        _refers("closing_statement", "run_id", "reconcile_run"),
        sa.PrimaryKeyConstraint("id", name="pk_closing_statement"),
        sa.UniqueConstraint("public_id", name="uq_closing_statement_public_id"),
        sa.UniqueConstraint("provider_id", "insurer_id", "day", name="uq_closing_statement_provider_id_insurer_id_day"),
    )
    op.create_table(
        "statement_line",
        _id(),
        _number("statement_id"),
        _number("booking_id"),
        _text("state"),
        sa.Column("service_date", sa.Date(), nullable=False),
        _number("units"),
        _number("amount_minor"),
        _text("currency"),
        sa.Column("correction", sa.Boolean(), nullable=False),
        sa.CheckConstraint("units <> 0 OR amount_minor <> 0", name="ck_statement_line_something"),
        _refers("statement_line", "statement_id", "closing_statement"),
        _refers("statement_line", "booking_id", "booking"),
        sa.PrimaryKeyConstraint("id", name="pk_statement_line"),
        sa.UniqueConstraint("statement_id", "booking_id", name="uq_statement_line_statement_id_booking_id"),
    )
    op.create_index("ix_statement_line_booking", "statement_line", ["booking_id"])


def _closures() -> None:
    op.create_table(
        "site_closure",
        _id(),
        _text("public_id"),
        _number("insurer_id"),
        _number("site_id"),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        _text("mode"),
        _text("state", "open"),
        _text("actor"),
        _at("asked_at"),
        _at("finished_at", nullable=True),
        sa.CheckConstraint("state IN ('open','done','withdrawn')", name="ck_site_closure_state"),
        sa.CheckConstraint("mode IN ('move','cancel')", name="ck_site_closure_mode"),
        sa.CheckConstraint("to_day IS NULL OR to_day >= from_day", name="ck_site_closure_days"),
        _refers("site_closure", "insurer_id", "insurer"),
        _refers("site_closure", "site_id", "site"),
        sa.PrimaryKeyConstraint("id", name="pk_site_closure"),
        sa.UniqueConstraint("public_id", name="uq_site_closure_public_id"),
    )
    op.create_index(
        "uq_site_closure_open", "site_closure", ["site_id"], unique=True, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index(
        "ix_site_closure_site",
        "site_closure",
        ["site_id", "from_day"],
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_table(
        "site_closure_item",
        _id(),
        _number("closure_id"),
        _number("booking_id"),
        _text("outcome"),
        _at("at"),
        sa.CheckConstraint("outcome IN ('cancelled','asked','moving','kept')", name="ck_site_closure_item_outcome"),
        _refers("site_closure_item", "closure_id", "site_closure"),
        _refers("site_closure_item", "booking_id", "booking"),
        sa.PrimaryKeyConstraint("id", name="pk_site_closure_item"),
        sa.UniqueConstraint("closure_id", "booking_id", name="uq_site_closure_item_closure_id_booking_id"),
    )
    op.create_index("ix_site_closure_item_booking", "site_closure_item", ["booking_id"])


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_discrepancy_booking", table_name="discrepancy", postgresql_concurrently=True)
        op.drop_index("ix_booking_provider_day", table_name="booking", postgresql_concurrently=True)
    op.execute("DROP TRIGGER slot_stays_closed ON slot; DROP FUNCTION slot_stays_closed")
    for table in ("site_closure_item", "site_closure", "statement_line", "closing_statement", "reconcile_run"):
        op.drop_table(table)
    for column in ("note", "currency", "money_minor", "quota_units"):
        op.drop_column("discrepancy", column)
