"""Counting what rests on each live key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from booking.keys.indexed import INDEXED
from booking.keys.rewrap import BATCH, PARTS
from booking.reports.models import ReportShare
from marketplace.core.database.db import reading


@dataclass(frozen=True)
class Links:
    """Links to reports that are open and ask for a code, and when the last of them ends."""

    number: int
    last: datetime


@dataclass(frozen=True)
class PartCount:
    """Values of one part by the id of the key they rest on; `ring` is master or index. `left`: rows a rewrap would
    move; `unreadable` values rest on no live key, `unknown` ones can't be moved. `beside`: indexes of the same values
    that are kept under each live key; by None those under keys that are gone, which a rewrap deletes."""

    part: str
    ring: str
    live: tuple[str, ...]
    by_key: Mapping[str, int]
    beside: Mapping[str | None, int]
    left: int
    unreadable: int
    unknown: int


def count() -> list[PartCount]:
    """Open every value and count. Takes as long as reading them all; changes nothing and raises no alarm for master
    keys."""
    return [_count(number) for number in range(len(PARTS))]


def links_with_codes(*, now: datetime) -> Links | None:
    """What rests on index keys and can't be moved, because the code itself is not stored; None if there is none."""
    wanted = select(func.count(), func.max(ReportShare.expires_at)).where(
        ReportShare.code_hash.is_not(None), ReportShare.revoked_at.is_(None), ReportShare.expires_at > now
    )
    with reading() as session:
        number, last = session.execute(wanted).one()
    return Links(number, last) if number else None


def _count(number: int) -> PartCount:
    part, after = PARTS[number], 0
    by_key, beside, rest = Counter[str](), Counter[str | None](), Counter[str]()
    while True:
        with reading() as session:
            numbers = part.batch(session, after, BATCH)
            items = part.look(session, numbers) if numbers else ()
        if not numbers:
            break
        after = numbers[-1]
        for item in items:
            by_key.update(key for key in item.keys if key is not None)
            beside.update(item.beside)
            rest["left"] += not item.current and not item.unknown
            rest["unknown"] += item.unknown
            rest["unreadable"] += 0 if item.unknown else item.keys.count(None)
    live = tuple(key.id for key in part.live())
    ring = "index" if part in INDEXED else "master"
    return PartCount(part.name, ring, live, by_key, beside, rest["left"], rest["unreadable"], rest["unknown"])
