"""Patterns (PostgreSQL's regular expressions) of what somebody may have meant who made one mistake in typing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from marketplace.catalog.terms import pairs

_SHORTEST_CHINESE, _LONGEST_CHINESE = 3, 16
_SHORTEST_LATIN, _LONGEST_LATIN = 4, 24
_FIGURES = frozenset("一二三四五六七八九十0123456789")
_HAN = re.compile(r"[㐀-鿿0-9]+")
_SOUND = re.compile("zh|ch|sh|ng|[zcsnlfh]|[^zcsnlfh]")
_LIKE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("zh", "z"), ("z", "zh")), **dict.fromkeys(("ch", "c"), ("c", "ch")),
    **dict.fromkeys(("sh", "s"), ("s", "sh")), "ng": ("n", "ng"), "n": ("n", "ng", "l"), "l": ("l", "n"),
    **dict.fromkeys("fh", ("f", "h")),
}  # fmt: skip
_BEGINNING = 6
Form = tuple[str | None, ...]
"""What was typed, character by character; None stands for any one letter or figure."""


@dataclass(frozen=True)
class ChineseErrors:
    """A pattern of all names that differ by one character; one of the two halves then occurs as it is: its terms."""

    pattern: str
    left: list[str]
    right: list[str]


def chinese_errors(word: str) -> ChineseErrors | None:
    """One character wrong, missing, too much, or two neighbours changed, but no figure: 二院 is not 一院. None for a
    word that is too short or too long."""
    if not _HAN.fullmatch(word) or not _SHORTEST_CHINESE <= len(word) <= _LONGEST_CHINESE:
        return None
    middle = len(word) // 2
    halves = (word[:middle], word[middle:])
    left, right = (pairs(half) or list(half) for half in halves)
    return ChineseErrors(_pattern(_one_error(word), "[^\n\r0-9一二三四五六七八九十]"), left, right)


def latin_errors(word: str) -> str | None:
    """The pattern of pinyin or English words that differ by one letter, from the start of a syllable or word; None for
    one too short, too long, or a number."""
    if not _SHORTEST_LATIN <= len(word) <= _LONGEST_LATIN or word.isdigit():
        return None
    return f"\n(?:{_pattern(_one_error(word), '[a-z0-9]')})"


def similar_sounds(word: str) -> str | None:
    """The pattern of pinyin that sounds alike in many dialects: z and zh, n and ng, n and l, f and h; None where
    nothing of it could be another."""
    if not word.isalpha() or len(word) < _SHORTEST_LATIN:
        return None
    sounds = _SOUND.findall(word)
    if not any(sound in _LIKE for sound in sounds):
        return None
    return "\n" + "".join(f"(?:{'|'.join(_LIKE[sound])})" if sound in _LIKE else sound for sound in sounds)


def similar_forms(word: str) -> Iterator[Form]:
    """How the texts of `similar_sounds` begin: at least their first letters, six of them where there are so many."""
    sounds = [_LIKE.get(sound, (sound,)) for sound in _SOUND.findall(word)[:_BEGINNING]]
    for chosen in product(*sounds):
        yield tuple("".join(chosen))


def latin_forms(word: str) -> list[Form]:
    """The words of `latin_errors`."""
    return _one_error(word)


def _pattern(forms: list[Form], any_character: str) -> str:
    return "|".join("".join(any_character if each is None else re.escape(each) for each in form) for form in forms)


def _one_error(word: str) -> list[Form]:
    forms: dict[Form, None] = {}
    for at in range(len(word)):
        if word[at] in _FIGURES:
            continue
        before, after = tuple(word[:at]), tuple(word[at + 1 :])
        forms[(*before, None, *after)] = None
        if len(word) > _SHORTEST_CHINESE:
            forms[(*before, *after)] = None
        if at:
            forms[(*before, None, word[at], *after)] = None
            forms[(*before[:-1], word[at], word[at - 1], *after)] = None
    return list(forms)
