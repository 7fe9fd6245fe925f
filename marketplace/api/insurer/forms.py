"""What a policy is told as: one form for a single put and for a line of many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import marshmallow as ma

from marketplace.core import strictjson, text
from marketplace.core.errors import Invalid
from marketplace.rest.fields import Choice, Inner, Items, LongDay, Number, Request, Text, Truth
from vip.insurers.telling import Fault, Faults
from vip.policies.facts import (
    GREATEST_VERSION,
    LONGEST_NAME,
    MOST_INSURED,
    RELATIONS,
    STATUSES,
    InsuredFacts,
    PolicyFacts,
)

MOST_LINES = 500
MOST_BYTES = 2**20
LONGEST_LINE = 16_384
LONGEST_KEY = 100
_LIKE_A_FIELD = frozenset("abcdefghijklmnopqrstuvwxyz_.0123456789")


class Names(Request):
    """Words in Chinese and in English; one of the two is enough."""

    zh = Text(longest=LONGEST_NAME, load_default="")
    en = Text(longest=LONGEST_NAME, load_default="")


class Person(Request):
    """A person as the policy names her."""

    name = Text(shortest=1, longest=LONGEST_NAME, required=True)
    birth_date = LongDay(required=True)
    sex = Choice("male", "female", required=True)
    id_number = Text(
        longest=40, load_default=None, allow_none=True, metadata={"description": "Of a Chinese resident identity card."}
    )


class InsuredPerson(Person):
    """Somebody insured. `relation`: what she is to the holder, `self` for the holder."""

    relation = Choice(*RELATIONS, required=True)


class PolicyForm(Request):
    """A policy at one version, whole: what is not said is not so."""

    version = Number(
        least=1,
        most=GREATEST_VERSION,
        required=True,
        metadata={"description": "Grows with every change; an older one than we hold changes nothing."},
    )
    number = Text(shortest=1, longest=60, required=True, metadata={"description": "Stored sealed, never shown whole."})
    product = Text(shortest=1, longest=40, required=True, metadata={"description": "Your code of the product."})
    product_name = Inner(Names, required=True)
    long_term = Truth(required=True)
    holder_phone = Text(shortest=1, longest=40, required=True, metadata={"description": "By which she signs in."})
    in_force_from = LongDay(required=True)
    in_force_until = LongDay(
        load_default=None, allow_none=True, metadata={"description": "The last day; null: for good."}
    )
    status = Choice(*STATUSES, required=True)
    insured = Items(Inner(InsuredPerson), least=1, most=MOST_INSURED, required=True)
    holder = Inner(
        Person,
        load_default=None,
        allow_none=True,
        metadata={"description": "Who the holder is, where she is not among the insured. Needed the first time."},
    )
    plan = Text(
        shortest=1,
        longest=40,
        load_default=None,
        allow_none=True,
        metadata={"description": "The code of the plan whose benefits belong to it."},
    )


class PolicyLine(PolicyForm):
    """A line: the policy with its key."""

    key = Text(
        shortest=1,
        longest=LONGEST_KEY,
        required=True,
        metadata={"description": "Your opaque name of the policy: letters, digits and `._~:-`, never its number."},
    )


_SCHEMA = PolicyLine()


def facts_of(key: str, told: Mapping[str, Any]) -> PolicyFacts:
    """What a form says, as vip.policies takes it."""
    holder = told["holder"]
    return PolicyFacts(
        key=key,
        version=told["version"],
        number=told["number"],
        product=told["product"],
        product_name=text.Text(told["product_name"]["zh"], told["product_name"]["en"]),
        long_term=told["long_term"],
        holder_phone=told["holder_phone"],
        in_force_from=told["in_force_from"],
        in_force_until=told["in_force_until"],
        status=told["status"],
        insured=tuple(_person(each, each["relation"]) for each in told["insured"]),
        holder=None if holder is None else _person(holder, "self"),
        plan=told["plan"],
    )


def read_lines(body: bytes) -> list[PolicyFacts | Faults]:
    """Each line of the body (NDJSON; blank ones at its end are none), or what is wrong with it."""
    lines = body.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return [_read_line(raw) for raw in lines]


def _person(told: Mapping[str, Any], relation: str) -> InsuredFacts:
    return InsuredFacts(told["name"], told["birth_date"], told["sex"], relation, told["id_number"] or None)


def _read_line(raw: bytes) -> PolicyFacts | Faults:
    if len(raw) > LONGEST_LINE:
        return (Fault("line", "line_length"),)
    try:
        told: dict[str, Any] = _SCHEMA.load(strictjson.loads(raw))
    except strictjson.NotJson:
        return (Fault("line", "not_json"),)
    except Invalid as bad:
        return (Fault(bad.at if bad.at in _SCHEMA.fields else "line", str(bad.facts["reason"])),)
    except ma.ValidationError as bad:
        return tuple(_faults(bad.messages))[:10]
    return facts_of(told["key"], told)


def _faults(messages: Any, path: str = "") -> Iterator[Fault]:
    """The schema's complaints. A strange name is repeated only if it looks like a field's: it may be a person's."""
    if not isinstance(messages, Mapping):
        for reason in messages:
            yield Fault(path or "line", str(reason))
        return
    for name, inner in messages.items():
        part = "" if name == "_schema" or not _looks_like_a_field(str(name)) else str(name)
        yield from _faults(inner, f"{path}.{part}" if path and part else path or part)


def _looks_like_a_field(name: str) -> bool:
    return len(name) <= 32 and set(name) <= _LIKE_A_FIELD
