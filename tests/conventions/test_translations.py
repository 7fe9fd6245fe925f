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


Word = tuple[str, str]
"""A msgid (the singular where there is a plural) and its context, blank where it has one sense alone."""


@cache
def said() -> frozenset[Word]:
    """The words that templates and code use: extracted once, it takes long."""
    with (ROOT / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found: Iterator[tuple[str, int, str | tuple[str, ...], list[str], str | None]] = extract_from_dir(
        str(ROOT / "marketplace"),
        [(pattern.removeprefix("marketplace/"), method) for pattern, method in methods],
        {pattern.removeprefix("marketplace/"): option for pattern, option in options.items()},
    )
    return frozenset(
        (msgid if isinstance(msgid, str) else msgid[0], context or "") for _path, _line, msgid, _notes, context in found
    )


def catalogue() -> list[Message]:
    with CATALOGUE.open("rb") as lines:
        return [message for message in read_po(lines, locale="zh_Hans_CN", abort_invalid=True) if message.id]


def singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def word(message: Message) -> Word:
    return singular(message), message.context or ""


def test_extraction_sees_templates_and_code_and_senses() -> None:
    assert {("My benefits", ""), ("We are checking with %(place)s", "")} <= said()
    assert {("Waiting", ""), ("Waiting", "comparison"), ("Code", ""), ("Code", "service")} <= said()


def test_every_word_is_translated() -> None:
    assert sorted(said() - {word(message) for message in catalogue()}) == []


def test_no_translation_is_left_over() -> None:
    assert sorted({word(message) for message in catalogue()} - said()) == []


def test_every_word_stands_once() -> None:
    """Merges join catalogues line by line, so that two branches with the same word leave it twice."""
    words = re.findall(r'^(?:msgctxt (".*")\n)?msgid (".*"(?:\n".*")*)', CATALOGUE.read_text(), re.MULTILINE)
    assert sorted(each for each in set(words) if words.count(each) > 1) == []


# What one thing is called in Chinese, and the other words that were in use for it.
OTHER_WORDS = ("账户", "帐号", "帐户", "预订", "服务商", "供应商", "提供方", "提议", "贵院")


@pytest.mark.parametrize("other", OTHER_WORDS)
def test_a_thing_has_one_name(other: str) -> None:
    """账号, 预约, 服务方 (a provider, addressed as 贵方; 机构 is a site), 建议."""
    texts = {singular(m): m.string if isinstance(m.string, tuple) else (m.string,) for m in catalogue()}
    assert [msgid for msgid, strings in texts.items() if any(other in each for each in strings)] == []


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
