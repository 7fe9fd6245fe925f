"""Customers, their family, sign-in, plans, entitlements and the ledger."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalog.models import Insurer
from marketplace.clients.models import ApiClient
from marketplace.core.database.columns import Moment, PrimaryKey, PublicId, WritingTransaction
from marketplace.core.database.db import Base


class Customer(Base):
    """Somebody insured. The phone is sealed (record `customer:<public_id>:phone`) and found by its blind index.

    After `erased_at` the row names nobody: the books go on without her.
    """

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("insurer_id", "phone_index"),
        Index("uq_customer_insurer", "id", "insurer_id", unique=True),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    tier: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    phone_sealed: Mapped[bytes] = mapped_column(BYTEA)
    phone_index: Mapped[bytes] = mapped_column(BYTEA)
    language: Mapped[str | None] = mapped_column(Text)
    blocked_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    created_at: Mapped[Moment] = mapped_column(server_default=text("now()"))

    insurer: Mapped[Insurer] = relationship()


class CustomerPhone(Base):
    """The blind index of a customer's phone under one live key; she has a row for each. This keeps a phone
    unique while keys change. `vip/customer_phone_follows.sql` writes that of `Customer.phone_index`,
    vip.phones.assign() the others."""

    __tablename__ = "customer_phone"
    __table_args__ = (
        UniqueConstraint("insurer_id", "phone_index"),
        Index("ix_customer_phone_customer", "customer_id"),
    )

    id: Mapped[PrimaryKey]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    phone_index: Mapped[bytes] = mapped_column(BYTEA)


class Beneficiary(Base):
    """A person a benefit may be used for: the customer herself (`relation` self) or family.

    Her data keys are `keys`, one for each class; `wrapped_key` is the one key for all of somebody from before the
    classes (vip.customers.person_keys). After `erased_at` the row names nobody; while results must be stored,
    `record_sealed` says whose they are: name, sex and birth date under her medical key.
    """

    __tablename__ = "beneficiary"
    __table_args__ = (
        CheckConstraint(
            "relation IN ('self','spouse','father','mother','son','daughter','father_in_law','mother_in_law','other')",
            name="relation",
        ),
        CheckConstraint("sex IN ('male','female')", name="sex"),
        Index("uq_beneficiary_self", "customer_id", unique=True, postgresql_where=text("relation = 'self'")),
        Index("ix_beneficiary_customer", "customer_id"),
        Index("uq_beneficiary_customer", "id", "customer_id", unique=True),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    relation: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    sex: Mapped[str] = mapped_column(Text)
    birth_date: Mapped[date] = mapped_column(Date)
    phone_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    id_number_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    id_number_index: Mapped[bytes | None] = mapped_column(BYTEA)
    wrapped_key: Mapped[bytes | None] = mapped_column(BYTEA)
    removed_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    record_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    created_at: Mapped[Moment] = mapped_column(server_default=text("now()"))

    keys: Mapped[list[PersonKey]] = relationship(lazy="raise")


class PersonKey(Base):
    """A person's data key of one class, wrapped by the master key (record: vip.customers.person_keys.record_of).
    Without it what it sealed can't be read: None after `destroyed_at`."""

    __tablename__ = "person_key"
    __table_args__ = (
        CheckConstraint("retention IN ('contact','process','medical')", name="retention"),
        CheckConstraint("(wrapped_key IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"),
    )

    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"), primary_key=True)
    retention: Mapped[str] = mapped_column(Text, primary_key=True)
    wrapped_key: Mapped[bytes | None] = mapped_column(BYTEA)
    destroyed_at: Mapped[datetime | None]


class Plan(Base):
    """What a customer group (a VIP tier) gets per period."""

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("insurer_id", "code"),)

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    code: Mapped[str] = mapped_column(Text)
    tier: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)


class PlanBenefit(Base):
    """One benefit of a plan. `quantity` None means unlimited. `grace_days`: how far validity grows when provider or
    platform caused a release after expiry. `no_show_uses`: whether not turning up uses the benefit."""

    __tablename__ = "plan_benefit"
    __table_args__ = (UniqueConstraint("plan_id", "kind"), CheckConstraint("quantity > 0", name="quantity"))

    id: Mapped[PrimaryKey]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    kind: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int | None]
    sharing: Mapped[str] = mapped_column(Text, server_default="family")
    months: Mapped[int] = mapped_column(server_default="12")
    grace_days: Mapped[int] = mapped_column(server_default="30")
    no_show_uses: Mapped[bool] = mapped_column(server_default="true")


class Entitlement(Base):
    """A grant. The counters are moved by the ledger's trigger alone; the application's role cannot write them.

    `granted` and `available` None mean unlimited; uses are still counted. Validity is whole days in the insurer's
    zone, both ends included. `sharing`: self or family.
    """

    __tablename__ = "entitlement"
    __table_args__ = (
        CheckConstraint("(granted IS NULL) = (available IS NULL)", name="unlimited"),
        CheckConstraint("granted IS NULL OR granted = available + reserved + used + expired + revoked", name="balance"),
        CheckConstraint(
            "coalesce(available, 0) >= 0 AND reserved >= 0 AND used >= 0 AND expired >= 0 AND revoked >= 0",
            name="not_negative",
        ),
        CheckConstraint("valid_from <= valid_until", name="validity"),
        CheckConstraint("sharing IN ('self','family')", name="sharing"),
        Index("ix_entitlement_customer", "customer_id", "kind", "valid_until"),
        Index("uq_entitlement_customer", "id", "customer_id", unique=True),
        Index("ix_entitlement_to_expire", "valid_until", postgresql_where=text("available > 0")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    plan_benefit_id: Mapped[int | None] = mapped_column(ForeignKey("plan_benefit.id"))
    kind: Mapped[str] = mapped_column(Text)
    sharing: Mapped[str] = mapped_column(Text, server_default="family")
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    grace_days: Mapped[int] = mapped_column(server_default="30")
    no_show_uses: Mapped[bool] = mapped_column(server_default="true")
    granted: Mapped[int | None] = mapped_column(server_default="0")
    available: Mapped[int | None] = mapped_column(server_default="0")
    reserved: Mapped[int] = mapped_column(server_default="0")
    used: Mapped[int] = mapped_column(server_default="0")
    expired: Mapped[int] = mapped_column(server_default="0")
    revoked: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[Moment] = mapped_column(server_default=text("now()"))

    customer: Mapped[Customer] = relationship()


class EntitlementEntry(Base):
    """A line of the append-only ledger. Adding it moves the counters; nothing else does.

    `attempt` numbers the reservations of one booking (1, 2, … after a dispute), so that each line exists once.
    """

    __tablename__ = "entitlement_entry"
    __table_args__ = (
        CheckConstraint("entry IN ('grant','reserve','release','use','reverse','expire','revoke')", name="entry"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint(
            "(booking_id IS NOT NULL) = (entry IN ('reserve','release','use','reverse'))",
            name="booking",
        ),
        Index("ix_entitlement_entry_entitlement", "entitlement_id", "id"),
        Index("ix_entitlement_entry_xact", "xact", "id"),
        Index(
            "uq_entitlement_entry_once",
            "booking_id",
            "entry",
            "attempt",
            unique=True,
            postgresql_where=text("booking_id IS NOT NULL"),
        ),
        Index(
            "uq_entitlement_entry_back_once",
            "booking_id",
            "attempt",
            unique=True,
            postgresql_where=text("entry IN ('release','use')"),
        ),
    )

    id: Mapped[PrimaryKey]
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"))
    booking_id: Mapped[int | None] = mapped_column(BigInteger)
    entry: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int] = mapped_column(server_default="1")
    attempt: Mapped[int] = mapped_column(server_default="1")
    at: Mapped[Moment]
    actor_kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, server_default="")
    xact: Mapped[WritingTransaction]


class SignInCode(Base):
    """A one-time code sent to a phone. Kept hashed; how often it may be tried: vip.signin.codes.

    `purpose`: sign_in, or change_phone_old / change_phone_new with the customer who asked.
    """

    __tablename__ = "sign_in_code"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_sign_in_code_phone", "insurer_id", "phone_index", "created_at"),
    )

    id: Mapped[PrimaryKey]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    phone_index: Mapped[bytes] = mapped_column(BYTEA)
    purpose: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    code_hash: Mapped[bytes] = mapped_column(BYTEA)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    # No longer used (see vip.signin.limits). The release before this one reads it; the next one drops it.
    tries: Mapped[int] = mapped_column(server_default="0")
    used_at: Mapped[datetime | None]


class Operator(Base):
    """Somebody who signs in by password: an operator of the insurer (what a role may do: vip.roles), or a member of a
    provider (providers.staff.duties).

    `password_once`: she has to choose a password of her own first. `totp_sealed` is her second factor's secret (record
    `operator:<public_id>:totp`), None while there is none; no code of a step up to `totp_step` is taken any more.
    """

    __tablename__ = "operator"
    __table_args__ = (
        CheckConstraint("(insurer_id IS NULL) <> (provider_id IS NULL)", name="employer"),
        CheckConstraint(
            "CASE WHEN provider_id IS NULL THEN role IN ('admin','agent')"
            " ELSE role IN ('manager','front_desk','clinician','escort') END",
            name="role",
        ),
        Index("ix_operator_provider", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int | None] = mapped_column(ForeignKey("insurer.id"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("provider.id"))
    login: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, server_default="admin")
    password_hash: Mapped[str] = mapped_column(Text)
    password_once: Mapped[bool] = mapped_column(server_default="false")
    totp_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    totp_since: Mapped[datetime | None]
    totp_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # No longer used (see vip.signin.limits). The release before this one reads them; the next one drops them.
    tries: Mapped[int] = mapped_column(server_default="0")
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[Moment] = mapped_column(server_default=text("now()"))


class RecoveryCode(Base):
    """One of the codes that stand in for an operator's second factor, once: only its hash is stored."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("operator_id", "code_hash"),)

    id: Mapped[PrimaryKey]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    code_hash: Mapped[bytes] = mapped_column(BYTEA)
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]


class SignInSession(Base):
    """A session of a customer or an operator: only the token's hash is stored. Ended, never deleted.

    `seen_at`: when it was last used, to within a tenth of what it may stand idle. `client_id`: the program of her
    insurer that brought her, None where she signed in herself.
    """

    __tablename__ = "sign_in_session"
    __table_args__ = (
        CheckConstraint("(customer_id IS NULL) <> (operator_id IS NULL)", name="one_owner"),
        Index("ix_sign_in_session_customer", "customer_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_sign_in_session_whose", "customer_id"),
        Index("ix_sign_in_session_expires", "expires_at", postgresql_using="brin"),
        Index("ix_sign_in_session_operator", "operator_id", postgresql_where=text("operator_id IS NOT NULL")),
        Index("ix_sign_in_session_client", "client_id", postgresql_where=text("client_id IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey(ApiClient.id))
    channel: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
    seen_at: Mapped[datetime | None]
    expires_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
