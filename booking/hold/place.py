"""Hold a place: slot, quota and price are the customer's for ten minutes.

One read, one statement. Eligibility is decided here from what is read; what must be true at the moment of taking
(a free place, a unit left, the person still in the family, the key unused) is decided by the SQL function
`hold_booking`, in one round trip that keeps the contended slot locked the shortest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.eligibility.entitled import Wish, asks, entitled
from booking.hold.facts import FACTS, FACTS_AND_WHO, FACTS_THERE, FACTS_THERE_AND_WHO
from booking.hold.snapshot import frozen
from booking.hold.take import HOLD, MOST_HELD, Held, Repeat, made_before, take
from booking.offers.bookable import NO_PLACE, Reason, Verdict, check_bookable
from booking.ownership import customer_of
from booking.pledges.request import pledged
from booking.refusals import HasNoTimes
from booking.sealing import seal_details
from marketplace.catalog import kinds
from marketplace.core.clock import window_of
from marketplace.core.database import db
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id, new_reference
from vip.customers.consent import DISPATCH
from vip.customers.person_keys import PROCESS, chosen
from vip.entitlements.of_customer import choose
from vip.principal import Principal
from vip.signin import authentication
from vip.signin.authentication import Credential


@dataclass(frozen=True)
class HoldRequest:
    """What the customer chose, by public ids. `entitlement` None: the earliest-expiring eligible one is used. `venue`:
    the site where it is done, for a kind for which somebody is sent; None for every other."""

    offer: str
    slot: str
    beneficiary: str
    entitlement: str | None
    details: Mapping[str, Any]
    venue: str | None = None


@dataclass(frozen=True)
class _Terms:
    """Until when a place is held, by whom (None: by the customer herself), and whether it may be one that is reserved
    for the waiting list."""

    until: datetime
    actor: Actor | None
    in_line: bool


def hold(who: Principal | Credential, request: HoldRequest, *, key: str, fingerprint: bytes, now: datetime) -> Held:
    """Take a place, a unit and a price for ten minutes; one who comes with a credential is signed in by the same
    statement.

    `key` and `fingerprint` make it repeatable: the same pair returns the same booking. A place that has just become
    free while somebody waits for it is full for a moment: those who wait are asked first. Raises NotFound or Invalid
    with the field at fault, HasNoTimes, SlotFull, SlotPast, SlotClosed, EntitlementExhausted, AlreadyBooked,
    TooManyHeld, OfferClosed, NotEligible, IdempotencyKeyReused, Busy, and Unauthenticated for a credential that is
    nobody's; and for a kind for which somebody is sent, what booking.eligibility refuses. After any of them nothing was
    taken.
    """
    terms, repeat = _Terms(now + HOLD, None, in_line=False), Repeat(key, fingerprint)
    with db.asking() as ask:
        found = _find(ask, who, request, now)
        if found.wish is None:
            return _hold(ask, found, request, terms, repeat, now)
    with reading() as session:  # rarely: nothing of this is asked for what is done at the offer's own site
        found = replace(found, entitled=_entitled(session, found.wish))
    with db.asking() as ask:
        return _hold(ask, found, request, terms, repeat, now)


def hold_for(
    session: Session,
    principal: Principal,
    request: HoldRequest,
    *,
    key: str,
    until: datetime,
    actor: Actor,
    now: datetime,
) -> Held:
    """`hold` as part of the caller's transaction, until a moment that the caller chose, written down as `actor`'s
    doing: for the customer who is next in the waiting list. Raises as `hold` does; the transaction may go on."""

    def ask(sql: str, values: Mapping[str, Any]) -> list[Any]:
        with session.begin_nested():
            return db.asking_in(session)(sql, values)

    found = _find(ask, principal, request, now)
    if found.wish is not None:
        found = replace(found, entitled=_entitled(session, found.wish))
    return _hold(ask, found, request, _Terms(until, actor, in_line=True), Repeat(key, b""), now)


@dataclass(frozen=True)
class _Found:
    """What was read: who asks, the rows of _facts(), and what has to be asked of policy and coverage (None: nothing),
    with the answer: what the booking keeps of it, or the refusal."""

    principal: Principal
    rows: Sequence[Any]
    wish: Wish | None = None
    entitled: Mapping[str, Any] | Refusal | None = None


def _find(ask: db.Ask, who: Principal | Credential, request: HoldRequest, now: datetime) -> _Found:
    there = request.venue is not None
    asked = {
        "offer": request.offer,
        "slot": request.slot,
        "beneficiary": request.beneficiary,
        "entitlement": request.entitlement,
        "now": now,
        **({"venue": request.venue} if there else {}),
    }
    if isinstance(who, Credential):
        facts = FACTS_THERE_AND_WHO if there else FACTS_AND_WHO
        rows = ask(facts, {**asked, **authentication.whose_values(who, now)})
        principal = authentication.in_use(rows, now, ask=ask)
        customer_of(principal)
    else:
        principal = who
        facts = FACTS_THERE if there else FACTS
        rows = ask(facts, {**asked, "customer": customer_of(principal), "market": principal.market})
    return _Found(principal, rows, _wish(principal, rows[0]))


def _wish(principal: Principal, facts: Any) -> Wish | None:
    named = (facts.offer_id, facts.slot_id, facts.beneficiary_id, facts.place_id)
    if None in named or not asks(facts.kind, principal.market):
        return None
    return Wish(facts.kind, principal.insurer_id, facts.beneficiary_id, facts.place_id, facts.service_date)


def _entitled(session: Session, wish: Wish) -> Mapping[str, Any] | Refusal:
    try:
        return entitled(session, wish).snapshot()
    except Refusal as refusal:
        return refusal


def _hold(ask: db.Ask, found: _Found, request: HoldRequest, terms: _Terms, repeat: Repeat, now: datetime) -> Held:
    principal = found.principal
    try:
        values = _values(found, request, terms, repeat, now)
    except Refusal:
        # A repeat succeeds even when the slot has filled since. Whether it is one is asked only here: where nothing
        # stands against the hold, hold_booking finds the key itself.
        if known := made_before(ask, principal.public_id, repeat):
            return known
        raise
    return take(ask, values, repeat)


def _values(found: _Found, request: HoldRequest, terms: _Terms, repeat: Repeat, now: datetime) -> dict[str, Any]:
    """What hold_booking is asked with. Raises the refusals that can be judged from what was read."""
    rows, principal = found.rows, found.principal
    facts = rows[0]
    _check(facts, request, in_line=terms.in_line)
    if isinstance(found.entitled, Refusal):
        raise found.entitled
    sent = kinds.is_dispatched(facts.kind)
    entitlements = choose(rows, facts.kind, facts.service_date, request.entitlement)
    public_id = new_id("bkg")
    key = chosen(request.beneficiary, PROCESS, facts.wrapped_key, facts.process_key)
    actor = terms.actor or Actor("customer", principal.public_id)
    starts, ends = window_of(facts.service_date, facts.starts_at, facts.ends_at, facts.time_zone)
    return {
        "now": now,
        "insurer": principal.insurer_id,
        "customer": principal.id,
        "beneficiary": facts.beneficiary_id,
        "entitlements": entitlements,
        "offer": facts.offer_id,
        "provider": facts.provider_id,
        "kind": facts.kind,
        "slot": facts.slot_id,
        "slot_starts": facts.starts_at,
        "public_id": public_id,
        "reference": new_reference(),
        "service_date": facts.service_date,
        "ends": facts.ends_at,
        "time_zone": facts.time_zone,
        "from": starts,
        "until": ends if kinds.kind(facts.kind).traits.occupies_person else starts,  # an empty period
        "hold_expires": terms.until,
        "price": facts.price_minor,
        "currency": facts.currency,
        "snapshot": frozen(facts, {**(found.entitled or {}), **pledged(facts.kind)}),
        "details": seal_details(request.details, key, public_id),
        "actor_kind": actor.kind,
        "actor": actor.id,
        "scope": principal.public_id,
        "key": repeat.key,
        "fingerprint": repeat.fingerprint,
        "most_held": MOST_HELD,
        "venue": facts.place_id if sent else None,
        "consent": DISPATCH if sent else None,
        "consent_id": new_id("cst") if sent else None,
        **({"person": request.beneficiary} if sent else {}),
    }


def _check(facts: Any, request: HoldRequest, *, in_line: bool) -> None:
    """Everything that can be judged from what was read; a wrong id looks like an absent one."""
    if facts.offer_id is None:
        raise NotFound(field="offer_id")
    kind = kinds.kind(facts.kind)
    if not kind.traits.has_times:
        raise HasNoTimes(field="offer_id")
    if facts.slot_id is None or facts.slot_pool != facts.pool_id:
        raise NotFound(field="slot_id")
    if facts.beneficiary_id is None:
        raise NotFound(field="beneficiary_id")
    _check_venue(facts, request, kind.traits.dispatch)
    reason = Reason(facts.reason) if facts.reason else None
    found = Verdict(request.slot, facts.service_date, facts.starts_at, facts.closes_at, reason)
    if reason not in NO_PLACE:
        check_bookable(found, in_line=in_line)
    kind.check_details(dict(request.details))
    kind.check_eligible(orjson.loads(facts.package), facts.sex, facts.birth_date, facts.service_date)
    check_bookable(found, in_line=in_line)  # whom the offer is not for learns that, rather than that it is full


def _check_venue(facts: Any, request: HoldRequest, dispatch: bool) -> None:
    """A venue is named where somebody is sent, and nowhere else; it lies in the city of the offer."""
    if dispatch and request.venue is None:
        raise Invalid(field="venue_id", reason="required")
    if not dispatch and request.venue is not None:
        raise Invalid(field="venue_id", reason="no_venue")
    if facts.place_id is None:
        raise NotFound(field="venue_id")
    if not facts.same_city:
        raise Invalid(field="venue_id", reason="other_city")
