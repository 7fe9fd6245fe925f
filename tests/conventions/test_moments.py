"""What is pledged by the second is timed by the database's clock, whoever's own is wrong."""

from __future__ import annotations

import ast

from tests.conventions.sources import modules, parsed

TIMED = {
    "customer_says": "now",
    "customer_shows": "now",
    "clinician_says": "now",
    "clinician_shows": "now",
    "close": "now",
    "reopen": "now",
    "cancel": "pledged",
    "cancel_for": "pledged",
}
"""Use cases that decide about a pledge or add to a conversation, and the word by which they are told when: entrypoints
pass `by_database` (core.database.moment)."""
ANOTHER = ("answer.cancel",)
"""What has such a name and is a provider's own act, which decides about no pledge."""


def named(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def timed(call: ast.Call) -> bool:
    by_now = any(word.arg == "now" for word in call.keywords)  # what has no moment is a form or a page
    return named(call) in TIMED and by_now and ast.unparse(call.func) not in ANOTHER


def test_entrypoints_time_by_the_database_what_decides_about_a_pledge() -> None:
    other, seen = [], set()
    for path, tree in parsed(modules("marketplace", "providers", "drill"), about="|".join(TIMED)):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and timed(call):
                seen.add(named(call))
                given = [ast.unparse(word.value) for word in call.keywords if word.arg == TIMED[named(call)]]
                other += [(str(path), call.lineno, given)] if given != ["by_database"] else []
    assert other == [] and seen == set(TIMED)


def test_entrypoints_time_events_about_doctors_words_by_the_database() -> None:
    other = []
    for path, tree in parsed(modules("marketplace", "providers"), about="receive_event"):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and named(call) == "receive_event":
                given = [ast.unparse(word.value) for word in call.keywords if word.arg == "said"]
                other += [(str(path), call.lineno, given)] if given != ["by_database"] else []
    assert other == []
