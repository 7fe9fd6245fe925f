"""The rules of `data/red-flags.json`: checked against their schema, made ready to search by, and kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from booking.consultation.red_flags.occurrences import Occurrence, Terms
from booking.consultation.red_flags.reading import Reading, is_character, read
from booking.consultation.red_flags.spelling import Spelling
from marketplace.core.config import ROOT
from marketplace.core.once import once
from marketplace.core.text import Text

FILE = ROOT / "data" / "red-flags.json"
SCHEMA = ROOT / "data" / "red-flags.schema.json"

GAP = "…"
"""In a phrase: up to GAP_UNITS units that don't matter."""
GAP_UNITS = 5


@dataclass(frozen=True)
class Combination:
    """Lists of words that together are a sign: one of each, in their order unless `any_order`, each at most `within`
    units from one of the first. `anywhere`: wherever in the text. `name`: names an illness, which people also do who
    only ask about it. `apart_from`: none of that list stands between. `even_minor`: counts even where it is made
    little of. `one_clause`: no comma stands between."""

    words: tuple[str, ...]
    within: int = 0
    any_order: bool = False
    anywhere: bool = False
    name: bool = False
    apart_from: str = ""
    even_minor: bool = False
    one_clause: bool = False


@dataclass(frozen=True)
class SignRule:
    """One sign: what it is called, what to do until help comes, whose advice that is, and what it is found by."""

    code: str
    name: Text
    advice: Text
    source: str
    dated: date
    combinations: tuple[Combination, ...]


@dataclass(frozen=True)
class FeverLimit:
    """A baby younger than `below_months` is in danger from `celsius` on; `any_fever`: even where no figure is told."""

    below_months: float
    celsius: float
    any_fever: bool


@dataclass(frozen=True)
class Rulebook:
    """All rules, and the terms that they are found by. `terms` has a list for each name in `Combination.words`, and
    `harmless`, `grammar.…` besides; `harmless` and `no_cue` here are those with gaps, in their pieces."""

    version: str
    dated: date
    signs: tuple[SignRule, ...]
    harmless: tuple[Combination, ...]
    no_cue: tuple[Combination, ...]
    fever_limits: tuple[FeverLimit, ...]
    numerals: Mapping[str, int]
    terms: Terms
    spelling: Spelling
    simplified: Mapping[int, int]
    spellings: Terms

    def read(self, text: str) -> Reading:
        """The text in units, as the rules spell them."""
        reading = read(text, self.simplified, self.spelling)
        for right, places in self.spellings.all_in(reading).items():
            for place in places:
                reading.units[place.start : place.end] = right
        return reading

    def occurrences(self, reading: Reading) -> dict[str, list[Occurrence]]:
        """Where the terms of each list stand."""
        return self.terms.all_in(reading)


@once
def rulebook() -> Rulebook:
    """The rules of the file. Raises `jsonschema.ValidationError` or `ValueError` where they are not as they should."""
    return from_data(json.loads(FILE.read_text(encoding="utf-8")))


def from_data(data: dict[str, Any]) -> Rulebook:
    """The rules that `data` holds, checked."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(data)
    return _Maker(data).rulebook()


class _Maker:
    """Makes a rulebook of data that fits the schema."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        characters = data["characters"]
        if len(characters["traditional"]) != len(characters["simplified"]):
            raise ValueError("each traditional character needs its simplified one")
        self.simplified = str.maketrans(characters["traditional"], characters["simplified"])
        self.terms = Terms()
        self.lists: set[str] = set()
        self.vocabulary: set[str] = set()

    def rulebook(self) -> Rulebook:
        """The rulebook."""
        data = self.data
        for name, words in data["words"].items():
            self.put_all(name, words)
        mistyped = set(self.vocabulary)
        signs = tuple(self.sign(each) for each in data["signs"])
        mistyped |= self.vocabulary
        for name, words in data["grammar"].items():
            if name != "no_cue":
                self.put_all(f"grammar.{name}", words)
        no_cue = tuple(self.phrases("grammar.no_cue", data["grammar"]["no_cue"], one_clause=True))
        harmless = tuple(self.phrases("harmless", data["harmless"], one_clause=True))
        return Rulebook(
            version=data["version"],
            dated=date.fromisoformat(data["date"]),
            signs=signs,
            harmless=harmless[1:],
            no_cue=no_cue[1:],
            fever_limits=tuple(FeverLimit(**limit) for limit in data["fever_limits"]),
            numerals=data["numerals"],
            terms=self.terms,
            spelling=Spelling(mistyped, {*data["correct_words"], *self.vocabulary}),
            simplified=self.simplified,
            spellings=self.spellings(),
        )

    def sign(self, sign: dict[str, Any]) -> SignRule:
        """One sign with all its combinations."""
        code = sign["code"]
        minor = bool(sign.get("even_minor"))
        combinations = [*self.phrases(f"{code}.phrases", sign["phrases"], even_minor=minor)]
        combinations += self.phrases(f"{code}.names", sign.get("names", {}), name=True, even_minor=minor)
        for each in sign.get("combinations", ()):
            unknown = {*each["words"], each.get("apart_from", "")} - self.lists - {""}
            if unknown:
                raise ValueError(f"{code}: no list of words is called {', '.join(sorted(unknown))}")
            given = {**each, "even_minor": minor or bool(each.get("even_minor"))}
            combinations.append(Combination(**{**given, "words": tuple(each["words"])}))
        return SignRule(
            code=code,
            name=Text.of(sign["name"]),
            advice=Text.of(sign["advice"]),
            source=sign["source"],
            dated=date.fromisoformat(sign["date"]),
            combinations=tuple(combinations),
        )

    def phrases(
        self,
        listed: str,
        phrases: dict[str, list[str]],
        *,
        name: bool = False,
        even_minor: bool = False,
        one_clause: bool = False,
    ) -> Iterable[Combination]:
        """Phrases of a list; those with gaps are combinations of their pieces."""
        whole = Combination((listed,), name=name, even_minor=even_minor, one_clause=one_clause)
        yield whole
        for phrase in (*phrases.get("zh", ()), *phrases.get("en", ())):
            pieces = phrase.split(GAP)
            if len(pieces) == 1:
                self.put(listed, phrase)
                continue
            for piece in pieces:
                self.put(f"={piece}", piece)
            words = tuple(f"={piece}" for piece in pieces)
            yield replace(whole, words=words, within=GAP_UNITS * (len(pieces) - 1))

    def put_all(self, name: str, words: dict[str, list[str]]) -> None:
        """All words of a list."""
        self.lists.add(name)
        for word in (*words.get("zh", ()), *words.get("en", ())):
            self.put(name, word)

    def put(self, name: str, term: str) -> None:
        """One term."""
        units = read(term, self.simplified).units
        if not units:
            raise ValueError(f"{name}: nothing to find in {term!r}")
        self.lists.add(name)
        self.terms.add(name, units)
        self.vocabulary.update(unit for unit in units if not is_character(unit) and unit.isalpha())

    def spellings(self) -> Terms:
        """Characters that are often taken for others: a wrong form and the right one, of one length."""
        terms = Terms()
        for right, wrongs in self.data["spellings"].items():
            for wrong in wrongs:
                if len(wrong) != len(right):
                    raise ValueError(f"{wrong} and {right} differ in length")
                terms.add(right, wrong)
        return terms
