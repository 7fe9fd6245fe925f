"""SMS and e-mail of what customers are told, how each wants to be told, and what a hold tells.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notification_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("channel IN ('sms','email')", name="ck_notification_delivery_channel"),
        sa.CheckConstraint("state IN ('queued','sent','failed','dropped')", name="ck_notification_delivery_state"),
        sa.CheckConstraint("tries >= 0 AND failures >= 0", name="ck_notification_delivery_tries"),
        sa.CheckConstraint("(state = 'queued') = (finished_at IS NULL)", name="ck_notification_delivery_finished"),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notification.id"], name="fk_notification_delivery_notification_id_notification"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notification_delivery"),
        sa.UniqueConstraint("key", name="uq_notification_delivery_key"),
        sa.UniqueConstraint("notification_id", "channel", name="uq_notification_delivery_notification_id_channel"),
    )
    op.create_index(
        "ix_notification_delivery_due",
        "notification_delivery",
        ["run_after"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "notice_setting",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("sms", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("email", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("email_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("quiet_from", sa.Time(), server_default="22:00", nullable=False),
        sa.Column("quiet_until", sa.Time(), server_default="08:00", nullable=False),
        sa.Column("feed_hash", postgresql.BYTEA(), nullable=True),
        sa.Column("feed_made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_notice_setting_customer_id_customer"),
        sa.PrimaryKeyConstraint("customer_id", name="pk_notice_setting"),
        sa.UniqueConstraint("feed_hash", name="uq_notice_setting_feed_hash"),
    )
    # Holding a place is one statement; its notice is written with the row, as booking.notices.facts_of would.
    op.execute(
        """
        CREATE FUNCTION booking_hold_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO notification (public_id, customer_id, booking_id, kind, subject, facts, created_at)
          VALUES (
            'ntf_' || substr(NEW.public_id, 5), NEW.customer_id, NEW.id, 'held', NEW.public_id,
            jsonb_build_object(
              'offer', jsonb_build_object(
                'zh', coalesce(NEW.snapshot #>> '{offer,zh}', ''), 'en', coalesce(NEW.snapshot #>> '{offer,en}', '')),
              'site', coalesce(NEW.snapshot #>> '{site,name}', ''), 'day', NEW.service_date,
              'starts_at', NEW.starts_at, 'zone', NEW.time_zone, 'cause', NEW.cause, 'until', NEW.hold_expires_at),
            NEW.created_at);
          RETURN NULL;
        END $$;

        CREATE TRIGGER booking_hold_is_told AFTER INSERT ON booking
          FOR EACH ROW WHEN (NEW.state = 'held') EXECUTE FUNCTION booking_hold_is_told();
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER booking_hold_is_told ON booking; DROP FUNCTION booking_hold_is_told")
    op.drop_table("notice_setting")
    op.drop_table("notification_delivery")
