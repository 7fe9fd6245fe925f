"""Carrying rehearsals out, a step at a time: each look of the worker's job makes a booking, judges one, or waits.

All that is known stands in the database, so that a worker which is killed leaves nothing but a lease, and the next one
goes on. Bookings are made one after another, each once the one before was judged: the same seed has the same things
happen in the same order, however fast the partner is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from booking.faults import strike
from booking.faults.kinds import OF_SYSTEMS, Kind
from booking.faults.models import Rehearsal, RehearsalBooking, RehearsalStep
from booking.faults.plan import plan
from booking.rehearsals.customer import book_as_customer
from booking.rehearsals.judge import TYPES_OF_A_CANCEL, Case, Step, Verdict, judge, judge_system
from booking.twins.act import cancel_as_customer
from booking.webhooks.models import WebhookEndpoint
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.retention import forget
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.registry import capabilities

log = get_logger(__name__)

LEASE = timedelta(seconds=30)
"""Longer than any step takes."""
LONGEST = timedelta(hours=2)
"""A rehearsal that takes longer ends."""
KEPT = timedelta(days=30)
_IN_THE_WAY = ("customer", "booking", "reference")
FIRST, CANCELS = "booking.requested", TYPES_OF_A_CANCEL


def carry_on(clock: Callable[[], datetime]) -> dict[str, int]:
    """Do the next step of each open rehearsal; returns counts."""
    with reading() as session:
        due = session.scalars(
            select(Rehearsal.id).where(Rehearsal.state.in_(("queued", "running"))).order_by(Rehearsal.id)
        ).all()
    return dict(one_by_one("rehearsals", due, lambda each: _step(each, clock)))


def forget_rehearsals(*, now: datetime, batch: int = 1000) -> int:
    """Delete the rehearsals that were asked for more than 30 days ago and have ended; returns how many."""
    return forget(Rehearsal.id, Rehearsal.asked_at, now - KEPT, batch, Rehearsal.finished_at.is_not(None))


def _step(rehearsal_id: int, clock: Callable[[], datetime]) -> str:
    now = clock()
    claimed = _claim(rehearsal_id, now)
    if claimed is None:
        return "leased"
    try:
        return _do(claimed, clock)
    finally:
        with transaction() as session:
            mine = update(Rehearsal).where(Rehearsal.id == rehearsal_id)
            session.execute(mine.values(lease_until=None))


def _claim(rehearsal_id: int, now: datetime) -> Rehearsal | None:
    free = or_(Rehearsal.lease_until.is_(None), Rehearsal.lease_until <= now)
    with transaction() as session:
        row = session.scalar(
            select(Rehearsal)
            .where(Rehearsal.id == rehearsal_id, Rehearsal.state.in_(("queued", "running")), free)
            .with_for_update(skip_locked=True)
        )
        if row is not None:
            row.lease_until = now + LEASE
        return row


def _do(it: Rehearsal, clock: Callable[[], datetime]) -> str:
    now = clock()
    if it.state == "queued":
        _begin(it, now)
        return "begun"
    if it.started_at is None or now - it.started_at < strike.NOTICED_AFTER:
        return "waits"
    current = _first(it, "running")
    over = "asked" if it.stop_asked else "too_long" if now - it.started_at > LONGEST else ""
    if over:
        _end_early(it, current, over, now)
        return "stopped"
    if current is not None:
        return _look_at(it, current, now)
    following = _first(it, "waiting")
    if following is not None:
        return _make(it, following, clock)
    _finish(it, "done", "", now)
    return "done"


def _begin(it: Rehearsal, now: datetime) -> None:
    """Write the plan down. What can't strike this provider is not tried, and said so at once."""
    faults = plan(it.seed, [Kind(each) for each in it.kinds], it.bookings)
    with transaction() as session:
        answers_here = _answers_here(session, it.provider_id)
        told = _told(session, it.provider_id)
        for fault in faults:
            why = _not_possible(fault.kind, answers_here=answers_here, told=told)
            session.add(
                RehearsalBooking(
                    rehearsal_id=it.id,
                    provider_id=it.provider_id,
                    number=fault.number,
                    kind=fault.kind.value,
                    seconds=fault.seconds,
                    hold=fault.hold,
                    state="not_tried" if why else "waiting",
                    reason=why,
                    judged_at=now if why else None,
                )
            )
        session.execute(update(Rehearsal).where(Rehearsal.id == it.id).values(state="running", started_at=now))
    strike.forget()


def _not_possible(kind: Kind, *, answers_here: bool, told: frozenset[str]) -> str:
    """Why a fault of this kind can't strike, blank if it can."""
    if not answers_here:
        return "" if kind in OF_SYSTEMS else "not_with_systems"
    if kind in (Kind.DUPLICATE, Kind.CLOCK_SKEW) and FIRST not in told:
        return "no_endpoint"
    if kind is Kind.OUT_OF_ORDER and not (FIRST in told and told & set(CANCELS)):
        return "no_endpoint"
    return ""


def _answers_here(session: Session, provider_id: int) -> bool:
    return capabilities(session.get_one(Provider, provider_id).adapter).answers_here


def _told(session: Session, provider_id: int) -> frozenset[str]:
    """The types of events of which an active endpoint of the provider is told."""
    mine = (WebhookEndpoint.provider_id == provider_id, WebhookEndpoint.state == "active")
    return frozenset(
        each for types in session.scalars(select(WebhookEndpoint.event_types).where(*mine)) for each in types
    )


def _first(it: Rehearsal, state: str) -> RehearsalBooking | None:
    mine = (RehearsalBooking.rehearsal_id == it.id, RehearsalBooking.state == state)
    with reading() as session:
        return session.scalars(select(RehearsalBooking).where(*mine).order_by(RehearsalBooking.number)).first()


def _make(it: Rehearsal, row: RehearsalBooking, clock: Callable[[], datetime]) -> str:
    """Make the test booking. Its key is the rehearsal's and its number: one that was made before the worker was killed
    is found again. For one whose webhooks come newest first the customer cancels before any is sent."""
    now, key = clock(), f"{it.public_id}-{row.number}"
    try:
        booking = book_as_customer(it.provider_id, it.offer, key=key, number=row.number, now=now)
    except Refusal as refused:
        _settle(row, "not_tried", "not_booked", now, said=_said(refused))
        return "not booked"
    with transaction() as session:
        mine = update(RehearsalBooking).where(RehearsalBooking.id == row.id, RehearsalBooking.state == "waiting")
        session.execute(mine.values(state="running", booking=booking, made_at=now))
        strike.write_step(session, row.id, "customer", "booked", {}, now=now)
    if row.kind == Kind.OUT_OF_ORDER:
        _cancel_at_once(it, row.id, booking, clock())
    return "made"


def _said(refused: Refusal) -> dict[str, object]:
    """Why no test booking was made: the code and, where one stands in the way, whose (her number) and which."""
    return {"code": refused.code, **{each: refused.facts[each] for each in _IN_THE_WAY if each in refused.facts}}


def _cancel_at_once(it: Rehearsal, fault_id: int, booking: str, now: datetime) -> None:
    cancel_as_customer(it.provider_id, booking, now=now)
    with transaction() as session:
        strike.write_step(session, fault_id, "customer", "cancelled", {}, now=now)


def _look_at(it: Rehearsal, row: RehearsalBooking, now: datetime) -> str:
    with reading() as session:
        lines = session.scalars(
            select(RehearsalStep).where(RehearsalStep.rehearsal_booking_id == row.id).order_by(RehearsalStep.id)
        )
        steps = [Step(line.at, line.by, line.what, line.facts) for line in lines]
        answers_here, told = _answers_here(session, it.provider_id), _told(session, it.provider_id)
    case = Case(steps, now, bool(told & set(CANCELS)))
    if row.kind == Kind.OUT_OF_ORDER and not case.all("cancelled"):  # killed before it could be
        _cancel_at_once(it, row.id, row.booking, now)
        return "cancelled"
    if case.all("not_cancelled"):
        _settle(row, "not_tried", "not_booked", now, said=dict(case.all("not_cancelled")[0].facts))
        return "not cancelled"
    verdict = judge(Kind(row.kind), case) if answers_here else judge_system(Kind(row.kind), case)
    if verdict is None:
        return "waits"
    _take_back(it, row, now)
    _judged(row, verdict, now)
    return "judged"


def _judged(row: RehearsalBooking, verdict: Verdict, now: datetime) -> None:
    _settle(row, "right" if verdict.right else "wrong", verdict.reason, now)
    log.info("rehearsal.judged", rehearsal=row.rehearsal_id, number=row.number, kind=row.kind, reason=verdict.reason)


def _settle(
    row: RehearsalBooking, state: str, reason: str, now: datetime, *, said: dict[str, object] | None = None
) -> None:
    with transaction() as session:
        mine = update(RehearsalBooking).where(RehearsalBooking.id == row.id)
        session.execute(mine.values(state=state, reason=reason, judged_at=now))
        if said is not None:
            strike.write_step(session, row.id, "us", "not_booked", said, now=now)


def _take_back(it: Rehearsal, row: RehearsalBooking, now: datetime) -> None:
    """Cancel the booking as its customer would, if it lives. One that can't be cancelled stays for its provider's own
    clearing."""
    if not row.booking:
        return
    try:
        cancel_as_customer(it.provider_id, row.booking, now=now)
    except Refusal as refused:
        log.info("rehearsal.left_behind", booking=row.booking, code=refused.code)


def _end_early(it: Rehearsal, current: RehearsalBooking | None, why: str, now: datetime) -> None:
    if current is not None:
        _take_back(it, current, now)
    with transaction() as session:
        session.execute(
            update(RehearsalBooking)
            .where(RehearsalBooking.rehearsal_id == it.id, RehearsalBooking.state.in_(("waiting", "running")))
            .values(state="not_tried", reason="stopped", judged_at=now)
        )
    _finish(it, "stopped", why, now)


def _finish(it: Rehearsal, state: str, reason: str, now: datetime) -> None:
    with transaction() as session:
        mine = update(Rehearsal).where(Rehearsal.id == it.id, Rehearsal.state == "running")
        session.execute(mine.values(state=state, reason=reason, finished_at=now))
    strike.forget()
    log.info("rehearsal.ended", rehearsal=it.public_id, state=state, reason=reason)
