"""Policies, the people they insure, and the history of their versions.

Revision ID: 0120
Revises: 0119
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from migrations import frozen

revision = "0120"
down_revision = "0119"
branch_labels = None
depends_on = None

STATUS = "status IN ('in_force','lapsed','surrendered','ended')"
DAYS = "in_force_until IS NULL OR in_force_from <= in_force_until"


def upgrade() -> None:
    op.create_table(
        "policy",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("insurer_id", sa.BigInteger(), sa.ForeignKey("insurer.id"), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), sa.ForeignKey("plan.id")),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("number_sealed", BYTEA(), nullable=False),
        sa.Column("number_index", BYTEA(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("product_name_zh", sa.Text(), nullable=False),
        sa.Column("product_name_en", sa.Text(), nullable=False),
        sa.Column("long_term", sa.Boolean(), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("in_force_until", sa.Date()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("contents_sealed", BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("insurer_id", "key"),
        sa.ForeignKeyConstraint(["customer_id", "insurer_id"], ["customer.id", "customer.insurer_id"]),
        sa.CheckConstraint(STATUS, name="status"),
        sa.CheckConstraint(DAYS, name="days"),
        sa.CheckConstraint("version > 0", name="version"),
    )
    op.create_index("uq_policy_customer", "policy", ["id", "customer_id"], unique=True)
    op.create_index("ix_policy_customer", "policy", ["customer_id"])
    op.create_index("ix_policy_list", "policy", ["insurer_id", "id"])
    op.create_index("ix_policy_number", "policy", ["insurer_id", "number_index"])
    op.create_index(
        "ix_policy_ending",
        "policy",
        ["insurer_id", "in_force_until"],
        postgresql_where=sa.text("status = 'in_force'"),
    )
    op.create_table(
        "policy_insured",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("policy_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.ForeignKeyConstraint(["policy_id", "customer_id"], ["policy.id", "policy.customer_id"]),
        sa.ForeignKeyConstraint(["beneficiary_id", "customer_id"], ["beneficiary.id", "beneficiary.customer_id"]),
        sa.CheckConstraint("ended_on IS NULL OR since <= ended_on", name="days"),
    )
    op.create_index(
        "uq_policy_insured_now",
        "policy_insured",
        ["policy_id", "beneficiary_id"],
        unique=True,
        postgresql_where=sa.text("ended_on IS NULL"),
    )
    op.create_index("ix_policy_insured_beneficiary", "policy_insured", ["beneficiary_id"])
    op.create_table(
        "policy_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("policy_id", sa.BigInteger(), sa.ForeignKey("policy.id"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("long_term", sa.Boolean(), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("in_force_until", sa.Date()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("insured", sa.BigInteger(), nullable=False),
        sa.Column("changed", ARRAY(sa.Text()), nullable=False),
        sa.UniqueConstraint("policy_id", "version"),
        sa.CheckConstraint(STATUS, name="status"),
        sa.CheckConstraint(DAYS, name="days"),
    )
    frozen.run("0120", "policy_version_grows")


def downgrade() -> None:
    op.drop_table("policy_version")
    op.drop_table("policy_insured")
    op.drop_table("policy")
    op.execute("DROP FUNCTION policy_version_grows()")
