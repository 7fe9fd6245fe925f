"""What people write, and which signs are found in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from booking.consultation.red_flags.find import found
from booking.consultation.red_flags.rulebook import rulebook

PHRASINGS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "phrasings.json").read_text(encoding="utf-8"))
ALARMS = [each for each in PHRASINGS if each["signs"]]
HARMLESS = [each["text"] for each in PHRASINGS if not each["signs"]]


def codes(text: str, age_months: int | None = None) -> set[str]:
    """The codes of the signs in a text."""
    return {sign.code for sign in found(text, age_months=age_months)}


def test_there_are_enough_and_every_sign_has_some() -> None:
    assert len(PHRASINGS) >= 150
    assert len(HARMLESS) * 3 >= len(PHRASINGS)
    named = [code for each in ALARMS for code in each["signs"]]
    assert {sign.code: named.count(sign.code) >= 6 for sign in rulebook().signs} == {
        sign.code: True for sign in rulebook().signs
    }


@pytest.mark.parametrize("phrasing", ALARMS, ids=lambda each: each["text"][:40])
def test_an_emergency_is_found(phrasing: dict[str, Any]) -> None:
    assert set(phrasing["signs"]) <= codes(phrasing["text"])


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: text[:40])
def test_what_is_harmless_raises_no_alarm(text: str) -> None:
    assert codes(text) == set()


def test_a_sign_says_where_it_stands_and_what_to_do() -> None:
    text = "您好，医生！ 我 ｃｈｅｓｔ　ｐａｉｎ，很怕"
    (sign,) = found(text)
    assert (sign.code, text[sign.start : sign.end]) == ("chest_pain", "ｃｈｅｓｔ　ｐａｉｎ")
    assert sign.name.en == "Chest pain"
    assert "120" in sign.advice.zh
    assert "120" in sign.advice.en


def test_a_place_is_right_behind_characters_that_are_several_when_folded() -> None:
    text = "ﬃ㍿\u200b👨‍👩‍👧 救命 胸😭口😭痛"
    (sign,) = found(text)
    assert text[sign.start : sign.end] == "胸😭口😭痛"


def test_each_sign_is_told_once_in_the_order_of_the_rules() -> None:
    signs = [sign.code for sign in found("喘不上气，胸痛，胸痛，呼吸困难，chest pain")]
    assert signs == ["chest_pain", "breathing"]


@pytest.mark.parametrize(
    ("text", "age_months", "expected"),
    [
        ("发烧了，38.2度", 1, True),
        ("孩子发烧了", 2, True),
        ("孩子发烧了", 3, False),
        ("孩子没发烧", 1, False),
        ("体温37.2度", 1, False),
        ("体温38度", 1, True),
        ("体温三十八度五", 2, True),
        ("temperature of 100.6", 2, True),
        ("temperature of 98.6", 2, False),
        ("fever 38.5", 5, False),
        ("fever 39", 5, True),
        ("fever 39.5", 8, False),
        ("fever 40.1", 8, True),
        ("fever 40.1", 14, False),
        ("fever 40.1", None, False),
        ("宝宝两个月发烧", None, True),
        ("宝宝七个月发烧38度", None, False),
        ("my 3 week old is burning up", None, True),
        ("出生20天的娃娃发烧", None, True),
        ("怀孕两个月发烧38度", None, False),
    ],
)
def test_a_fever_is_judged_by_the_babys_age(text: str, age_months: int | None, expected: bool) -> None:
    assert ("infant_fever" in codes(text, age_months)) is expected
