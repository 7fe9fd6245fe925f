"""Hold a place: slot, quota and price are the customer's for ten minutes.

One read, one statement. Eligibility is decided here from what is read; what must be true at the moment of taking
(a free place, a unit left, the person still in the family, the key unused) is decided by the SQL function
`hold_booking`, in one round trip that keeps the contended slot locked the shortest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

import orjson
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.capacity.occupied import occupying
from booking.eligibility.entitled import Wish, asks, entitled
from booking.hold.agreement import with_agreement
from booking.hold.snapshot import frozen
from booking.offers.bookable import NO_PLACE, Reason, Rule, Verdict, check_bookable, judge
from booking.ownership import customer_of
from booking.pledges.request import pledged
from booking.refusals import AlreadyBooked, HasNoTimes, SlotFull, SlotMoved, TooManyHeld
from booking.sealing import seal_details
from marketplace.catalog import kinds
from marketplace.catalog.one_place.sql import at_place, place_named
from marketplace.core.clock import window_of
from marketplace.core.database import db
from marketplace.core.database.db import reading
from marketplace.core.errors import IdempotencyKeyReused, Invalid, NotFound, Refusal
from marketplace.core.ids import new_id, new_reference
from vip.customers.consent import DISPATCH
from vip.customers.person_keys import PROCESS, chosen
from vip.entitlements.ledger import EntitlementExhausted
from vip.entitlements.of_customer import CANDIDATE, choose
from vip.principal import Principal
from vip.signin import authentication
from vip.signin.authentication import Credential

HOLD = timedelta(minutes=10)
MOST_HELD = 10
"""Places held for one customer at a time; hold_booking.sql counts them."""


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
class Held:
    """A place kept until `expires_at`. `replayed` when the idempotency key had made this booking before; then that is
    what it was kept until at first."""

    public_id: str
    expires_at: datetime
    replayed: bool


_RULE = Rule("s", "o", "si", "%(now)s::timestamptz", "w.market")

# Who asks is known already, or is looked up with the rest: (columns, as which subquery `w`). Both give the customer's
# internal id and market.
_KNOWN = ("", "SELECT %(customer)s::bigint AS customer_id, %(market)s::bigint AS market")
_SHOWN = (
    "w.session_id, w.customer_id, w.operator_id, w.insurer_id, w.insurer_zone, w.market, w.principal_id, w.role, "
    "w.used_at,",
    authentication.WHOSE,
)


# Where it is done: (alias of that site, its join). At the offer's own site, or at the venue that was named.
_HERE = ("si", "")
_THERE = ("pl", f"LEFT JOIN site pl ON pl.id = {place_named('%(venue)s')} AND pl.closed_at IS NULL")


def _facts(columns: str, who: str, place: tuple[str, str]) -> str:
    """Every public id is looked up on its own, so that a wrong one is named by its field. One row for each entitlement
    that may be meant, at least one."""
    at, there = place
    return f"""
    SELECT {columns}
           o.id AS offer_id, o.provider_id, o.pool_id, o.kind, o.name_zh AS offer_zh, o.name_en AS offer_en,
           o.package::text AS package, o.price_minor, o.currency, o.cancel_hours, o.change_hours, o.max_changes,
           o.public_id AS offer_public_id,
           {at}.id AS place_id, {at}.name AS site, {at}.public_id AS site_public_id, {at}.city, {at}.district,
           {at}.address, {at}.tier,
           (si.province, si.city) = ({at}.province, {at}.city) AS same_city, si.time_zone,
           p.name_zh AS provider_zh, p.name_en AS provider_en,
           s.id AS slot_id, s.pool_id AS slot_pool, s.service_date, s.starts_at, s.ends_at,
           {_RULE.closes_at} AS closes_at, {_RULE.reason} AS reason,
           b.id AS beneficiary_id, b.sex, b.birth_date, b.wrapped_key, pk.wrapped_key AS process_key, {CANDIDATE}
      FROM (SELECT 1) AS one
      LEFT JOIN ({who}) AS w ON true
      LEFT JOIN offer o ON o.public_id = %(offer)s AND o.market = w.market
      {at_place("o", "si", outer=True)}
      {there}
      LEFT JOIN provider p ON p.id = o.provider_id
      LEFT JOIN slot s ON s.public_id = %(slot)s
      LEFT JOIN beneficiary b
           ON b.public_id = %(beneficiary)s AND b.customer_id = w.customer_id AND b.removed_at IS NULL
      LEFT JOIN person_key pk ON pk.beneficiary_id = b.id AND pk.retention = '{PROCESS}'
      LEFT JOIN entitlement e ON e.customer_id = b.customer_id
           AND CASE WHEN %(entitlement)s::text IS NULL THEN e.kind = o.kind ELSE e.public_id = %(entitlement)s END
    """


_FACTS, _FACTS_AND_WHO = _facts(*_KNOWN, _HERE), _facts(*_SHOWN, _HERE)
_FACTS_THERE, _FACTS_THERE_AND_WHO = _facts(*_KNOWN, _THERE), _facts(*_SHOWN, _THERE)

_HOLD = """
    SELECT outcome, booking FROM hold_booking(
      %(now)s, %(insurer)s, %(customer)s, %(beneficiary)s, CAST(%(entitlements)s AS bigint[]), %(offer)s, %(provider)s,
      %(kind)s, %(slot)s, %(slot_starts)s, %(public_id)s, %(reference)s, %(service_date)s, %(ends)s, %(time_zone)s,
      tstzrange(%(from)s, %(until)s), %(hold_expires)s, %(price)s, %(currency)s, CAST(%(snapshot)s AS jsonb),
      %(details)s, %(actor_kind)s, %(actor)s, %(scope)s, %(key)s, %(fingerprint)s, %(most_held)s,
      %(venue)s, %(consent)s, %(consent_id)s)
"""

_HOLD_AGREED = with_agreement(_HOLD)

_KNOWN_KEY = """
    SELECT fingerprint, resource, created_at FROM idempotency_key WHERE scope = %(scope)s AND key = %(key)s
"""


@dataclass(frozen=True)
class _Terms:
    """Until when a place is held, by whom (None: by the customer herself), and whether it may be one that is reserved
    for the waiting list."""

    until: datetime
    actor: Actor | None
    in_line: bool


@dataclass(frozen=True)
class _Repeat:
    """What makes a hold repeatable: the caller's key, and the hash of what she sent with it."""

    key: str
    fingerprint: bytes


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
    terms, repeat = _Terms(now + HOLD, None, in_line=False), _Repeat(key, fingerprint)
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
    return _hold(ask, found, request, _Terms(until, actor, in_line=True), _Repeat(key, b""), now)


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
        facts = _FACTS_THERE_AND_WHO if there else _FACTS_AND_WHO
        rows = ask(facts, {**asked, **authentication.whose_values(who, now)})
        principal = authentication.in_use(rows, now, ask=ask)
        customer_of(principal)
    else:
        principal = who
        facts = _FACTS_THERE if there else _FACTS
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


def _hold(ask: db.Ask, found: _Found, request: HoldRequest, terms: _Terms, repeat: _Repeat, now: datetime) -> Held:
    principal = found.principal
    try:
        values = _values(found, request, terms, repeat, now)
    except Refusal:
        # A repeat succeeds even when the slot has filled since. Whether it is one is asked only here: where nothing
        # stands against the hold, hold_booking finds the key itself.
        if known := _made_before(ask, principal.public_id, repeat):
            return known
        raise
    return _take(ask, values, repeat)


def _values(found: _Found, request: HoldRequest, terms: _Terms, repeat: _Repeat, now: datetime) -> dict[str, Any]:
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


def _made_before(ask: db.Ask, scope: str, repeat: _Repeat) -> Held | None:
    """What an earlier request with this key made, None if there was none. Raises IdempotencyKeyReused."""
    found = ask(_KNOWN_KEY, {"scope": scope, "key": repeat.key})
    if not found:
        return None
    if found[0].fingerprint != repeat.fingerprint:
        raise IdempotencyKeyReused()
    return Held(found[0].resource, found[0].created_at + HOLD, replayed=True)


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


def _take(ask: db.Ask, values: Mapping[str, Any], repeat: _Repeat) -> Held:
    """Run the function. A rival may take the last unit of the entitlement it chose while another still has some:
    then it is asked again, at most once per entitlement; without any it is not asked at all."""
    entitlements = values["entitlements"]
    # As PostgreSQL reads it: the driver's way with a list takes as long as ten other values.
    sent = {**values, "entitlements": "{" + ",".join(map(str, entitlements)) + "}"}
    for left in range(len(entitlements) - 1, -1, -1):
        try:
            rows = ask(_HOLD_AGREED if values["consent"] else _HOLD, sent)
        except DBAPIError as failed:
            reason = db.violated(failed)
            if reason == "entitlement_exhausted" and left:
                continue
            if reason == "ex_booking_one_place_at_a_time":
                raise AlreadyBooked(**_in_the_way(ask, values)) from failed
            if reason in ("slot_full", "ck_slot_taken"):
                _refuse_place(ask, values, failed)
            _refuse(reason, failed)
        if rows and rows[0].outcome == "replayed":
            known = _made_before(ask, values["scope"], repeat)
            if known is not None:
                return known
        elif rows:
            return Held(rows[0].booking, values["hold_expires"], replayed=False)
    raise EntitlementExhausted()


def _in_the_way(ask: db.Ask, values: Mapping[str, Any]) -> Mapping[str, Any]:
    return occupying(
        ask, customer=values["customer"], person=values["beneficiary"], starts=values["from"], ends=values["until"]
    )


def _refuse_place(ask: db.Ask, values: Mapping[str, Any], failed: DBAPIError) -> NoReturn:
    """No place was left when it was taken: the last one had gone, or the slot had been closed since it was read."""
    found = judge(ask, slot_id=values["slot"], offer_id=values["offer"], now=values["now"])
    if found.reason not in NO_PLACE:
        check_bookable(found)
    raise SlotFull(starts_at=found.starts_at, service_date=found.service_date.isoformat()) from failed


def _refuse(reason: str | None, failed: DBAPIError) -> NoReturn:
    match reason:
        case "entitlement_exhausted" | "ck_entitlement_not_negative" | "ck_entitlement_balance":
            raise EntitlementExhausted() from failed
        case "too_many_held":
            raise TooManyHeld(most=MOST_HELD) from failed
        case "idempotency_key_reused":
            raise IdempotencyKeyReused() from failed
        case "beneficiary_gone":
            raise NotFound(field="beneficiary_id") from failed
        case "slot_moved":
            raise SlotMoved() from failed
    raise failed
