"""Pairs that may be one place, and places, in words, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from booking.places.view import Merged, Pair, PlaceView, Side, Suited
from marketplace.catalog.search import SiteView
from marketplace.core.text import Text
from marketplace.web.formats import dotted
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Link
from marketplace.web.place_words import both_names, city_name, district_name, province_name


@dataclass(frozen=True)
class SideCard:
    """A site beside another one. `facts` are (label, value), blank ones left out; `offers` says how many services are
    sold there, `samples` some of them."""

    id: str
    name: str
    url: str
    facts: tuple[tuple[str, str], ...]
    offers: str
    samples: tuple[str, ...]


@dataclass(frozen=True)
class PairCard:
    """A pair in words: `likely` how sure, `why` each reason with whether it speaks for it. `keep` comes first of the
    two."""

    id: str
    likely: str
    sure: bool
    why: tuple[tuple[str, bool], ...]
    keep: SideCard
    other: SideCard
    apart_at: datetime | None


@dataclass(frozen=True)
class MergedRow:
    """What is or was part of a place."""

    id: str
    site: SideCard
    into: str
    merged_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True)
class SuitedRow:
    """A benefit that the kind of place can't give."""

    benefit: str
    name: str
    reason: str
    allowed: bool


@dataclass(frozen=True)
class PlacePage:
    """One place. `entry` is the name of what was asked for where that is part of it, else blank."""

    card: SideCard
    entry: str
    merges: tuple[MergedRow, ...]
    pairs: tuple[PairCard, ...]
    suited: tuple[SuitedRow, ...]


def side(it: Side) -> SideCard:
    """A site with what is known of it."""
    where = (
        province_name(it.province if it.province != it.city else ""),
        city_name(it.city),
        district_name(it.district),
    )
    known = (
        (_("Other names"), "、".join(it.aliases)),
        (_("Merged into it"), "、".join(it.parts)),
        (pgettext("address", "Where"), dotted(where)),
        (_("Address"), it.address),
        (_("Tier"), it.tier or ""),
        (_("Kind"), it.kind),
        (_("Position"), "" if it.longitude is None else f"{it.latitude:.5f}, {it.longitude:.5f}"),
    )
    sold = ngettext("%(num)d service is sold here", "%(num)d services are sold here", it.offers)
    return SideCard(
        it.id,
        both_names(it.name, it.city, it.district, it.province),
        url_for("console.place", site=it.id),
        tuple((label, value) for label, value in known if value),
        sold if it.offers else _("Nothing is sold here."),
        tuple(dotted(map(by_language, sample)) for sample in it.samples),
    )


def pair(it: Pair) -> PairCard:
    """A pair, the side to keep first."""
    first, second = (it.first, it.second) if it.keep == it.first.id else (it.second, it.first)
    likely = _("Very likely the same") if it.sure else _("Perhaps the same")
    return PairCard(
        it.id,
        likely,
        it.sure,
        tuple((_reason(code, it), code not in _AGAINST) for code in it.reasons),
        side(first),
        side(second),
        it.apart_at,
    )


_AGAINST = ("far_apart", "other_number", "other_kind", "other_district")


def _reason(code: str, it: Pair) -> str:
    metres = it.metres or 0
    way = _("%(num)s m", num=metres) if metres < 1_000 else _("%(num)s km", num=f"{metres / 1_000:.1f}")
    said = {
        "same_name": _("The same name, written in another way"),
        "alias_of": _("One has the other's name among its other names"),
        "shared_alias": _("They share one of their other names"),
        "shortened": _("One name is short for the other"),
        "may_be_called": _("One may be called like the other"),
        "same_address": _("The same street and number"),
        "near": _("%(way)s apart", way=way),
        "names_alike": _("The names are alike"),
        "far_apart": _("%(way)s apart", way=way),
        "other_number": _("Another number in the name"),
        "other_kind": _("Another kind of place"),
        "other_district": _("Another district"),
    }
    return said.get(code, code)


def place(it: PlaceView) -> PlacePage:
    """One place, with what is decided about it."""
    return PlacePage(
        side(it.side),
        both_names(it.entry) if it.entry else "",
        tuple(map(merged, it.merges)),
        tuple(map(pair, it.pairs)),
        tuple(map(_suited, it.suited)),
    )


def _suited(it: Suited) -> SuitedRow:
    return SuitedRow(it.benefit, kind_name(it.benefit), by_language(it.reason), it.allowed)


def filters(state: str, city: str) -> tuple[Link, ...]:
    """The lists there are."""
    known = (("open", _("To decide")), ("apart", _("Not the same")), ("merged", _("Merged")))
    return tuple(
        Link(text, url_for("console.places", state=code, city=city or None), current=code == state)
        for code, text in known
    )


def merged(it: Merged) -> MergedRow:
    """What is or was part of a place."""
    return MergedRow(it.id, side(it.site), both_names(it.into), it.merged_at, it.undone_at)


@dataclass(frozen=True)
class Hit:
    """A place that a search found."""

    id: str
    name: str
    where: str
    url: str


def hit(it: SiteView) -> Hit:
    """A place that a search found."""
    around = Text(dotted((it.city, it.district, it.address)), it.address_en or it.where_en)
    name = both_names(it.name, it.city, it.district, it.province)
    return Hit(it.public_id, name, by_language(around), url_for("console.place", site=it.public_id))
