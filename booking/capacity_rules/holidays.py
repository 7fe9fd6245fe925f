"""China's public holidays and the working days that make up for them, as the State Council publishes them each year.

The figures are a file beside this one, with the notice they come from and its date. A year whose notice isn't out yet
isn't in it: nobody guesses, pages say so (`published`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from marketplace.core.once import once
from marketplace.core.text import Text

_FILE = Path(__file__).with_name("public_holidays.json")


@dataclass(frozen=True)
class Year:
    """What one notice says. `holidays` are days off by their date, `working_days` weekend days on which people work."""

    source: str
    published: date
    holidays: Mapping[date, Text]
    working_days: frozenset[date]


@dataclass(frozen=True)
class PublicHolidays:
    """All years that are known. `edition` is the date of the newest notice: it tells one file from another."""

    edition: str
    years: Mapping[int, Year]

    def published(self, year: int) -> bool:
        """Whether the year's notice is known here."""
        return year in self.years

    def holiday(self, day: date) -> Text | None:
        """The holiday that the day belongs to; None on any other day, and in a year that isn't published."""
        year = self.years.get(day.year)
        return None if year is None else year.holidays.get(day)

    def makes_up(self, day: date) -> bool:
        """Whether the day is a weekend day on which people work for a holiday."""
        year = self.years.get(day.year)
        return year is not None and day in year.working_days


@once
def public_holidays() -> PublicHolidays:
    """What the file says."""
    found = json.loads(_FILE.read_text(encoding="utf-8"))
    return PublicHolidays(found["edition"], {int(year): _year(each) for year, each in found["years"].items()})


def _year(found: dict[str, Any]) -> Year:
    holidays = {day: Text(each["zh"], each["en"]) for each in found["holidays"] for day in _days(each)}
    working = frozenset(map(date.fromisoformat, found["working_days"]))
    return Year(found["source"], date.fromisoformat(found["published"]), holidays, working)


def _days(found: dict[str, str]) -> list[date]:
    first, last = date.fromisoformat(found["from"]), date.fromisoformat(found["to"])
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
