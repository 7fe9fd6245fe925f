"""What a policy is on a day, in one word."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from vip.policies.models import Policy

Standing = Literal["in_force", "not_yet", "lapsed", "surrendered", "ended"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)


def standing(policy: Policy, day: date) -> Standing:
    """`not_yet`: it begins later; `ended`: the insurer ended it, or its last day is over."""
    if policy.status == "in_force" and policy.in_force_until is not None and policy.in_force_until < day:
        return "ended"
    if policy.status == "in_force" and day < policy.in_force_from:
        return "not_yet"
    return policy.status  # type: ignore[return-value]
