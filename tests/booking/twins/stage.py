"""A provider with its test mode open, beside somebody live who has booked there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from booking.actors import Actor
from booking.models import Slot
from booking.twins.open import Twin, open_test_mode
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.world import EIGHT, World, make_slot, make_world

BY = Actor("provider", "mbr_1")


@dataclass(frozen=True)
class Stage:
    """`world` is live; `offer` and `slots` (an hour apart) are the twin's."""

    world: World
    twin: Twin
    offer: Offer
    slots: list[Slot]


def make_stage(*, capacity: int = 5, slots: int = 3, **offer: object) -> Stage:
    """The live provider, its twin, and slots at the twin."""
    return with_twin(make_world(**offer), capacity=capacity, slots=slots)  # type: ignore[arg-type]


def with_twin(world: World, *, capacity: int = 5, slots: int = 3) -> Stage:
    """The world's provider with its test mode opened."""
    twin = open_test_mode(world.provider.id, BY, NOON)
    with transaction() as session:
        offer = session.scalars(select(Offer).where(Offer.provider_id == twin.id)).one()
        made = [make_slot(offer.pool_id, EIGHT + timedelta(hours=hour), capacity) for hour in range(slots)]
        session.add_all(made)
    return Stage(world, twin, offer, made)


def slot_row(slot: Slot) -> Slot:
    """The slot as it stands."""
    with reading() as session:
        return session.get_one(Slot, slot.id)


def more_services(stage: Stage, number: int) -> None:
    """More services of the twin, as the first one: X0, X1, …"""
    left_out = {"id", "public_id", "external_ref"}
    same = {
        each.key: getattr(stage.offer, each.key)
        for each in Offer.__mapper__.column_attrs
        if each.key not in left_out and not each.columns[0].computed
    }
    with transaction() as session:
        session.add_all(Offer(**same, public_id=f"ofr_{'0' * 19}{at}", external_ref=f"X{at}") for at in range(number))
