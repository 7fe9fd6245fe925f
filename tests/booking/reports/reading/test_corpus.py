"""The corpus: a value, mark, range, unit or word in any form that laboratories write is read right or left unjudged."""

from __future__ import annotations

import pytest

from tests.booking.reports.grading import grade, rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["id"])
def test_a_result_is_read_right_or_left_unjudged(row: dict[str, object]) -> None:
    graded = grade(row)
    assert not graded.dangerous
    assert not graded.wrong
