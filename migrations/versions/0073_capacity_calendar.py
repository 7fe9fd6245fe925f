"""The capacity calendar: how a pool's slots are made, and what becomes of bookings whose place is taken off sale.

Revision ID: 0073
Revises: 0072
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pool_calendar",
        sa.Column("pool_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("closed_on_holidays", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("make_up_weekday", sa.SmallInteger(), nullable=True),
        sa.Column("horizon_days", sa.BigInteger(), server_default="90", nullable=False),
        sa.Column("published_version", sa.BigInteger(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("published_edition", sa.Text(), server_default="", nullable=False),
        sa.Column("lease", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("horizon_days BETWEEN 1 AND 366", name=op.f("ck_pool_calendar_horizon")),
        sa.CheckConstraint("make_up_weekday BETWEEN 1 AND 7", name=op.f("ck_pool_calendar_make_up_weekday")),
        sa.CheckConstraint("published_version <= version", name=op.f("ck_pool_calendar_published")),
        sa.ForeignKeyConstraint(["pool_id"], ["capacity_pool.id"], name=op.f("fk_pool_calendar_pool_id")),
        sa.PrimaryKeyConstraint("pool_id", name=op.f("pk_pool_calendar")),
    )
    op.create_table(
        "capacity_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("weekdays", sa.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("from_minute", sa.BigInteger(), nullable=False),
        sa.Column("to_minute", sa.BigInteger(), nullable=False),
        sa.Column("slot_minutes", sa.BigInteger(), nullable=True),
        sa.Column("places", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "weekdays <@ '{1,2,3,4,5,6,7}' AND cardinality(weekdays) > 0", name=op.f("ck_capacity_rule_weekdays")
        ),
        sa.CheckConstraint(
            "from_minute >= 0 AND to_minute <= 1440 AND from_minute < to_minute", name=op.f("ck_capacity_rule_times")
        ),
        sa.CheckConstraint("slot_minutes BETWEEN 1 AND to_minute - from_minute", name=op.f("ck_capacity_rule_slot")),
        sa.CheckConstraint("places > 0", name=op.f("ck_capacity_rule_places")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_capacity_rule_days")),
        sa.ForeignKeyConstraint(["pool_id"], ["capacity_pool.id"], name=op.f("fk_capacity_rule_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_rule")),
    )
    op.create_index("ix_capacity_rule_pool", "capacity_rule", ["pool_id"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "capacity_exception",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sections", JSONB(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["pool_id"], ["capacity_pool.id"], name=op.f("fk_capacity_exception_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_exception")),
    )
    op.create_index(
        "uq_capacity_exception_day",
        "capacity_exception",
        ["pool_id", "day"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "capacity_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('rules','day')", name=op.f("ck_capacity_change_kind")),
        sa.ForeignKeyConstraint(["pool_id"], ["capacity_pool.id"], name=op.f("fk_capacity_change_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_change")),
        sa.UniqueConstraint("public_id", name=op.f("uq_capacity_change_public_id")),
        sa.UniqueConstraint("pool_id", "version", name=op.f("uq_capacity_change_pool_id_version")),
    )
    op.create_table(
        "capacity_change_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("slot_ref", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("action IN ('keep','propose','cancel')", name=op.f("ck_capacity_change_item_action")),
        sa.CheckConstraint(
            "state IN ('waiting','done','moved_on','refused')", name=op.f("ck_capacity_change_item_state")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (finished_at IS NULL)", name=op.f("ck_capacity_change_item_finished")
        ),
        sa.ForeignKeyConstraint(["change_id"], ["capacity_change.id"], name=op.f("fk_capacity_change_item_change_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_capacity_change_item_booking_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_capacity_change_item_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_change_item")),
        sa.UniqueConstraint("public_id", name=op.f("uq_capacity_change_item_public_id")),
    )
    op.create_index(
        "uq_capacity_change_item_waiting",
        "capacity_change_item",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_capacity_change_item_change", "capacity_change_item", ["change_id"])
    op.create_index("ix_capacity_change_item_booking", "capacity_change_item", ["booking_id"])


def downgrade() -> None:
    op.drop_table("capacity_change_item")
    op.drop_table("capacity_change")
    op.drop_table("capacity_exception")
    op.drop_table("capacity_rule")
    op.drop_table("pool_calendar")
