"""Every refusal has its words, in both languages."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import force_locale

from marketplace import refusal_words, wording
from marketplace.app import create_app
from marketplace.core.errors import Invalid, Refusal
from marketplace.reason_words import REASONS
from marketplace.refusal_words.every import SUBJECTS, WORDS
from tests.conventions.sources import modules, parsed

PACKAGES = ("marketplace", "booking", "vip", "providers")


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


def refusals() -> Iterator[type[Refusal]]:
    """Every refusal of ours."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.startswith("providers.sandbox"):
                importlib.import_module(module.name)
    waiting = [Refusal]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.__subclasses__()


def reasons() -> set[str]:
    """Every reason that the code gives an `Invalid` as a literal."""
    found = set()
    for _, tree in parsed(modules(*PACKAGES), about="Invalid"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Invalid":
                found |= {
                    word.value.value
                    for word in node.keywords
                    if word.arg == "reason" and isinstance(word.value, ast.Constant)
                }
    return found


def test_every_refusal_has_its_words() -> None:
    assert {refusal.code for refusal in refusals()} - set(WORDS) == set()


def test_every_subject_of_refusals_is_among_all_and_none_repeats_a_code() -> None:
    beside = {each.name for each in pkgutil.iter_modules(refusal_words.__path__)} - {"every", "words"}
    assert [subject.__name__.rpartition(".")[2] for subject in SUBJECTS if subject.WORDS] == sorted(beside)
    codes = Counter(code for subject in SUBJECTS for code in subject.WORDS)
    assert [code for code, times in codes.items() if times > 1] == []


def test_every_reason_has_its_words() -> None:
    found = reasons()
    assert found - set(REASONS) == set()
    assert len(found) > 10


def test_all_words_are_translated(app: Flask) -> None:
    words = [text for sentence_of in WORDS.values() for text in (sentence_of.title, sentence_of.sentence)]
    words += list(REASONS.values())
    with app.test_request_context():
        with force_locale("en"):
            english = [str(text) for text in words]
        with force_locale("zh_Hans_CN"):
            untranslated = [was for was, text in zip(english, words, strict=True) if str(text) == was]
    assert untranslated == []


def test_translations_keep_the_places_of_facts(app: Flask) -> None:
    words = [each.sentence for each in WORDS.values()] + list(REASONS.values())
    with app.test_request_context():
        for text in words:
            with force_locale("en"):
                english = set(wording.PLACE.findall(str(text)))
            with force_locale("zh_Hans_CN"):
                assert set(wording.PLACE.findall(str(text))) == english, str(text)


def test_a_sentence_with_a_missing_fact_is_still_a_sentence(app: Flask) -> None:
    with app.test_request_context():
        assert wording.sentence(Invalid(reason="nobody knows")) == str(WORDS["invalid"].sentence)
        assert "None" not in wording.sentence_of("too_many", {})
