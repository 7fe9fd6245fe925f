"""Where a kind of benefit is covered, from which day, and who asked to be told when it is.

Revision ID: 0127
Revises: 0122
"""

import sqlalchemy as sa
from alembic import op

revision = "0127"
down_revision = "0122"
branch_labels = None
depends_on = None

_NARROWNESS = (
    "CASE WHEN site_id IS NOT NULL THEN 4 WHEN district IS NOT NULL AND tier IS NOT NULL THEN 3 "
    "WHEN district IS NOT NULL THEN 2 WHEN tier IS NOT NULL THEN 1 ELSE 0 END"
)


def upgrade() -> None:
    op.create_table(
        "coverage_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("insurer_id", sa.BigInteger(), sa.ForeignKey("insurer.id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("district", sa.Text()),
        sa.Column("tier", sa.Text()),
        sa.Column("site_id", sa.BigInteger(), sa.ForeignKey("site.id")),
        sa.Column("narrowness", sa.BigInteger(), sa.Computed(_NARROWNESS, persisted=True), nullable=False),
        sa.Column("level", sa.Text()),
        sa.Column("counts_from", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level IN ('covered','on_request','not_covered')", name="level"),
        sa.CheckConstraint("site_id IS NULL OR (district IS NULL AND tier IS NULL)", name="one_part"),
        sa.CheckConstraint("province <> '' AND city <> '' AND district <> '' AND tier <> ''", name="no_blanks"),
    )
    op.create_index("ix_coverage_line_place", "coverage_line", ["kind", "province", "city", "counts_from"])
    op.create_index(
        "ix_coverage_line_site", "coverage_line", ["site_id"], postgresql_where=sa.text("site_id IS NOT NULL")
    )
    op.create_table(
        "coverage_wish",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("customer_id", sa.BigInteger(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), sa.ForeignKey("site.id"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.Text(), nullable=False, server_default="open"),
        sa.CheckConstraint("outcome IN ('open','told','withdrawn')", name="outcome"),
        sa.CheckConstraint("(outcome = 'open') = (ended_at IS NULL)", name="ended"),
    )
    op.create_index(
        "uq_coverage_wish_open",
        "coverage_wish",
        ["customer_id", "kind", "site_id"],
        unique=True,
        postgresql_where=sa.text("outcome = 'open'"),
    )
    op.create_index("ix_coverage_wish_customer_id", "coverage_wish", ["customer_id"])
    op.create_index("ix_coverage_wish_open", "coverage_wish", ["id"], postgresql_where=sa.text("outcome = 'open'"))


def downgrade() -> None:
    op.drop_table("coverage_wish")
    op.drop_table("coverage_line")
