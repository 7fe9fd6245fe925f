"""Keep the list of escort workers: take one on, change what is said of her, look at her papers, link her with a member
of the desk, end her service. Each is a manager's, and audited."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from booking.escort.models import EscortAssignment, EscortWorker, asked_here
from booking.escort.workers.profile import Profile, checked, cities_of, profile_in, write
from booking.idempotency import Repeatable, record_key
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from providers.staff.duties import require
from vip.models import Operator
from vip.principal import Member


class WorkerChanged(Refusal):
    """Somebody else changed what is said of the worker since the form was drawn."""

    code = "escort_worker_changed"


def add(manager: Member, said: Profile, *, repeat: Repeatable, now: datetime) -> str:
    """Take a worker on; the public id. She is sent to nobody until her papers were looked at. The same request again
    is the worker it made.

    Raises NotFound without the duty, Invalid as profile.checked(), IdempotencyKeyReused.
    """
    require(manager, "team")
    with transaction() as session:
        public_id = new_id("esw")
        made = record_key(session, repeat, public_id, now=now)
        if made is not None:
            return made
        row = EscortWorker(
            public_id=public_id,
            provider_id=manager.provider_id,
            active_from=now,
            created_at=now,
            updated_at=now,
        )
        write(row, checked(said, cities_of(session, manager.provider_id)))
        session.add(row)
        record(session, "escort_worker.added", manager, public_id, now)
    return public_id


def change(manager: Member, worker: str, said: Profile, *, seen: datetime, now: datetime) -> None:
    """Say it otherwise; `seen` is the `updated_at` that the form was drawn from. Another name or sex than was compared
    with her papers ends that they were looked at; in another city it is not known where she sets out from. What is the
    same already changes nothing.

    Raises NotFound, WorkerChanged, Invalid as profile.checked(), also for `city` while she has escorts to come.
    """
    require(manager, "team")
    with transaction() as session:
        row = locked(session, manager, worker)
        given = checked(said, {**cities_of(session, manager.provider_id), (row.province, row.city): ""})
        before = profile_in(row)
        if before == given:
            return
        if row.updated_at != seen:
            raise WorkerChanged()
        if (row.province, row.city) != given.city and _goes_somewhere(session, row):
            raise Invalid(field="city", reason="has_escorts")
        if (row.shown_name, row.sex) != (given.shown_name, given.sex):
            row.papers_checked_at = row.papers_checked_by = None
        if (row.province, row.city) != given.city:  # she lives elsewhere now
            row.home_latitude = row.home_longitude = None
        write(row, given)
        row.updated_at = now
        session.flush()
        _name_anew(session, row)
        record(session, "escort_worker.changed", manager, worker, now)


def check_papers(manager: Member, worker: str, *, seen: datetime, now: datetime) -> None:
    """The manager has compared her identity card and her health certificate with what is said of her, as of `seen` (its
    `updated_at`). Once is enough. Raises NotFound, WorkerChanged."""
    require(manager, "team")
    with transaction() as session:
        row = locked(session, manager, worker)
        if row.papers_checked_at is None:
            if row.updated_at != seen:
                raise WorkerChanged()
            row.papers_checked_at, row.papers_checked_by, row.updated_at = now, manager.id, now
            record(session, "escort_worker.papers_checked", manager, worker, now)


def take_papers_back(manager: Member, worker: str, *, now: datetime) -> None:
    """They are not in order any more: she is asked for nothing from now on. Raises NotFound."""
    require(manager, "team")
    with transaction() as session:
        row = locked(session, manager, worker)
        if row.papers_checked_at is not None:
            row.papers_checked_at = row.papers_checked_by = None
            row.updated_at = now
            record(session, "escort_worker.papers_taken_back", manager, worker, now)


def link(manager: Member, worker: str, member: str, *, now: datetime) -> None:
    """A member (public id) of the desk is this worker and answers for herself from now on; blank: nobody is.

    Raises NotFound; Invalid(field="member") for who is no escort worker of this provider's desk, or another one.
    """
    require(manager, "team")
    with transaction() as session:
        account = _member(session, manager, member) if member else None
        row = locked(session, manager, worker)
        linked = None if account is None else account.id
        if row.member_id == linked:
            return
        if linked is not None and session.scalar(select(EscortWorker.id).where(EscortWorker.member_id == linked)):
            raise Invalid(field="member", reason="linked")
        row.member_id, row.updated_at = linked, now
        record(session, "escort_worker.linked" if member else "escort_worker.unlinked", manager, worker, now)


def end(manager: Member, worker: str, *, now: datetime) -> None:
    """She does not work here any more, and is asked for nothing; what she has accepted is handed on by
    escort.workers.absence.hand_on. Once is enough. Raises NotFound."""
    require(manager, "team")
    with transaction() as session:
        row = locked(session, manager, worker)
        if row.ended_at is None:
            row.ended_at = row.updated_at = now
            record(session, "escort_worker.ended", manager, worker, now)


def take_back(manager: Member, worker: str, *, now: datetime) -> None:
    """She works here again, from now on. Once is enough. Raises NotFound."""
    require(manager, "team")
    with transaction() as session:
        row = locked(session, manager, worker)
        if row.ended_at is not None:
            row.ended_at, row.active_from, row.updated_at = None, now, now
            record(session, "escort_worker.returned", manager, worker, now)


def locked(session: Session, member: Member, worker: str) -> EscortWorker:
    """A worker (public id) of the member's provider, locked. Raises NotFound."""
    row = session.scalar(
        select(EscortWorker)
        .where(EscortWorker.public_id == worker, EscortWorker.provider_id == member.provider_id, asked_here())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(field="worker")
    return row


def record(session: Session, action: str, by: Member, worker: str, now: datetime) -> None:
    """A line of the audit about a worker (public id)."""
    audit.record(session, action, at=now, actor_kind=by.acts_as, actor=by.public_id, subject=worker, insurer_id=None)


def _goes_somewhere(session: Session, row: EscortWorker) -> bool:
    live = exists().where(EscortAssignment.worker_id == row.id, EscortAssignment.live)
    return bool(session.scalar(select(live)))


def _name_anew(session: Session, row: EscortWorker) -> None:
    """She is called so where she goes from now on, and as she was called where she has been. The caller has locked
    her."""
    live = update(EscortAssignment).where(EscortAssignment.worker_id == row.id, EscortAssignment.live)
    session.execute(live.values(worker_then=func.escort_worker_now(row.id)))


def _member(session: Session, manager: Member, member: str) -> Operator:
    """Locked, so that of two who link her the second sees the first."""
    account = session.scalar(
        select(Operator)
        .where(
            Operator.public_id == member,
            Operator.provider_id == manager.provider_id,
            Operator.role == "escort",
            Operator.disabled_at.is_(None),
        )
        .with_for_update(key_share=True)
    )
    if account is None:
        raise Invalid(field="member", reason="choice")
    return account
