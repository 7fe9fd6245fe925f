"""A city with places and an escort service, for tests."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from booking.coverage.venues import Asked
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Offer, Provider, Site
from marketplace.core.database.db import reading, transaction
from tests.marketplace.catalog.coverage.recount import Line
from tests.marketplace.catalog.coverage.stage import DAY, KIND, load_places, store
from tests.sites import make_offer, row

BEIJING = ("北京市", "北京市")
HANGZHOU = {"province": "浙江省", "city": "杭州市"}
SITES = [
    row("甲医院", district="东城区", longitude="116.40", latitude="39.90"),
    row("乙医院", district="海淀区", tier="二级甲等"),
    row("丙医院", district="海淀区", tier=""),
    row("丁医院", province="河北省", city="廊坊市", longitude="116.70", latitude="39.52"),
    row("戊医院", province="天津市", city="天津市", longitude="117.20", latitude="39.13"),
    row("己医院", province="河北省", city="石家庄市"),
    row("庚医院", **HANGZHOU),
]


def make_places(folder: Path) -> dict[str, str]:
    """The sites above; their public ids by name."""
    load_places(folder, SITES)
    with reading() as session:
        return {row.name: row.public_id for row in session.execute(select(Site.name, Site.public_id))}


def say(
    level: str | None,
    *,
    city: tuple[str, str] = BEIJING,
    day: object = DAY,
    insurer: int | None = None,
    **part: object,
) -> None:
    """Store a line about escorts in a city."""
    store([Line(KIND, *city, day, level, insurer=insurer, **part)])  # type: ignore[arg-type]


def make_sender(site: str, *, code: str = "escort", allotment: bool = False, answer_hours: int = 4) -> str:
    """An escort service at the site of this name; its offer's public id."""
    made = make_offer(site, code=code, package={"items": [], "languages": ["mandarin"]}, name_zh="陪诊")
    with transaction() as session:
        session.get_one(Offer, made.offer_id).kind = KIND
        provider = session.scalars(select(Provider).where(Provider.code == "testcare")).one()
        provider.allotment, provider.answer_hours = allotment, answer_hours
    return made.offer


def asked(insurer: int, *, kind: str = KIND) -> Asked:
    """What customers of that insurer ask for."""
    return Asked(kind, insurer, DAY, LIVE)
