"""Packages: what is in them, for whom they are, and why a person can't have one."""

from __future__ import annotations

from collections.abc import Mapping
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
    """An offer at a site. `people` says for whom it is, e.g. `女性，18 至 70 岁`; `reasons` why not for this person."""

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


def package(view: OfferView, *, url: str = "", chosen: bool = False) -> Package:
    """An offer's package, with the reasons why the person that was asked about can't have it."""
    card = view.card
    reasons = (wording.sentence(card.not_eligible),) if card.not_eligible else ()
    shown = of_snapshot(card.public_id, card.kind, Text(card.name_zh, card.name_en), view.package)
    provider = by_language(Text(card.provider_zh, card.provider_en))
    summary = dotted((provider, shown.summary))
    return replace(shown, summary=summary, url=url, chosen=chosen, reasons=reasons)


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
