"""What an organisation says of itself when it registers, and what is wrong with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Literal
from zoneinfo import available_timezones

from marketplace.catalog import provider_profile
from marketplace.core.errors import Invalid
from marketplace.core.plain_names import plain_name
from marketplace.core.sending import email
from providers.applying import credit_code
from vip.customers import email_address
from vip.operators import operators

Answers = Literal["system", "partner", "desk"]
ANSWERS: tuple[Answers, ...] = ("desk", "partner", "system")
COUNTRIES = ("cn", "other")
LONGEST_NUMBER = 40
LONGEST_NOTE = 1000


@dataclass(frozen=True)
class Facts:
    """As they were typed, or as they are stored once `checked` gave them back. `registration` is a credit code
    (`country` cn) or another number."""

    name_zh: str
    name_en: str
    answers: str
    country: str
    registration: str
    contact: str
    email: str
    language: str
    time_zone: str


def faults(given: Facts) -> dict[str, Invalid]:
    """What is wrong with each field, in the order of the form; empty if all of it can be stored."""
    return _examined(given)[1]


def checked(given: Facts) -> Facts:
    """The facts as they are stored. Raises Invalid with the first field at fault."""
    good, wrong = _examined(given)
    for refusal in wrong.values():
        raise refusal
    return Facts(**good)


def checked_number(country: str, number: str) -> str:
    """The number under which an organisation is registered, as it is stored. Raises Invalid."""
    return _number(country)(number, "registration")


def _examined(given: Facts) -> tuple[dict[str, str], dict[str, Invalid]]:
    rules: Mapping[str, Callable[[str, str], str]] = {
        "name_zh": _name(provider_profile.LONGEST_NAME),
        "name_en": _name(provider_profile.LONGEST_NAME),
        "answers": _one_of(ANSWERS),
        "country": _one_of(COUNTRIES),
        "registration": _number(given.country),
        "contact": _name(operators.LONGEST_NAME),
        "email": _address,
        "language": _one_of(("zh", "en")),
        "time_zone": _one_of(available_timezones()),
    }
    good, wrong = dict[str, str](), dict[str, Invalid]()
    for name in (each.name for each in fields(Facts)):
        try:
            good[name] = rules[name](getattr(given, name), name)
        except Invalid as refusal:
            wrong[name] = refusal
    return good, wrong


def _name(longest: int) -> Callable[[str, str], str]:
    return lambda text, field: plain_name(text, field=field, longest=longest)


def _one_of(values: tuple[str, ...] | set[str]) -> Callable[[str, str], str]:
    def rule(text: str, field: str) -> str:
        if text not in values:
            raise Invalid(field=field, reason="choice")
        return text

    return rule


def _number(country: str) -> Callable[[str, str], str]:
    def rule(text: str, field: str) -> str:
        plain = _name(LONGEST_NUMBER)(text, field)
        if country == "cn":
            return credit_code.normalise(plain, field=field)
        return unicodedata.normalize("NFKC", plain).upper()

    return rule


def _address(text: str, field: str) -> str:
    if email.backend() is None:
        raise Invalid(field=field, reason="no_email_here")
    return email_address.normalise(text, field=field)
