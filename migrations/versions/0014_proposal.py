"""Other times that providers propose, and the command that declines one.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=True),
        sa.Column("slot_ref", sa.Text(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open','accepted','declined','lapsed','withdrawn')", name="ck_proposal_state"),
        sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="ck_proposal_closed"),
        sa.CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL) AND starts_at < ends_at", name="ck_proposal_times"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_proposal_booking_id_booking"),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name="fk_proposal_slot_id_slot"),
        sa.PrimaryKeyConstraint("id", name="pk_proposal"),
        sa.UniqueConstraint("public_id", name="uq_proposal_public_id"),
    )
    op.create_index(
        "uq_proposal_open", "proposal", ["booking_id"], unique=True, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index("ix_proposal_booking", "proposal", ["booking_id"])
    op.create_index("ix_proposal_expires", "proposal", ["expires_at"], postgresql_where=sa.text("state = 'open'"))
    _commands("'reserve','cancel','change','decline'")


def downgrade() -> None:
    op.execute("DELETE FROM provider_task WHERE command = 'decline'")
    _commands("'reserve','cancel','change'")
    op.drop_table("proposal")


def _commands(known: str) -> None:
    op.execute("ALTER TABLE provider_task DROP CONSTRAINT ck_provider_task_command")
    op.execute(
        f"ALTER TABLE provider_task ADD CONSTRAINT ck_provider_task_command CHECK (command IN ({known})) NOT VALID"
    )
    op.execute("ALTER TABLE provider_task VALIDATE CONSTRAINT ck_provider_task_command")
