"""Provinces, cities and districts in English.

The names that are not plain pinyin, and those of all provinces and cities, stand in `data/english-places.csv`; others
are made by rule: the pinyin of the name, then its rank. A city is called without rank, a district and a county with it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from marketplace.catalog.english.pinyin import spelled
from marketplace.catalog.places import short_place
from marketplace.core.config import ROOT
from marketplace.core.text import Text

FILE = ROOT / "data" / "english-places.csv"

_ANYWHERE = "*"

# The longest first. A rank whose word is blank is left away.
_RANKS = {
    "特别行政区": "", "自治区": "", "自治州": "Autonomous Prefecture", "自治县": "Autonomous County",
    "自治旗": "Autonomous Banner", "经济技术开发区": "Economic and Technological Development Zone",
    "高新技术产业开发区": "High-Tech Zone", "高新技术开发区": "High-Tech Zone", "高新区": "High-Tech Zone",
    "经济开发区": "Economic Development Zone", "开发区": "Development Zone", "工业园区": "Industrial Park",
    "管理区": "Administrative District", "街道": "Subdistrict", "地区": "Prefecture", "林区": "Forestry District",
    "矿区": "Mining District", "特区": "Special District", "新区": "New Area",
    "省": "", "市": "", "盟": "League", "州": "Prefecture", "旗": "Banner", "区": "District", "县": "County",
    "镇": "Town", "乡": "Township",
}  # fmt: skip

_PEOPLES = {
    "朝鲜族": "Korean", "土家族": "Tujia", "苗族": "Miao", "藏族": "Tibetan", "羌族": "Qiang", "彝族": "Yi",
    "布依族": "Bouyei", "侗族": "Dong", "哈尼族": "Hani", "壮族": "Zhuang", "傣族": "Dai", "白族": "Bai",
    "景颇族": "Jingpo", "傈僳族": "Lisu", "回族": "Hui", "蒙古族": "Mongol", "满族": "Manchu", "瑶族": "Yao",
    "畲族": "She", "黎族": "Li", "仡佬族": "Gelao", "水族": "Sui", "佤族": "Va", "拉祜族": "Lahu", "纳西族": "Naxi",
    "独龙族": "Derung", "怒族": "Nu", "东乡族": "Dongxiang", "保安族": "Bonan", "撒拉族": "Salar", "土族": "Tu",
    "裕固族": "Yugur", "哈萨克族": "Kazak", "塔吉克族": "Tajik", "锡伯族": "Xibe", "达斡尔族": "Daur",
    "鄂温克族": "Ewenki", "鄂伦春族": "Oroqen", "毛南族": "Maonan", "仫佬族": "Mulao", "各族": "Multinational",
    "普米族": "Pumi", "布朗族": "Blang", "维吾尔": "Uygur", "哈萨克": "Kazak", "柯尔克孜": "Kirgiz", "蒙古": "Mongol",
}  # fmt: skip


@dataclass(frozen=True)
class City:
    """A city of the list: `short` and `english` are what people call it, without rank and peoples (大理, Dali); `latin`
    are the ways that is typed, in small letters alone: by its English name and by its pinyin."""

    province: str
    name: str
    short: str
    english: str
    latin: tuple[str, ...]


@lru_cache(maxsize=8_000)
def english_place(name: str) -> str:
    """A province, city, district, county or town: Beijing, Shaanxi, Xicheng District. With or without its rank (陕西);
    what is in Latin letters already stays. Blank for blank."""
    return _known().get(name) or by_rule(name)


def by_rule(name: str) -> str:
    """A place by pinyin and rank alone. A single character keeps its rank in the name: Shanxian County."""
    if len(name) > 2 and _RANKS.get(name):
        return _RANKS[name]
    for rank, word in _RANKS.items():
        stem = name.removesuffix(rank)
        if stem == name or not stem:
            continue
        if rank.startswith("自治"):
            stem, peoples = _without_peoples(stem)
            word = f"{peoples} {word}" if peoples else word
        return f"{spelled(name if len(stem) == 1 else stem)} {word}".strip()
    return spelled(name)


def _without_peoples(stem: str) -> tuple[str, str]:
    """The stem without the peoples at its end, and those in English in their order."""
    found: list[str] = []
    while True:
        people = next((each for each in _PEOPLES if stem.endswith(each) and stem != each), None)
        if people is None:
            break
        stem = stem.removesuffix(people)
        found.insert(0, _PEOPLES[people])
    if len(found) > 2:
        return stem, ", ".join(found[:-1]) + " and " + found[-1]
    return stem, " and ".join(found)


@cache
def cities() -> tuple[City, ...]:
    """The cities of the country: municipalities, prefectures, and what a province directs itself."""
    result = []
    for within, name, english in _rows():
        if within == _ANYWHERE or (not within and not name.endswith(("市", "特别行政区"))):
            continue
        short = short_place(name)
        called = english.split(" ")[0] if "自治" in name else _without_rank(english)
        typed = ("".join(letter for letter in each.lower() if letter.isalpha()) for each in (called, spelled(short)))
        result.append(City(within or name, name, short, called, tuple(dict.fromkeys(typed))))
    return tuple(result)


@lru_cache(maxsize=4_000)
def english_city(name: str) -> str:
    """A city as people call it, without rank and peoples: Dali for 大理白族自治州; one that is in no list by rule."""
    return next((city.english for city in cities() if name in (city.name, city.short)), "") or english_place(name)


def city_called(name: str) -> Text:
    """A city as people call it in both languages: 杭州 and Hangzhou for 杭州市."""
    return Text(short_place(name), english_city(name))


@cache
def provinces() -> dict[str, str]:
    """The provinces, and what they are called, with the English name of each."""
    found = {name: english for within, name, english in _rows() if not within}
    return found | {province_called(name): english for name, english in found.items()}


def _without_rank(english: str) -> str:
    for word in (" League", " Prefecture", " Forestry District", " County"):
        english = english.removesuffix(word)
    return english


def province_called(name: str) -> str:
    """A province without its rank and peoples: 广西 for 广西壮族自治区; 内蒙古 keeps its own."""
    for people in ("壮族", "回族", "维吾尔"):
        name = name.replace(people + "自治区", "自治区")
    return short_place(name)


@cache
def _known() -> dict[str, str]:
    """English by Chinese name, with the rank and without; where two share a short name, the larger one's."""
    known: dict[str, str] = {}
    for _within, name, english in _rows():
        known.setdefault(name, english)
        if not name.endswith(("区", "县", "旗")):
            known.setdefault(short_place(name), english)
    return provinces() | {name: english for name, english in known.items() if name not in provinces()}


@cache
def _rows() -> tuple[tuple[str, str, str], ...]:
    return tuple(_read())


def _read() -> Iterator[tuple[str, str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["within"], row["name"], row["english"]
