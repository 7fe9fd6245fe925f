"""In which history of the database a cursor of the event feed was given out.

A cursor holds numbers of transactions, and those mean something within one history only: a copy that was restored to a
moment gives the numbers after it once more, and a dump in another cluster begins to count anew. So each release of the
installation (marketplace.core.release) begins a new history with a name of its own, unless whoever releases a promoted
standby says that nothing was lost. While the database is held back nobody reads the feed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.database import released
from marketplace.core.errors import Refusal

_CURRENT = text(
    f"""
    SELECT CAST(pg_current_snapshot() AS text) AS snapshot, ({released.HELD}) AS held,
           coalesce(r.history, '') AS id, coalesce(r.numbering, '') AS numbering, coalesce(r.lines_before, 0) AS before
      FROM (SELECT 1) AS one
      LEFT JOIN (SELECT history, numbering, lines_before FROM installation_release ORDER BY id DESC LIMIT 1) AS r
        ON true
    """
)

_LOOKED_AT = 100_000
_SUBTRANSACTIONS = 65_536
_BEFORE = text(
    f"""
    SELECT count(*) AS lines, max(id) FILTER (WHERE NOT ours) AS before
      FROM (SELECT id,
                   xact < CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)
                   AND written - xact % 4294967296 BETWEEN 0 AND {_SUBTRANSACTIONS}
                   AND min(xact) OVER same = max(xact) OVER same
                   AND (written = xact % 4294967296 OR id < max(id) OVER ()) AS ours
              FROM (SELECT id, xact, CAST(CAST(xmin AS text) AS bigint) AS written
                      FROM booking_history WHERE xact IS NOT NULL ORDER BY id DESC LIMIT {_LOOKED_AT}) AS looked_at
            WINDOW same AS (PARTITION BY written)) AS line
    """
)


class HeldBack(Refusal):
    """This is a restored copy that nobody has released: what follows in its history is not known yet."""

    code = "unavailable"
    status = 503


class CursorOutlived(Refusal):
    """The cursor is of another history: the database was restored since. `next` is a cursor of now: whoever takes it,
    reads all bookings once and goes on with it, has missed nothing."""

    code = "cursor_outlived"
    status = 410
    field = "cursor"


@dataclass(frozen=True)
class History:
    """The history that goes on now, and its transactions that have ended by now (`snapshot`). `numbering`: by what its
    transactions are numbered; lines up to the id `before` have numbers of another count. Both are blank or 0 where no
    copy was ever released."""

    id: str
    numbering: str
    before: int
    snapshot: str


def current(session: Session) -> History:
    """The history of this database. Raises HeldBack(retry_after)."""
    row = session.execute(_CURRENT).one()
    if row.held:
        raise HeldBack(retry_after=30)
    return History(row.id, row.numbering, row.before, row.snapshot)


def lines_of_before(session: Session) -> int | None:
    """For the release of a database that lies in another cluster than before: the last line of the bookings' history
    whose transaction was numbered there; None where this cluster goes on counting, as after pg_upgrade.

    A line that was written here has its own transaction's number, or that of a part of it, in its row's xmin; a line
    that was restored has the number of whatever restored it: one and the same for lines of many transactions, or, where
    there is one line, not exactly its own. In doubt a line is of before: it is read once more. Lines written while the
    copy was held back have higher ids than all that were restored.
    """
    row = session.execute(_BEFORE).one()
    return None if row.lines and row.before is None else row.before or 0
