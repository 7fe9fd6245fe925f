"""Writing lines: the part in the catalogue's words, what is new and what isn't, and each field at fault by its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from marketplace.catalog.coverage.importing import COVERAGE, TAKEN_BACK
from marketplace.catalog.coverage.models import CoverageLine
from marketplace.catalog.coverage.write import Statement, write_line
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.merge import merge
from marketplace.core.bulk.cells import Cells
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid
from tests.marketplace.catalog.coverage.stage import DAY, KIND, load_places, other_insurer
from tests.people import NOON
from tests.sites import row

pytestmark = pytest.mark.usefixtures("db")

SITES = [
    row("甲医院", district="东城区", alias="第一医院|老医院"),
    row("乙医院", district="海淀区", alias="第一医院"),
    row("丙医院", province="吉林省", city="吉林市"),
    row("丁医院", province="云南省", city="大理白族自治州"),
]
BEIJING = Statement(KIND, "北京", "北京", "covered", DAY)


@pytest.fixture(autouse=True)
def _sites(db: Engine, tmp_path: Path) -> None:
    load_places(tmp_path, SITES)


def _write(statement: Statement, insurer: int | None = None) -> str:
    with transaction() as session:
        return write_line(session, insurer, statement, by="opr_x", source="console", now=NOON).outcome


def _stored() -> list[tuple[Any, ...]]:
    with reading() as session:
        return [
            (it.province, it.city, it.district, it.tier, name, it.level, it.counts_from)
            for it, name in session.execute(
                select(CoverageLine, Site.name)
                .outerjoin(Site, Site.id == CoverageLine.site_id)
                .order_by(CoverageLine.id)
            )
        ]


def test_a_line_is_stored_in_the_catalogues_words_and_only_if_it_says_something_new() -> None:
    insurer = other_insurer("one")
    later = DAY + timedelta(1)
    for statement, whose, outcome in (
        (BEIJING, insurer, "added"),
        (BEIJING, insurer, "unchanged"),
        (BEIJING, None, "added"),
        (Statement(KIND, "北京市", "北京市", "on_request", DAY), insurer, "changed"),
        (BEIJING, insurer, "changed"),
        (Statement(KIND, "北京", "北京", "covered", later), insurer, "changed"),
        (BEIJING, insurer, "unchanged"),
        (Statement("appointment_help", "北京", "北京", "covered", DAY), insurer, "added"),
        (Statement(KIND, "北京", "北京", "covered", DAY, district="东城", tier="三级甲等"), insurer, "added"),
        (Statement(KIND, "北京", "北京", None, DAY, tier="unknown"), insurer, "added"),
        (Statement(KIND, "北京", "北京", "covered", DAY, site="老医院"), insurer, "added"),
        (Statement(KIND, "云南", "大理", "covered", DAY), insurer, "added"),
    ):
        assert _write(statement, whose) == outcome, statement
    here = ("北京市", "北京市")
    assert _stored()[-5:] == [
        (*here, None, None, None, "covered", DAY),
        (*here, "东城区", "三级甲等", None, "covered", DAY),
        (*here, None, "unknown", None, None, DAY),
        (*here, None, None, "甲医院", "covered", DAY),
        ("云南省", "大理白族自治州", None, None, None, "covered", DAY),
    ]
    assert len(_stored()) == 10


def test_what_cannot_be_used_is_named_by_its_field_and_stores_nothing() -> None:
    for changed, field, reason in (
        ({"city": "巴黎"}, "city", "unknown_city"),
        ({"province": "河北"}, "province", "unknown_city"),
        ({"district": "西湖"}, "district", "unknown_district"),
        ({"tier": "四级"}, "tier", "unknown_value"),
        ({"site": "没有的医院"}, "site", "no_such_place"),
        ({"site": "丙医院"}, "site", "no_such_place"),
        ({"site": "第一医院"}, "site", "several_sites"),
        ({"site": "甲医院", "tier": "三级甲等"}, "site", "stands_alone"),
        ({"level": "perhaps"}, "level", "unknown_value"),
        ({"counts_from": date(1999, 12, 31)}, "counts_from", "too_early"),
        ({"counts_from": date(2206, 1, 1)}, "counts_from", "too_far"),
    ):
        values = {"province": "北京", "city": "北京", "level": "covered", "counts_from": DAY, **changed}
        with pytest.raises(Invalid) as refused:
            _write(Statement(KIND, **values))  # type: ignore[arg-type]
        assert (refused.value.at, refused.value.facts["reason"]) == (field, reason)
    assert _stored() == []


def test_a_line_of_a_file_is_read_in_both_languages_and_applied_once() -> None:
    kind = COVERAGE
    base = {"kind": "陪诊", "province": "北京", "city": "北京", "level": "on request", "counts_from": "2026年3月10日"}
    insurer = other_insurer("one")

    def read(**texts: str) -> tuple[Statement, list[tuple[str, str]]]:
        cells = Cells(kind.columns, {**dict.fromkeys((column.code for column in kind.columns), ""), **base, **texts})
        row = kind.read(cells)
        return row, [(error.column, error.reason) for error in cells.errors]

    row, errors = read()
    assert errors == [] and row == Statement(KIND, "北京", "北京", "on_request", DAY)
    assert read(level="撤回")[0].level is None and read(level=TAKEN_BACK)[0].level is None
    assert read(tier="未定级")[0].tier == "unknown"
    assert read(kind="health_check")[1] == [("kind", "not_a_choice")], "nobody is sent for it"
    assert read(level="", counts_from="soon", tier="特级", city="")[1] == [
        ("level", "missing"),
        ("city", "missing"),
        ("tier", "not_a_choice"),
        ("counts_from", "not_a_date"),
    ]
    assert kind.key(row) == kind.key(read(province="北京市", city="北京市")[0])
    assert kind.key(row) != kind.key(read(counts_from="2026-03-11")[0])
    with transaction() as session:
        for outcome in ("added", "unchanged"):
            found = kind.apply(session, insurer, row, now=NOON, source="bulk:imp_x")
            assert found == outcome and found in kind.outcomes
    assert len(_stored()) == 1
    with transaction() as session, pytest.raises(Invalid) as refused:
        kind.apply(session, insurer, read(city="巴黎")[0], now=NOON, source="bulk:imp_x")
    assert refused.value.facts["reason"] in kind.reasons and kind.column(str(refused.value.at)) is not None


def test_a_name_of_any_entry_means_its_place() -> None:
    named = Statement(KIND, "北京", "北京", "covered", DAY, site="乙医院")
    assert _write(named) == "added"
    with transaction() as session:
        ids = {site.name: site.public_id for site in session.scalars(select(Site))}
        merge(session, ids["乙医院"], ids["甲医院"], by="opr_1", now=NOON)
    for name in ("第一医院", "乙医院", "甲医院"):
        assert _write(replace(named, site=name)) == "unchanged", "it was said of an entry of the place"
    assert _write(replace(named, site="第一医院", level="on_request")) == "changed"
    assert [(name, level) for *_part, name, level, _day in _stored()] == [
        ("乙医院", "covered"),
        ("甲医院", "on_request"),
    ]
