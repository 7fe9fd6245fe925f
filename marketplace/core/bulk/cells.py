"""The cells of one line, read by what should stand in them: what is wrong is collected, and names column and reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from marketplace.core.text import Text, without_invisible

Mark = Literal["number", "formula", "error"]
"""What a spreadsheet's cell is other than text: a number, a formula whose value is not in the file, or an error such as
`#N/A`."""

LONGEST = 500
_DAYS: Final = (
    re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"),
    re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})"),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日"),
    re.compile(r"(\d{4})(\d{2})(\d{2})"),
)
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_YES: Final = frozenset({"yes", "y", "true", "1", "是"})
_NO: Final = frozenset({"no", "n", "false", "0", "否"})
DIGITS_OF_A_NUMBER: Final = 15
"""A spreadsheet's number has no more (IEEE 754 binary64): of a longer one the last digits are lost already."""


@dataclass(frozen=True)
class Reason:
    """Why a line was refused and what to do about it; both may name the error's facts in braces (`{most}`)."""

    why: Text
    remedy: Text


@dataclass(frozen=True)
class Column:
    """A column of the file. Its header may be its code, or its name in either language.

    `personal`: its values are masked where they are shown. `exact`: every digit and every zero before it counts (a
    policy's number), so a cell that a spreadsheet stores as a number is refused: it may have lost some. `choices`: what
    may stand there, the stored word with its name in both languages. A file may lack a column that is not `required`.
    """

    code: str
    name: Text
    about: Text
    example: str
    required: bool = True
    personal: bool = False
    exact: bool = False
    choices: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class LineError:
    """What is wrong in a column; `column` is blank where the line as a whole is refused. `facts` hold no personal
    data."""

    column: str
    reason: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


class Cells:
    """One line's cells by the column's code.

    Each method returns what stands in a cell, without blanks around it; where that is not possible it adds an error and
    returns a value of its type that means nothing. A blank cell of a required column is an error, of another one the
    blank value.
    """

    def __init__(
        self, columns: Sequence[Column], texts: Mapping[str, str], marks: Mapping[str, Mark] | None = None
    ) -> None:
        self._columns = {column.code: column for column in columns}
        self._texts, self._marks = texts, marks or {}
        self.errors: list[LineError] = []

    def refuse(self, column: str, reason: str, **facts: str | int) -> None:
        """Add an error; one column has one, the first."""
        if all(error.column != column for error in self.errors):
            self.errors.append(LineError(column, reason, facts))

    def blank(self, *columns: str) -> bool:
        """Whether nothing stands in any of these columns."""
        return not any(self._plain(column) or column in self._marks for column in columns)

    def need(self, columns: Iterable[str]) -> None:
        """Refuse each of these columns that is blank: what one line needs and another doesn't."""
        for column in columns:
            if self.blank(column):
                self.refuse(column, "missing")

    def text(self, column: str, *, longest: int = LONGEST) -> str:
        """The text, in one line. Errors: missing, too_long, and those of a spreadsheet's cells."""
        mark = self._marks.get(column)
        if mark in ("formula", "error"):
            self.refuse(column, "formula_without_value" if mark == "formula" else "spreadsheet_error")
            return ""
        wanted = self._columns[column]
        found = self._plain(column) if wanted.exact else _one_line(self._texts.get(column, ""))
        if not found and wanted.required:
            self.refuse(column, "missing")
        if len(found) > longest:
            self.refuse(column, "too_long", most=longest)
        if mark == "number" and (wanted.exact or sum(each.isdigit() for each in found) > DIGITS_OF_A_NUMBER):
            self.refuse(column, "stored_as_number")
        return found

    def choice(self, column: str) -> str:
        """The stored word of one of the column's choices, given as that word or by its name in either language. Errors:
        not_a_choice."""
        self.text(column)
        found = self._plain(column)
        for stored, name in self._columns[column].choices.items():
            if found.casefold() in (stored.casefold(), name.zh.casefold(), name.en.casefold()):
                return stored
        if found:
            self.refuse(column, "not_a_choice")
        return ""

    def yes_or_no(self, column: str) -> bool:
        """Errors: not_yes_or_no."""
        self.text(column)
        found = self._plain(column).casefold()
        if found and found not in _YES | _NO:
            self.refuse(column, "not_yes_or_no")
        return found in _YES

    def whole(self, column: str, *, least: int = 0, most: int = 999_999_999) -> int:
        """A whole number. Errors: not_a_whole_number, too_small, too_large."""
        self.text(column)
        found = self._plain(column).replace(",", "")
        if not _WHOLE.fullmatch(found):
            if found:
                self.refuse(column, "not_a_whole_number")
            return least
        number = int(found)
        if number < least:
            self.refuse(column, "too_small", least=least)
        if number > most:
            self.refuse(column, "too_large", most=most)
        return number

    def day(self, column: str) -> date:
        """A date: the year, the month, the day, as 2026-02-28, 2026/2/28, 2026.2.28, 20260228 or 2026年2月28日.
        Errors: not_a_date, no_such_day."""
        return self.day_or_none(column) or date.min

    def day_or_none(self, column: str) -> date | None:
        """A date, None for a blank cell."""
        self.text(column)
        found = self._plain(column).replace(" ", "")
        form = next((parts for form in _DAYS if (parts := form.fullmatch(found))), None)
        if form is None:
            if found:
                self.refuse(column, "not_a_date")
            return None
        try:
            return date(*map(int, form.groups()))
        except ValueError:
            self.refuse(column, "no_such_day")
            return None

    def _plain(self, column: str) -> str:
        """What stands there in its plain form: full-width digits and letters are the usual ones."""
        return " ".join(without_invisible(self._texts.get(column, "")).split())


def _one_line(text: str) -> str:
    """A text as it was written, without format characters, in one line."""
    return " ".join("".join(each for each in text if unicodedata.category(each) != "Cf").split())


def masked(text: str) -> str:
    """A personal value as it is shown: enough to find it again in the file, not enough to know it."""
    return f"{text[:1]}***{text[-2:] if len(text) >= 8 else ''}" if text else ""
