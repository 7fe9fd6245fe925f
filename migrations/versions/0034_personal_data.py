"""What export and erasure of a person's data need: copies that are prepared, keys by class, and who was erased.

Revision ID: 0034
Revises: 0033
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

ONE_KEY = """
SELECT count(*) FROM beneficiary b JOIN person_key k ON k.beneficiary_id = b.id AND k.retention = 'process'
 WHERE b.wrapped_key IS NULL AND k.wrapped_key IS NOT NULL AND b.erased_at IS NULL
"""


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "personal_export",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        _moment("asked_at", nullable=False),
        _moment("lease_until"),
        _moment("ready_at"),
        _moment("expires_at"),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shown", sa.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.Column("wrapped_key", BYTEA(), nullable=False),
        sa.CheckConstraint("state IN ('asked','ready','failed')", name=op.f("ck_personal_export_state")),
        sa.CheckConstraint("(state = 'ready') = (ready_at IS NOT NULL)", name=op.f("ck_personal_export_ready")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_personal_export_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_export")),
        sa.UniqueConstraint("public_id", name=op.f("uq_personal_export_public_id")),
    )
    op.create_index("ix_personal_export_customer", "personal_export", ["customer_id", "id"])
    op.create_index(
        "uq_personal_export_asked",
        "personal_export",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "personal_export_part",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("export_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("sealed", BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["personal_export.id"],
            name=op.f("fk_personal_export_part_export_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_export_part")),
        sa.UniqueConstraint("export_id", "position", name=op.f("uq_personal_export_part_export_id_position")),
    )
    op.create_table(
        "person_key",
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("retention", sa.Text(), nullable=False),
        sa.Column("wrapped_key", BYTEA(), nullable=True),
        _moment("destroyed_at"),
        sa.CheckConstraint("retention IN ('contact','process','medical')", name=op.f("ck_person_key_retention")),
        sa.CheckConstraint("(wrapped_key IS NULL) = (destroyed_at IS NOT NULL)", name=op.f("ck_person_key_destroyed")),
        sa.ForeignKeyConstraint(["beneficiary_id"], ["beneficiary.id"], name=op.f("fk_person_key_beneficiary_id")),
        sa.PrimaryKeyConstraint("beneficiary_id", "retention", name=op.f("pk_person_key")),
    )
    op.add_column("customer", _moment("erased_at"))
    op.add_column("beneficiary", _moment("erased_at"))
    op.add_column("beneficiary", sa.Column("record_sealed", BYTEA(), nullable=True))
    op.create_table(
        "erasure",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=True),
        _moment("asked_at", nullable=False),
        sa.Column("process_until", sa.Date(), nullable=True),
        sa.Column("medical_until", sa.Date(), nullable=True),
        _moment("contact_done_at"),
        _moment("process_done_at"),
        _moment("medical_done_at"),
        sa.CheckConstraint("(customer_id IS NULL) <> (beneficiary_id IS NULL)", name=op.f("ck_erasure_whose")),
        sa.ForeignKeyConstraint(["beneficiary_id"], ["beneficiary.id"], name=op.f("fk_erasure_beneficiary_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_erasure_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("public_id", name=op.f("uq_erasure_public_id")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_erasure_customer_id")),
        sa.UniqueConstraint("beneficiary_id", name=op.f("uq_erasure_beneficiary_id")),
    )
    op.create_index("ix_erasure_unfinished", "erasure", ["id"], postgresql_where=sa.text("medical_done_at IS NULL"))


def downgrade() -> None:
    if op.get_bind().execute(sa.text(ONE_KEY)).scalar_one():
        raise RuntimeError("People have keys by class: run `flask --app wsgi person one-key` first.")
    op.drop_table("erasure")
    op.drop_column("beneficiary", "record_sealed")
    op.drop_column("beneficiary", "erased_at")
    op.drop_column("customer", "erased_at")
    op.drop_table("person_key")
    op.drop_table("personal_export_part")
    op.drop_table("personal_export")
