"""Signs of an emergency in what a customer writes: looked for before anything else is done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.consultation.red_flags.find import found
from booking.consultation.red_flags.rulebook import SignRule, rulebook
from booking.models import Booking
from booking.sealing import open_details
from marketplace.catalog.kinds import kind
from marketplace.core.clock import today
from marketplace.core.crypto import Unreadable
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary

CHOICES = {("pregnancy", "pregnant"): "pregnant"}
"""Choices of a form (question and code) that make other words a sign, and the words that they stand for."""


def signs_in(
    session: Session, booking_id: int, words: str, now: datetime, before: Sequence[str] = ()
) -> tuple[str, ...]:
    """The codes of the signs that stand in a customer's words, as for the person whom the booking (internal id) is for
    and beside what was chosen on its form. `before`: what she said right before, since many write half a sentence a
    message ("my chest", "hurts badly"); its own signs are not told again. It takes milliseconds: the caller holds no
    lock yet."""
    booking, person = session.execute(
        select(Booking, Beneficiary)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .where(Booking.id == booking_id)
    ).one()
    chosen = _chosen(session, booking, person)
    age = months(person.birth_date, today(booking.time_zone, now))
    signs = _codes(words, chosen, age)
    if before or "\n" in words:
        earlier = " ".join(before).replace("\n", " ")
        whole = f"{earlier} {words}".replace("\n", " ")
        signs |= _codes(whole, chosen, age) - _codes(earlier, chosen, age)
    return tuple(sign.code for sign in rulebook().signs if sign.code in signs)


def _codes(words: str, chosen: Iterable[str], age: int) -> set[str]:
    return {sign.code for sign in found("\n".join((words, *chosen)), age_months=age)}


def words_of(code: str, details: Mapping[str, Any]) -> str:
    """What was written on the form of a kind (its code), a line each; what was chosen is no words: a `no` would deny
    what stands before it."""
    questions = kind(code).details_schema.get("properties", {})
    free = (value for name, value in details.items() if "enum" not in questions.get(name, {}))
    return "\n".join(value for value in free if isinstance(value, str))


def _chosen(session: Session, booking: Booking, person: Beneficiary) -> list[str]:
    try:
        details = open_details(booking.details_sealed, key_of(session, person, PROCESS), booking.public_id)
    except Unreadable:  # erased meanwhile
        return []
    return [words for (question, choice), words in CHOICES.items() if details.get(question) == choice]


def months(born: date, day: date) -> int:
    """Completed months of age."""
    return (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)


def written(codes: Iterable[str]) -> str:
    """The words of an automatic line that names signs."""
    return " ".join(codes)


def named(words: str | None) -> tuple[str, ...]:
    """The codes that such a line names; those that are not known any more are left out."""
    known = {sign.code for sign in rulebook().signs}
    return tuple(code for code in (words or "").split() if code in known)


def sign(code: str) -> SignRule:
    """The sign with this code: its name, and what to do until help comes. Raises KeyError."""
    return {each.code: each for each in rulebook().signs}[code]
