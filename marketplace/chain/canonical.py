"""One text for one meaning: JSON in the canonical form that is hashed, after RFC 8785.

Members are sorted by the UTF-16 code units of their names, there is no blank, a string is escaped only where JSON
demands it, the bytes are UTF-8. Moments are strings in UTC with six digits of a second and a Z. Whole numbers are
written out whatever their size. A number with a fraction (no line has any today) is the shortest text that gives the
same double, as Python writes it: that is where this differs from the RFC, which would write 1e21 where we write 1e+21.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=lambda it: _moment(it))


def canonical(value: Any) -> bytes:
    """The canonical form of strings, whole numbers, moments, None, lists and dicts of them. Raises TypeError for
    anything else, and for a moment without a zone."""
    return _ENCODER.encode(_sorted(value)).encode()


def digest(value: Any) -> bytes:
    """SHA-256 over the canonical form: 32 bytes."""
    return hashlib.sha256(canonical(value)).digest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=_utf16)}
    if isinstance(value, list | tuple):
        return [_sorted(each) for each in value]
    return value


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _moment(value: Any) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"{type(value).__name__} has no canonical form here")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
