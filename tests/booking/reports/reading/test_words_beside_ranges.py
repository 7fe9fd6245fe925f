"""A word beside bounds belongs to those it stands at, before or behind; in doubt nothing is judged."""

from __future__ import annotations

import pytest

from booking.reports.reading.ranges import reference_of

GOOD = (
    ("<20 缺乏；20-29 不足；≥30 充足", (30, None)),
    ("缺乏<20;不足20-30;充足30-100", (30, 100)),
    ("30-100 充足，20-30 不足，<20 缺乏", (30, 100)),
    ("<5.2 合适；5.2-6.2 边缘升高；≥6.2 升高", (None, 5.2)),
    ("合适 <5.2 边缘 5.2-6.2 升高 ≥6.2", (None, 5.2)),
    ("Deficient: <20; Insufficient: 20-29; Sufficient: 30-100", (30, 100)),
    ("<5.7% normal, 5.7-6.4% prediabetes, >=6.5% diabetes", (None, 5.7)),
    ("<0.9 阴性,0.9-1.1 灰区,>1.1 阳性", (None, 0.9)),
    ("0-100 (正常)", (0, 100)),
)
NOBODY_KNOWS = ("<5.2 合适 5.2-6.2 边缘升高 ≥6.2 升高", "3.9-6.1 偏高>6.1", "<18.5 偏瘦, 18.5-24 正常, >24 超重")


@pytest.mark.parametrize(("text", "bounds"), GOOD)
def test_the_good_range_is_the_one_its_word_stands_at(text: str, bounds: tuple[float | None, float | None]) -> None:
    found = reference_of(text, "female", 40, "").bounds
    assert found is not None
    assert (found.low, found.high) == bounds


@pytest.mark.parametrize("text", NOBODY_KNOWS)
def test_words_that_could_be_either_neighbours_judge_nothing(text: str) -> None:
    assert reference_of(text, "female", 40, "").bounds is None
