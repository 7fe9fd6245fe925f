"""Who is erased, and who asks for it: the customer herself, an operator, or who runs the installation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from booking.ownership import customer_of
from booking.personal.models import Erasure
from booking.personal.scope import Scope, of_customer, of_person
from marketplace.core import ids
from marketplace.core.errors import NotFound
from vip import roles
from vip.models import Beneficiary, Customer
from vip.principal import Principal


@dataclass(frozen=True)
class Who:
    """Who is erased: a customer (internal id), or one person of hers; and who asks for it, as the audit names it."""

    scope: Scope
    insurer_id: int
    public_id: str
    actor_kind: str
    actor: str

    @property
    def _mine(self) -> ColumnElement[bool]:
        if self.scope.customer is not None:
            return Beneficiary.customer_id == self.scope.customer
        return Beneficiary.id == self.scope.person

    def people(self, session: Session, *, lock: bool = False) -> Sequence[Beneficiary]:
        """The rows of who is meant, in one order."""
        query = select(Beneficiary).where(self._mine).order_by(Beneficiary.id)
        return session.scalars(query.with_for_update() if lock else query).all()


def asked(session: Session, principal: Principal, person: str | None) -> Who:
    """The customer who asks, or a `person` (public id) whom she removed. Raises NotFound."""
    customer = session.get_one(Customer, customer_of(principal))
    if person is None:
        return whole(customer, principal.acts_as, principal.public_id)
    found = session.scalar(
        select(Beneficiary).where(
            Beneficiary.public_id == person,
            Beneficiary.customer_id == customer.id,
            gone(),
        )
    )
    if found is None:
        raise NotFound(field="beneficiary_id")
    return Who(of_person(found.id), found.insurer_id, found.public_id, principal.acts_as, principal.public_id)


def at_desk(session: Session, principal: Principal, public_id: str) -> Who:
    """A customer of the operator's insurer. Raises NotFound, also without the role for it."""
    roles.require(principal, "people")
    customer = customer_named(session, public_id)
    if customer.insurer_id != principal.insurer_id:
        raise NotFound(field="customer_id")
    return whole(customer, principal.acts_as, principal.public_id)


def gone() -> ColumnElement[bool]:
    """Whether (SQL, of a Beneficiary) she was removed from the family: nobody erases somebody who is booked for."""
    return Beneficiary.removed_at.is_not(None)


def whole(customer: Customer, actor_kind: str, actor: str) -> Who:
    """A customer with everybody of hers."""
    return Who(of_customer(customer.id), customer.insurer_id, customer.public_id, actor_kind, actor)


def of_erasure(session: Session, erasure: Erasure) -> Who:
    """Whom an erasure that was decided is about; the system goes on with it."""
    if erasure.customer_id is not None:
        return whole(session.get_one(Customer, erasure.customer_id), "system", "erasure")
    person = session.get_one(Beneficiary, erasure.beneficiary_id)
    return Who(of_person(person.id), person.insurer_id, person.public_id, "system", "erasure")


def customer_named(session: Session, public_id: str) -> Customer:
    """Raises NotFound."""
    found = (
        session.scalar(select(Customer).where(Customer.public_id == public_id)) if ids.well_formed(public_id) else None
    )
    if found is None:
        raise NotFound(field="customer_id")
    return found
