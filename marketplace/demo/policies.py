"""Demonstration data: policies of the invented insurer, long-term and short-term, in force and ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.core.text import Text
from marketplace.demo.people import PEOPLE
from vip.policies.facts import InsuredFacts, PolicyFacts, Status
from vip.policies.models import Policy
from vip.policies.put import put_policy
from vip.signin.signin import insurer_id, require_development

SOURCE = "demo"
_WHOLE = ("LC-WHOLE", Text("长青终身寿险", "Evergreen whole life"))
_PENSION = ("LC-PENSION", Text("颐年年金保险", "Golden Years annuity"))
_ACCIDENT = ("ST-ACCIDENT", Text("一年期意外伤害保险", "One-year accident cover"))


@dataclass(frozen=True)
class _Demo:
    """A policy of the person with that place in PEOPLE; `insured` are places in herself and her relatives. Without
    `first` and `last` it is for the present year."""

    key: str
    number: str
    person: int
    product: tuple[str, Text]
    long_term: bool
    insured: tuple[int, ...]
    first: date | None
    last: date | None
    status: Status = "in_force"


_POLICIES = (
    _Demo("demo-1001", "AL2019-0006-1001", 0, _WHOLE, True, (0, 1, 2), date(2019, 6, 1), None),
    _Demo("demo-1002", "AL2026-0031-1002", 0, _ACCIDENT, False, (0, 3), None, None),
    _Demo("demo-2001", "AL2012-0006-2001", 1, _PENSION, True, (0, 1, 2), date(2012, 3, 15), date(2072, 3, 14)),
    _Demo("demo-2002", "AL2014-0031-2002", 1, _ACCIDENT, False, (0,), date(2014, 1, 1), date(2014, 12, 31), "ended"),
    _Demo("demo-3001", "AL2021-0006-3001", 2, _WHOLE, True, (0, 1), date(2021, 9, 1), None, "lapsed"),
)


def load_policies(now: datetime) -> int:
    """Put the demonstration's policies as far as they are missing; how many were. Its people are there. Raises
    DevelopmentOnly elsewhere."""
    require_development()
    with transaction() as session:
        insurer = session.get_one(Insurer, insurer_id(session))
        missing = [one for one in _POLICIES if not _there(session, insurer, one)]
        for one in missing:
            facts = _facts(one, clock.today(insurer.time_zone, now))
            put_policy(session, insurer.id, facts, now=now, source=SOURCE)
    return len(missing)


def _there(session: Session, insurer: Insurer, one: _Demo) -> bool:
    wanted = select(Policy.id).where(Policy.insurer_id == insurer.id, Policy.key == one.key)
    return session.scalar(wanted) is not None


def _facts(one: _Demo, today: date) -> PolicyFacts:
    person = PEOPLE[one.person]
    known = (person.self, *person.relatives)
    code, name = one.product
    return PolicyFacts(
        key=one.key,
        version=1,
        number=one.number,
        product=code,
        product_name=name,
        long_term=one.long_term,
        holder_phone=person.phone,
        in_force_from=one.first or date(today.year, 1, 1),
        in_force_until=one.last if one.first else date(today.year, 12, 31),
        status=one.status,
        insured=tuple(
            InsuredFacts(it.name, it.birth_date, "male" if it.sex == "male" else "female", it.relation)
            for it in (known[place] for place in one.insured)
        ),
        plan=person.tier if one.long_term else None,
    )
