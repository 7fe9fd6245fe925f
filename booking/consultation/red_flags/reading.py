"""Reading a text as units: a Chinese character, a word or a number each, with the breaks between them.

Full width, traditional characters, capitals, accents, invisible characters, emoji between characters and stretched or
mistyped words all come to one spelling here, so that rules are written once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

NONE, LIST, SOFT, COMMA, STOP = range(5)
"""How strong a break is: none; between the items of a list; a pause (a space between characters, an emoji, dots); a
comma or a colon; the end of a sentence or a line."""

_APOSTROPHES = frozenset("'’‘`´ʼ＇")
_LISTS = frozenset("、/&+／＆＋")
_COMMAS = frozenset(',，:：()（）[]【】「」『』《》“”"﹐')
_STOPS = frozenset("。．.!！?？;；｡")
_DOTS = frozenset("。．.·…⋯")
_ASKS = frozenset(":：?？(（[【")
_LINES = frozenset("\n\r\u2028\u2029\x0b\x0c")


@dataclass
class Reading:
    """A text in units. `spans` says where each stands in the text; `breaks[i]` how strong the break before unit i is
    (one more entry for the end); `asks[i]` whether a colon, a bracket or a question mark is among it."""

    units: list[str]
    spans: list[tuple[int, int]]
    breaks: list[int]
    asks: list[bool]


def is_character(unit: str) -> bool:
    """Whether the unit is one Chinese character."""
    return len(unit) == 1 and ("\u3400" <= unit <= "\u9fff" or "\U00020000" <= unit <= "\U0003ffff" or unit == "〇")


def read(text: str, simplified: Mapping[int, int], spelled: Callable[[str], str] = str) -> Reading:
    """The units of any text. `simplified` maps traditional characters, `spelled` gives a word its known spelling."""
    reader = _Reader(simplified, spelled)
    for place, character in enumerate(text):
        if character in _LISTS:
            reader.pause(LIST)
        elif character in _LINES:
            reader.pause(STOP)
        elif character in _DOTS or character in _STOPS:
            reader.stop(text, place)
        elif character in _COMMAS:
            reader.pause(COMMA, asks=character in _ASKS)
        elif character not in _APOSTROPHES:
            for plain in _plain(character):
                reader.take(plain, place)
    return reader.finish()


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    """The character without width, accent and case. One that stands for a whole sentence is cut."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())[:4]


@lru_cache(maxsize=8192)
def _kind(plain: str) -> str:
    """character, letter, digit, space, hidden or other."""
    if is_character(plain):
        return "character"
    if plain.isdigit():
        return "digit"
    if plain.isalpha():
        return "letter"
    if plain.isspace():
        return "space"
    category = unicodedata.category(plain)
    return "hidden" if category in ("Mn", "Me", "Cf", "Cc", "Cn", "Cs", "Co") else "other"


class _Reader:
    """Puts units together, one character after the other."""

    def __init__(self, simplified: Mapping[int, int], spelled: Callable[[str], str]) -> None:
        self.simplified = simplified
        self.spelled = spelled
        self.reading = Reading([], [], [], [])
        self.word: list[str] = []
        self.kind = ""
        self.start = self.end = 0
        self.strength = NONE
        self.asks = self.blank = False

    def take(self, plain: str, place: int) -> None:
        """One character without width and case."""
        kind = _kind(plain)
        if kind == "hidden":
            return
        if kind == "character":
            self.close()
            self.put(plain.translate(self.simplified), place, place + 1)
        elif kind in ("letter", "digit"):
            if kind != self.kind:
                self.close()
                self.kind, self.start = kind, place
            self.word.append(plain)
            self.end = place + 1
        else:
            self.close()
            self.blank = True
            if kind == "other" and plain not in "-_":
                self.strength = max(self.strength, SOFT)

    def stop(self, text: str, place: int) -> None:
        """A mark that ends a sentence, stands within a number or is one of several dots."""
        after = text[place + 1 : place + 2]
        if text[place] in "..．" and self.kind == "digit" and after.isdigit() and "." not in self.word:
            self.word.append(".")
            return
        dots = text[place] in "…⋯·" or (text[place] in _DOTS and (after in _DOTS or text[place - 1 : place] in _DOTS))
        self.pause(SOFT if dots else STOP, asks=text[place] in _ASKS)

    def pause(self, strength: int, *, asks: bool = False) -> None:
        """A break."""
        self.close()
        self.strength = max(self.strength, strength)
        self.asks = self.asks or asks

    def close(self) -> None:
        """Ends the word or number that is being read."""
        if self.word:
            word = "".join(self.word).strip(".")
            self.put(self.spelled(word) if self.kind == "letter" else word, self.start, self.end)
            self.word = []
        self.kind = ""

    def put(self, unit: str, start: int, end: int) -> None:
        """One unit, with the break before it."""
        reading = self.reading
        if self.blank and self.strength < SOFT and is_character(unit) and reading.units:
            self.strength = SOFT if is_character(reading.units[-1]) else self.strength
        reading.units.append(unit)
        reading.spans.append((start, end))
        reading.breaks.append(self.strength if len(reading.units) > 1 else STOP)
        reading.asks.append(self.asks)
        self.strength, self.asks, self.blank = NONE, False, False

    def finish(self) -> Reading:
        """The reading. A break between two characters that stand alone is somebody's way of typing one word."""
        self.close()
        reading = self.reading
        reading.breaks.append(STOP)
        reading.asks.append(False)
        alone = [
            is_character(unit) and reading.breaks[place] >= SOFT and reading.breaks[place + 1] >= SOFT
            for place, unit in enumerate(reading.units)
        ]
        for place in range(1, len(alone)):
            if alone[place] and alone[place - 1]:
                reading.breaks[place] = NONE
        return reading
