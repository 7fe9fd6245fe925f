"""What the console's page of a provider's clinicians is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.web.language import by_language
from providers.staff.clinicians import ClinicianView
from providers.staff.outside import OutsideView


@dataclass(frozen=True)
class ClinicianRow:
    """A clinician. `licence` is blank while her provider has said nothing of her, and so is what goes with it.
    `outside`: she answers in her provider's own system, which calls her `code` and named her last at `listed_at`."""

    member: str
    name: str
    title: str
    licence: str
    departments: str
    verified_at: datetime | None
    in_service: bool
    outside: bool = False
    code: str = ""
    listed_at: datetime | None = None


def row(it: ClinicianView) -> ClinicianRow:
    """A line of the table."""
    said = it.profile
    if said is None:
        return ClinicianRow(it.member, it.name, "", "", "", None, it.in_service)
    title, departments = by_language(said.title), ", ".join(said.departments)
    return ClinicianRow(it.member, said.shown_name, title, said.licence, departments, it.verified_at, it.in_service)


def outside_row(it: OutsideView) -> ClinicianRow:
    """A line of one who answers in her provider's own system."""
    title = by_language(it.title)
    return ClinicianRow(
        it.id,
        it.name,
        title,
        it.licence,
        "",
        it.verified_at,
        in_service=True,
        outside=True,
        code=it.code,
        listed_at=it.listed_at,
    )
