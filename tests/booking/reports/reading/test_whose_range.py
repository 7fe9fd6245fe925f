"""Where a text has several ranges, only one that is surely this person's judges, or what all that could be agree on."""

from __future__ import annotations

import pytest

from tests.booking.reports.grading import reading_of


@pytest.mark.parametrize(
    ("text", "value", "judged"),
    [
        ("非吸烟者≤5.0；吸烟者≤6.5", "4.8", "normal"),
        ("非吸烟者≤5.0；吸烟者≤6.5", "5.8", ""),
        ("非吸烟者≤5.0；吸烟者≤6.5", "7.1", "high"),
        ("卵泡期 12-166；黄体期 44-211；绝经期 <54", "150", ""),
        ("卵泡期 12-166；黄体期 44-211；绝经期 <54", "50", "normal"),
        ("卵泡期 12-166；黄体期 44-211；绝经期 <54", "500", "high"),
        ("低危<3.4；高危<2.6", "3.0", ""),
        ("低危<3.4；高危<2.6", "2.0", "normal"),
        ("<2.6（高危人群）", "3.2", ""),
        ("<2.6（高危人群）", "2.0", ""),
        ("未孕 <5.0", "0.3", "normal"),
        ("未孕 <5.0", "900", ""),
        ("low risk <1.0; average 1.0-3.0; high >3.0", "2.1", ""),
        ("low risk <1.0; average 1.0-3.0; high >3.0", "6.8", "high"),
    ],
)
def test_of_ranges_that_depend_on_what_nobody_told_only_their_agreement_judges(
    text: str, value: str, judged: str
) -> None:
    assert reading_of("项目", value, text).judged == judged


@pytest.mark.parametrize(("age", "judged"), [(61, "normal"), (50, ""), (40, "")])
def test_a_range_for_after_the_menopause_is_hers_from_an_age_that_leaves_no_doubt(age: int, judged: str) -> None:
    assert reading_of("FSH", "60", "卵泡期 3-10；绝经后 25-134", age=age).judged == judged
