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
