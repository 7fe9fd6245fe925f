"""Calls to providers and their answers are counted; who paused a provider, and why; who answers slowly.

Revision ID: 0081
Revises: 0080
"""

import sqlalchemy as sa
from alembic import op

from migrations.add_index import add_index

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None

_COUNTS = (
    *("timed_out", "unreached", "server_errors", "client_errors", "unreadable", "rate_limited"),
    "other_errors",
)


def upgrade() -> None:
    add_index(
        "ix_booking_history_answered",
        "booking_history",
        ["at"],
        where="actor_kind = 'provider' AND from_state IN ('awaiting_provider','outcome_unknown')"
        " AND to_state IN ('confirmed','rejected')",
    )
    op.create_table(
        "provider_call_count",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("succeeded", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in _COUNTS),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("histogram", sa.ARRAY(sa.Integer()), nullable=False),
        sa.CheckConstraint(
            "calls = succeeded + timed_out + unreached + server_errors + client_errors + unreadable + rate_limited"
            " + other_errors",
            name=op.f("ck_provider_call_count_calls"),
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_call_count_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_call_count")),
        sa.UniqueConstraint("provider_id", "call", "at", name=op.f("uq_provider_call_count_provider_id_call_at")),
    )
    op.create_index("ix_provider_call_count_at", "provider_call_count", ["at"])
    op.add_column("provider", sa.Column("paused_by", sa.Text()))
    op.add_column("provider", sa.Column("pause_reason", sa.Text()))
    op.add_column("provider", sa.Column("answers_slowly_since", sa.DateTime(timezone=True)))
    op.add_column("provider", sa.Column("answers_slowly_reason", sa.Text()))
    op.create_check_constraint(
        op.f("ck_provider_answers_slowly"),
        "provider",
        "(answers_slowly_since IS NULL) = (answers_slowly_reason IS NULL)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_provider_answers_slowly"), "provider")
    for name in ("answers_slowly_reason", "answers_slowly_since", "pause_reason", "paused_by"):
        op.drop_column("provider", name)
    op.drop_table("provider_call_count")
    op.drop_index("ix_booking_history_answered", "booking_history")
