"""Which schema this code needs, and which a database has. Without Alembic, which only who migrates needs to load."""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from marketplace.core.config import ROOT
from marketplace.core.once import once

_LINE = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


def is_current(connection: Connection) -> bool:
    """True when the database is at this code's newest revision. Raises ProgrammingError when it has no schema."""
    return current(connection) == newest()


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None before its first migration."""
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


@once
def newest() -> str:
    """The newest revision this code knows: the one that no other comes after. They are files, read once."""
    files = (ROOT / "migrations" / "versions").glob("*.py")
    revisions, followed = set[str](), set[str]()
    for which, revision in _LINE.findall("\n".join(file.read_text(encoding="utf-8") for file in files)):
        (revisions if which == "revision" else followed).add(revision)
    (last,) = revisions - followed
    return last
