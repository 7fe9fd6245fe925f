"""Reports: announced by poll or webhook, fetched by the worker, stored sealed. Versions never overwrite each other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.calls.connections import ProviderConnection
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.feeds.cursors import Pull, apply_each, pages
from booking.feeds.unreadable import due_again
from booking.models import Booking, Feed, ProviderBooking
from booking.notices.notify import notify
from booking.ownership import of_provider
from booking.references import named
from booking.reports.agreed import was_agreed
from booking.reports.files import Examined, FileRefused, examine
from booking.reports.models import Report, ReportVersion
from booking.reports.papers import open_paper, papers_of, store_papers
from booking.reports.persons.same import require_same_person
from booking.reports.reading.codes import codes_of
from booking.reports.reading.read import Reading, read_all
from booking.reports.reading.told import Whose
from booking.sealing import version_record
from booking.transition import touch
from marketplace.core.crypto import new_wrapped_key, seal, unseal, unwrap_key
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.port import ComeBackLater, Oversize, ProviderAdapter, ProviderError
from providers.reported import RemoteReport
from vip.customers.consent import may_show
from vip.models import Beneficiary

log = get_logger(__name__)

NOT_CONFIRMED = "report_not_confirmed"
"""The kind of the discrepancy of a report that was announced for a booking to which its provider has not agreed."""
NOT_FETCHED, INCOMPLETE, CRITICAL = "report_not_fetched", "report_incomplete", "report_critical"
"""Kinds of discrepancies: a report that couldn't be fetched MOST_TRIES times, one whose file names results that are not
in it or holds papers that we don't show, and one with a result that asks for a doctor at once."""
OVERDUE = "report_overdue"
"""The kind of the discrepancy of an overdue report; its subject is the booking's public id."""
RECORDED = "noted"
"""The stored outcome of an announcement that is new."""
RETRY = timedelta(seconds=30)
RETRY_REFUSED = timedelta(hours=1)
"""A refused file is asked for again after one hour, two, four …, in case the provider fixed it without a
new version."""
MOST_TRIES = 6
"""After so many tries in a row a person is asked, and the customer is told."""


def poll_reports(provider: ProviderConnection, adapter: ProviderAdapter, *, now: datetime) -> dict[str, int]:
    """Record the reports that are new or changed since the last poll; all, if a row that could not be read is to be
    asked for again. Returns counts of what announce() returned. Raises ProviderError, NotApplied."""

    def apply(remote: RemoteReport) -> str:
        with transaction() as session:
            return announce(session, provider.id, remote, now=now)

    pull = Pull(provider.id, Feed.REPORTS, now)
    afresh = bool(due_again(provider.id, Feed.REPORTS, now=now, limit=1))
    counts: Counter[str] = Counter()
    for part in pages(provider.id, Feed.REPORTS, adapter.reports_since, now=now, afresh=afresh):
        apply_each(pull, part, ((remote.reference, remote) for remote in part.reports), apply, counts)
    return dict(counts)


def announce(session: Session, provider_id: int, remote: RemoteReport, *, now: datetime) -> str:
    """Record that a report or a newer version of it can be fetched. Returns RECORDED, known, unmatched, or deleted if
    its customer has deleted the report: then it is not fetched again.

    A report that belongs to none of our bookings, or to another booking than before, is unmatched: a discrepancy is
    opened and nobody is shown it. Nor is one of a booking to which the provider has not agreed: it is fetched once the
    provider has, and until then a discrepancy is open.
    """
    booking = _booking_of(session, provider_id, remote)
    known = session.scalar(
        select(Report).where(Report.provider_id == provider_id, Report.reference == remote.reference).with_for_update()
    )
    if booking is None or (known is not None and known.booking_id != booking.id):
        if not remote.for_test:
            open_discrepancy(session, provider_id, "report_unmatched", remote.reference, now=now)
        return "unmatched"
    close_discrepancy(session, provider_id, "report_unmatched", remote.reference, "matched", now=now)
    if not session.scalar(select(was_agreed()).where(Booking.id == booking.id)):
        open_discrepancy(session, provider_id, NOT_CONFIRMED, remote.reference, now=now, booking_id=booking.id)
    if known is not None:
        if known.deleted_at is not None:
            return "deleted"
        if remote.version <= known.announced_version:
            return "known"
        known.announced_version, known.fetch_after, known.failures = remote.version, now, 0
        return RECORDED
    session.execute(
        insert(Report)
        .values(
            public_id=new_id("rpt"),
            insurer_id=booking.insurer_id,
            provider_id=provider_id,
            booking_id=booking.id,
            beneficiary_id=booking.beneficiary_id,
            customer_id=booking.customer_id,
            reference=remote.reference,
            state="expected",
            announced_version=remote.version,
            issued_at=remote.issued_at,
            fetch_after=now,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["provider_id", "reference"])
    )
    return RECORDED


def _booking_of(session: Session, provider_id: int, remote: RemoteReport) -> Booking | None:
    booking_id = session.scalar(
        select(ProviderBooking.booking_id).where(
            ProviderBooking.provider_id == provider_id, ProviderBooking.reference == remote.booking_reference
        )
    )
    if booking_id is not None:
        return session.get(Booking, booking_id)
    public_id, _ = named(remote.our_reference)
    return session.scalar(select(Booking).where(Booking.public_id == public_id, of_provider(provider_id)))


def fetch_due(
    provider: ProviderConnection, adapter: ProviderAdapter, *, now: datetime, limit: int = 20
) -> dict[str, int]:
    """Fetch the announced reports that are due and examine their files, outside of this process. Returns counts.

    One that cannot be fetched is tried again later. For a refused file a discrepancy is opened, and nothing of it is
    stored. A report of an adult who has not consented is not fetched until she does, nor one of a booking to which the
    provider has not agreed until it has. Raises ComeBackLater.
    """
    with reading() as session:
        due = session.execute(
            select(Report.id, Report.reference, Report.announced_version, Report.issued_at, Booking.public_id)
            .join(Booking, Booking.id == Report.booking_id)
            .where(Report.provider_id == provider.id, Report.fetch_after <= now, Report.deleted_at.is_(None))
            .where(may_show(Report.beneficiary_id, now), was_agreed())
            .order_by(Report.fetch_after)
            .limit(limit)
        ).all()
    work = one_by_one(
        f"fetch:{provider.code}", due, lambda row: _fetch(provider, adapter, row, now), ends=(ComeBackLater,)
    )
    return dict(work)


def _fetch(provider: ProviderConnection, adapter: ProviderAdapter, row: Row[Any], now: datetime) -> str:
    wanted = RemoteReport(row.reference, "", row.public_id, row.announced_version, "final", row.issued_at)
    try:
        return store(row.id, examine(adapter.fetch_report(wanted)), now=now)
    except (FileRefused, Oversize) as problem:
        reason = problem.reason if isinstance(problem, FileRefused) else "too_large"
        refuse(row.id, wanted.version, reason, now=now)
        return "refused"
    except ComeBackLater:  # all of them wait, and it is nothing against this one
        raise
    except ProviderError as problem:
        _try_later(row.id, now=now)
        log.warning("report.not_fetched", provider=provider.code, reason=str(problem)[:120])
        return "failed"
    except Exception:  # whatever is wrong with this one: the others come first from now on
        _try_later(row.id, now=now)
        raise


def refuse(report_id: int, version: int, reason: str, *, now: datetime) -> None:
    """Refuse a version: nothing of it is stored, and a discrepancy is opened until a version is accepted.

    `reason` is a stable code. The file is asked for again after RETRY_REFUSED, MOST_TRIES times in all.
    """
    with transaction() as session:
        report = session.scalars(select(Report).where(Report.id == report_id).with_for_update()).one()
        report.failures += 1
        again = now + RETRY_REFUSED * 2 ** (report.failures - 1) if report.failures < MOST_TRIES else None
        report.fetch_after = again if report.announced_version <= version else now
        open_discrepancy(
            session,
            report.provider_id,
            "report_refused",
            report.reference,
            now=now,
            booking_id=report.booking_id,
            facts={"report": report.public_id, "version": version, "reason": reason},
        )
        if report.failures == MOST_TRIES:
            _tell_unreadable(session, report, now)
    log.warning("report.refused", report=report.public_id, version=version, reason=reason)


def store(report_id: int, examined: Examined, *, now: datetime) -> str:
    """Seal and store one version in a transaction of its own. Returns and raises what add() does, and FileRefused for a
    file that names another person than the booking's."""
    with transaction() as session:
        report = session.scalars(select(Report).where(Report.id == report_id).with_for_update()).one()
        if report.deleted_at is None:
            require_same_person(session, report.booking_id, examined.named)
        outcome = add(session, report, examined, now=now)
    if outcome == "stored":
        log.info("report.stored", report=report.public_id, version=examined.content.report.version)
    return outcome


def add(session: Session, report: Report, examined: Examined, *, now: datetime) -> str:
    """Seal and store one version of a report whose row the caller has locked. Returns stored, known, or deleted if the
    customer has deleted the report meanwhile.

    Raises ProviderError if the results are of another booking than the report announced.
    """
    version = examined.content.report.version
    if report.deleted_at is not None:
        return "deleted"
    booking = session.scalars(select(Booking).where(Booking.id == report.booking_id).with_for_update()).one()
    if named(examined.content.report.our_reference or booking.public_id)[0] != booking.public_id:
        raise ProviderError("the report is of another booking than the one announced")
    if _is_what_we_have(session, report, examined):
        report.fetch_after, report.failures = None, 0
        _close_troubles(session, report, now)
        return "known"
    results = _read(session, booking, _plain(examined))
    added = _add_version(session, report, examined, results, now)
    newest = version > report.fetched_version
    report.fetched_version = max(report.fetched_version, version)
    report.fetch_after = None if report.fetched_version >= report.announced_version else now + RETRY
    report.failures = 0
    if not added:
        return "known"
    _close_troubles(session, report, now)
    if newest:
        critical = any(result.critical for result in results)
        _move_on(session, report, booking, examined.content.report.status, now)
        _tell_desk(session, report, examined, critical, now)
        _tell_customer(session, report, booking, critical, now)
    return "stored"


def _add_version(session: Session, report: Report, examined: Examined, results: list[Reading], now: datetime) -> bool:
    """Store a version and its papers, sealed under a key of its own; False if the version is stored already."""
    content = examined.content
    record = version_record(report.public_id, content.report.version)
    wrapped = new_wrapped_key(record)
    key = unwrap_key(wrapped, record)
    first = examined.papers[0] if examined.papers else None
    added = session.execute(
        insert(ReportVersion)
        .values(
            report_id=report.id,
            version=content.report.version,
            status=content.report.status,
            issued_at=content.report.issued_at,
            received_at=now,
            wrapped_key=wrapped,
            content_sealed=seal(json.dumps(_plain(examined)).encode(), key=key, record=f"{record}:content"),
            document_sealed=seal(first.content if first else b"", key=key, record=f"{record}:document"),
            document_type=first.media_type if first else "",
            items=len(content.items),
            abnormal=sum(result.to_look_at for result in results),
        )
        .on_conflict_do_nothing(index_elements=["report_id", "version"])
        .returning(ReportVersion.id)
    ).scalar_one_or_none()
    if added is None:
        return False
    store_papers(session, added, examined.papers, key=key, record=record)
    return True


def _move_on(session: Session, report: Report, booking: Booking, status: str, now: datetime) -> None:
    """Give report and booking the state that the newest version brings."""
    report.state = _state(status, report.state)
    booking.report_state = report.state
    if report.state != "partial":
        close_discrepancy(session, booking.provider_id, OVERDUE, booking.public_id, "came", now=now)
    touch(booking, now=now)


def _plain(examined: Examined) -> dict[str, Any]:
    """What is stored of a version beside its papers."""
    content = examined.content
    items = [asdict(item) for item in content.items]
    gaps = {"missing": examined.missing, "left_out": examined.left_out}
    return {"items": items, "conclusion": content.conclusion, **{name: gap for name, gap in gaps.items() if gap}}


def _is_what_we_have(session: Session, report: Report, examined: Examined) -> bool:
    """Whether a newer version is the newest stored one delivered again: the same results, conclusion and papers, and
    nothing that moves the report on."""
    version, status = examined.content.report.version, examined.content.report.status
    stored = session.scalars(
        select(ReportVersion).where(
            ReportVersion.report_id == report.id,
            ReportVersion.version == report.fetched_version,
            ReportVersion.wrapped_key.is_not(None),
        )
    ).one_or_none()
    if stored is None or version <= stored.version or (stored.status == "partial") != (status == "partial"):
        return False
    return holds(session, report, stored, examined)


def holds(session: Session, report: Report, stored: ReportVersion, examined: Examined) -> bool:
    """Whether a stored version, whose key is there, has these results, this conclusion and these papers."""
    record = version_record(report.public_id, stored.version)
    key = unwrap_key(stored.wrapped_key, record)
    if json.loads(unseal(stored.content_sealed, key=key, record=f"{record}:content")) != _plain(examined):
        return False
    papers = [open_paper(session, stored, record, line.position) for line in papers_of(session, stored)]
    return papers == list(examined.papers)


def _read(session: Session, booking: Booking, plain: Mapping[str, Any]) -> list[Reading]:
    person = session.get_one(Beneficiary, booking.beneficiary_id)
    whose = Whose(person.sex, person.birth_date, booking.service_date)
    return read_all(plain, whose, codes_of(session, booking.provider_id))


def _tell_desk(session: Session, report: Report, examined: Examined, critical: bool, now: datetime) -> None:
    """Open what an operator has to do about a version: a critical result, and what was missing in its file."""
    gaps = {"missing": examined.missing, "left_out": examined.left_out}
    for kind, facts in ((CRITICAL, {} if critical else None), (INCOMPLETE, gaps if any(gaps.values()) else None)):
        if facts is not None:
            open_discrepancy(
                session,
                report.provider_id,
                kind,
                report.reference,
                now=now,
                booking_id=report.booking_id,
                facts={"report": report.public_id, **facts},
            )


def _tell_customer(session: Session, report: Report, booking: Booking, critical: bool, now: datetime) -> None:
    """Notify the customer of the newest version, which was just stored."""
    kind = "report_critical" if critical else f"report_{report.state}"
    about, facts = f"{report.public_id}:{report.fetched_version}", {"report": report.public_id}
    notify(session, booking.customer_id, kind, about, now=now, booking_id=booking.id, facts=facts)


def _close_troubles(session: Session, report: Report, now: datetime) -> None:
    for kind in ("report_refused", NOT_CONFIRMED, NOT_FETCHED, INCOMPLETE):
        close_discrepancy(session, report.provider_id, kind, report.reference, "delivered", now=now)


def _tell_unreadable(session: Session, report: Report, now: datetime) -> None:
    """Tell the customer that her report is there but can't be read."""
    about, facts = f"{report.public_id}:{report.announced_version}", {"report": report.public_id}
    notify(session, report.customer_id, "report_unreadable", about, now=now, booking_id=report.booking_id, facts=facts)


def _state(status: str, before: str) -> str:
    """The report's state after a newer version: a report that was complete before is now corrected."""
    if status == "corrected" or before in ("ready", "corrected"):
        return "corrected"
    return "partial" if status == "partial" else "ready"


def _try_later(report_id: int, *, now: datetime) -> None:
    with transaction() as session:
        report = session.scalars(select(Report).where(Report.id == report_id).with_for_update()).one()
        report.failures += 1
        report.fetch_after = now + RETRY * min(report.failures, 20)
        if report.failures == MOST_TRIES:
            open_discrepancy(
                session,
                report.provider_id,
                NOT_FETCHED,
                report.reference,
                now=now,
                booking_id=report.booking_id,
                facts={"report": report.public_id, "tries": report.failures},
            )
            _tell_unreadable(session, report, now)
