"""From a suspicion to a discrepancy: ask the provider again, then compare both sides under the booking's lock.

What changed in the meantime is not a discrepancy. Where the evidence shows what is right, the repair is made in the
transaction that records the discrepancy; otherwise it stays open as a case for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking.attendance.early import is_early_status, last_early, record_early_status, too_early
from booking.calls.connections import ProviderConnection
from booking.discrepancies import EXPLAINED, Discrepancy, Effect, close_discrepancy, open_discrepancy
from booking.exchange.follow import follow_state, follow_time
from booking.exchange.models import OF_ITS_CANCEL
from booking.exchange.provider_bookings import ProviderBookings, find_booking
from booking.models import Booking, ProviderBooking, ProviderTask
from booking.notices.told_otherwise import notify_difference
from booking.reconcile.compare import Found, Kind, Ours, compare, effect
from booking.states import DEAD
from booking.transition import lock_booking
from marketplace.catalog.kinds import has_times
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from providers.port import LookUp, NotFound, RetryAfter, Unknown
from providers.reported import RemoteBooking

Verdict = Literal["agrees", "busy", "unsettled", "unverified", "explained", "repaired", "opened", "standing"]
"""How an examination ended. The stored counts of a run have these names; `standing` is one that was open before."""
Clock = Callable[[], datetime]

AGREES_AGAIN = "agrees_again"


class Answering(Protocol):
    """A provider that can be asked about one booking."""

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown | RetryAfter:
        """As ProviderAdapter.look_up()."""
        ...


@dataclass(frozen=True)
class Suspect:
    """A possible discrepancy. `our_reference` is our number at the provider, if it is known; `listed` are the entries
    of the provider's list for the same booking."""

    kind: Kind
    subject: str
    booking_id: int | None = None
    our_reference: str | None = None
    reference: str | None = None
    listed: tuple[RemoteBooking, ...] = ()


def examine(provider: ProviderConnection, adapter: Answering, suspect: Suspect, *, clock: Clock) -> Verdict:
    """Ask the provider about one suspect and record the result. No transaction is open while it is asked."""
    theirs = _ask(adapter, suspect, _called(provider.id, suspect))
    if theirs is None:
        return "unverified"
    now = clock()
    with transaction() as session:
        booking_id = suspect.booking_id
        for remote in theirs:
            booking_id = booking_id or find_booking(session, provider.id, remote)
        if booking_id is None:
            return _nobodys(session, provider.id, suspect, theirs, now)
        booking, tasks = lock_booking(session, booking_id)
        if tasks:
            return "busy"
        known = {remote.reference for remote in theirs}
        rest = [each for each in suspect.listed if each.reference not in known | {suspect.reference}]
        found = [
            each for each in compare([ours_of(session, booking)], [*theirs, *rest]) if _about(suspect, each, known)
        ]
        return _settle(session, provider.id, booking, suspect, found, now)


def _called(provider_id: int, suspect: Suspect) -> str:
    """What we called the suspect's booking at the provider: by what the provider lists, by what we recorded of it (a
    change can have made one under a number of its own), else by the booking's public id; blank if nobody knows."""
    listed = next((each.our_reference for each in suspect.listed if each.reference == suspect.reference), None)
    if listed is not None or suspect.reference is None:
        return listed or suspect.our_reference or ""
    with reading() as session:
        known = session.scalar(
            select(ProviderBooking.our_reference).where(
                ProviderBooking.provider_id == provider_id, ProviderBooking.reference == suspect.reference
            )
        )
    return known or suspect.our_reference or ""


def _ask(adapter: Answering, suspect: Suspect, called: str) -> list[RemoteBooking] | None:
    """The provider's bookings for the suspect now; empty if it has none, None if it gave no usable answer."""
    if suspect.reference is not None:
        answer = adapter.look_up(LookUp("", called, suspect.reference))
        if isinstance(answer, RemoteBooking):
            # a system that finds bookings by our number alone may show another one: then its list is what we have
            listed = [each for each in suspect.listed if each.reference == suspect.reference]
            return [answer] if answer.reference == suspect.reference else [answer, *listed]
        if isinstance(answer, NotFound) and suspect.kind in ("theirs_only", "duplicate_there"):
            return []
        if suspect.our_reference is None:
            listed = [each for each in suspect.listed if each.reference == suspect.reference]
            return [] if isinstance(answer, NotFound) else listed or None
    if suspect.our_reference is None:
        return None
    answer = adapter.look_up(LookUp("", suspect.our_reference))
    if isinstance(answer, RemoteBooking):
        return [answer]
    return [] if isinstance(answer, NotFound) else None


def ours_of(session: Session, booking: Booking) -> Ours:
    """A locked booking as `compare` takes it."""
    references = session.execute(
        select(ProviderBooking.reference, ProviderBooking.role).where(ProviderBooking.booking_id == booking.id)
    )
    allotment = session.scalar(select(Provider.allotment).where(Provider.id == booking.provider_id))
    return Ours(
        booking=booking.public_id,
        state=booking.state,
        service_date=booking.service_date,
        starts_at=booking.starts_at,
        references={row.reference: row.role for row in references},
        allotment=bool(allotment),
        timeless=not has_times(booking.kind),
    )


def _about(suspect: Suspect, found: Found, known: set[str]) -> bool:
    """Whether the finding is about the suspect itself, not about other entries of the list."""
    if suspect.kind in ("theirs_only", "duplicate_there"):
        return found.reference == suspect.reference
    return found.kind == "ours_only" or found.reference in known


def _settle(
    session: Session, provider_id: int, booking: Booking, suspect: Suspect, found: list[Found], now: datetime
) -> Verdict:
    if any(each.kind == "ours_only" for each in found) and not _settled(session, booking, now):
        return "unsettled"
    if (suspect.kind, suspect.subject) not in {each.key for each in found}:
        close_discrepancy(session, provider_id, suspect.kind, suspect.subject, AGREES_AGAIN, now=now)
    verdict: Verdict = "agrees"
    for each in found:
        verdict = _write(session, provider_id, booking, each, now)
    return verdict


def _settled(session: Session, booking: Booking, now: datetime) -> bool:
    """Whether enough time has passed since the last command for the provider's lookups to show its effect."""
    window = session.scalar(select(Provider.settle_window_seconds).where(Provider.id == booking.provider_id)) or 0
    last = session.scalar(select(func.max(ProviderTask.finished_at)).where(ProviderTask.booking_id == booking.id))
    return last is None or now >= last + timedelta(seconds=window)


def _write(session: Session, provider_id: int, booking: Booking, found: Found, now: datetime) -> Verdict:
    if found.kind == "time_differs" and found.theirs is not None and _switch(session, booking, found.theirs, now):
        return "repaired"  # it was the time that an open change asks for; its own history says so
    if found.repair == "follow" and found.theirs is not None:
        verdict = _early(session, provider_id, booking, found, now)
        if verdict is not None:
            return verdict
    if found.repair == "follow" and found.theirs is not None and _follow(session, booking, found.theirs, now):
        _open(session, provider_id, booking, found, now)
        close_discrepancy(session, provider_id, found.kind, found.subject, "followed_provider", now=now)
        return "repaired"
    if found.repair == "cancel_there" and found.theirs is not None and not _refused_before(session, found, provider_id):
        theirs = ProviderBookings(session, booking)
        theirs.record(found.theirs, now, ours=found.theirs.our_reference)
        theirs.cancel_there(found.theirs.reference, now)
        _open(session, provider_id, booking, found, now)
        return "repaired"
    return _open(session, provider_id, booking, found, now)


def _follow(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> bool:
    """Move the booking to the provider's status; whether it moved. A version older than one we have recorded is
    ignored: the provider may have restored an old copy of its books."""
    before, theirs = booking.version, ProviderBookings(session, booking)
    known = theirs.known(remote.reference)
    if known is not None and remote.version < known.version:
        return False
    if theirs.record(remote, now).role == "current":
        follow_state(session, booking, theirs, remote, now)
    return booking.version != before


def _early(session: Session, provider_id: int, booking: Booking, found: Found, now: datetime) -> Verdict | None:
    """What becomes of a status that can't be true yet, or was reported before it could be: a person settles it, or the
    provider's next word. Once that case is closed, a note explains it while the day hasn't come and our state is the
    same; after that the states differ. None: it was not early and may be followed."""
    remote = found.theirs
    if remote is None:
        return None
    early = too_early(remote.status, booking.service_date, booking.starts_at, booking.time_zone, now)
    if not is_early_status(session, booking, remote):
        if early:
            record_early_status(session, booking, remote, now)
        return "standing" if early else None
    last = last_early(session, booking, remote.reference)
    if last is None or last.closed_at is None:
        return "standing"
    if early and last.resolution == EXPLAINED and last.facts["ours"] == booking.state.value:
        return "explained"
    return _open(session, provider_id, booking, found, now)


def _switch(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> bool:
    before = booking.version
    follow_time(session, booking, remote, now)
    return booking.version != before


def _refused_before(session: Session, found: Found, provider_id: int) -> bool:
    """Whether the provider has refused this cancel before: then a person has to decide."""
    return (
        session.scalar(
            select(Discrepancy.id).where(
                Discrepancy.provider_id == provider_id,
                Discrepancy.kind == "cancel_refused",
                Discrepancy.subject == found.subject,
                Discrepancy.closed_at.is_(None),
            )
        )
        is not None
    )


def _open(session: Session, provider_id: int, booking: Booking | None, found: Found, now: datetime) -> Verdict:
    facts = facts_of(found)
    if _explained(session, provider_id, found, facts):
        return "explained"
    units, services = effect(found)
    means = Effect(units, services * booking.price_minor, booking.currency) if booking is not None else Effect()
    new = open_discrepancy(
        session,
        provider_id,
        found.kind,
        found.subject,
        now=now,
        booking_id=booking.id if booking is not None else None,
        facts=facts,
        effect=means,
    )
    if new and booking is not None:
        notify_difference(session, booking, found.kind, facts, now=now)
    if not new:
        open_one = (
            Discrepancy.provider_id == provider_id,
            Discrepancy.kind == found.kind,
            Discrepancy.subject == found.subject,
            Discrepancy.closed_at.is_(None),
        )
        before = session.scalar(select(Discrepancy.facts).where(*open_one).with_for_update()) or {}
        facts |= {name: before[name] for name in OF_ITS_CANCEL if name in before}
        session.execute(
            update(Discrepancy)
            .where(*open_one)
            .values(facts=facts, quota_units=means.units, money_minor=means.money_minor, currency=means.currency)
        )
    return "opened" if new else "standing"


def facts_of(found: Found) -> dict[str, Any]:
    """What is stored of both sides: states, references, versions and times; no personal data."""
    facts: dict[str, Any] = {"ours": found.ours.value if found.ours is not None else None}
    remote = found.theirs
    if remote is None:
        return facts | {"theirs": None, "reference": found.reference}
    return facts | {
        "theirs": remote.status,
        "reference": remote.reference,
        "our_reference": remote.our_reference or "",
        "version": remote.version,
        "service_date": remote.service_date.isoformat() if remote.service_date else None,
        "starts_at": remote.starts_at.isoformat() if remote.starts_at else None,
        "ends_at": remote.ends_at.isoformat() if remote.ends_at else None,
    }


def _explained(session: Session, provider_id: int, found: Found, facts: dict[str, Any]) -> bool:
    """Whether a person has closed this same discrepancy with a note."""
    last = session.execute(
        select(Discrepancy.resolution, Discrepancy.facts, Discrepancy.closed_at)
        .where(
            Discrepancy.provider_id == provider_id,
            Discrepancy.kind == found.kind,
            Discrepancy.subject == found.subject,
        )
        .order_by(Discrepancy.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.closed_at is None or last.resolution != EXPLAINED:
        return False
    compared = ("ours", "theirs", "service_date", "starts_at")
    return all(last.facts.get(name) == facts.get(name) for name in compared)


def _nobodys(
    session: Session, provider_id: int, suspect: Suspect, theirs: list[RemoteBooking], now: datetime
) -> Verdict:
    """A provider's booking that matches none of ours: a discrepancy until it ends."""
    remote = next((each for each in theirs if each.reference == suspect.reference), None)
    if remote is None or remote.status in DEAD:
        close_discrepancy(session, provider_id, suspect.kind, suspect.subject, AGREES_AGAIN, now=now)
        return "agrees"
    return _open(
        session, provider_id, None, Found("theirs_only", remote.reference, None, remote.reference, None, remote), now
    )
