"""The live market and test markets: a provider may have a twin, whose bookings are of test customers only.

Code of the release before knows of no market: what it writes is live, as all of it is today, and what it writes for a
twin gets the twin's market from the triggers.

Revision ID: 0079
Revises: 0077
"""

from alembic import op

from migrations import frozen, steps

revision = "0079"
down_revision = "0077"
branch_labels = None
depends_on = None

_PAIRS = (
    ("uq_provider_market", "provider", ["id", "market"]),
    ("uq_insurer_market", "insurer", ["id", "market"]),
    ("uq_capacity_pool_provider", "capacity_pool", ["id", "provider_id"]),
    ("uq_offer_provider", "offer", ["id", "provider_id"]),
    ("uq_customer_insurer", "customer", ["id", "insurer_id"]),
    ("uq_beneficiary_customer", "beneficiary", ["id", "customer_id"]),
    ("uq_entitlement_customer", "entitlement", ["id", "customer_id"]),
)
"""What the foreign keys refer to."""

_KEYS = (
    ("insurer", "fk_insurer_twin", "twin_id, market", "provider (id, market)"),
    ("offer", "fk_offer_provider_market", "provider_id, market", "provider (id, market)"),
    ("offer", "fk_offer_pool_provider", "pool_id, provider_id", "capacity_pool (id, provider_id)"),
    ("booking", "fk_booking_provider_market", "provider_id, market", "provider (id, market)"),
    ("booking", "fk_booking_insurer_market", "insurer_id, market", "insurer (id, market)"),
    ("booking", "fk_booking_customer_insurer", "customer_id, insurer_id", "customer (id, insurer_id)"),
    ("booking", "fk_booking_beneficiary_customer", "beneficiary_id, customer_id", "beneficiary (id, customer_id)"),
    ("booking", "fk_booking_entitlement_customer", "entitlement_id, customer_id", "entitlement (id, customer_id)"),
    ("booking", "fk_booking_offer_provider", "offer_id, provider_id", "offer (id, provider_id)"),
)

_TRIGGERS = {
    "in_one_market": (
        *("booking_look_up", "capacity_change_item", "change_request", "closing_statement", "discrepancy"),
        *("entitlement_entry", "notification", "operator", "proposal", "provider_booking", "provider_task", "report"),
        *("report_share", "site_closure", "site_closure_item", "slot_claim", "statement_line", "stray_cancel"),
        *("waiting_chance", "waiting_entry", "waiting_place"),
    ),
    "market_stays": ("insurer", "provider"),
    "takes_providers_market": ("booking", "offer"),
    "twin_of_a_live_one": ("provider",),
}


_STANDING = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM booking WHERE market <> 0 AND state <> 'entered_in_error') THEN
    RAISE EXCEPTION 'bookings of test mode stand: clear them before';
  END IF;
END $$
"""
_TWINS = "(SELECT id FROM provider WHERE twin_of IS NOT NULL)"
_CLIENTS = f"(SELECT id FROM api_client WHERE provider_id IN {_TWINS})"
_ENDED = (
    f"UPDATE api_token SET ended_at = now() WHERE ended_at IS NULL AND client_id IN {_CLIENTS}",
    f"UPDATE api_secret SET ended_at = now() WHERE ended_at IS NULL AND client_id IN {_CLIENTS}",
    f"UPDATE api_client SET ended_at = now() WHERE ended_at IS NULL AND provider_id IN {_TWINS}",
    "UPDATE webhook_delivery SET state = 'dropped', finished_at = now() WHERE state = 'queued' AND endpoint_id IN"
    f" (SELECT id FROM webhook_endpoint WHERE provider_id IN {_TWINS})",
    "UPDATE webhook_endpoint SET state = 'ended', reason = 'gone', state_since = now()"
    f" WHERE state <> 'ended' AND provider_id IN {_TWINS}",
    "UPDATE notification_delivery SET state = 'dropped', finished_at = now(), reason = 'test' WHERE state = 'queued'"
    " AND notification_id IN (SELECT n.id FROM notification n JOIN booking b ON b.id = n.booking_id WHERE b.market <> 0)",
    "UPDATE sign_in_session SET ended_at = now() WHERE ended_at IS NULL AND substring(token_hash FOR 5) = 'test:'",
)


def upgrade() -> None:
    """One table at a time: these are all that a booking touches."""
    steps.run(
        "ALTER TABLE provider ADD COLUMN IF NOT EXISTS twin_of bigint,"
        " ADD COLUMN IF NOT EXISTS market bigint"
        " GENERATED ALWAYS AS (CASE WHEN twin_of IS NULL THEN 0 ELSE id END) STORED",
        "ALTER TABLE insurer ADD COLUMN IF NOT EXISTS twin_id bigint,"
        " ADD COLUMN IF NOT EXISTS market bigint GENERATED ALWAYS AS (coalesce(twin_id, 0)) STORED",
        *(
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS market bigint NOT NULL DEFAULT 0"
            for table in ("offer", "booking")
        ),
        *(f"ALTER TABLE {table} ALTER COLUMN market SET NOT NULL" for table in ("provider", "insurer")),
    )
    for name, table, columns in _PAIRS:
        steps.add_key_index(name, table, columns)
    steps.add_constraint("provider", "uq_provider_twin_of", "UNIQUE (twin_of)")
    steps.add_constraint("insurer", "uq_insurer_twin_id", "UNIQUE (twin_id)")
    steps.add_constraint("provider", "fk_provider_twin_of", "FOREIGN KEY (twin_of) REFERENCES provider (id)")
    for table, name, from_columns, target in _KEYS:
        steps.add_constraint(table, name, f"FOREIGN KEY ({from_columns}) REFERENCES {target} NOT VALID")
    steps.run(*frozen.statements(revision, "takes_providers_market", "market_stays", "in_one_market"))


def downgrade() -> None:
    """Code of before knows live providers alone: what is left of tests is booked, sold, called and told no more. Refused
    while test bookings stand, which it would bill: `Clear all test bookings` of each twin ends them."""
    op.execute(_STANDING)
    for statement in _ENDED:
        op.execute(statement)
    op.execute("UPDATE offer SET active = false WHERE market <> 0")
    op.execute("UPDATE provider SET paused_at = now() WHERE twin_of IS NOT NULL")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name, tables in _TRIGGERS.items():
        for table in tables:
            op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in ("in_one_market", "market_stays", "takes_providers_market"):
        op.execute(f"DROP FUNCTION {name}()")
    for table, name, _from, _target in _KEYS:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, table, _columns in _PAIRS:
        op.drop_index(name, table)
    for table in ("booking", "offer"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN market")
    op.execute("ALTER TABLE insurer DROP COLUMN market, DROP COLUMN twin_id")
    op.execute("ALTER TABLE provider DROP COLUMN market, DROP COLUMN twin_of")
