"""Reading the rows of a page one by one, so that one that breaks the contract stops no other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from marketplace.core.logging import get_logger
from providers.adapters import fields
from providers.port import ProviderError
from providers.reported import MOST_DELIVERED, UnreadableRow

T = TypeVar("T")
Named = tuple[str | None, str | None]

log = get_logger(__name__)


def read_rows(
    rows: Sequence[Any], read: Callable[[Mapping[str, Any]], T], named: Callable[[Mapping[str, Any]], Named]
) -> tuple[list[T], list[UnreadableRow]]:
    """What `read` makes of each row, and the rows that it could not read. `named` gives the provider's reference of a
    row and ours, as far as they can be read; the provider's is what a row that was read is called too."""
    found: list[T] = []
    unreadable: list[UnreadableRow] = []
    for row in rows:
        try:
            if not isinstance(row, dict):
                raise fields.BadField("row", "object", "a row that is no object")
            found.append(read(row))
        except fields.BadField as bad:
            unreadable.append(_unreadable(row, bad.code, named))
        except ProviderError:
            unreadable.append(_unreadable(row, "row.contract", named))
        except Exception as unexpected:  # a form that nobody thought of is no reason to lose the other rows
            log.exception("provider.row_broke_reader", error=type(unexpected).__name__, exc_info=False)
            unreadable.append(_unreadable(row, "row.unexpected", named))
    return found, unreadable


def readable(row: Mapping[str, Any], name: str) -> str | None:
    """A reference of a row that could not be read as a whole; None where it cannot be read either."""
    try:
        return fields.reference(row, name)
    except ProviderError:
        return None


def one(found: Sequence[T]) -> T | None:
    """The only one, None if there is none."""
    return found[0] if found else None


def _unreadable(row: Any, reason: str, named: Callable[[Mapping[str, Any]], Named]) -> UnreadableRow:
    whole = _written(row)
    reference, ours = named(row) if isinstance(row, dict) else (None, None)
    cut = whole[:MOST_DELIVERED].decode(errors="ignore").encode()
    return UnreadableRow(reason, cut, hashlib.sha256(whole).hexdigest(), reference, ours)


def _written(row: Any) -> bytes:
    """The row in canonical JSON; what JSON or UTF-8 has no way to write is escaped."""
    try:
        text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        text = '"nested too deeply"'
    return text.encode(errors="backslashreplace")
