"""A slot starts with nothing taken, and states that were only promised by code are promised by the table.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHECKS = (
    ("report", "state", "state IN ('expected','partial','ready','corrected')"),
    ("report_version", "status", "status IN ('partial','final','corrected')"),
    ("provider_task", "tries", "tries >= 0"),
    ("provider", "deadline_seconds", "deadline_seconds BETWEEN 1 AND 10"),
)


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION slot_starts_empty() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.taken <> 0 THEN
            RAISE EXCEPTION 'slot_starts_empty' USING ERRCODE = 'AX904';
          END IF;
          RETURN NEW;
        END $$;

        CREATE TRIGGER slot_starts_empty BEFORE INSERT ON slot FOR EACH ROW EXECUTE FUNCTION slot_starts_empty();
        """
    )
    for table, name, rule in CHECKS:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({rule}) NOT VALID")
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")


def downgrade() -> None:
    for table, name, _ in CHECKS:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")
    op.execute("DROP TRIGGER slot_starts_empty ON slot; DROP FUNCTION slot_starts_empty")
