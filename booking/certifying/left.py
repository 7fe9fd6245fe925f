"""What runs left behind and may still be there: the journal loses a line as soon as it is taken back or turns out to be
gone, and a test booking at a twin ends in our own books."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.certifying.subject import TRIALS
from booking.models import Booking
from booking.states import LIVE
from marketplace.catalog.models import Provider
from providers.conformance.certificates.models import ConformanceMade
from providers.conformance.transcript import storable


def still_left(session: Session, provider_id: int, left_behind: Sequence[object]) -> list[object]:
    """Of what a run of this provider left behind, as it was stored, what may still be there."""
    if not left_behind:
        return []
    there = _there(session, provider_id)
    return [each for each in left_behind if _names(each, there)]


def _names(stored: object, there: Collection[str]) -> bool:
    """Whether it is one of these. Runs of before hold the words themselves."""
    if isinstance(stored, str):
        return any(name in stored for name in there)
    facts = stored.get("facts") if isinstance(stored, Mapping) else None
    return isinstance(facts, Mapping) and (facts.get("subject") in there or facts.get("booking") in there)


def _there(session: Session, provider_id: int) -> set[str]:
    """The names of all that any run made there and was not taken back."""
    at_provider = ConformanceMade.provider_id == provider_id
    made = session.scalars(select(ConformanceMade.subject).where(at_provider, ConformanceMade.what != TRIALS))
    trials = session.scalars(
        select(Booking.public_id)
        .join(Provider, Provider.id == Booking.provider_id)
        .where(Provider.twin_of == provider_id, Booking.state.in_(LIVE))
    )
    return {*map(storable, made), *trials}
