"""Reports that a provider delivers itself: they come in by the same steps as those that are fetched from it.

Unlike a fetched report, whose troubles wait for the next try, a delivered one is answered at once: whatever keeps it
out is a refusal, and then nothing of it is stored.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.discrepancies import open_discrepancy
from booking.idempotency import Repeatable, earlier, first_time
from booking.models import Booking
from booking.ownership import of_provider
from booking.reports.agreed import was_agreed
from booking.reports.fetch import add, announce, holds
from booking.reports.files import Examined, FileRefused, examine
from booking.reports.models import Report, ReportVersion
from booking.reports.persons.same import require_same_person
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal, TooMany
from marketplace.core.logging import get_logger
from providers.reported import ReportContent
from vip.customers.consent import may_show

log = get_logger(__name__)

DELIVERED = "report.delivered"
"""The audit's action for a report that a person brought in."""

EXAMINED_AT_ONCE = 2
"""How many files a process examines at a time, so that no delivery keeps customers waiting for a thread: an examination
may take as long as 25 s."""

_examiners = BoundedSemaphore(EXAMINED_AT_ONCE)


class HashDiffers(Refusal):
    """The file that came has another SHA-256 than its sender says."""

    code = "hash_differs"
    status = 422
    field = "report.document_sha256"


class ReportFileRefused(Refusal):
    """The file is refused. Facts: `reason`, a stable code (docs/partner/reports.md)."""

    code = "report_file_refused"
    status = 422
    field = "document"


class BookingNotConfirmed(Refusal):
    """The provider has not agreed to this booking, so that nothing can have been examined."""

    code = "not_confirmed"


class ReportWithoutConsent(Refusal):
    """The person has not agreed that her reports are taken and shown, or has taken that back."""

    code = "report_without_consent"


class ReportDeleted(Refusal):
    """The customer has deleted this report; it does not come back."""

    code = "report_deleted"


class ReportOfAnotherBooking(Refusal):
    """The provider delivered a report of this reference for another booking before."""

    code = "report_of_another_booking"
    field = "report.reference"


class VersionTaken(Refusal):
    """This version was delivered before with other content; versions never overwrite each other."""

    code = "version_taken"
    field = "report.version"


@dataclass(frozen=True)
class Delivery:
    """A report that a provider delivers for one of its bookings, and what it says the SHA-256 of its file is (hex).
    `member`: the public id of the person who delivers it, blank for a program."""

    provider_id: int
    booking: str
    content: ReportContent
    sha256: str
    repeat: Repeatable
    member: str = ""


@dataclass(frozen=True)
class StoredVersion:
    """One stored version, without a result. `state`: current, superseded by a newer one, or deleted by the customer."""

    version: int
    status: str
    issued_at: datetime
    received_at: datetime
    results: int
    state: str


@dataclass(frozen=True)
class StoredReport:
    """A report by the provider's reference, with its versions, newest first."""

    reference: str
    state: str
    versions: Sequence[StoredVersion]

    @property
    def newest(self) -> int:
        """The number of its newest version, 0 before the first came."""
        return max((each.version for each in self.versions), default=0)


@dataclass(frozen=True)
class Delivered:
    """What is stored after a delivery. `new`: the version that was delivered; otherwise it said the same as the newest
    one stored, which is the one given here. `booking_state` lets a provider see a booking that nobody attended."""

    booking_id: str
    booking_state: str
    reference: str
    stored: StoredVersion
    new: bool


def deliver(delivery: Delivery, *, now: datetime) -> Delivered:
    """Take a report: examine its file outside of this process and of any transaction, then seal and store the version.

    Raises NotFound, BookingNotConfirmed, HashDiffers, ReportWithoutConsent, ReportFileRefused, ReportDeleted,
    ReportOfAnotherBooking, VersionTaken, IdempotencyKeyReused, TooMany and Busy; then nothing is stored. For a refused
    file and another booking's report a discrepancy is opened, as for fetched ones. Takes up to 25 s.
    """
    booking_id = _open_to(delivery, now)
    if hashlib.sha256(delivery.content.document).hexdigest() != delivery.sha256:
        raise HashDiffers()
    if _taken_before(delivery):
        return _delivered(delivery)
    examined = _examined(delivery, booking_id, now)
    try:
        _take(delivery, booking_id, examined, now)
    except ReportOfAnotherBooking:
        with transaction() as session:  # the one that was refused is undone: the desk is told by a second one
            announce(session, delivery.provider_id, delivery.content.report, now=now)
        raise
    return _delivered(delivery)


def reports_of(provider_id: int, booking: str) -> list[StoredReport]:
    """The reports of a provider's booking with their versions, the first report first. Raises NotFound."""
    with reading() as session:
        booking_id = session.scalar(select(Booking.id).where(Booking.public_id == booking, of_provider(provider_id)))
        if booking_id is None:
            raise NotFound()
        rows = session.execute(
            select(Report, ReportVersion)
            .outerjoin(ReportVersion, ReportVersion.report_id == Report.id)
            .where(Report.booking_id == booking_id, Report.provider_id == provider_id)
            .order_by(Report.id, ReportVersion.version.desc())
        ).all()
    versions = defaultdict(list)
    for row in rows:
        versions[row.Report].append(row.ReportVersion)
    return [
        StoredReport(
            report.reference,
            "deleted" if report.deleted_at else report.state,
            [_stored(report, version) for version in found if version is not None],
        )
        for report, found in versions.items()
    ]


def _open_to(delivery: Delivery, now: datetime) -> int:
    """The booking, if a report may be taken for it. Raises NotFound, BookingNotConfirmed, ReportWithoutConsent."""
    with reading() as session:
        booking = session.execute(
            select(
                Booking.id, may_show(Booking.beneficiary_id, now).label("may_show"), was_agreed().label("agreed")
            ).where(Booking.public_id == delivery.booking, of_provider(delivery.provider_id))
        ).one_or_none()
    if booking is None:
        raise NotFound()
    if not booking.agreed:
        raise BookingNotConfirmed()
    if not booking.may_show:
        raise ReportWithoutConsent()
    return int(booking.id)


def _taken_before(delivery: Delivery) -> bool:
    """Whether this very request was carried out, so that its file needs no other examination."""
    with reading() as session:
        return earlier(session, delivery.repeat) is not None


def _require_consent(session: Session, booking_id: int, now: datetime) -> None:
    """Once more: the examination took its time. Raises ReportWithoutConsent."""
    if not session.scalar(select(may_show(Booking.beneficiary_id, now)).where(Booking.id == booking_id)):
        raise ReportWithoutConsent()


def _examined(delivery: Delivery, booking_id: int, now: datetime) -> Examined:
    """What the file holds, which must name nobody else than the booking's person. Raises ReportFileRefused, after a
    discrepancy was opened, and TooMany(retry_after) while others are examined."""
    report = delivery.content.report
    if not _examiners.acquire(blocking=False):
        raise TooMany(retry_after=2)
    try:
        examined = examine(delivery.content)
        with reading() as session:
            require_same_person(session, booking_id, examined.named)
        return examined
    except FileRefused as problem:
        with transaction() as session:
            open_discrepancy(
                session,
                delivery.provider_id,
                "report_refused",
                report.reference,
                now=now,
                booking_id=booking_id,
                facts={"version": report.version, "reason": problem.reason},
            )
        log.warning("report.refused", booking=delivery.booking, version=report.version, reason=problem.reason)
        raise ReportFileRefused(reason=problem.reason) from problem
    finally:
        _examiners.release()


def _take(delivery: Delivery, booking_id: int, examined: Examined, now: datetime) -> None:
    remote = delivery.content.report
    with transaction() as session:
        if not first_time(session, delivery.repeat, delivery.booking, now=now):
            return
        _require_consent(session, booking_id, now)
        announced = announce(session, delivery.provider_id, remote, now=now)
        report = session.scalars(_named(delivery).with_for_update()).one_or_none()
        if announced == "unmatched" or report is None or report.booking_id != booking_id:
            raise ReportOfAnotherBooking()
        if report.deleted_at is not None:
            raise ReportDeleted()
        known = _version(session, report, remote.version)
        if known is None:
            outcome = add(session, report, examined, now=now)
        elif _is_the_same(session, report, known, examined):
            outcome = "known"
        else:
            raise VersionTaken()
        if delivery.member:
            audit.record(
                session,
                DELIVERED,
                at=now,
                actor_kind="provider",
                actor=delivery.member,
                subject=report.public_id,
                insurer_id=report.insurer_id,
                version=remote.version,
            )
    log.info("report.delivered", report=report.public_id, version=remote.version, outcome=outcome)


def _is_the_same(session: Session, report: Report, known: ReportVersion, examined: Examined) -> bool:
    remote = examined.content.report
    if known.wrapped_key is None or (known.status, known.issued_at) != (remote.status, remote.issued_at):
        return False
    return holds(session, report, known, examined)


def _delivered(delivery: Delivery) -> Delivered:
    with reading() as session:
        report = session.scalars(_named(delivery)).one()
        asked = _version(session, report, delivery.content.report.version)
        stored = asked or _version(session, report, report.fetched_version)
        if stored is None:
            raise NotFound()
        return Delivered(
            delivery.booking,
            report.booking.state.value,
            report.reference,
            _stored(report, stored),
            new=asked is not None,
        )


def _named(delivery: Delivery) -> Select[Report]:
    return select(Report).where(
        Report.provider_id == delivery.provider_id, Report.reference == delivery.content.report.reference
    )


def _version(session: Session, report: Report, version: int) -> ReportVersion | None:
    return session.scalars(
        select(ReportVersion).where(ReportVersion.report_id == report.id, ReportVersion.version == version)
    ).one_or_none()


def _stored(report: Report, version: ReportVersion) -> StoredVersion:
    state = "current" if version.version == report.fetched_version else "superseded"
    return StoredVersion(
        version=version.version,
        status=version.status,
        issued_at=version.issued_at,
        received_at=version.received_at,
        results=version.items,
        state="deleted" if version.wrapped_key is None else state,
    )
