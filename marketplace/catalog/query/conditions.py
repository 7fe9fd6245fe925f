"""The SQL of a query's words on a site `s`.

Rank of a word: 0 a name, 1 start of a name, 2 part of a name, 3 pinyin or English from any syllable or word, or the
start of initials, 4 part of the initials, 5 the place. A query's rank is thrice their sum; where all of it is a name,
that is the best there is. It is better where a name begins with it or it is a short form, and where the place is one
that is looked for from all over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from marketplace.catalog.query.asked import Asked, PlaceWord, Word
from marketplace.catalog.query.candidates import Near, like, mistyped_chinese, mistyped_latin
from marketplace.catalog.query.short_forms import short_form
from marketplace.catalog.query.typing_errors import chinese_errors, latin_errors, similar_sounds
from marketplace.catalog.terms import KNOWN


class Stage(IntEnum):
    """How freely words are read. Each is tried only where the one before it found nothing anywhere.

    EXACT: each word occurs, as it is or in its short form, pinyin or English. LOOSE: its characters occur in their
    order (浙大一院), it sounds like a word that occurs (华夕), or one character is wrong, missing, too much or changed
    with its neighbour. SIMILAR: so is a letter, a sound is like another (瑞京), or one of several words is missing.
    """

    EXACT = 0
    LOOSE = 1
    SIMILAR = 2


_SHORTEST_ABBREVIATION, _LONGEST_ABBREVIATION = 3, 12
_WHOLE, _PART, _KNOWN = -20, 4, 2
_MISSING = 60
_MOST_MISTYPED = 3  # words that are read freely: each costs a pattern a site
_NAMES_END = "length(s.pinyin) - length(split_part(s.pinyin, E'\\t', 3))"  # what follows are places


@dataclass(frozen=True)
class Sql:
    """A condition, its rank, and `placed`: whether the word stands in the place alone. A site for which it holds is the
    `c` of one of `near`, which the index answers."""

    condition: str
    rank: str
    placed: str = "false"
    near: tuple[str, ...] = ()


@dataclass
class Conditions:
    """The conditions of a query that all hold, the rank, and how many words stand in the place alone."""

    all: list[str]
    rank: str
    placed: str
    values: dict[str, Any]


def conditions(query: Asked, stage: Stage) -> Conditions:
    """The SQL of a query at a stage; without words and places nothing is asked and all rank the same."""
    values: dict[str, Any] = {}
    kept = query.words
    if stage == Stage.SIMILAR:
        kept = tuple(word for word in kept if not word.weak) or (() if query.places else kept)
    words = [
        (_READ[stage] if number < _MOST_MISTYPED else _exact)(word, f"w{number}", values)
        for number, word in enumerate(kept)
    ]
    places = [_place(place, f"p{number}", values) for number, place in enumerate(query.places)]
    if not words and not places:
        return Conditions([], "0", "0", values)
    required = [each.condition for each in (*words, *places)]
    rank = " + ".join(f"3 * ({each.rank})" for each in (*words, *places))
    if stage == Stage.SIMILAR and len(words) + len(places) > 1:
        required, rank = _most(words, places, telling=any(word.telling for word in kept))
    name = None
    if stage != Stage.EXACT and query.name is not None:
        name = _loose(query.name, "n", values)
        required = [f"({' AND '.join(required)} OR {name.condition})"]
        rank = f"CASE WHEN {name.condition} THEN 3 * ({name.rank}) ELSE {rank} END"
    if stage != Stage.EXACT:
        required = [*_among(words, name, one_missing=stage == Stage.SIMILAR), *required]
    placed = " + ".join(f"({each.placed})::int" for each in words) or "0"
    return Conditions(required, _ranked(query, f"({rank})", values), placed, values)


def _among(words: list[Sql], name: Sql | None, *, one_missing: bool) -> list[str]:
    """What the index says of the sites that are found, so that patterns are tried on few: each is near every word, or
    near the name; where one of several words may be missing, near one of the first two."""
    groups = [words[:2]] if one_missing and len(words) > 1 else [[word] for word in words]
    found = list[str]()
    for group in groups:
        every = [*group, *([name] if name is not None else [])]
        asked = (f"SELECT c.id FROM {near}" for each in every for near in each.near)
        found.append(f"s.id = ANY(ARRAY({' UNION ALL '.join(asked)}))")
    return found


def _has(terms: str) -> str:
    """That a site has all of the terms in this value."""
    return f"s.terms @> CAST(%({terms})s AS text[])"


def _having(terms: str) -> str:
    """The sites `c` that have."""
    return f"site c WHERE c.terms @> CAST(%({terms})s AS text[])"


def _near(near: Near, name: str, values: dict[str, Any]) -> tuple[str, ...]:
    found = list[str]()
    for number, terms in enumerate(near.all):
        values[f"{name}{number}"] = list(terms)
        found.append(_having(f"{name}{number}"))
    if near.any:
        values[name] = list(near.any)
        # one by one: the planner takes && of hundreds for dearer than a look at every site, and is wrong
        found.append(f"unnest(CAST(%({name})s AS text[])) t JOIN site c ON c.terms @> ARRAY[t]")
    return tuple(found)


def _most(words: list[Sql], places: list[Sql], *, telling: bool) -> tuple[list[str], str]:
    """One of the words may be missing, and the places where a word is the name of a hospital."""
    rank = " + ".join(
        f"CASE WHEN {each.condition} THEN 3 * ({each.rank}) ELSE {_MISSING} END" for each in (*words, *places)
    )
    required = [] if telling else [place.condition for place in places]
    if len(words) == 1:
        required.append(words[0].condition)
    elif words:
        found = " + ".join(f"(CASE WHEN {word.condition} THEN 1 ELSE 0 END)" for word in words)
        required.append(f"({found}) >= {len(words) - 1}")
    return required or [places[0].condition], rank


def _ranked(query: Asked, rank: str, values: dict[str, Any]) -> str:
    """The rank of the words, better where the query as a whole is a name or begins one, and for a known hospital."""
    values["known"] = [KNOWN]
    known = f"CASE WHEN s.terms @> CAST(%(known)s AS text[]) THEN {_KNOWN} ELSE 0 END"
    if query.whole:
        values |= {"whole": query.whole, "whole_short": short_form(query.whole)}
        whole = (
            "strpos(s.search_text, E'\\n' || %(whole)s || E'\\n') > 0 "
            "OR strpos(s.search_text, E'\\n' || %(whole)s || E'医院\\n') > 0"
        )
        part = (
            "strpos(s.search_text, E'\\n' || %(whole)s) > 0 "
            "OR strpos(s.search_text, E'\\r' || %(whole_short)s || E'\\n') > 0"
        )
    elif query.core:
        values |= {"whole": query.whole_latin, "core": query.core}
        forms = ("%(whole)s", "%(core)s", "%(core)s || E'hospital'", "%(core)s || E'yiyuan'")
        whole = " OR ".join(
            f"strpos(s.pinyin, E'\\n' || {form} || E'\\n') BETWEEN 1 AND {_NAMES_END}" for form in forms
        )
        part = f"strpos(s.pinyin, E'\\n' || %(core)s) BETWEEN 1 AND {_NAMES_END}"
    else:
        return f"{rank} - {known}"
    return f"CASE WHEN {whole} THEN {_WHOLE} WHEN {part} THEN {rank} - {_PART} ELSE {rank} END - {known}"


def _exact(word: Word, name: str, values: dict[str, Any]) -> Sql:
    """A word that occurs in the site's texts as it is, in its short form, or in the pinyin and English; one that says
    the kind of hospital and nothing else finds that kind."""
    values |= {name: word.text, f"{name}_terms": list(word.terms)}
    at = f"strpos(s.search_text, %({name})s)"
    end = "strpos(s.search_text, E'\\t')"
    anywhere = [f"{_has(name + '_terms')} AND {at} > 0"]
    near = [_having(f"{name}_terms")]
    named = [f"{at} BETWEEN 1 AND {end}"]
    cases = (
        f"WHEN strpos(s.search_text, E'\\n' || %({name})s || E'\\n') > 0 "
        f"OR strpos(s.search_text, E'\\n' || %({name})s || E'医院\\n') > 0 THEN 0 "
        f"WHEN strpos(s.search_text, E'\\n' || %({name})s) > 0 THEN 1 WHEN {named[0]} THEN 2 "
    )
    if word.short is not None:
        values |= {f"{name}_short": word.short, f"{name}_short_terms": list(word.short_terms)}
        short_at = f"strpos(s.search_text, %({name}_short)s)"
        anywhere.append(f"{_has(name + '_short_terms')} AND {short_at} BETWEEN 1 AND {end}")
        near.append(_having(f"{name}_short_terms"))
        named.append(f"{short_at} BETWEEN 1 AND {end}")
        cases += (
            f"WHEN strpos(s.search_text, E'\\r' || %({name}_short)s || E'\\n') > 0 THEN 0 "
            f"WHEN strpos(s.search_text, E'\\r' || %({name}_short)s) > 0 THEN 1 WHEN {named[-1]} THEN 2 "
        )
    if word.latin is not None:
        values |= {
            f"{name}_latin": word.latin,
            f"{name}_initials": list(word.initial_terms),
            f"{name}_pinyin": list(word.pinyin_terms),
        }
        initials = f"strpos(s.pinyin, %({name}_latin)s) BETWEEN 1 AND strpos(s.pinyin, E'\\t')"
        spelled = f"strpos(s.pinyin, E'\\n' || %({name}_latin)s) > 0"
        spelled_name = f"strpos(s.pinyin, E'\\n' || %({name}_latin)s) BETWEEN 1 AND {_NAMES_END}"
        anywhere += [
            f"{_has(name + '_initials')} AND {initials}",
            f"{_has(name + '_pinyin')} AND {spelled}",
        ]
        near += [_having(f"{name}_initials"), _having(f"{name}_pinyin")]
        named += [spelled_name, initials]
        cases += f"WHEN {spelled_name} THEN 3 WHEN {initials} THEN 4 "
    if word.kind is not None and not word.telling:
        values[f"{name}_kind"] = word.kind
        anywhere.append(f"s.kind = %({name}_kind)s")
        near.append(f"site c WHERE c.kind = %({name}_kind)s")
        named.append(anywhere[-1])
    return Sql(f"({' OR '.join(anywhere)})", f"CASE {cases}ELSE 5 END", f"NOT ({' OR '.join(named)})", tuple(near))


def _place(place: PlaceWord, name: str, values: dict[str, Any]) -> Sql:
    """A city or province: the site is in it, better with its name in its own, or has the word elsewhere."""
    exact = _exact(place.word, name, values)
    values |= {f"{name}_cities": list(place.cities), f"{name}_provinces": list(place.provinces)}
    inside = f"s.city = ANY(CAST(%({name}_cities)s AS text[]))"
    around = f"s.province = ANY(CAST(%({name}_provinces)s AS text[]))"
    return Sql(
        f"({inside} OR {around} OR {exact.condition})",
        f"CASE WHEN {inside} THEN CASE WHEN {exact.rank} < 5 THEN 0 ELSE 1 END WHEN {around} THEN 1 "
        f"ELSE greatest(3, {exact.rank}) END",
    )


def _loose(word: Word, name: str, values: dict[str, Any]) -> Sql:
    """A word whose characters occur in one name (after its city) in this order, one of which is mistyped, or that
    sounds like a part of one.

    The closer they are, and above all the first two, the better: 浙大 is 浙江大学 before 浙江中医药大学.
    """
    exact = _exact(word, name, values)
    if word.latin is not None or word.sound is None:
        return exact
    values |= {f"{name}_sound": word.sound, f"{name}_sound_terms": list(word.sound_terms)}
    sounds = f"strpos(s.pinyin, E'\\n' || %({name}_sound)s) > 0"
    forms = [exact.condition, f"{_has(name + '_sound_terms')} AND {sounds}"]
    near = [*exact.near, _having(f"{name}_sound_terms")]
    cases = f"WHEN {exact.condition} THEN {exact.rank} WHEN {sounds} THEN 6 "
    if wrong := chinese_errors(word.text):
        values |= {f"{name}_wrong": wrong.pattern, f"{name}_left": wrong.left, f"{name}_right": wrong.right}
        mistyped = f"split_part(s.search_text, E'\\t', 1) ~ CAST(%({name}_wrong)s AS text)"
        forms.append(f"({_has(name + '_left')} OR {_has(name + '_right')}) AND {mistyped}")
        near += _near(mistyped_chinese(word.text), f"{name}_mistyped", values)
        cases += f"WHEN {mistyped} THEN 7 "
    far = "8"
    if _SHORTEST_ABBREVIATION <= len(word.text) <= _LONGEST_ABBREVIATION:
        characters = [re.escape(character) for character in word.text]
        values |= {
            f"{name}_characters": list(dict.fromkeys(word.text)),
            f"{name}_all": "[^\n]*?".join(characters),
            f"{name}_opening": "[^\n]*?".join(characters[:2]),
        }
        city = "CASE WHEN starts_with(s.name, left(s.city, 2)) THEN '' ELSE s.city END"
        names = f"({city} || ltrim(split_part(s.search_text, E'\\t', 1), E'\\n'))"
        spread, opening = (
            f"length(substring({names} FROM CAST(%({name}_{part})s AS text)))" for part in ("all", "opening")
        )
        forms.append(f"{_has(name + '_characters')} AND {names} ~ CAST(%({name}_all)s AS text)")
        near.append(_having(f"{name}_characters"))
        far = f"6 + {spread} + {opening}"
    placed = f"{exact.placed} AND {exact.condition}"
    return Sql(f"({' OR '.join(forms)})", f"CASE {cases}ELSE {far} END", placed, tuple(near))


def _similar(word: Word, name: str, values: dict[str, Any]) -> Sql:
    """A word with one wrong letter, or with a sound that is easily taken for another."""
    loose = _loose(word, name, values)
    forms, near = list[str](), list(loose.near)
    latin = word.latin or word.sound
    if latin and (pattern := similar_sounds(latin)):
        values[f"{name}_like"] = pattern
        near += _near(like(latin), f"{name}_heads", values)
        forms.append(f"s.pinyin ~ CAST(%({name}_like)s AS text)")
    if word.latin and (pattern := latin_errors(word.latin)):
        values[f"{name}_typed"] = pattern
        near += _near(mistyped_latin(word.latin), f"{name}_letters", values)
        forms.append(f"s.pinyin ~ CAST(%({name}_typed)s AS text)")
    if not forms:
        return loose
    return Sql(
        f"({loose.condition} OR {' OR '.join(forms)})",
        f"CASE WHEN {loose.condition} THEN {loose.rank} ELSE 12 END",
        loose.placed,
        tuple(near),
    )


_READ: dict[Stage, Callable[[Word, str, dict[str, Any]], Sql]] = {
    Stage.EXACT: _exact,
    Stage.LOOSE: _loose,
    Stage.SIMILAR: _similar,
}
