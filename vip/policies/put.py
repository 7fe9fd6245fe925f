"""Putting a policy: the insurer says what it is at a version; the newest version is what counts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core import clock, crypto, ids
from marketplace.core.errors import Invalid
from vip import phones
from vip.models import Customer, Plan
from vip.policies import numbers, people, told
from vip.policies.facts import PolicyFacts, checked
from vip.policies.models import Policy, PolicyInsured, PolicyVersion

Outcome = Literal["created", "updated", "unchanged", "older"]


@dataclass(frozen=True)
class Put:
    """What became of it. `unchanged`: this version said the same before; `older`: a newer one is there; neither made
    a version. `policy_id` is public, `version` the one that counts now."""

    outcome: Outcome
    policy_id: str
    version: int
    changed: tuple[str, ...] = ()


def put_policy(session: Session, insurer_id: int, facts: PolicyFacts, *, now: datetime, source: str) -> Put:
    """Put one policy in the caller's transaction. `source` names who put it, without a person's data
    (`import:<public id>`, `client:<id>`).

    Whatever becomes of it, the policy was told: open snapshots name it, and one that was ended because a snapshot did
    not is again what its version says (vip.policies.told).

    The policy is locked first, so of two puts at once the newer version stands, whichever came first. A caller that
    puts several in one transaction holds off others meanwhile, or does it again when they were in the way: each policy
    holds its customer too. After a refusal the caller takes its transaction (or
    savepoint) back.

    Raises Invalid(field; reason): what `facts.checked` says; "version_reused" for a version that said something else
    before; "number_taken" where another policy has the number; what vip.policies.people says of
    holder and insured; "holder_changed" for a policy that would pass to another customer;
    "policy_erased" where the holder was erased; "not_offered" for a plan that the insurer doesn't have.
    """
    today = clock.today(session.get_one(Insurer, insurer_id).time_zone, now)
    facts = checked(facts, today)
    told.share_books(session, insurer_id)
    put, policy = _put(session, insurer_id, facts, today, now=now, source=source)
    told.told(session, policy, put.outcome, now=now)
    return put


def contents_record(policy_public_id: str) -> str:
    """The record that the digest of a policy's contents is sealed for."""
    return f"policy:{policy_public_id}:contents"


def _put(
    session: Session, insurer_id: int, facts: PolicyFacts, today: date, *, now: datetime, source: str
) -> tuple[Put, Policy]:
    policy = _locked(session, insurer_id, facts)
    if policy is None:
        return _create(session, insurer_id, facts, now=now, source=source)
    if not policy.contents_sealed:
        raise Invalid(field="key", reason="policy_erased")
    if facts.version < policy.version:
        return Put("older", policy.public_id, policy.version), policy
    if facts.version == policy.version:
        if _contents(facts) != crypto.unseal_master(policy.contents_sealed, contents_record(policy.public_id)):
            raise Invalid(field="version", reason="version_reused")
        return Put("unchanged", policy.public_id, policy.version), policy
    return _update(session, policy, facts, today, now=now, source=source), policy


def _locked(session: Session, insurer_id: int, facts: PolicyFacts) -> Policy | None:
    """The policy with this key, locked. Where there is none, its key, number and phone are locked instead, so that two
    that put a new one do so one after the other."""
    wanted = select(Policy).where(Policy.insurer_id == insurer_id, Policy.key == facts.key).with_for_update()
    found = session.scalar(wanted, execution_options={"populate_existing": True})
    if found is None:
        key = hashlib.sha256(f"policy\0{insurer_id}\0{facts.key}".encode()).digest()
        phones.lock(session, (key, *numbers.indexes(facts.number), *phones.indexes(facts.holder_phone)))
        found = session.scalar(wanted, execution_options={"populate_existing": True})
    return found


def _create(session: Session, insurer_id: int, facts: PolicyFacts, *, now: datetime, source: str) -> tuple[Put, Policy]:
    plan = _plan(session, insurer_id, facts)
    people.said_holder(facts)
    known = people.by_phone(session, insurer_id, facts.holder_phone)
    customer = known or people.new_holder(session, insurer_id, facts, plan, now)
    insured = people.insured_people(session, customer, facts, None, new=known is None)
    public_id = ids.new_id("pcy")
    policy = Policy(public_id=public_id, insurer_id=insurer_id, customer_id=customer.id, key=facts.key, created_at=now)
    _refuse_taken(session, insurer_id, facts.number, None)
    _write(policy, facts, plan, now)
    session.add(policy)
    session.flush()
    for one, person in insured:
        session.add(_insured(policy, person.id, one.relation, facts.in_force_from))
    _remember(session, policy, (), len(insured), now, source)
    return Put("created", public_id, facts.version), policy


def _update(session: Session, policy: Policy, facts: PolicyFacts, today: date, *, now: datetime, source: str) -> Put:
    plan = _plan(session, policy.insurer_id, facts)
    if policy.number_index not in numbers.indexes(facts.number):
        phones.lock(session, numbers.indexes(facts.number))
        _refuse_taken(session, policy.insurer_id, facts.number, policy.id)
    customer = _same_holder(session, policy, facts)
    insured = people.insured_people(session, customer, facts, policy.id)
    changed = _changed(policy, facts, plan)
    began = policy.in_force_from
    _write(policy, facts, plan, now)
    if _follow(session, policy, {person.id: one.relation for one, person in insured}, began, today):
        changed = (*changed, "insured")
    session.flush()
    _remember(session, policy, changed, len(insured), now, source)
    return Put("updated", policy.public_id, facts.version, changed)


def _same_holder(session: Session, policy: Policy, facts: PolicyFacts) -> Customer:
    """The policy's customer. A number that nobody has is a new or an old one of hers, which she changes herself; one
    of another customer would hand her policy over."""
    customer = session.get_one(Customer, policy.customer_id, with_for_update={"key_share": True})
    people.not_erased(customer, at="key")
    found = people.by_phone(session, policy.insurer_id, facts.holder_phone)
    if found is not None and found.id != customer.id:
        raise Invalid(field="holder_phone", reason="holder_changed")
    return customer


def _plan(session: Session, insurer_id: int, facts: PolicyFacts) -> Plan | None:
    if facts.plan is None:
        return None
    plan = session.scalar(select(Plan).where(Plan.insurer_id == insurer_id, Plan.code == facts.plan))
    if plan is None:
        raise Invalid(field="plan", reason="not_offered")
    return plan


def _refuse_taken(session: Session, insurer_id: int, number: str, own: int | None) -> None:
    other = select(Policy.id).where(
        Policy.insurer_id == insurer_id,
        Policy.number_index.in_(numbers.indexes(number)),
        Policy.id.is_distinct_from(own),
    )
    if session.scalar(other.limit(1)) is not None:
        raise Invalid(field="number", reason="number_taken")


def _changed(policy: Policy, facts: PolicyFacts, plan: Plan | None) -> tuple[str, ...]:
    """Names of the facts that differ from what is stored."""
    same = {
        "number": policy.number_index in numbers.indexes(facts.number),
        "product": policy.product == facts.product,
        "product_name": (policy.product_name_zh, policy.product_name_en) == tuple(facts.product_name),
        "long_term": policy.long_term == facts.long_term,
        "in_force_from": policy.in_force_from == facts.in_force_from,
        "in_force_until": policy.in_force_until == facts.in_force_until,
        "status": policy.status == facts.status,
        "plan": policy.plan_id == (None if plan is None else plan.id),
    }
    return tuple(name for name, kept in same.items() if not kept)


def _write(policy: Policy, facts: PolicyFacts, plan: Plan | None, now: datetime) -> None:
    policy.version = facts.version
    policy.number_sealed = numbers.seal(facts.number, policy.public_id)
    policy.number_index = numbers.indexes(facts.number)[0]
    policy.product = facts.product
    policy.product_name_zh, policy.product_name_en = facts.product_name
    policy.long_term = facts.long_term
    policy.in_force_from, policy.in_force_until = facts.in_force_from, facts.in_force_until
    policy.status = facts.status
    policy.plan_id = None if plan is None else plan.id
    policy.contents_sealed = crypto.seal_master(_contents(facts), contents_record(policy.public_id))
    policy.updated_at = now


def _follow(session: Session, policy: Policy, wanted: dict[int, str], began: date, today: date) -> bool:
    """Make the insured those `wanted` (relations by internal id); whether anybody came, left or is called otherwise.
    Who was insured from the beginning (`began`) is so from a beginning that was put right."""
    open_now = {
        one.beneficiary_id: one
        for one in session.scalars(
            select(PolicyInsured).where(PolicyInsured.policy_id == policy.id, PolicyInsured.ended_on.is_(None))
        )
    }
    differs = {number: one.relation for number, one in open_now.items()} != wanted
    for number, one in open_now.items():
        if one.since == began:
            one.since = policy.in_force_from
        if number in wanted:
            one.relation = wanted[number]
        else:
            one.ended_on = max(one.since, today)
    for number in wanted.keys() - open_now.keys():
        session.add(_insured(policy, number, wanted[number], max(today, policy.in_force_from)))
    return differs


def _insured(policy: Policy, beneficiary_id: int, relation: str, since: date) -> PolicyInsured:
    return PolicyInsured(
        policy_id=policy.id,
        customer_id=policy.customer_id,
        beneficiary_id=beneficiary_id,
        relation=relation,
        since=since,
    )


def _remember(
    session: Session, policy: Policy, changed: tuple[str, ...], insured: int, now: datetime, source: str
) -> None:
    session.add(
        PolicyVersion(
            policy_id=policy.id,
            version=policy.version,
            at=now,
            source=source,
            product=policy.product,
            long_term=policy.long_term,
            in_force_from=policy.in_force_from,
            in_force_until=policy.in_force_until,
            status=policy.status,
            insured=insured,
            changed=list(changed),
        )
    )
    session.flush()


def _contents(facts: PolicyFacts) -> str:
    """A digest (SHA-256) of everything the facts say; their order of people does not count."""
    said = asdict(facts) | {"insured": sorted((asdict(one) for one in facts.insured), key=repr)}
    plain = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(plain.encode()).hexdigest()
