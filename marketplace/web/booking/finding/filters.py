"""What the finder's list can be narrowed by and sorted by, as chips and choices."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from booking.offers.cities import Narrowing
from marketplace.catalog.site_rows import KINDS_OF_SITES
from marketplace.core.text import Text
from marketplace.web.booking.finding.places_page import FilterGroup, Search
from marketplace.web.language import by_language
from marketplace.web.parts import Choice
from marketplace.web.place_words import district_name
from marketplace.web.tiers import tier_word


def kind_of_place(kind: str) -> str:
    """A kind of place as the reader calls it; one that is not known as it is."""
    return by_language(KINDS_OF_SITES.get(kind, Text(kind, kind)))


def filters(narrowing: Narrowing, search: Search) -> tuple[FilterGroup, ...]:
    """The groups of chips: only what tells places of this city apart, and what is on already."""
    tiers = [(each.name, tier_word(each.name) or _("Tier not known")) for each in narrowing.tiers]
    kinds = [(each.name, kind_of_place(each.name)) for each in narrowing.kinds]
    departments = [(each.code, by_language(each.name)) for each in narrowing.departments]
    districts = [(each.name, district_name(each.name)) for each in narrowing.districts]
    when = (("weekend", _("Free at a weekend")), ("morning", _("Free in the morning")))
    return (
        *_group("tier", _("Tier"), tiers, search.tiers),
        *_group("kind", _("Kind of place"), kinds, search.kinds),
        *_group("when", _("When"), when, search.when),
        *_group("department", _("Department"), departments, search.departments),
        *_group("district", _("District"), districts, search.districts),
    )


def _group(
    name: str, legend: str, options: Sequence[tuple[str, str]], chosen: Sequence[str]
) -> tuple[FilterGroup, ...]:
    if len(options) < 2 and not chosen:
        return ()
    known = {value for value, _label in options}
    gone = [(value, _gone(name, value)) for value in chosen if value not in known]
    choices = tuple(Choice(value, label, value in chosen) for value, label in [*options, *gone])
    return (FilterGroup(name, legend, choices),)


def _gone(name: str, value: str) -> str:
    """What is on, though no place of this city has it."""
    called = {"tier": tier_word, "kind": kind_of_place, "district": district_name}.get(name)
    return called(value) if called else value


def sorts(chosen: str, *, query: bool, near: bool) -> tuple[Choice, ...]:
    """The orders of the list; the nearest first only where the reader's position is known, best match with words."""
    options = [("soonest", _("Soonest first")), ("level", _("Highest tier first"))]
    if query:
        options.insert(0, ("match", _("Best match first")))
    if near:
        options.append(("nearest", _("Nearest first")))
    return tuple(Choice(value, label, value == chosen) for value, label in options)
