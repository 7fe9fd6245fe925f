"""What operators may do, by role: the one table that use cases and the console's map of pages ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from marketplace.core.errors import NotFound
from vip.principal import Role, Somebody

Duty = Literal["desk", "overrule", "books", "people", "imports"]
"""`desk`: find a booking, see it, cancel it within the customer's window, answer disputes. `overrule`: cancel past that
window, or on the provider's account. `books`: discrepancies and their repairs, comparisons, closing statements, sites
that close, coverage, providers, background jobs. `people`: block customers and unblock them. `imports`: what the
insurer brings in as files."""

DUTIES: Mapping[Role, frozenset[Duty]] = {
    "admin": frozenset({"desk", "overrule", "books", "people", "imports"}),
    "agent": frozenset({"desk"}),
}


def may(principal: Somebody, duty: Duty) -> bool:
    """Whether this is an operator whose role has the duty."""
    return principal.kind == "operator" and principal.role is not None and duty in DUTIES[principal.role]


def require(principal: Somebody, duty: Duty) -> None:
    """Raises NotFound when the role lacks the duty: what a reader may not see looks absent."""
    if not may(principal, duty):
        raise NotFound()
