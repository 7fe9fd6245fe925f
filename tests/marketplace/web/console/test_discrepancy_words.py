"""Whatever the kind of a discrepancy, and however it was closed, the console says it in the reader's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flask import Flask
from flask_babel import force_locale

from booking.reconcile.compare import KINDS
from marketplace.core.config import ROOT
from marketplace.web.console.books.discrepancy_words import RESOLUTIONS, WORDS, kind_words, resolution_words


def test_what_a_comparison_finds_has_words() -> None:
    assert set(KINDS) - set(WORDS) == set()


def test_every_kind_is_said_in_the_language_of_the_request(app: Flask) -> None:
    for language, english in (("en", True), ("zh_Hans_CN", False), ("en", True)):
        with app.test_request_context(), force_locale(language):
            said = [text for kind in WORDS for text in kind_words(kind)]
            said += [resolution_words(code) for code in (*RESOLUTIONS, "confirmed", "rejected")]
        assert [text for text in said if not text or text.isascii() is not english] == []


def test_a_kind_of_tomorrow_is_its_code() -> None:
    assert kind_words("moon_phase") == ("moon_phase", "")
    assert resolution_words("moon_set") == "moon set"


def test_however_one_is_closed_there_are_words_for_it() -> None:
    """Also where it is closed by a constant, or by what a variable of that file was set to."""
    sources = [path.read_text() for path in sorted((ROOT / "booking").rglob("*.py"))]
    closing = [ast.parse(source) for source in sources if "close_discrepancy(" in source or "work.close(" in source]
    codes = {code for tree in closing for code in _closed_by(tree)}
    assert {"agrees_again", "taken_back", "took_place", "assigned", "corrected_by_provider", "fits_again"} <= codes
    assert codes - set(RESOLUTIONS) == set()


def _closed_by(tree: ast.Module) -> Iterator[str]:
    """How this file closes discrepancies."""
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        said: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "close":
            said = node.args[0] if node.args else None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = {"close_discrepancy": 4, "close": 3}.get(node.func.id)
            said = node.args[place] if place is not None and len(node.args) > place else None
        said = named.get(said.id) if isinstance(said, ast.Name) else said
        if isinstance(said, ast.Constant) and isinstance(said.value, str):
            yield said.value
