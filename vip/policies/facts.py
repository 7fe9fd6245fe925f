"""What an insurer says about one policy at one version, and the rules that each of it must keep."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, get_args

from marketplace.core.errors import Invalid
from marketplace.core.text import Text
from vip import phones
from vip.customers import family
from vip.customers.family import NewMember
from vip.policies import numbers

Status = Literal["in_force", "lapsed", "surrendered", "ended"]
STATUSES: tuple[Status, ...] = get_args(Status)

SELF = "self"
RELATIONS = (SELF, *family.RELATIONS)
"""What an insured person may be to the holder; `self` is the holder."""

MOST_INSURED = 20
GREATEST_VERSION = 2**53 - 1
"""What every program's numbers hold exactly (RFC 8259, section 6)."""
LONGEST_NAME = 100
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)
_KEY = re.compile(r"[A-Za-z0-9._~:-]{1,100}")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")


@dataclass(frozen=True)
class InsuredFacts:
    """A person whom a policy insures. `relation`: one of RELATIONS, what she is to the holder."""

    name: str = field(repr=False)
    birth_date: date = field(repr=False)
    sex: Literal["male", "female"]
    relation: str
    id_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class PolicyFacts:
    """One policy at one version, as its insurer says it.

    `key` is the insurer's and must not be the number: it stands in addresses. `product` is the insurer's code,
    `product_name` what customers read (one language is enough). In force from and until are whole days in the insurer's
    zone, both included; until None is for good. `insured`: at least one person, each once. `holder` (relation `self`)
    says who the holder is where she is not among the insured; a later version of a policy may leave it out.
    `plan`: the code of the plan whose benefits belong to the policy.
    """

    key: str
    version: int
    number: str = field(repr=False)
    product: str
    product_name: Text
    long_term: bool
    holder_phone: str = field(repr=False)
    in_force_from: date
    in_force_until: date | None
    status: Status
    insured: tuple[InsuredFacts, ...]
    holder: InsuredFacts | None = None
    plan: str | None = None


def checked(facts: PolicyFacts, today: date) -> PolicyFacts:
    """`facts` with texts tidied and numbers normalised. `today` is in the insurer's zone.

    Raises Invalid with the field at fault; of a person `insured.0.name`, `holder.birth_date`.
    """
    number = numbers.normalise(facts.number)
    _check_names(facts, number)
    for name, day in (("in_force_from", facts.in_force_from), ("in_force_until", facts.in_force_until)):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise Invalid(field=name, reason="date_out_of_range")
    if facts.in_force_until is not None and facts.in_force_until < facts.in_force_from:
        raise Invalid(field="in_force_until", reason="before_start")
    if not 1 <= len(facts.insured) <= MOST_INSURED:
        raise Invalid(field="insured", reason="out_of_range", minimum=1, maximum=MOST_INSURED)
    return replace(
        facts,
        number=number,
        product_name=Text(
            _name(facts.product_name.zh, "product_name.zh"), _name(facts.product_name.en, "product_name.en")
        ),
        holder_phone=phones.normalise(facts.holder_phone, field="holder_phone"),
        insured=_people(facts.insured, today),
        holder=None if facts.holder is None else _person(facts.holder, "holder", (SELF,), today),
    )


def _check_names(facts: PolicyFacts, number: str) -> None:
    if not _KEY.fullmatch(facts.key):
        raise Invalid(field="key", reason="policy_key")
    if numbers.spelled(facts.key) == numbers.spelled(number):
        raise Invalid(field="key", reason="key_is_number")
    if not 1 <= facts.version <= GREATEST_VERSION:
        raise Invalid(field="version", reason="out_of_range", minimum=1, maximum=GREATEST_VERSION)
    if not _CODE.fullmatch(facts.product):
        raise Invalid(field="product", reason="product_code")
    if not facts.product_name.zh.strip() and not facts.product_name.en.strip():
        raise Invalid(field="product_name.zh", reason="required")
    if facts.status not in STATUSES:
        raise Invalid(field="status", reason="not_offered")
    if facts.plan is not None and not _CODE.fullmatch(facts.plan):
        raise Invalid(field="plan", reason="not_offered")


def _name(text: str, at: str) -> str:
    tidy = " ".join(unicodedata.normalize("NFC", text).split())
    if len(tidy) > LONGEST_NAME:
        raise Invalid(field=at, reason="too_long", maximum=LONGEST_NAME)
    if tidy and not tidy.isprintable():
        raise Invalid(field=at, reason="bad_characters")
    return tidy


def _people(insured: tuple[InsuredFacts, ...], today: date) -> tuple[InsuredFacts, ...]:
    found: list[InsuredFacts] = []
    for place, one in enumerate(insured):
        person = _person(one, f"insured.{place}", RELATIONS, today)
        if any(_same(person, other) for other in found):
            raise Invalid(field=f"insured.{place}.name", reason="insured_twice")
        if person.relation == SELF and any(other.relation == SELF for other in found):
            raise Invalid(field=f"insured.{place}.relation", reason="holder_twice")
        found.append(person)
    return tuple(found)


def _same(one: InsuredFacts, other: InsuredFacts) -> bool:
    if one.id_number is not None and other.id_number is not None:
        return one.id_number == other.id_number
    return (one.name, one.birth_date, one.sex) == (other.name, other.birth_date, other.sex)


def _person(one: InsuredFacts, at: str, relations: tuple[str, ...], today: date) -> InsuredFacts:
    with _under(at):
        tidy = family.checked(
            NewMember(one.relation, one.name, one.sex, one.birth_date, id_number=one.id_number),
            today,
            relations=relations,
        )
    return InsuredFacts(tidy.name, tidy.birth_date, one.sex, tidy.relation, tidy.id_number)


@contextmanager
def _under(at: str) -> Iterator[None]:
    """Name the field of a refusal as one of `at`."""
    try:
        yield
    except Invalid as refused:
        raise Invalid(field=f"{at}.{refused.at}", **refused.facts) from refused
