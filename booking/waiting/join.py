"""The waiting list as a customer uses it: join it with criteria, and withdraw from it.

An entry takes neither a place nor a unit of the benefit. When a place becomes free, booking.waiting.offers holds it for
the first entry that it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.idempotency import Repeatable, record_key
from booking.models import Booking
from booking.offers.bookable import given_out, lead
from booking.ownership import customer_of
from booking.refusals import HasNoTimes, NotWaitedFor
from booking.states import AT_PROVIDER, LIVE, BookingState
from booking.transition import lock_booking, move
from booking.waiting.match import LEAST_TIME, look_again
from booking.waiting.models import EXPIRED, MOST_OPEN, OPEN, WaitingEntry, WaitingOffer, WaitingPlace
from marketplace.catalog import kinds
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.catalog.one_place.sql import at_place
from marketplace.core.clock import today
from marketplace.core.database.db import transaction, violated
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id, well_formed
from marketplace.core.logging import get_logger
from vip.customers.family import beneficiary
from vip.entitlements.ledger import EntitlementExhausted
from vip.entitlements.of_customer import NotValidYet, ValidityOver, eligible
from vip.models import Beneficiary, Customer, Entitlement
from vip.principal import Principal

log = get_logger(__name__)

MOST_PLACES = 20
MOST_DAYS = 62
FARTHEST = timedelta(days=180)
MOST_HOURS_BEFORE = 720

WITHDRAWN = "stopped_waiting"


class WaitingListFull(Refusal):
    """The customer has as many open entries as are allowed. Facts: `most`, that number."""

    code = "waiting_list_full"


class AlreadyWaiting(Refusal):
    """The person is waiting for this offer already. Facts: `waiting`, the public id of that entry."""

    code = "already_waiting"
    field = "offer_ids"


class NotWaiting(Refusal):
    """The entry has ended, so it cannot be withdrawn. Facts: `state`, how it ended."""

    code = "not_waiting"


@dataclass(frozen=True)
class Criteria:
    """Which places a customer accepts, and for whom.

    `offers` (any of them will do), `beneficiary` and `entitlement` (None: any that fits) are public ids. The day lies
    between `first_day` and `last_day`, both included, and is one of `weekdays` (ISO: 1 Monday to 7 Sunday). The service
    begins at or after `from_hour` and before `until_hour` on the site's clock. The place is offered at least
    `hours_before` hours before it begins. With `auto_book` it is submitted at once while cancelling is still free.
    """

    offers: Sequence[str]
    beneficiary: str
    first_day: date
    last_day: date
    entitlement: str | None = None
    weekdays: frozenset[int] = frozenset(range(1, 8))
    from_hour: int = 0
    until_hour: int = 24
    hours_before: int = 0
    auto_book: bool = False


@dataclass(frozen=True)
class Joined:
    """The entry that was made. `replayed` is true when an earlier request with the same key made it."""

    public_id: str
    replayed: bool


_OFFERS = text(f"""
  SELECT o.id, o.public_id, o.kind, o.pool_id, {lead("o")} AS lead, o.package, si.time_zone
    FROM offer o {at_place("o", "si")}
   WHERE o.public_id = ANY(:ids) AND {given_out("o", "si", ":market")}
""")


def join(principal: Principal, criteria: Criteria, *, key: str, fingerprint: bytes, now: datetime) -> Joined:
    """Add an entry to the waiting list. A place that is free already is offered within seconds.

    `key` and `fingerprint` make the request repeatable, as for a booking. Raises NotFound or Invalid with the field at
    fault, HasNoTimes, NotWaitedFor, AlreadyWaiting, WaitingListFull, NotEligible, the refusals of vip.entitlements,
    IdempotencyKeyReused, Busy.
    """
    customer_id = customer_of(principal)
    _check_form(criteria)
    public_id = new_id("wai")
    try:
        with transaction() as session:
            known = record_key(
                session, Repeatable(principal.public_id, key, fingerprint), public_id, status=201, now=now
            )
            if known is not None:
                return Joined(known, replayed=True)
            session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update(key_share=True))
            person = beneficiary(session, customer_id, criteria.beneficiary)
            places = _places(session, criteria, principal.market)
            closes_at = _closes_at(criteria, places, now)
            _check_rules(session, customer_id, person, criteria, places[0])
            entry = WaitingEntry(
                public_id=public_id,
                insurer_id=principal.insurer_id,
                customer_id=customer_id,
                beneficiary_id=person.id,
                entitlement_id=_named(session, criteria.entitlement),
                kind=places[0].kind,
                number=_number(session, customer_id),
                first_day=criteria.first_day,
                last_day=criteria.last_day,
                weekdays=sum(1 << (day - 1) for day in criteria.weekdays),
                from_hour=criteria.from_hour,
                until_hour=criteria.until_hour,
                hours_before=criteria.hours_before,
                auto_book=criteria.auto_book,
                closes_at=closes_at,
                created_at=now,
                updated_at=now,
            )
            _refuse_twice(session, person.id, places)
            session.add(entry)
            session.flush()
            session.add_all(
                WaitingPlace(entry_id=entry.id, offer_id=place.id, pool_id=place.pool_id, beneficiary_id=person.id)
                for place in places
            )
            session.flush()
            look_again(session, entry.id, now=now)
    except IntegrityError as failed:
        _refuse(failed)
        raise
    log.info("waiting.joined", waiting=public_id)
    return Joined(public_id, replayed=False)


def withdraw(principal: Principal, public_id: str, *, now: datetime) -> None:
    """Stop waiting. A hold that was offered to her is cancelled; a booking that she has submitted stays as it is.

    Withdrawing again changes nothing. Raises NotFound, NotWaiting.
    """
    with transaction() as session:
        entry = lock_entry(session, own_entry_id(session, principal, public_id))
        if entry.state == "withdrawn":
            return
        if entry.state not in OPEN:
            raise NotWaiting(state=entry.state)
        offer = open_offer(session, entry.id)
        close(session, entry, "withdrawn", WITHDRAWN, now=now)
        if offer is not None:
            booking, _ = lock_booking(session, offer.booking_id)
            offer.outcome = "declined" if booking.state is BookingState.HELD else outcome_of(booking.state)
            offer.closed_at = now
            _give_back(session, booking, principal, now)
    log.info("waiting.withdrawn", waiting=public_id)


def _give_back(session: Session, booking: Booking, principal: Principal, now: datetime) -> None:
    if booking.state is BookingState.HELD:
        actor = Actor("customer", principal.public_id)
        move(session, booking, BookingState.CANCELLED, actor=actor, now=now, cause=WITHDRAWN)


# --- an entry -------------------------------------------------------------------------------------------------------


def own_entry_id(session: Session, principal: Principal, public_id: str) -> int:
    """Internal id of the principal's own entry. Raises NotFound if there is none, and if it is another customer's."""
    found = None
    if well_formed(public_id):
        found = session.scalar(
            select(WaitingEntry.id).where(
                WaitingEntry.public_id == public_id, WaitingEntry.customer_id == customer_of(principal)
            )
        )
    if found is None:
        raise NotFound(field="waiting_id")
    return found


def lock_entry(session: Session, entry_id: int) -> WaitingEntry:
    """The entry, locked. Lock an entry before a booking, never after it."""
    return session.scalars(
        select(WaitingEntry)
        .where(WaitingEntry.id == entry_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def open_offer(session: Session, entry_id: int) -> WaitingOffer | None:
    """The offer that waits for an answer, or None. An entry has at most one."""
    return session.scalar(select(WaitingOffer).where(WaitingOffer.entry_id == entry_id, WaitingOffer.outcome == "open"))


def outcome_of(state: BookingState) -> str:
    """The outcome of an offer whose booking is no longer a hold: booked, EXPIRED, declined or refused."""
    if state in LIVE | AT_PROVIDER:
        return "booked"
    return {BookingState.EXPIRED: EXPIRED, BookingState.CANCELLED: "declined"}.get(state, "refused")


def set_state(entry: WaitingEntry, state: str, *, now: datetime, cause: str = "") -> None:
    """Change a locked entry's state; its version grows."""
    entry.state, entry.cause = state, cause
    entry.version += 1
    entry.updated_at = now


def close(session: Session, entry: WaitingEntry, state: str, cause: str, *, now: datetime) -> None:
    """End a locked entry; `state` is booked, ended or withdrawn. The person may then join for the same offers again."""
    set_state(entry, state, now=now, cause=cause)
    session.execute(update(WaitingPlace).where(WaitingPlace.entry_id == entry.id).values(open=False))


# --- what joining checks ----------------------------------------------------------------------------------------------


def _check_form(criteria: Criteria) -> None:
    if not 1 <= len(criteria.offers) <= MOST_PLACES:
        raise Invalid(field="offer_ids", reason="out_of_range", minimum=1, maximum=MOST_PLACES)
    if not 0 <= criteria.from_hour < criteria.until_hour <= 24:
        raise Invalid(field="until_hour", reason="hours")
    if not 0 <= criteria.hours_before <= MOST_HOURS_BEFORE:
        raise Invalid(field="hours_before", reason="out_of_range", minimum=0, maximum=MOST_HOURS_BEFORE)
    if criteria.last_day < criteria.first_day:
        raise Invalid(field="last_day", reason="before_from")
    if (criteria.last_day - criteria.first_day).days >= MOST_DAYS:
        raise Invalid(field="last_day", reason="range_too_long", maximum=MOST_DAYS)
    if not criteria.weekdays or not criteria.weekdays <= set(range(1, 8)):
        raise Invalid(field="weekdays", reason="choice")
    if not _days(criteria):
        raise Invalid(field="weekdays", reason="no_such_day")


def _days(criteria: Criteria) -> list[date]:
    every = [
        criteria.first_day + timedelta(number) for number in range((criteria.last_day - criteria.first_day).days + 1)
    ]
    return [day for day in every if day.isoweekday() in criteria.weekdays]


def _places(session: Session, criteria: Criteria, market: int) -> Sequence[Row[Any]]:
    """The offers' rows in the order given, all of one kind. Raises NotFound(offer_ids), Invalid, HasNoTimes,
    NotWaitedFor."""
    ids = list(dict.fromkeys(criteria.offers))
    if not all(well_formed(each) for each in ids):
        raise NotFound(field="offer_ids")
    found = {row.public_id: row for row in session.execute(_OFFERS, {"ids": ids, "market": market})}
    if len(found) < len(ids):
        raise NotFound(field="offer_ids")
    if len({row.kind for row in found.values()}) > 1:
        raise Invalid(field="offer_ids", reason="other_kind")
    if not all(kinds.has_times(row.kind) for row in found.values()):
        raise HasNoTimes(field="offer_ids")
    if any(kinds.is_dispatched(row.kind) for row in found.values()):
        raise NotWaitedFor(field="offer_ids")
    return [found[each] for each in ids]


def _closes_at(criteria: Criteria, places: Sequence[Row[Any]], now: datetime) -> datetime:
    """The moment after which no place can fit: the end of the hours on the last day, less the time needed before it.

    Raises Invalid(field="last_day").
    """
    last = _days(criteria)[-1]
    ends: list[datetime] = []
    for place in places:
        if criteria.first_day < today(place.time_zone, now) and criteria.last_day < today(place.time_zone, now):
            raise Invalid(field="last_day", reason="past_day")
        ahead = max(place.lead, timedelta(hours=criteria.hours_before))
        ends.append(_hour_of(last, criteria.until_hour, place.time_zone) - ahead)
    closes_at = max(ends)
    if closes_at < now + LEAST_TIME:
        raise Invalid(field="last_day", reason="window_over")
    if closes_at > now + FARTHEST:
        raise Invalid(field="last_day", reason="too_far", maximum=FARTHEST.days)
    return closes_at


def _hour_of(day: date, hour: int, zone: str) -> datetime:
    """The moment (UTC) at which clocks in `zone` show the hour; 24 is the next midnight.

    When the clock is set back and the hour comes twice, it is the second one, so that nothing ends too early.
    """
    whole = datetime.combine(day + timedelta(days=hour // 24), time(hour % 24), ZoneInfo(zone))
    return max(whole.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _check_rules(session: Session, customer_id: int, person: Beneficiary, criteria: Criteria, place: Row[Any]) -> None:
    """Refuse criteria that no place could meet for this person, judged on the first day and on the last.

    Each place is judged again for its own day when it is held.
    """
    rules = kinds.kind(place.kind)
    try:
        rules.check_eligible(place.package, person.sex, person.birth_date, criteria.first_day)
    except NotEligible:
        rules.check_eligible(place.package, person.sex, person.birth_date, criteria.last_day)
    try:
        fit = eligible(session, customer_id, place.kind, person.id, criteria.first_day, criteria.entitlement)
    except (NotValidYet, ValidityOver):
        fit = eligible(session, customer_id, place.kind, person.id, criteria.last_day, criteria.entitlement)
    left = session.scalars(select(Entitlement.available).where(Entitlement.id.in_(fit))).all()
    if all(units == 0 for units in left):
        raise EntitlementExhausted()


def _named(session: Session, public_id: str | None) -> int | None:
    """Internal id of an entitlement that `_check_rules` has accepted; None for None."""
    if public_id is None:
        return None
    return session.scalar(select(Entitlement.id).where(Entitlement.public_id == public_id))


def _number(session: Session, customer_id: int) -> int:
    """The smallest number that no open entry of the (locked) customer has. Raises WaitingListFull."""
    used = set(
        session.scalars(
            select(WaitingEntry.number).where(WaitingEntry.customer_id == customer_id, WaitingEntry.state.in_(OPEN))
        )
    )
    free = next((number for number in range(1, MOST_OPEN + 1) if number not in used), None)
    if free is None:
        raise WaitingListFull(most=MOST_OPEN)
    return free


def _refuse_twice(session: Session, person_id: int, places: Sequence[Row[Any]]) -> None:
    earlier = session.scalar(
        select(WaitingEntry.public_id)
        .join(WaitingPlace, WaitingPlace.entry_id == WaitingEntry.id)
        .where(
            WaitingPlace.beneficiary_id == person_id,
            WaitingPlace.open,
            WaitingPlace.offer_id.in_([place.id for place in places]),
        )
        .limit(1)
    )
    if earlier is not None:
        raise AlreadyWaiting(waiting=earlier)


def _refuse(failed: IntegrityError) -> None:
    """Raise the refusal that belongs to the constraint that was violated, should the lock not have held."""
    match violated(failed):
        case "uq_waiting_entry_number":
            raise WaitingListFull(most=MOST_OPEN) from failed
        case "uq_waiting_place_open":
            raise AlreadyWaiting() from failed
