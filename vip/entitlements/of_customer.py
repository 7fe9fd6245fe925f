"""What a customer has, for whom, what became of it, and which of it a booking may use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.core import ids
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound, Refusal
from vip.entitlements.expiry import Expired, expire_due
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import EntitlementExhausted, write
from vip.models import Beneficiary, Entitlement, EntitlementEntry, Plan, PlanBenefit

__all__ = [
    "CANDIDATE",
    "EntitlementExhausted",
    "EntitlementView",
    "EntryView",
    "Expired",
    "Grant",
    "NoEntitlement",
    "NotShared",
    "NotValidYet",
    "ValidityOver",
    "WrongKind",
    "choose",
    "eligible",
    "entitlements",
    "entries",
    "expire_due",
    "grant",
    "usable_days",
    "write",
]

State = Literal["active", "used_up", "expired", "not_yet_valid"]
_ORDER: tuple[State, ...] = ("active", "not_yet_valid", "used_up", "expired")


class NoEntitlement(Refusal):
    """The customer has no benefit of this kind. Facts: `kind`."""

    code = "no_entitlement"
    field = "entitlement_id"


class WrongKind(Refusal):
    """The benefit named is of another kind. Facts: `kind` (its own), `wanted`."""

    code = "entitlement_other_kind"
    field = "entitlement_id"


class NotShared(Refusal):
    """The benefit is for the customer herself, not for her family."""

    code = "entitlement_not_shared"
    field = "entitlement_id"


class ValidityOver(Refusal):
    """The service date lies after the validity. Facts: `valid_until` (ISO date)."""

    code = "entitlement_expired"
    field = "entitlement_id"


class NotValidYet(Refusal):
    """The service date lies before the validity. Facts: `valid_from` (ISO date)."""

    code = "entitlement_not_yet_valid"
    field = "entitlement_id"


@dataclass(frozen=True)
class EntitlementView:
    """A benefit as its card shows it. `granted` and `available` None: unlimited.

    `state`: `used_up` when nothing is available (some may still be `reserved`); `days_left` counts today, 0 when over.
    `for_whom`: names of the people it may be used for, the customer first.
    """

    public_id: str
    kind: str
    state: State
    sharing: str
    for_whom: tuple[str, ...]
    valid_from: date
    valid_until: date
    days_left: int
    unlimited: bool
    granted: int | None
    available: int | None
    reserved: int
    used: int
    expired: int
    revoked: int
    plan_name_zh: str | None
    plan_name_en: str | None


@dataclass(frozen=True)
class EntryView:
    """A line of the usage record. `booking_id` is internal (booking.views.customer names it); `actor_kind` customer,
    operator, provider or system."""

    at: datetime
    entry: str
    quantity: int
    booking_id: int | None
    attempt: int
    actor_kind: str
    reason: str


def entitlements(customer_id: int, *, today: date) -> list[EntitlementView]:
    """All that the customer has or had: active first, then the earliest end first. `today` is in the insurer's zone."""
    with reading() as session:
        rows = session.execute(
            select(Entitlement, Plan.name_zh, Plan.name_en)
            .outerjoin(PlanBenefit, PlanBenefit.id == Entitlement.plan_benefit_id)
            .outerjoin(Plan, Plan.id == PlanBenefit.plan_id)
            .where(Entitlement.customer_id == customer_id)
        ).all()
        people = session.execute(
            select(Beneficiary.relation, Beneficiary.name)
            .where(Beneficiary.customer_id == customer_id, Beneficiary.removed_at.is_(None))
            .order_by(Beneficiary.relation != "self", Beneficiary.id)
        ).all()
    names = {
        "family": tuple(name for _, name in people),
        "self": tuple(name for relation, name in people if relation == "self"),
    }
    views = [_view(row, names[row.sharing], today, zh, en) for row, zh, en in rows]
    return sorted(views, key=lambda view: (_ORDER.index(view.state), view.valid_until, view.kind, view.public_id))


def entries(customer_id: int, public_id: str) -> list[EntryView]:
    """The usage record of one entitlement, oldest line first. Raises NotFound(field="entitlement_id")."""
    with reading() as session:
        entitlement = _named(session, customer_id, public_id)
        lines = session.scalars(
            select(EntitlementEntry).where(EntitlementEntry.entitlement_id == entitlement).order_by(EntitlementEntry.id)
        ).all()
    return [
        EntryView(line.at, line.entry, line.quantity, line.booking_id, line.attempt, line.actor_kind, line.reason)
        for line in lines
    ]


CANDIDATE = (
    "e.id AS entitlement_id, e.kind AS entitlement_kind, e.sharing, e.valid_from, e.valid_until, e.available,"
    " b.relation = 'self' AS own"
)
"""What choose() wants to know of an entitlement `e` and the beneficiary `b` it is to be used for."""

_CANDIDATES = (
    f"SELECT {CANDIDATE}"
    "  FROM beneficiary b LEFT JOIN entitlement e ON e.customer_id = b.customer_id AND {wanted}"
    " WHERE b.id = :beneficiary AND b.customer_id = :customer AND b.removed_at IS NULL"
)
_OF_KIND = text(_CANDIDATES.format(wanted="e.kind = :kind"))
_NAMED = text(_CANDIDATES.format(wanted="e.public_id = :named"))


def eligible(
    session: Session, customer_id: int, kind: str, beneficiary_id: int, service_date: date, named: str | None
) -> list[int]:
    """choose() for a beneficiary by internal id, in one query. Raises NotFound(beneficiary_id) besides."""
    if named is not None and not ids.well_formed(named):
        raise NotFound(field="entitlement_id")
    rows = session.execute(
        _OF_KIND if named is None else _NAMED,
        {"beneficiary": beneficiary_id, "customer": customer_id, "kind": kind, "named": named},
    ).all()
    if not rows:
        raise NotFound(field="beneficiary_id")
    return choose(rows, kind, service_date, named)


def usable_days(session: Session, customer_id: int, kind: str, beneficiary_id: int, days: Sequence[date]) -> list[date]:
    """Those of the days for which one of her entitlements may be used by the beneficiary (internal id) and has a unit
    left, as it is now; in one query."""
    rows = session.execute(
        _OF_KIND, {"beneficiary": beneficiary_id, "customer": customer_id, "kind": kind, "named": None}
    ).all()
    left = [row for row in rows if row.available != 0]
    return [day for day in days if _may_pay(left, kind, day)]


def _may_pay(rows: Iterable[Any], kind: str, day: date) -> bool:
    try:
        return bool(choose(rows, kind, day, None))
    except Refusal:
        return False


def choose(rows: Iterable[Any], kind: str, service_date: date, named: str | None) -> list[int]:
    """Internal ids of the entitlements that may pay for it, in the order of use: the earliest-expiring first.

    `rows` hold the columns of CANDIDATE: the customer's entitlements of `kind`, or the one that she `named`. Whether
    any is left is decided where it is taken; an empty one is still listed, last, so that the taking itself refuses.
    Raises NotFound(entitlement_id), WrongKind, NoEntitlement, NotShared, ValidityOver, NotValidYet.
    """
    found = sorted(
        (row for row in rows if row.entitlement_id is not None), key=lambda row: (row.valid_until, row.entitlement_id)
    )
    if not found:
        raise NoEntitlement(kind=kind) if named is None else NotFound(field="entitlement_id")
    if found[0].entitlement_kind != kind:
        raise WrongKind(kind=found[0].entitlement_kind, wanted=kind)
    fit = _valid_on(_shared(found), service_date)
    return [row.entitlement_id for row in sorted(fit, key=lambda row: row.available == 0)]


def _shared(rows: list[Any]) -> list[Any]:
    shared = [row for row in rows if row.own or row.sharing == "family"]
    if not shared:
        raise NotShared()
    return shared


def _valid_on(rows: list[Any], day: date) -> list[Any]:
    valid = [row for row in rows if row.valid_from <= day <= row.valid_until]
    if valid:
        return valid
    coming = [row.valid_from for row in rows if row.valid_from > day]
    if coming:
        raise NotValidYet(valid_from=min(coming).isoformat())
    raise ValidityOver(valid_until=max(row.valid_until for row in rows).isoformat())


def _named(session: Session, customer_id: int, public_id: str) -> int:
    found = None
    if ids.well_formed(public_id):
        found = session.scalar(
            select(Entitlement.id).where(Entitlement.public_id == public_id, Entitlement.customer_id == customer_id)
        )
    if found is None:
        raise NotFound(field="entitlement_id")
    return found


def _state(row: Entitlement, today: date) -> State:
    if today > row.valid_until:
        return "expired"
    if row.available == 0:
        return "used_up"
    return "not_yet_valid" if today < row.valid_from else "active"


def _view(
    row: Entitlement, names: tuple[str, ...], today: date, plan_zh: str | None, plan_en: str | None
) -> EntitlementView:
    return EntitlementView(
        public_id=row.public_id,
        kind=row.kind,
        state=_state(row, today),
        sharing=row.sharing,
        for_whom=names,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        days_left=max(0, (row.valid_until - max(today, row.valid_from)).days + 1),
        unlimited=row.granted is None,
        granted=row.granted,
        available=row.available,
        reserved=row.reserved,
        used=row.used,
        expired=row.expired,
        revoked=row.revoked,
        plan_name_zh=plan_zh,
        plan_name_en=plan_en,
    )
