"""Whose rows are meant: the SQL that the register's conditions speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from booking.personal.register import Table

_PEOPLE = "SELECT b.id FROM beneficiary b WHERE b.customer_id = :customer OR b.id = :person"
_BOOKINGS = "SELECT k.id FROM booking k WHERE k.customer_id = :customer OR k.beneficiary_id = :person"
_REPORTS = "SELECT r.id FROM report r WHERE r.customer_id = :customer OR r.beneficiary_id = :person"


@dataclass(frozen=True)
class Scope:
    """The rows of a customer with all her people, or of one person alone; both are internal ids."""

    customer: int | None = None
    person: int | None = None
    parts: Mapping[str, str] = field(
        default_factory=lambda: {"people": _PEOPLE, "bookings": _BOOKINGS, "reports": _REPORTS, "shown": _PEOPLE}
    )
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
    return Scope(customer=customer_id)


def of_person(beneficiary_id: int) -> Scope:
    """Everything of one person, nothing of the customer whose relative she is."""
    return Scope(person=beneficiary_id)


def to_show(customer_id: int, shown: Sequence[int]) -> Scope:
    """What a customer may be shown: of people those that are in her family, of results those of the people `shown`."""
    kept = "b.removed_at IS NULL OR b.id = ANY(:shown) AND EXISTS (SELECT FROM report r WHERE r.beneficiary_id = b.id)"
    mine = "b.customer_id = :customer AND b.erased_at IS NULL"
    return Scope(
        customer=customer_id,
        parts={
            "people": f"SELECT b.id FROM beneficiary b WHERE {mine} AND ({kept})",
            "bookings": _BOOKINGS,
            "reports": ("SELECT r.id FROM report r WHERE r.customer_id = :customer AND r.beneficiary_id = ANY(:shown)"),
            "shown": "SELECT b.id FROM beneficiary b WHERE b.id = ANY(:shown)",
        },
        more={"shown": list(shown)},
    )
