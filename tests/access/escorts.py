"""What the world has of escorts: an offer and a worker of each provider, and a booking of each customer for which
somebody is sent."""

from __future__ import annotations

import hashlib
import uuid
from datetime import date

from sqlalchemy import select

from booking.escort.workers import absence, keep, roster
from booking.escort.workers.profile import Profile
from booking.escort.workers.roster import Hours
from booking.hold import place
from booking.hold.submit import submit
from booking.idempotency import Repeatable
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from tests.escorts import ANSWERS, KIND, PACKAGE
from tests.people import NOON, add_entitlement
from tests.world import World
from vip.models import Customer
from vip.principal import Member

CITY = ("浙江省", "杭州市")
SLOT = 15
EVERY_DAY = Hours(frozenset(range(1, 8)), 0, 24 * 60, date(2026, 1, 1))


def send_escorts(world: World, manager: Member, word: str) -> dict[str, str]:
    """The provider sends escorts from the staff that it has: a worker who could go, with her word in her name, and who
    is away next year. By the names of the table."""
    with transaction() as session:
        base = session.get_one(Offer, world.offer.id)
        session.add(
            Offer(
                public_id=new_id("ofr"),
                provider_id=base.provider_id,
                site_id=base.site_id,
                pool_id=base.pool_id,
                kind=KIND,
                external_ref=f"{word}-escort",
                name_zh="陪诊",
                name_en="Escort",
                package=PACKAGE,
                price_minor=39800,
                certified=True,
            )
        )
    said = Profile(f"{word} 何静", "female", ("mandarin",), CITY)
    worker = keep.add(manager, said, repeat=Repeatable("test", word, hashlib.sha256(word.encode()).digest()), now=NOON)
    keep.check_papers(manager, worker, seen=NOON, now=NOON)
    roster.add_hours(manager, worker, EVERY_DAY, now=NOON)
    away = NOON.replace(year=NOON.year + 1)
    absence.go_away(manager, worker, away, None, "leave", now=NOON)
    return {"worker": worker}


def escorted(world: World) -> str:
    """A booking of the world's customer with an escort of its provider, which waits for an answer; its public id."""
    with transaction() as session:
        add_entitlement(session, session.get_one(Customer, world.customer.id), kind=KIND)
    with reading() as session:
        offer = session.scalars(select(Offer).where(Offer.provider_id == world.provider.id, Offer.kind == KIND)).one()
        site = session.get_one(Site, offer.site_id)
    request = world.request(SLOT, offer=offer.public_id, details=ANSWERS, venue=site.public_id)
    booking = place.hold(world.principal, request, key=str(uuid.uuid4()), fingerprint=b"f", now=NOON).public_id
    submit(world.principal, booking, now=NOON)
    return booking
