"""How alike two places of one city are, and why: a score and its reasons.

The score is an estimate between 0 and 1 for an operator to look at, made of what is stated here and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from marketplace.catalog.one_place.names import Name, Whereabouts, names_of
from marketplace.catalog.places import short_place
from marketplace.catalog.terms import normalise

LEAST = 0.6
"""Pairs below this are not worth anybody's look."""
SURE = 0.85
"""Pairs from here on are hardly ever two hospitals."""
NEAR_METRES = 200
FAR_METRES = 3_000

_SAME_NAME, _ALIAS, _OTHER_NAME, _SHORTENED, _HINT = 0.85, 0.9, 0.8, 0.6, 0.5
_ADDRESS, _NEAR, _ALIKE = 0.6, 0.25, 0.35
_OTHER_NUMBER, _OTHER_KIND, _OTHER_DISTRICT, _FAR = -0.5, -0.3, -0.15, -0.15
_STILL_ALIKE = 0.55
"""From which share of common pairs of characters on two names count as alike."""
_NO_KIND = ("", "综合/其他")
_STREET = re.compile(
    r"(?P<street>[^\d,;:()]{2,12}?(?:大道|大街|胡同|路|街|道|巷|弄|里|条|村|园))(?P<side>[甲乙丙丁]?[东西南北中]?[一二三四五六七八九十]?[段线]?)"
    r"(?P<number>[甲乙丙丁]?\d+)(?=[^\d]|$)"
)


@dataclass(frozen=True)
class Entry:
    """A row of the list, as far as it is compared. `id` is whatever names it to the caller."""

    id: int
    name: str
    aliases: Sequence[str]
    province: str
    city: str
    district: str
    kind: str
    address: str
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True)
class Likeness:
    """Two entries, the smaller id first, that may be one place: `score` from LEAST to 1, `reasons` by their codes, what
    weighs most first."""

    first: int
    second: int
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Read:
    """An entry with its words read once."""

    entry: Entry
    names: Sequence[Name]
    others: Sequence[Name]
    own_keys: frozenset[str]
    all_keys: frozenset[str]
    hints: frozenset[str]
    numbers: frozenset[str]
    campus: str
    streets: frozenset[str]
    pairs: frozenset[str]


def doubles(entries: Iterable[Entry]) -> list[Likeness]:
    """The pairs that may be one place, the likeliest first. Only those of one city are compared."""
    by_city: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        by_city.setdefault((entry.province, entry.city), []).append(entry)
    found: list[Likeness] = []
    for (province, city), inside in by_city.items():
        where = Whereabouts(province, city, frozenset(each.district for each in inside if each.district))
        read = [_read(entry, where) for entry in inside]
        short = _shortened(read)
        found += [pair for one, other in combinations(read, 2) if (pair := _compared(one, other, short)) is not None]
    return sorted(found, key=lambda pair: (-pair.score, pair.first, pair.second))


def _read(entry: Entry, where: Whereabouts) -> _Read:
    names, others = names_of([entry.name], where), names_of(entry.aliases, where)
    core = names[0].core if names else ""
    return _Read(
        entry,
        names,
        others,
        frozenset(key for name in names for key in name.keys),
        frozenset(key for name in (*names, *others) for key in name.keys),
        frozenset(hint for name in (*names, *others) for hint in name.hints),
        frozenset(name.number for name in (*names, *others) if name.number),
        names[0].campus if names else "",
        streets(entry),
        frozenset(core[place : place + 2] for place in range(len(core) - 1)),
    )


def _shortened(inside: Sequence[_Read]) -> frozenset[frozenset[int]]:
    """The pairs of which one's name has the characters of the other's in their order, with the same first and last one:
    南宁 has one hospital that 广西中医一附院 can be short for. Where there are several, nothing is said."""
    found = set()
    for read in inside:
        for name in read.names[:1]:
            longer = [each for each in inside if each is not read and any(_short_for(name, it) for it in _all(each))]
            if len(longer) == 1:
                found.add(frozenset((read.entry.id, longer[0].entry.id)))
    return frozenset(found)


def _all(read: _Read) -> tuple[Name, ...]:
    return (*read.names, *read.others)


def _short_for(name: Name, whole: Name) -> bool:
    short, long = name.stem, whole.stem
    if not 2 <= len(short) < len(long) or (short[0], short[-1]) != (long[0], long[-1]):
        return False
    if (name.number, name.campus) != (whole.number, whole.campus):
        return False
    left = iter(long)
    return all(character in left for character in short)


def _compared(one: _Read, other: _Read, shortened: frozenset[frozenset[int]]) -> Likeness | None:
    """The pair if it is alike enough, by its name or its address with a name that is like it; campuses of one
    hospital are places of their own."""
    shared = one.all_keys & other.all_keys
    street = one.streets & other.streets
    short = frozenset((one.entry.id, other.entry.id)) in shortened
    if not shared and not street and not short and not (one.entry.longitude and other.entry.longitude):
        return None
    if not _same_campus(one.campus, other.campus):
        return None
    marks = dict(_evidence(one, other, shared, bool(street), short))
    score = 1 - math.prod(1 - mark for mark in marks.values() if mark > 0)
    score += sum(mark for mark in marks.values() if mark < 0)
    if score < LEAST:
        return None
    first, second = sorted((one.entry.id, other.entry.id))
    reasons = sorted(marks, key=lambda reason: -abs(marks[reason]))
    return Likeness(first, second, round(score, 2), tuple(reasons))


def _evidence(
    one: _Read, other: _Read, shared: frozenset[str], street: bool, short: bool
) -> Iterable[tuple[str, float]]:
    if shared & one.own_keys & other.own_keys:
        yield "same_name", _SAME_NAME
    elif shared & (one.own_keys | other.own_keys):
        yield "alias_of", _ALIAS
    elif shared:
        yield "shared_alias", _OTHER_NAME
    elif short:
        yield "shortened", _SHORTENED
    elif one.hints & other.hints:
        yield "may_be_called", _HINT
    if street:
        yield "same_address", _ADDRESS
    metres = distance(one.entry, other.entry)
    if metres is not None and metres <= NEAR_METRES:
        yield "near", _NEAR
    elif metres is not None and metres > FAR_METRES:
        yield "far_apart", _FAR
    if not shared and _share(one.pairs, other.pairs) >= _STILL_ALIKE:
        yield "names_alike", _ALIKE
    if one.numbers and other.numbers and not one.numbers & other.numbers:
        yield "other_number", _OTHER_NUMBER
    kinds = {one.entry.kind, other.entry.kind}
    if len(kinds) == 2 and not kinds & set(_NO_KIND):
        yield "other_kind", _OTHER_KIND
    if one.entry.district and other.entry.district and one.entry.district != other.entry.district:
        yield "other_district", _OTHER_DISTRICT


def _same_campus(one: str, other: str) -> bool:
    return one == other or bool(one and other and (one.endswith(other) or other.endswith(one)))


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """How many pairs of characters two names have in common (Dice)."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


@lru_cache(maxsize=20_000)
def _streets_in(address: str, province: str, city: str, district: str) -> frozenset[str]:
    plain = re.sub(r"\s", "", normalise(address)).replace("号院", "号")
    for place in (province, city, district):
        for form in dict.fromkeys((place, short_place(place))):
            plain = plain.replace(form, "") if form else plain
    plain = re.sub(r"^(?:中国)?(?:[^\d]{1,4}?[区县市])?", "", plain)
    return frozenset(
        found.group("street") + found.group("side") + found.group("number") for found in _STREET.finditer(plain)
    )


def streets(entry: Entry) -> frozenset[str]:
    """The streets with house numbers that an address names, without what city and district they are in."""
    return _streets_in(entry.address, entry.province, entry.city, entry.district) if entry.address else frozenset()


def distance(one: Entry, other: Entry) -> float | None:
    """Metres between two entries as the crow flies; None where one has no coordinates."""
    if one.longitude is None or one.latitude is None or other.longitude is None or other.latitude is None:
        return None
    north = math.radians(other.latitude - one.latitude)
    east = math.radians(other.longitude - one.longitude) * math.cos(math.radians((one.latitude + other.latitude) / 2))
    return 6_371_008.8 * math.hypot(north, east)
