"""At most ten places are held for one customer at a time: a hold costs nothing, and without a bound one customer with an
unlimited benefit keeps a day's places from everybody else, ten minutes at a time.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # One customer's holds take turns: an advisory lock, since no row may be locked between the person and the
    # entitlement. Nothing that holds it waits for another customer. A hold that is over but not yet swept isn't counted.
    op.execute(
        """
        CREATE FUNCTION booking_few_held() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock(1751477349, (NEW.customer_id % 2147483647)::int) /* turn */;
          IF (SELECT count(*) FROM booking
               WHERE customer_id = NEW.customer_id AND state = 'held' AND hold_expires_at > NEW.created_at) >= 10 THEN
            RAISE EXCEPTION 'too_many_held' USING ERRCODE = 'AX006';
          END IF;
          RETURN NEW;
        END $$;

        CREATE TRIGGER booking_few_held BEFORE INSERT ON booking
          FOR EACH ROW WHEN (NEW.state = 'held') EXECUTE FUNCTION booking_few_held();
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER booking_few_held ON booking; DROP FUNCTION booking_few_held")
