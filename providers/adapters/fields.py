"""Reading fields of a provider's JSON. A wrong one raises ProviderError, which tells its name and not its value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from marketplace.core.strictjson import storable
from providers.port import ProviderError

# Thousands of slots in a page share few days and hours.
_day = lru_cache(maxsize=4096)(date.fromisoformat)
_moment = lru_cache(maxsize=16384)(datetime.fromisoformat)


def text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Text that can be stored, not blank; with `default`, that if it is missing or null."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (default is None and not value):
        raise ProviderError(f"{name} is missing or not text")
    if not storable(value):
        raise ProviderError(f"{name} holds what is no text")
    return value


def whole_number(body: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A whole number from 0 to 2^31-1."""
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ProviderError(f"{name} is missing or no whole number")
    return value


def number(body: Mapping[str, Any], name: str) -> float | None:
    """A number, None if it is missing or null."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or abs(value) > 1e12:
        raise ProviderError(f"{name} is no number")
    return float(value)


def day(body: Mapping[str, Any], name: str) -> date | None:
    """An ISO 8601 date, None if it is missing, null or blank."""
    value = text(body, name, "")
    try:
        return _day(value) if value else None
    except ValueError as error:
        raise ProviderError(f"{name} is no date") from error


def moment(body: Mapping[str, Any], name: str) -> datetime | None:
    """An ISO 8601 time with its zone, None if it is missing, null or blank."""
    value = text(body, name, "")
    if not value:
        return None
    try:
        parsed = _moment(value)
    except ValueError as error:
        raise ProviderError(f"{name} is no time") from error
    if parsed.tzinfo is None:
        raise ProviderError(f"{name} is without a zone")
    return parsed


def object_at(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A JSON object."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise ProviderError(f"{name} is missing or no object")
    return value


def objects_at(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of JSON objects, perhaps empty."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ProviderError(f"{name} is missing or no list of objects")
    return value


def page_tokens(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """`next` and `cursor`, None where there is none."""
    return text(body, "next", "") or None, text(body, "cursor", "") or None
