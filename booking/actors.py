"""Who makes a booking move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking
from marketplace.catalog.models import Provider
from vip.principal import Principal

ActorKind = Literal["customer", "provider", "operator", "agent", "clock", "system"]


@dataclass(frozen=True)
class Actor:
    """`id` is a public id (or a code), never a name. The clock and the system have none."""

    kind: ActorKind
    id: str = ""


CLOCK = Actor("clock")
SYSTEM = Actor("system")


def actor_of(principal: Principal) -> Actor:
    """The principal as the one who acts; an agent acts for the customer and is named as what she is."""
    return Actor(principal.acts_as, principal.public_id)


_SPEAKER = "speaks_for_provider"


def speak_for_provider(session: Session, member: str) -> None:
    """Until this transaction ends, what the provider says is said by one of its people (public id)."""
    session.info[_SPEAKER] = member


def provider_actor(session: Session, booking: Booking) -> Actor:
    """The booking's provider as the one who acts, by its code; or the member of it who speaks in this transaction."""
    if _SPEAKER in session.info:
        return Actor("provider", session.info[_SPEAKER])
    code = session.scalar(select(Provider.code).where(Provider.id == booking.provider_id))
    return Actor("provider", code or "")
