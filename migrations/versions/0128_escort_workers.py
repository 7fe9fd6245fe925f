"""Escort workers, their rosters and absences, and which of them goes with whom.

Revision ID: 0128
Revises: 0126
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, TSTZRANGE, ExcludeConstraint

from migrations import frozen

revision = "0128"
down_revision = "0126"
branch_labels = None
depends_on = None

LIVE = "state IN ('asked','accepted')"
_OF_ASSIGNMENTS = ("FUNCTION in_one_market()", "ON escort_assignment ")


def upgrade() -> None:
    _workers()
    _assignments()
    # of in_one_market what is new: the triggers of the other tables stand as they are
    for statement in frozen.statements(revision, "in_one_market"):
        if any(part in statement for part in _OF_ASSIGNMENTS):
            op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
    frozen.run(revision, "escort_assignment_ends", "escort_ends_with_booking")


def downgrade() -> None:
    op.execute("DROP TRIGGER escort_ends_with_booking ON booking")
    op.execute("DROP FUNCTION escort_ends_with_booking()")
    for table in (
        "escort_search",
        "escort_assignment",
        "escort_absence",
        "escort_duty",
        "escort_knows",
        "escort_worker",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION escort_assignment_ends()")
    op.get_bind().exec_driver_sql(frozen.statements("0086", "in_one_market")[0].replace("%", "%%"))


def _workers() -> None:
    op.create_table(
        "escort_worker",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("member_id", sa.BigInteger(), sa.ForeignKey("operator.id"), unique=True),
        sa.Column("shown_name", sa.Text(), nullable=False),
        sa.Column("staff_number", sa.Text()),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("languages", ARRAY(sa.Text()), nullable=False),
        sa.Column("qualification_zh", sa.Text(), nullable=False, server_default=""),
        sa.Column("qualification_en", sa.Text(), nullable=False, server_default=""),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("home_longitude", sa.Double()),
        sa.Column("home_latitude", sa.Double()),
        sa.Column("phone_sealed", BYTEA()),
        sa.Column("papers_checked_at", sa.DateTime(timezone=True)),
        sa.Column("papers_checked_by", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("auto", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sex IN ('female','male')", name="sex"),
        sa.CheckConstraint("cardinality(languages) > 0", name="languages"),
        sa.CheckConstraint("(home_longitude IS NULL) = (home_latitude IS NULL)", name="home"),
        sa.CheckConstraint("(papers_checked_at IS NULL) = (papers_checked_by IS NULL)", name="papers"),
    )
    op.create_index("uq_escort_worker_provider", "escort_worker", ["id", "provider_id"], unique=True)
    op.create_index(
        "ix_escort_worker_city", "escort_worker", ["provider_id", "city"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "escort_knows",
        sa.Column(
            "worker_id", sa.BigInteger(), sa.ForeignKey("escort_worker.id"), primary_key=True, autoincrement=False
        ),
        sa.Column("site_id", sa.BigInteger(), sa.ForeignKey("site.id"), primary_key=True, autoincrement=False),
    )
    op.create_table(
        "escort_duty",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("worker_id", sa.BigInteger(), sa.ForeignKey("escort_worker.id"), nullable=False),
        sa.Column("weekdays", ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("start_minute", sa.BigInteger(), nullable=False),
        sa.Column("end_minute", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.CheckConstraint(
            "cardinality(weekdays) > 0 AND weekdays <@ ARRAY[1,2,3,4,5,6,7]::smallint[]", name="weekdays"
        ),
        sa.CheckConstraint("start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440", name="minutes"),
        sa.CheckConstraint("valid_from <= valid_until", name="valid"),
    )
    op.create_index("ix_escort_duty_worker", "escort_duty", ["worker_id"])
    op.create_table(
        "escort_absence",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("worker_id", sa.BigInteger(), sa.ForeignKey("escort_worker.id"), nullable=False),
        sa.Column("period", TSTZRANGE(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("cause IN ('leave','ill','other')", name="cause"),
        sa.CheckConstraint("NOT isempty(period) AND NOT lower_inf(period)", name="period"),
    )
    op.create_index("ix_escort_absence_worker", "escort_absence", ["worker_id"])
    op.create_index("ix_escort_absence_period", "escort_absence", ["period"], postgresql_using="gist")


def _assignments() -> None:
    op.create_table(
        "escort_assignment",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("booking_id", sa.BigInteger(), sa.ForeignKey("booking.id"), nullable=False),
        sa.Column("worker_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="asked"),
        sa.Column("live", sa.Boolean(), sa.Computed(LIVE, persisted=True), nullable=False),
        sa.Column("period", TSTZRANGE(), nullable=False),
        sa.Column("padded", TSTZRANGE(), nullable=False),
        sa.Column("travel_seconds", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("cause", sa.Text()),
        sa.Column("asked_by_kind", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("safe_word_sealed", BYTEA()),
        sa.Column("code_sealed", BYTEA()),
        sa.ForeignKeyConstraint(
            ["worker_id", "provider_id"],
            ["escort_worker.id", "escort_worker.provider_id"],
            name="fk_escort_assignment_worker",
        ),
        sa.CheckConstraint(
            "state IN ('asked','accepted','declined','lapsed','replaced','withdrawn','done')", name="state"
        ),
        sa.CheckConstraint(f"({LIVE}) = (ended_at IS NULL)", name="ended"),
        sa.CheckConstraint("(state IN ('asked','accepted','done')) = (cause IS NULL)", name="ended_for_a_cause"),
        sa.CheckConstraint("cause IN ('declined','no_answer','ill','late','moved','cancelled','desk')", name="cause"),
        sa.CheckConstraint("state NOT IN ('accepted','done','declined') OR answered_at IS NOT NULL", name="answered"),
        sa.CheckConstraint("answer_due_at > asked_at", name="answer_due"),
        sa.CheckConstraint("travel_seconds >= 0", name="travel"),
        sa.CheckConstraint("NOT isempty(period) AND padded @> period AND upper(padded) = upper(period)", name="padded"),
        ExcludeConstraint(
            (sa.text("int8range(worker_id, worker_id, '[]')"), "&&"),
            (sa.column("padded"), "&&"),
            where=sa.text("live"),
            using="gist",
            name="ex_escort_assignment_one_place_at_a_time",
        ),
    )
    op.create_index(
        "uq_escort_assignment_live", "escort_assignment", ["booking_id"], unique=True, postgresql_where=sa.text("live")
    )
    op.create_index("ix_escort_assignment_booking", "escort_assignment", ["booking_id"])
    op.create_index("ix_escort_assignment_worker", "escort_assignment", ["worker_id", "asked_at"])
    op.create_index(
        "ix_escort_assignment_due",
        "escort_assignment",
        ["answer_due_at"],
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_index(
        "ix_escort_assignment_provider", "escort_assignment", ["provider_id"], postgresql_where=sa.text("live")
    )
    op.create_table(
        "escort_search",
        sa.Column("booking_id", sa.BigInteger(), sa.ForeignKey("booking.id"), primary_key=True, autoincrement=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nobody_since", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_escort_search_look", "escort_search", ["look_at"])
