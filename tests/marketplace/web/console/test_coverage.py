"""The console's pages of coverage: numbers by city, one more line from a day on, and the lines as a table."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalog.coverage.models import CoverageLine
from marketplace.core.database.db import reading
from tests.booking.coverage.stage import make_places
from tests.marketplace.catalog.coverage.stage import KIND
from tests.marketplace.web.console.test_role_pages import enter
from tests.marketplace.web.visitors import main, words
from tests.people import NOON, make_insurer
from vip.operators.operators import create_operator

pytestmark = pytest.mark.usefixtures("db")

LIST = "/operators/coverage"
CITY = f"{LIST}/city?kind={KIND}&province={quote('北京市')}&city={quote('北京市')}&on=2026-03-05"


def test_an_administrator_covers_a_city_from_a_day_on_and_sees_it(app: Flask, tmp_path: Path) -> None:
    make_places(tmp_path)
    make_insurer()
    create_operator("admin", "a long password", "林默", "admin", now=NOON)
    admin = enter(app, "admin")
    assert "5 cities" in words(admin.get(f"{LIST}?kind={KIND}"))
    assert "Nothing is said of this city" in main(admin.get(CITY))

    blank = {"district": "", "tier": "", "site": ""}
    refused = admin.post(CITY, CITY, level="covered", counts_from="soon", **blank)
    assert refused.status_code == 422 and "This must be a date" in main(refused)
    several = {"district": "", "tier": "三级甲等", "site": "甲医院"}
    refused = admin.post(CITY, CITY, level="covered", counts_from="2026-03-01", **several)
    assert refused.status_code == 422 and "stands alone" in main(refused)
    for day, level in (("2026-03-01", "covered"), ("2026-04-01", "not_covered")):
        assert admin.post(CITY, CITY, level=level, counts_from=day, **blank).status_code == 303
    page = admin.get(CITY)
    assert "Covered 3" in words(page) and "Counts later" in main(page) and "林默" in main(page)
    assert "Not covered 3" in words(admin.get(CITY.replace("03-05", "04-01")))

    changes = admin.get(f"{LIST}?kind={KIND}&only=changes&on=2026-03-05")
    assert re.findall(r'class="go strong"[^>]*>([^<]+)</a>', changes.text) == ["Beijing"]
    assert "No city is like that." in main(admin.get(f"{LIST}?q=Mars"))
    assert admin.get(f"{LIST}?on=never").status_code == 422
    assert admin.get(f"{LIST}?kind=health_check").status_code == 404
    table = admin.get(f"{LIST}/csv?kind={KIND}&on=2026-03-05")
    assert table.mimetype == "text/csv" and "hospital_escort,北京市,北京市,,,,not_covered,2026-04-01" in table.text
    admin.language = "zh"
    assert "已覆盖 3" in words(admin.get(CITY))
    with reading() as session:
        assert [line.source for line in session.scalars(select(CoverageLine))] == ["console", "console"]
