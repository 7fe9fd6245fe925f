"""Giving entitlements: one by one, or all that a VIP tier's plan holds for a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import null, select
from sqlalchemy.orm import Session

from marketplace.core import audit, ids
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from vip.entitlements.ledger import Stamp, write
from vip.models import Customer, Entitlement, Plan, PlanBenefit

MOST = 10_000


class NoPlan(Refusal):
    """The customer's tier has no plan."""

    code = "no_plan"


@dataclass(frozen=True)
class Grant:
    """What is given: `quantity` None is unlimited; validity is whole days, both included; `sharing` self or family."""

    kind: str
    quantity: int | None
    valid_from: date
    valid_until: date
    sharing: str = "family"
    grace_days: int = 30
    no_show_uses: bool = True
    plan_benefit_id: int | None = None


def grant(session: Session, customer: Customer, given: Grant, stamp: Stamp) -> Entitlement:
    """Give it in the caller's transaction: the entitlement, its first ledger line and an audit line.

    Raises Invalid(field=quantity, valid_until, sharing or grace_days).
    """
    if given.quantity is not None and not 1 <= given.quantity <= MOST:
        raise Invalid(field="quantity", reason="quantity")
    if given.valid_until < given.valid_from:
        raise Invalid(field="valid_until", reason="before_start")
    if given.sharing not in ("self", "family"):
        raise Invalid(field="sharing", reason="not_offered")
    if not 0 <= given.grace_days <= 366:
        raise Invalid(field="grace_days", reason="grace_days")
    # an explicit NULL: for a None the mapper would leave the column out and the server's default 0 would apply
    start = null() if given.quantity is None else 0
    entitlement = Entitlement(
        public_id=ids.new_id("ent"),
        insurer_id=customer.insurer_id,
        customer_id=customer.id,
        plan_benefit_id=given.plan_benefit_id,
        kind=given.kind,
        sharing=given.sharing,
        valid_from=given.valid_from,
        valid_until=given.valid_until,
        grace_days=given.grace_days,
        no_show_uses=given.no_show_uses,
        granted=start,
        available=start,
        created_at=stamp.at,
    )
    session.add(entitlement)
    session.flush()
    write(
        session,
        entitlement.id,
        "grant",
        quantity=given.quantity or 1,
        at=stamp.at,
        actor_kind=stamp.actor_kind,
        actor=stamp.actor,
        reason=stamp.reason,
    )
    audit.record(
        session,
        "entitlement.granted",
        at=stamp.at,
        actor_kind=stamp.actor_kind,
        actor=stamp.actor,
        subject=entitlement.public_id,
        insurer_id=customer.insurer_id,
        customer=customer.public_id,
        kind=given.kind,
        quantity=given.quantity,
    )
    session.refresh(entitlement)
    return entitlement


def grant_plan(customer_public_id: str, year: int, *, now: datetime, actor_kind: str, actor: str) -> list[str]:
    """Give a customer what her tier's plan holds for `year`; returns the new entitlements' public ids.

    Each benefit is valid from 1 January for the months the plan says. What she was given before for that year is not
    given again, also by two calls at once. Raises NotFound(field="customer_id"), NoPlan(tier), Invalid(field="year").
    """
    if not 2000 <= year <= 2100:
        raise Invalid(field="year", reason="year")
    if not ids.well_formed(customer_public_id):
        raise NotFound(field="customer_id")
    with transaction() as session:
        customer = session.scalar(
            select(Customer).where(Customer.public_id == customer_public_id).with_for_update(key_share=True)
        )
        if customer is None:
            raise NotFound(field="customer_id")
        stamp = Stamp(now, actor_kind, actor, f"plan {year}")
        return [given.public_id for given in give_plan(session, customer, date(year, 1, 1), stamp)]


def give_plan(session: Session, customer: Customer, start: date, stamp: Stamp) -> list[Entitlement]:
    """The same in the caller's transaction, which holds the customer's lock, for a period from `start`."""
    plan = session.scalar(select(Plan).where(Plan.insurer_id == customer.insurer_id, Plan.tier == customer.tier))
    if plan is None:
        raise NoPlan(tier=customer.tier)
    benefits = session.scalars(select(PlanBenefit).where(PlanBenefit.plan_id == plan.id).order_by(PlanBenefit.id)).all()
    had = set(
        session.scalars(
            select(Entitlement.plan_benefit_id).where(
                Entitlement.customer_id == customer.id, Entitlement.valid_from == start
            )
        )
    )
    return [grant(session, customer, _of_plan(benefit, start), stamp) for benefit in benefits if benefit.id not in had]


def _of_plan(benefit: PlanBenefit, start: date) -> Grant:
    return Grant(
        kind=benefit.kind,
        quantity=benefit.quantity,
        valid_from=start,
        valid_until=months_later(start, benefit.months) - timedelta(days=1),
        sharing=benefit.sharing,
        grace_days=benefit.grace_days,
        no_show_uses=benefit.no_show_uses,
        plan_benefit_id=benefit.id,
    )


def months_later(start: date, months: int) -> date:
    """The same day `months` later, or the first of the month after where that month has no such day."""
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    try:
        return date(year, month, start.day)
    except ValueError:
        return date(year + month // 12, month % 12 + 1, 1)
