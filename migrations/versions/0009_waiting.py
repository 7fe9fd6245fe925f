"""The waiting list, and the triggers that notice a place which somebody waits for.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('waiting','offered')")

# A slot that becomes free is rare beside slots that are taken: the WHEN clause decides without calling the function.
# New slots come by the thousand, so they are compared with the waiting list in one statement.
FREED = """
CREATE FUNCTION slot_freed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO freed_slot (slot_id, kept)
  SELECT NEW.id, true
   WHERE EXISTS (SELECT FROM waiting_place p JOIN waiting_entry e ON e.id = p.entry_id
                  WHERE p.pool_id = NEW.pool_id AND p.open AND e.state = 'waiting'
                    AND NEW.service_date BETWEEN e.first_day AND e.last_day);
  RETURN NULL;
END $$;

CREATE TRIGGER slot_freed AFTER UPDATE OF taken, capacity, offered, closed ON slot FOR EACH ROW
  WHEN (NEW.has_place AND NOT OLD.has_place) EXECUTE FUNCTION slot_freed();

CREATE FUNCTION slots_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO freed_slot (slot_id, kept)
  SELECT DISTINCT added.id, true
    FROM added
    JOIN waiting_place p ON p.pool_id = added.pool_id AND p.open
    JOIN waiting_entry e ON e.id = p.entry_id AND e.state = 'waiting'
     AND added.service_date BETWEEN e.first_day AND e.last_day
   WHERE added.has_place;
  RETURN NULL;
END $$;

CREATE TRIGGER slots_added AFTER INSERT ON slot REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION slots_added();
"""


def upgrade() -> None:
    _entry()
    _place()
    _chance()
    op.create_table(
        "freed_slot",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("freed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name="fk_freed_slot_slot_id_slot"),
        sa.PrimaryKeyConstraint("id", name="pk_freed_slot"),
    )
    op.create_index("ix_freed_slot_slot", "freed_slot", ["slot_id"])
    op.execute(FREED)


def _entry() -> None:
    op.create_table(
        "waiting_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("entitlement_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("weekdays", sa.BigInteger(), nullable=False),
        sa.Column("from_hour", sa.BigInteger(), nullable=False),
        sa.Column("until_hour", sa.BigInteger(), nullable=False),
        sa.Column("hours_before", sa.BigInteger(), nullable=False),
        sa.Column("auto_book", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("lapses", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting','offered','booked','ended','withdrawn')", name="ck_waiting_entry_state"
        ),
        sa.CheckConstraint("first_day <= last_day", name="ck_waiting_entry_days"),
        sa.CheckConstraint("weekdays BETWEEN 1 AND 127", name="ck_waiting_entry_weekdays"),
        sa.CheckConstraint(
            "from_hour >= 0 AND from_hour < until_hour AND until_hour <= 24", name="ck_waiting_entry_hours"
        ),
        sa.CheckConstraint("hours_before BETWEEN 0 AND 720", name="ck_waiting_entry_hours_before"),
        sa.CheckConstraint("number BETWEEN 1 AND 10", name="ck_waiting_entry_number"),
        sa.CheckConstraint("lapses >= 0", name="ck_waiting_entry_lapses"),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name="fk_waiting_entry_insurer_id_insurer"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_waiting_entry_customer_id_customer"),
        sa.ForeignKeyConstraint(
            ["beneficiary_id"], ["beneficiary.id"], name="fk_waiting_entry_beneficiary_id_beneficiary"
        ),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name="fk_waiting_entry_entitlement_id_entitlement"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_waiting_entry"),
        sa.UniqueConstraint("public_id", name="uq_waiting_entry_public_id"),
    )
    op.create_index(
        "uq_waiting_entry_number", "waiting_entry", ["customer_id", "number"], unique=True, postgresql_where=OPEN
    )
    op.create_index("ix_waiting_entry_customer", "waiting_entry", ["customer_id", "id"])
    op.create_index(
        "ix_waiting_entry_closes", "waiting_entry", ["closes_at"], postgresql_where=sa.text("state = 'waiting'")
    )


def _place() -> None:
    op.create_table(
        "waiting_place",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Boolean(), server_default="true", nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["waiting_entry.id"], name="fk_waiting_place_entry_id_waiting_entry"),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_waiting_place_offer_id_offer"),
        sa.ForeignKeyConstraint(["pool_id"], ["capacity_pool.id"], name="fk_waiting_place_pool_id_capacity_pool"),
        sa.ForeignKeyConstraint(
            ["beneficiary_id"], ["beneficiary.id"], name="fk_waiting_place_beneficiary_id_beneficiary"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_waiting_place"),
        sa.UniqueConstraint("entry_id", "offer_id", name="uq_waiting_place_entry_id_offer_id"),
    )
    op.create_index(
        "uq_waiting_place_open",
        "waiting_place",
        ["beneficiary_id", "offer_id"],
        unique=True,
        postgresql_where=sa.text("open"),
    )
    op.create_index("ix_waiting_place_pool", "waiting_place", ["pool_id", "entry_id"], postgresql_where=sa.text("open"))


def _chance() -> None:
    op.create_table(
        "waiting_chance",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="open", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('open','booked','lapsed','declined','refused')", name="ck_waiting_chance_outcome"
        ),
        sa.CheckConstraint("(outcome = 'open') = (closed_at IS NULL)", name="ck_waiting_chance_closed"),
        sa.ForeignKeyConstraint(["entry_id"], ["waiting_entry.id"], name="fk_waiting_chance_entry_id_waiting_entry"),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name="fk_waiting_chance_slot_id_slot"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_waiting_chance_booking_id_booking"),
        sa.PrimaryKeyConstraint("id", name="pk_waiting_chance"),
        sa.UniqueConstraint("entry_id", "slot_id", name="uq_waiting_chance_entry_id_slot_id"),
        sa.UniqueConstraint("booking_id", name="uq_waiting_chance_booking_id"),
    )
    op.create_index(
        "uq_waiting_chance_open",
        "waiting_chance",
        ["entry_id"],
        unique=True,
        postgresql_where=sa.text("outcome = 'open'"),
    )


def downgrade() -> None:
    op.execute(
        "DROP TRIGGER slots_added ON slot; DROP FUNCTION slots_added; "
        "DROP TRIGGER slot_freed ON slot; DROP FUNCTION slot_freed"
    )
    for table in ("freed_slot", "waiting_chance", "waiting_place", "waiting_entry"):
        op.drop_table(table)
