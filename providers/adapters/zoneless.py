"""Times without a zone, as some systems write them: labels of a clock on the provider's wall."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from providers.adapters import fields

FORMAT = "%Y-%m-%d %H:%M:%S"


def wall_clock(at: datetime, zone: str) -> datetime:
    """What a clock on the wall shows at that moment: a time without a zone, to the second."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)


def written(at: datetime) -> str:
    """A time of the wall clock as it is sent."""
    return at.strftime(FORMAT)


def read(body: Mapping[str, Any], name: str) -> datetime:
    """A time of the wall clock as it was told, from 1900 to 2199. Raises ProviderError."""
    try:
        at = datetime.strptime(fields.text(body, name), FORMAT)  # noqa: DTZ007 - it has none
    except ValueError as error:
        raise fields.BadField(name, "time", f"{name} is no time of the form {FORMAT}") from error
    if not 1900 <= at.year < 2200:
        raise fields.BadField(name, "year", f"{name} is not of our times")
    return at


def moment(at: datetime, zone: str, told_at: datetime) -> datetime:
    """The moment (UTC) that a time of the wall clock in `zone` means, when it was told at `told_at` on the same clock.

    In the hour that comes twice in autumn it is the second one, unless that still lay ahead when it was told.
    """
    first, second = (at.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    if second <= first:
        return first
    latest = told_at.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
    return second if second <= latest else first
