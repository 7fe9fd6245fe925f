"""The test customers of a twin, by their numbers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking
from marketplace.catalog.models import Insurer
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from vip.models import Beneficiary, Customer
from vip.principal import Principal


@dataclass(frozen=True)
class StandIn:
    """A test customer: her number (1, 2, …), public id and name, the public id of her own person, and herself as the
    one who asks, for the use cases of customers."""

    number: int
    public_id: str
    name: str
    person: str
    principal: Principal


def customers(twin_id: int) -> list[StandIn]:
    """The test customers of a twin in their order; none for a provider that is no twin."""
    with reading() as session:
        return _customers(session, twin_id)


def customer(twin_id: int, number: int) -> StandIn:
    """One of them by her number. Raises NotFound(field="customer")."""
    found = next((each for each in customers(twin_id) if each.number == number), None)
    if found is None:
        raise NotFound(field="customer")
    return found


def owner(twin_id: int, booking: str) -> StandIn:
    """Whose test booking it is (its public id). Raises NotFound(field="booking_id"), as for one that is not there where
    it is another twin's or no test."""
    with reading() as session:
        customer_id = session.scalar(
            select(Booking.customer_id).where(
                Booking.public_id == booking, Booking.provider_id == twin_id, Booking.market == twin_id
            )
        )
        found = next((each for each in _customers(session, twin_id) if each.principal.id == customer_id), None)
    if found is None:
        raise NotFound(field="booking_id")
    return found


def _customers(session: Session, twin_id: int) -> list[StandIn]:
    rows = session.execute(
        select(Customer, Insurer.time_zone, Insurer.market, Beneficiary.public_id.label("person"))
        .join(Insurer, Insurer.id == Customer.insurer_id)
        .join(Beneficiary, (Beneficiary.customer_id == Customer.id) & (Beneficiary.relation == "self"))
        .where(Insurer.twin_id == twin_id)
        .order_by(Customer.id)
    ).all()
    return [
        StandIn(
            number,
            row.Customer.public_id,
            row.Customer.name,
            row.person,
            Principal(
                "customer",
                row.Customer.id,
                row.Customer.public_id,
                row.Customer.insurer_id,
                0,
                row.time_zone,
                market=row.market,
            ),
        )
        for number, row in enumerate(rows, 1)
    ]
