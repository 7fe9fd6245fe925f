"""Whose turn it is: freed places go to those who wait, in the order in which they began.

Each place is held and offered in a transaction of its own, by the one path that holds places. Locks: entry, person,
entitlement, slot last. A place that was let go is offered to the next; two that lapse end the entry.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, exists, select, text
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.changes.rules import cancel_until
from booking.hold.confirm import submit
from booking.hold.place import HoldRequest, hold_for
from booking.models import Booking
from booking.notices.notify import notify
from booking.notices.quiet_hours import quiet_until
from booking.offers.bookable import given_out
from booking.refusals import SlotClosed, SlotFull, SlotMoved
from booking.transition import lock_booking
from booking.waiting.join import close, lock_entry, open_chance, outcome_of, set_state
from booking.waiting.match import FITS, LEAST_TIME, WINDOW_ENDS, look_again, look_everywhere
from booking.waiting.models import WaitingChance, WaitingEntry
from marketplace.core.db import reading, transaction
from marketplace.core.errors import Busy, Refusal
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from vip.models import Beneficiary
from vip.principal import Principal

log = get_logger(__name__)
HOLD = timedelta(minutes=30)
"""How long a place is kept for somebody whose turn it is."""

MOST_LAPSES = 2
STANDING_WISH = "standing_wish"

Outcome = Literal["held", "booked", "passed", "full"]

_UNDECIDED = ("held", "awaiting_provider", "outcome_unknown")
"""A chance is open while its booking is in one of these."""


# --- freed places ---------------------------------------------------------------------------------------------------

_FREED = text("SELECT slot_id, array_agg(id) AS ids FROM freed_slot GROUP BY slot_id ORDER BY min(id) LIMIT :most")
_DONE = text("DELETE FROM freed_slot WHERE id = ANY(:ids)")

_LINE = text(f"""
  SELECT e.id AS entry_id, e.public_id AS entry, s.public_id AS slot, s.id AS slot_id, o.public_id AS offer,
         b.public_id AS beneficiary, t.public_id AS entitlement, e.insurer_id, e.customer_id,
         c.public_id AS customer, i.time_zone AS home_zone, n.quiet, n.quiet_from, n.quiet_until,
         {WINDOW_ENDS} AS window_ends
    FROM slot s
    JOIN waiting_place p ON p.pool_id = s.pool_id
    JOIN waiting_entry e ON e.id = p.entry_id
    JOIN offer o ON o.id = p.offer_id
    JOIN site si ON si.id = o.site_id
    JOIN customer c ON c.id = e.customer_id AND c.blocked_at IS NULL
    JOIN insurer i ON i.id = e.insurer_id
    JOIN beneficiary b ON b.id = e.beneficiary_id
    LEFT JOIN entitlement t ON t.id = e.entitlement_id
    LEFT JOIN notice_setting n ON n.customer_id = c.id
   WHERE s.id = :slot AND {FITS}
   ORDER BY e.id, p.id
""")


def offer_freed(*, now: datetime, limit: int = 100) -> Counter[str]:
    """Offer the places that have become free; counts of slots looked at and of what became of each turn. A slot that
    a rival keeps busy is left for the next time."""
    turns = Counter[str]()

    def offer(row: Row[Any]) -> str:
        turns.update(_offer_slot(row.slot_id, now))
        with transaction() as session:
            session.execute(_DONE, {"ids": row.ids})
        return "slots"

    with reading() as session:
        freed = session.execute(_FREED, {"most": limit}).all()
    return one_by_one("waiting", freed, offer) + turns


def _offer_slot(slot_id: int, now: datetime) -> Counter[str]:
    """Ask one after the other until the slot is full or nobody is left."""
    with reading() as session:
        line = session.execute(_LINE, {"slot": slot_id, "now": now, "least": LEAST_TIME.total_seconds()}).all()
    counts = Counter[str]()
    asked: set[int] = set()
    for turn in line:
        if turn.entry_id in asked:
            continue
        outcome = _give(turn, now)
        counts[outcome] += 1
        if outcome == "full":
            break
        if outcome != "passed":
            asked.add(turn.entry_id)
    return counts


def _give(turn: Row[Any], now: datetime) -> Outcome:
    """Hold the place for her and tell her, or pass her over: she keeps her position for the next one."""
    try:
        with transaction() as session:
            entry = lock_entry(session, turn.entry_id)
            if entry.state != "waiting" or _booked_since(session, entry):
                return "passed"
            booking = _hold(session, entry, turn, now)
            booked = entry.auto_book and now < cancel_until(booking)
            if booked:
                _book(session, entry, booking, turn, now)
            _tell(session, entry, booking, turn, booked=booked, now=now)
    except (SlotFull, SlotClosed, SlotMoved):
        return "full"
    except Busy:
        raise
    except Refusal as refusal:
        log.info("waiting.passed_over", waiting=turn.entry, reason=refusal.code)
        return "passed"
    log.info("waiting.booked" if booked else "waiting.offered", waiting=turn.entry, booking=booking.public_id)
    return "booked" if booked else "held"


def _booked_since(session: Session, entry: WaitingEntry) -> bool:
    """Whether the person has got a booking of this kind inside the limits since the entry was made. She is locked, as
    holding locks her, so none can slip in."""
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


def _hold(session: Session, entry: WaitingEntry, turn: Row[Any], now: datetime) -> Booking:
    until = min((_wakes(turn, now) or now) + HOLD, turn.window_ends)
    held = hold_for(
        session,
        Principal("customer", turn.customer_id, turn.customer, turn.insurer_id, 0, turn.home_zone),
        HoldRequest(turn.offer, turn.slot, turn.beneficiary, turn.entitlement, {}),
        key=f"{turn.entry}:{turn.slot}",
        until=until,
        actor=Actor("system", turn.entry),
        now=now,
    )
    booking = session.scalars(select(Booking).where(Booking.public_id == held.public_id)).one()
    session.add(WaitingChance(entry_id=entry.id, slot_id=turn.slot_id, booking_id=booking.id, until=until, made_at=now))
    set_state(entry, "offered", now=now)
    session.flush()
    return booking


def _book(session: Session, entry: WaitingEntry, booking: Booking, turn: Row[Any], now: datetime) -> None:
    """Submit it as the customer would: she asked for that when she began to wait."""
    locked, _ = lock_booking(session, booking.id)
    submit(session, locked, actor=Actor("customer", turn.customer), cause=STANDING_WISH, now=now)


def _tell(
    session: Session, entry: WaitingEntry, booking: Booking, turn: Row[Any], *, booked: bool, now: datetime
) -> None:
    chance = open_chance(session, entry.id)
    facts = {"waiting": entry.public_id}
    if not booked and chance is not None:
        facts["until"] = chance.until.isoformat()
    kind = "waitlist_booked" if booked else "waitlist_offer"
    subject = f"{entry.public_id}:{booking.public_id}"
    notify(session, entry.customer_id, kind, subject, now=now, booking_id=booking.id, facts=facts)


def _wakes(turn: Row[Any], now: datetime) -> datetime | None:
    """When the customer's quiet hours end, None outside of them: nobody is woken, so a place that comes free at night
    is kept until she has had HOLD in the morning."""
    if turn.quiet is None:
        return quiet_until(now, turn.home_zone)
    return quiet_until(now, turn.home_zone, turn.quiet_from, turn.quiet_until) if turn.quiet else None


# --- what became of a turn ------------------------------------------------------------------------------------------


def settle_chances(*, now: datetime, limit: int = 200) -> Counter[str]:
    """Settle the turns whose booking has been decided; counts by outcome."""
    with reading() as session:
        decided = session.execute(
            select(WaitingChance.entry_id, WaitingChance.booking_id)
            .join(Booking, Booking.id == WaitingChance.booking_id)
            .where(WaitingChance.outcome == "open", Booking.state.not_in(_UNDECIDED))
            .order_by(WaitingChance.id)
            .limit(limit)
        ).all()
    return one_by_one("waiting", decided, lambda row: _settle(row.entry_id, row.booking_id, now))


def _settle(entry_id: int, booking_id: int, now: datetime) -> str:
    with transaction() as session:
        entry = lock_entry(session, entry_id)
        chance = open_chance(session, entry_id)
        if chance is None or chance.booking_id != booking_id:
            return "settled_before"
        state = session.scalars(select(Booking.state).where(Booking.id == booking_id)).one()
        chance.outcome, chance.closed_at = outcome_of(state), now
        session.flush()
        if chance.outcome == "booked":
            close(session, entry, "booked", "", now=now)
            return chance.outcome
        entry.lapses += chance.outcome == "lapsed"
        if entry.lapses >= MOST_LAPSES:
            end(session, entry, "lapsed", now=now)
        else:
            set_state(entry, "waiting", now=now)
            session.flush()
            look_again(session, entry.id, now=now)
        return chance.outcome


# --- entries that have become pointless -----------------------------------------------------------------------------

_POINTLESS = text(f"""
  SELECT * FROM (
    SELECT e.id, CASE
      WHEN e.closes_at < CAST(:now AS timestamptz) + CAST(:least AS float) * interval '1 s' THEN 'over'
      WHEN b.removed_at IS NOT NULL THEN 'person_gone'
      WHEN NOT EXISTS (
        SELECT FROM waiting_place p JOIN offer o ON o.id = p.offer_id JOIN site si ON si.id = o.site_id
         WHERE p.entry_id = e.id AND {given_out("o", "si")}) THEN 'offer_closed'
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
    """End the entries for which nothing can come any more, with notice, and look once more at what is free for all
    others; counts by cause, and the slots found."""
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
    """End a locked entry that its owner did not end, and tell her."""
    close(session, entry, "ended", cause, now=now)
    facts = {"waiting": entry.public_id, "reason": cause}
    notify(session, entry.customer_id, "waitlist_ended", entry.public_id, now=now, facts=facts)
    log.info("waiting.ended", waiting=entry.public_id, cause=cause)
