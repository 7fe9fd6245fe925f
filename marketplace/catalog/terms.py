"""How the words of sites are written down for searching.

`search_text` holds the names, each between newlines, then their short forms, each after a carriage return, then a tab,
then the place: city, district, address, kind. `pinyin` has three parts with a tab between: the initials of each name,
in Chinese and English; the full pinyin of each name from every syllable on and its English name from every word on,
without blanks; the pinyin of its places and English words about it. `terms` holds what the GIN index narrows by: single
characters and pairs of `search_text`, pairs of initials (marked `~`), and the first two to six letters of each line of
the two other parts of `pinyin` (marked `^`); KNOWN for a site that is looked for from all over. The texts decide; the
terms only spare reading all rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from opencc import OpenCC

from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.places import short_place
from marketplace.catalog.query.short_forms import short_forms

_NUMERALS = str.maketrans("〇零○o一二三四五六七八九", "0000123456789")
_NUMBER = re.compile(r"[0-9〇零○o一二三四五六七八九]{3,}")
_ENGLISH_WORD = re.compile(r"[a-z0-9]+")
_SMALL_WORDS = frozenset(("of", "and", "the", "for"))
_PINYIN_PREFIX = 6
KNOWN = "*"
"""The term of a site that people all over the country look for."""
_BOTH_SCRIPTS = frozenset("乾於")
"""Simplified names have these too, and mean them."""
_TO_SIMPLIFIED = OpenCC("t2s")


@dataclass(frozen=True)
class SearchColumns:
    """The derived columns of a site."""

    terms: tuple[str, ...]
    search_text: str
    pinyin: str


def normalise(text: str) -> str:
    """Compatibility forms folded (NFKC), small letters, simplified characters, numbers of three figures and more as
    digits (三〇一 is 301); control characters, lone surrogates and runs of space become one space."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ü", "v")
    cleaned = "".join(
        " " if unicodedata.category(c) in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp") else _simplified(c) for c in folded
    )
    return " ".join(_NUMBER.sub(_as_digits, cleaned).split())


@lru_cache(maxsize=50_000)
def _simplified(character: str) -> str:
    if character < "\u3400" or character in _BOTH_SCRIPTS:
        return character
    return str(_TO_SIMPLIFIED.convert(character))


def _as_digits(found: re.Match[str]) -> str:
    run = found.group()
    return run if set(run) == {"o"} else run.translate(_NUMERALS)


def search_columns(
    names: Sequence[str],
    places: Sequence[str],
    details: Iterable[str],
    english: Sequence[str] = (),
    about: Sequence[str] = (),
    *,
    known: bool = False,
) -> SearchColumns:
    """The derived columns for a site's names, its places (province, city, district …), what else is findable (address,
    kind), its names in English, and English words `about` it. A name that starts with its place also counts without
    it: 协和医院 is a name of 北京协和医院. `known`: it is one that people all over the country look for."""
    plain = [normalise(name) for name in names if name]
    starts = sorted(
        {form for place in places if place for form in (place, short_place(place))}, key=lambda form: (-len(form), form)
    )
    called = list(dict.fromkeys([*plain, *(short for name in plain if (short := _without_place(name, starts)))]))
    shorter = [form for name in plain for form in short_forms(name) if form not in called]
    texts = list(dict.fromkeys([*called, *shorter]))
    where = " ".join(dict.fromkeys(normalise(text) for text in (*places, *details) if text))
    typed = [words for name in english if (words := _english_words(name))]
    initials = [*(_initials(syllables(name)) for name in texts), *(_english_initials(words) for words in typed)]
    tails = [tail for each in (*map(syllables, called), *typed) for tail in _tails(each)]
    around = [*(_latin_place(place) for place in places if place), *about]
    terms: dict[str, None] = {}
    for text in (*texts, where):
        terms.update(dict.fromkeys(text))
        terms.update(dict.fromkeys(pairs(text)))
    for text in initials:
        terms.update(dict.fromkeys("~" + pair for pair in pairs(text)))
    for tail in (*tails, *around):
        terms.update(dict.fromkeys("^" + tail[:length] for length in range(2, _PINYIN_PREFIX + 1)))
    terms.pop(" ", None)
    return SearchColumns(
        terms=(*terms, KNOWN) if known else tuple(terms),
        search_text=_lines(called) + "".join(f"\r{form}\n" for form in dict.fromkeys(shorter)) + "\t" + where,
        pinyin=_lines(initials) + "\t" + _lines(tails) + "\t" + _lines(around),
    )


def _lines(texts: Iterable[str]) -> str:
    return "\n" + "\n".join(dict.fromkeys(text for text in texts if text)) + "\n"


def _initials(spelled: Sequence[str]) -> str:
    return "".join(each if each[0].isdigit() else each[0] for each in spelled)


def _english_initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words if word not in _SMALL_WORDS)


def _tails(spelled: Sequence[str]) -> list[str]:
    """What somebody types who begins at any syllable or word."""
    return ["".join(spelled[start:]) for start in range(len(spelled))]


def _english_words(name: str) -> list[str]:
    return _ENGLISH_WORD.findall(normalise(name).replace("'", "").replace("’", "").replace("-", ""))


def _latin_place(place: str) -> str:
    return "".join(syllables(normalise(short_place(place))))


def _without_place(name: str, starts: Sequence[str]) -> str | None:
    """The name after the places it starts with, if at least three characters remain."""
    rest = name
    for start in starts:
        rest = rest.removeprefix(start)
    return rest if rest != name and len(rest) >= 3 else None


def pairs(text: str) -> list[str]:
    """Each two characters that stand together in a text, without those that a blank parts."""
    return [text[at : at + 2] for at in range(len(text) - 1) if " " not in text[at : at + 2]]
