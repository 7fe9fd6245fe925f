"""Sites and lines of coverage for tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import select

from marketplace.catalog.coverage.models import CoverageLine
from marketplace.catalog.models import Insurer, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from tests.marketplace.catalog.coverage.recount import Line, Place
from tests.sites import load_sites
from tests.world import NOON

KIND = "hospital_escort"
DAY = date(2026, 3, 10)


def load_places(folder: Path, sites: list[dict[str, str]]) -> list[Place]:
    """Import the records, and return them as places in their order."""
    load_sites(folder, sites)
    with reading() as session:
        by_key = {(it.province, it.city, it.name): it for it in session.scalars(select(Site))}
    kept = [by_key[each["province"], each["city"], each["name"]] for each in sites]
    return [Place(it.id, it.province, it.city, it.district, it.tier) for it in kept]


def other_insurer(code: str) -> int:
    """One more insurer; its internal id."""
    with transaction() as session:
        insurer = Insurer(public_id=new_id("ins"), code=code, name_zh=code, name_en=code)
        session.add(insurer)
        session.flush()
        return insurer.id


def store(lines: Iterable[Line]) -> None:
    """Store lines as they are, in their order."""
    with transaction() as session:
        for line in lines:
            session.add(
                CoverageLine(
                    public_id=new_id("cov"),
                    insurer_id=line.insurer,
                    kind=line.kind,
                    province=line.province,
                    city=line.city,
                    district=line.district,
                    tier=line.tier,
                    site_id=line.site,
                    level=line.level,
                    counts_from=line.counts_from,
                    actor="system",
                    source="command",
                    written_at=NOON,
                )
            )
            session.flush()


def any_lines(dice: Random, places: list[Place], number: int, insurers: list[int]) -> list[Line]:
    """Lines about parts that these places are in, of all widths, kinds, insurers and days around DAY."""
    lines = []
    for _ in range(number):
        place = dice.choice(places)
        single = dice.random() < 0.3
        lines.append(
            Line(
                dice.choice((KIND, KIND, "appointment_help")),
                place.province,
                place.city,
                DAY + timedelta(dice.randrange(-5, 6)),
                dice.choice(("covered", "on_request", "not_covered", None)),
                district=place.district if not single and place.district and dice.random() < 0.5 else None,
                tier=(place.tier or "unknown") if not single and dice.random() < 0.5 else None,
                site=place.id if single else None,
                insurer=dice.choice((None, *insurers)),
            )
        )
    return lines
