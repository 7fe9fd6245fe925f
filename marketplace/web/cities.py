"""The city that a browser looks for places in: the one it looked at last, else the one with most places."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, unquote

from flask import Response

from marketplace.catalog.search import CityCount
from marketplace.web.cookies import CITIES

_MOST_RECENT = 3
_LONGEST = 50


def usual_city(found: Sequence[CityCount]) -> str:
    """Of these cities the one looked at last, else the one with most places; blank without any."""
    names = {city.name for city in found}
    recent = next((name for name in recent_cities() if name in names), "")
    most = max(found, key=lambda city: city.sites, default=None)
    return recent or (most.name if most else "")


def recent_cities() -> list[str]:
    """The cities that this browser looked at last, newest first."""
    names = unquote(CITIES.read()).split(",")[:_MOST_RECENT]
    return [name for name in names if 0 < len(name) <= _LONGEST]


def remember_city(answer: Response, city: str) -> None:
    """Let this city be the one looked at last."""
    names = [city, *(name for name in recent_cities() if name != city)][:_MOST_RECENT]
    CITIES.write(answer, quote(",".join(names)))
