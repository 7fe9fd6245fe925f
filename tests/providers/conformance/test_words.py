"""What the kit says is there in both languages; a stored run holds codes and facts, and one of before is read still."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from marketplace.core.text import Text
from providers.conformance.kit import REFUSED, TEN_SLOTS
from providers.conformance.run import STEPS
from providers.conformance.step import Capability, Outcome, StepResult
from providers.conformance.transcript import DEADLINE, NO_ANSWER, NOT_JSON, in_words
from providers.conformance.words import gaps_of, is_words, known, phrase, told
from tests.providers.conformance.served import failed, serve

HAN = re.compile(r"[一-鿿]")


@pytest.mark.quick
def test_every_phrase_has_the_same_facts_in_both_languages_and_every_step_is_said_in_both() -> None:
    phrases = known()
    assert len(phrases) > 100
    for code, it in phrases.items():
        assert gaps_of(it.words.zh) == gaps_of(it.words.en), code
        assert not HAN.search(it.words.en), code
        assert HAN.search(it.words.zh) or it.words.zh == it.words.en, code
    alike = {code for code, it in phrases.items() if it.words.zh == it.words.en}
    assert alike == {"422-key-reused", "offered", "plain", "unknown-words"}, "nothing to translate in these alone"
    for step in STEPS:
        assert HAN.search(step.says.zh) and step.says.en and not HAN.search(step.says.en), step.name


@pytest.mark.quick
def test_a_phrase_is_stored_as_its_code_and_facts_and_read_in_either_language() -> None:
    said = TEN_SLOTS(came=REFUSED(code="sold_out"))
    stored = json.loads(json.dumps(said.stored()))
    assert stored == {"code": "ten-slots", "facts": {"came": {"code": "refused", "facts": {"code": "sold_out"}}}}
    assert told(stored) == Text("连续十个时段都是：拒绝（sold_out）", "refused (sold_out) for ten slots")
    assert is_words(stored) and str(said) == "refused (sold_out) for ten slots"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("stored", "zh"),
    [
        ("refused (sold_out)", "refused (sold_out)"),  # a run of before
        ("", ""),
        (None, ""),
        ({"code": "said-no-more", "facts": {}}, "said-no-more"),
        ({"code": "refused", "facts": {}}, "refused"),  # a fact that it had not then
        ({"code": "refused", "facts": {"code": "x", "more": 1}}, "拒绝（x）"),
        ({"code": 7}, ""),
    ],
)
def test_what_was_stored_otherwise_is_shown_as_well_as_it_can_be(stored: object, zh: str) -> None:
    assert told(stored).zh == zh


@pytest.mark.quick
def test_a_code_is_taken_once_and_a_fact_left_out_is_noticed() -> None:
    with pytest.raises(ValueError, match="said already"):
        phrase("refused", "拒绝", "refused")
    with pytest.raises(TypeError, match="has the facts"):
        REFUSED()


@pytest.mark.quick
def test_what_went_wrong_with_a_call_is_told_in_both_languages() -> None:
    assert NO_ANSWER(reason=in_words("the deadline passed")).text().zh == "< 没有应答：超过时限"
    assert in_words("the deadline passed") == DEADLINE()
    assert in_words("no resource of that kind").text() == Text(*["no resource of that kind"] * 2)
    assert NOT_JSON(head="200", bytes=9, type="text/html").text().zh == "< 200（9 字节，类型 text/html）"


def test_a_run_is_stored_without_words_of_one_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.sandbox.bookings._COUNT", "SELECT 0 WHERE ? <> ?")
    with serve(tmp_path) as served:
        result = served.run(Capability.BOOKING)
    [step] = failed(result)
    stored = json.loads(json.dumps(step.stored()))
    assert (stored["expected"], stored["came"]) == (
        REFUSED(code="sold_out").stored(),
        {"code": "confirmed", "facts": {}},
    )
    assert stored["name"] == "booking-sold-out" and stored["transcript"][0].startswith("> ")


@pytest.mark.quick
def test_a_step_that_passed_has_nothing_to_say() -> None:
    step = StepResult("x", Capability.BOOKING, Text("某", "some"), Outcome.PASSED, 0.12345)
    stored = step.stored()
    assert (stored["expected"], stored["came"], stored["transcript"], stored["seconds"]) == ("", "", [], 0.123)
