"""What an erasure leaves, in words: what it is, why, and until when. For the customer's pages and the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from booking.personal.erase import Stays, UnderWay
from marketplace import wording
from marketplace.core.errors import Refusal
from marketplace.web import formats


@dataclass(frozen=True)
class Staying:
    """One thing that stays. `until` is its last day, None where it is not limited."""

    what: str
    why: str
    until: date | None


@dataclass(frozen=True)
class InTheWay:
    """A booking for which nothing is deleted: its public id, and its number as it is read out."""

    id: str
    number: str


def in_the_way(refusal: UnderWay) -> tuple[InTheWay, ...]:
    """The bookings for which an erasure was refused."""
    numbers = str(refusal.facts["bookings"]).split(", ")
    return tuple(
        InTheWay(id, formats.reference(number)) for id, number in zip(refusal.facts["ids"], numbers, strict=True)
    )


def refused(refusal: Refusal) -> str:
    """Why an erasure was refused, with the numbers of bookings as they are read out."""
    if not isinstance(refusal, UnderWay):
        return wording.sentence(refusal)
    numbers = ", ".join(each.number for each in in_the_way(refusal))
    return wording.sentence_of(refusal.code, {**refusal.facts, "bookings": numbers})


def staying(stays: Sequence[Stays]) -> tuple[Staying, ...]:
    """What stays, in words."""
    words = {
        "process": (
            _("What was booked and how it went, with the answers given for it"),
            _("The law asks platforms to store their transactions. It stands without name and phone."),
        ),
        "medical": (
            _("Results and what was said to doctors, and whose they are"),
            _("The law asks to store medical records. They are sealed, and no page shows them."),
        ),
        "books": (
            _("Entries in the books of benefits and in the audit"),
            _("The books must add up. They name nobody, only a number."),
        ),
    }
    return tuple(Staying(*words[it.what], it.until) for it in stays)
