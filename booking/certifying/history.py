"""What was tried of a provider and what it was certified for, since the beginning, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.certifying.left import still_left
from booking.certifying.subject import subject_of
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text
from providers.conformance.certificates.models import Certificate, ConformanceRun
from providers.conformance.step import Capability
from vip import roles
from vip.models import Operator
from vip.principal import Principal


@dataclass(frozen=True)
class RunLine:
    """A run. `by_kind` is `operator`, `provider` (one of its own people) or `system` (a command); `by` is a name, blank
    where it isn't told. `counts`: how many steps had each outcome; `left`: how much it left behind that may be there
    still."""

    id: str
    state: str
    reason: str
    asked_at: datetime
    finished_at: datetime | None
    by_kind: str
    by: str
    counts: Mapping[str, int]
    left: int


@dataclass(frozen=True)
class GivenLine:
    """A certificate. `run` is the public id of the run that gave it, None for a provisional one; `because` says why it
    ended, blank while it counts."""

    capability: Capability
    provisional: bool
    issued_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    because: str
    run: str | None


@dataclass(frozen=True)
class RunPage:
    """A run with its steps as they were stored, what it `left` behind and may be there still (alike), the certificates
    that it gave, and those that it ended because a step failed."""

    line: RunLine
    steps: Sequence[Mapping[str, Any]]
    left: Sequence[object]
    given: Sequence[Capability]
    ended: Sequence[Capability]


@dataclass(frozen=True)
class History:
    """Of one provider: a page of its runs and a page of its certificates."""

    code: str
    name: Text
    runs: Page[RunLine]
    given: Page[GivenLine]


@dataclass(frozen=True)
class Cursors:
    """Where each of the two lists goes on; None: from the newest."""

    runs: str | None = None
    given: str | None = None


def history(principal: Principal, provider_code: str, cursors: Cursors, *, limit: int) -> History:
    """For operators, with the names of all who asked. Raises NotFound(field="provider")."""
    roles.require(principal, "books")
    with reading() as session:
        return _history(session, _named(session, provider_code), cursors, limit, own=False)


def own_history(provider_id: int, cursors: Cursors, *, limit: int) -> History:
    """For the provider's own people, in test mode too: operators who asked are not named."""
    with reading() as session:
        provider = subject_of(session, session.get_one(Provider, provider_id))
        return _history(session, provider, cursors, limit, own=True)


def run_of(principal: Principal, provider_code: str, run: str) -> RunPage:
    """One run, for operators. Raises NotFound."""
    roles.require(principal, "books")
    with reading() as session:
        return _run(session, _named(session, provider_code).id, run, own=False)


def own_run(provider_id: int, run: str) -> RunPage:
    """One run, for the provider's own people. Raises NotFound; so does another provider's."""
    with reading() as session:
        return _run(session, subject_of(session, session.get_one(Provider, provider_id)).id, run, own=True)


def _named(session: Session, code: str) -> Provider:
    found = session.scalar(select(Provider).where(Provider.code == code))
    if found is None:
        raise NotFound(field="provider")
    return found


def _history(session: Session, provider: Provider, cursors: Cursors, limit: int, *, own: bool) -> History:
    name = Text(provider.name_zh, provider.name_en)
    runs = _runs(session, provider.id, cursors.runs, limit, own=own)
    return History(provider.code, name, runs, _given(session, provider.id, cursors.given, limit))


def _runs(session: Session, provider_id: int, cursor: str | None, limit: int, *, own: bool) -> Page[RunLine]:
    query = select(ConformanceRun, Operator.name).outerjoin(Operator, Operator.public_id == ConformanceRun.actor)
    query = query.where(ConformanceRun.provider_id == provider_id)
    if cursor is not None:
        (last,) = decode_cursor(cursor, (int,))
        query = query.where(ConformanceRun.id < last)
    rows = session.execute(query.order_by(ConformanceRun.id.desc()).limit(limit + 1)).all()
    found = [_line(session, row.ConformanceRun, row.name, own=own) for row in rows[:limit]]
    return Page(found, encode_cursor([rows[limit - 1].ConformanceRun.id]) if rows[limit:] else None)


def _given(session: Session, provider_id: int, cursor: str | None, limit: int) -> Page[GivenLine]:
    query = select(Certificate, ConformanceRun.public_id.label("run"))
    query = query.outerjoin(ConformanceRun, ConformanceRun.id == Certificate.run_id)
    query = query.where(Certificate.provider_id == provider_id)
    if cursor is not None:
        (last,) = decode_cursor(cursor, (int,))
        query = query.where(Certificate.id < last)
    rows = session.execute(query.order_by(Certificate.id.desc()).limit(limit + 1)).all()
    found = [
        GivenLine(
            Capability(it.capability),
            it.grade == "provisional",
            it.issued_at,
            it.expires_at,
            it.ended_at,
            it.ended_because,
            run,
        )
        for it, run in rows[:limit]
    ]
    return Page(found, encode_cursor([rows[limit - 1].Certificate.id]) if rows[limit:] else None)


def _run(session: Session, provider_id: int, public_id: str, *, own: bool) -> RunPage:
    query = select(ConformanceRun, Operator.name).outerjoin(Operator, Operator.public_id == ConformanceRun.actor)
    mine = (ConformanceRun.provider_id == provider_id, ConformanceRun.public_id == public_id)
    found = session.execute(query.where(*mine)).one_or_none()
    if found is None:
        raise NotFound(field="run")
    it = found.ConformanceRun
    of_run = select(Certificate.capability).order_by(Certificate.id)
    given = session.scalars(of_run.where(Certificate.run_id == it.id)).all()
    ended = session.scalars(
        of_run.where(
            Certificate.provider_id == provider_id,
            Certificate.ended_because == "failed",
            Certificate.ended_at == it.finished_at,
        )
    ).all()
    line, left = _line(session, it, found.name, own=own), still_left(session, provider_id, it.left_behind)
    return RunPage(line, it.steps, left, [*map(Capability, given)], [*map(Capability, ended)])


def _line(session: Session, it: ConformanceRun, name: str | None, *, own: bool) -> RunLine:
    outcomes = [step["outcome"] for step in it.steps]
    told = "" if own and it.actor_kind != "provider" else name or ""
    return RunLine(
        it.public_id,
        it.state,
        it.reason,
        it.asked_at,
        it.finished_at,
        it.actor_kind,
        told,
        {each: outcomes.count(each) for each in dict.fromkeys(outcomes)},
        len(still_left(session, it.provider_id, it.left_behind)),
    )
