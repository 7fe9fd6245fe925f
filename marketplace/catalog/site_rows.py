"""One row of a file of sites: what is accepted, and what it becomes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.catalog.search import TIERS
from marketplace.catalog.terms import search_columns

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
    places = (cell["province"], cell["city"], cell["district"])
    derived = search_columns(
        (cell["name"], *aliases), places, (cell["address"], cell["kind"], cell["tier"], _short_tier(cell["tier"]))
    )
    source, date = tier_source(tier, cell["source"])
    return SiteRow(
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
        terms=list(derived.terms),
        search_text=derived.search_text,
        pinyin=derived.pinyin,
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
