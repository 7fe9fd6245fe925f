"""What operators may do, by role: the one table that use cases and the console's map of pages ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from marketplace.core.errors import NotFound
from vip.principal import Principal, Role

Duty = Literal["desk", "overrule", "books", "people"]
"""`desk`: find a booking, see it, cancel it within the customer's window, answer disputes. `overrule`: cancel past that
window, or on the provider's account. `books`: discrepancies and their repairs, comparisons, closing statements, sites
that close, providers, background jobs. `people`: block customers and unblock them."""

DUTIES: Mapping[Role, frozenset[Duty]] = {
    "admin": frozenset({"desk", "overrule", "books", "people"}),
    "agent": frozenset({"desk"}),
}


def may(principal: Principal, duty: Duty) -> bool:
    """Whether this is an operator whose role has the duty."""
    return principal.kind == "operator" and principal.role is not None and duty in DUTIES[principal.role]


def require(principal: Principal, duty: Duty) -> None:
    """Raises NotFound when the role lacks the duty: what a reader may not see looks absent."""
    if not may(principal, duty):
        raise NotFound()
