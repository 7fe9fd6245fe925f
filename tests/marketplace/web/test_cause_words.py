"""Whatever the cause of a line in a booking's history, the console and the customer read words, never a code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import force_locale

from booking.changes.cancel import REASONS
from marketplace.web.cause_words import cause_line, refusal_line
from providers.adapters.checkup_wire import REFUSED
from providers.adapters.open.calls import REFUSALS
from tests.conventions.sources import modules, parsed


def written() -> Iterator[str]:
    """Every cause that the code of booking and of the demonstration writes: as a literal, or as a constant of its file
    or of the one that it is imported from."""
    packages = ("booking", "marketplace/demo")
    known: dict[str, dict[str, object]] = {
        ".".join(path.with_suffix("").parts): constants_of(tree) for path, tree in parsed(modules(*packages))
    }
    for _, tree in parsed(modules(*packages), about="cause"):
        constants = constants_of(tree)
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                theirs = known.get(node.module or "", {})
                constants |= {each.name: theirs[each.name] for each in node.names if each.name in theirs}
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "cause":
                given = node.value
                if isinstance(given, ast.Name) and given.id in constants:
                    yield str(constants[given.id])
                for each in ast.walk(given):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield each.value


def constants_of(tree: ast.Module) -> dict[str, object]:
    """What a file's names stand for, where that is a constant."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@pytest.fixture(scope="module")
def causes() -> list[str]:
    """All of them, by name."""
    return sorted(
        {cause for cause in written() if not cause.endswith("_")}
        | {f"desk_{reason}" for reason in REASONS}
        | {"proposal_declined", "proposal_lapsed", "cancelled_by_provider", "submitted"}
        | set(REFUSED.values())
        | set(REFUSALS)
    )


def test_the_causes_of_the_code_are_found(causes: list[str]) -> None:
    assert {"rescheduled", "site_closed", "hold_expired", "standing_wish", "not_answered_in_time"} <= set(causes)


@pytest.mark.parametrize("language", ["en", "zh_Hans_CN"])
def test_every_cause_has_words_in_both_languages(app: Flask, causes: list[str], language: str) -> None:
    with app.test_request_context(), force_locale(language):
        said = {cause: cause_line(cause) for cause in causes}
        assert [cause for cause, words in said.items() if not words and cause not in ("", "submitted")] == []
        assert [words for words in said.values() if "_" in words or words.startswith(("Code ", "代码"))] == []
        if language != "en":
            assert [words for words in said.values() if words.isascii() and words] == []


def test_a_code_of_tomorrow_is_said_to_be_one_to_the_desk_and_nothing_to_the_customer(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        assert (cause_line("moon_phase"), refusal_line("moon_phase")) == ("Code moon_phase", "")
        assert refusal_line("Scanner is serviced") == "In its words: Scanner is serviced"
