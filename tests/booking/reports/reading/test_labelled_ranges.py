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
    ("<5.2 合适 5.2-6.2 边缘升高 ≥6.2 升高", (None, 5.2)),
    ("<18.5 偏瘦, 18.5-24 正常, >24 超重", (18.5, 24)),
    ("<1.0(-)；≥1.0(+)", (None, 1.0)),
)
NOBODY_KNOWS = ("3.9-6.1 偏高>6.1", "<300 (rule out); >900 (rule in)", "3.9-6.1 偏高 >6.1 升高 >7")


@pytest.mark.parametrize(("text", "bounds"), GOOD)
def test_the_good_range_is_the_one_its_word_stands_at(text: str, bounds: tuple[float | None, float | None]) -> None:
    found = reference_of(text, "female", 40, "").bounds
    assert found is not None
    assert (found.low, found.high) == bounds


@pytest.mark.parametrize("text", NOBODY_KNOWS)
def test_words_that_could_be_either_neighbours_judge_nothing(text: str) -> None:
    assert reference_of(text, "female", 40, "").bounds is None


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("理想<2.6；合适<3.4；边缘升高3.4-4.1；升高≥4.1", (None, 3.4)),
        ("low risk <1.0; average 1.0-3.0; high >3.0", (None, 1.0)),
        ("0.9-1.1 (therapeutic 2.0-3.0)", (0.9, 1.1)),
        ("35-45（妊娠 28-34）", (35, 45)),
    ],
)
def test_categories_and_what_stands_in_brackets_keep_their_own_words(
    text: str, bounds: tuple[float | None, float | None]
) -> None:
    found = reference_of(text, "female", 40, "").bounds
    assert found is not None
    assert (found.low, found.high) == bounds


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        *(
            ("3-6 男，2-5 女", (2, 5)),
            ("3-6 M, 2-5 F", (2, 5)),
            ("(男)3-6 (女)2-5", (2, 5)),
            ("(女)2-5(男)3-6", (2, 5)),
        ),
        *(
            ("男：20-59岁 3-6；60-79岁 4-7；女：20-59岁 2-5", (2, 5)),
            ("<60岁：男3-6 女2-5；≥60岁：男4-7 女3-6", (2, 5)),
        ),
        *(("3-6 pregnant", None), ("3-6 (pregnant)", None), ("3-6 男", None), ("3-6 儿童", None), ("3-6 孕妇", None)),
        *(("女：60-79岁 1-6；男：20-59岁 3-6", None), ("therapeutic 10-20", (10, 20)), ("10-20 (toxic >20)", (10, 20))),
    ],
)
def test_a_label_is_of_the_bounds_it_stands_at_before_or_behind(
    text: str, bounds: tuple[float | None, float | None] | None
) -> None:
    found = reference_of(text, "female", 40, "").bounds
    assert (found and (found.low, found.high)) == bounds
