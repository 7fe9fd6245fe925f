"""A world whose provider answers here and fills its pool by weekly rules."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import select

from booking.answering.answer import ProvidersAnswer, confirm
from booking.capacity_rules.decisions import Decision, carry_out_due
from booking.capacity_rules.edit import Editor, Wish, calendar_of, change
from booking.capacity_rules.extend import publish_calendar
from booking.capacity_rules.plan import Rules, Section, WeeklyRule
from booking.idempotency import Repeatable
from booking.models import Booking, Slot
from marketplace.catalog.models import CapacityPool
from marketplace.core.database.db import reading
from tests.people import NOON
from tests.providers.partner_api.answering import work
from tests.world import World, join, set_provider

EVERY_DAY = frozenset(range(1, 8))
ON = date(2026, 3, 10)
MEMBER = "opr_member"


def weekly(places: int = 4, *, start: int = 480, end: int = 600, minutes: int | None = 30) -> Rules:
    """Each day from eight to ten, half-hours."""
    return Rules(
        [WeeklyRule(EVERY_DAY, Section(start, end, minutes, places), date(2026, 1, 1))],
        closed_on_holidays=False,
        horizon_days=14,
    )


def answers_here(world: World) -> World:
    """Let the world's provider answer in our books."""
    set_provider(world.provider, adapter="partner")
    return world


def pool_id(world: World) -> str:
    with reading() as session:
        return session.get_one(CapacityPool, world.offer.pool_id).public_id


def editor(world: World) -> Editor:
    return Editor(world.provider.id, MEMBER)


def version(world: World) -> int:
    return calendar_of(world.provider.id, pool_id(world))[1]


def save(
    world: World,
    wish: Wish | Rules,
    decisions: Collection[Decision] = (),
    *,
    seen: int | None = None,
    now: datetime = NOON,
    publish: bool = True,
) -> str:
    """Change the calendar as a page does: stored, published, carried out."""
    asked = Wish(rules=wish) if isinstance(wish, Rules) else wish
    base = version(world) if seen is None else seen
    made = change(editor(world), pool_id(world), asked, base, decisions, now=now)
    if publish:
        assert publish_calendar(world.offer.pool_id, now=now) == "published"
        carry_out_due(now=now)
    return made


def closed_day(day: date = ON) -> Wish:
    return Wish(day=day, sections=())


def books(world: World, day: date | None = None) -> Sequence[Slot]:
    """The pool's slots as they stand, by time."""
    asked = select(Slot).where(Slot.pool_id == world.offer.pool_id)
    if day is not None:
        asked = asked.where(Slot.service_date == day)
    with reading() as session:
        return session.scalars(asked.order_by(Slot.service_date, Slot.starts_at, Slot.id)).all()


def on_sale(world: World, day: date | None = None) -> list[tuple[str, int]]:
    """References and places of what is open."""
    return [(slot.external_ref, slot.offered) for slot in books(world, day) if not slot.closed]


def standing(world: World) -> list[str]:
    """Public ids of the live bookings in the pool, by their time."""
    with reading() as session:
        return list(
            session.scalars(
                select(Booking.public_id)
                .where(Booking.offer_id == world.offer.id, Booking.live)
                .order_by(Booking.service_date, Booking.starts_at, Booking.id)
            )
        )


def all_of(world: World, action: str, **more: str) -> list[Decision]:
    """The same decision about each of them."""
    return [Decision(each, action, **more) for each in standing(world)]


_numbers = itertools.count()


def another(world: World) -> World:
    """The same world for another customer."""
    phone = f"1380077{next(_numbers):04}"
    return join(world.provider, world.offer, world.slots, phone=phone, quantity=9)


def book(world: World, slot: Slot) -> str:
    """A confirmed booking of a slot for a customer of its own; its public id."""
    world.slots[:] = [slot]
    public_id = another(world).submit(0)
    work(world)
    answer = ProvidersAnswer(world.provider.id, public_id, Repeatable("test", public_id, b"f" * 32))
    confirm(answer, now=NOON)
    return public_id
