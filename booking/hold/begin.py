"""Book what has no slot: it begins at once and waits for its provider.

Part of the caller's transaction, which adds what the service is about. Locks in the one order: key, beneficiary, the
customer's turn, the entitlement by its ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, text
from sqlalchemy.orm import Session

from booking import transition
from booking.actors import actor_of
from booking.capacity.occupied import occupied_time
from booking.hold.snapshot import frozen
from booking.idempotency import Repeatable, record_key
from booking.models import Booking
from booking.offers.at_once import closed_today
from booking.offers.bookable import given_out
from booking.ownership import customer_of
from booking.refusals import OfferClosed
from booking.sealing import seal_details
from marketplace.catalog import kinds
from marketplace.catalog.one_place.sql import at_place
from marketplace.core.clock import today
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id, new_reference
from providers.registry import answering_here, conversing
from vip.customers.consent import ConsentMissing, may_show
from vip.customers.person_keys import PROCESS, key_of
from vip.entitlements.ledger import EntitlementExhausted
from vip.entitlements.of_customer import eligible
from vip.models import Beneficiary, Entitlement
from vip.principal import Principal

MOST_OPEN = 5
"""Services without a slot, of one kind, that one customer may have open at a time."""
_TURN = 1_751_477_349
"""The first number of the advisory lock by which hold_booking.sql lets a customer's holds take turns."""


class TooManyOpen(Refusal):
    """As many are open for the customer as may be at once; `most` says how many."""

    code = "too_many_open"


class HasTimes(Refusal):
    """The offer is given out by times: a slot has to be chosen."""

    code = "offer_has_times"
    status = 422
    field = "offer_id"


@dataclass(frozen=True)
class BeginRequest:
    """What the customer chose, by public ids. `entitlement` None: the earliest-expiring eligible one is used."""

    offer: str
    beneficiary: str
    entitlement: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Begun:
    """The booking's public id; `booking` is the new row, None when the key had made it before."""

    public_id: str
    booking: Booking | None


_TODAY = "(CAST(:now AS timestamptz) AT TIME ZONE si.time_zone)::date"

_OFFER = text(f"""
    SELECT o.id AS offer_id, o.provider_id, o.kind, o.name_zh AS offer_zh, o.name_en AS offer_en,
           o.package::text AS package, o.price_minor, o.currency, o.cancel_hours, o.change_hours, o.max_changes,
           o.public_id AS offer_public_id,
           si.name AS site, si.public_id AS site_public_id, si.city, si.district, si.address, si.tier, si.time_zone,
           p.name_zh AS provider_zh, p.name_en AS provider_en, p.adapter,
           {given_out("o", "si", "CAST(:market AS bigint)")} AS given_out,
           {closed_today(_TODAY)} AS closed_today
      FROM offer o {at_place("o", "si")} JOIN provider p ON p.id = o.provider_id
     WHERE o.public_id = :offer AND o.market = :market
""")


def begin(session: Session, principal: Principal, request: BeginRequest, repeat: Repeatable, *, now: datetime) -> Begun:
    """Reserve a unit, freeze the offer, and pass it to the provider.

    What comes of it is read by the customer, so an adult relative must have agreed to that, as for her reports. A site
    that is closed today gives out nothing, and neither does a provider whose people answer neither here nor in a system
    that carries conversations.

    Raises NotFound or Invalid with the field at fault, HasTimes, OfferClosed, ConsentMissing, NotEligible,
    EntitlementExhausted and the other refusals of vip.entitlements.of_customer.choose, TooManyOpen,
    IdempotencyKeyReused. The transaction may not go on after any of them.
    """
    customer = customer_of(principal)
    public_id = new_id("bkg")
    if (known := record_key(session, repeat, public_id, now=now, status=201)) is not None:
        return Begun(known, None)
    asked = {"offer": request.offer, "market": principal.market, "now": now}
    facts = session.execute(_OFFER, asked).one_or_none()
    if facts is None:
        raise NotFound(field="offer_id")
    kind = kinds.kind(facts.kind)
    if kind.traits.has_times:
        raise HasTimes()
    person = _locked_person(session, customer, request.beneficiary)
    if not facts.given_out or facts.closed_today or facts.adapter not in (*answering_here(), *conversing()):
        raise OfferClosed()
    if not session.scalar(select(may_show(literal(person.id), now))):
        raise ConsentMissing(beneficiary_id=person.public_id)
    day = today(facts.time_zone, now)
    kind.check_details(dict(request.details))
    kind.check_eligible(json.loads(facts.package), person.sex, person.birth_date, day)
    _take_turn(session, customer)
    _check_open(session, customer, facts.kind)
    _lock_entitlements(session, customer, facts.kind)
    entitlement = _first_with_a_unit(
        session, eligible(session, customer, facts.kind, person.id, day, request.entitlement)
    )
    booking = Booking(
        public_id=public_id,
        reference=new_reference(),
        insurer_id=principal.insurer_id,
        customer_id=customer,
        beneficiary_id=person.id,
        offer_id=facts.offer_id,
        provider_id=facts.provider_id,
        entitlement_id=entitlement,
        kind=facts.kind,
        service_date=day,
        time_zone=facts.time_zone,
        period=occupied_time(facts.kind, now, now),
        price_minor=facts.price_minor,
        currency=facts.currency,
        snapshot=json.loads(frozen(facts)),
        details_sealed=seal_details(request.details, key_of(session, person, PROCESS), public_id),
        created_at=now,
        updated_at=now,
    )
    transition.begin(session, booking, actor=actor_of(principal), now=now, cause="submitted")
    return Begun(public_id, booking)


def _locked_person(session: Session, customer: int, public_id: str) -> Beneficiary:
    """One of her own, who can't be removed meanwhile. Raises NotFound(field="beneficiary_id")."""
    person = session.scalar(
        select(Beneficiary)
        .where(
            Beneficiary.public_id == public_id,
            Beneficiary.customer_id == customer,
            Beneficiary.removed_at.is_(None),
        )
        .with_for_update(key_share=True)
    )
    if person is None:
        raise NotFound(field="beneficiary_id")
    return person


def _take_turn(session: Session, customer: int) -> None:
    """Her requests take turns: an advisory lock, as for holds."""
    turn = {"turns": _TURN, "turn": customer % 2147483647}
    session.execute(text("SELECT pg_advisory_xact_lock(CAST(:turns AS int), CAST(:turn AS int))"), turn)


def _check_open(session: Session, customer: int, kind: str) -> None:
    """Raises TooManyOpen."""
    mine = select(Booking.id).where(Booking.customer_id == customer, Booking.kind == kind, Booking.live)
    if len(session.scalars(mine.limit(MOST_OPEN)).all()) >= MOST_OPEN:
        raise TooManyOpen(most=MOST_OPEN)


def _lock_entitlements(session: Session, customer: int, kind: str) -> None:
    """Lock what the unit may be of, by id, before it is looked at."""
    session.execute(
        select(Entitlement.id)
        .where(Entitlement.customer_id == customer, Entitlement.kind == kind)
        .order_by(Entitlement.id)
        .with_for_update(key_share=True)
    )


def _first_with_a_unit(session: Session, wanted: list[int]) -> int:
    """The first of them that has a unit left. Raises EntitlementExhausted."""
    rows = session.execute(select(Entitlement.id, Entitlement.available).where(Entitlement.id.in_(wanted)))
    left = {row.id: row.available for row in rows}
    found = next((each for each in wanted if left[each] is None or left[each] > 0), None)
    if found is None:
        raise EntitlementExhausted()
    return found
