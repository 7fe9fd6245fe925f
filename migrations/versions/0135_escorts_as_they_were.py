"""An assignment keeps how its worker was called, since a provider may use a code of its own for somebody else later; and
when its customer is notified of who comes, where that was said too often to be told each time.

Of what was done before, the name that stands there now is the best that is known. Code of the release before writes
assignments without either: a trigger names her, and its customers are notified at once.

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

_NAMED = "ck_escort_assignment_worker_then"


def upgrade() -> None:
    steps.run(
        "ALTER TABLE escort_assignment ADD COLUMN IF NOT EXISTS worker_then jsonb,"
        " ADD COLUMN IF NOT EXISTS notify_at timestamptz",
        *frozen.statements(revision, "escort_worker_now", "escort_worker_then"),
        "UPDATE escort_assignment SET worker_then = escort_worker_now(worker_id) WHERE worker_then IS NULL",
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
