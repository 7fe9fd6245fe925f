"""Releasing a database: from then on its workers send and call, as those of the one it is a copy of did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core import audit
from marketplace.core.database import released
from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base, reading, transaction


class NotReleased(Exception):
    """This is a restored copy that nobody has released: it sends and calls nothing."""


class InstallationRelease(Base):
    """Which database was released, by its cluster's number and its timeline; the newest row counts."""

    __tablename__ = "installation_release"

    id: Mapped[PrimaryKey]
    at: Mapped[Moment]
    cluster: Mapped[str] = mapped_column(Text)
    timeline: Mapped[str] = mapped_column(Text)


def look() -> bool:
    """Ask the database whether it is held back, and note it for this process."""
    with reading() as session:
        answer = bool(session.execute(text(released.HELD)).scalar_one())
    released.note(answer)
    return answer


def require_released() -> None:
    """For whoever is about to send something. Raises NotReleased."""
    if released.held() and look():
        raise NotReleased("this database was restored and not released: `flask --app wsgi installation release`")


def release(*, now: datetime) -> bool:
    """Release the database; False if it is released already. Audited."""
    with transaction() as session:
        if not session.execute(text(released.HELD)).scalar_one():
            return False
        current = session.execute(text(released.CURRENT)).one()
        session.add(InstallationRelease(at=now, cluster=current.cluster, timeline=current.timeline))
        audit.record(
            session,
            "installation.released",
            at=now,
            actor_kind="command",
            actor="release",
            subject=f"{current.cluster}/{current.timeline}",
            before=_last(session),
        )
    released.note(held_back=False)
    return True


def _last(session: Session) -> str:
    query = select(InstallationRelease).order_by(InstallationRelease.id.desc()).limit(1)
    row = session.scalar(query)
    return f"{row.cluster}/{row.timeline}" if row is not None else ""
