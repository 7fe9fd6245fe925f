"""What the kit says, in both languages: each phrase is made beside the step that says it.

A stored run holds the code of a phrase and its facts; whoever shows it chooses the language (`told`). Terminals and
JUnit have the English words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Union

from marketplace.core.text import Text

Fact = Union[str, int, "Said"]
_KNOWN: dict[str, Phrase] = {}
_DEEPEST = 4


@dataclass(frozen=True)
class Said:
    """A phrase with its facts; as a string its English words."""

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text().en

    def text(self) -> Text:
        """The words in both languages."""
        facts = {
            name: each.text() if isinstance(each, Said) else Text(*2 * (str(each),))
            for name, each in self.facts.items()
        }
        words = _KNOWN[self.code].words
        return Text(
            words.zh.format(**{name: each.zh for name, each in facts.items()}),
            words.en.format(**{name: each.en for name, each in facts.items()}),
        )

    def each(self, change: Callable[[str], str]) -> Said:
        """The same with every fact that is a text changed."""
        facts = {
            name: it.each(change) if isinstance(it, Said) else change(it) if isinstance(it, str) else it
            for name, it in self.facts.items()
        }
        return Said(self.code, facts)

    def stored(self) -> dict[str, Any]:
        """As JSON: the code, and the facts."""
        facts = {name: each.stored() if isinstance(each, Said) else each for name, each in self.facts.items()}
        return {"code": self.code, "facts": facts}


@dataclass(frozen=True)
class Phrase:
    """Words with `{gaps}`; both languages have the same. `code` stays for ever: stored runs name it."""

    code: str
    words: Text

    @property
    def gaps(self) -> frozenset[str]:
        """The names of its facts."""
        return gaps_of(self.words.en)

    def __call__(self, **facts: Fact) -> Said:
        """It, said of these facts: every gap has one."""
        if self.gaps != facts.keys():
            raise TypeError(f"{self.code} has the facts {sorted(self.gaps)}")
        return Said(self.code, facts)


def phrase(code: str, zh: str, en: str) -> Phrase:
    """A phrase of its own code. Raises ValueError for a code that is taken."""
    if code in _KNOWN:
        raise ValueError(f"{code} is said already")
    _KNOWN[code] = Phrase(code, Text(zh, en))
    return _KNOWN[code]


def known() -> Mapping[str, Phrase]:
    """All phrases by code."""
    return dict(_KNOWN)


def gaps_of(words: str) -> frozenset[str]:
    """The names of the gaps in words."""
    return frozenset(name for _text, name, _form, _how in Formatter().parse(words) if name)


def told(stored: object) -> Text:
    """What was stored, in words; blank for nothing. Runs of before hold English words themselves, and a phrase that is
    said no more is shown as its code."""
    text = _read(stored, 0)
    return Text(stored, stored) if isinstance(stored, str) else Text("", "") if text is None else text.text()


def is_words(stored: object) -> bool:
    """Whether it is a phrase that can be shown in either language, and no text of before."""
    return _read(stored, 0) is not None


def _read(stored: object, depth: int) -> Said | None:
    if not isinstance(stored, Mapping) or depth > _DEEPEST:
        return None
    code, facts = stored.get("code"), stored.get("facts")
    if not isinstance(code, str) or not isinstance(facts, Mapping):
        return None
    if code not in _KNOWN or not _KNOWN[code].gaps <= facts.keys():
        return UNKNOWN(code=code)
    read = {
        name: _read(each, depth + 1) or (each if isinstance(each, int) else str(each)) for name, each in facts.items()
    }
    return Said(code, read)


UNKNOWN = phrase("unknown-words", "{code}", "{code}")
PLAIN = phrase("plain", "{detail}", "{detail}")
