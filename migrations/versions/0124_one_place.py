"""One hospital is one place: sites that were merged into another, pairs that may be one, what a kind of place may do.

Last week's code goes on to show a merged site by itself; nothing that it writes is lost.

Revision ID: 0124
Revises: 0123
"""

import sqlalchemy as sa
from alembic import op

from migrations import frozen

revision = "0124"
down_revision = "0123"
branch_labels = None
depends_on = None

_OF_THE_SITE_ALONE = """
CREATE OR REPLACE FUNCTION slot_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT NEW.closed AND EXISTS (
    SELECT FROM capacity_pool p JOIN site_closure c ON c.site_id = p.site_id
     WHERE p.id = NEW.pool_id AND c.state <> 'withdrawn'
       AND NEW.service_date >= c.from_day AND (c.to_day IS NULL OR NEW.service_date <= c.to_day))
  THEN
    NEW.closed := true;
  END IF;
  RETURN NEW;
END $$
"""
_MOMENT = sa.DateTime(timezone=True)


def _begun(table: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        *columns,
    )


def _site(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey("site.id"), nullable=False)


def upgrade() -> None:
    op.add_column("site", sa.Column("merged_into", sa.BigInteger()))
    op.add_column(
        "site",
        sa.Column(
            "place_id", sa.BigInteger(), sa.Computed("coalesce(merged_into, id)", persisted=True), nullable=False
        ),
    )
    op.create_unique_constraint("uq_site_place_id_id", "site", ["place_id", "id"])
    op.create_foreign_key("fk_site_merged_into", "site", "site", ["merged_into", "place_id"], ["id", "place_id"])
    op.create_check_constraint("merged_into_another", "site", "merged_into <> id")
    _begun(
        "site_merge",
        _site("site_id"),
        _site("into_id"),
        sa.Column("merged_at", _MOMENT, nullable=False),
        sa.Column("merged_by", sa.Text(), nullable=False),
        sa.Column("undone_at", _MOMENT),
        sa.Column("undone_by", sa.Text()),
        sa.CheckConstraint("site_id <> into_id", name="into_another"),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone"),
    )
    standing = sa.text("undone_at IS NULL")
    op.create_index("uq_site_merge_standing", "site_merge", ["site_id"], unique=True, postgresql_where=standing)
    op.create_index("ix_site_merge_into", "site_merge", ["into_id"], postgresql_where=standing)
    _begun(
        "site_double",
        _site("first_id"),
        _site("second_id"),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("found_at", _MOMENT, nullable=False),
        sa.Column("lost_at", _MOMENT),
        sa.Column("apart_at", _MOMENT),
        sa.Column("apart_by", sa.Text()),
        sa.UniqueConstraint("first_id", "second_id"),
        sa.CheckConstraint("first_id < second_id", name="in_order"),
        sa.CheckConstraint("(apart_at IS NULL) = (apart_by IS NULL)", name="apart"),
    )
    op.create_index("ix_site_double_second", "site_double", ["second_id"])
    _begun(
        "site_allowance",
        _site("site_id"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("allowed_at", _MOMENT, nullable=False),
        sa.Column("allowed_by", sa.Text(), nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.Column("ended_by", sa.Text()),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    )
    op.create_index(
        "uq_site_allowance_standing",
        "site_allowance",
        ["site_id", "kind"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    frozen.run(revision, "slot_stays_closed")


def downgrade() -> None:
    op.execute(_OF_THE_SITE_ALONE)
    op.drop_table("site_allowance")
    op.drop_table("site_double")
    op.drop_table("site_merge")
    op.drop_constraint("merged_into_another", "site", type_="check")
    op.drop_constraint("fk_site_merged_into", "site", type_="foreignkey")
    op.drop_constraint("uq_site_place_id_id", "site", type_="unique")
    op.drop_column("site", "place_id")
    op.drop_column("site", "merged_into")
