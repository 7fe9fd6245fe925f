"""A delivered file that names somebody else than the person of its booking is refused, and before a person."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.reports.files import FileRefused
from booking.reports.intake.findings import Named
from booking.reports.persons.names import contradict
from vip.customers import id_numbers
from vip.models import Beneficiary

ANOTHER_PERSON = "another_person"
"""The reason of the refusal."""
_DAY = re.compile(r"([0-9]{4})(-[0-9]{2}(-[0-9]{2})?)?")
_EARLIEST = "1901"
"""An earlier year of birth stands for one that is not known."""


@dataclass(frozen=True)
class Ours:
    """What we know of the person of a booking. `id_index`: the blind index of her ID number, None if she gave none."""

    name: str = field(repr=False)
    birth_date: str = field(repr=False)
    id_index: bytes | None = field(repr=False)


def require_same_person(session: Session, booking_id: int, named: Collection[Named]) -> None:
    """Raises FileRefused (ANOTHER_PERSON) where one of those that a file names can't be the person of this booking.
    What either side doesn't say contradicts nothing."""
    if not named:
        return
    person = session.execute(
        select(Beneficiary.name, Beneficiary.birth_date, Beneficiary.id_number_index, Beneficiary.erased_at)
        .join(Booking, Booking.beneficiary_id == Beneficiary.id)
        .where(Booking.id == booking_id)
    ).one()
    ours = Ours(person.name, person.birth_date.isoformat(), person.id_number_index)
    if person.erased_at is None and any(is_another(each, ours) for each in named):
        raise FileRefused(ANOTHER_PERSON)


def is_another(told: Named, ours: Ours) -> bool:
    """Whether who is named can't be our person: by the ID number alone where both have one, since that is of one person
    however her name is spelled; else by birth date, or by the name where it can be compared."""
    same = _same_number(told, ours)
    if same is not None:
        return not same
    return _born_otherwise(told, ours) or contradict(told.names, ours.name)


def _same_number(told: Named, ours: Ours) -> bool | None:
    """None where one side has no ID number, or what stands there is another kind of number."""
    numbers = [sound for each in told.numbers if (sound := id_numbers.sound(each)) is not None]
    if not numbers or ours.id_index is None:
        return None
    return any(ours.id_index in id_numbers.indexes(each) for each in numbers)


def _born_otherwise(told: Named, ours: Ours) -> bool:
    """A date may be told by its year, or by year and month, alone (hl7.org/fhir/R4/datatypes.html#date)."""
    day = told.birth_date
    return _DAY.fullmatch(day) is not None and day >= _EARLIEST and not ours.birth_date.startswith(day)
