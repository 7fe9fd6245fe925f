"""Providers' own codes for results, and what they mean in our vocabulary."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.reports.models import ReportItemCode
from booking.reports.reading.vocabulary import vocabulary
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound

MOST = 5_000
COLUMNS = ["code", "item"]


def codes_of(session: Session, provider_id: int) -> dict[str, str]:
    """The vocabulary's item by the provider's code."""
    rows = session.execute(
        select(ReportItemCode.code, ReportItemCode.item).where(ReportItemCode.provider_id == provider_id)
    )
    return {row.code: row.item for row in rows}


def map_codes(provider: str, file: Path, *, now: datetime) -> int:
    """Import a provider's code list: a CSV file with the columns `code` and `item` (the vocabulary's code; blank
    removes the mapping). Returns how many lines were imported. It applies to reports that are stored already, too.

    Raises NotFound(field="provider"), Invalid(field="line N") for a line that names no item or no code, gives a code to
    a second item or isn't two cells, Invalid with the reason for another encoding or header; then nothing is changed.
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
    for number, cells in _lines(file.read_bytes()):
        if len(cells) != len(COLUMNS):
            raise Invalid(field=f"line {number}", reason="not_two_cells")
        code, item = (cell.strip() for cell in cells)
        if not code or len(code) > 100 or (item and item not in known) or len(pairs) >= MOST:
            raise Invalid(field=f"line {number}", reason="unknown_item")
        if pairs.get(code, item) != item:
            raise Invalid(field=f"line {number}", reason="code_of_two_items")
        pairs[code] = item
    return pairs


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The file's lines behind the header, with their numbers. Raises Invalid with what is wrong with its encoding,
    header or quotes."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:200]:
        raise Invalid(field="file", reason="encoding_utf16")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        raise Invalid(field="file", reason="encoding_not_utf8") from bad
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        if header != COLUMNS:
            raise Invalid(field="line 1", reason="header_semicolons" if ";" in "".join(header) else "header_unknown")
        yield from ((lines.line_num, cells) for cells in lines if cells)
    except csv.Error as bad:
        raise Invalid(field=f"line {lines.line_num}", reason="not_two_cells") from bad
