"""A small world in which somebody is sent to hospitals: an escort service, a hospital, coverage and a policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from booking.closures.models import SiteClosure
from marketplace.catalog.coverage.level import Level
from marketplace.catalog.coverage.models import CoverageLine
from marketplace.catalog.models import Site
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from marketplace.core.text import Text
from tests.people import NOON, insurer_in
from tests.world import World, make_world
from vip.policies.facts import InsuredFacts, PolicyFacts
from vip.policies.put import put_policy

KIND = "hospital_escort"
PHONE = "13800000021"
PACKAGE: dict[str, Any] = {
    "items": [{"code": "meet", "name_zh": "门口碰面", "name_en": "Meets at the entrance"}],
    "languages": ["mandarin"],
}
ANSWERS: dict[str, Any] = {
    "department": "心内科",
    "mobility": "wheelchair",
    "contact_name": "陆明",
    "contact_phone": "13900000099",
    "share": True,
}
HERSELF = InsuredFacts("沈静宜", date(1988, 4, 12), "female", "self")


@dataclass
class EscortWorld:
    """`venue` is a hospital of the offer's city, 三级甲等."""

    world: World
    venue: Site

    def hold(self, slot: int = 0, **changes: Any) -> str:
        """Hold a time at the venue; the booking's public id."""
        values = {"venue": self.venue.public_id, "details": ANSWERS, **changes}
        return self.world.hold(slot, **values)


def make_escorts(
    *, level: Level | None = "covered", policy: bool = True, kind: str = KIND, **terms: Any
) -> EscortWorld:
    """Everything needed to book an escort: without a `level` nothing is said of the city, without `policy` she has
    none."""
    package = PACKAGE if kind == KIND else {"items": PACKAGE["items"]}
    world = make_world(phone=PHONE, kind=kind, package=package, **terms)
    venue = add_site("杭州示范总院")
    if level is not None:
        cover(level, kind=kind)
    if policy:
        put()
    return EscortWorld(world, venue)


def add_site(name: str, *, city: str = "杭州市", province: str = "浙江省", tier: str | None = "三级甲等") -> Site:
    """A hospital."""
    with transaction() as session:
        site = Site(
            public_id=new_id("sit"),
            name=name,
            province=province,
            city=city,
            district="西湖区",
            address="文溪路 8 号",
            tier=tier,
        )
        session.add(site)
    return site


def cover(level: Level | None, *, kind: str = KIND, since: date = date(2026, 1, 1), **part: Any) -> None:
    """Say that a kind is so covered in the city, or a `part` of it, from a day on."""
    with transaction() as session:
        values = {"province": "浙江省", "city": "杭州市", **part}
        session.add(
            CoverageLine(
                public_id=new_id("cov"),
                kind=kind,
                level=level,
                counts_from=since,
                actor="system",
                source="command",
                written_at=NOON,
                **values,
            )
        )


def close(made: EscortWorld, day: date) -> None:
    """The hospital is closed on that day."""
    with transaction() as session:
        session.add(
            SiteClosure(
                public_id=new_id("clo"),
                insurer_id=made.world.principal.insurer_id,
                site_id=made.venue.id,
                from_day=day,
                to_day=day,
                mode="cancel",
                state="done",
                actor="opr_1",
                asked_at=NOON,
            )
        )


def put(
    *,
    version: int = 1,
    key: str = "K-1",
    long_term: bool = True,
    status: Literal["in_force", "lapsed", "surrendered", "ended"] = "in_force",
    until: date | None = None,
    insured: tuple[InsuredFacts, ...] = (HERSELF,),
    insurer_id: int | None = None,
    phone: str = PHONE,
) -> None:
    """The insurer puts a policy of the customer."""
    facts = PolicyFacts(
        key=key,
        version=version,
        number=f"P2026-{key}",
        product="LT-1",
        product_name=Text("安澜终身寿险", "Anlan Whole Life"),
        long_term=long_term,
        holder_phone=phone,
        in_force_from=date(2020, 1, 1),
        in_force_until=until,
        status=status,
        insured=insured,
        holder=None if HERSELF in insured else HERSELF,
    )
    with transaction() as session:
        put_policy(session, insurer_id or insurer_in(session).id, facts, now=NOON, source="test")
