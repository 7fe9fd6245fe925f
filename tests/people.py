"""Named factories of people and what they have, for tests; rows go through the product's own code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core import ids
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from vip import phones
from vip.customers.consent import record_consent
from vip.customers.family import NewMember, new_beneficiary
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import Stamp
from vip.models import Beneficiary, Customer, Entitlement
from vip.principal import Principal
from vip.signin.authentication import authenticate
from vip.signin.signin import issue_token

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
TODAY = date(2026, 3, 2)
PHONE = "13800000011"
OTHER_PHONE = "13800000012"
BY_TEST = Stamp(NOON, "system", "test")


@dataclass
class SmsBox:
    """A phone shop's drawer: every text that was sent."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def send(self, phone: str, text: str, *, key: str = "") -> None:
        """Keep it."""
        self.texts.append((phone, text))

    def code_for(self, phone: str) -> str:
        """The code in the newest text to that phone."""
        text = [text for to, text in self.texts if to == phones.normalise(phone)][-1]
        found = re.search(r"\d{6}", text)
        assert found is not None
        return found.group()


def make_insurer() -> Insurer:
    """The insurer of this installation, made once."""
    with transaction() as session:
        return insurer_in(session)


def insurer_in(session: Session) -> Insurer:
    """The same in the caller's transaction."""
    insurer = session.scalar(select(Insurer).where(Insurer.code == settings().insurer_code))
    if insurer is None:
        insurer = Insurer(
            public_id=ids.new_id("ins"),
            code=settings().insurer_code,
            name_zh="示范",
            name_en="Demo",
            time_zone="Asia/Shanghai",
        )
        session.add(insurer)
        session.flush()
    return insurer


def make_customer(phone: str = PHONE, *, tier: str = "select", name: str = "沈静宜") -> Customer:
    """A customer born in 1988, with herself to book for."""
    with transaction() as session:
        return add_customer(session, phone, tier=tier, name=name)[0]


def add_customer(
    session: Session, phone: str = PHONE, *, tier: str = "select", name: str = "沈静宜"
) -> tuple[Customer, Beneficiary]:
    """The same in the caller's transaction; she, and she as beneficiary."""
    insurer = insurer_in(session)
    number, public_id = phones.normalise(phone), ids.new_id("cus")
    customer = Customer(
        public_id=public_id,
        insurer_id=insurer.id,
        tier=tier,
        name=name,
        phone_sealed=phones.seal(number, public_id),
        phone_index=phones.index(number),
    )
    session.add(customer)
    session.flush()
    herself = new_beneficiary(customer, NewMember("self", name, "female", date(1988, 4, 12)))
    session.add(herself)
    return customer, herself


def signed_in(phone: str = PHONE, now: datetime = NOON) -> Principal:
    """The principal of a new session of the customer with that phone."""
    return authenticate(issue_token(phone, now).token, now=now)


def self_of(customer: Customer) -> Beneficiary:
    """The customer as beneficiary."""
    with reading() as session:
        return session.scalars(
            select(Beneficiary).where(Beneficiary.customer_id == customer.id, Beneficiary.relation == "self")
        ).one()


def give(customer: Customer, quantity: int | None = 1, **terms: Any) -> Entitlement:
    """An entitlement of the customer."""
    with transaction() as session:
        return add_entitlement(session, customer, quantity, **terms)


def add_entitlement(
    session: Session,
    customer: Customer,
    quantity: int | None = 1,
    *,
    kind: str = "health_check",
    valid_from: date = date(2026, 1, 1),
    valid_until: date = date(2026, 12, 31),
    sharing: str = "family",
    grace_days: int = 30,
) -> Entitlement:
    """The same in the caller's transaction."""
    given = Grant(kind, quantity, valid_from, valid_until, sharing=sharing, grace_days=grace_days)
    return grant(session, customer, given, BY_TEST)


def counters(entitlement_id: int) -> dict[str, int | None]:
    """The columns as they stand in the database."""
    with reading() as session:
        row = session.get_one(Entitlement, entitlement_id)
        return {name: getattr(row, name) for name in ("granted", "available", "reserved", "used", "expired", "revoked")}


def consents(public_id: str, now: datetime = NOON) -> Beneficiary:
    """The person with that public id agrees that her reports are shown."""
    with transaction() as session:
        person = session.scalars(select(Beneficiary).where(Beneficiary.public_id == public_id)).one()
        record_consent(session, [person], "demonstration", now=now)
    return person
