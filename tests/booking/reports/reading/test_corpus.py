"""The corpus: a value, mark, range, unit or word in any form that laboratories write is read right or left unjudged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.booking.reports.grading import CORPUS, MISSED, grade, rows


def sheets(file: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a corpus by the first two letters of their ids: a test for each takes longer than its reading."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows(file):
        found.setdefault(row["id"][:2], []).append(row)
    return found


@pytest.mark.parametrize("sheet", sheets(CORPUS).values(), ids=list(sheets(CORPUS)))
def test_a_result_is_read_right_or_left_unjudged(sheet: list[dict[str, Any]]) -> None:
    graded = [grade(row) for row in sheet]
    assert [one for one in graded if one.dangerous or one.wrong] == []


@pytest.mark.parametrize("row", rows(MISSED), ids=lambda row: row["id"])
def test_what_is_not_read_yet_does_no_harm_and_moves_to_the_corpus_once_it_is(row: dict[str, Any]) -> None:
    graded = grade(row)
    assert not graded.dangerous
    assert graded.wrong


def test_each_row_stands_once() -> None:
    ids = [row["id"] for row in rows(CORPUS) + rows(MISSED)]
    assert len(ids) == len(set(ids))
