"""Reading a list of a FHIR server over several calls: where it stands, and where the next pull begins.

Resources change while they are read and move to the end of a list that is sorted by time of change, which moves the
later ones to earlier pages. So the next page is asked for from the time of the last row on, wherever that gets further;
the server's own link is followed only within one and the same moment. Each pull begins a while before the last one
ended (setting `overlap_seconds`): what is committed late carries the earlier time. What is read again has the version
it had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from providers.adapters import fields
from providers.adapters.fhir.server import FhirServer, Page
from providers.adapters.fhir.slots import last_updated
from providers.adapters.http import Deadline
from providers.port import CursorLost, ProviderError

Params = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Place:
    """Where a pull stands: what changed since `start` is wanted, all if it is blank; it has come to `since`, or follows
    `link`. `began` is the server's time at its first answer. `parts` are lists still to be read, the first one now."""

    start: str = ""
    since: str = ""
    link: str = ""
    began: str = ""
    parts: tuple[str, ...] = ()

    @staticmethod
    def open(cursor: str | None, page: str | None) -> Place:
        """From the token of a page, a cursor, or the start. Raises CursorLost."""
        if page is None:
            start = "" if cursor is None else written(_moment(cursor))
            return Place(start, start)
        try:
            told = json.loads(page)
            place = Place(**{**told, "parts": tuple(told["parts"])})
        except (ValueError, TypeError, KeyError) as error:
            raise CursorLost("a page token of another kind") from error
        for at in (place.start, place.since, place.began):
            if at:
                _moment(at)
        return place

    def token(self) -> str:
        """To go on from here."""
        return json.dumps(asdict(self))


def read_page(server: FhirServer, kind: str, params: Params, place: Place, deadline: Deadline) -> Page:
    """The page of a list sorted by time of change that is to be read next."""
    if place.link:
        return server.follow(kind, place.link, deadline)
    asked = {**params, "_sort": "_lastUpdated"}
    if place.since:
        asked["_lastUpdated"] = f"ge{place.since}"
    return server.search(kind, asked, deadline)


def tokens(place: Place, page: Page, overlap_seconds: int) -> tuple[str | None, str | None]:
    """(next, cursor) of the port's pages, after this page."""
    place = replace(place, began=place.began or written(page.at))
    if page.next is not None:
        last = _furthest(page.rows)
        reached = "" if last is None else written(last)  # cut as `since` is, or it would seem to be further for ever
        if reached and (not place.since or _moment(reached) > _moment(place.since)):
            return replace(place, since=reached, link="").token(), None
        return replace(place, link=page.next).token(), None
    if len(place.parts) > 1:
        return replace(place, since=place.start, link="", parts=place.parts[1:]).token(), None
    return None, written(_moment(place.began) - timedelta(seconds=overlap_seconds))


def written(at: datetime) -> str:
    """A moment as it is sent: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _furthest(rows: Sequence[Any]) -> datetime | None:
    """The time of the last row, if all of them are in order."""
    try:
        times = [last_updated(row) for row in rows if isinstance(row, dict)]
    except ProviderError:
        return None
    ordered = all(one <= other for one, other in pairwise(times))
    return times[-1] if times and ordered else None


def _moment(text: str) -> datetime:
    try:
        at = fields.moment({"cursor": text}, "cursor")
    except ProviderError as error:
        raise CursorLost("a cursor of another kind") from error
    if at is None:
        raise CursorLost("a cursor of another kind")
    return at
