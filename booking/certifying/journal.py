"""The kit's journal in the database: each line is committed before what it names is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates.models import ConformanceMade
from providers.conformance.journal import Made


class TableJournal:
    """What runs made at one provider."""

    def __init__(self, provider_id: int) -> None:
        self._provider_id = provider_id

    def add(self, made: Made) -> None:
        """Written down for good, in a transaction of its own."""
        with transaction() as session:
            session.execute(
                insert(ConformanceMade)
                .values(
                    provider_id=self._provider_id,
                    what=made.what,
                    subject=made.subject,
                    pool=made.pool,
                    service_date=made.service_date,
                    made_at=datetime.fromisoformat(made.made_at),
                )
                .on_conflict_do_nothing()
            )

    def gone(self, made: Made) -> None:
        """It has been taken back; what was made under the same name since then has not."""
        with transaction() as session:
            session.execute(
                delete(ConformanceMade).where(
                    ConformanceMade.provider_id == self._provider_id,
                    ConformanceMade.subject == made.subject,
                    ConformanceMade.made_at == datetime.fromisoformat(made.made_at),
                )
            )

    def left(self) -> Sequence[Made]:
        """What is still there, the oldest first."""
        query = select(ConformanceMade).where(ConformanceMade.provider_id == self._provider_id)
        with reading() as session:
            return [
                Made(row.what, row.subject, row.made_at.isoformat(), row.pool, row.service_date)
                for row in session.scalars(query.order_by(ConformanceMade.id))
            ]
