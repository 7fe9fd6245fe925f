"""A finding told with its subject is read as a whole: one positive part is enough, and a denial is never overheard."""

from __future__ import annotations

import pytest

from booking.reports.reading.statements import statement_of

POSITIVE = (
    "HPV16、58阳性",
    "16型阳性，18型阴性",
    "检出蛔虫卵",
    "未检出沙门菌，检出志贺菌",
    "Positive for HPV 16",
    "HPV 16 not detected, HPV 18 detected",
    "No Giardia seen, Entamoeba histolytica cysts seen",
    "1+ acid-fast bacilli seen",
    "未见癌细胞，见核异质细胞",
)
NEGATIVE = (
    "2019-nCoV核酸阴性",
    "HPV16、18型均为阴性",
    "未检出沙门菌、志贺菌",
    "No AFB seen",
    "No Salmonella, Shigella or Campylobacter isolated",
    "Negative for Influenza A",
)
NOT_TOLD = (
    "假阳性",
    "可疑阳性菌",
    "慢性炎症，未见癌细胞",
    "不能除外阳性",
    "见附页",
    "No Salmonella but Shigella isolated",
    "No growth of normal flora",
    "乙肝表面抗体阳性",
    "既往阳性",
    "标本不足，未检出",
)


@pytest.mark.parametrize("text", POSITIVE)
def test_one_positive_part_is_positive(text: str) -> None:
    assert statement_of(text) == "positive"


@pytest.mark.parametrize("text", NEGATIVE)
def test_only_a_text_whose_every_part_is_negative_is_negative(text: str) -> None:
    assert statement_of(text) == "negative"


@pytest.mark.parametrize("text", NOT_TOLD)
def test_what_leaves_it_open_is_neither(text: str) -> None:
    assert statement_of(text) == ""
