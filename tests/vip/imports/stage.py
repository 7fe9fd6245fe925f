"""A kind of import that tests steer: a thing is a line of the audit, which nobody can take back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.audit import AuditLine
from marketplace.core.bulk.cells import Cells, Column, Reason
from marketplace.core.bulk.kind import ImportKind, Outcome
from marketplace.core.database.db import reading
from marketplace.core.errors import Busy, Invalid
from marketplace.core.text import Text
from tests.access.sessions import operator_with, session_of
from tests.people import NOON, make_insurer
from vip.imports.upload import upload
from vip.imports.work import work_imports
from vip.operators.operators import create_operator
from vip.principal import Principal, Role

MADE, ONLY = "thing.made", "thing.only_one"
WAIT = {"seconds": 0.0}
"""How long the making of a thing takes."""
HELD = dict[str, int]()
"""How often a rival still holds the thing of a key."""


def _read(cells: Cells) -> tuple[str, str]:
    return cells.text("key", longest=20), cells.text("name")


def _apply(session: Session, insurer_id: int, row: tuple[str, str], *, now: datetime, source: str) -> str:
    """Make a thing, unless there is one; some names make trouble."""
    key, name = row
    time.sleep(WAIT["seconds"])
    if session.scalar(select(AuditLine.id).where(AuditLine.action == MADE, AuditLine.subject == key)):
        return "same"
    audit.record(
        session, MADE, at=now, actor_kind="system", actor="test", subject=key, insurer_id=insurer_id, source=source
    )
    session.flush()
    if name == "only one" and session.scalar(select(func.count()).where(AuditLine.action == ONLY)):
        raise Invalid(field="name", reason="unwanted", number=1)
    if name == "only one":
        audit.record(session, ONLY, at=now, actor_kind="system", actor="test", subject=key, insurer_id=insurer_id)
        session.flush()
    if HELD.get(key, 0):
        HELD[key] -= 1
        raise Busy()
    if name == "unwanted":
        raise Invalid(field="name", reason="unwanted", number=7)
    if name == "broken":
        raise RuntimeError(name)
    if name == "violates":
        session.execute(text("INSERT INTO insurer (public_id) VALUES ('x')"))
    if name == "busy":
        raise Busy()
    return "made"


THINGS = ImportKind(
    code="things",
    name=Text("物", "Things"),
    about=Text("一行一物", "One line is one thing"),
    columns=(
        Column("key", Text("标识", "Key"), Text("编号", "Its key"), "K-1", exact=True),
        Column("name", Text("名称", "Name"), Text("名称", "Its name"), "甲", personal=True),
    ),
    read=_read,
    key=lambda row: row[0],
    shares=lambda row: [row[1]] if row[1] == "only one" else [],
    apply=_apply,
    outcomes={"made": Outcome(Text("新增", "Made")), "same": Outcome(Text("已有", "There already"), changed=False)},
    reasons={"unwanted": Reason(Text("不要 {number}", "Not wanted: {number}"), Text("删去", "Take it out"))},
)


def operator(login: str = "lin", role: Role = "admin") -> Principal:
    """An operator of the installation's insurer."""
    make_insurer()
    return operator_with(session_of(create_operator(login, "a long enough secret", "林默", role, now=NOON)))


def csv(rows: Iterable[Sequence[str]]) -> bytes:
    """A file of things."""
    return ("key,name\n" + "".join(f"{','.join(row)}\n" for row in rows)).encode()


def things(number: int, *, begin: int = 0) -> bytes:
    """A file of so many things without trouble."""
    return csv((f"K-{each:05}", "甲") for each in range(begin, begin + number))


def uploaded(who: Principal, content: bytes, *, name: str = "things.csv", now: datetime = NOON) -> str:
    """Upload a file of things and have it read and tried; its public id."""
    public_id = upload(who, "things", name, content, now=now)
    work(now)
    return public_id


def work(now: datetime = NOON) -> None:
    """Let the worker do all that it can."""
    work_imports(lambda: now, seconds=60)


def made() -> Counter[str]:
    """How often each thing was made."""
    with reading() as session:
        rows = session.execute(
            select(AuditLine.subject, func.count()).where(AuditLine.action == MADE).group_by(AuditLine.subject)
        )
        return Counter({row[0]: row[1] for row in rows})
