"""Whether the chain is well: the leader's two jobs, and what an operator must know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from marketplace.chain.heads import HeadsWriter
from marketplace.chain.models import AuditVerification
from marketplace.chain.seal import seal_all, unsealed_since
from marketplace.chain.verify import Finding, verify
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger

log = get_logger(__name__)

UNSEALED_SECONDS = 60
"""Longer than this no line may wait for its seal."""
NIGHT = time(3)
"""When the chain is verified, in the home zone."""
FEW = 100
"""So many findings of a verification are kept."""


@dataclass(frozen=True)
class LastVerification:
    """How the last verification of the chain ended."""

    at: datetime
    lines: int
    found: int
    findings: tuple[str, ...]


class Sealer:
    """The leader's job: seal what has committed, write the heads, and say so when lines waited too long."""

    def __init__(self, heads_file: Path | None, now: Callable[[], datetime], stopping: Callable[[], bool]) -> None:
        self._writer = HeadsWriter(heads_file)
        self._now = now
        self._stopping = stopping
        self._sealed_until: datetime | None = None

    def run(self) -> dict[str, object]:
        """Returns the number of lines sealed, and how it is with the file. Raises as seal_all()."""
        began = self._now()
        waited = unsealed_seconds(now=began, sealed_until=self._sealed_until)
        if waited > UNSEALED_SECONDS:
            log.error("audit.unsealed", seconds=int(waited))
        sealed = seal_all(now=self._now, stopping=self._stopping)
        self._sealed_until = began
        return {"lines": sealed, "heads_file": self._writer.write()}


def unsealed_seconds(*, now: datetime, sealed_until: datetime | None) -> float:
    """For how long the oldest unsealed line has waited, 0 without any. What had committed when the last successful
    sealing began (`sealed_until`) is sealed: a line with an earlier time than that came late."""
    with reading() as session:
        since = unsealed_since(session)
    if since is None:
        return 0.0
    return max(0.0, (now - max(since, sealed_until or since)).total_seconds())


def verify_nightly(
    *, heads_file: Path | None, now: Callable[[], datetime], stopping: Callable[[], bool]
) -> dict[str, int]:
    """Verify the whole chain once a night, the first time this is asked after NIGHT; what is found is logged and
    kept. Returns counts, {} when it is not due."""
    began = now()
    last = last_verification()
    if last is not None and last.at >= _last_night(began):
        return {}
    return run_verification(heads_file=heads_file, at=began, stopping=stopping)


def run_verification(*, heads_file: Path | None, at: datetime, stopping: Callable[[], bool]) -> dict[str, int]:
    """Verify the whole chain; what is found is logged and kept. A file of heads that cannot be read is not compared."""
    findings: list[str] = []

    def report(finding: Finding) -> None:
        if len(findings) < FEW:
            findings.append(str(finding))
            log.error("audit.finding", kind=finding.kind, table=finding.table, id=finding.id or None, seal=finding.seal)

    readable = heads_file is not None and heads_file.is_file()
    done = verify(report, heads_file=heads_file if readable else None, stopping=stopping)
    if stopping():
        return {}
    with transaction() as session:
        session.add(AuditVerification(at=at, seals=done.seals, lines=done.lines, found=done.found, findings=findings))
    log.info("audit.verified", seals=done.seals, lines=done.lines, found=done.found)
    return {"seals": done.seals, "lines": done.lines, "found": done.found}


def last_verification() -> LastVerification | None:
    """None before the first."""
    with reading() as session:
        row = session.scalar(select(AuditVerification).order_by(AuditVerification.id.desc()).limit(1))
    return None if row is None else LastVerification(row.at, row.lines, row.found, tuple(row.findings))


def _last_night(now: datetime) -> datetime:
    """The last time that the clock of the home zone showed NIGHT."""
    here = now.astimezone(ZoneInfo(HOME_ZONE))
    tonight = datetime.combine(here.date(), NIGHT, here.tzinfo)
    return tonight if tonight <= here else tonight - timedelta(days=1)
