"""Rehearsals: test bookings that faults strike on purpose. Only the twin of a provider can have one.

Revision ID: 0083
Revises: 0082
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rehearsal()
    _rehearsal_booking()
    op.create_table(
        "rehearsal_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("rehearsal_booking_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("facts", JSONB(), server_default="{}", nullable=False),
        sa.CheckConstraint("by IN ('us','partner','customer')", name=op.f("ck_rehearsal_step_by")),
        sa.ForeignKeyConstraint(
            ["rehearsal_booking_id"],
            ["rehearsal_booking.id"],
            name=op.f("fk_rehearsal_step_rehearsal_booking_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsal_step")),
    )
    op.create_index("ix_rehearsal_step_of", "rehearsal_step", ["rehearsal_booking_id", "id"])


def _rehearsal() -> None:
    op.create_table(
        "rehearsal",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("market", sa.BigInteger(), sa.Computed("provider_id", persisted=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("kinds", ARRAY(sa.Text()), nullable=False),
        sa.Column("bookings", sa.BigInteger(), nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("stop_asked", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('queued','running','done','stopped')", name=op.f("ck_rehearsal_state")),
        sa.CheckConstraint(
            "(state IN ('done','stopped')) = (finished_at IS NOT NULL)", name=op.f("ck_rehearsal_finished")
        ),
        sa.CheckConstraint("bookings BETWEEN 1 AND 20", name=op.f("ck_rehearsal_bookings")),
        sa.CheckConstraint("seed BETWEEN 0 AND 999999999", name=op.f("ck_rehearsal_seed")),
        sa.CheckConstraint("cardinality(kinds) > 0", name=op.f("ck_rehearsal_kinds")),
        sa.ForeignKeyConstraint(
            ["provider_id", "market"], ["provider.id", "provider.market"], name="fk_rehearsal_provider_market"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_rehearsal_public_id")),
        sa.UniqueConstraint("id", "provider_id", name="uq_rehearsal_provider"),
    )
    op.create_index("ix_rehearsal_provider_id", "rehearsal", ["provider_id", "id"])
    op.create_index(
        "uq_rehearsal_open",
        "rehearsal",
        ["provider_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued','running')"),
    )


def _rehearsal_booking() -> None:
    op.create_table(
        "rehearsal_booking",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("rehearsal_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("market", sa.BigInteger(), sa.Computed("provider_id", persisted=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("hold", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("booking", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("struck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('lost_answer','duplicate','out_of_order','clock_skew','gone','late')",
            name=op.f("ck_rehearsal_booking_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting','running','right','wrong','not_tried')", name=op.f("ck_rehearsal_booking_state")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id", "market"], ["provider.id", "provider.market"], name="fk_rehearsal_booking_provider_market"
        ),
        sa.ForeignKeyConstraint(
            ["rehearsal_id", "provider_id"],
            ["rehearsal.id", "rehearsal.provider_id"],
            name="fk_rehearsal_booking_rehearsal",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsal_booking")),
        sa.UniqueConstraint("rehearsal_id", "number", name=op.f("uq_rehearsal_booking_rehearsal_id_number")),
    )
    op.create_index(
        "uq_rehearsal_booking_booking",
        "rehearsal_booking",
        ["provider_id", "booking"],
        unique=True,
        postgresql_where=sa.text("booking <> ''"),
    )


def downgrade() -> None:
    for table in ("rehearsal_step", "rehearsal_booking", "rehearsal"):
        op.drop_table(table)
