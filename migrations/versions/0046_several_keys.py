"""Several keys at once: a customer's phone is indexed under each live key, a rewrap has its progress, a ciphertext that
does not open an alarm, and a consent the number that its index can be made anew from.

Revision ID: 0046
Revises: 0049
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

from migrations import frozen

revision = "0046"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_phone",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("phone_index", BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_phone_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_customer_phone_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_phone")),
        sa.UniqueConstraint("insurer_id", "phone_index", name=op.f("uq_customer_phone_insurer_id_phone_index")),
    )
    op.create_index("ix_customer_phone_customer", "customer_phone", ["customer_id"])
    frozen.run(revision, "customer_phone_follows")  # before the rows are copied: none is added between the two
    op.execute(
        "INSERT INTO customer_phone (customer_id, insurer_id, phone_index)"
        " SELECT id, insurer_id, phone_index FROM customer ORDER BY id"
    )
    op.create_table(
        "key_rewrap",
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("after_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("moved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("again", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unreadable", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unknown", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("part", "key_id", name=op.f("pk_key_rewrap")),
    )
    op.create_table(
        "integrity_alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrity_alarm")),
        sa.UniqueConstraint("record", name=op.f("uq_integrity_alarm_record")),
    )
    op.create_index("ix_integrity_alarm_last_at", "integrity_alarm", ["last_at"])
    op.add_column("consent", sa.Column("phone_sealed", BYTEA(), nullable=True))


def downgrade() -> None:
    op.drop_column("consent", "phone_sealed")
    op.drop_table("integrity_alarm")
    op.drop_table("key_rewrap")
    op.execute("DROP TRIGGER customer_phone_follows ON customer")
    op.execute("DROP FUNCTION customer_phone_follows()")
    op.drop_table("customer_phone")
