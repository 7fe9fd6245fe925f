"""Writing lines, as the product does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from marketplace.chain.verify import Finding, verify
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from tests.people import NOON

INSERT = (
    "INSERT INTO audit_line (at, actor_kind, actor, action, subject, facts)"
    " VALUES ('2026-03-02T04:00:00Z', 'system', 'test', 'test.done', '{subject}', '{{}}')"
)


def write(subject: str, at: datetime = NOON, **facts: object) -> int:
    """One committed line of the audit; its id."""
    with transaction() as session:
        audit.record(session, "test.done", at=at, actor_kind="system", actor="test", subject=subject, **facts)
        session.flush()
        return int(session.execute(text("SELECT max(id) FROM audit_line")).scalar_one())


def sealed_ids() -> list[int]:
    """The audit's lines that any seal holds, in the order of sealing."""
    with reading() as session:
        rows = session.execute(text("SELECT audit_ids FROM audit_seal ORDER BY seq")).scalars()
        return [id_ for ids in rows for id_ in ids]


def findings(**options: object) -> list[str]:
    """What a verification says."""
    found: list[Finding] = []
    verify(found.append, **options)  # type: ignore[arg-type]
    return [str(each) for each in found]
