"""Reading what changed from lists that can be asked by time of change only, in half-open windows and by page number.

Rows change while they are read and then leave the window they were in, which moves the later ones to earlier pages. So
pages are not counted on: after a full page the next window begins at the time of its last row; only rows of one and
the same second are asked for by page number. Each pull begins a while before the last one ended (setting
`overlap_seconds`, 15 minutes): what the provider committed late carries the earlier time. What is read again has the
version it had and changes nothing.

All times here are the provider's wall clock. The next pull begins by what that clock showed, so a wrong one does no
harm, and where it is put back in autumn, so is the beginning.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from providers.adapters import zoneless
from providers.adapters.fields import BadField
from providers.port import CursorLost, ProviderError

SPAN = timedelta(days=31)
AHEAD = timedelta(days=1)
OVERLAP_SECONDS = 900
HISTORY_DAYS = 90

Check = Callable[[Mapping[str, Any]], None]
"""Raises BadField for a row that breaks the contract by where it stands."""


def anything(_row: Mapping[str, Any]) -> None:
    """For a list that is not asked by times: every row may be in it."""


@dataclass(frozen=True)
class Window:
    """Where a pull stands: it asks from `start` for the page `page`; `began` is what the provider's clock showed at its
    first answer (None before), `now` what we take it to show."""

    start: datetime
    page: int
    began: datetime | None
    now: datetime

    @staticmethod
    def open(cursor: str | None, page: str | None, now: datetime, settings: Mapping[str, str]) -> Window:
        """From a page token, a cursor, or (neither) from `history_days` ago. Raises CursorLost."""
        if page is not None:
            start, number, began = [*page.split("|"), "", ""][:3]
            return Window(_time(start), page_of(number), _time(began), now)
        if cursor is not None:
            return Window(_time(cursor), 1, None, now)
        history = _number(settings, "history_days", HISTORY_DAYS)
        return Window(now - timedelta(days=history), 1, None, now)

    @property
    def end(self) -> datetime:
        """The first moment that is not asked for."""
        return self.start + SPAN

    def asked(self, name: str, size: int) -> dict[str, Any]:
        """The parameters."""
        return {
            f"{name}Start": zoneless.written(self.start),
            f"{name}End": zoneless.written(self.end),
            "pageNo": self.page,
            "pageSize": size,
        }

    def check(self, name: str) -> Check:
        """A check of a row's time, which raises BadField for one that was not asked for."""

        def asked_for(row: Mapping[str, Any]) -> None:
            if not self.start <= zoneless.read(row, name) < self.end:
                raise BadField(name, "window", f"{name} is outside the window that was asked for")

        return asked_for

    def token(self) -> str:
        """To go on from here."""
        began = "" if self.began is None else zoneless.written(self.began)
        return f"{zoneless.written(self.start)}|{self.page}|{began}"


def next_window(
    window: Window,
    rows: Sequence[Any],
    name: str,
    size: int,
    server_time: datetime,
    settings: Mapping[str, str],
) -> Window | str:
    """What to ask after this page; or, after the last one, the cursor of the next pull. A row whose time cannot be
    read, is outside the window or out of order says nothing of where to go on. Raises ProviderError for a page that
    says nothing at all."""
    began = window.began or server_time
    if len(rows) > size:
        raise ProviderError("more rows than asked for")
    told = _times(window, rows, name)
    times = _in_order(told)
    if 2 * len(times) < len(told) or (len(rows) == size and not times):
        raise ProviderError("rows outside the window, or not in the order of their times")
    if len(rows) == size:
        if times[-1] == window.start:
            return replace(window, page=window.page + 1, began=began)
        return replace(window, start=times[-1], page=1, began=began)
    if window.end <= server_time + AHEAD:
        return replace(window, start=window.end, page=1, began=began)
    overlap = timedelta(seconds=_number(settings, "overlap_seconds", OVERLAP_SECONDS))
    return zoneless.written(began - overlap)


def _times(window: Window, rows: Sequence[Any], name: str) -> list[datetime]:
    """The times of the rows that have one in the window, in the order of the rows."""
    check, times = window.check(name), []
    for row in rows:
        if not isinstance(row, dict):
            continue
        try:
            check(row)
        except ProviderError:
            continue
        times.append(zoneless.read(row, name))
    return times


def _in_order(times: Sequence[datetime]) -> list[datetime]:
    """The longest part of the times that is in order: a wrong one among right ones falls out, wherever it stands."""
    tails: list[datetime] = []
    chains: list[tuple[datetime, Any]] = []
    for at in times:
        place = bisect_right(tails, at)
        chain = (at, chains[place - 1] if place else None)
        tails[place : place + 1], chains[place : place + 1] = [at], [chain]
    found: list[datetime] = []
    link = chains[-1] if chains else None
    while link is not None:
        found.append(link[0])
        link = link[1]
    return found[::-1]


def tokens(following: Window | str) -> tuple[str | None, str | None]:
    """(next, cursor) of the port's pages."""
    return (following.token(), None) if isinstance(following, Window) else (None, following)


def page_of(token: str | None) -> int:
    """A page number from its token, 1 for none. Raises CursorLost."""
    if token is None:
        return 1
    if not (token.isascii() and token.isdigit() and 0 < int(token[:9]) < 10**6):
        raise CursorLost("a page token of another kind")
    return int(token)


def _time(text: str) -> datetime:
    try:
        return zoneless.read({"cursor": text}, "cursor")
    except ProviderError as error:
        raise CursorLost("a cursor of another kind") from error


def _number(settings: Mapping[str, str], name: str, default: int) -> int:
    value = str(settings.get(name, default))
    return int(value) if value.isascii() and value.isdigit() else default
