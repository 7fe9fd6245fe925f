"""A customer's policies as she sees them: which are in force, until when, whom they insure and what they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.kinds import kinds
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading
from marketplace.core.text import Text
from vip.models import Beneficiary, PlanBenefit
from vip.policies import numbers
from vip.policies.models import Policy, PolicyInsured
from vip.policies.standing import STANDINGS, Standing, standing


@dataclass(frozen=True)
class Insured:
    """A person whom a policy insures now. `beneficiary_id` is public; None once she was taken off the family list."""

    beneficiary_id: str | None
    name: str
    relation: str


@dataclass(frozen=True)
class PolicyView:
    """A policy of hers. `number_masked` is blank if the number can't be opened. `benefits`: the kinds of benefit that
    it gives her while it is in force."""

    public_id: str
    number_masked: str
    product: str
    product_name: Text
    long_term: bool
    standing: Standing
    in_force_from: date
    in_force_until: date | None
    insured: tuple[Insured, ...]
    benefits: tuple[str, ...]


def policies(customer_id: int, *, today: date) -> list[PolicyView]:
    """All of hers: those in force first, each group by the last day, the latest first. `today` is in the insurer's
    zone."""
    with reading() as session:
        found = session.scalars(select(Policy).where(Policy.customer_id == customer_id)).all()
        insured = _insured(session, [one.id for one in found])
        of_plans = _of_plans(session, [one.plan_id for one in found if one.plan_id is not None])
    views = [_view(one, insured.get(one.id, ()), of_plans.get(one.plan_id or 0, ()), today) for one in found]
    return sorted(views, key=_order)


def _order(view: PolicyView) -> tuple[int, int, str]:
    last = view.in_force_until or date.max
    return STANDINGS.index(view.standing), -last.toordinal(), view.public_id


def masked_number(policy: Policy) -> str:
    """The number for showing; blank if its holder was erased, or it can't be opened, which has raised its alarm."""
    try:
        return numbers.masked(numbers.unseal(policy.number_sealed, policy.public_id))
    except Unreadable:
        return ""


def _insured(session: Session, policy_ids: Sequence[int]) -> dict[int, tuple[Insured, ...]]:
    rows = session.execute(
        select(PolicyInsured, Beneficiary)
        .join(Beneficiary, Beneficiary.id == PolicyInsured.beneficiary_id)
        .where(
            PolicyInsured.policy_id.in_(policy_ids), PolicyInsured.ended_on.is_(None), Beneficiary.erased_at.is_(None)
        )
        .order_by(PolicyInsured.relation != "self", PolicyInsured.id)
    ).all()
    found: dict[int, tuple[Insured, ...]] = {}
    for link, person in rows:
        listed = person.public_id if person.removed_at is None else None
        found[link.policy_id] = (*found.get(link.policy_id, ()), Insured(listed, person.name, link.relation))
    return found


def _of_plans(session: Session, plan_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The kinds of benefit that plans hold, by the plan's internal id."""
    rows = session.scalars(select(PlanBenefit).where(PlanBenefit.plan_id.in_(plan_ids)).order_by(PlanBenefit.id))
    found: dict[int, tuple[str, ...]] = {}
    for one in rows:
        found[one.plan_id] = (*found.get(one.plan_id, ()), one.kind)
    return found


def _view(policy: Policy, insured: tuple[Insured, ...], of_plan: tuple[str, ...], today: date) -> PolicyView:
    return PolicyView(
        public_id=policy.public_id,
        number_masked=masked_number(policy),
        product=policy.product,
        product_name=Text(policy.product_name_zh, policy.product_name_en),
        long_term=policy.long_term,
        standing=standing(policy, today),
        in_force_from=policy.in_force_from,
        in_force_until=policy.in_force_until,
        insured=insured,
        benefits=tuple(dict.fromkeys((*(_by_itself() if policy.long_term else ()), *of_plan))),
    )


def _by_itself() -> tuple[str, ...]:
    """The kinds that a long-term policy entitles to, whatever the plan."""
    return tuple(code for code, kind in kinds().items() if kind.traits.policy == "long_term")
