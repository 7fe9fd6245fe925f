"""A customer's copy of everything about her: asked for in "me", made by the worker, given out after a new sign-in.

It is stored sealed, in parts, for some days. Each time it is given out is a line of the audit, and one more for each
version of a report that is in it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.ownership import customer_of
from booking.personal.bundle import may_be_shown, versions_in, write_bundle
from booking.personal.models import PersonalExport, PersonalExportPart
from booking.personal.scope import of_customer, to_show
from booking.reports.models import Report, ReportVersion
from marketplace.core import audit, crypto, ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.logging import get_logger
from vip.accounts import COMMAND
from vip.customers.customers import require_not_erased
from vip.models import Customer
from vip.principal import Principal
from vip.signin import limits
from vip.signin.limits import Limit
from vip.signin.signin import require_recent

log = get_logger(__name__)

DAYS = 7
"""How long a copy can be fetched."""
LEASE = timedelta(minutes=10)
TRIES = 5
PART = 4 * 1024 * 1024
COPIES = Limit(3, 1)
"""Copies that a customer may ask for: each reads all her reports."""


@dataclass(frozen=True)
class Copy:
    """A copy as its customer sees it. `state`: asked (being prepared), ready or failed; `size` is in bytes."""

    id: str
    state: str
    asked_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    size: int


@dataclass(frozen=True)
class CopyFile:
    """A copy that is given out: its size in bytes, and its content piece by piece."""

    id: str
    made_on: datetime
    size: int
    parts: Iterator[bytes]


def ask_copy(principal: Principal, *, now: datetime) -> Copy:
    """Ask for a copy of everything; one that is being prepared already is that one. Raises TooMany(retry_after)."""
    with transaction() as session:
        customer = customer_of(principal)
        require_not_erased(session, customer)
        asked = session.scalar(_own(customer).where(PersonalExport.state == "asked"))
        if asked is not None:
            return _view(asked)
        limits.take(session, COPIES, "personal_export", principal.public_id, now=now)
        public_id = ids.new_id("cpy")
        session.execute(
            insert(PersonalExport)
            .values(
                public_id=public_id,
                customer_id=customer,
                state="asked",
                asked_at=now,
                wrapped_key=crypto.new_wrapped_key(public_id),
            )
            .on_conflict_do_nothing(index_elements=["customer_id"], index_where=text("state = 'asked'"))
        )
        return _view(session.scalars(_own(customer).where(PersonalExport.state == "asked")).one())


def copies(principal: Principal, *, now: datetime) -> list[Copy]:
    """The customer's copies that are prepared or can be fetched, the newest first."""
    with reading() as session:
        query = _own(customer_of(principal)).where(_alive(now)).order_by(PersonalExport.id.desc())
        return [_view(row) for row in session.scalars(query)]


def open_copy(principal: Principal, public_id: str, *, now: datetime) -> CopyFile:
    """A copy that is ready, for who signed in recently. The audit records it, and each version of a report in it.

    Raises SignInAgain, and NotFound also when it is over, or an adult relative has withdrawn her consent since.
    """
    require_recent(principal, now)
    with transaction() as session:
        ready = and_(PersonalExport.public_id == public_id, PersonalExport.state == "ready", _alive(now))
        found = session.scalar(_own(customer_of(principal)).where(ready))
        if found is None or set(found.shown) - set(may_be_shown(session, found.customer_id, now)):
            raise NotFound(field="copy_id")
        me = principal.public_id
        audit.record(
            session,
            "customer.copy_fetched",
            at=now,
            actor_kind=principal.kind,
            actor=me,
            subject=me,
            insurer_id=principal.insurer_id,
            copy=public_id,
        )
        _record_looks(session, found.versions, principal.kind, me, now)
    return CopyFile(public_id, found.asked_at, found.size, _parts(found))


def make_copies(*, now: datetime) -> dict[str, int]:
    """Prepare the copies that are asked for; one whose maker was killed is prepared anew, TRIES times at most. For the
    worker."""
    made, failed = 0, _end_killers(now)
    while (claimed := _claim(now)) is not None:
        try:
            made += _make(claimed, now)
        except Exception as broken:  # any: the next copy must not wait for it
            failed += 1
            log.exception("personal.copy_failed", copy=claimed.public_id, error=type(broken).__name__, exc_info=False)
            if claimed.tries >= TRIES:
                _give_up(claimed)
    return {"made": made, "failed": failed}


def forget_copies(*, now: datetime) -> int:
    """Delete copies that are over, with their keys; returns how many."""
    with transaction() as session:
        over = or_(
            PersonalExport.expires_at <= now,
            and_(PersonalExport.state == "failed", PersonalExport.asked_at <= now - timedelta(days=DAYS)),
        )
        return len(session.scalars(delete(PersonalExport).where(over).returning(PersonalExport.id)).all())


def write_copy(customer_public_id: str, to: IO[bytes], *, now: datetime) -> None:
    """The copy of a customer for who runs the installation, also of one who was erased: what stays of her. Audited.
    Raises NotFound(field="customer_id")."""
    with transaction() as session:
        customer = session.scalar(select(Customer).where(Customer.public_id == customer_public_id))
        if customer is None:
            raise NotFound(field="customer_id")
        audit.record(
            session,
            "customer.copy_written",
            at=now,
            actor_kind="system",
            actor=COMMAND,
            subject=customer.public_id,
            insurer_id=customer.insurer_id,
        )
        if customer.erased_at is not None:
            scope = of_customer(customer.id)
        else:
            scope = to_show(customer.id, may_be_shown(session, customer.id, now))
        _record_looks(session, versions_in(session, scope), "system", COMMAND, now)
    with reading() as session:
        write_bundle(session, customer.id, scope, to, now=now)


def _record_looks(session: Session, versions: Sequence[int], actor_kind: str, actor: str, now: datetime) -> None:
    """A line for each of these versions of reports; all are written by one statement."""
    found = session.execute(
        select(Report.public_id, Report.insurer_id, ReportVersion.version)
        .join(Report, Report.id == ReportVersion.report_id)
        .where(ReportVersion.id.in_(versions))
        .order_by(ReportVersion.id)
    ).all()
    for row in found:
        audit.record(
            session,
            "report.copied",
            at=now,
            actor_kind=actor_kind,
            actor=actor,
            subject=row.public_id,
            insurer_id=row.insurer_id,
            version=row.version,
        )


def _own(customer_id: int) -> Select[PersonalExport]:
    return select(PersonalExport).where(PersonalExport.customer_id == customer_id)


def _alive(now: datetime) -> ColumnElement[bool]:
    return or_(PersonalExport.expires_at.is_(None), PersonalExport.expires_at > now)


def _claim(now: datetime) -> PersonalExport | None:
    due = (
        select(PersonalExport.id)
        .where(
            PersonalExport.state == "asked",
            or_(PersonalExport.lease_until.is_(None), PersonalExport.lease_until <= now),
        )
        .order_by(PersonalExport.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    with transaction() as session:
        return session.scalars(
            update(PersonalExport)
            .where(PersonalExport.id == due)
            .values(lease_until=now + LEASE, tries=PersonalExport.tries + 1)
            .returning(PersonalExport)
        ).one_or_none()


def _end_killers(now: datetime) -> int:
    """Give up the copies whose last maker died too; returns how many."""
    with transaction() as session:
        over = (
            update(PersonalExport)
            .where(
                PersonalExport.state == "asked",
                PersonalExport.tries >= TRIES,
                PersonalExport.lease_until <= now,
            )
            .values(state="failed")
        )
        return len(session.scalars(over.returning(PersonalExport.id)).all())


def _make(claimed: PersonalExport, now: datetime) -> int:
    """Write the copy to a file that has no name, then store it in sealed parts; 1 if this claim still counted."""
    with tempfile.TemporaryFile() as file:
        with reading() as session:
            shown = may_be_shown(session, claimed.customer_id, now)
            scope = to_show(claimed.customer_id, shown)
            write_bundle(session, claimed.customer_id, scope, file, now=now)
            versions = versions_in(session, scope)
        size = file.tell()
        file.seek(0)
        with transaction() as session:
            ready = session.execute(
                update(PersonalExport)
                .where(
                    PersonalExport.id == claimed.id,
                    PersonalExport.tries == claimed.tries,
                    PersonalExport.state == "asked",
                )
                .values(
                    state="ready",
                    ready_at=now,
                    expires_at=now + timedelta(days=DAYS),
                    size=size,
                    shown=shown,
                    versions=versions,
                )
                .returning(PersonalExport.id)
            ).one_or_none()
            if ready is None:
                return 0
            _store(session, claimed, file)
    return 1


def _store(session: Session, claimed: PersonalExport, file: IO[bytes]) -> None:
    key = crypto.unwrap_key(claimed.wrapped_key, claimed.public_id)
    position = 0
    while piece := file.read(PART):
        sealed = crypto.seal(piece, key=key, record=f"{claimed.public_id}:{position}")
        session.execute(insert(PersonalExportPart).values(export_id=claimed.id, position=position, sealed=sealed))
        position += 1


def _parts(found: PersonalExport) -> Iterator[bytes]:
    """The content, a part a query: a copy may be larger than a process should hold."""
    key = crypto.unwrap_key(found.wrapped_key, found.public_id)
    position, left = 0, found.size
    while left > 0:
        with reading() as session:
            sealed = session.scalars(
                select(PersonalExportPart.sealed).where(
                    PersonalExportPart.export_id == found.id, PersonalExportPart.position == position
                )
            ).one()
        piece = crypto.unseal(sealed, key=key, record=f"{found.public_id}:{position}")
        position, left = position + 1, left - len(piece)
        yield piece


def _give_up(claimed: PersonalExport) -> None:
    with transaction() as session:
        session.execute(
            update(PersonalExport)
            .where(PersonalExport.id == claimed.id, PersonalExport.state == "asked")
            .values(state="failed")
        )


def _view(row: PersonalExport) -> Copy:
    return Copy(row.public_id, row.state, row.asked_at, row.ready_at, row.expires_at, row.size)
