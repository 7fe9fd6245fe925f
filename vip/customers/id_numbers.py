"""Mainland citizens' ID numbers (公民身份号码, GB 11643-1999)."""

from __future__ import annotations

import re
from datetime import date

from marketplace.core import crypto
from marketplace.core.errors import Invalid
from marketplace.core.text import without_invisible

PURPOSE = "id_number"
_FORM = re.compile(r"[1-9][0-9]{16}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def check_character(first_seventeen: str) -> str:
    """The 18th character: ISO 7064:1983 MOD 11-2 over the first 17 digits (GB 11643-1999, section 4.2.3)."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True)) % 11]


def normalise(text: str, *, sex: str, birth_date: date) -> str:
    """The number in capitals without spaces and invisible characters, if it is sound and fits birth date and sex.

    Digits 7 to 14 are the birth date; the 17th is odd for men and even for women (section 4.2.2). Raises
    Invalid(field="id_number"; reason "id_number_form", "id_number_check", "id_number_birth_date" or "id_number_sex").
    """
    number = _spelled(text)
    if not _FORM.fullmatch(number):
        raise Invalid(field="id_number", reason="id_number_form")
    if check_character(number[:17]) != number[17]:
        raise Invalid(field="id_number", reason="id_number_check")
    if number[6:14] != birth_date.strftime("%Y%m%d"):
        raise Invalid(field="id_number", reason="id_number_birth_date")
    if (int(number[16]) % 2 == 1) != (sex == "male"):
        raise Invalid(field="id_number", reason="id_number_sex")
    return number


def sound(text: str) -> str | None:
    """The number as `normalise` spells it, if form and check character are right; None for anything else."""
    number = _spelled(text)
    return number if _FORM.fullmatch(number) and check_character(number[:17]) == number[17] else None


def _spelled(text: str) -> str:
    return "".join(without_invisible(text[:64]).split()).upper()


def indexes(number: str) -> tuple[bytes, ...]:
    """The blind indexes that a normalised number may have: one for each live key, the current one's first."""
    return crypto.blind_indexes(number, PURPOSE)


def masked(number: str) -> str:
    """For showing: the first and the last of its characters."""
    return f"{number[0]}{'*' * 16}{number[-1]}"
