"""The known spelling of a stretched or mistyped word: "painnnn", "siezure", "breahte"."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

_SHORTEST, _LONGEST = 5, 18
_SHORTEST_SWAPPED = 4


class Spelling:
    """The words that rules know. A word is taken for one of them if one slip of the hand lies between: two letters
    swapped (from four letters on), one too many or a vowel missing (from five), one missing or wrong (from six).
    The first letter is right."""

    def __init__(self, words: Iterable[str], correct: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._correct = frozenset(correct)
        self._shortened: dict[str, set[str]] = {}
        self._single: dict[str, str] = {}
        for word in sorted(self._words):
            self._single.setdefault(_without_repeats(word), word)
            if _SHORTEST_SWAPPED <= len(word) <= _LONGEST:
                for short in _one_less(word):
                    self._shortened.setdefault(short, set()).add(word)

    def __call__(self, word: str) -> str:
        """The spelling that rules know, or the word as it is."""
        if word in self._words or word in self._correct:
            return word
        if any(first == second == third for first, second, third in zip(word, word[1:], word[2:], strict=False)):
            return self._single.get(_without_repeats(word), word)
        if not _SHORTEST_SWAPPED <= len(word) <= _LONGEST:
            return word
        return min(self._slips(word), default=word)

    def _slips(self, word: str) -> set[str]:
        longer = self._shortened.get(word, ())
        near = {
            known
            for known in longer
            if len(known) > _SHORTEST or (len(known) == _SHORTEST and _lacks_vowel(word, known))
        }
        for short in _one_less(word):
            if short in self._words and len(short) >= _SHORTEST:
                near.add(short)
            near |= {known for known in self._shortened.get(short, ()) if _one_slip(word, known)}
        return {known for known in near if known[0] == word[0]}


def _lacks_vowel(word: str, known: str) -> bool:
    """Whether the letter that is missing from the known word is a vowel: `chst`."""
    return any(known[:place] + known[place + 1 :] == word for place, letter in enumerate(known) if letter in "aeiou")


def _one_slip(word: str, known: str) -> bool:
    """Whether two words of one length differ by one wrong letter (from six on) or two swapped ones."""
    if len(word) != len(known):
        return False
    differ = [place for place, (one, other) in enumerate(zip(word, known, strict=True)) if one != other]
    if len(differ) == 1:
        return len(word) > _SHORTEST
    swapped = len(differ) == 2 and differ[1] == differ[0] + 1
    return swapped and word[differ[0]] == known[differ[1]] and word[differ[1]] == known[differ[0]]


def _one_less(word: str) -> set[str]:
    return {word[:place] + word[place + 1 :] for place in range(len(word))}


def _without_repeats(word: str) -> str:
    return word[:1] + "".join(after for before, after in pairwise(word) if before != after)
