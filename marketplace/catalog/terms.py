"""How the words of sites are written down for searching, and how a query's words meet them.

`search_text` holds the names, each between newlines, then a tab, then the place: city, district, address, kind.
`pinyin` holds the initials of each name between newlines, then a tab, then the full pinyin of each name from every
syllable on. `terms` holds what the GIN index narrows by: single characters and pairs of `search_text`, pairs of
initials (marked `~`), and the first two to six letters of pinyin from every syllable on (marked `^`). The texts
decide; the terms only spare reading all rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from opencc import OpenCC
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
from pypinyin.seg import mmseg

from marketplace.catalog.places import short_place

_NUMERALS = str.maketrans("〇零○o一二三四五六七八九", "0000123456789")
_NUMBER = re.compile(r"[0-9〇零○o一二三四五六七八九]{3,}")
_HAN = re.compile(r"[㐀-鿿]+")
_LATIN = re.compile(r"[a-z0-9']+")
_PINYIN_PREFIX = 6
_NO_TEXT = ("Cc", "Cs", "Cn", "Co", "Zl", "Zp")
_BETWEEN_WORDS = re.compile(r"[,;:!?()\[\]{}<>|/、。·《》〈〉【】〔〕「」“”\"]+")
_TIER = re.compile(r"([一二三])(?:级?([特甲乙丙])等?|级)(?!港)")
"""A tier inside a query, as in 上海三甲医院. 三甲港 is a place."""
_RANKS = ("", "特等", "甲等", "乙等", "丙等")
_BOTH_SCRIPTS = frozenset("乾於")
"""Simplified names have these too, and mean them."""
_TO_SIMPLIFIED = OpenCC("t2s")

# Readings that names of hospitals need and the general dictionary has otherwise. Not by load_single_dict() and
# load_phrases_dict(): each reads all 47,000 phrases once more, a fifth of a second of every start.
_READINGS = {
    "单县": [["shàn"], ["xiàn"]],
    "曾都": [["zēng"], ["dū"]],
    "重医": [["chóng"], ["yī"]],
    "重钢": [["chóng"], ["gāng"]],
    "长征": [["cháng"], ["zhēng"]],
    "长甸": [["cháng"], ["diàn"]],
    "长大": [["cháng"], ["dà"]],
    "长宁": [["cháng"], ["níng"]],
    "长阳": [["cháng"], ["yáng"]],
    "长安": [["cháng"], ["ān"]],
}
PINYIN_DICT[ord("长")] = "cháng,zhǎng"
PHRASES_DICT.update(_READINGS)
mmseg.seg.train(iter(_READINGS))


@dataclass(frozen=True)
class SearchColumns:
    """The derived columns of a site."""

    terms: tuple[str, ...]
    search_text: str
    pinyin: str


@dataclass(frozen=True)
class Word:
    """One word of a query. `latin` is its form for pinyin, or None if it cannot be pinyin."""

    text: str
    terms: tuple[str, ...]
    latin: str | None = None
    initial_terms: tuple[str, ...] = ()
    pinyin_terms: tuple[str, ...] = ()


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


def syllables(name: str) -> list[str]:
    """The pinyin of a normalised name, one syllable a character; other runs of letters and digits as they are."""
    result: list[str] = []
    for part in re.findall(r"[㐀-鿿]+|[a-z0-9]+", name):
        result.extend(lazy_pinyin(part) if _HAN.fullmatch(part) else [part])
    return result


def search_columns(names: Sequence[str], places: Sequence[str], details: Iterable[str]) -> SearchColumns:
    """The derived columns for a site's names, its places (province, city, district …) and what else is findable
    (address, kind). A name that starts with its place also counts without it: 协和医院 is a name of 北京协和医院."""
    plain = [normalise(name) for name in names if name]
    starts = sorted(
        {form for place in places if place for form in (place, short_place(place))}, key=lambda form: (-len(form), form)
    )
    known = list(dict.fromkeys([*plain, *(short for name in plain if (short := _without_place(name, starts)))]))
    where = " ".join(dict.fromkeys(normalise(text) for text in (*places, *details) if text))
    spelled = [syllables(name) for name in known]
    initials = ["".join(s if s[0].isdigit() else s[0] for s in each) for each in spelled]
    tails = list(dict.fromkeys("".join(each[start:]) for each in spelled for start in range(len(each))))
    terms: dict[str, None] = {}
    for text in (*known, where):
        terms.update(dict.fromkeys(text))
        terms.update(dict.fromkeys(_pairs(text)))
    for text in initials:
        terms.update(dict.fromkeys("~" + pair for pair in _pairs(text)))
    for tail in tails:
        terms.update(dict.fromkeys("^" + tail[:length] for length in range(2, _PINYIN_PREFIX + 1)))
    terms.pop(" ", None)
    return SearchColumns(
        terms=tuple(terms),
        search_text="\n" + "\n".join(known) + "\n\t" + where,
        pinyin="\n" + "\n".join(initials) + "\n\t\n" + "\n".join(tails),
    )


def _without_place(name: str, starts: Sequence[str]) -> str | None:
    """The name after the places it starts with, if at least three characters remain."""
    rest = name
    for start in starts:
        rest = rest.removeprefix(start)
    return rest if rest != name and len(rest) >= 3 else None


def _pairs(text: str) -> list[str]:
    pairs = (text[place : place + 2] for place in range(len(text) - 1))
    return [pair for pair in pairs if " " not in pair]


def query_words(query: str) -> list[Word]:
    """The words of a query, in order and each once; empty if there is nothing to look for. Signs between words part
    them as blanks do, and so does a tier, which is none of them."""
    plain = _BETWEEN_WORDS.sub(" ", _TIER.sub(" ", normalise(query)))
    return [_word(text) for text in dict.fromkeys(plain.split(" ")) if text]


def query_tiers(query: str) -> list[str]:
    """The tiers that a query names, in full: 三甲 is 三级甲等, 三级 is each of that level."""
    named = _TIER.findall(normalise(query))
    return [f"{level}级{rank}" for level, one in named for rank in ((f"{one}等",) if one else _RANKS)]


def _word(text: str) -> Word:
    literal = tuple(dict.fromkeys(_pairs(text))) or (text,)
    latin = text.replace("'", "") if _LATIN.fullmatch(text) else ""
    if len(latin) < 2:
        return Word(text, literal)
    initial_terms = tuple(dict.fromkeys("~" + pair for pair in _pairs(latin)))
    return Word(text, literal, latin, initial_terms, ("^" + latin[:_PINYIN_PREFIX],))
