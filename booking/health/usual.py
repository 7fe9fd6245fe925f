"""How long each provider usually takes to answer: the median of the days before, found once a day, in its row."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, text, update

from booking.health import histogram
from booking.health.answers import ANSWERS
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction

LEAST_USUALLY = 20
"""So many answers make what is usual."""
USUAL_DAYS = timedelta(days=14)
EVERY, WHERE_UNKNOWN = timedelta(days=1), timedelta(hours=1)
"""So often it is found anew. The last day is judged, and is no part of what is usual."""

_BEFORE = text(
    f"""
    SELECT provider_id, place, sum(one)::bigint AS number
      FROM provider_call_count, unnest(histogram) WITH ORDINALITY AS u(one, place)
     WHERE provider_id = ANY(:providers) AND call = '{ANSWERS}' AND at > :since AND at <= :until AND one > 0
     GROUP BY provider_id, place
    """
)


def note_usual(*, now: datetime) -> int:
    """Find it for those for whom that was a day ago, and write it down. Returns for how many."""
    with reading() as session:
        at, unknown = Provider.usual_answer_at, Provider.usual_answer_ms.is_(None)
        old = or_(at.is_(None), at <= now - EVERY, and_(unknown, at <= now - WHERE_UNKNOWN))
        due = session.scalars(select(Provider.id).where(old).order_by(Provider.id)).all()
        if not due:
            return 0
        values = {"providers": list(due), "since": now - USUAL_DAYS, "until": now - EVERY}
        steps: dict[int, list[int]] = defaultdict(lambda: [0] * (histogram.LAST + 1))
        for row in session.execute(_BEFORE, values):
            steps[row.provider_id][row.place - 1] = row.number
    for provider_id in due:
        with transaction() as session:
            session.execute(
                update(Provider)
                .where(Provider.id == provider_id)
                .values(usual_answer_ms=_median(steps[provider_id]), usual_answer_at=now)
            )
    return len(due)


def _median(steps: list[int]) -> int | None:
    """In milliseconds; None of too few answers."""
    if sum(steps) < LEAST_USUALLY:
        return None
    return round(histogram.percentile(steps, 0.5) or 0.0)
