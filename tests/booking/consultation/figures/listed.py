"""All rows that a figure counts, read as a page shows them."""

from __future__ import annotations

from booking.consultation.figures.rows import CountedRow, Listing, counted, every


def listed(listing: Listing, limit: int = 3) -> list[CountedRow]:
    """All pages, a few rows each; the count above them is the number of rows."""
    found: list[CountedRow] = []
    cursor = None
    while True:
        shown = counted(listing, cursor=cursor, limit=limit)
        found += shown.page.items
        cursor = shown.page.next
        if cursor is None:
            break
    assert shown.total == len(found)
    assert found == list(every(listing, most=1000))
    return found
