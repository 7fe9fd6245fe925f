"""Tables for a spreadsheet."""

from __future__ import annotations

import pytest

from marketplace.core.spreadsheet import spreadsheet


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_calculate_is_a_text(text: str) -> None:
    quoted = f"'{text}"
    found = spreadsheet(["a"], [[text]])
    assert quoted in found and f"\n{text}" not in found
    assert f"'{text}" in spreadsheet([text], [])


def test_numbers_stay_numbers_and_nothing_is_blank() -> None:
    assert spreadsheet(["a", "b", "c"], [[-1, 0.5, None]]) == "\ufeffa,b,c\r\n-1,0.5,\r\n"


def test_commas_quotes_and_lines_stay_in_their_cell() -> None:
    assert spreadsheet(["a"], [['x, "y"\nz']]) == '\ufeffa\r\n"x, ""y""\nz"\r\n'
