"""Packages: what is in them, for whom they are, and why a person can't have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from booking.offers.cards import OfferView
from marketplace import wording
from marketplace.core.text import Text
from marketplace.web.formats import dotted, span
from marketplace.web.language import by_language


@dataclass(frozen=True)
class Package:
    """An offer at a site. `people` says for whom it is, e.g. `女性，18 至 70 岁`; `reasons` why not for this
    person; `provider` who gives it, blank where that is said elsewhere."""

    id: str
    name: str
    summary: str
    items: tuple[tuple[str, tuple[str, ...]], ...]
    count: int
    people: str
    fasting: str
    url: str
    chosen: bool = False
    reasons: tuple[str, ...] = ()
    kind: str = ""
    provider: str = ""


def package(view: OfferView, *, url: str = "", chosen: bool = False) -> Package:
    """An offer's package, with the reasons why the person that was asked about can't have it."""
    card = view.card
    reasons = (wording.sentence(card.not_eligible),) if card.not_eligible else ()
    shown = of_snapshot(card.public_id, card.kind, Text(card.name_zh, card.name_en), view.package)
    provider = by_language(Text(card.provider_zh, card.provider_en))
    summary = dotted((provider, shown.summary))
    return replace(shown, summary=summary, url=url, chosen=chosen, reasons=reasons, provider=provider)


@dataclass(frozen=True)
class Column:
    """A package beside others of its kind. `worth` is in minor units; `differs` are the items that not all of them
    have, those of the fewest first, in one order for all, and whether this one has it. An item that one provider alone
    names is not held against another's package, which may have it under another name. `note` says what else suits a
    person it is not for."""

    package: Package
    worth: int
    currency: str
    best: bool
    differs: tuple[tuple[str, bool], ...]
    note: str = ""


@dataclass(frozen=True)
class SideBySide:
    """Packages of one kind at one site, best value for the same unit first; `common` are the items of all of them."""

    columns: tuple[Column, ...]
    common: tuple[str, ...]


def side_by_side(views: Sequence[OfferView], urls: Mapping[str, str], chosen: str, name: str) -> SideBySide:
    """The packages that the person called `name` may have come first, then by what they are worth. `urls` lead on from
    each offer; `chosen` is one by its public id, or blank."""
    ordered = sorted(views, key=lambda view: (view.card.not_eligible is not None, -view.card.price_minor))
    had = [_items(view) for view in ordered]
    common = tuple(item for item in had[0] if all(item in items for items in had)) if had else ()
    some = dict.fromkeys(item for items in had for item in items if item not in common)
    differing = sorted(some, key=lambda item: sum(item in items for items in had))
    named = {item: {_whose(view) for view, items in zip(ordered, had, strict=True) if item in items} for item in some}
    fit = [view for view in ordered if view.card.not_eligible is None]
    best = fit[0] if len(fit) > 1 and fit[0].card.price_minor > fit[1].card.price_minor else None
    columns = tuple(
        Column(
            package(view, url=urls[view.card.public_id], chosen=view.card.public_id == chosen),
            view.card.price_minor,
            view.card.currency,
            view is best,
            tuple((item, item in items) for item in differing if item in items or _comparable(item, view, named)),
            _("Another one here suits %(name)s.", name=name) if fit and view not in fit else "",
        )
        for view, items in zip(ordered, had, strict=True)
    )
    return SideBySide(columns, common)


def _whose(view: OfferView) -> str:
    return view.card.provider_zh


def _comparable(item: str, view: OfferView, named: Mapping[str, set[str]]) -> bool:
    """Whether this package's provider would say so if it had the item: it names it elsewhere, or several do."""
    return _whose(view) in named[item] or len(named[item]) > 1


def _items(view: OfferView) -> tuple[str, ...]:
    return tuple(by_language(Text(item["name_zh"], item["name_en"])) for item in view.package.get("items", ()))


def of_snapshot(offer: str, kind: str, name: Text, content: Mapping[str, Any]) -> Package:
    """A package as it was frozen into a booking."""
    items = tuple(by_language(Text(item["name_zh"], item["name_en"])) for item in content.get("items", ()))
    minutes = content.get("duration_minutes")
    return Package(
        offer,
        by_language(name),
        _("about %(span)s", span=span(minutes * 60)) if minutes else "",
        ((_("Included"), items),) if items else (),
        len(items),
        for_whom(content),
        fasting(content),
        url_for("web.times", offer=offer),
        kind=kind,
    )


def fasting(content: Mapping[str, Any]) -> str:
    """The package's own sentence on fasting, blank when one may eat."""
    hint = content.get("fasting") or {}
    return by_language(Text(hint.get("hint_zh", ""), hint.get("hint_en", "")))


def for_whom(content: Mapping[str, Any]) -> str:
    """`男女均可，18 至 70 岁`."""
    sex = {"male": _("Men"), "female": _("Women")}.get(content.get("sex", "any"), _("Men and women"))
    youngest, oldest = content.get("age_min"), content.get("age_max")
    if youngest is None and oldest is None:
        return sex
    if oldest is None:
        return _("%(sex)s, %(age)d and over", sex=sex, age=youngest)
    return _("%(sex)s, %(young)d to %(old)d", sex=sex, young=youngest or 0, old=oldest)
