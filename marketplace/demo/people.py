"""Demonstration data for development: an invented insurer, its three tiers, and customers with families."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core import audit, clock, crypto, ids
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid
from vip import phones
from vip.customers import person_keys
from vip.customers.consent import record_consent
from vip.customers.family import NewMember, new_beneficiary
from vip.entitlements.grants import Grant, give_plan, grant
from vip.entitlements.ledger import Stamp, expire_rest
from vip.models import Beneficiary, Customer, Entitlement, EntitlementEntry, PersonKey, Plan, PlanBenefit, SignInSession
from vip.signin.signin import LIFETIME, insurer_id, require_development

KIND = "health_check"
MOST_CUSTOMERS = 100_000
CHUNK = 500
_LOCK = 0x616E78_64656D6F  # advisory: one loader at a time


@dataclass(frozen=True)
class DemoSignIn:
    """Who can sign in to the demonstration; the code is printed by the SMS backend."""

    phone: str
    name: str
    tier: str
    tier_name_zh: str
    tier_name_en: str


@dataclass(frozen=True)
class MadeCustomer:
    """One customer of `python -m marketplace.demo customers`."""

    phone: str
    customer_public_id: str
    token: str


@dataclass(frozen=True)
class _Tier:
    code: str
    name_zh: str
    name_en: str
    checks: int | None


@dataclass(frozen=True)
class _Person:
    phone: str
    tier: str
    self: NewMember
    relatives: tuple[NewMember, ...]


TIERS = (
    _Tier("premier", "尊享计划", "Premier plan", None),
    _Tier("select", "悦享计划", "Select plan", 2),
    _Tier("essential", "乐享计划", "Essential plan", 1),
)

# The youngest and the oldest are there on purpose: check-ups for adults refuse the child, and some refuse the eldest.
PEOPLE = (
    _Person(
        "13800000001",
        "select",
        NewMember("self", "沈静宜", "female", date(1988, 4, 12)),
        (
            NewMember("father", "沈伯年", "male", date(1951, 9, 3)),
            NewMember("mother", "顾婉清", "female", date(1954, 2, 18)),
            NewMember("daughter", "陆小满", "female", date(2019, 5, 21)),
        ),
    ),
    _Person(
        "13800000002",
        "premier",
        NewMember("self", "程远帆", "male", date(1976, 11, 30)),
        (
            NewMember("spouse", "叶知秋", "female", date(1979, 10, 8)),
            NewMember("mother_in_law", "方素云", "female", date(1938, 6, 1)),
            NewMember("son", "程嘉树", "male", date(2008, 1, 15)),
        ),
    ),
    _Person(
        "13800000003",
        "essential",
        NewMember("self", "何乐之", "male", date(1995, 7, 7)),
        (NewMember("mother", "柳如月", "female", date(1968, 12, 24)),),
    ),
)


def load_people(now: datetime) -> list[DemoSignIn]:
    """Make the demonstration's insurer, plans and customers, as far as they are missing.

    Running it again changes nothing. Returns the sign-ins to print. Raises DevelopmentOnly elsewhere.
    """
    require_development()
    with transaction() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        insurer = _insurer(session)
        for tier in TIERS:
            _plan(session, insurer, tier)
        for person in PEOPLE:
            _customer(session, insurer, person, now)
    names = {tier.code: tier for tier in TIERS}
    return [
        DemoSignIn(one.phone, one.self.name, one.tier, names[one.tier].name_zh, names[one.tier].name_en)
        for one in PEOPLE
    ]


def make_customers(n: int, kind: str, quantity: int | None, now: datetime) -> list[MadeCustomer]:
    """Make `n` more customers, each with herself and her father (who has consented) to book for, one entitlement of
    `kind` (`quantity` uses, None unlimited) valid for a year from today, and a token.

    Written in chunks of 500, a transaction each. Raises DevelopmentOnly elsewhere, Invalid(field="n" or "quantity").
    """
    require_development()
    if not 1 <= n <= MOST_CUSTOMERS:
        raise Invalid(field="n", reason="quantity")
    if quantity is not None and quantity < 1:
        raise Invalid(field="quantity", reason="quantity")
    made: list[MadeCustomer] = []
    while len(made) < n:
        with transaction() as session:
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            made += _bulk(session, min(CHUNK, n - len(made)), kind, quantity, now)
    return made


def _insurer(session: Session) -> Insurer:
    code = settings().insurer_code
    insurer = session.scalar(select(Insurer).where(Insurer.code == code))
    if insurer is None:
        insurer = Insurer(
            public_id=ids.new_id("ins"), code=code, name_zh="安澜示范人寿", name_en="Anlan Demonstration Life"
        )
        session.add(insurer)
        session.flush()
        session.refresh(insurer)
    return insurer


def _plan(session: Session, insurer: Insurer, tier: _Tier) -> None:
    if session.scalar(select(Plan.id).where(Plan.insurer_id == insurer.id, Plan.code == tier.code)) is not None:
        return
    plan = Plan(
        public_id=ids.new_id("pln"),
        insurer_id=insurer.id,
        code=tier.code,
        tier=tier.code,
        name_zh=tier.name_zh,
        name_en=tier.name_en,
    )
    session.add(plan)
    session.flush()
    session.add(PlanBenefit(plan_id=plan.id, kind=KIND, quantity=tier.checks))
    session.flush()


def _customer(session: Session, insurer: Insurer, person: _Person, now: datetime) -> None:
    number = phones.normalise(person.phone)
    wanted = select(Customer.id).where(Customer.insurer_id == insurer.id, phones.of_customer(phones.indexes(number)))
    if session.scalar(wanted) is not None:
        return
    public_id = ids.new_id("cus")
    customer = Customer(
        public_id=public_id,
        insurer_id=insurer.id,
        tier=person.tier,
        name=person.self.name,
        created_at=now,
    )
    phones.assign(session, customer, number)
    family = [new_beneficiary(customer, member) for member in (person.self, *person.relatives)]
    for member in family:
        session.add(member)
        session.flush()
    # The other adults are left to be asked, so that the demonstration shows how.
    record_consent(session, family[1:2], "demonstration", now=now)
    today = clock.today(insurer.time_zone, now)
    stamp = Stamp(now, "system", "demo", "demonstration")
    give_plan(session, customer, today.replace(day=1), stamp)
    if person is PEOPLE[0]:
        _special_cases(session, customer, today, stamp)


def _special_cases(session: Session, customer: Customer, today: date, stamp: Stamp) -> None:
    """One check-up that ends soon and only for herself, and one of last year that expired unused."""
    day = timedelta(days=1)
    grant(session, customer, Grant(KIND, 1, today - 80 * day, today + 12 * day, sharing="self"), stamp)
    old = grant(session, customer, Grant(KIND, 1, today - 400 * day, today - 36 * day), stamp)
    expire_rest(session, old.id, 1, stamp)


def _bulk(session: Session, n: int, kind: str, quantity: int | None, now: datetime) -> list[MadeCustomer]:
    insurer = session.get_one(Insurer, insurer_id(session))
    first = (session.scalar(select(func.max(Customer.id))) or 0) + 1
    numbers = [f"139{first + place:08d}" for place in range(n)]
    customers = [_customer_row(insurer, phones.normalise(number), now) for number in numbers]
    customer_ids = list(
        session.scalars(insert(Customer).returning(Customer.id, sort_by_parameter_order=True), customers)
    )
    known = [phones.indexes(phones.normalise(number)) for number in numbers]
    phones.index_otherwise(session, insurer.id, zip(customer_ids, known, strict=True))
    owners = list(zip(customer_ids, customers, strict=True))
    people = [row for number, one in owners for row in _people(insurer, number, one)]
    stored = session.scalars(insert(Beneficiary).returning(Beneficiary), people).all()
    session.execute(insert(PersonKey), person_keys.new_rows(stored))
    record_consent(session, [one for one in stored if one.relation != "self"], "demonstration", now=now)
    _entitle(session, insurer, customer_ids, Grant(kind, quantity, *_year(insurer, now)), now)
    tokens = [ids.new_token() for _ in numbers]
    session.execute(
        insert(SignInSession), [_session_row(*both, now) for both in zip(customer_ids, tokens, strict=True)]
    )
    audit.record(session, "demo.customers", at=now, actor_kind="system", actor="demo", subject="demo", customers=n)
    return [
        MadeCustomer(number, one["public_id"], token)
        for number, one, token in zip(numbers, customers, tokens, strict=True)
    ]


def _year(insurer: Insurer, now: datetime) -> tuple[date, date]:
    today = clock.today(insurer.time_zone, now)
    return today, today + timedelta(days=365)


def _customer_row(insurer: Insurer, number: str, now: datetime) -> dict[str, Any]:
    public_id = ids.new_id("cus")
    return {
        "public_id": public_id,
        "insurer_id": insurer.id,
        "tier": TIERS[0].code,
        "name": f"示范客户{number[-4:]}",
        "phone_sealed": phones.seal(number, public_id),
        "phone_index": phones.index(number),
        "created_at": now,
    }


def _people(insurer: Insurer, customer_id: int, customer: dict[str, Any]) -> list[dict[str, Any]]:
    both = (("self", customer["name"], "female", date(1985, 6, 1)), ("father", "示范父亲", "male", date(1955, 3, 1)))
    rows = []
    for relation, name, sex, birth_date in both:
        public_id = ids.new_id("ben")
        rows.append(
            {
                "public_id": public_id,
                "insurer_id": insurer.id,
                "customer_id": customer_id,
                "relation": relation,
                "name": name,
                "sex": sex,
                "birth_date": birth_date,
            }
        )
    return rows


def _entitle(session: Session, insurer: Insurer, customer_ids: list[int], given: Grant, now: datetime) -> None:
    start = None if given.quantity is None else 0
    rows = [
        {
            "public_id": ids.new_id("ent"),
            "insurer_id": insurer.id,
            "customer_id": customer_id,
            "kind": given.kind,
            "sharing": given.sharing,
            "valid_from": given.valid_from,
            "valid_until": given.valid_until,
            "granted": start,
            "available": start,
            "created_at": now,
        }
        for customer_id in customer_ids
    ]
    entitlement_ids = session.scalars(
        insert(Entitlement).returning(Entitlement.id).execution_options(render_nulls=True), rows
    )
    lines = [
        {
            "entitlement_id": entitlement_id,
            "entry": "grant",
            "quantity": given.quantity or 1,
            "at": now,
            "actor_kind": "system",
            "actor": "demo",
            "reason": "demonstration",
        }
        for entitlement_id in entitlement_ids
    ]
    session.execute(insert(EntitlementEntry), lines)


def _session_row(customer_id: int, token: str, now: datetime) -> dict[str, Any]:
    return {
        "public_id": ids.new_id("ses"),
        "token_hash": crypto.token_hash(token),
        "customer_id": customer_id,
        "channel": "api",
        "created_at": now,
        "expires_at": now + LIFETIME,
    }
