"""One row of a file of sites: what is accepted, and what it becomes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from marketplace.catalog.english.known import known_as
from marketplace.catalog.english.sites import english_site
from marketplace.catalog.search import TIERS
from marketplace.catalog.terms import SearchColumns, search_columns
from marketplace.core.text import Text

COLUMNS = (
    "name", "alias", "province", "city", "district", "tier", "kind", "address", "longitude", "latitude", "source",
)  # fmt: skip

_LONGEST = {"name": 100, "alias": 500, "address": 300, "source": 100}
_LONGEST_OTHERWISE = 50


@dataclass(frozen=True)
class TierSource:
    """Where a list of tiers comes from and its date (ISO 8601); `tiers` are those it says anything about, None all."""

    label: str
    date: str
    tiers: frozenset[str] | None = None


# By the words of the `source` column, the later list first. Lists that name no tiers are not here.
TIER_SOURCES = {
    "3A2020": TierSource("Luoyun, github.com/46319943/3AHospital", "2020-11-28", frozenset({"三级甲等"})),
    "haodf2015": TierSource("haodf, github.com/hoyoung2015/haodf", "2015-12-23"),
    "sample": TierSource("安享示范数据 / Anxiang sample", "2026-01-01"),
}


# What an English reader types for a kind of hospital, besides what its names have.
KIND_WORDS = {
    "中医医院": ("tcm", "chinesemedicine", "traditionalchinesemedicine"),
    "中西医结合医院": ("tcm", "chinesemedicine"),
    "妇幼保健院": ("maternity", "women", "children"),
    "妇产医院": ("maternity", "women", "gynecology", "obstetrics"),
    "儿童医院": ("pediatric", "paediatric", "kids"),
    "口腔医院": ("dental", "dentist", "stomatology"),
    "精神/脑科医院": ("mental", "psychiatric", "brain"),
    "肿瘤医院": ("cancer", "oncology", "tumor", "tumour"),
    "传染/胸科医院": ("infectious", "chest", "pulmonary", "lung"),
    "眼耳鼻喉医院": ("eye", "ent", "ophthalmic", "ophthalmology"),
    "骨科医院": ("orthopedic", "orthopaedic", "bone"),
    "皮肤病医院": ("dermatology", "skin"),
    "心血管医院": ("heart", "cardiac", "cardiovascular"),
    "康复/疗养": ("rehabilitation", "rehab", "sanatorium"),
    "整形美容": ("plasticsurgery", "cosmetic"),
}
KINDS_OF_SITES = {
    "综合/其他": Text("综合医院", "General hospital"),
    "中医医院": Text("中医医院", "Chinese medicine"),
    "中西医结合医院": Text("中西医结合医院", "Chinese and Western medicine"),
    "妇幼保健院": Text("妇幼保健院", "Women and children"),
    "妇产医院": Text("妇产医院", "Maternity"),
    "儿童医院": Text("儿童医院", "Children"),
    "口腔医院": Text("口腔医院", "Dental"),
    "眼耳鼻喉医院": Text("眼耳鼻喉医院", "Eye, ear, nose and throat"),
    "肿瘤医院": Text("肿瘤医院", "Cancer"),
    "心血管医院": Text("心血管医院", "Heart"),
    "骨科医院": Text("骨科医院", "Orthopaedic"),
    "皮肤病医院": Text("皮肤病医院", "Skin"),
    "精神/脑科医院": Text("精神／脑科医院", "Psychiatric and brain"),
    "传染/胸科医院": Text("传染／胸科医院", "Infectious and chest"),
    "康复/疗养": Text("康复／疗养", "Rehabilitation"),
    "整形美容": Text("整形美容", "Plastic surgery"),
}
"""What the kinds in these lists are called; others are shown as they are."""


class Bad(Exception):
    """A cell that cannot be used."""

    def __init__(self, column: str, reason: str, value: str = "") -> None:
        super().__init__(column, reason)
        self.column, self.reason, self.value = column, reason, shown(value)


@dataclass(frozen=True)
class Problem:
    """Why a row was refused. `line` is the line in the file at which the row starts, counted from 1; `column` is blank
    when the whole row is at fault; `value` is what stood there, shortened and fit for a spreadsheet."""

    line: int
    column: str
    reason: str
    value: str


@dataclass(frozen=True)
class SiteRow:
    """A site as the table holds it, derived columns included."""

    province: str
    city: str
    name: str
    aliases: list[str]
    district: str
    tier: str | None
    tier_source: str
    tier_date: str
    kind: str
    address: str
    longitude: float | None
    latitude: float | None
    terms: list[str]
    search_text: str
    pinyin: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same site in two files."""
        return self.province, self.city, self.name


def read_row(cells: Mapping[str, str]) -> SiteRow:
    """The site in a record. Raises Bad with the first column that cannot be used."""
    cell = {column: _text(column, cells[column]) for column in COLUMNS}
    for column in ("name", "province", "city"):
        if not cell[column]:
            raise Bad(column, "blank")
    tier = cell["tier"] or None
    if tier is not None and tier not in TIERS:
        raise Bad("tier", "unknown_tier", cell["tier"])
    if bool(cell["longitude"]) != bool(cell["latitude"]):
        raise Bad("latitude" if cell["longitude"] else "longitude", "blank")
    aliases = [alias for alias in dict.fromkeys(part.strip() for part in cell["alias"].split("|")) if alias]
    source, date = tier_source(tier, cell["source"])
    row = SiteRow(
        province=cell["province"],
        city=cell["city"],
        name=cell["name"],
        aliases=aliases,
        district=cell["district"],
        tier=tier,
        tier_source=source,
        tier_date=date,
        kind=cell["kind"],
        address=cell["address"],
        longitude=_degrees("longitude", cell["longitude"], 180),
        latitude=_degrees("latitude", cell["latitude"], 90),
        terms=[],
        search_text="",
        pinyin="",
    )
    words = searched(row)
    return replace(row, terms=list(words.terms), search_text=words.search_text, pinyin=words.pinyin)


class Described(Protocol):
    """What a site is called, where and what it is: a row of a file, or of the table."""

    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> list[str]: ...
    @property
    def province(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def district(self) -> str: ...
    @property
    def tier(self) -> str | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def address(self) -> str: ...


def searched(site: Described, merged: Sequence[Described] = ()) -> SearchColumns:
    """What a place is found by: its names, those that people and English readers know it by, and where it is; also by
    the names and addresses of the sites that are merged into it."""
    names = list(dict.fromkeys(name for each in (site, *merged) for name in (each.name, *each.aliases)))
    known = known_as(names, site.city)
    english = [english_site(each, site.province, site.city, site.district) for each in names]
    if known:
        english = [known.english, known.english.partition(", ")[0], *known.typed, *english]
        names = list(dict.fromkeys((*names, known.name, *known.also)))
    tier = site.tier or ""
    details = (site.address, site.kind, tier, _short_tier(tier), *(each.address for each in merged))
    return search_columns(
        names,
        (site.province, site.city, site.district),
        details,
        list(dict.fromkeys(english)),
        KIND_WORDS.get(site.kind, ()),
        known=known is not None,
    )


def tier_source(tier: str | None, source: str) -> tuple[str, str]:
    """Label and date of the list a tier comes from; a source that is not declared is shown as it is, without a date."""
    if tier is None:
        return "", ""
    named = {part.partition("(")[0].strip() for part in source.split("+")}
    for code, known in TIER_SOURCES.items():
        if code in named and (known.tiers is None or tier in known.tiers):
            return known.label, known.date
    return source, ""


def _short_tier(tier: str) -> str:
    """三级甲等 as people say it: 三甲."""
    return tier.replace("级", "").removesuffix("等") if len(tier) == 4 else ""


def _text(column: str, value: str) -> str:
    value = value.strip()
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Bad(column, "not_utf8", value)
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in value):
        raise Bad(column, "control_character", value)
    longest = _LONGEST.get(column, _LONGEST_OTHERWISE)
    if len(value) > longest:
        raise Bad(column, "too_long", value)
    return value


def _degrees(column: str, value: str, limit: int) -> float | None:
    if not value:
        return None
    try:
        number = float(value) if value.isascii() else math.nan
    except ValueError:
        number = math.nan
    if not -limit <= number <= limit:
        raise Bad(column, "bad_coordinate", value)
    return number


def shown(value: str) -> str:
    """`value` shortened, printable, and not a formula when a spreadsheet opens it."""
    plain = value[:80].encode("utf-8", "backslashreplace").decode()
    printable = "".join(character if character.isprintable() else "�" for character in plain)
    return "'" + printable if printable[:1] in ("=", "+", "-", "@") else printable
