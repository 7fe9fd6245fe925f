"""A second list that was written blind, for which the rules were never widened: it measures what they do with words
that they have not seen.

Whoever changes the rules may look at its figures, never at its texts.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.booking.consultation.red_flags.test_phrasings import codes

LISTED: list[dict[str, str | None]] = json.loads((Path(__file__).parent / "stranger_2.json").read_text("utf-8"))


def test_of_emergencies_in_words_never_seen_nineteen_of_twenty_are_found() -> None:
    alarms = [str(each["text"]) for each in LISTED if each["sign"]]
    assert len(alarms) == 206
    assert sum(bool(codes(text)) for text in alarms) / len(alarms) >= 0.95


def test_of_harmless_words_never_seen_nine_of_ten_raise_no_alarm() -> None:
    harmless = [str(each["text"]) for each in LISTED if not each["sign"]]
    assert len(harmless) == 139
    assert sum(not codes(text) for text in harmless) / len(harmless) >= 0.9
