"""The file of rules: complete, as its schema says, and refused when it isn't."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import ValidationError

from booking.consultation.red_flags.rulebook import FILE, from_data, rulebook

SIGNS = [
    "chest_pain",
    "breathing",
    "stroke",
    "bleeding",
    "unconscious",
    "allergy",
    "seizure",
    "head_injury",
    "poisoning",
    "burns",
    "drowning",
    "pregnancy_bleeding",
    "suicide",
    "infant_fever",
]


@pytest.fixture
def data() -> dict[str, Any]:
    """The rules as they are in the file, to change."""
    return copy.deepcopy(json.loads(FILE.read_text(encoding="utf-8")))


def test_all_signs_are_there_with_names_and_advice_in_both_languages() -> None:
    rules = rulebook()
    assert [sign.code for sign in rules.signs] == SIGNS
    for sign in rules.signs:
        assert sign.name.zh and sign.name.en and sign.source, sign.code
        assert any(number in sign.advice.zh for number in ("120", "急诊")), sign.code
        assert "120" in sign.advice.en, sign.code
        assert len(sign.advice.zh) <= 130 and len(sign.advice.en) <= 330, f"{sign.code}: nobody in fear reads that"
        assert sign.dated <= rules.dated, sign.code


def test_each_sign_is_found_by_words_of_both_languages(data: dict[str, Any]) -> None:
    poor = [
        sign["code"]
        for sign in data["signs"]
        for language in ("zh", "en")
        if len(sign["phrases"][language]) < (2 if sign["code"] == "infant_fever" else 10)
    ]
    assert poor == []


def test_the_file_is_read_once() -> None:
    assert rulebook() is rulebook()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.pop("version"),
        lambda data: data["signs"][0].pop("source"),
        lambda data: data["signs"][0]["advice"].pop("en"),
        lambda data: data["signs"][0].update(date="yesterday"),
        lambda data: data["signs"][0].update(surprise=1),
        lambda data: data["grammar"].pop("no_cue"),
        lambda data: data["words"]["chest"]["zh"].append(""),
    ],
)
def test_a_file_that_is_not_as_its_schema_says_is_refused(data: dict[str, Any], spoil: Any) -> None:
    spoil(data)
    with pytest.raises(ValidationError):
        from_data(data)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data["signs"][0]["combinations"].append({"words": ["chest", "no such list"]}),
        lambda data: data["characters"].update(traditional="頭"),
        lambda data: data["spellings"].update({"胸口": ["胸"]}),
        lambda data: data["words"]["chest"]["zh"].append("。"),
    ],
)
def test_rules_that_could_never_work_are_refused(data: dict[str, Any], spoil: Any) -> None:
    spoil(data)
    with pytest.raises(ValueError):
        from_data(data)
