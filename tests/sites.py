"""Sites for tests: files of the importer's form, and offers with slots at them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text

from marketplace.catalog.importer import import_sites
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.catalog.site_rows import COLUMNS
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.statements import sent_to_the_database

_WORDS = (
    *("协和", "同济", "湘雅", "华西", "瑞金", "仁济", "中山", "齐鲁", "西京", "盛京"),
    *("长海", "朝阳", "安贞", "友谊", "天坛", "积水潭", "阜外", "宣武", "和平", "东方"),
)
_FORMS = (
    *("第一人民医院", "中医医院", "妇幼保健院", "第二医院", "中心医院", "口腔医院"),
    *("肿瘤医院", "儿童医院", "附属医院", "康复医院", "红十字会医院"),
)
HEADER = ("id", *COLUMNS)


def row(name: str = "示范医院", **cells: str) -> dict[str, str]:
    """A usable record of a site in Beijing; cells by column."""
    plain = {"province": "北京市", "city": "北京市", "tier": "三级甲等", "kind": "综合/其他", "source": "haodf2015"}
    return {**dict.fromkeys(HEADER, ""), **plain, "name": name, **cells}


def write_sites(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write the records as a file of the importer's form."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def load_sites(folder: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Import the records; they must all be usable."""
    result = import_sites(write_sites(folder / "sites.csv", rows), error_path=folder / "errors.csv")
    assert result.refused == 0


def many_sites(number: int = 4402) -> list[dict[str, str]]:
    """Invented sites of the size and shape of a national list: 300 cities, six tiers, some without one."""
    tiers = ("三级甲等", "三级", "二级甲等", "二级", "一级甲等", "")
    letters = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
    rows = []
    for place in range(number):
        city = letters[place % 300 // 20] + letters[place % 20] + "城市"
        name = f"{city}{_WORDS[place // 300 % 20]}{_FORMS[place * 7 // 300 % 11]}{place}号院"
        rows.append(
            row(
                name,
                province=letters[place % 300 // 20] + "省",
                city=city,
                tier=tiers[place % 6],
                alias=f"{place}医院" if place % 10 == 0 else "",
                address=f"{city}示范大道{place}号" if place % 3 == 0 else "",
            )
        )
    return rows


@dataclass(frozen=True)
class Place:
    """An offer with its pool."""

    offer: str
    offer_id: int
    pool_id: int


def make_offer(site: str, *, code: str = "one", package: Mapping[str, Any] | None = None, **fields: Any) -> Place:
    """An offer of the provider `testcare` at the site with this name, on a pool of its own."""
    with transaction() as session:
        provider = session.scalar(select(Provider).where(Provider.code == "testcare"))
        if provider is None:
            provider = Provider(
                public_id=new_id("prv"),
                code="testcare",
                name_zh="测试",
                name_en="Test care",
                adapter="open_protocol",
                base_url="http://127.0.0.1:9/p/testcare",
            )
            session.add(provider)
        at = session.scalars(select(Site).where(Site.name == site)).one()
        pool = CapacityPool(public_id=new_id("pool"), provider=provider, site=at, external_ref=f"{at.public_id}-{code}")
        known = {"name_zh": "体检", "name_en": "Check-up", "price_minor": 10_000, "lead_minutes": 60, "certified": True}
        offer = Offer(
            public_id=new_id("ofr"),
            provider=provider,
            site=at,
            pool=pool,
            kind="health_check",
            external_ref=pool.external_ref,
            package=dict(package or {"sex": "any", "items": [{"code": "ecg", "name_zh": "心电图", "name_en": "ECG"}]}),
            **{**known, **fields},
        )
        session.add(offer)
        session.flush()
        return Place(offer.public_id, offer.id, pool.id)


def add_slot(
    place: Place,
    day: date,
    starts_at: datetime | None,
    ends_at: datetime | None,
    *,
    offered: int = 2,
    closed: bool = False,
) -> str:
    """A slot of the offer's pool; returns its public id."""
    public_id = new_id("slt")
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO slot (public_id, pool_id, external_ref, service_date, starts_at, ends_at, offered, "
                "capacity, closed) VALUES (:id, :pool, :id, :day, :starts, :ends, :offered, :offered, :closed)"
            ),
            {
                "id": public_id,
                "pool": place.pool_id,
                "day": day,
                "starts": starts_at,
                "ends": ends_at,
                "offered": offered,
                "closed": closed,
            },
        )
    return public_id


@contextmanager
def plans_of(engine: Engine) -> Iterator[list[str]]:
    """Collects, when the block ends, the plan of each SELECT that was sent inside it."""
    plans: list[str] = []
    with sent_to_the_database() as sent:
        yield plans
    with engine.connect() as connection:
        for statement, values in sent:
            if statement.lstrip().startswith(("SELECT", "WITH")):
                lines = connection.exec_driver_sql("EXPLAIN " + statement, values)
                plans.append("\n".join(line[0] for line in lines))
