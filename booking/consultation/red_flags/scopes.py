"""What the words around a term do to it: deny it, put it into the past, only suppose it, or make little of it.

The words themselves stand in the rules (`grammar`); here is how far each reaches.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from booking.consultation.red_flags.occurrences import Occurrence
from booking.consultation.red_flags.reading import COMMA, LIST, SOFT, STOP, Reading, is_character

Found = Mapping[str, list[Occurrence]]

ITEM = 12
"""How many units one item of what is denied may have, from the word that denies it."""
BEFORE = 4
"""How many units before a denial at the end (`胸痛都没有`) it is about."""
AHEAD = 14
"""How far ahead an `or` still makes a list of what stands before it."""
OPENING = 5
"""A clause that says little more than when: it is about the next one too."""


@dataclass
class Scopes:
    """For each unit whether it is denied, past, supposed, made little of, or beside words of illness in general."""

    denied: bytearray
    past: bytearray
    supposed: bytearray
    minor: bytearray
    general: bytearray


def scopes(reading: Reading, found: Found) -> Scopes:
    """The scopes of a text. `found` holds the occurrences of all lists without the harmless ones."""
    return _Scoping(reading, found).all()


def parts(reading: Reading, strength: int) -> tuple[list[tuple[int, int]], list[int]]:
    """The parts between breaks of that strength or more, and for each unit the number of its part."""
    ends = [place for place in range(1, len(reading.units) + 1) if reading.breaks[place] >= strength]
    spans = list(zip([0, *ends], ends, strict=False))
    return spans, [number for number, (start, end) in enumerate(spans) for _ in range(start, end)]


def _outermost(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Those that are not part of another one, in order."""
    kept: list[Occurrence] = []
    for each in sorted(occurrences, key=lambda each: (each.start, -each.end)):
        if not kept or each.end > kept[-1].end:
            kept.append(each)
    return kept


class _Scoping:
    def __init__(self, reading: Reading, found: Found) -> None:
        self.units = reading.units
        self.breaks = reading.breaks
        self.asks = reading.asks
        self.count = len(reading.units)
        self.found = found
        self.clauses, self.clause_of = parts(reading, SOFT)
        self.sentences, self.sentence_of = parts(reading, STOP)
        self.fresh, self.ending = self.starts("fresh"), self.starts("but")
        self.ending_narrow = self.ending | self.starts("and")
        self.alternatives = self.starts("or")
        self.in_order = sorted(self.alternatives)
        self.no_cue = bytearray(self.count + 1)
        for start, end in found.get("grammar.no_cue", ()):
            self.no_cue[start:end] = b"\x01" * (end - start)
        self.before, self.longest = self._reach()

    def all(self) -> Scopes:
        """All of them."""
        past, supposed = self.past(), self.supposed()
        if self.cues("urgent"):
            past = supposed = bytearray(self.count + 1)
        for start, end in self.clauses_of("now"):
            past[start:end] = supposed[start:end] = bytes(end - start)
        if not self.cues("urgent"):
            self.learnt(supposed)
        return Scopes(self.denied(), past, supposed, self.minor(), self.clauses_with("general"))

    def cues(self, name: str) -> list[Occurrence]:
        """The words of one list of grammar, without those that are part of another expression or of a sign's term."""
        return [
            cue
            for cue in self.found.get(f"grammar.{name}", ())
            if not any(self.no_cue[cue.start : cue.end])
            and self.before[cue.start] < cue.end
            and self.longest[cue.start] <= cue.end
        ]

    def starts(self, name: str) -> set[int]:
        """Where words of one list of grammar start."""
        return {cue.start for cue in self.found.get(f"grammar.{name}", ())}

    def clauses_of(self, name: str) -> list[tuple[int, int]]:
        """The clauses that hold a word of that list."""
        return [self.clauses[number] for number in sorted({self.clause_of[cue.start] for cue in self.cues(name)})]

    def clauses_with(self, name: str) -> bytearray:
        """All units of such clauses."""
        marked = bytearray(self.count + 1)
        for start, end in self.clauses_of(name):
            marked[start:end] = b"\x01" * (end - start)
        return marked

    def denied(self) -> bytearray:
        """What is denied: by a word before it, right before it, or behind it."""
        marked = bytearray(self.count + 1)
        broad = {cue.end for cue in self.cues("not_all")}
        cues = _outermost({*self.cues("not"), *self.cues("not_all")})
        particles = self.starts("particle")
        for number, cue in enumerate(cues):
            until = cues[number + 1].start if number + 1 < len(cues) else self.count
            self._deny(marked, cue.end, until, everything=cue.end in broad)
        for cue in self.cues("not_next"):
            if self.breaks[cue.end] < SOFT:
                marked[cue.end] = 1
        for cue in self.cues("not_behind"):
            end = cue.end + (cue.end in particles and self.breaks[cue.end] < SOFT)
            if self.breaks[end] >= SOFT and cue.start > 0:
                self._deny_before(marked, cue.start)
        return marked

    def _deny(self, marked: bytearray, start: int, until: int, *, everything: bool) -> None:
        item = start
        ending = self.ending if everything else self.ending_narrow
        for place in range(start, until):
            strength = self.breaks[place]
            if strength >= STOP or (place == start and strength >= COMMA) or place in ending:
                return
            if strength >= SOFT and place > start:
                if not self._goes_on(place, everything=everything):
                    return
                item = place
            elif strength == LIST or place in self.alternatives:
                item = place
            if place - item > ITEM:
                return
            marked[place] = 1

    def _goes_on(self, place: int, *, everything: bool) -> bool:
        """Whether a list of what is denied goes on behind a pause or a comma."""
        if place in self.alternatives:
            return True
        if place in self.fresh:
            return False
        if everything:
            return True
        index = bisect_left(self.in_order, place)
        ahead = self.in_order[index] if index < len(self.in_order) else self.count
        if ahead - place > AHEAD or ahead >= self.count or is_character(self.units[place]):
            return False
        between = range(place + 1, ahead + 1)
        return not any(self.breaks[each] >= STOP or each in self.fresh or each in self.ending for each in between)

    def _deny_before(self, marked: bytearray, start: int) -> None:
        """Denies what stands before a denial: the items next to it, or all of what a denial by itself answers."""
        alone = self.breaks[start] >= SOFT
        if alone and not self.asks[start] and self.breaks[start] != SOFT:
            return
        left = self.count if alone else BEFORE
        for place in range(start - 1, -1, -1):
            if left == 0:
                return
            marked[place] = 1
            left = BEFORE if self.breaks[place] == LIST or place in self.alternatives else left - 1
            if self.breaks[place] >= (COMMA if alone else SOFT):
                return

    def past(self) -> bytearray:
        """What is told of the past: the clause, the next one too if it only says when, or all until the story's end."""
        marked = bytearray(self.count + 1)
        over = [cue.start for cue in self.cues("past_over")]
        told = self.starts("well") | self.starts("not")
        done = 0
        for cue in self.cues("past"):
            start, end = self.clauses[self.clause_of[cue.start]]
            short = end - start - (cue.end - cue.start) <= OPENING
            only_when = short and told.isdisjoint(range(start, end))  # who was well then tells of now
            if only_when and end < self.count and self.breaks[end] < STOP:
                end = self.clauses[self.clause_of[end]][1]
            index = bisect_left(over, cue.end)
            if index < len(over) and self.sentence_of[over[index]] == self.sentence_of[cue.start]:
                end = max(end, self.clauses[self.clause_of[over[index]]][1])
            start = max(start, done)
            marked[start:end] = b"\x01" * max(0, end - start)
            done = max(done, end)
        return marked

    def minor(self) -> bytearray:
        """What is made little of: the clause, and all of the sentence before it has stopped."""
        marked = self.clauses_with("minor")
        for start, end in self.clauses_of("stopped"):
            start = max(self.sentences[self.sentence_of[start]][0], marked.rfind(2) + 1)
            marked[start:end] = b"\x02" * (end - start)
        return marked

    def supposed(self) -> bytearray:
        """What is only supposed or asked about in general: the clause, or all until the sentence ends."""
        marked = self.clauses_with("supposed")
        done = 0
        for cue in self.cues("supposed_on"):
            start = max(self.clauses[self.clause_of[cue.start]][0], done)
            end = self.sentences[self.sentence_of[cue.start]][1]
            marked[start:end] = b"\x01" * max(0, end - start)
            done = max(done, end)
        return marked

    def learnt(self, supposed: bytearray) -> None:
        """Marks what is told of a story's people, and illnesses that a clause asks about in a text that wants to learn.
        Neither where the clause speaks of somebody here; an illness neither where it has come (`昏迷了`)."""
        mine = {self.clause_of[cue.start] for cue in self.cues("me")}
        for cue in self.cues("told"):
            if self.clause_of[cue.start] not in mine:
                start, end = self.clauses[self.clause_of[cue.start]]
                supposed[start:end] = b"\x01" * (end - start)
        framed = self.starts("framed")
        if not framed:
            return
        asking = {self.clause_of[start] for start in framed | self.starts("asking")}
        asking -= {self.clause_of[cue.start] for cue in (*self.cues("someone"), *self.cues("now"))}
        for start, end in self.found.get("grammar.topic", ()):
            if self.clause_of[start] in asking and self.units[end : end + 1] != ["了"]:
                supposed[start:end] = b"\x01" * (end - start)

    def _reach(self) -> tuple[list[int], list[int]]:
        """For each unit the furthest end of a sign's term that starts before it, and of one that starts there."""
        longest = [0] * (self.count + 1)
        for name, occurrences in self.found.items():
            if not name.startswith(("grammar.", "=")):
                for start, end in occurrences:
                    longest[start] = max(longest[start], end)
        return [0, *accumulate(longest, max)], longest
