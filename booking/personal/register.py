"""The register of personal data: what each column says about a customer or her family, and what becomes of it.

Export, erasure and retention ask here and nowhere else. A column that is neither registered nor named as not personal
fails a test, so nobody can add one without deciding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Retention(StrEnum):
    """How long something is needed, and the name of the person's key that seals it."""

    CONTACT = "contact"
    """Who she is and how she is reached: not needed once she is no customer any more."""
    PROCESS = "process"
    """What was booked and how it went: as long as the books of a platform must be stored."""
    MEDICAL = "medical"
    """Results, and who they are of: as long as medical records must be stored."""


Reader = Literal[
    "plain",
    "customer_phone",
    "email",
    "person_phone",
    "id_number",
    "answers",
    "words",
    "report",
    "delivered",
    "consent_phone",
    "message",
    "escort_deed",
    "rating",
    "escort_link_name",
    "policy_number",
]
"""How a stored value becomes a readable one: as it is, or opened by the function of that name (`personal.opening`)."""

STAYS = ""


@dataclass(frozen=True)
class Personal:
    """One personal column.

    `name` is its key in the export; `reader` how it is read there. `same_as` names the exported column of the table
    that says the same, `never` says why it is not exported at all; both leave `reader` without use. `ends`: the SQL
    that overwrites it when its class ends, or STAYS for what names nobody once the rest is gone.
    """

    retention: Retention
    name: str
    reader: Reader = "plain"
    same_as: str = ""
    never: str = ""
    ends: str = STAYS

    @property
    def exported(self) -> bool:
        """Whether the column itself is read for the export."""
        return not self.same_as and not self.never


@dataclass(frozen=True)
class Age:
    """How old rows may get, whoever they are of: once `column` lies further back than `setting` (days, in Settings; 0:
    no limit) and the SQL condition `only` holds, they are deleted, or just `empties` is set. `why` says why so long.
    """

    column: str
    setting: str
    why: str
    only: str = "true"
    empties: str = ""


@dataclass(frozen=True)
class Table:
    """One table. `whose` is the SQL condition on its rows (alias `t`) that they are of the person in question. It may
    use `:customer`, `:person` and the subqueries of internal ids of `personal.scope`: `{people}`, `{bookings}`,
    `{reports}`, `{notices}`, `{entries}` (of the waiting list), `{talks}` (consultations), `{escorted}` (bookings of
    whose escorts may be told) and `{shown}` (the people whose results may be shown).

    `file` is its file in the export. `links` maps columns to the table whose public id is exported instead. `rows_end`:
    the class with whose end the rows are deleted; `age`: how old they may get before. `other` are the columns that are
    not personal.
    """

    name: str
    other: str = ""
    file: str = ""
    whose: str = ""
    personal: Mapping[str, Personal] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    key: str = "id"
    rows_end: Retention | None = None
    age: Age | None = None

    @property
    def columns(self) -> list[str]:
        """All columns that the register names, in no order; one that is named twice is in it twice."""
        return [*self.other.split(), *self.personal, *(each for each in self.links if each not in self.personal)]

    def exported(self) -> Iterator[tuple[str, Personal]]:
        """The columns that are read for the export."""
        return ((column, it) for column, it in self.personal.items() if it.exported)


def contact(name: str, **how: str) -> Personal:
    """A column of the class contact."""
    return Personal(Retention.CONTACT, name, **how)  # type: ignore[arg-type]


def process(name: str, **how: str) -> Personal:
    """A column of the class process."""
    return Personal(Retention.PROCESS, name, **how)  # type: ignore[arg-type]


def medical(name: str, **how: str) -> Personal:
    """A column of the class medical."""
    return Personal(Retention.MEDICAL, name, **how)  # type: ignore[arg-type]


def all_process(names: str) -> dict[str, Personal]:
    """Columns of the class process under their own names, which name nobody once the contact data is gone."""
    return {name: process(name) for name in names.split()}
