"""Patterns are tried on the few sites that the index names, and find there what they would find among all."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.query import conditions
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.query.typing_errors import latin_forms, similar_forms, similar_sounds
from marketplace.catalog.search import SiteQuery, site_filter
from marketplace.core.database.db import rows
from tests.marketplace.catalog.query.test_where import FOUND, SITES
from tests.sites import load_sites

pytestmark = pytest.mark.every_postgres
NOWHERE = ("彩虹魔法城堡", "xylophone", "qwertyzz", "红十字蓝色大象医院", "blue elephant hospital", "北京彩虹魔法")


def mistyped(word: str, other: str) -> set[str]:
    """The word with each one mistake: a character wrong, missing, too much, or changed with its neighbour."""
    found = set[str]()
    for at in range(len(word)):
        found |= {word[:at] + other + word[at + 1 :], word[:at] + word[at + 1 :], word[:at] + other + word[at:]}
        found.add(word[:at] + word[at : at + 2][::-1] + word[at + 2 :])
    return found - {word}


def queries() -> list[str]:
    """What people may mean by names of SITES, with one mistake each, and what is found nowhere."""
    wrong = {q for _city, q in FOUND} | {*NOWHERE, "首都医科朝阳", "牙科 华夕", "中山 huaxii"}
    for name in ("四川大学华西医院", "长宁精神病院", "华西"):
        wrong |= mistyped(name, "花")
    spelled = "".join(syllables("华西口腔"))
    for word in (spelled, "zhongshan", "peking", "scdxhxyy", "hxyy"):
        wrong |= mistyped(word, "q")
    return sorted({*wrong, "zongsan", "chengde", "fuaxi", "huaxikouqian"})


def found(q: str, stage: Stage) -> set[tuple[int, int, int]]:
    """The sites with rank and how many words stand in the place alone."""
    it = site_filter(SiteQuery(q=q), stage)
    hits = rows(f"SELECT s.id, {it.rank} AS rank, {it.placed} AS placed FROM site s WHERE {it.where}", it.values)
    return {(row.id, row.rank, row.placed) for row in hits}


def test_nothing_that_a_pattern_finds_is_missed(db: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_sites(tmp_path, SITES)
    asked = [(q, stage) for q in queries() for stage in (Stage.LOOSE, Stage.SIMILAR)]
    narrowed = {each: found(*each) for each in asked}
    monkeypatch.setattr(conditions, "_among", lambda *_words, **_rest: [])
    among_all = {each: found(*each) for each in asked}
    assert sum(map(bool, among_all.values())) > 300, "most of it is found"
    assert {each for each in asked if narrowed[each] != among_all[each]} == set()


@pytest.mark.parametrize("q", NOWHERE)
def test_the_index_names_the_few_sites_that_are_read(owner_connection: Connection, q: str) -> None:
    owner_connection.exec_driver_sql("SET enable_seqscan = off")
    for stage in (Stage.LOOSE, Stage.SIMILAR):
        it = site_filter(SiteQuery(q=q), stage)
        sql = f"EXPLAIN SELECT s.id FROM site s WHERE {it.where}"
        plan = "\n".join(line[0] for line in owner_connection.exec_driver_sql(sql, it.values))
        assert "ix_site_terms" in plan and "Seq Scan on site" not in plan, plan


def test_the_words_that_are_asked_for_are_those_of_the_patterns() -> None:
    assert ("h", None, "a") in latin_forms("hua") and ("u", "h", "a") in latin_forms("hua")
    assert {"".join(each or "" for each in form) for form in similar_forms("nan")} == {
        first + "a" + last for first in ("n", "ng", "l") for last in ("n", "ng", "l")
    }
    assert similar_sounds("nant") == "\n(?:n|ng|l)a(?:n|ng|l)t"
