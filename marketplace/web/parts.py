"""What the templates are given: plain frozen data, no database rows.

Moments are aware datetimes, days are dates, `zone` is the site's IANA zone; templates format them. Texts are already in
the reader's language. Lists are tuples. `icon` names an icon of the sprite, `tone` one of
`ok | wait | bad | off | plain`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class Pill:
    """State of one thing now."""

    text: str
    tone: str
    icon: str


@dataclass(frozen=True)
class Turn:
    """Who acts now, until when, what happens by itself. `tone` is `wait | ok | bad | calm`."""

    title: str
    text: str
    icon: str
    tone: str = "wait"


@dataclass(frozen=True)
class Person:
    """A family member as the reader sees her. `relation` is a word such as 本人 or 父亲, `face` its one character.
    `reasons` say why she cannot be chosen here; empty when she can. `consent` to her reports: missing, given or
    blank. `told`: it is agreed that whoever is sent to her is told what was answered for it."""

    id: str
    name: str
    relation: str
    face: str
    is_self: bool = False
    note: str = ""
    reasons: tuple[str, ...] = ()
    consent: str = ""
    told: bool = False


@dataclass(frozen=True)
class When:
    """A slot's time. `starts_at` is None for places counted by the day; `opening` then says when to come, if known."""

    day: date
    zone: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    opening: str = ""


@dataclass(frozen=True)
class Fact:
    """A named value at the foot of a ticket or in a list of facts."""

    name: str
    value: str


@dataclass(frozen=True)
class Ticket:
    """A date: `firm` (ink: it is the customer's), `asked` (dashed: not granted yet) or `past` (over or gone).
    `gone` strikes the date through. `live` is the sentence that updates by itself. `driver` is the place in
    Chinese, for a reader of another language to show on the way."""

    style: str
    label: str
    pill: Pill
    when: When
    place: str
    address: str = ""
    facts: tuple[Fact, ...] = ()
    live: str = ""
    gone: bool = False
    with_year: bool = False
    driver: str = ""


@dataclass(frozen=True)
class Choice:
    """A filter's value and whether it is on."""

    value: str
    label: str
    on: bool = False


@dataclass(frozen=True)
class Hint:
    """A preparation hint."""

    icon: str
    title: str
    text: str


@dataclass(frozen=True)
class AlternativeRow:
    """Another time, one tap from being held. `way` says how far it is from the lost place; blank when it is there. With
    `change_url` the booking is moved there instead. `note` says what it costs besides."""

    slot: str
    when: When
    place: str
    package: str
    way: str
    form_action: str
    person: str
    idempotency_key: str
    change_url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Link:
    """Somewhere to go; `current` marks where the reader is."""

    text: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class Form:
    """What a refused form shows again: `values` by field name, `errors` by field name (one sentence each), `problem`
    for what belongs to no field."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Code:
    """The code step: where it went, how many tries are left, how many seconds until another may be sent."""

    phone: str
    tries_left: int
    resend_wait: int
    expires_minutes: int = 10
    length: int = 6
