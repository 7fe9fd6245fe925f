"""All tables of the first version.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_line")),
    )
    op.create_index("ix_audit_line_subject", "audit_line", ["subject", "id"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", postgresql.BYTEA(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("scope", "key", name=op.f("uq_idempotency_key_scope_key")),
    )
    op.create_index("ix_idempotency_key_created", "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "insurer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurer")),
        sa.UniqueConstraint("code", name=op.f("uq_insurer_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_insurer_public_id")),
    )
    op.create_table(
        "job_run",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("every_seconds", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_run")),
    )
    op.create_table(
        "provider",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("secret_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("webhook_secrets_sealed", sa.ARRAY(postgresql.BYTEA()), server_default="{}", nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="Asia/Shanghai", nullable=False),
        sa.Column("allotment", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("deadline_seconds", sa.BigInteger(), server_default="8", nullable=False),
        sa.Column("max_in_flight", sa.BigInteger(), server_default="4", nullable=False),
        sa.Column("settle_window_seconds", sa.BigInteger(), server_default="60", nullable=False),
        sa.Column("answer_hours", sa.BigInteger(), server_default="48", nullable=False),
        sa.Column("poll_seconds", sa.BigInteger(), server_default="15", nullable=False),
        sa.Column("slots_seconds", sa.BigInteger(), server_default="60", nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("max_in_flight > 0", name=op.f("ck_provider_max_in_flight")),
        sa.CheckConstraint("settle_window_seconds >= 0", name=op.f("ck_provider_settle_window")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("code", name=op.f("uq_provider_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_provider_public_id")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aliases", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), server_default="", nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("tier_source", sa.Text(), server_default="", nullable=False),
        sa.Column("tier_date", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="Asia/Shanghai", nullable=False),
        sa.Column("terms", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("search_text", sa.Text(), server_default="", nullable=False),
        sa.Column("pinyin", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(longitude IS NULL) = (latitude IS NULL)", name=op.f("ck_site_coordinates_pair")),
        sa.CheckConstraint(
            "longitude BETWEEN -180 AND 180 AND latitude BETWEEN -90 AND 90", name=op.f("ck_site_coordinates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("province", "city", "name", name=op.f("uq_site_province_city_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_site_public_id")),
    )
    op.create_index("ix_site_place", "site", ["city", "district"], unique=False)
    op.create_index(
        "ix_site_terms",
        "site",
        ["terms"],
        unique=False,
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_table(
        "worker_beat",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leader", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_worker_beat")),
    )
    op.create_table(
        "capacity_pool",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_capacity_pool_provider_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_capacity_pool_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_pool")),
        sa.UniqueConstraint("provider_id", "external_ref", name=op.f("uq_capacity_pool_provider_id_external_ref")),
        sa.UniqueConstraint("public_id", name=op.f("uq_capacity_pool_public_id")),
    )
    op.create_index(op.f("ix_capacity_pool_site_id"), "capacity_pool", ["site_id"], unique=False)
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone_sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("phone_index", postgresql.BYTEA(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_customer_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("insurer_id", "phone_index", name=op.f("uq_customer_insurer_id_phone_index")),
        sa.UniqueConstraint("public_id", name=op.f("uq_customer_public_id")),
    )
    op.create_table(
        "inbox_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_inbox_event_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_event")),
        sa.UniqueConstraint("provider_id", "event_id", name=op.f("uq_inbox_event_provider_id_event_id")),
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="admin", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_operator_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("login", name=op.f("uq_operator_login")),
        sa.UniqueConstraint("public_id", name=op.f("uq_operator_public_id")),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_plan_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("insurer_id", "code", name=op.f("uq_plan_insurer_id_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_public_id")),
    )
    op.create_table(
        "sync_cursor",
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_sync_cursor_provider_id")),
        sa.PrimaryKeyConstraint("provider_id", "feed", name=op.f("pk_sync_cursor")),
    )
    op.create_table(
        "beneficiary",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("phone_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("id_number_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("id_number_index", postgresql.BYTEA(), nullable=True),
        sa.Column("wrapped_key", postgresql.BYTEA(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "relation IN ('self','spouse','father','mother','son','daughter','father_in_law','mother_in_law','other')",
            name=op.f("ck_beneficiary_relation"),
        ),
        sa.CheckConstraint("sex IN ('male','female')", name=op.f("ck_beneficiary_sex")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_beneficiary_customer_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_beneficiary_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_beneficiary")),
        sa.UniqueConstraint("public_id", name=op.f("uq_beneficiary_public_id")),
    )
    op.create_index("ix_beneficiary_customer", "beneficiary", ["customer_id"], unique=False)
    op.create_index(
        "uq_beneficiary_self",
        "beneficiary",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("relation = 'self'"),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("package", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("price_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), server_default="CNY", nullable=False),
        sa.Column("lead_minutes", sa.BigInteger(), server_default="720", nullable=False),
        sa.Column("cancel_hours", sa.BigInteger(), server_default="24", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("available_from", sa.Date(), nullable=True),
        sa.Column("available_until", sa.Date(), nullable=True),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_offer_price")),
        sa.ForeignKeyConstraint(["pool_id"], ["capacity_pool.id"], name=op.f("fk_offer_pool_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_offer_provider_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_offer_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("provider_id", "external_ref", name=op.f("uq_offer_provider_id_external_ref")),
        sa.UniqueConstraint("public_id", name=op.f("uq_offer_public_id")),
    )
    op.create_index("ix_offer_kind_site", "offer", ["kind", "site_id"], unique=False)
    op.create_index("ix_offer_pool", "offer", ["pool_id"], unique=False)
    op.create_index(op.f("ix_offer_site_id"), "offer", ["site_id"], unique=False)
    op.create_table(
        "plan_benefit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("sharing", sa.Text(), server_default="family", nullable=False),
        sa.Column("months", sa.BigInteger(), server_default="12", nullable=False),
        sa.Column("grace_days", sa.BigInteger(), server_default="30", nullable=False),
        sa.Column("no_show_uses", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_plan_benefit_quantity")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_benefit_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_benefit")),
        sa.UniqueConstraint("plan_id", "kind", name=op.f("uq_plan_benefit_plan_id_kind")),
    )
    op.create_table(
        "sign_in_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("phone_index", postgresql.BYTEA(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("code_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_sign_in_code_tries")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sign_in_code_customer_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_sign_in_code_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_code")),
    )
    op.create_index("ix_sign_in_code_phone", "sign_in_code", ["insurer_id", "phone_index", "created_at"], unique=False)
    op.create_table(
        "sign_in_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("operator_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint("(customer_id IS NULL) <> (operator_id IS NULL)", name=op.f("ck_sign_in_session_one_owner")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sign_in_session_customer_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_sign_in_session_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_session")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sign_in_session_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_session_token_hash")),
    )
    op.create_index(
        "ix_sign_in_session_customer",
        "sign_in_session",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "slot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "has_place", sa.Boolean(), sa.Computed("taken < capacity AND NOT closed", persisted=True), nullable=False
        ),
        sa.CheckConstraint(
            "(starts_at IS NULL) = (ends_at IS NULL) AND starts_at < ends_at", name=op.f("ck_slot_times")
        ),
        sa.CheckConstraint("offered >= 0", name=op.f("ck_slot_offered")),
        sa.CheckConstraint("taken >= 0 AND taken <= capacity", name=op.f("ck_slot_taken")),
        sa.ForeignKeyConstraint(["pool_id"], ["capacity_pool.id"], name=op.f("fk_slot_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
        sa.UniqueConstraint("pool_id", "external_ref", name=op.f("uq_slot_pool_id_external_ref")),
        sa.UniqueConstraint("public_id", name=op.f("uq_slot_public_id")),
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index(
        "ix_slot_free",
        "slot",
        ["pool_id", "service_date", "starts_at"],
        unique=False,
        postgresql_where=sa.text("has_place"),
    )
    op.create_index("ix_slot_pool_date", "slot", ["pool_id", "service_date", "starts_at"], unique=False)
    op.create_table(
        "entitlement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_benefit_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sharing", sa.Text(), server_default="family", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("grace_days", sa.BigInteger(), server_default="30", nullable=False),
        sa.Column("no_show_uses", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("granted", sa.BigInteger(), server_default="0", nullable=True),
        sa.Column("available", sa.BigInteger(), server_default="0", nullable=True),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expired", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revoked", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("sharing IN ('self','family')", name=op.f("ck_entitlement_sharing")),
        sa.CheckConstraint("(granted IS NULL) = (available IS NULL)", name=op.f("ck_entitlement_unlimited")),
        sa.CheckConstraint(
            "coalesce(available, 0) >= 0 AND reserved >= 0 AND used >= 0 AND expired >= 0 AND revoked >= 0",
            name=op.f("ck_entitlement_not_negative"),
        ),
        sa.CheckConstraint(
            "granted IS NULL OR granted = available + reserved + used + expired + revoked",
            name=op.f("ck_entitlement_balance"),
        ),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_entitlement_validity")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_entitlement_customer_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_entitlement_insurer_id")),
        sa.ForeignKeyConstraint(["plan_benefit_id"], ["plan_benefit.id"], name=op.f("fk_entitlement_plan_benefit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
        sa.UniqueConstraint("public_id", name=op.f("uq_entitlement_public_id")),
    )
    op.create_index("ix_entitlement_customer", "entitlement", ["customer_id", "kind", "valid_until"], unique=False)
    op.create_index(
        "ix_entitlement_to_expire",
        "entitlement",
        ["valid_until"],
        unique=False,
        postgresql_where=sa.text("available > 0"),
    )
    op.create_table(
        "booking",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("entitlement_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "waitlisted",
                "awaiting_provider",
                "outcome_unknown",
                "confirmed",
                "checked_in",
                "in_service",
                "fulfilled",
                "no_show",
                "rejected",
                "expired",
                "cancelled",
                "entered_in_error",
                name="bookingstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "live",
            sa.Boolean(),
            sa.Computed(
                "state IN ('held', 'awaiting_provider', 'outcome_unknown', 'confirmed', 'checked_in', 'in_service')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("period", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("details_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("report_state", sa.Text(), server_default="none", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(beneficiary_id, beneficiary_id, '[]')"), "&&"),
            (sa.column("period"), "&&"),
            where=sa.text("live"),
            using="gist",
            name="ex_booking_one_place_at_a_time",
        ),
        sa.CheckConstraint(
            "report_state IN ('none','expected','partial','ready','corrected','overdue')",
            name=op.f("ck_booking_report"),
        ),
        sa.CheckConstraint(
            "state IN ('held', 'waitlisted', 'awaiting_provider', 'outcome_unknown', 'confirmed', 'checked_in', 'in_service', 'fulfilled', 'no_show', 'rejected', 'expired', 'cancelled', 'entered_in_error')",
            name=op.f("ck_booking_state"),
        ),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_booking_price")),
        sa.ForeignKeyConstraint(["beneficiary_id"], ["beneficiary.id"], name=op.f("fk_booking_beneficiary_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_booking_customer_id")),
        sa.ForeignKeyConstraint(["entitlement_id"], ["entitlement.id"], name=op.f("fk_booking_entitlement_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_booking_insurer_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_booking_offer_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_booking_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
        sa.UniqueConstraint("public_id", name=op.f("uq_booking_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_booking_reference")),
    )
    op.create_index(
        "ix_booking_answer_due",
        "booking",
        ["answer_due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('awaiting_provider','outcome_unknown')"),
    )
    op.create_index("ix_booking_customer", "booking", ["customer_id", "id"], unique=False)
    op.create_index(
        "ix_booking_hold", "booking", ["hold_expires_at"], unique=False, postgresql_where=sa.text("state = 'held'")
    )
    op.create_index("ix_booking_provider", "booking", ["provider_id", "id"], unique=False)
    op.create_table(
        "entitlement_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entitlement_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=True),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(booking_id IS NOT NULL) = (entry IN ('reserve','release','use','reverse'))",
            name=op.f("ck_entitlement_entry_booking"),
        ),
        sa.CheckConstraint(
            "entry IN ('grant','reserve','release','use','reverse','expire','revoke')",
            name=op.f("ck_entitlement_entry_entry"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_entitlement_entry_quantity")),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=op.f("fk_entitlement_entry_entitlement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement_entry")),
    )
    op.create_index("ix_entitlement_entry_entitlement", "entitlement_entry", ["entitlement_id", "id"], unique=False)
    op.create_index(
        "uq_entitlement_entry_back_once",
        "entitlement_entry",
        ["booking_id", "attempt"],
        unique=True,
        postgresql_where=sa.text("entry IN ('release','use')"),
    )
    op.create_index(
        "uq_entitlement_entry_once",
        "entitlement_entry",
        ["booking_id", "entry", "attempt"],
        unique=True,
        postgresql_where=sa.text("booking_id IS NOT NULL"),
    )
    op.create_table(
        "booking_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_history_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_history")),
        sa.UniqueConstraint("booking_id", "version", name=op.f("uq_booking_history_booking_id_version")),
    )
    op.create_table(
        "change_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("new_slot_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('cancel','reschedule')", name=op.f("ck_change_request_kind")),
        sa.CheckConstraint("state IN ('open','done','refused','withdrawn')", name=op.f("ck_change_request_state")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_change_request_booking_id")),
        sa.ForeignKeyConstraint(["new_slot_id"], ["slot.id"], name=op.f("fk_change_request_new_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_change_request_public_id")),
    )
    op.create_index("ix_change_request_booking", "change_request", ["booking_id"], unique=False)
    op.create_index(
        "uq_change_request_open",
        "change_request",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "discrepancy",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_discrepancy_booking_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_discrepancy_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancy")),
        sa.UniqueConstraint("public_id", name=op.f("uq_discrepancy_public_id")),
    )
    op.create_index(
        "uq_discrepancy_open",
        "discrepancy",
        ["provider_id", "kind", "subject"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "provider_booking",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('pending','current','superseded','stray')", name=op.f("ck_provider_booking_role")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_provider_booking_booking_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_booking_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_booking")),
        sa.UniqueConstraint("provider_id", "reference", name=op.f("uq_provider_booking_provider_id_reference")),
    )
    op.create_index("ix_provider_booking_booking", "provider_booking", ["booking_id"], unique=False)
    op.create_index(
        "uq_provider_booking_current",
        "provider_booking",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("role = 'current'"),
    )
    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("announced_version", sa.BigInteger(), nullable=False),
        sa.Column("fetched_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetch_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["beneficiary_id"], ["beneficiary.id"], name=op.f("fk_report_beneficiary_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_report_booking_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_report_customer_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["insurer.id"], name=op.f("fk_report_insurer_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_report_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("provider_id", "reference", name=op.f("uq_report_provider_id_reference")),
        sa.UniqueConstraint("public_id", name=op.f("uq_report_public_id")),
    )
    op.create_index("ix_report_beneficiary", "report", ["beneficiary_id", "id"], unique=False)
    op.create_index("ix_report_booking", "report", ["booking_id"], unique=False)
    op.create_table(
        "slot_claim",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("places", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("live", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("live = (released_at IS NULL)", name=op.f("ck_slot_claim_released")),
        sa.CheckConstraint("places > 0", name=op.f("ck_slot_claim_places")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_slot_claim_booking_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_slot_claim_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_claim")),
    )
    op.create_index("ix_slot_claim_slot", "slot_claim", ["slot_id"], unique=False, postgresql_where=sa.text("live"))
    op.create_index(
        "uq_slot_claim_live", "slot_claim", ["booking_id", "slot_id"], unique=True, postgresql_where=sa.text("live")
    )
    op.create_table(
        "provider_task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("change_request_id", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unknown_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("command IN ('reserve','cancel','change')", name=op.f("ck_provider_task_command")),
        sa.CheckConstraint(
            "state IN ('queued','in_flight','unknown','done','refused','parked')", name=op.f("ck_provider_task_state")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_provider_task_booking_id")),
        sa.ForeignKeyConstraint(
            ["change_request_id"], ["change_request.id"], name=op.f("fk_provider_task_change_request_id")
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_task_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_task")),
        sa.UniqueConstraint("booking_id", "seq", name=op.f("uq_provider_task_booking_id_seq")),
        sa.UniqueConstraint("key", name=op.f("uq_provider_task_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_provider_task_public_id")),
    )
    op.create_index(
        "ix_provider_task_ready",
        "provider_task",
        ["provider_id", "run_after"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued','in_flight','unknown')"),
    )
    op.create_table(
        "report_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrapped_key", postgresql.BYTEA(), nullable=True),
        sa.Column("content_sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("document_sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("document_type", sa.Text(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("abnormal", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_version_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_version")),
        sa.UniqueConstraint("report_id", "version", name=op.f("uq_report_version_report_id_version")),
    )


def downgrade() -> None:

    op.drop_table("report_version")
    op.drop_index(
        "ix_provider_task_ready",
        table_name="provider_task",
        postgresql_where=sa.text("state IN ('queued','in_flight','unknown')"),
    )
    op.drop_table("provider_task")
    op.drop_index("uq_slot_claim_live", table_name="slot_claim", postgresql_where=sa.text("live"))
    op.drop_index("ix_slot_claim_slot", table_name="slot_claim", postgresql_where=sa.text("live"))
    op.drop_table("slot_claim")
    op.drop_index("ix_report_booking", table_name="report")
    op.drop_index("ix_report_beneficiary", table_name="report")
    op.drop_table("report")
    op.drop_index(
        "uq_provider_booking_current", table_name="provider_booking", postgresql_where=sa.text("role = 'current'")
    )
    op.drop_index("ix_provider_booking_booking", table_name="provider_booking")
    op.drop_table("provider_booking")
    op.drop_index("uq_discrepancy_open", table_name="discrepancy", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_table("discrepancy")
    op.drop_index("uq_change_request_open", table_name="change_request", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("ix_change_request_booking", table_name="change_request")
    op.drop_table("change_request")
    op.drop_table("booking_history")
    op.drop_index(
        "uq_entitlement_entry_once", table_name="entitlement_entry", postgresql_where=sa.text("booking_id IS NOT NULL")
    )
    op.drop_index(
        "uq_entitlement_entry_back_once",
        table_name="entitlement_entry",
        postgresql_where=sa.text("entry IN ('release','use')"),
    )
    op.drop_index("ix_entitlement_entry_entitlement", table_name="entitlement_entry")
    op.drop_table("entitlement_entry")
    op.drop_index("ix_booking_provider", table_name="booking")
    op.drop_index("ix_booking_hold", table_name="booking", postgresql_where=sa.text("state = 'held'"))
    op.drop_index("ix_booking_customer", table_name="booking")
    op.drop_index(
        "ix_booking_answer_due",
        table_name="booking",
        postgresql_where=sa.text("state IN ('awaiting_provider','outcome_unknown')"),
    )
    op.drop_table("booking")
    op.drop_index("ix_entitlement_to_expire", table_name="entitlement", postgresql_where=sa.text("available > 0"))
    op.drop_index("ix_entitlement_customer", table_name="entitlement")
    op.drop_table("entitlement")
    op.drop_index("ix_slot_pool_date", table_name="slot")
    op.drop_index("ix_slot_free", table_name="slot", postgresql_where=sa.text("has_place"))
    op.drop_table("slot")
    op.drop_index(
        "ix_sign_in_session_customer", table_name="sign_in_session", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_table("sign_in_session")
    op.drop_index("ix_sign_in_code_phone", table_name="sign_in_code")
    op.drop_table("sign_in_code")
    op.drop_table("plan_benefit")
    op.drop_index(op.f("ix_offer_site_id"), table_name="offer")
    op.drop_index("ix_offer_pool", table_name="offer")
    op.drop_index("ix_offer_kind_site", table_name="offer")
    op.drop_table("offer")
    op.drop_index("uq_beneficiary_self", table_name="beneficiary", postgresql_where=sa.text("relation = 'self'"))
    op.drop_index("ix_beneficiary_customer", table_name="beneficiary")
    op.drop_table("beneficiary")
    op.drop_table("sync_cursor")
    op.drop_table("plan")
    op.drop_table("operator")
    op.drop_table("inbox_event")
    op.drop_table("customer")
    op.drop_index(op.f("ix_capacity_pool_site_id"), table_name="capacity_pool")
    op.drop_table("capacity_pool")
    op.drop_table("worker_beat")
    op.drop_index("ix_site_terms", table_name="site", postgresql_using="gin")
    op.drop_index("ix_site_place", table_name="site")
    op.drop_table("site")
    op.drop_table("provider")
    op.drop_table("job_run")
    op.drop_table("insurer")
    op.drop_index("ix_idempotency_key_created", table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_index("ix_audit_line_subject", table_name="audit_line")
    op.drop_table("audit_line")
