"""A list that was written blind, by somebody who knew neither the rules nor their words: all of it is right now.

None of it is left out. Clinicians might argue about three, in which the rules follow the list: a reaction of years ago
with an injector that has expired, and a fingertip on a hot pan without a blister, are harmless; three people who each
gave the child a fever medicine are a poisoning.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.booking.consultation.red_flags.test_phrasings import codes

LISTED: list[dict[str, str | None]] = json.loads((Path(__file__).parent / "stranger_1.json").read_text("utf-8"))
ALARMS = [(str(each["text"]), str(each["sign"])) for each in LISTED if each["sign"]]
HARMLESS = [str(each["text"]) for each in LISTED if not each["sign"]]


def test_the_list_is_whole() -> None:
    assert (len(ALARMS), len(HARMLESS)) == (195, 169)


@pytest.mark.parametrize(("text", "sign"), ALARMS, ids=lambda value: value[:40])
def test_an_emergency_that_a_stranger_told_of_is_found(text: str, sign: str) -> None:
    assert sign in codes(text)


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: text[:40])
def test_what_a_stranger_called_harmless_raises_no_alarm(text: str) -> None:
    assert codes(text) == set()
