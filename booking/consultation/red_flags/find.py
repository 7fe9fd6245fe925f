"""Which signs of an emergency a text holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from booking.consultation.red_flags.figures import fever_at
from booking.consultation.red_flags.occurrences import Occurrence, from_place
from booking.consultation.red_flags.reading import COMMA, STOP, Reading
from booking.consultation.red_flags.rulebook import Combination, Rulebook, SignRule, rulebook
from booking.consultation.red_flags.scopes import Scopes, parts, scopes
from marketplace.core.text import Text

Found = Mapping[str, list[Occurrence]]
Counts = Callable[[Combination, Occurrence], bool]

LONGEST = 8
"""How far before a place a term that reaches it may start, in units, when neighbours are looked for."""


@dataclass(frozen=True)
class Sign:
    """A sign of an emergency: its code, its name, what to do until help comes, and where in the text it stands
    (characters from `start` to below `end`)."""

    code: str
    name: Text
    advice: Text
    start: int
    end: int


def found(text: str, *, age_months: int | None = None) -> tuple[Sign, ...]:
    """The signs of an emergency in `text`, each once, in the order of the rules; none in most texts. No diagnosis.

    `age_months` is the age of the person it is about, if that is known. Never raises; takes time in proportion to the
    text's length.
    """
    rules = rulebook()
    reading = rules.read(text)
    if not reading.units:
        return ()
    search = _Search(rules, reading)
    places = search.places(age_months)
    if places and search.take_supposed():
        places = search.places(age_months)
    return tuple(
        Sign(sign.code, sign.name, sign.advice, reading.spans[place.start][0], reading.spans[place.end - 1][1])
        for sign, place in places
    )


class _Search:
    """The search in one text."""

    def __init__(self, rules: Rulebook, reading: Reading) -> None:
        self.rules = rules
        self.reading = reading
        self.clause_of = parts(reading, COMMA)[1]
        self.sentence_of = parts(reading, STOP)[1]
        everything = rules.occurrences(reading)
        self.all_starts = {name: [each.start for each in occurrences] for name, occurrences in everything.items()}
        everything["grammar.no_cue"] = self._with_gaps("grammar.no_cue", rules.no_cue, everything)
        self.meant = _without_harmless(everything, self._with_gaps("harmless", rules.harmless, everything))
        self.scopes = scopes(reading, self.meant)
        self.standing = self._standing()

    def _standing(self) -> dict[str, list[Occurrence]]:
        """The terms of signs that are said of here and now."""
        return {
            name: standing
            for name, occurrences in self.meant.items()
            if not name.startswith("grammar.")
            and (standing := [each for each in occurrences if _stands(each, self.scopes)])
        }

    def take_supposed(self) -> bool:
        """Takes what is only supposed as said: who tells of one emergency doesn't ask about another one in order to
        learn. Whether that changes anything."""
        if not any(self.scopes.supposed):
            return False
        self.scopes.supposed = bytearray(len(self.scopes.supposed))
        self.standing = self._standing()
        return True

    def places(self, age_months: int | None) -> list[tuple[SignRule, Occurrence]]:
        """The signs that the text holds, each with its place."""
        places = ((sign, self.place_of(sign.code, sign.combinations, age_months)) for sign in self.rules.signs)
        return [(sign, place) for sign, place in places if place is not None]

    def place_of(self, code: str, combinations: tuple[Combination, ...], age_months: int | None) -> Occurrence | None:
        """Where a sign stands first, by the first rule that finds it."""
        for combination in combinations:
            if all(word in self.standing for word in combination.words):
                place = next(self._places(combination, self.standing, self._counts), None)
                if place is not None:
                    return place
        if code == "infant_fever":
            rules = self.rules
            known = {**self.standing, "baby": self.meant.get("baby", [])}
            return fever_at(self.reading, known, rules.numerals, rules.fever_limits, age_months)
        return None

    def _counts(self, combination: Combination, occurrence: Occurrence) -> bool:
        """Whether a word counts although it is made little of, or names an illness beside words about it in general."""
        if self.scopes.minor[occurrence.start] and not combination.even_minor:
            return False
        return not (combination.name and self.scopes.general[occurrence.start])

    def _with_gaps(self, name: str, phrases: tuple[Combination, ...], everything: Found) -> list[Occurrence]:
        """The occurrences of a list with those of its phrases that have gaps."""
        occurrences = list(everything.get(name, ()))
        for phrase in phrases:
            if all(word in everything for word in phrase.words):
                occurrences += self._places(phrase, everything, lambda *_: True)
        return occurrences

    def _places(self, combination: Combination, lists: Found, counts: Counts) -> Iterator[Occurrence]:
        """Where words of the lists go together."""
        first, *others = combination.words
        if combination.anywhere:
            standing = [any(counts(combination, each) for each in lists[word]) for word in others]
            yield from (each for each in lists[first] if all(standing) and counts(combination, each))
            return
        for occurrence in lists[first]:
            if not counts(combination, occurrence):
                continue
            start, end = occurrence
            for word in others:
                beside = self._beside(combination, occurrence, lists[word], counts, end)
                if beside is None:
                    break
                start, end = min(start, beside.start), max(end, beside.end)
            else:
                yield Occurrence(start, end)

    def _beside(
        self, combination: Combination, first: Occurrence, occurrences: list[Occurrence], counts: Counts, end: int
    ) -> Occurrence | None:
        """The next occurrence near the first one that goes with it; behind `end` where the order matters."""
        lowest = first.start - combination.within - LONGEST if combination.any_order else end
        for index in range(from_place(occurrences, lowest), len(occurrences)):
            other = occurrences[index]
            if other.start > first.end + combination.within:
                return None
            if self._go_together(combination, first, other) and counts(combination, other):
                return other
        return None

    def _go_together(self, combination: Combination, first: Occurrence, other: Occurrence) -> bool:
        before, after = sorted((first, other))
        if before.end > after.start or after.start - before.end > combination.within:
            return False
        either = (combination.any_order or first < other) and not combination.one_clause
        part_of = self.sentence_of if either else self.clause_of
        if part_of[before.end - 1] != part_of[after.start]:
            return False
        apart = self.all_starts.get(combination.apart_from, [])
        index = bisect_left(apart, before.end)
        return index == len(apart) or apart[index] >= after.start


def _stands(occurrence: Occurrence, around: Scopes) -> bool:
    """Whether it is said of here and now."""
    start = occurrence.start
    return not (around.denied[start] or around.past[start] or around.supposed[start])


def _without_harmless(everything: Found, harmless: list[Occurrence]) -> dict[str, list[Occurrence]]:
    """What isn't part of a longer harmless expression, but for a particle at its end (`手机` + `中毒了`)."""
    if not harmless:
        return dict(everything)
    longest = [0] * (max(each.end for each in harmless) + 1)
    for start, end in harmless:
        longest[start] = max(longest[start], end)
    before = [0, *accumulate(longest, max)]
    particles = {each.start for each in everything.get("grammar.particle", ())}

    def is_part(each: Occurrence) -> bool:
        if each.start >= len(longest):
            return False
        end = each.end - (each.end - 1 in particles and each.end - each.start > 1)
        return before[each.start] >= end or longest[each.start] > each.end

    return {
        name: [each for each in occurrences if name.startswith("grammar.") or not is_part(each)]
        for name, occurrences in everything.items()
    }
