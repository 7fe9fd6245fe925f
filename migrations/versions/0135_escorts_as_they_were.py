"""An assignment keeps how its worker was called, since a provider may use a code of its own for somebody else later; and
when its customer is notified of who comes, where that was said too often to be told each time.

Of what was done before, the name that stands there now is the best that is known. Code of the release before writes
assignments without either: a trigger names her, and its customers are notified at once. Where that code corrects a name, or
takes another name under a provider's code for a correction, the assignment says the old one until it is written again.

Revision ID: 0135
Revises: 0134
"""

from alembic import op

from migrations import frozen, steps
from migrations.add_index import add_index

revision = "0135"
down_revision = "0134"
branch_labels = None
depends_on = None

BATCH = 5_000
"""How many rows' ids one statement looks at: nobody whose row it is waits for long."""
_NAMED = "ck_escort_assignment_worker_then"
_UNNAMED = (
    "UPDATE escort_assignment SET worker_then = escort_worker_now(worker_id)"
    " WHERE id > {after} AND id <= {last} AND worker_then IS NULL"
)


def upgrade() -> None:
    steps.run(
        "ALTER TABLE escort_assignment ADD COLUMN IF NOT EXISTS worker_then jsonb,"
        " ADD COLUMN IF NOT EXISTS notify_at timestamptz",
        *frozen.statements(revision, "escort_worker_now", "escort_worker_then"),
    )
    newest = op.get_bind().exec_driver_sql("SELECT coalesce(max(id), 0) FROM escort_assignment").scalar_one()
    steps.run(*(_UNNAMED.format(after=after, last=after + BATCH) for after in range(0, newest, BATCH)))
    steps.run(
        f"ALTER TABLE escort_assignment DROP CONSTRAINT IF EXISTS {_NAMED},"
        f" ADD CONSTRAINT {_NAMED} CHECK (worker_then IS NOT NULL) NOT VALID",
        f"ALTER TABLE escort_assignment VALIDATE CONSTRAINT {_NAMED}",
        "ALTER TABLE escort_assignment ALTER COLUMN worker_then SET NOT NULL",
        f"ALTER TABLE escort_assignment DROP CONSTRAINT IF EXISTS {_NAMED}",
        *frozen.statements(revision, "escort_assignment_ends", "escort_worker_notified"),
    )
    add_index("ix_escort_assignment_notify", "escort_assignment", ["notify_at"], where="notify_at IS NOT NULL")


def downgrade() -> None:
    frozen.run("0132", "escort_assignment_ends")
    for statement in (
        "DROP TRIGGER escort_worker_then ON escort_assignment",
        "DROP FUNCTION escort_worker_then()",
        "DROP FUNCTION escort_worker_now(bigint)",
        "ALTER TABLE escort_assignment DROP COLUMN worker_then, DROP COLUMN notify_at",
    ):
        op.execute(statement)
