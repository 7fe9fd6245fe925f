"""Tell operators of a provider that does not take what its patients say: one case for each, which closes itself."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text

from booking.discrepancies import Discrepancy, close_discrepancy, open_discrepancy
from marketplace.core.database.db import transaction
from marketplace.core.database.moment import When, moment

WAITING = "messages_waiting"
"""The kind of the discrepancy, about the provider (its code)."""
PATIENCE = timedelta(minutes=2)
"""So long a message may be on its way, as a command may."""

_LATE = text(
    """
    SELECT d.provider_id, v.code, count(*) AS messages
      FROM conversation_delivery d
      JOIN conversation_message m ON m.id = d.message_id
      JOIN provider v ON v.id = d.provider_id
     WHERE d.state IN ('queued','in_flight') AND m.at <= :before
     GROUP BY 1, 2 ORDER BY 1
    """
)


def raise_waiting_messages(*, now: When) -> dict[str, int]:
    """Open a case for each provider that has not taken something for PATIENCE, and close those of all others. Returns
    counts."""
    counts = {"opened": 0, "closed": 0}
    with transaction() as session:
        at = moment(session, now)
        late = session.execute(_LATE, {"before": at - PATIENCE}).all()
        for row in late:
            facts = {"messages": row.messages}
            counts["opened"] += open_discrepancy(session, row.provider_id, WAITING, row.code, now=at, facts=facts)
        over = select(Discrepancy.provider_id, Discrepancy.subject).where(
            Discrepancy.kind == WAITING,
            Discrepancy.closed_at.is_(None),
            Discrepancy.provider_id.not_in([row.provider_id for row in late]),
        )
        for provider_id, code in session.execute(over).all():
            counts["closed"] += close_discrepancy(session, provider_id, WAITING, code, "taken", now=at)
    return counts
