"""An escort service with its people and workers, made by the product's own code."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import update

from booking.escort.workers import keep, roster
from booking.escort.workers.profile import Profile
from booking.escort.workers.roster import Hours
from booking.hold.submit import submit
from booking.idempotency import Repeatable
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from marketplace.core.text import Text
from tests.desk import make_member, member
from tests.escorts import EscortWorld, make_escorts
from tests.people import NOON
from vip.principal import Member

CITY = ("浙江省", "杭州市")
HE = Profile(
    "何静", "female", ("mandarin", "cantonese"), CITY, "HZ 0427", Text("护理专业", "Nurse"), "13900000088", True
)
EVERY_DAY = Hours(frozenset(range(1, 8)), 7 * 60, 20 * 60, date(2026, 1, 1))


@dataclass
class Service:
    """An escort service that answers at its desk, and a manager of it."""

    escorts: EscortWorld
    manager: Member

    @property
    def id(self) -> int:
        """The provider's."""
        return self.escorts.world.provider.id

    def worker(self, name: str = "何静", *, ready: bool = True, **said: Any) -> str:
        """A worker; `ready`: her papers were looked at, and she works every day. The public id."""
        made = add(self.manager, replace(HE, shown_name=name, **said))
        if ready:
            keep.check_papers(self.manager, made, seen=NOON, now=NOON)
            roster.add_hours(self.manager, made, EVERY_DAY, now=NOON)
        return made

    def submit(self, booking: str) -> None:
        """The customer submits a held booking."""
        submit(self.escorts.world.principal, booking, now=NOON)

    def repeat(self, key: str) -> Repeatable:
        """A form's own key."""
        return Repeatable("test", key, hashlib.sha256(key.encode()).digest())

    def other_city(self) -> None:
        """It offers to send somebody in Shanghai as well."""
        with transaction() as session:
            offer = session.get_one(Offer, self.escorts.world.offer.id)
            site = Site(public_id=new_id("sit"), name="上海示范总院", province="上海市", city="上海市")
            session.add(site)
            session.flush()
            pool = CapacityPool(public_id=new_id("pol"), provider_id=self.id, site_id=site.id, external_ref="shanghai")
            session.add(pool)
            session.flush()
            session.add(
                Offer(
                    public_id=new_id("ofr"),
                    provider_id=self.id,
                    site_id=site.id,
                    pool_id=pool.id,
                    kind=offer.kind,
                    external_ref="shanghai",
                    name_zh=offer.name_zh,
                    name_en=offer.name_en,
                    package=offer.package,
                    price_minor=offer.price_minor,
                    certified=True,
                )
            )


def make_service(login: str = "yan", **terms: Any) -> Service:
    """Everything that is needed to send somebody: its bookings wait for its people."""
    escorts = make_escorts(**terms)
    answer_here(escorts)
    return Service(escorts, member(make_member(escorts.world.provider.code, login=login)))


def answer_here(escorts: EscortWorld) -> None:
    """The provider's people answer at the desk."""
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == escorts.world.provider.id).values(adapter="desk"))


def add(manager: Member, said: Profile, key: str = "") -> str:
    """Take a worker on, by a form of its own; the public id."""
    key = key or f"{said.shown_name}{said.staff_number}"
    repeat = Repeatable("test", key, hashlib.sha256(key.encode()).digest())
    return keep.add(manager, said, repeat=repeat, now=NOON)
