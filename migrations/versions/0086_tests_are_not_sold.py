"""A test's offer is never certified, and no statement is made of a test.

Last week's code gives out to customers what is certified, whatever its market: its worker may go on to mark a test's
offers, and the trigger leaves them as they are.

Revision ID: 0086
Revises: 0091
"""

from alembic import op

from migrations import frozen

revision = "0086"
down_revision = "0091"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen.run(revision, "tests_are_not_certified", "in_one_market")
    op.execute("UPDATE offer SET certified = false WHERE certified AND market <> 0")
    op.execute(
        "ALTER TABLE offer ADD CONSTRAINT ck_offer_no_certified_test CHECK (market = 0 OR NOT certified) NOT VALID"
    )
    op.execute("ALTER TABLE offer VALIDATE CONSTRAINT ck_offer_no_certified_test")


def downgrade() -> None:
    op.execute("ALTER TABLE offer DROP CONSTRAINT ck_offer_no_certified_test")
    op.execute("DROP TRIGGER tests_are_not_certified ON offer")
    op.execute("DROP FUNCTION tests_are_not_certified()")
    frozen.run("0079", "in_one_market")
