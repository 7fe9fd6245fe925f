"""What a provider's program calls while it is tried: noted call by call, and refused to order.

Only a twin's program is ever watched, and only while a run is under way: nothing of a live one's is noted or refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update

from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import TooMany
from providers.conformance.certificates.models import ConformanceCall, ConformanceRun


@dataclass(frozen=True)
class Call:
    """A call as it was noted: `route` is a path's pattern below `/partner/v1`."""

    id: int
    at: datetime
    method: str
    route: str
    booking: str
    status: int

    @property
    def says(self) -> str:
        """The last word of the path of a write (`confirm`, `reject`, …); blank for a read."""
        return "" if self.method == "GET" else self.route.rpartition("/")[2]


def run_at(twin_id: int, *, now: datetime) -> int | None:
    """The run (internal id) that tries this twin's program now."""
    with reading() as session:
        return session.scalar(select(ConformanceRun.id).where(*_at(twin_id, now)))


def refuse_to_order(twin_id: int, *, now: datetime) -> None:
    """Raise TooMany(retry_after) where a run has this twin's calls refused now."""
    with reading() as session:
        found = session.execute(
            select(ConformanceRun.id, ConformanceRun.refuse_seconds, ConformanceRun.refused_until).where(
                *_at(twin_id, now), ConformanceRun.refuse_seconds.is_not(None)
            )
        ).one_or_none()
    if found is None:
        return
    until = found.refused_until or _first(found.id, now + timedelta(seconds=found.refuse_seconds))
    if now < until:
        raise TooMany(retry_after=max(1, math.ceil((until - now).total_seconds())))


def note(twin_id: int, *, method: str, route: str, booking: str, status: int, now: datetime) -> None:
    """Write a call down, where the twin's program is tried now."""
    run_id = run_at(twin_id, now=now)
    if run_id is None:
        return
    with transaction() as session:
        session.add(
            ConformanceCall(run_id=run_id, at=now, method=method, route=route, booking=booking[:80], status=status)
        )


def calls_since(run_id: int, after: int) -> Sequence[Call]:
    """The calls that were noted after this one (0: all), in their order."""
    query = select(ConformanceCall).where(ConformanceCall.run_id == run_id, ConformanceCall.id > after)
    with reading() as session:
        return [
            Call(row.id, row.at, row.method, row.route, row.booking, row.status)
            for row in session.scalars(query.order_by(ConformanceCall.id))
        ]


def refuse_next(run_id: int, seconds: int | None) -> None:
    """Have the program's next calls refused for so many seconds from the first one on; None: no more."""
    with transaction() as session:
        session.execute(
            update(ConformanceRun).where(ConformanceRun.id == run_id).values(refuse_seconds=seconds, refused_until=None)
        )


def forget_calls(run_id: int) -> None:
    """Delete what was noted in a run."""
    with transaction() as session:
        session.execute(delete(ConformanceCall).where(ConformanceCall.run_id == run_id))


def _at(twin_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    run = ConformanceRun
    return (run.tried_id == twin_id, run.state == "running", run.lease_until > now)


def _first(run_id: int, until: datetime) -> datetime:
    """The end of the refusals, set by the first of them; of two at once the second one finds it set."""
    with transaction() as session:
        session.execute(
            update(ConformanceRun)
            .where(ConformanceRun.id == run_id, ConformanceRun.refused_until.is_(None))
            .values(refused_until=until)
        )
        return session.scalars(select(ConformanceRun.refused_until).where(ConformanceRun.id == run_id)).one() or until
