"""The people a customer may book for: herself first, then her family."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, crypto, ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from vip import phones
from vip.customers import id_numbers, person_keys
from vip.customers.person_keys import CONTACT, WrappedKey
from vip.models import Beneficiary, Customer
from vip.principal import Principal

RELATIONS = ("spouse", "father", "mother", "son", "daughter", "father_in_law", "mother_in_law", "other")
_SEX = {
    "father": "male",
    "son": "male",
    "father_in_law": "male",
    "mother": "female",
    "daughter": "female",
    "mother_in_law": "female",
}
_ELDERS = ("father", "mother", "father_in_law", "mother_in_law")
_CHILDREN = ("son", "daughter")
MOST_MEMBERS = 10
LONGEST_NAME = 64
EARLIEST_BIRTH = date(1900, 1, 1)


class FamilyFull(Refusal):
    """A customer has at most ten family members besides herself."""

    code = "family_full"


class AlreadyInFamily(Refusal):
    """Somebody with that ID number is in the family."""

    code = "already_in_family"
    field = "id_number"


class MemberInUse(Refusal):
    """A live booking is for this person."""

    code = "member_in_use"


@dataclass(frozen=True)
class Member:
    """A person benefits may be used for. `warnings`: what looks odd but is allowed (`elder_is_younger`,
    `child_is_older`, `sex_of_relation`)."""

    public_id: str
    relation: str
    name: str
    sex: str
    birth_date: date
    phone_masked: str | None = None
    id_number_masked: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewMember:
    """What a customer says about a relative. `sex` male or female; phone and ID number may be left out."""

    relation: str
    name: str
    sex: str
    birth_date: date
    phone: str | None = None
    id_number: str | None = None


def family(customer_id: int) -> list[Member]:
    """The customer's people, herself (`relation` self) first, then in the order they were added."""
    with reading() as session:
        people = session.scalars(_living(customer_id)).all()
        with_numbers = [it for it in people if it.phone_sealed or it.id_number_sealed]
        keys = person_keys.keys_of(session, with_numbers, CONTACT)
    return [_member(person, people[0], keys.get(person.id)) for person in people]


def removed(customer_id: int) -> list[Member]:
    """Relatives whom the customer has removed and who are not erased, without their numbers."""
    with reading() as session:
        people = session.scalars(
            select(Beneficiary)
            .where(
                Beneficiary.customer_id == customer_id,
                Beneficiary.removed_at.is_not(None),
                Beneficiary.erased_at.is_(None),
            )
            .order_by(Beneficiary.id)
        ).all()
    return [Member(it.public_id, it.relation, it.name, it.sex, it.birth_date) for it in people]


def beneficiary(session: Session, customer_id: int, public_id: str, *, lock: bool = False) -> Beneficiary:
    """One of the customer's people, not removed; locked if asked. Raises NotFound(field="beneficiary_id")."""
    if not ids.well_formed(public_id):
        raise NotFound(field="beneficiary_id")
    wanted = select(Beneficiary).where(
        Beneficiary.public_id == public_id,
        Beneficiary.customer_id == customer_id,
        Beneficiary.removed_at.is_(None),
    )
    person = session.scalar(wanted.with_for_update() if lock else wanted)
    if person is None:
        raise NotFound(field="beneficiary_id")
    return person


def add_member(principal: Principal, new: NewMember, now: datetime) -> Member:
    """Add a relative. Audited.

    Raises Invalid(field=relation, name, sex, birth_date, phone or id_number; reason), FamilyFull, AlreadyInFamily.
    """
    clean = checked(new, clock.today(principal.time_zone, now))
    with transaction() as session:
        customer = _own_customer(session, principal)
        people = session.scalars(_living(customer.id)).all()
        if len([person for person in people if person.relation != "self"]) >= MOST_MEMBERS:
            raise FamilyFull(most=MOST_MEMBERS)
        person = new_beneficiary(customer, clean)
        if clean.id_number is not None and set(id_numbers.indexes(clean.id_number)) & {
            one.id_number_index for one in people
        }:
            raise AlreadyInFamily()
        session.add(person)
        session.flush()
        key = person_keys.key_of(session, person, CONTACT)
        _audit(session, "family.added", principal, person, now)
    return _member(person, people[0] if people else person, key)


def remove_member(
    principal: Principal, public_id: str, now: datetime, *, in_use: Callable[[Session, int], bool]
) -> None:
    """Take a relative off the list; bookings and reports she has stay. Audited.

    `in_use(session, beneficiary_id)` says whether a live booking is for her: bookings live above this package. It is
    asked while her row is locked, as holding a booking locks it, so no booking can slip in. Raises NotFound,
    Invalid(reason="self") for the customer herself, MemberInUse.
    """
    with transaction() as session:
        customer = _own_customer(session, principal)
        person = beneficiary(session, customer.id, public_id, lock=True)
        if person.relation == "self":
            raise Invalid(field="beneficiary_id", reason="self")
        if in_use(session, person.id):
            raise MemberInUse()
        person.removed_at = now
        _audit(session, "family.removed", principal, person, now)


def new_beneficiary(customer: Customer, checked: NewMember) -> Beneficiary:
    """A row for a person whose data has been checked, with data keys of her own; the one of the class contact seals
    phone and ID number."""
    public_id = ids.new_id("ben")
    keys = person_keys.new_keys(public_id)
    [wrapped] = [it.wrapped_key for it in keys if it.retention == CONTACT]
    key = person_keys.chosen(public_id, CONTACT, None, wrapped).open()

    def sealed(value: str | None, what: str) -> bytes | None:
        return None if value is None else crypto.seal(value.encode(), key=key, record=record_of(public_id, what))

    return Beneficiary(
        public_id=public_id,
        insurer_id=customer.insurer_id,
        customer_id=customer.id,
        relation=checked.relation,
        name=checked.name,
        sex=checked.sex,
        birth_date=checked.birth_date,
        phone_sealed=sealed(checked.phone, "phone"),
        id_number_sealed=sealed(checked.id_number, "id_number"),
        id_number_index=None if checked.id_number is None else id_numbers.indexes(checked.id_number)[0],
        keys=keys,
    )


def _living(customer_id: int) -> Select[Beneficiary]:
    return (
        select(Beneficiary)
        .where(Beneficiary.customer_id == customer_id, Beneficiary.removed_at.is_(None))
        .order_by(Beneficiary.relation != "self", Beneficiary.id)
    )


def _own_customer(session: Session, principal: Principal) -> Customer:
    """The customer's row, locked: two additions at once are counted one after the other."""
    customer = None
    if principal.kind == "customer":
        customer = session.scalar(
            select(Customer)
            .where(Customer.id == principal.id, Customer.erased_at.is_(None))
            .with_for_update(key_share=True)
        )
    if customer is None:
        raise NotFound()
    return customer


def checked(new: NewMember, today: date, *, relations: Collection[str] = RELATIONS) -> NewMember:
    """`new` with texts tidied and numbers normalised; `relations` are those it may have. Raises Invalid."""
    name = " ".join(new.name.split())  # an ideographic space is one too
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(field="name", reason="name")
    if not name.isprintable():  # a private-use character, which each device shows in a way of its own, is none
        raise Invalid(field="name", reason="bad_characters")
    if new.relation not in relations:
        raise Invalid(field="relation", reason="not_offered")
    if new.sex not in ("male", "female"):
        raise Invalid(field="sex", reason="not_offered")
    if not EARLIEST_BIRTH <= new.birth_date <= today:
        raise Invalid(field="birth_date", reason="birth_date")
    return NewMember(
        relation=new.relation,
        name=name,
        sex=new.sex,
        birth_date=new.birth_date,
        phone=phones.normalise(new.phone) if new.phone else None,
        id_number=(
            id_numbers.normalise(new.id_number, sex=new.sex, birth_date=new.birth_date) if new.id_number else None
        ),
    )


def _warnings(person: Beneficiary, customer: Beneficiary) -> tuple[str, ...]:
    odd = []
    if person.relation in _ELDERS and person.birth_date >= customer.birth_date:
        odd.append("elder_is_younger")
    if person.relation in _CHILDREN and person.birth_date <= customer.birth_date:
        odd.append("child_is_older")
    if person.sex != _SEX.get(person.relation, person.sex):
        odd.append("sex_of_relation")
    return tuple(odd)


def _member(person: Beneficiary, customer: Beneficiary, key: WrappedKey | None) -> Member:
    phone, number = _readable(person, "phone", key), _readable(person, "id_number", key)
    return Member(
        public_id=person.public_id,
        relation=person.relation,
        name=person.name,
        sex=person.sex,
        birth_date=person.birth_date,
        phone_masked=phones.masked(phone) if phone else None,
        id_number_masked=id_numbers.masked(number) if number else None,
        warnings=_warnings(person, customer),
    )


def opened(person: Beneficiary, what: str, key: WrappedKey | None) -> str | None:
    """Her `phone` or `id_number` with her key of the class contact; None if she has none, or the key was destroyed.
    Raises crypto.Unreadable."""
    sealed = person.phone_sealed if what == "phone" else person.id_number_sealed
    if sealed is None or key is None or key.wrapped is None:
        return None
    return crypto.unseal(sealed, key=key.open(), record=record_of(person.public_id, what)).decode()


def _readable(person: Beneficiary, what: str, key: WrappedKey | None) -> str | None:
    """The same for a list: what does not open has raised its alarm, and does not stop the others."""
    try:
        return opened(person, what, key)
    except crypto.Unreadable:
        return None


def record_of(public_id: str, what: str) -> str:
    """The record that a person's `phone` or `id_number` is sealed for."""
    return f"beneficiary:{public_id}:{what}"


def _audit(session: Session, action: str, principal: Principal, person: Beneficiary, now: datetime) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.kind,
        actor=principal.public_id,
        subject=person.public_id,
        insurer_id=principal.insurer_id,
        relation=person.relation,
    )
