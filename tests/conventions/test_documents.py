"""What is served to providers' and insurers' engineers says the same in both languages: none changes in one alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import marketplace.api.insurer.documents
import providers.partner_api.documents
from marketplace.rest.documents import CHINESE

BOTH = (providers.partner_api.documents.DOCUMENTS, marketplace.api.insurer.documents.DOCUMENTS)
SERVED = [path.resolve() for each in BOTH for path in each.files.values() if path.suffix == ".md"]
ENGLISH = [path for path in SERVED if not path.name.endswith(CHINESE)]

BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
HAN = re.compile(r"[\u4e00-\u9fff]")
LEFT_IN_ENGLISH = re.compile(r"[A-Za-z']+(?:,? [A-Za-z']+){6}")
"""So many words in a row are a sentence that nobody translated, rather than the name of a standard."""
WORDS = re.compile(r'("(?:name|conclusion|reason|detail)": ?)"[^"]*"|(Accept-Language: )\w+|\s*# .*')
"""What people read in a sample: texts, the language that they are asked in, comments."""


def chinese_of(path: Path) -> Path:
    """Where the same page stands in Chinese."""
    return path.with_name(path.stem + CHINESE)


def english_of(path: Path) -> Path:
    """Where the same page stands in English."""
    return path.with_name(path.name.removesuffix(CHINESE).removesuffix(".md") + ".md")


def read(path: Path) -> str:
    """A page's text."""
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    """What stands around the samples."""
    return BLOCK.sub("", read(path))


def samples(path: Path) -> list[str]:
    """The samples, without what people read in them."""
    return [WORDS.sub(r"\1\2", block) for block in BLOCK.findall(read(path))]


def paragraphs(path: Path) -> int:
    """How many there are beside headings, tables, lists and samples."""
    plain = re.sub(r"(?m)^(?:#+ |\||- |\d+\. | +\S).*$", "", BLOCK.sub("\n\n", read(path)))
    return len([part for part in re.split(r"\n\s*\n", plain) if part.strip()])


def codes(path: Path) -> list[str]:
    """All names, values and commands that the sentences and tables speak of, each once."""
    return sorted({" ".join(code.split()) for code in CODE.findall(prose(path))})


def anchors(path: Path) -> list[str]:
    """The anchors of the headings, as GitHub makes them."""
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _, title in HEADING.findall(prose(path))]


def place(page: Path, target: str) -> tuple[str, int | None]:
    """Where a link leads: to which page, whatever its language, and to which heading of it (its number)."""
    if ":" in target:
        return target, None
    name, _, anchor = target.partition("#")
    there = (page.parent / name).resolve() if name else page
    return english_of(there).as_posix(), anchors(there).index(anchor) if anchor else None


def places(page: Path) -> list[str]:
    """Where its links lead, in no order: sentences have another one in the other language."""
    return sorted(str(place(page, target)) for target in LINK.findall(prose(page)))


def other_language(page: Path) -> Path:
    """The page that this one's reader changes over to."""
    return english_of(page) if page.name.endswith(CHINESE) else chinese_of(page)


def test_every_page_stands_in_both_languages() -> None:
    assert sorted(path.name for path in SERVED) == sorted(
        name for path in {english_of(each) for each in SERVED} for name in (path.name, chinese_of(path).name)
    )


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)
def test_both_have_the_same_parts(page: Path) -> None:
    other = chinese_of(page)
    for part in (r"^#+ ", r"^\|", r"^(?:- |\d+\. )"):
        found = [re.findall(part, prose(each), re.MULTILINE) for each in (page, other)]
        assert found[0] == found[1], part
    assert paragraphs(page) == paragraphs(other)


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)
def test_both_have_the_same_samples(page: Path) -> None:
    assert samples(page) == samples(chinese_of(page))


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)
def test_both_speak_of_the_same_names_and_values(page: Path) -> None:
    assert codes(page) == codes(chinese_of(page))


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)
def test_both_lead_to_the_same_places(page: Path) -> None:
    assert places(page) == places(chinese_of(page))


@pytest.mark.parametrize("page", SERVED, ids=lambda page: page.name)
def test_a_reader_stays_in_her_language_until_she_changes_it(page: Path) -> None:
    targets = [(page.parent / to.partition("#")[0]).resolve() for to in LINK.findall(prose(page)) if ":" not in to]
    left = [each for each in targets if each in SERVED and each.name.endswith(CHINESE) != page.name.endswith(CHINESE)]
    assert left == [other_language(page)]
    assert other_language(page).name in "".join(read(page).splitlines()[:3])


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)
def test_each_is_in_its_language(page: Path) -> None:
    said = LINK.sub("]", CODE.sub("", prose(chinese_of(page))))
    assert [each for each in LEFT_IN_ENGLISH.findall(said) if each] == []
    assert [title for _, title in HEADING.findall(prose(chinese_of(page))) if not HAN.search(title)] == []
    assert [title for _, title in HEADING.findall(prose(page)) if HAN.search(title)] == []
