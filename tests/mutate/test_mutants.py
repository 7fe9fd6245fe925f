"""Which mistakes are made of a text."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from marketplace.core.config import ROOT
from mutate.mutants import mutants
from mutate.targets import HEART


def made(source: str) -> list[str]:
    text = source.encode()
    return [f"{mutant.kind}: {mutant.told(text)}" for mutant in mutants(text)]


@pytest.mark.parametrize(
    ("source", "mistakes"),
    [
        ("x = a < b", ["comparison: a < b -> (a <= b)"]),
        ("x = a is not None", ["comparison: a is not None -> (a is None)"]),
        ("x = a and b", [
            "boolean: a and b -> (a or b)", "condition removed: a and b -> (a)", "condition removed: a and b -> (b)",
        ]),
        ("x = not a", ["boolean: not a -> (a)"]),
        ("x = True", ["constant: True -> False"]),
        ("x = wait(9)", ["constant: 9 -> 10"]),
        ("x = q.where(a, b)", [
            "condition removed: q.where(a, b) -> q.where(a)", "condition removed: q.where(a, b) -> q.where(b)",
        ]),
        ("x = {a, b}", ["member removed: {a, b} -> {a}", "member removed: {a, b} -> {b}"]),
        ("release(place)", ["statement removed: release(place) -> pass"]),
        ("row.state = new", ["statement removed: row.state = new -> pass"]),
        ("raise Full", ["statement removed: raise Full -> pass"]),
        ("def f():\n    return x", ["return: x -> None"]),
        ("if a:\n    pass", ["condition: a -> False", "condition: a -> True"]),
    ],
)  # fmt: skip
def test_a_mistake_is_one_small_change(source: str, mistakes: list[str]) -> None:
    assert made(source) == mistakes


@pytest.mark.parametrize("source", ['"""Nine < ten."""', "log.info('said', n=9)", "from a import b", "x: f[1]"])
def test_what_does_nothing_is_left_alone(source: str) -> None:
    assert made(source) == []


def test_columns_are_counted_in_bytes() -> None:
    assert made('x = "体检" if a < b else c') == ["comparison: a < b -> (a <= b)"]


def test_a_mistake_knows_the_whole_statement_it_is_in() -> None:
    text = b"first = 1\nx = f(\n    a < b,\n)\n"
    assert [(m.first, m.line, m.last) for m in mutants(text) if m.kind == "comparison"] == [(2, 3, 4)]


def test_every_mistake_in_the_heart_is_still_python() -> None:
    files = HEART.files(ROOT)
    assert len(files) > 20
    for file in files:
        source = (ROOT / file).read_bytes()
        # Statement by statement: the whole module would be read once for each of its hundreds of mistakes.
        parts = [ast.get_source_segment(source.decode(), each).encode() for each in ast.parse(source).body]  # type: ignore[union-attr]
        made = [(part, mutant) for part in parts for mutant in mutants(part)]
        assert Counter(mutant.told(part) for part, mutant in made) == Counter(m.told(source) for m in mutants(source))
        for part, mutant in made:
            ast.parse(mutant.apply(part))


def test_the_heart_names_tests_that_exist() -> None:
    assert [name for name in HEART.tests if not (ROOT / name).exists()] == []
