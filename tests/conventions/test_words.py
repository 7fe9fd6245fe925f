"""Generic code speaks of no kind of benefit, and nothing is declared that nobody reads."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.catalog.benefit_kind import Traits, Words
from marketplace.catalog.kinds import kinds
from marketplace.core.config import ROOT
from marketplace.core.text import Text
from providers.port import Capabilities

A_KINDS_OWN = re.compile(r"hospital|体检|医院|到院|陪诊|health[ -]check|\bthe check\b|is checked\b", re.IGNORECASE)
SITES = ("importer.py", "site_rows.py", "terms.py", "search.py", "models.py")
MAY_SPEAK_OF_THEM = (
    "marketplace/catalog/kinds/",
    "marketplace/demo/",
    "marketplace/api/v1/sites.py",
    "providers/sandbox/",
    "booking/reports/reading/",
    "booking/escort/",
    "booking/escorting/",
    "marketplace/catalog/one_place/",
    "marketplace/catalog/query/",
    "marketplace/catalog/english/",
    *(f"marketplace/catalog/{name}" for name in SITES),
)
"""The kinds themselves, real sites as data, demonstrations, the servers that play a provider, the reader of what
laboratories deliver, and the rooms of those who are sent to hospitals."""


def generic_files() -> Iterator[Path]:
    """What serves every kind: code, templates, catalogues."""
    for package in ("marketplace", "booking", "vip", "providers"):
        for ending in ("py", "html", "po", "js"):
            for path in sorted((ROOT / package).rglob(f"*.{ending}")):
                if not str(path.relative_to(ROOT)).startswith(MAY_SPEAK_OF_THEM) and "vendor" not in path.parts:
                    yield path


def spoken(path: Path) -> str:
    """The file without the lines that say where a catalogue's words are used."""
    return re.sub(r"^#: .*$", "", path.read_text(), flags=re.MULTILINE)


def test_no_generic_file_speaks_of_one_kind() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in generic_files()
        for line in spoken(path).splitlines()
        if A_KINDS_OWN.search(line)
    }
    assert found == set(), "ask the kind for its words"


def test_every_word_of_a_kind_is_in_both_languages() -> None:
    for known in kinds().values():
        texts = [known.name, *_texts(known.words)]
        assert [text for text in texts if bool(text.zh) != bool(text.en)] == [], known.code
        assert [text for text in texts if re.search("[\u3400-\u9fff]", text.en)] == [], known.code


def _texts(words: Words) -> Iterator[Text]:
    for field in dataclasses.fields(words):
        value = getattr(words, field.name)
        if isinstance(value, Text):
            yield value
    for advice in words.advice:
        yield from (advice.title, advice.text)
    for message in words.messages.values():
        yield from (message.title, message.text)


@pytest.mark.parametrize("declared", [Capabilities, Traits, Words])
def test_what_is_declared_is_read(declared: type) -> None:
    code = "\n".join(
        path.read_text()
        for package in ("booking", "marketplace")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "benefit_kind.py"
    )
    nouns = ("service", "place", "person") if declared is Words else ()
    names = [field.name for field in dataclasses.fields(declared) if field.name not in nouns]
    assert [name for name in names if not re.search(rf"\.{name}\b", code)] == []


def test_the_home_zone_is_one_constant() -> None:
    paths = [
        path
        for package in ("marketplace", "booking", "vip", "providers", "bench", "drill")
        for path in sorted((ROOT / package).rglob("*.py"))
    ]
    named = {str(path.relative_to(ROOT)) for path in paths if "Asia/Shanghai" in path.read_text()}
    # The sandbox imports nothing of ours.
    assert named == {"marketplace/core/clock.py", "providers/sandbox/config.py"}
