"""Releasing a database: from then on its workers send and call, as those of the one it is a copy of did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core import audit
from marketplace.core.database import released
from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base, reading, transaction
from marketplace.core.errors import Refusal
from marketplace.core.ids import new_id


class NotReleased(Exception):
    """This is a restored copy that nobody has released: it sends and calls nothing."""


class NumbersDiffer(Refusal):
    """The database lies in another cluster than the one released last: it can't be the same with nothing lost."""

    code = "numbers_differ"


class InstallationRelease(Base):
    """Which database was released, by its cluster's number and its timeline; the newest row counts.

    `history` names what has happened in it since it parted from the one before, for whoever remembers a place in that
    (booking.answering.feed_history). `numbering` changes when another cluster counts the transactions; what was written
    before has ids up to `lines_before`.
    """

    __tablename__ = "installation_release"

    id: Mapped[PrimaryKey]
    at: Mapped[Moment]
    cluster: Mapped[str] = mapped_column(Text)
    timeline: Mapped[str] = mapped_column(Text)
    history: Mapped[str] = mapped_column(Text, server_default=text("CAST(gen_random_uuid() AS text)"))
    numbering: Mapped[str] = mapped_column(Text, server_default="")
    lines_before: Mapped[int] = mapped_column(server_default="0")


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


def release(
    *, now: datetime, nothing_lost: bool = False, lines_before: Callable[[Session], int | None] = lambda _session: 0
) -> bool:
    """Release the database; False if it is released already. Audited.

    A new history begins, in which places of the one before are not known, unless `nothing_lost`: a standby was promoted
    that had every transaction which anybody saw. `lines_before` says where the lines end that another cluster numbered,
    and None where this one goes on counting. Raises NumbersDiffer.
    """
    with transaction() as session:
        if not session.execute(text(released.HELD)).scalar_one():
            return False
        current = session.execute(text(released.CURRENT)).one()
        last = _last(session)
        made = InstallationRelease(at=now, cluster=current.cluster, timeline=current.timeline, history=new_id("his"))
        made.numbering, made.lines_before = (last.numbering, last.lines_before) if last else ("", 0)
        if last is not None and last.cluster != current.cluster:
            if nothing_lost:
                raise NumbersDiffer()
            before = lines_before(session)
            if before is not None:
                made.numbering, made.lines_before = new_id("num"), before
        if last is not None and nothing_lost:
            made.history = last.history
        session.add(made)
        audit.record(
            session,
            "installation.released",
            at=now,
            actor_kind="command",
            actor="release",
            subject=f"{current.cluster}/{current.timeline}",
            before=f"{last.cluster}/{last.timeline}" if last is not None else "",
            nothing_lost=nothing_lost,
        )
    released.note(held_back=False)
    return True


def _last(session: Session) -> InstallationRelease | None:
    return session.scalar(select(InstallationRelease).order_by(InstallationRelease.id.desc()).limit(1))
