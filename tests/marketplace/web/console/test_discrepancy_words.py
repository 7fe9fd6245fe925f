"""Whatever the kind of a discrepancy, the console says it in the reader's language."""

from __future__ import annotations

from flask import Flask
from flask_babel import force_locale

from booking.reconcile.compare import KINDS
from marketplace.web.console.books.discrepancy_words import WORDS, kind_words


def test_what_a_comparison_finds_has_words() -> None:
    assert set(KINDS) - set(WORDS) == set()


def test_every_kind_is_said_in_the_language_of_the_request(app: Flask) -> None:
    for language, english in (("en", True), ("zh_Hans_CN", False), ("en", True)):
        with app.test_request_context(), force_locale(language):
            said = [text for kind in WORDS for text in kind_words(kind)]
        assert [text for text in said if not text or text.isascii() is not english] == []


def test_a_kind_of_tomorrow_is_its_code() -> None:
    assert kind_words("moon_phase") == ("moon_phase", "")
