"""Escorts whom a provider's own system sends: named by its lines, asked by nobody here.

Code of the release before makes no such rows, and what it reads of workers and assignments says nothing of them.

Revision ID: 0132
Revises: 0131
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

from migrations import frozen, steps

revision = "0132"
down_revision = "0131"
branch_labels = None
depends_on = None

_EXCLUDE = "EXCLUDE USING gist (int8range(worker_id, worker_id, '[]') WITH &&, padded WITH &&) WHERE ({where})"
_ONE_PLACE = "ex_escort_assignment_one_place_at_a_time"


def upgrade() -> None:
    steps.run(
        "ALTER TABLE escort_worker ADD COLUMN IF NOT EXISTS outside_code text",
        "ALTER TABLE escort_assignment ADD COLUMN IF NOT EXISTS outside boolean NOT NULL DEFAULT false",
        *_checks("escort_worker", "languages", "outside_code IS NOT NULL OR cardinality(languages) > 0"),
        *_checks("escort_worker", "outside", "outside_code IS NULL OR (member_id IS NULL AND NOT auto)"),
        *_checks("escort_assignment", "answer_due", "outside OR answer_due_at > asked_at"),
        *_checks("escort_assignment", "outside", "NOT outside OR (answered_at IS NOT NULL AND padded = period)"),
        _one_place("live AND NOT outside"),
        "CREATE UNIQUE INDEX IF NOT EXISTS uq_escort_worker_outside ON escort_worker (provider_id, outside_code)"
        " WHERE outside_code IS NOT NULL",
    )
    frozen.run(revision, "escort_assignment_ends")
    _listening()


def downgrade() -> None:
    """What such workers did goes with them: deeds, pictures and assignments that the release before can't hold."""
    frozen.run("0128", "escort_assignment_ends")
    op.drop_table("escort_line")
    op.drop_table("escort_listening")
    theirs = "SELECT id FROM escort_assignment WHERE outside"
    op.execute(
        f"DELETE FROM escort_picture WHERE deed_id IN (SELECT id FROM escort_deed WHERE assignment_id IN ({theirs}))"
    )
    op.execute(f"DELETE FROM escort_deed WHERE assignment_id IN ({theirs})")
    op.execute("DELETE FROM escort_assignment WHERE outside")
    op.execute("DELETE FROM escort_worker WHERE outside_code IS NOT NULL")
    op.execute(_one_place("live"))
    for table, name, before in (
        ("escort_assignment", "answer_due", "answer_due_at > asked_at"),
        ("escort_worker", "languages", "cardinality(languages) > 0"),
    ):
        for statement in _checks(table, name, before):
            op.execute(statement)
    op.execute("ALTER TABLE escort_assignment DROP CONSTRAINT ck_escort_assignment_outside, DROP COLUMN outside")
    op.execute("ALTER TABLE escort_worker DROP CONSTRAINT ck_escort_worker_outside, DROP COLUMN outside_code")


def _checks(table: str, name: str, check: str) -> tuple[str, str]:
    """Each may be run twice: the constraint of before goes in the statement that adds the new one."""
    full = f"ck_{table}_{name}"
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {full}, ADD CONSTRAINT {full} CHECK ({check}) NOT VALID",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {full}",
    )


def _one_place(where: str) -> str:
    return (
        f"ALTER TABLE escort_assignment DROP CONSTRAINT IF EXISTS {_ONE_PLACE},"
        f" ADD CONSTRAINT {_ONE_PLACE} {_EXCLUDE.format(where=where)}"
    )


def _listening() -> None:
    op.create_table(
        "escort_listening",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("booking_id", sa.BigInteger(), sa.ForeignKey("booking.id"), nullable=False),
        sa.Column(
            "provider_booking_id", sa.BigInteger(), sa.ForeignKey("provider_booking.id"), nullable=False, unique=True
        ),
        sa.Column("their_seq", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("listen_at", sa.DateTime(timezone=True)),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.Column("status_version", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("over_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("their_seq >= 0", name="their_seq"),
    )
    op.create_index("ix_escort_listening_booking", "escort_listening", ["booking_id"])
    op.create_index("ix_escort_listening_due", "escort_listening", ["listen_at"])
    op.create_table(
        "escort_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("listening_id", sa.BigInteger(), sa.ForeignKey("escort_listening.id"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("their_id", sa.Text()),
        sa.Column("came", sa.Text(), nullable=False),
        sa.Column("deed_id", sa.BigInteger(), sa.ForeignKey("escort_deed.id"), unique=True),
        sa.Column("digest_sealed", BYTEA()),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("listening_id", "seq"),
        sa.UniqueConstraint("listening_id", "their_id"),
        sa.CheckConstraint("seq > 0", name="seq"),
        sa.CheckConstraint("came IN ('named','released','deed','kept_out','passed')", name="came"),
        sa.CheckConstraint("(came = 'deed') = (deed_id IS NOT NULL)", name="deed"),
    )
