"""Who a policy is about: its holder, a customer of the insurer, and the insured, who are people of hers.

Nobody is taken for somebody else by guess. A holder is known by her phone, and must be the person the insurer says. An
insured person is known by her ID number within the holder's family, else by name, birth date, sex and relation; one who
is not found is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.core import audit, crypto, ids
from marketplace.core.errors import Invalid
from vip import phones
from vip.customers import family, id_numbers
from vip.customers.family import NewMember
from vip.customers.person_keys import CONTACT, key_of
from vip.models import Beneficiary, Customer, Plan
from vip.policies.facts import SELF, InsuredFacts, PolicyFacts
from vip.policies.models import PolicyInsured

NO_TIER = "none"
"""The tier of somebody who became a customer by a policy without a plan."""


def by_phone(session: Session, insurer_id: int, phone: str) -> Customer | None:
    """The insurer's customer with this normalised number, locked. Raises Invalid(reason="policy_erased") for one who is
    being erased."""
    wanted = select(Customer).where(Customer.insurer_id == insurer_id, phones.of_customer(phones.indexes(phone)))
    return not_erased(session.scalar(wanted.with_for_update(key_share=True)), at="holder_phone")


def not_erased(customer: Customer | None, *, at: str) -> Customer | None:
    """The same customer. Raises Invalid(field=at, reason="policy_erased") for one who was erased or is being."""
    if customer is not None and customer.erased_at is not None:
        raise Invalid(field=at, reason="policy_erased")
    return customer


def said_holder(facts: PolicyFacts) -> InsuredFacts:
    """Who the facts say that the holder is. Raises Invalid(field="holder_phone", reason="holder_unknown") where they
    don't: her phone alone may be somebody else's by now."""
    herself = _holder_of(facts)[1]
    if herself is None:
        raise Invalid(field="holder_phone", reason="holder_unknown")
    return herself


def new_holder(session: Session, insurer_id: int, facts: PolicyFacts, plan: Plan | None, now: datetime) -> Customer:
    """Make the holder a customer; the caller has locked the phone and found nobody. Raises as `said_holder`."""
    herself = said_holder(facts)
    customer = Customer(
        public_id=ids.new_id("cus"),
        insurer_id=insurer_id,
        tier=NO_TIER if plan is None else plan.tier,
        name=herself.name,
        created_at=now,
    )
    phones.assign(session, customer, facts.holder_phone)
    audit.record(
        session,
        "customer.made_by_policy",
        at=now,
        actor_kind="system",
        actor="policies",
        subject=customer.public_id,
        insurer_id=insurer_id,
    )
    return customer


def insured_people(
    session: Session, customer: Customer, facts: PolicyFacts, policy_id: int | None, *, new: bool = False
) -> list[tuple[InsuredFacts, Beneficiary]]:
    """Each insured person with her row, found or added, in the order of the facts; the holder's own row is there
    afterwards, insured or not, if the facts say who she is: a policy's first do (`said_holder`). `policy_id`: whom it
    insures already is found also after the customer took her off her list. `new`: the customer has nobody yet.

    Raises Invalid: reason "holder_is_another" where the customer with this phone is somebody else than the holder,
    "is_the_holder" for a relative with the holder's ID number, "other_id_number" for one who is stored with another,
    "insured_twice" for one who is found twice.
    """
    people = [] if new else _people(session, customer, policy_id)
    at, herself = _holder_of(facts)
    own = None if herself is None else _own(session, customer, people, herself, at)
    found: list[tuple[InsuredFacts, Beneficiary]] = []
    for place, one in enumerate(facts.insured):
        person = own if one.relation == SELF else _relative(people, one, f"insured.{place}")
        if any(person is other for _facts, other in found):
            raise Invalid(field=f"insured.{place}.name", reason="insured_twice")
        if person is None:
            person = _added(session, customer, one)
            people.append(person)
        else:
            _complete(session, person, one)
        found.append((one, person))
    session.flush()
    return found


def _holder_of(facts: PolicyFacts) -> tuple[str, InsuredFacts | None]:
    """The facts about the holder herself, and the field they are in."""
    for place, one in enumerate(facts.insured):
        if one.relation == SELF:
            return f"insured.{place}", one
    return "holder", facts.holder


def _people(session: Session, customer: Customer, policy_id: int | None) -> list[Beneficiary]:
    """Hers. The customer is locked, so two puts at once add a person once."""
    insured = select(PolicyInsured.beneficiary_id).where(
        PolicyInsured.policy_id == policy_id, PolicyInsured.ended_on.is_(None)
    )
    wanted = select(Beneficiary).where(
        Beneficiary.customer_id == customer.id,
        Beneficiary.erased_at.is_(None),
        or_(Beneficiary.removed_at.is_(None), Beneficiary.id.in_(insured)),
    )
    return list(session.scalars(wanted.order_by(Beneficiary.removed_at.is_not(None), Beneficiary.id)))


def _own(
    session: Session, customer: Customer, people: list[Beneficiary], herself: InsuredFacts, at: str
) -> Beneficiary:
    own = next((one for one in people if one.relation == SELF), None)
    if own is None:
        own = _added(session, customer, herself)
        people.append(own)
        return own
    if herself.id_number is not None and own.id_number_index is not None:
        if not _has_number(own, herself.id_number):
            raise Invalid(field=f"{at}.id_number", reason="holder_is_another")
    elif (own.name, own.birth_date) != (herself.name, herself.birth_date):
        raise Invalid(field=f"{at}.name", reason="holder_is_another")
    _complete(session, own, herself)
    return own


def _relative(people: Sequence[Beneficiary], one: InsuredFacts, at: str) -> Beneficiary | None:
    if one.id_number is not None:
        for person in people:
            if _has_number(person, one.id_number):
                if person.relation == SELF:
                    raise Invalid(field=f"{at}.relation", reason="is_the_holder")
                return person
    same = [
        person
        for person in people
        if (person.name, person.birth_date, person.sex, person.relation)
        == (one.name, one.birth_date, one.sex, one.relation)
    ]
    if one.id_number is not None and same and all(person.id_number_index is not None for person in same):
        raise Invalid(field=f"{at}.id_number", reason="other_id_number")
    if one.id_number is not None:
        same = [person for person in same if person.id_number_index is None]
    return same[0] if same else None


def _has_number(person: Beneficiary, id_number: str) -> bool:
    return person.id_number_index in id_numbers.indexes(id_number)


def _added(session: Session, customer: Customer, one: InsuredFacts) -> Beneficiary:
    person = family.new_beneficiary(
        customer, NewMember(one.relation, one.name, one.sex, one.birth_date, id_number=one.id_number)
    )
    session.add(person)
    return person


def _complete(session: Session, person: Beneficiary, one: InsuredFacts) -> None:
    """Store the ID number of somebody who was known without: the next policy finds her by it."""
    if one.id_number is None or person.id_number_index is not None:
        return
    key = key_of(session, person, CONTACT).open()
    record = family.record_of(person.public_id, "id_number")
    person.id_number_sealed = crypto.seal(one.id_number.encode(), key=key, record=record)
    person.id_number_index = id_numbers.indexes(one.id_number)[0]
