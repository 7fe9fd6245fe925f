"""Coverage in words, for operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from booking.coverage.operators import CityRow, CityView, LineView, SiteRow
from marketplace.catalog.coverage.importing import TAKEN_BACK
from marketplace.catalog.coverage.level import LEVELS
from marketplace.web.coverage_words import level_choices, level_pill, level_word
from marketplace.web.formats import dotted
from marketplace.web.kind_words import kind_name
from marketplace.web.parts import Pill
from marketplace.web.place_words import city_name, district_name, province_name, site_name
from marketplace.web.tiers import tier_word


@dataclass(frozen=True)
class City:
    """A city of the list, with its numbers."""

    name: str
    province: str
    url: str
    covered: int
    on_request: int
    not_covered: int
    next_day: date | None


@dataclass(frozen=True)
class Totals:
    """The numbers of all cities of the list."""

    cities: int
    covered: int
    on_request: int
    not_covered: int


@dataclass(frozen=True)
class Line:
    """A line in words. `about` is the part of the city that it speaks of, `by` who said it or by what way."""

    about: str
    pill: Pill
    counts_from: date
    state: Pill
    whose: str
    by: str
    written_at: datetime
    over: bool


@dataclass(frozen=True)
class Place:
    """A place of the city and its level."""

    name: str
    district: str
    tier: str
    pill: Pill


def city(row: CityRow, kind: str, on: date) -> City:
    """A row of the list."""
    had = row.counts
    url = url_for("console.coverage_city", kind=kind, province=had.province, city=had.city, on=on.isoformat())
    return City(
        city_name(had.city),
        province_name(had.province),
        url,
        had.covered,
        had.on_request,
        had.not_covered,
        row.next_day,
    )


def totals(rows: Sequence[CityRow]) -> Totals:
    """What the rows of the list add up to."""
    had = [row.counts for row in rows]
    return Totals(
        len(had),
        sum(each.covered for each in had),
        sum(each.on_request for each in had),
        sum(each.not_covered for each in had),
    )


def kinds(codes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The kinds that have coverage, by code and name."""
    return tuple((code, kind_name(code)) for code in codes)


def onlies() -> tuple[tuple[str, str], ...]:
    """Which cities are shown."""
    return (
        ("", _("All cities")),
        ("some", _("With places covered or on request")),
        ("none", _("With none")),
        ("changes", _("With a change to come")),
    )


def tier_name(tier: str) -> str:
    """A tier of a choice, the unknown one too."""
    return tier_word(tier) or _("Tier not known")


def line(it: LineView) -> Line:
    """A line of a city."""
    states = {
        "counts": Pill(pgettext("coverage line", "Counts now"), "ok", icon="check"),
        "later": Pill(pgettext("coverage line", "Counts later"), "wait", icon="clock"),
        "over": Pill(pgettext("coverage line", "Replaced"), "off", icon="x"),
    }
    part = [*([district_name(it.district)] if it.district else []), *([tier_name(it.tier)] if it.tier else [])]
    return Line(
        (site_name(it.site) if it.site else "") or (dotted(part) if part else _("The whole city")),
        level_pill(it.level),
        it.counts_from,
        states[it.state],
        _("Own customers") if it.own else _("All customers"),
        it.by or _source(it.source),
        it.written_at,
        it.state == "over",
    )


def _source(source: str) -> str:
    if source.startswith("bulk:"):
        return _("Import %(id)s", id=source.removeprefix("bulk:"))
    return _("By command")


def place(it: SiteRow) -> Place:
    """A place of a city."""
    return Place(
        site_name(it.name, district=it.district), district_name(it.district), tier_word(it.tier), level_pill(it.level)
    )


def district_choices(view: CityView) -> tuple[tuple[str, str], ...]:
    """The districts that a line can be about."""
    return (("", _("All districts")), *((name, district_name(name)) for name in view.districts))


def tier_choices(view: CityView) -> tuple[tuple[str, str], ...]:
    """The tiers that a line can be about."""
    return (("", _("All tiers")), *((tier, tier_name(tier)) for tier in view.tiers))


def site_choices(view: CityView) -> tuple[tuple[str, str], ...]:
    """The places that a line can be about, by name: in one city there is one of each."""
    return (("", _("All places")), *((name, site_name(name)) for name in sorted(site.name for site in view.sites)))


def levels() -> tuple[tuple[str, str], ...]:
    """What can be said, the taking back last."""
    return (*level_choices(), (TAKEN_BACK, _("Taken back: what is said of the wider part counts again")))


def said(it: CityView) -> str:
    """How many places have which level, in one line."""
    return dotted(f"{level_word(level)} {getattr(it.counts, level)}" for level in LEVELS)
