"""A customer as she sees herself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from vip import phones
from vip.models import Customer

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Profile:
    """`tier` is the VIP tier's code; `language` is `zh`, `en` or None (not chosen)."""

    public_id: str
    name: str
    tier: str
    phone_masked: str
    language: str | None
    created_at: datetime


def profile(customer_id: int) -> Profile:
    """The customer's own data, the phone masked. Raises NotFound."""
    with reading() as session:
        customer = session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    return Profile(
        public_id=customer.public_id,
        name=customer.name,
        tier=customer.tier,
        phone_masked=phones.masked(phones.unseal(customer.phone_sealed, customer.public_id)),
        language=customer.language,
        created_at=customer.created_at,
    )


def own_contact(customer_id: int) -> tuple[str, str]:
    """The customer's own name and phone (E.164), for a form that she fills in. Raises NotFound."""
    with reading() as session:
        customer = session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    return customer.name, phones.unseal(customer.phone_sealed, customer.public_id)


def require_not_erased(session: Session, customer_id: int) -> None:
    """Raises NotFound once she was erased: a request that was let in before must leave nothing behind. An erasure that
    comes now waits for the caller's transaction."""
    wanted = select(Customer.id).where(Customer.id == customer_id, Customer.erased_at.is_(None))
    if session.scalar(wanted.with_for_update(read=True)) is None:
        raise NotFound()


def choose_language(customer_id: int, language: str) -> None:
    """Remember the language of pages and texts. Raises Invalid(field="language"), NotFound once she was erased."""
    if language not in LANGUAGES:
        raise Invalid(field="language", reason="not_offered")
    with transaction() as session:
        require_not_erased(session, customer_id)
        session.execute(update(Customer).where(Customer.id == customer_id).values(language=language))
