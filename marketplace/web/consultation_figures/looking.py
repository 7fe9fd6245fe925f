"""Who looks at which figures, and the addresses of their pages behind her door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import inf
from typing import Any

from flask_babel import gettext as _

from booking.consultation.figures.scope import Days, Whose
from booking.consultation.pledge_figures import SHIFTS
from marketplace.core.text import Text
from marketplace.web import formats
from marketplace.web.department_names import department_name
from marketplace.web.doors.door import Door
from marketplace.web.language import by_language

NONE = "–"


@dataclass(frozen=True)
class Looking:
    """`whose` and of which days; `provider` is the code that was chosen, blank for all and at a provider's own desk.
    `departments` and `providers` are names by code."""

    door: Door[Any]
    whose: Whose
    days: Days
    provider: str
    departments: Mapping[str, Text]
    providers: Mapping[str, Text]

    @property
    def by_provider(self) -> bool:
        """Whether there are several providers to tell apart."""
        return self.whose.provider_id is None

    def url(self, page: str, **values: object) -> str:
        """The address of a page about these days: its days are written out, so that it shows the same tomorrow."""
        days = {"from": self.days.first.isoformat(), "to": self.days.last.isoformat()}
        return self.door.url(page, **days, provider=self.provider or None, **values)

    def answers(self, by: str, name: str, part: str) -> str:
        """The address of the rows that a figure of first answers counts."""
        return self.url("figure_rows", of="answers", by=by, name=name or None, part=part)

    def waiting(self, age: int | None, at: datetime) -> str:
        """The address of those who waited at a moment, of one age or of all."""
        return self.url("figure_rows", of="waiting", age=age, at=at.isoformat())

    def ratings(self, stars: int | None) -> str:
        """The address of what was rated so; None: of what could be rated."""
        return self.url("figure_rows", of="ratings", stars=stars)

    def handovers(self, group: str, name: str) -> str:
        """The address of the hand-overs of a group."""
        return self.url("figure_rows", of="handovers", by=group, name=name or None)

    def named(self, by: str, name: str) -> str:
        """What a group is called: `9:00–10:00`, `Night, 0:00–8:00`, a day, a department, a provider."""
        if by == "hour":
            return hours(int(name), int(name) + 1)
        if by == "shift":
            return shift_name(name)
        if by == "day":
            return formats.full_date(date.fromisoformat(name))
        if by == "department":
            return department_name(name, self.departments)
        if by == "provider":
            return by_language(self.providers[name]) if name in self.providers else name
        return _("All")

    def when(self) -> str:
        """The days in words."""
        if self.days.number == 1:
            return formats.full_date(self.days.first)
        return f"{formats.full_date(self.days.first)} {formats.EN_DASH} {formats.full_date(self.days.last)}"


def hours(first: int, until: int) -> str:
    """From one full hour to another."""
    return f"{first}:00{formats.EN_DASH}{until}:00"


def shift_name(code: str) -> str:
    """The name of a shift with its hours."""
    names = {"night": _("Night"), "day": _("Day shift"), "evening": _("Evening")}
    return _("%(shift)s, %(hours)s", shift=names[code], hours=hours(*SHIFTS[code]))


def took(seconds: float | None) -> str:
    """How long an answer took: `18.4 s`, `3 min 20 s`; a dash where nothing is known."""
    if seconds is None:
        return NONE
    if seconds == inf:
        return _("not answered")
    if seconds < 120:
        return _("%(num)s s", num=formats.number(round(seconds, 1)))
    return formats.span(seconds)


def share(part: float | None) -> str:
    """A share as per cent; a dash where there is nothing to share."""
    return NONE if part is None else formats.percent(part)
