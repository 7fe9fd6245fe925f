"""The corpus: a value, mark, range, unit or word in any form that laboratories write is read right or left unjudged."""

from __future__ import annotations

import pytest

from tests.booking.reports.grading import CORPUS, MISSED, grade, rows


@pytest.mark.parametrize("row", rows(CORPUS), ids=lambda row: row["id"])
def test_a_result_is_read_right_or_left_unjudged(row: dict[str, object]) -> None:
    graded = grade(row)
    assert not graded.dangerous
    assert not graded.wrong


@pytest.mark.parametrize("row", rows(MISSED), ids=lambda row: row["id"])
def test_what_is_not_read_yet_does_no_harm_and_moves_to_the_corpus_once_it_is(row: dict[str, object]) -> None:
    graded = grade(row)
    assert not graded.dangerous
    assert graded.wrong


def test_each_row_stands_once() -> None:
    ids = [row["id"] for row in rows(CORPUS) + rows(MISSED)]
    assert len(ids) == len(set(ids))
