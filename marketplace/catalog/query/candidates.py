"""Which sites a word that is read freely may mean, by their search terms alone: what the index answers.

Patterns are dear: each costs a look at all texts of a site. One that matches a site has left terms that the site has,
whatever the one mistake was, so that the patterns need be tried on few. Each function returns groups of terms, at least
one of which a site that matches has: all of the group's in ALL, one of the group's in ANY.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from marketplace.catalog.query.typing_errors import Form, latin_forms, similar_forms
from marketplace.catalog.terms import pairs

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_PREFIX = 6
"""The longest prefix that is a term."""
_MOST = 400
"""How many prefixes are asked for; where there would be more, shorter ones are."""


@dataclass(frozen=True)
class Near:
    """A site has all terms of one of `all`, or one of the terms `any`."""

    all: tuple[tuple[str, ...], ...] = ()
    any: tuple[str, ...] = ()


def mistyped_chinese(word: str) -> Near:
    """Sites with a name that differs from the word by one character, as `chinese_errors` reads it: the other characters
    are there, and their pairs; or all pairs of the word with two neighbours changed."""
    found = list[tuple[str, ...]]()
    for at in range(len(word)):
        kept = (word[:at], word[at + 1 :])
        found.append(tuple(dict.fromkeys((*"".join(kept), *(pair for part in kept for pair in pairs(part))))))
        if at:
            found.append(tuple(pairs(word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :])))
    return Near(tuple(found))


def mistyped_latin(word: str) -> Near:
    """Sites with a line of pinyin or English that begins as `latin_errors` reads the word: the line's first letters are
    terms, and of initials each pair."""
    half = len(word) // 2
    changed = word[: half - 1] + word[half] + word[half - 1] + word[half + 1 :]
    initials = (word[:half], word[half:], changed)
    return Near(tuple(map(_pairs_of_initials, initials)), _prefixes(latin_forms(word)))


def like(word: str) -> Near:
    """Sites with a line that begins as `similar_sounds` reads the word."""
    forms = list(similar_forms(word))
    heads = dict.fromkeys(head for form in forms for head in _expanded(form[:3]))
    return Near(tuple(map(_pairs_of_initials, heads)), _prefixes(forms))


def _pairs_of_initials(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys("~" + pair for pair in pairs(text)))


def _prefixes(forms: Iterable[Form]) -> tuple[str, ...]:
    known = list(forms)
    for length in range(_PREFIX, 1, -1):
        found = dict.fromkeys("^" + head for form in known for head in _expanded(form[:length]))
        if len(found) <= _MOST:
            break
    return tuple(found)


def _expanded(form: Form) -> Iterator[str]:
    """The texts that a form stands for; of its places at most one is any letter."""
    if None not in form:
        yield "".join(each for each in form if each)
        return
    for letter in _LETTERS:
        yield "".join(each or letter for each in form)
