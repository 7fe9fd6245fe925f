"""Closing a site: its slots are no longer sold, and its bookings are moved or cancelled one by one.

An operator sees a preview first, then closes the site. Its slots are closed at once, and a trigger keeps them closed
whatever the provider's feed reports. The worker goes through the bookings in batches. Each booking has its own
transaction, which also records the outcome, so that a worker that was killed goes on where it stopped and does nothing
twice. Every customer is notified. A booking that the provider does not cancel becomes a discrepancy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from booking.actors import Actor
from booking.changes import swap
from booking.changes.cancel import begin_cancel
from booking.changes.reschedule import ask_for, check_changeable
from booking.closures.again import ONE_OPEN, take_up
from booking.closures.models import SiteClosure, SiteClosureItem
from booking.closures.slots import SLOTS, close_slots, within_days
from booking.discrepancies import Discrepancy, close_discrepancy, open_discrepancy
from booking.feeds.cursors import done
from booking.models import Booking, ChangeRequest, ProviderTask, Slot
from booking.notices.notify import notify
from booking.offers.alternatives import Alternative, nearest
from booking.outbox import UNFINISHED
from booking.states import BEGUN, LIVE, BookingState
from booking.sync.slots import SIGHT
from booking.transition import lock_booking
from marketplace.catalog.kinds import without_times
from marketplace.catalog.models import CapacityPool, Offer, Site
from marketplace.catalog.one_place.sql import entries_with, sites_covered
from marketplace.core import audit
from marketplace.core.clock import today
from marketplace.core.database.db import reading, transaction, violated
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from vip import roles
from vip.principal import Principal

log = get_logger(__name__)

Mode = Literal["move", "cancel"]
MODES: tuple[Mode, ...] = ("cancel", "move")
CAUSE = "site_closed"
STILL_BOOKED = "closure_stands"
"""The kind of the discrepancy of a booking that the provider did not cancel."""
BEGUN_ALREADY = "kept"
"""The stored outcome of a booking whose service had begun: it stays."""
BATCH = 50

_S = BookingState


class ClosingAlready(Refusal):
    """Another closure of this site by the same insurer is still open."""

    code = "closing_already"


def close_site(
    principal: Principal, site_id: str, from_day: date, to_day: date | None, mode: str, *, now: datetime
) -> str:
    """Close a site from a day to another (None: for good). Returns the closure's public id. Audited.

    `mode` is move or cancel. Asking for the same closure again returns the same id. Raises NotFound, Invalid,
    ClosingAlready.
    """
    roles.require(principal, "books")
    if mode not in MODES:
        raise Invalid(field="mode", reason="unknown_choice")
    try:
        with transaction() as session:
            site = site_of(session, site_id)
            check_days(site, from_day, to_day, now)
            closure = SiteClosure(
                public_id=new_id("clo"),
                insurer_id=principal.insurer_id,
                site_id=site.id,
                from_day=from_day,
                to_day=to_day,
                mode=mode,
                actor=principal.public_id,
                asked_at=now,
            )
            session.add(closure)
            session.flush()
            _audit(session, principal, "site.closed", closure, now, days=[from_day.isoformat(), str(to_day or "")])
    except IntegrityError as refused:
        if violated(refused) != ONE_OPEN:
            raise
        return _the_same(principal, site_id, from_day, to_day, mode)
    while close_slots(closure.id) == SLOTS:
        pass
    log.info("site.closed", closure=closure.public_id, mode=mode)
    return closure.public_id


def _the_same(principal: Principal, site_id: str, from_day: date, to_day: date | None, mode: str) -> str:
    with reading() as session:
        earlier = session.scalar(
            select(SiteClosure)
            .join(Site, Site.id == SiteClosure.site_id)
            .where(
                Site.public_id == site_id,
                SiteClosure.insurer_id == principal.insurer_id,
                SiteClosure.state == "open",
            )
        )
    if earlier is None or (earlier.from_day, earlier.to_day, earlier.mode) != (from_day, to_day, mode):
        raise ClosingAlready()
    return earlier.public_id


def reopen_site(principal: Principal, closure_id: str, *, now: datetime) -> None:
    """Withdraw a closure. Audited. Withdrawing again changes nothing. Raises NotFound.

    Slots open again with the provider's next full list; cancelled bookings stay cancelled.
    """
    roles.require(principal, "books")
    with transaction() as session:
        closure = session.scalar(
            select(SiteClosure)
            .where(SiteClosure.public_id == closure_id, SiteClosure.insurer_id == principal.insurer_id)
            .with_for_update()
        )
        if closure is None:
            raise NotFound()
        if closure.state == "withdrawn":
            return
        closure.state, closure.finished_at = "withdrawn", now
        _audit(session, principal, "site.reopened", closure, now)
        providers = session.scalars(
            select(CapacityPool.provider_id).where(CapacityPool.site_id.in_(sites_covered(closure.site_id))).distinct()
        ).all()
    for provider_id in providers:
        done(provider_id, SIGHT, None, now=now)  # all slots are pulled afresh


# --- the worker ------------------------------------------------------------------------------------------------------


def work_closures(*, now: datetime, limit: int = BATCH) -> dict[str, int]:
    """Continue every open closure with at most `limit` bookings each. Returns counts by outcome; `over` counts the
    discrepancies that were closed."""
    counts = Counter[str]()
    take_up()
    with reading() as session:
        closures = session.scalars(
            select(SiteClosure).where(SiteClosure.state == "open").order_by(SiteClosure.id)
        ).all()
    for closure in closures:
        close_slots(closure.id)
        counts += one_by_one("closures", _to_do(closure, limit), partial(_move_or_cancel, closure, now=now))
        _finish(closure, now=now)
    counts["over"] = _close_cases(now=now)
    return dict(counts)


def _to_do(closure: SiteClosure, limit: int) -> Sequence[int]:
    """Ids of live bookings at the site that have no outcome yet, and of those whose move the provider refused."""
    asked = exists().where(
        ChangeRequest.booking_id == Booking.id, ChangeRequest.kind == "reschedule", ChangeRequest.closed_at.is_(None)
    )
    with reading() as session:
        return session.scalars(
            select(Booking.id)
            .join(Offer, Offer.id == Booking.offer_id)
            .outerjoin(
                SiteClosureItem,
                and_(SiteClosureItem.booking_id == Booking.id, SiteClosureItem.closure_id == closure.id),
            )
            .where(
                *affected(closure),
                or_(SiteClosureItem.id.is_(None), and_(SiteClosureItem.outcome == "moving", ~asked)),
            )
            .order_by(Booking.id)
            .limit(limit)
        ).all()


def _move_or_cancel(closure: SiteClosure, booking_id: int, *, now: datetime) -> str:
    """Move or cancel one booking, notify its customer and record the outcome, in one transaction. Returns the outcome;
    `gone` if there is nothing to do any more."""
    with transaction() as session:
        state = session.scalar(select(SiteClosure.state).where(SiteClosure.id == closure.id).with_for_update(read=True))
        if state != "open":  # withdrawn meanwhile
            return "gone"
        booking, tasks = lock_booking(session, booking_id)
        if booking.state not in LIVE or not _within(closure, booking.service_date):
            return "gone"
        item = session.scalar(
            select(SiteClosureItem).where(
                SiteClosureItem.closure_id == closure.id, SiteClosureItem.booking_id == booking.id
            )
        )
        outcome = _act(session, closure, booking, tasks, first=item is None, now=now)
        if item is None:
            session.add(SiteClosureItem(closure_id=closure.id, booking_id=booking.id, outcome=outcome, at=now))
        else:
            item.outcome, item.at = outcome, now
    return outcome


def _act(
    session: Session, closure: SiteClosure, booking: Booking, tasks: list[ProviderTask], *, first: bool, now: datetime
) -> str:
    if booking.state in BEGUN:
        return BEGUN_ALREADY
    actor = Actor("operator", closure.actor)
    if first and closure.mode == "move" and _move(session, booking, tasks, actor, now):
        _notify(session, closure, booking, "moving", None, now)
        return "moving"
    others = nearest(session, booking, now=now)
    begin_cancel(session, booking, tasks, actor=actor, cause=CAUSE, now=now)
    _notify(session, closure, booking, "cancelled", others[0] if others else None, now)
    return "cancelled" if booking.state is _S.CANCELLED else "asked"


def _move(session: Session, booking: Booking, tasks: list[ProviderTask], actor: Actor, now: datetime) -> bool:
    """Request the nearest time of the same package on another day. False if none can be booked."""
    for other in nearest(session, booking, now=now, same_offer=True):
        slot = session.scalars(select(Slot).where(Slot.public_id == other.slot_id)).one()
        try:
            with session.begin_nested():
                check_changeable(session, booking)
                ask_for(session, booking, tasks, slot, actor=actor, now=now, cause=CAUSE)
        except Refusal:
            session.refresh(booking)
            continue
        return True
    return False


def _notify(
    session: Session, closure: SiteClosure, booking: Booking, what: str, other: Alternative | None, now: datetime
) -> None:
    """Notify the customer, once for each outcome, of the new time, or of the nearest one that she can book."""
    facts: dict[str, Any] = {"closing": what, "from_day": closure.from_day.isoformat()}
    change = swap.open_change(session, booking)
    if what == "moving" and change is not None and change.new_service_date is not None:
        facts["new_day"] = change.new_service_date.isoformat()
        facts["new_starts_at"] = change.new_starts_at.isoformat() if change.new_starts_at else None
    elif other is not None:
        facts |= {
            "new_day": other.service_date.isoformat(),
            "new_starts_at": other.starts_at.isoformat() if other.starts_at else None,
            "new_site": other.site_name,
        }
    subject = f"{booking.public_id}:{closure.public_id}:{what}"
    notify(session, booking.customer_id, "site_closed", subject, now=now, booking_id=booking.id, facts=facts)


def _finish(closure: SiteClosure, *, now: datetime) -> None:
    """End a closure that waits for no more answers; open a discrepancy for each booking that the provider did not
    cancel."""
    waiting = exists().where(
        ProviderTask.booking_id == Booking.id, ProviderTask.state.in_(UNFINISHED)
    ) | exists().where(ChangeRequest.booking_id == Booking.id, ChangeRequest.state == "open")
    left = (
        select(Booking, SiteClosureItem.outcome, waiting.label("waiting"))
        .join(Offer, Offer.id == Booking.offer_id)
        .outerjoin(
            SiteClosureItem, and_(SiteClosureItem.booking_id == Booking.id, SiteClosureItem.closure_id == closure.id)
        )
        .where(*affected(closure))
    )
    with transaction() as session:
        # What belongs to the place doesn't change between this look and what is written.
        session.execute(select(SiteClosure.id).where(SiteClosure.id == closure.id).with_for_update())
        rows = session.execute(left).all()
        for row in rows:
            if row.outcome == "asked" and not row.waiting:
                open_discrepancy(
                    session,
                    row.Booking.provider_id,
                    STILL_BOOKED,
                    row.Booking.public_id,
                    now=now,
                    booking_id=row.Booking.id,
                    facts={"ours": row.Booking.state.value, "closure": closure.public_id},
                )
        if all(row.outcome == BEGUN_ALREADY or (row.outcome == "asked" and not row.waiting) for row in rows):
            session.execute(
                update(SiteClosure)
                .where(SiteClosure.id == closure.id, SiteClosure.state == "open")
                .values(state="done", finished_at=now)
            )


def _close_cases(*, now: datetime) -> int:
    """Close the discrepancies of bookings that have ended by now. Returns how many."""
    with transaction() as session:
        rows = session.execute(
            select(Discrepancy.provider_id, Discrepancy.subject)
            .join(Booking, Booking.id == Discrepancy.booking_id)
            .where(Discrepancy.kind == STILL_BOOKED, Discrepancy.closed_at.is_(None), Booking.state.not_in(LIVE))
        ).all()
        return sum(
            close_discrepancy(session, row.provider_id, STILL_BOOKED, row.subject, "booking_ended", now=now)
            for row in rows
        )


def affected(closure: SiteClosure) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a booking is one that the closure moves or cancels: of the insurer whose operator closed the
    site. Another insurer's are that one's to decide about, but for those that the release before began to move or
    cancel for all: that is brought to its end. What has no time has begun and goes on: no new one is opened."""
    days = within_days(Booking.service_date, closure.from_day, closure.to_day)
    at_site = done_at(closure.site_id)
    item = aliased(SiteClosureItem)
    begun = exists().where(item.closure_id == closure.id, item.booking_id == Booking.id)
    mine = or_(Booking.insurer_id == closure.insurer_id, begun)
    return at_site, mine, Booking.state.in_(LIVE), Booking.kind.not_in(without_times()), days


def done_at(site_id: int) -> ColumnElement[bool]:
    """The condition that a booking is done at the site (internal id): at its venue where it has one, else where its
    offer is. Each way by its own index. A venue is a place with all its entries, whichever of them was closed."""
    there, where = aliased(Booking), aliased(Offer)
    by_offer = select(there.id).join(where, where.id == there.offer_id)
    by_offer = by_offer.where(where.site_id.in_(sites_covered(site_id)), there.venue_id.is_(None))
    sent = aliased(Booking)
    return Booking.id.in_(by_offer.union_all(select(sent.id).where(sent.venue_id.in_(entries_with(site_id)))))


def _within(closure: SiteClosure, day: date) -> bool:
    return closure.from_day <= day and (closure.to_day is None or day <= closure.to_day)


def site_of(session: Session, site_id: str) -> Site:
    site = session.scalar(select(Site).where(Site.public_id == site_id))
    if site is None:
        raise NotFound(field="site")
    return site


def check_days(site: Site, from_day: date, to_day: date | None, now: datetime) -> None:
    if from_day < today(site.time_zone, now):
        raise Invalid(field="from_day", reason="day_is_over")
    if to_day is not None and to_day < from_day:
        raise Invalid(field="to_day", reason="ends_before_it_begins")


def _audit(
    session: Session, principal: Principal, action: str, closure: SiteClosure, now: datetime, **facts: Any
) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.acts_as,
        actor=principal.public_id,
        subject=closure.public_id,
        insurer_id=principal.insurer_id,
        **facts,
    )
