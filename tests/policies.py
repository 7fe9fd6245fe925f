"""Policies for tests, put by the product's own code."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from marketplace.core.database.db import transaction
from marketplace.core.text import Text
from tests.people import NOON, PHONE, make_insurer
from vip.policies.facts import InsuredFacts, PolicyFacts
from vip.policies.put import Put, put_policy

HERSELF = InsuredFacts("沈静宜", date(1988, 4, 12), "female", "self")
FATHER = InsuredFacts("沈伯年", date(1951, 9, 3), "male", "father")
MOTHER = InsuredFacts("顾婉清", date(1954, 2, 18), "female", "mother")

_USUAL = PolicyFacts(
    key="policy-1",
    version=1,
    number="P2020-8888-0001",
    product="WHOLE",
    product_name=Text("长青终身寿险", "Evergreen whole life"),
    long_term=True,
    holder_phone=PHONE,
    in_force_from=date(2020, 1, 1),
    in_force_until=None,
    status="in_force",
    insured=(HERSELF, FATHER),
)


def policy_facts(**changes: Any) -> PolicyFacts:
    """A long-term policy in force that insures the customer of tests.people and her father; or with `changes`."""
    return replace(_USUAL, **changes)


def put(facts: PolicyFacts, *, insurer_id: int | None = None, now: datetime = NOON, source: str = "import:test") -> Put:
    """Put it in a transaction of its own, of the installation's insurer unless another one is named."""
    insurer = make_insurer().id if insurer_id is None else insurer_id
    with transaction() as session:
        return put_policy(session, insurer, facts, now=now, source=source)
