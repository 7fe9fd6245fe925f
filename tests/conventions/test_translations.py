"""Every word of the pages exists in both languages: msgids are English, the catalogue holds the Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "marketplace" / "web" / "templates"
CATALOGUE = ROOT / "marketplace" / "web" / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
HAN = re.compile(r"[\u3400-\u9fff]")


@cache
def said() -> frozenset[str]:
    """The msgids (the singular where there is a plural) that templates and code use: extracted once, it takes long."""
    with (ROOT / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found: Iterator[tuple[str, int, str | tuple[str, ...], list[str], str | None]] = extract_from_dir(
        str(ROOT / "marketplace"),
        [(pattern.removeprefix("marketplace/"), method) for pattern, method in methods],
        {pattern.removeprefix("marketplace/"): option for pattern, option in options.items()},
    )
    return frozenset(msgid if isinstance(msgid, str) else msgid[0] for _path, _line, msgid, _notes, _context in found)


def catalogue() -> list[Message]:
    with CATALOGUE.open("rb") as lines:
        return [message for message in read_po(lines, locale="zh_Hans_CN", abort_invalid=True) if message.id]


def singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def test_extraction_sees_templates_and_code() -> None:
    assert {"My benefits", "We are checking with %(place)s"} <= said()


def test_every_word_is_translated() -> None:
    assert sorted(said() - {singular(message) for message in catalogue()}) == []


def test_no_translation_is_left_over() -> None:
    assert sorted({singular(message) for message in catalogue()} - said()) == []


def test_every_word_stands_once() -> None:
    """Merges join catalogues line by line, so that two branches with the same word leave it twice."""
    msgids = re.findall(r'^msgid (".*"(?:\n".*")*)', CATALOGUE.read_text(), re.MULTILINE)
    assert sorted(msgid for msgid in set(msgids) if msgids.count(msgid) > 1) == []


def test_no_translation_is_empty_or_doubtful() -> None:
    texts = {singular(m): m.string if isinstance(m.string, tuple) else (m.string,) for m in catalogue()}
    assert [msgid for msgid, strings in texts.items() if not all(strings)] == []
    assert [singular(message) for message in catalogue() if message.fuzzy] == []


def test_placeholders_survive_translation() -> None:
    named = re.compile(r"%\((\w+)\)")
    wrong = [
        singular(m)
        for m in catalogue()
        for text in (m.string if isinstance(m.string, tuple) else (m.string,))
        if set(named.findall(text)) != set(named.findall(singular(m)))
    ]
    assert wrong == []


def test_msgids_are_english() -> None:
    assert [singular(message) for message in catalogue() if HAN.search(singular(message))] == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.stem)
def test_templates_hold_no_chinese_words(path: Path) -> None:
    spoken = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    assert HAN.findall(spoken) == []
