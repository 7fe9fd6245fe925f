"""Cancelling at a provider what belongs to nobody of ours, once an operator has decided it.

Claim, commit, call, settle, as any command; but it has no booking whose lock could protect it. Instead the provider's
reference is recorded as a stray before the cancel is sent: whoever takes it over at that moment comes first and stops
the cancel, or comes later and waits for its end (`ProviderBookings.record`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.calls.breaker import pause
from booking.calls.connections import ProviderConnection
from booking.discrepancies import Discrepancy
from booking.exchange.models import GAVE_UP, WHY, StrayCancel
from booking.exchange.provider_bookings import find_booking
from booking.exchange.silence import UNKNOWN_BACKOFF
from booking.models import ProviderBooking
from booking.states import CANCELLABLE, DEAD
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from providers.port import (
    Answer,
    Cancel,
    ComeBackLater,
    Confirmed,
    LookUp,
    NotFound,
    ProviderAdapter,
    ProviderError,
    Refused,
    RetryAfter,
    Unknown,
)
from providers.reported import RemoteBooking

log = get_logger(__name__)

LEASE = timedelta(seconds=60)
PASS = timedelta(seconds=10)
REASON = "not_ours"
STRAY_CANCELLED = "stray.cancelled"
MOST_TRIES = 30
"""How many tries nobody answers: half an hour of silence, a look-up before each. Then its case tells a person."""
GIVE_UP_AFTER = timedelta(days=1)
"""How long after it was asked for a cancel is given up whatever is answered: to come back later, not decided yet."""
TO_BE_DECIDED = 60.0
"""Seconds until a cancel is asked about again that the provider will decide later."""

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Claimed:
    """A cancel that this process carries out now."""

    id: int
    case_id: int
    key: str
    tries: int
    reference: str
    our_reference: str


def request_cancel(session: Session, case: Discrepancy, by: Actor, *, now: datetime) -> bool:
    """Queue the cancel of the stray that a case is about, in the caller's transaction. False if one is on its way."""
    case.facts = {name: value for name, value in case.facts.items() if name not in (GAVE_UP, WHY)}
    queued = session.execute(
        insert(StrayCancel)
        .values(
            key=new_id("stc"),
            provider_id=case.provider_id,
            discrepancy_id=case.id,
            reference=case.subject,
            our_reference=case.facts.get("our_reference") or "",
            actor_kind=by.kind,
            actor=by.id,
            asked_at=now,
            run_after=now,
        )
        .on_conflict_do_nothing()
        .returning(StrayCancel.id)
    ).scalar_one_or_none()
    return queued is not None


def being_cancelled(session: Session, case: Discrepancy) -> bool:
    """Whether a cancel of the stray that a case is about is on its way."""
    query = select(StrayCancel.id).where(StrayCancel.discrepancy_id == case.id, StrayCancel.finished_at.is_(None))
    return session.scalar(query) is not None


def cancel_due(provider: ProviderConnection, adapter: ProviderAdapter, *, clock: Clock) -> dict[str, int]:
    """Carry out what is due, unless the provider is paused. Returns counts by outcome, `failed` if there was no answer.

    Raises ProviderError if the provider could not be reached, or asks for a pause; the cancel is tried again.
    """
    counts = Counter[str]()
    until = clock() + PASS
    while not provider.paused and not counts["unknown"] and clock() <= until:
        claimed = _claim(provider.id, clock())
        if claimed is None:
            break
        outcome = _carry_out(provider, adapter, claimed, clock)
        counts[outcome] += 1
        log.info("stray.settled", provider=provider.code, reference=claimed.reference, outcome=outcome)
    return {"failed": counts["unknown"]} if set(counts) == {"unknown"} else dict(counts)


def _claim(provider_id: int, now: datetime) -> Claimed | None:
    due = (
        select(StrayCancel.id)
        .where(
            StrayCancel.provider_id == provider_id,
            StrayCancel.finished_at.is_(None),
            StrayCancel.run_after <= now,
            or_(StrayCancel.lease_until.is_(None), StrayCancel.lease_until <= now),
        )
        .order_by(StrayCancel.run_after, StrayCancel.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    with transaction() as session:
        row = session.scalar(
            update(StrayCancel)
            .where(StrayCancel.id == due.scalar_subquery())
            .values(tries=StrayCancel.tries + 1, lease_until=now + LEASE)
            .returning(StrayCancel)
        )
        if row is None:
            return None
        return Claimed(row.id, row.discrepancy_id, row.key, row.tries, row.reference, row.our_reference)


def _carry_out(provider: ProviderConnection, adapter: ProviderAdapter, claimed: Claimed, clock: Clock) -> str:
    """Look it up once more, make sure that it is nobody's still, cancel it, and settle the answer."""
    found = adapter.look_up(LookUp("", claimed.our_reference, claimed.reference))
    if isinstance(found, RemoteBooking) and found.status in CANCELLABLE:
        stopped = _begin(provider.id, claimed, found, clock())
        if stopped is not None:
            return stopped
        answer = adapter.cancel(Cancel(claimed.key, claimed.our_reference, claimed.reference, REASON))
    elif isinstance(found, RemoteBooking):
        answer = NotFound() if found.status in DEAD else Refused("too_late")
    else:
        answer = found
    outcome = _settle(claimed, answer, clock())
    if isinstance(answer, RetryAfter) and answer.reached:
        raise ComeBackLater("told to come back later", answer.seconds)
    if isinstance(answer, RetryAfter):
        raise ProviderError("not reached")
    return outcome


def _begin(provider_id: int, claimed: Claimed, found: RemoteBooking, now: datetime) -> str | None:
    """Record the reference as a stray that is being cancelled. What stops it instead: it has become ours, a person has
    closed the case, or another process has the claim."""
    with transaction() as session:
        case, mine = _lock(session, claimed)
        if mine is None:
            return "stale"
        if case.closed_at is not None:
            _finish(mine, "case_closed", now)
            return "case_closed"
        session.execute(
            insert(ProviderBooking)
            .values(
                provider_id=provider_id,
                reference=claimed.reference,
                role="stray",
                status=found.status,
                version=found.version,
                seen_at=now,
            )
            .on_conflict_do_nothing()  # waits for a rival who is taking it over
        )
        if find_booking(session, provider_id, found) is not None:
            _finish(mine, "became_ours", now)
            _close(case, "became_ours", now)
            return "became_ours"
        mine.sent_at = mine.sent_at or now
    return None


def _settle(claimed: Claimed, answer: Answer | RemoteBooking, now: datetime) -> str:
    """Record what came of it: gone, refused, to be asked again under the same key, or given up: after too
    much silence, or when it was asked for too long ago."""
    with transaction() as session:
        case, mine = _lock(session, claimed)
        if mine is None:
            return "stale"
        match answer:
            case NotFound() if mine.sent_at is None:  # nothing was cancelled: it had gone before
                _finish(mine, "gone_before", now)
                _close(case, "agrees_again", now)
                return "gone_before"
            case Confirmed() | NotFound():
                _gone(session, case, mine, now)
                return "cancelled"
            case Refused(code):
                _finish(mine, "refused", now)
                case.facts = case.facts | {"code": code}
                return "refused"
            case RetryAfter(seconds):
                wait, outcome, why = pause(seconds), "waiting", "busy" if answer.reached else "unreached"
            case Unknown():
                mine.silent_tries += 1
                step = min(mine.silent_tries, len(UNKNOWN_BACKOFF)) - 1
                wait, outcome, why = timedelta(seconds=UNKNOWN_BACKOFF[step]), "unknown", "silent"
            case _:
                wait, outcome, why = pause(TO_BE_DECIDED), "waiting", "undecided"
        if mine.silent_tries >= MOST_TRIES or now >= mine.asked_at + GIVE_UP_AFTER:
            _finish(mine, GAVE_UP, now)
            case.facts = case.facts | {GAVE_UP: mine.tries, WHY: why}
            return GAVE_UP
        mine.run_after, mine.lease_until = now + wait, None
    return outcome


def _gone(session: Session, case: Discrepancy, mine: StrayCancel, now: datetime) -> None:
    session.execute(
        update(ProviderBooking)
        .where(
            ProviderBooking.provider_id == mine.provider_id,
            ProviderBooking.reference == mine.reference,
            ProviderBooking.booking_id.is_(None),
        )
        .values(status="cancelled", seen_at=now)
    )
    _finish(mine, "cancelled", now)
    _close(case, "cancelled_there", now)
    audit.record(
        session,
        STRAY_CANCELLED,
        at=now,
        actor_kind=mine.actor_kind,
        actor=mine.actor,
        subject=case.public_id,
        reference=mine.reference,
    )


def _lock(session: Session, claimed: Claimed) -> tuple[Discrepancy, StrayCancel | None]:
    """The case, then the cancel, None if another process has claimed it since: the order of whoever requests one."""
    case = session.get_one(Discrepancy, claimed.case_id, with_for_update=True)
    mine = session.scalar(
        select(StrayCancel)
        .where(StrayCancel.id == claimed.id, StrayCancel.tries == claimed.tries, StrayCancel.finished_at.is_(None))
        .with_for_update()
    )
    return case, mine


def _finish(mine: StrayCancel, outcome: str, now: datetime) -> None:
    mine.finished_at, mine.outcome, mine.lease_until = now, outcome, None


def _close(case: Discrepancy, resolution: str, now: datetime) -> None:
    if case.closed_at is None:
        case.closed_at, case.resolution = now, resolution
