"""Whose rows are meant: the SQL that the register's conditions speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from booking.personal.register import Table

# Each part is found by an index: a table may hold everybody's rows of ten years.
_OF_CUSTOMER = {
    "people": "SELECT b.id FROM beneficiary b WHERE b.customer_id = :customer",
    "bookings": "SELECT k.id FROM booking k WHERE k.customer_id = :customer",
    "reports": "SELECT r.id FROM report r WHERE r.customer_id = :customer",
    "notices": "SELECT n.id FROM notification n WHERE n.customer_id = :customer",
    "entries": "SELECT w.id FROM waiting_entry w WHERE w.customer_id = :customer",
    "shown": "SELECT b.id FROM beneficiary b WHERE b.customer_id = :customer",
    "escorted": "SELECT k.id FROM booking k WHERE k.customer_id = :customer",
    "talks": ("SELECT v.id FROM conversation v JOIN booking k ON k.id = v.booking_id WHERE k.customer_id = :customer"),
}
_OWNER = "(SELECT o.customer_id FROM beneficiary o WHERE o.id = :person)"
_BOOKINGS = f"SELECT k.id FROM booking k WHERE k.customer_id = {_OWNER} AND k.beneficiary_id = :person"
_OF_PERSON = {
    "people": "SELECT b.id FROM beneficiary b WHERE b.id = :person",
    "bookings": _BOOKINGS,
    "reports": "SELECT r.id FROM report r WHERE r.beneficiary_id = :person",
    "notices": f"SELECT n.id FROM notification n WHERE n.booking_id IN ({_BOOKINGS})",
    "entries": f"SELECT w.id FROM waiting_entry w WHERE w.customer_id = {_OWNER} AND w.beneficiary_id = :person",
    "shown": "SELECT b.id FROM beneficiary b WHERE b.id = :person",
    "escorted": _BOOKINGS,
    "talks": f"SELECT v.id FROM conversation v WHERE v.booking_id IN ({_BOOKINGS})",
}


@dataclass(frozen=True)
class Scope:
    """The rows of a customer with all her people, or of one person alone; both are internal ids."""

    parts: Mapping[str, str]
    customer: int | None = None
    person: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """The values for `where`."""
        return {"customer": self.customer, "person": self.person, **self.more}

    def where(self, table: Table) -> str:
        """The condition on the table's rows (alias `t`)."""
        return table.whose.format(**self.parts)


def of_customer(customer_id: int) -> Scope:
    """Everything of a customer and of all people she ever booked for."""
    return Scope(_OF_CUSTOMER, customer=customer_id)


def of_person(beneficiary_id: int) -> Scope:
    """Everything of one person, nothing of the customer whose relative she is."""
    return Scope(_OF_PERSON, person=beneficiary_id)


def to_show(customer_id: int, shown: Sequence[int]) -> Scope:
    """What a customer may be shown: of people those that are in her family, of results, consultations and
    what was done on escorts those of the people `shown`."""
    kept = "b.removed_at IS NULL OR b.id = ANY(:shown) AND EXISTS (SELECT FROM report r WHERE r.beneficiary_id = b.id)"
    mine = "b.customer_id = :customer AND b.erased_at IS NULL"
    return Scope(
        customer=customer_id,
        parts={
            **_OF_CUSTOMER,
            "people": f"SELECT b.id FROM beneficiary b WHERE {mine} AND ({kept})",
            "reports": ("SELECT r.id FROM report r WHERE r.customer_id = :customer AND r.beneficiary_id = ANY(:shown)"),
            "shown": "SELECT b.id FROM beneficiary b WHERE b.id = ANY(:shown)",
            "escorted": (
                "SELECT k.id FROM booking k WHERE k.customer_id = :customer AND k.beneficiary_id = ANY(:shown)"
            ),
            "talks": (
                "SELECT v.id FROM conversation v JOIN booking k ON k.id = v.booking_id"
                " WHERE k.customer_id = :customer AND k.beneficiary_id = ANY(:shown)"
            ),
        },
        more={"shown": list(shown)},
    )
