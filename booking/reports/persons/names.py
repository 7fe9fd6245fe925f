"""Whether two spellings can be one person's name: spaces, case, width, script, order, and what was left out say
nothing."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

_MASKS = "*某□■?○●_×"
"""What stands for a letter that was left out."""
_TITLES = re.compile(r"先生|女士|小姐|太太|同志|\b(?:mr|mrs|ms|miss|dr)\b\.?")
_NO_NAME = frozenset(
    ("未知", "不详", "无", "无名", "无名氏", "匿名", "患者", "受检者", "unknown", "anonymous", "patient",
     "none", "null", "na", "test")
)  # fmt: skip
_MASK = "*"
_UMLAUT = re.compile(r"\b([ln])(?:v|yu)")
"""吕 is written lü, lv, lyu and lu."""
HAN = "CJK"


class Spelling(NamedTuple):
    """The letters of a name in one script, in the words that they were written in. `masked`: some were left out."""

    words: tuple[str, ...]
    masked: bool

    @property
    def letters(self) -> Counter[str]:
        """All of them, in no order."""
        return Counter("".join(self.words))


def agree(told: str, ours: str) -> bool | None:
    """Whether these can be names of one person; None where they have no script in common, or one is no name.

    Letters are compared without their order, so that it doesn't matter what is called the family name. A name of which
    a part was left out (`张*`, `张女士`, `J. Smith`) agrees with all that it can be a part of. Of a name in several
    scripts the Chinese one decides.
    """
    theirs, known = _spellings(told), _spellings(ours)
    shared = theirs.keys() & known.keys()
    if not shared:
        return None
    if HAN in shared:
        return _agree(theirs[HAN], known[HAN])
    return any(_agree(theirs[script], known[script]) for script in shared)


def contradict(told: Collection[str], ours: str) -> bool:
    """Whether none of the names that were told can be ours, and one of them could be compared."""
    verdicts = [agree(each, ours) for each in told]
    return False in verdicts and True not in verdicts


def _agree(one: Spelling, other: Spelling) -> bool:
    only_one, only_other = one.letters - other.letters, other.letters - one.letters
    if (not only_one or other.masked) and (not only_other or one.masked):
        return True
    fewer, more = sorted((one.words, other.words), key=len)
    return _is_part(fewer, more)


def _is_part(fewer: Sequence[str], more: Sequence[str]) -> bool:
    """Whether each of these words is one of those, in full or as its first letter (or the other way round)."""
    left = list(more)
    for word in sorted(fewer, key=len, reverse=True):
        found = next((each for each in left if each == word), None) or next(
            (each for each in left if 1 in (len(each), len(word)) and each[0] == word[0] and not _is_han(word[0])), None
        )
        if found is None:
            return False
        left.remove(found)
    return True


def _spellings(name: str) -> Mapping[str, Spelling]:
    plain = _plain(name)
    if re.sub(r"\W", "", plain) in _NO_NAME:
        return {}
    bare = _TITLES.sub(f" {_MASK} ", plain)
    masked = _MASK in bare
    words: dict[str, list[str]] = defaultdict(list)
    for run in re.findall(r"[^\W\d_]+", bare):
        for script, letters in _by_script(run):
            words[script].append(letters)
    return {script: Spelling(tuple(found), masked or _is_one_han(found)) for script, found in words.items()}


def _plain(name: str) -> str:
    """NFKC, small letters, simplified characters, without accents; a mask for each character that nobody can read."""
    from marketplace.catalog.terms import normalise  # noqa: PLC0415  (it loads the dictionaries of the search)

    marked = "".join(_MASK if each in _MASKS or unicodedata.category(each) == "Co" else each for each in name)
    folded = "".join(
        _MASK if each in _MASKS else each
        for each in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", marked))
        if unicodedata.category(each) not in ("Mn", "Cf")
    )
    one_by_one = "".join(normalise(each) or " " for each in folded)  # together, figures would become a number
    return _UMLAUT.sub(r"\1u", one_by_one)


def _by_script(run: str) -> Sequence[tuple[str, str]]:
    """The parts of a run of letters, each of one script."""
    parts: list[tuple[str, str]] = []
    for letter in run:
        script = HAN if _is_han(letter) else unicodedata.name(letter, "OTHER").split()[0]
        if parts and parts[-1][0] == script:
            parts[-1] = script, parts[-1][1] + letter
        else:
            parts.append((script, letter))
    return parts


def _is_han(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(HAN)


def _is_one_han(words: Sequence[str]) -> bool:
    """A single Chinese character is a family name alone."""
    whole = "".join(words)
    return len(whole) == 1 and _is_han(whole)
