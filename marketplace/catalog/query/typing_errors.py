"""Patterns (PostgreSQL's regular expressions) of what somebody may have meant who made one mistake in typing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from marketplace.catalog.terms import pairs

_SHORTEST_CHINESE, _LONGEST_CHINESE = 3, 16
_SHORTEST_LATIN, _LONGEST_LATIN = 4, 24
_FIGURES = frozenset("一二三四五六七八九十0123456789")
_HAN = re.compile(r"[㐀-鿿0-9]+")
_SOUND = re.compile("zh|ch|sh|ng|[zcsnlfh]|[^zcsnlfh]")
_LIKE = {
    "zh": "zh?", "z": "zh?", "ch": "ch?", "c": "ch?", "sh": "sh?", "s": "sh?", "ng": "ng?", "n": "(?:ng?|l)",
    "l": "[ln]", "f": "[fh]", "h": "[fh]",
}  # fmt: skip


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
    return ChineseErrors(_one_error(word, "[^\n\r0-9一二三四五六七八九十]"), left, right)


def latin_errors(word: str) -> str | None:
    """The pattern of pinyin or English words that differ by one letter, from the start of a syllable or word; None for
    one too short, too long, or a number."""
    if not _SHORTEST_LATIN <= len(word) <= _LONGEST_LATIN or word.isdigit():
        return None
    return f"\n(?:{_one_error(word, '[a-z0-9]')})"


def similar_sounds(word: str) -> str | None:
    """The pattern of pinyin that sounds alike in many dialects: z and zh, n and ng, n and l, f and h; None where
    nothing of it could be another."""
    if not word.isalpha() or len(word) < _SHORTEST_LATIN:
        return None
    pattern = "".join(_LIKE.get(sound, sound) for sound in _SOUND.findall(word))
    return "\n" + pattern if pattern != word else None


def _one_error(word: str, any_character: str) -> str:
    kept = [re.escape(character) for character in word]
    forms: dict[str, None] = {}
    for at in range(len(kept)):
        if word[at] in _FIGURES:
            continue
        before, after = "".join(kept[:at]), "".join(kept[at + 1 :])
        forms[f"{before}{any_character}{after}"] = None
        if len(kept) > _SHORTEST_CHINESE:
            forms[before + after] = None
        if at:
            forms[f"{before}{any_character}{kept[at]}{after}"] = None
            swapped = "".join(kept[: at - 1]) + kept[at] + kept[at - 1] + after
            forms[swapped] = None
    return "|".join(forms)
