"""Reading fields of a provider's JSON. A wrong one raises BadField, which tells its name and not its value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from marketplace.core.strictjson import storable
from providers.port import ProviderError

LONGEST_REFERENCE = 255
FARTHEST = timedelta(hours=15)
"""No place on earth is as far from UTC, and PostgreSQL takes no more."""
When = TypeVar("When", date, datetime)

# Thousands of slots in a page share few days and hours.
_day = lru_cache(maxsize=4096)(date.fromisoformat)
_moment = lru_cache(maxsize=16384)(datetime.fromisoformat)


class BadField(ProviderError):
    """A field that breaks the contract. `code` names it and what is wrong with it, and stays the same for ever:
    `status.unknown`, `version.number`. `says` is that in words."""

    def __init__(self, name: str, wrong: str, says: str) -> None:
        super().__init__(says)
        self.code = f"{name}.{wrong}"


def text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Text that can be stored, not blank; with `default`, that if it is missing or null."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (default is None and not value):
        raise BadField(name, "text", f"{name} is missing or not text")
    if not storable(value):
        raise BadField(name, "characters", f"{name} has characters that cannot be stored")
    return value


def reference(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """As `text`, short enough for an index."""
    value = text(body, name, default)
    if len(value) > LONGEST_REFERENCE:
        raise BadField(name, "length", f"{name} is longer than {LONGEST_REFERENCE} characters")
    return value


def whole_number(body: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A whole number from 0 to 2^31-1."""
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise BadField(name, "number", f"{name} is missing or no whole number")
    return value


def number(body: Mapping[str, Any], name: str) -> float | None:
    """A number, None if it is missing or null."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or abs(value) > 1e12 or math.isnan(value):
        raise BadField(name, "number", f"{name} is no number")
    return float(value)


def day(body: Mapping[str, Any], name: str) -> date | None:
    """An ISO 8601 date from 1900 to 2199, None if it is missing, null or blank."""
    value = text(body, name, "")
    if not value:
        return None
    try:
        parsed = _day(value)
    except ValueError as error:
        raise BadField(name, "date", f"{name} is no date") from error
    return _of_our_times(parsed, name)


def moment(body: Mapping[str, Any], name: str) -> datetime | None:
    """An ISO 8601 time with its zone, from 1900 to 2199, None if it is missing, null or blank."""
    value = text(body, name, "")
    if not value:
        return None
    try:
        parsed = _moment(value)
    except ValueError as error:
        raise BadField(name, "time", f"{name} is no time") from error
    away = parsed.utcoffset()
    if away is None:
        raise BadField(name, "zone", f"{name} is without a zone")
    if abs(away) > FARTHEST:
        raise BadField(name, "no_zone", f"{name} is in a zone that is nowhere")
    return _of_our_times(parsed, name)


def _of_our_times(parsed: When, name: str) -> When:
    """PostgreSQL keeps moments that Python cannot read back, and near the ends of the calendar no zone can be added."""
    if not 1900 <= parsed.year < 2200:
        raise BadField(name, "year", f"{name} is not of our times")
    return parsed


def object_at(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A JSON object."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise BadField(name, "object", f"{name} is missing or no object")
    return value


def rows_at(body: Mapping[str, Any], name: str) -> list[Any]:
    """A list, whatever is in it: what it holds is read one by one (providers.adapters.rows)."""
    value = body.get(name)
    if not isinstance(value, list):
        raise BadField(name, "list", f"{name} is missing or no list")
    return value


def objects_at(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of JSON objects, perhaps empty."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadField(name, "list", f"{name} is missing or no list of objects")
    return value


def page_tokens(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """`next` and `cursor`, None where there is none."""
    return text(body, "next", "") or None, text(body, "cursor", "") or None
