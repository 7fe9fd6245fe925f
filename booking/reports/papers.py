"""The papers of a report's version: each sealed under the version's key and bound to its position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.reports.intake.findings import Paper
from booking.reports.models import ReportDocument, ReportVersion
from marketplace.core.crypto import seal, unseal, unwrap_key


@dataclass(frozen=True)
class PaperLine:
    """A paper as lists show it. `position` counts from 0, `size` is in bytes."""

    position: int
    media_type: str
    size: int


def store_papers(session: Session, version_id: int, papers: Sequence[Paper], *, key: bytes, record: str) -> None:
    """Seal the papers of a version and add them in the caller's transaction. `record` names the version (`rpt_…:1`)."""
    session.add_all(
        ReportDocument(
            version_id=version_id,
            position=position,
            media_type=paper.media_type,
            size=len(paper.content),
            sealed=seal(paper.content, key=key, record=_record(record, position)),
        )
        for position, paper in enumerate(papers)
    )


def papers_of(session: Session, version: ReportVersion) -> list[PaperLine]:
    """The papers of a version by position; empty if it has none.

    A version that is older than the table of papers has only its first one. Its size is that of the sealed bytes less
    what sealing adds (12 bytes of nonce, 16 of tag).
    """
    rows = session.execute(
        select(ReportDocument.position, ReportDocument.media_type, ReportDocument.size)
        .where(ReportDocument.version_id == version.id)
        .order_by(ReportDocument.position)
    ).all()
    if not rows and version.document_type:
        return [PaperLine(0, version.document_type, max(0, len(version.document_sealed) - 28))]
    return [PaperLine(row.position, row.media_type, row.size) for row in rows]


def open_paper(session: Session, version: ReportVersion, record: str, position: int) -> Paper | None:
    """One paper, or None if there is none at that position. Raises crypto.Unreadable once the key is destroyed."""
    key = unwrap_key(version.wrapped_key, record)
    row = session.scalars(
        select(ReportDocument).where(ReportDocument.version_id == version.id, ReportDocument.position == position)
    ).one_or_none()
    if row is not None:
        return Paper(row.media_type, unseal(row.sealed, key=key, record=_record(record, position)))
    if position != 0 or not version.document_type:
        return None
    return Paper(version.document_type, unseal(version.document_sealed, key=key, record=f"{record}:document"))


def _record(record: str, position: int) -> str:
    return f"{record}:document:{position}"
