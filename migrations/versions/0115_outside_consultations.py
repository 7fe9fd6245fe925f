"""Consultations that doctors of an outside provider answer: who they are, what goes out to them, and what comes in.

Revision ID: 0115
Revises: 0113
"""

import sqlalchemy as sa
from alembic import op

from migrations import frozen

revision = "0115"
down_revision = "0113"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("state IN ('queued','in_flight')")
NAMED = "num_nonnulls(member_id, outside_clinician_id) = CASE WHEN author = 'clinician' THEN 1 ELSE 0 END"


def upgrade() -> None:
    _clinicians()
    _conversations()
    _deliveries()
    op.create_table(
        "conversation_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("their_id", sa.Text()),
        sa.Column("message_id", sa.BigInteger(), sa.ForeignKey("conversation_message.id"), nullable=False, unique=True),
        sa.Column("digest_sealed", sa.LargeBinary()),
        sa.UniqueConstraint("conversation_id", "seq"),
        sa.UniqueConstraint("conversation_id", "their_id"),
        sa.CheckConstraint("seq > 0", name="seq"),
    )
    frozen.run("0115", "message_by_verified_clinician")


def _clinicians() -> None:
    op.create_table(
        "outside_clinician",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True)),
        sa.Column("verified_by", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("provider_id", "code"),
        sa.CheckConstraint("licence ~ '^[0-9]{15}$'", name="licence"),
        sa.CheckConstraint("(verified_at IS NULL) = (verified_by IS NULL)", name="verified"),
    )


def _conversations() -> None:
    op.add_column("conversation", sa.Column("outside", sa.Boolean(), nullable=False, server_default="false"))
    whose = sa.ForeignKey("outside_clinician.id")
    op.add_column("conversation", sa.Column("outside_clinician_id", sa.BigInteger(), whose))
    op.add_column("conversation", sa.Column("their_seq", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("conversation", sa.Column("their_version", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("conversation", sa.Column("listen_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_conversation_listen",
        "conversation",
        ["provider_id", "listen_at"],
        postgresql_where=sa.text("listen_at IS NOT NULL"),
    )
    op.execute(
        "ALTER TABLE conversation ADD CONSTRAINT ck_conversation_outside_has_no_member"
        " CHECK (NOT outside OR clinician_id IS NULL) NOT VALID"
    )
    op.execute(
        "ALTER TABLE conversation ADD CONSTRAINT ck_conversation_their_seq"
        " CHECK (their_seq >= 0 AND (outside OR their_seq = 0 AND listen_at IS NULL)) NOT VALID"
    )
    whose = sa.ForeignKey("outside_clinician.id")
    op.add_column("conversation_message", sa.Column("outside_clinician_id", sa.BigInteger(), whose))
    op.execute("ALTER TABLE conversation_message DROP CONSTRAINT ck_conversation_message_clinician_is_named")
    op.execute(
        "ALTER TABLE conversation_message ADD CONSTRAINT ck_conversation_message_clinician_is_named"
        f" CHECK ({NAMED}) NOT VALID"
    )


def _deliveries() -> None:
    op.create_table(
        "conversation_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("message_id", sa.BigInteger(), sa.ForeignKey("conversation_message.id"), unique=True),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("state", sa.Text(), nullable=False, server_default="queued"),
        sa.Column("tries", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("refusal", sa.Text(), nullable=False, server_default=""),
        sa.CheckConstraint("state IN ('queued','in_flight','delivered','refused')", name="state"),
        sa.CheckConstraint("(state IN ('delivered','refused')) = (finished_at IS NOT NULL)", name="finished"),
        sa.CheckConstraint("(state = 'in_flight') = (lease_until IS NOT NULL)", name="lease"),
        sa.CheckConstraint("(state = 'refused') = (refusal <> '')", name="refusal"),
        sa.CheckConstraint("(message_id IS NULL) = (reason <> '')", name="what"),
        sa.CheckConstraint("tries >= 0", name="tries"),
    )
    op.create_index(
        "ix_conversation_delivery_due",
        "conversation_delivery",
        ["provider_id", "run_after"],
        postgresql_where=UNFINISHED,
    )
    op.create_index(
        "ix_conversation_delivery_line",
        "conversation_delivery",
        ["conversation_id", "id"],
        postgresql_where=UNFINISHED,
    )
    op.create_index("ix_conversation_delivery_conversation", "conversation_delivery", ["conversation_id"])


def downgrade() -> None:
    spoken = "SELECT EXISTS (SELECT FROM conversation_message WHERE outside_clinician_id IS NOT NULL)"
    if op.get_bind().scalar(sa.text(spoken)):
        raise RuntimeError("Doctors of outside providers have spoken to patients; without this nobody could tell who.")
    frozen.run("0110", "message_by_verified_clinician")
    op.drop_table("conversation_line")
    op.drop_table("conversation_delivery")
    op.execute("ALTER TABLE conversation_message DROP CONSTRAINT ck_conversation_message_clinician_is_named")
    op.drop_column("conversation_message", "outside_clinician_id")
    op.execute(
        "ALTER TABLE conversation_message ADD CONSTRAINT ck_conversation_message_clinician_is_named"
        " CHECK ((author = 'clinician') = (member_id IS NOT NULL)) NOT VALID"
    )
    op.drop_constraint(op.f("ck_conversation_their_seq"), "conversation")
    op.drop_constraint(op.f("ck_conversation_outside_has_no_member"), "conversation")
    op.drop_index("ix_conversation_listen", "conversation")
    for column in ("listen_at", "their_version", "their_seq", "outside_clinician_id", "outside"):
        op.drop_column("conversation", column)
    op.drop_table("outside_clinician")
