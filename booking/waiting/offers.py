"""Offering freed places to waiting customers, in the order in which they joined.

Each place is held and offered in its own transaction, by the same code that holds every place. Order of locks: entry,
person, entitlement, slot. A place that is not taken is offered to the next entry; an entry ends after two offers that
expired.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, exists, select, text
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.changes.rules import cancel_until
from booking.hold.place import HoldRequest, hold_for
from booking.hold.submit import submit_for
from booking.models import Booking
from booking.notices.notify import notify
from booking.notices.quiet_hours import quiet_until
from booking.offers.bookable import ended
from booking.refusals import SlotClosed, SlotFull, SlotMoved
from booking.states import UNDECIDED
from booking.transition import lock_booking
from booking.waiting.join import close, lock_entry, open_offer, outcome_of, set_state
from booking.waiting.match import FITS, LEAST_TIME, WINDOW_ENDS, look_again, look_everywhere
from booking.waiting.models import EXPIRED, WaitingEntry, WaitingOffer
from marketplace.catalog.one_place.sql import at_place
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy, Refusal
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one
from vip.models import Beneficiary
from vip.principal import Principal

log = get_logger(__name__)
HOLD = timedelta(minutes=30)
"""How long an offered place is held for the customer."""

MOST_EXPIRED = 2
"""An entry ends with so many offers that expired unanswered."""
AUTO_BOOKED = "standing_wish"
"""The cause in the history of a booking that was submitted because the entry asks for it."""

Outcome = Literal["held", "booked", "passed", "full"]


# --- freed places ---------------------------------------------------------------------------------------------------

_FREED = text("SELECT slot_id, array_agg(id) AS ids FROM freed_slot GROUP BY slot_id ORDER BY min(id) LIMIT :most")
_DONE = text("DELETE FROM freed_slot WHERE id = ANY(:ids)")

_CANDIDATES = text(f"""
  SELECT e.id AS entry_id, e.public_id AS entry, s.public_id AS slot, s.id AS slot_id, o.public_id AS offer,
         b.public_id AS beneficiary, t.public_id AS entitlement, e.insurer_id, e.customer_id,
         c.public_id AS customer, i.time_zone AS home_zone, i.market, n.quiet, n.quiet_from, n.quiet_until,
         {WINDOW_ENDS} AS window_ends
    FROM slot s
    JOIN waiting_place p ON p.pool_id = s.pool_id
    JOIN waiting_entry e ON e.id = p.entry_id
    JOIN offer o ON o.id = p.offer_id
    {at_place("o", "si")}
    JOIN customer c ON c.id = e.customer_id AND c.blocked_at IS NULL
    JOIN insurer i ON i.id = e.insurer_id
    JOIN beneficiary b ON b.id = e.beneficiary_id
    LEFT JOIN entitlement t ON t.id = e.entitlement_id
    LEFT JOIN notice_setting n ON n.customer_id = c.id
   WHERE s.id = :slot AND {FITS}
   ORDER BY e.id, p.id
""")


def offer_freed(*, now: datetime, limit: int = 100) -> Counter[str]:
    """Offer the places that have become free. Returns how many slots were looked at, and how many entries had each
    outcome. A slot whose row another transaction has locked is left for the next call."""
    outcomes = Counter[str]()

    def offer(row: Row[Any]) -> str:
        outcomes.update(_offer_slot(row.slot_id, now))
        with transaction() as session:
            session.execute(_DONE, {"ids": row.ids})
        return "slots"

    with reading() as session:
        freed = session.execute(_FREED, {"most": limit}).all()
    return one_by_one("waiting", freed, offer, seconds=RUN_SECONDS) + outcomes


def _offer_slot(slot_id: int, now: datetime) -> Counter[str]:
    """Offer the slot's places to one entry after another, until the slot is full or no entry is left."""
    with reading() as session:
        candidates = session.execute(
            _CANDIDATES, {"slot": slot_id, "now": now, "least": LEAST_TIME.total_seconds()}
        ).all()
    counts = Counter[str]()
    asked: set[int] = set()
    for candidate in candidates:
        if candidate.entry_id in asked:
            continue
        outcome = _offer_place(candidate, now)
        counts[outcome] += 1
        if outcome == "full":
            break
        if outcome != "passed":
            asked.add(candidate.entry_id)
    return counts


def _offer_place(candidate: Row[Any], now: datetime) -> Outcome:
    """Hold the place for the entry and notify its customer. An entry that cannot have it is passed over and keeps its
    position."""
    try:
        with transaction() as session:
            entry = lock_entry(session, candidate.entry_id)
            if entry.state != "waiting" or _booked_since(session, entry):
                return "passed"
            booking = _hold(session, entry, candidate, now)
            booked = entry.auto_book and now < cancel_until(booking)
            if booked:
                _book(session, entry, booking, candidate, now)
            _notify(session, entry, booking, candidate, booked=booked, now=now)
    except (SlotFull, SlotClosed, SlotMoved):
        return "full"
    except Busy:
        raise
    except Refusal as refusal:
        log.info("waiting.passed_over", waiting=candidate.entry, reason=refusal.code)
        return "passed"
    log.info("waiting.booked" if booked else "waiting.offered", waiting=candidate.entry, booking=booking.public_id)
    return "booked" if booked else "held"


def _booked_since(session: Session, entry: WaitingEntry) -> bool:
    """Whether the person has a booking of this kind on one of the entry's days, made after the entry. The person's row
    is locked, as it is for every hold, so that no such booking can be made meanwhile."""
    session.execute(
        select(Beneficiary.id).where(Beneficiary.id == entry.beneficiary_id).with_for_update(key_share=True)
    )
    return session.scalar(select(exists().where(*_own_bookings(entry), Booking.live))) is True


def _own_bookings(entry: WaitingEntry) -> tuple[Any, ...]:
    return (
        Booking.customer_id == entry.customer_id,  # the index is by her
        Booking.beneficiary_id == entry.beneficiary_id,
        Booking.kind == entry.kind,
        Booking.service_date.between(entry.first_day, entry.last_day),
        Booking.created_at > entry.created_at,
    )


def _hold(session: Session, entry: WaitingEntry, candidate: Row[Any], now: datetime) -> Booking:
    until = min((_quiet_end(candidate, now) or now) + HOLD, candidate.window_ends)
    held = hold_for(
        session,
        Principal(
            "customer",
            candidate.customer_id,
            candidate.customer,
            candidate.insurer_id,
            0,
            candidate.home_zone,
            market=candidate.market,
        ),
        HoldRequest(candidate.offer, candidate.slot, candidate.beneficiary, candidate.entitlement, {}),
        key=f"{candidate.entry}:{candidate.slot}",
        until=until,
        actor=Actor("system", candidate.entry),
        now=now,
    )
    booking = session.scalars(select(Booking).where(Booking.public_id == held.public_id)).one()
    session.add(
        WaitingOffer(entry_id=entry.id, slot_id=candidate.slot_id, booking_id=booking.id, until=until, made_at=now)
    )
    set_state(entry, "offered", now=now)
    session.flush()
    return booking


def _book(session: Session, entry: WaitingEntry, booking: Booking, candidate: Row[Any], now: datetime) -> None:
    """Submit the booking as the customer would: the entry asks for it."""
    locked, _ = lock_booking(session, booking.id)
    submit_for(session, locked, actor=Actor("customer", candidate.customer), cause=AUTO_BOOKED, now=now)


def _notify(
    session: Session, entry: WaitingEntry, booking: Booking, candidate: Row[Any], *, booked: bool, now: datetime
) -> None:
    offer = open_offer(session, entry.id)
    facts = {"waiting": entry.public_id}
    if not booked and offer is not None:
        facts["until"] = offer.until.isoformat()
    kind = "waitlist_booked" if booked else "waitlist_offer"
    subject = f"{entry.public_id}:{booking.public_id}"
    notify(session, entry.customer_id, kind, subject, now=now, booking_id=booking.id, facts=facts)


def _quiet_end(candidate: Row[Any], now: datetime) -> datetime | None:
    """When the customer's quiet hours end (UTC), None outside of them. No message is sent during them, so a place that
    is freed at night is held until she has had HOLD in the morning to answer."""
    if candidate.quiet is None:
        return quiet_until(now, candidate.home_zone)
    return (
        quiet_until(now, candidate.home_zone, candidate.quiet_from, candidate.quiet_until) if candidate.quiet else None
    )


# --- how an offer ended ------------------------------------------------------------------------------------------


def settle_offers(*, now: datetime, limit: int = 200) -> Counter[str]:
    """Close the offers whose booking is no longer undecided. Returns how many had each outcome."""
    with reading() as session:
        decided = session.execute(
            select(WaitingOffer.entry_id, WaitingOffer.booking_id)
            .join(Booking, Booking.id == WaitingOffer.booking_id)
            .where(WaitingOffer.outcome == "open", Booking.state.not_in(UNDECIDED))
            .order_by(WaitingOffer.id)
            .limit(limit)
        ).all()
    return one_by_one("waiting", decided, lambda row: _settle(row.entry_id, row.booking_id, now), seconds=RUN_SECONDS)


def _settle(entry_id: int, booking_id: int, now: datetime) -> str:
    with transaction() as session:
        entry = lock_entry(session, entry_id)
        offer = open_offer(session, entry_id)
        if offer is None or offer.booking_id != booking_id:
            return "settled_before"
        state = session.scalars(select(Booking.state).where(Booking.id == booking_id)).one()
        offer.outcome, offer.closed_at = outcome_of(state), now
        session.flush()
        if offer.outcome == "booked":
            close(session, entry, "booked", "", now=now)
            return offer.outcome
        entry.lapses += offer.outcome == EXPIRED
        if entry.lapses >= MOST_EXPIRED:
            end(session, entry, EXPIRED, now=now)
        else:
            set_state(entry, "waiting", now=now)
            session.flush()
            look_again(session, entry.id, now=now)
        return offer.outcome


# --- entries that have become pointless -----------------------------------------------------------------------------

_POINTLESS = text(f"""
  SELECT * FROM (
    SELECT e.id, CASE
      WHEN e.closes_at < CAST(:now AS timestamptz) + CAST(:least AS float) * interval '1 s' THEN 'over'
      WHEN b.removed_at IS NOT NULL THEN 'person_gone'
      WHEN NOT EXISTS (
        SELECT FROM waiting_place p JOIN offer o ON o.id = p.offer_id {at_place("o", "si")}
         WHERE p.entry_id = e.id AND NOT {ended("o", "si")}) THEN 'offer_closed'
      WHEN EXISTS (
        SELECT FROM booking k
         WHERE k.customer_id = e.customer_id AND k.beneficiary_id = e.beneficiary_id AND k.kind = e.kind AND k.live
           AND k.state <> 'held' AND k.service_date BETWEEN e.first_day AND e.last_day
           AND k.created_at > e.created_at) THEN 'booked_otherwise'
      WHEN NOT EXISTS (
        SELECT FROM entitlement t WHERE t.customer_id = e.customer_id AND t.kind = e.kind
           AND (e.entitlement_id IS NULL OR t.id = e.entitlement_id)
           AND (b.relation = 'self' OR t.sharing = 'family')
           AND t.valid_from <= e.last_day
           AND t.valid_until >= greatest(e.first_day, (CAST(:now AS timestamptz) AT TIME ZONE i.time_zone)::date)
           AND coalesce(t.available + t.reserved > 0, true)) THEN 'entitlement_gone'
      END AS cause
      FROM waiting_entry e JOIN beneficiary b ON b.id = e.beneficiary_id JOIN insurer i ON i.id = e.insurer_id
     WHERE e.state = 'waiting') AS judged
   WHERE cause IS NOT NULL ORDER BY id LIMIT :most
""")


def review(*, now: datetime, limit: int = 500) -> Counter[str]:
    """End the entries that no place can fit any more and notify their customers; queue what is free for all others.

    Returns how many entries ended for each cause; `free` counts the slots that were queued.
    """
    with reading() as session:
        pointless = session.execute(_POINTLESS, {"now": now, "least": LEAST_TIME.total_seconds(), "most": limit}).all()
    counts = one_by_one("waiting-review", pointless, lambda row: _end_pointless(row.id, row.cause, now))
    with transaction() as session:
        counts["free"] = look_everywhere(session, now=now)
    return counts


def _end_pointless(entry_id: int, cause: str, now: datetime) -> str:
    with transaction() as session:
        entry = lock_entry(session, entry_id)
        if entry.state != "waiting":
            return "moved_on"
        end(session, entry, cause, now=now)
    return cause


def end(session: Session, entry: WaitingEntry, cause: str, *, now: datetime) -> None:
    """End a locked entry for a reason other than its customer's request, and notify her."""
    close(session, entry, "ended", cause, now=now)
    facts = {"waiting": entry.public_id, "reason": cause}
    notify(session, entry.customer_id, "waitlist_ended", entry.public_id, now=now, facts=facts)
    log.info("waiting.ended", waiting=entry.public_id, cause=cause)
