"""Escorts in the open protocol: who is sent by the provider, and what she does, is read. They are booked, moved and
cancelled as all bookings are."""

from __future__ import annotations

from urllib.parse import quote

from providers.adapters.open.calls import OpenCalls
from providers.adapters.open.deeds import read_deed
from providers.adapters.open.numbered import MOST_LINES, fetched, picture_named, read_page
from providers.conversing import Picture
from providers.reported import EscortLine, EscortPage


class OpenEscorts(OpenCalls):
    """`providers.escorting.Escorts` for the open protocol."""

    def escort_lines_after(self, reference: str, seq: int) -> EscortPage:
        """GET /escorts/{reference}/lines, up to 200 lines. Lines up to `seq` that come along are left out, and of more
        than 200 the rest is left for the next page."""
        params = {"after": str(seq), "limit": str(MOST_LINES)}
        body = self._read(f"{_at(reference)}/lines", params, self._http.deadline()).json()
        page = read_page(body, "lines", read_deed, reference, seq)
        return EscortPage(page.lines, page.next, page.unreadable)

    def fetch_paper(self, line: EscortLine) -> Picture:
        """GET /escorts/{reference}/pictures/{id}."""
        sha256, name = picture_named(line.picture)
        path = f"{_at(line.reference)}/pictures/{quote(name, safe='')}"
        return fetched(self._read(path, {}, self._http.deadline()), sha256)


def _at(reference: str) -> str:
    return f"/escorts/{quote(reference, safe='')}"
