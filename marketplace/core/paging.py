"""Pages of a list, and the opaque cursors that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from marketplace.core.errors import Invalid
from marketplace.core.strictjson import LARGEST, storable

T = TypeVar("T")

MAX_LIMIT = 100
_MAX_CURSOR = 2_000


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items of a list. `next` is the cursor of the page that follows, None on the last one."""

    items: Sequence[T]
    next: str | None


def encode_cursor(values: Sequence[Any]) -> str:
    """The cursor of the position after an item with these sort values (texts, whole numbers, None)."""
    text = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, shape: Sequence[type | tuple[type, ...]]) -> list[Any]:
    """The sort values in a cursor; `shape` gives their types, in order (`type(None)` where one may be None).

    Raises Invalid(field="cursor") for anything that encode_cursor would not have made of such values.
    """
    try:
        if len(cursor) > _MAX_CURSOR:
            raise ValueError("too long")
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(shape):
            raise ValueError("another list's cursor")
        if not all(_fits(value, expected) for value, expected in zip(values, shape, strict=True)):
            raise ValueError("wrong values")
    except (ValueError, binascii.Error, RecursionError) as bad:
        raise Invalid(field="cursor", reason="bad_cursor") from bad
    return values


def _fits(value: Any, expected: type | tuple[type, ...]) -> bool:
    """Of the type, and storable: a whole number of 64 bits, a text without NUL and lone surrogates."""
    if isinstance(value, bool) or not isinstance(value, expected):
        return False
    if isinstance(value, int):
        return abs(value) <= LARGEST
    return not isinstance(value, str) or storable(value)


def check_limit(limit: int) -> int:
    """`limit` if it is between 1 and MAX_LIMIT. Raises Invalid(field="limit")."""
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(field="limit", reason="out_of_range", minimum=1, maximum=MAX_LIMIT)
    return limit


def decode_moment(cursor: str) -> tuple[datetime, int]:
    """The moment and the number in a cursor of [moment.isoformat(), number]. Raises Invalid(field="cursor")."""
    text, number = decode_cursor(cursor, (str, int))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as bad:
        raise Invalid(field="cursor", reason="bad_cursor") from bad
    if moment.tzinfo is None:
        raise Invalid(field="cursor", reason="bad_cursor")
    return moment, number
