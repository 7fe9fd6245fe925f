"""Whether a person has a valid long-term policy on a day, and if not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ARRAY, ColumnElement, Date, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from marketplace.core.text import Text
from vip.models import Beneficiary
from vip.policies.models import Policy, PolicyInsured

WhyNone = Literal["no_policy", "not_long_term", "not_in_force_then", "person_not_insured"]


@dataclass(frozen=True)
class ValidPolicy:
    """The long-term policy by which a person is entitled on a day. `policy_id` is public; `in_force_until` None: for
    good; `relation`: what she is to the holder, `self` for herself."""

    policy_id: str
    version: int
    product: str
    product_name: Text
    in_force_from: date
    in_force_until: date | None
    relation: str

    def snapshot(self) -> dict[str, Any]:
        """What of it a booking keeps, in JSON's forms. The booking stands by this, whatever becomes of the policy."""
        return {
            "id": self.policy_id,
            "version": self.version,
            "product": self.product,
            "product_name": {"zh": self.product_name.zh, "en": self.product_name.en},
            "in_force_from": self.in_force_from.isoformat(),
            "in_force_until": None if self.in_force_until is None else self.in_force_until.isoformat(),
        }


def valid_on(session: Session, beneficiary_id: int, day: date) -> ValidPolicy | None:
    """The long-term policy that insures this person (internal id) and is in force on `day` by what is known now; of
    several the one that ends last. None where there is none: `why_none` says why."""
    found = session.execute(
        select(Policy, PolicyInsured.relation)
        .join(PolicyInsured, PolicyInsured.policy_id == Policy.id)
        .where(PolicyInsured.beneficiary_id == beneficiary_id, Policy.long_term, in_force_on(day), insured_on(day))
        .order_by(Policy.in_force_until.desc().nulls_first(), Policy.id)
        .limit(1)
    ).first()
    if found is None:
        return None
    policy, relation = found
    return ValidPolicy(
        policy.public_id,
        policy.version,
        policy.product,
        Text(policy.product_name_zh, policy.product_name_en),
        policy.in_force_from,
        policy.in_force_until,
        relation,
    )


def days_valid(session: Session, beneficiary_id: int, days: Sequence[date]) -> list[date]:
    """Those of the days on which `valid_on` finds one, in order."""
    day = func.unnest(literal(list(days), ARRAY(Date))).column_valued("day")
    valid = exists().where(
        PolicyInsured.policy_id == Policy.id,
        PolicyInsured.beneficiary_id == beneficiary_id,
        Policy.long_term,
        in_force_on(day),
        insured_on(day),
    )
    return list(session.scalars(select(day).where(valid).order_by(day)))


def why_none(session: Session, beneficiary_id: int, day: date) -> WhyNone:
    """Why `valid_on` finds none, by what comes nearest: a long-term policy of hers that is not in force that day, one
    of her family that is and does not insure her, one in force that is not long-term, a long-term one of her family
    that is not in force. `no_policy`: nothing of these."""
    rows = session.execute(
        select(Policy.long_term, in_force_on(day).label("in_force"), PolicyInsured.id.is_not(None).label("hers"))
        .select_from(Beneficiary)
        .join(Policy, Policy.customer_id == Beneficiary.customer_id)
        .outerjoin(
            PolicyInsured,
            and_(
                PolicyInsured.policy_id == Policy.id,
                PolicyInsured.beneficiary_id == Beneficiary.id,
                PolicyInsured.ended_on.is_(None),
            ),
        )
        .where(Beneficiary.id == beneficiary_id)
    ).all()
    if any(row.long_term and row.hers and not row.in_force for row in rows):
        return "not_in_force_then"
    if any(row.long_term and row.in_force for row in rows):
        return "person_not_insured"
    if any(row.in_force for row in rows):
        return "not_long_term"
    return "not_in_force_then" if any(row.long_term for row in rows) else "no_policy"


def in_force_on(day: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition that a Policy is in force on the day, both its days included."""
    return and_(
        Policy.status == "in_force",
        Policy.in_force_from <= day,
        not_over(day),
    )


def not_over(day: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition that a Policy's last day is not before this one."""
    return or_(Policy.in_force_until.is_(None), Policy.in_force_until >= day)


def insured_on(day: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition that a PolicyInsured insures on the day."""
    return and_(PolicyInsured.since <= day, or_(PolicyInsured.ended_on.is_(None), PolicyInsured.ended_on > day))
