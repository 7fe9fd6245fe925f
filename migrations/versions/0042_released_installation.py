"""A restored copy is told from the database that was released.

Revision ID: 0042
Revises: 0041
"""

import sqlalchemy as sa
from alembic import op

from migrations import frozen

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation_release",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("timeline", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation_release"),
    )
    op.execute(  # the database that is in use is the one that may act
        "INSERT INTO installation_release (at, cluster, timeline)"
        " SELECT now(), (SELECT CAST(system_identifier AS text) FROM pg_control_system()),"
        " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
    )
    frozen.run("0042", "installation_release_append_only")


def downgrade() -> None:
    op.drop_table("installation_release")
