"""The benefit kinds: one module each, found by itself. A module here declares `KIND`, a BenefitKind."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType

from marketplace.catalog.benefit_kind import BenefitKind, Words
from marketplace.core.errors import NotFound


@lru_cache(maxsize=1)
def kinds() -> MappingProxyType[str, BenefitKind]:
    """All kinds by code, in the order of their codes."""
    found: dict[str, BenefitKind] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        declared = import_module(f"{__name__}.{module.name}").KIND
        if not isinstance(declared, BenefitKind) or declared.code != module.name:
            raise TypeError(f"{module.name}: KIND must be a BenefitKind whose code is the module's name")
        found[declared.code] = declared
    return MappingProxyType(found)


def kind(code: str) -> BenefitKind:
    """The kind with this code. Raises NotFound(field="benefit")."""
    try:
        return kinds()[code]
    except KeyError:
        raise NotFound(field="benefit") from None


def words_of(code: str) -> Words:
    """The words of a kind; the general ones for a code that is blank or not installed any more."""
    known = kinds().get(code)
    return Words() if known is None else known.words


def has_times(code: str) -> bool:
    """Whether what is booked of this kind has a time; so has what was booked of a kind that is not installed any more.

    What has none is not changed, reminded of, missed or waited for, and no calendar holds it.
    """
    known = kinds().get(code)
    return known is None or known.traits.has_times


def without_times() -> tuple[str, ...]:
    """The codes of the kinds without times, for conditions in SQL."""
    return tuple(code for code, each in kinds().items() if not each.traits.has_times)


def has_windows(code: str) -> bool:
    """Whether a time of this kind is a window within which the service begins, so that its end is told with it."""
    known = kinds().get(code)
    return known is not None and known.traits.supply == "window"


def is_dispatched(code: str) -> bool:
    """Whether somebody is sent for this kind to a venue that the customer chooses; False for a code that is not
    installed any more."""
    known = kinds().get(code)
    return known is not None and known.traits.dispatch


def dispatched() -> tuple[str, ...]:
    """The codes of the kinds for which somebody is sent, for conditions in SQL."""
    return tuple(code for code, each in kinds().items() if each.traits.dispatch)
