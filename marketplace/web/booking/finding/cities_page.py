"""The city picker: by region and province, by first letter, by words, and those that are likely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.english.places import english_city
from marketplace.catalog.places import official_names, short_place
from marketplace.catalog.search import CityCount
from marketplace.catalog.terms import normalise
from marketplace.core.text import Text
from marketplace.web.booking.finding.places_page import Search
from marketplace.web.language import by_language
from marketplace.web.parts import Link
from marketplace.web.regions import ELSEWHERE, MUNICIPALITIES, REGIONS

_HOT = 12


@dataclass(frozen=True)
class City:
    """A city to choose, with its number of places. `note` says whose it is, or where it lies."""

    name: str
    url: str
    count: int
    note: str = ""
    current: bool = False


@dataclass(frozen=True)
class Province:
    """Its cities; one that is itself a city has that one alone."""

    name: str
    cities: tuple[City, ...]
    count: int
    alone: bool = False
    current: bool = False


@dataclass(frozen=True)
class Region:
    name: str
    provinces: tuple[Province, ...]


@dataclass(frozen=True)
class Picker:
    """The page. `hits` are the cities that the words in the search box mean, None without words; `lettered` those of
    the chosen letter."""

    near: tuple[City, ...]
    hot: tuple[City, ...]
    letters: tuple[Link, ...]
    letter: str
    lettered: tuple[City, ...]
    regions: tuple[Region, ...]
    words: str = ""
    hits: tuple[City, ...] | None = None


def whole_name(name: str) -> str:
    """A province or city as it is written in full where people do so: 浙江, but 内蒙古自治区 and 延边朝鲜族自治州; in
    English Zhejiang, Inner Mongolia and Yanbian."""
    return by_language(Text(short_place(name) if name.endswith(("省", "市")) else name, english_city(name)))


def city(counted: CityCount, search: Search, note: str = "") -> City:
    """One city of the picker; choosing it clears what fitted the other one alone."""
    url = Search(search.benefit, search.person, counted.name, search.entitlement).url()
    return City(whole_name(counted.name), url, counted.sites, note, counted.name == search.city)


def likely(
    found: Sequence[CityCount], search: Search, recent: Sequence[str], family: Sequence[tuple[str, str]]
) -> tuple[City, ...]:
    """The current city, those of the family (pairs of a person's word and a city) and those last chosen."""
    named = {counted.name: counted for counted in found}
    people: dict[str, list[str]] = {}
    for person, name in family:
        people.setdefault(name, []).append(person)
    order = dict.fromkeys((search.city, *people, *recent))
    return tuple(city(named[name], search, ", ".join(people.get(name, ()))) for name in order if name in named)


def hot(found: Sequence[CityCount], search: Search) -> tuple[City, ...]:
    """Those with most places."""
    most = sorted(found, key=lambda counted: -counted.sites)[:_HOT]
    return tuple(city(counted, search) for counted in most)


def letters(found: Sequence[CityCount], search: Search, chosen: str) -> tuple[Link, ...]:
    """The first letters that there are."""
    url = Search(search.benefit, search.person, search.city, search.entitlement).url
    known = sorted({counted.initial for counted in found if counted.initial})
    return tuple(Link(letter, url("web.cities", letter=letter), letter == chosen) for letter in known)


def lettered(found: Sequence[CityCount], search: Search, letter: str) -> tuple[City, ...]:
    """The cities that begin with the letter, in the order of their pinyin."""
    return tuple(city(each, search, whole_name(each.province)) for each in found if letter and each.initial == letter)


def regions(found: Sequence[CityCount], search: Search) -> tuple[Region, ...]:
    """All cities, province by province; regions without one are left out."""
    provinces: dict[str, list[CityCount]] = {}
    for counted in found:
        provinces.setdefault(counted.province, []).append(counted)
    placed = {name for _region, names in REGIONS for name in names}
    rest = tuple(name for name in provinces if name not in placed)
    grouped = []
    for region, names in (*REGIONS, (ELSEWHERE, rest)):
        inside = tuple(_province(name, provinces[name], search) for name in names if name in provinces)
        grouped += [Region(by_language(region), inside)] if inside else []
    return tuple(grouped)


def _province(name: str, inside: Sequence[CityCount], search: Search) -> Province:
    return Province(
        whole_name(name),
        tuple(city(counted, search) for counted in inside),
        sum(counted.sites for counted in inside),
        alone=name in MUNICIPALITIES and len(inside) == 1,
        current=any(counted.name == search.city for counted in inside),
    )


def matching(found: Sequence[CityCount], search: Search, words: str) -> tuple[City, ...]:
    """The cities that the words mean: by name or part of it, in Chinese of either script or in English, by
    province, pinyin or its first letters."""
    wanted = _bare(words)
    hits = [(rank, each) for each in found if wanted and (rank := _rank(each, wanted)) is not None]
    hits.sort(key=lambda hit: (hit[0], -hit[1].sites))
    return tuple(city(each, search, whole_name(each.province)) for _rank_of, each in hits)


def _bare(words: str) -> str:
    return normalise(words).replace(" ", "").replace("'", "")


def _rank(counted: CityCount, wanted: str) -> int | None:
    """0 the city itself, 1 the beginning of its name, 2 part of it, 3 its province; None if it isn't meant."""
    called = [normalise(name) for name in (counted.name, short_place(counted.name))]
    spelled = syllables(normalise(short_place(counted.name)))
    pinyin, initials = "".join(spelled), "".join(part[:1] for part in spelled)
    called.append(_bare(english_city(counted.name)))
    if wanted in (*called, pinyin, initials) or counted.name in official_names(wanted):
        return 0
    if any(name.startswith(wanted) for name in (*called, pinyin, initials)):
        return 1
    if wanted in called[0]:
        return 2
    province = normalise(counted.province)
    in_province = province.startswith(wanted) or "".join(syllables(short_place(province))).startswith(wanted)
    return 3 if in_province and (len(wanted) > 2 or not wanted.isascii()) else None


def family(cities: Mapping[str, str], people: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs of a person's word and her city, of those people who are still of the family."""
    return [(people[person], name) for person, name in cities.items() if person in people]
