"""Providers' own codes for results, and what they mean in our vocabulary."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.reports.models import ReportItemCode
from booking.reports.reading.vocabulary import vocabulary
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.db import transaction
from marketplace.core.errors import Invalid, NotFound

MOST = 5_000


def codes_of(session: Session, provider_id: int) -> dict[str, str]:
    """The vocabulary's item by the provider's code."""
    rows = session.execute(
        select(ReportItemCode.code, ReportItemCode.item).where(ReportItemCode.provider_id == provider_id)
    )
    return {row.code: row.item for row in rows}


def map_codes(provider: str, file: Path, *, now: datetime) -> int:
    """Import a provider's code list: a CSV file with the columns `code` and `item` (the vocabulary's code; blank
    removes the mapping). Returns how many lines were imported. It applies to reports that are stored already, too.

    Raises NotFound(field="provider"), Invalid(field="line N") for a line that names no item or no code; then nothing
    is changed.
    """
    pairs = _read(file)
    with transaction() as session:
        provider_id = session.scalar(select(Provider.id).where(Provider.code == provider))
        if provider_id is None:
            raise NotFound(field="provider")
        for code, item in sorted(pairs.items()):
            values = {"item": item, "changed_at": now}
            session.execute(
                insert(ReportItemCode)
                .values(provider_id=provider_id, code=code, **values)
                .on_conflict_do_update(index_elements=["provider_id", "code"], set_=values)
            )
        audit.record(
            session, "report.codes_mapped", at=now, actor_kind="system", actor="cli", subject=provider, codes=len(pairs)
        )
    return len(pairs)


def _read(file: Path) -> dict[str, str]:
    known = vocabulary().items
    pairs: dict[str, str] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            code, item = (row.get("code") or "").strip(), (row.get("item") or "").strip()
            if not code or len(code) > 100 or (item and item not in known) or len(pairs) >= MOST:
                raise Invalid(field=f"line {number}", reason="unknown_item")
            pairs[code] = item
    return pairs
