"""Rows of a feed that could be read and not be applied: how often, and what stands in their way."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from booking.feeds.models import RowTry
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from providers.reported import MOST_DELIVERED, UnreadableRow

NOT_APPLIED = "row.not_applied"
"""The reason of a row that nothing is wrong with, as far as the adapter can tell."""
MAY_BE_CANCELLED = "row.may_be_cancelled"
"""The reason of a row about a booking that is being cancelled at its provider as nobody's, or may be."""


class PutOff(Busy):
    """What a provider reports cannot be applied before something else has ended, which may take days. Nothing was
    written. Whoever reads reports goes on without this one, and has it asked for again later. `reason` says what has to
    end."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


def tried_before(provider_id: int, feed: str) -> set[str]:
    """The rows of a feed that could not be applied so far."""
    query = select(RowTry.reference).where(RowTry.provider_id == provider_id, RowTry.feed == feed)
    with reading() as session:
        return set(session.scalars(query))


def count_try(provider_id: int, feed: str, reference: str, *, now: datetime) -> int:
    """Count one try more; returns how many there were."""
    row = insert(RowTry).values(provider_id=provider_id, feed=feed, reference=reference, tries=1, last_at=now)
    again = row.on_conflict_do_update(
        index_elements=["provider_id", "feed", "reference"], set_={"tries": RowTry.tries + 1, "last_at": now}
    )
    with transaction() as session:
        return session.scalars(again.returning(RowTry.tries)).one()


def forget_tries(provider_id: int, feed: str, references: Collection[str]) -> None:
    """Forget the tries of rows that were applied."""
    if not references:
        return
    with transaction() as session:
        session.execute(
            delete(RowTry).where(
                RowTry.provider_id == provider_id, RowTry.feed == feed, RowTry.reference.in_(references)
            )
        )


def not_applied(reference: str, told: object, reason: str = NOT_APPLIED) -> UnreadableRow:
    """What was read of a row that could not be applied, as a row that could not be read."""
    known = dataclasses.asdict(told) if dataclasses.is_dataclass(told) and not isinstance(told, type) else told
    whole = json.dumps(known, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()
    cut = whole[:MOST_DELIVERED].decode(errors="ignore").encode()
    ours = getattr(told, "our_reference", None)
    return UnreadableRow(reason, cut, hashlib.sha256(whole).hexdigest(), reference, ours)
