"""Every kind that can be imported in bulk: a new one is a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marketplace.catalog.coverage.importing import COVERAGE
from marketplace.core.bulk.kind import ImportKind
from marketplace.core.errors import NotFound
from vip.policies.bulk import POLICIES

KINDS: Final[Mapping[str, ImportKind[Any]]] = {kind.code: kind for kind in (POLICIES, COVERAGE)}
"""By code, in the order in which they are offered."""


def kind_of(code: str) -> ImportKind[Any]:
    """The kind of that code. Raises NotFound(field="kind")."""
    if code not in KINDS:
        raise NotFound(field="kind")
    return KINDS[code]
