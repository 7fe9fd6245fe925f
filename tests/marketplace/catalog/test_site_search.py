"""Finding sites: words in any spelling, ranked, by place, page by page; hostile queries; the index in use."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from marketplace.catalog.search import SiteQuery, cities, districts, search_sites, site, site_kinds
from marketplace.core.errors import Invalid, NotFound
from tests.sites import load_sites, many_sites, plans_of, row

pytestmark = pytest.mark.every_postgres

HANGZHOU = {"province": "浙江省", "city": "杭州市"}
SITES = [
    row("北京协和医院", district="东城区", address="帅府园1号"),
    row("中国人民解放军总医院", alias="解放军301医院|三零一医院", district="海淀区", address="复兴路28号"),
    row("三O七医院", district="丰台区", tier="三级"),
    row("唐山协和医院", province="河北省", city="唐山市", tier="三级"),
    row("杭州市中医院", kind="中医医院", **HANGZHOU),
    row("浙江中医药大学附属第一医院", kind="中医医院", district="上城区", **HANGZHOU),
    row("浙江大学医学院附属第一医院", alias="浙一", district="上城区", **HANGZHOU),
    row("长海医院", province="上海市", city="上海市", tier="", address="杭州路100%_号"),
    row("大理州人民医院", province="云南省", city="大理白族自治州", tier="二级甲等"),
    row("Ａ＆Ｂ国际医院", province="上海市", city="上海市", tier="二级"),
]


@pytest.fixture
def loaded(db: Engine, tmp_path: Path) -> Engine:
    """The sites above."""
    load_sites(tmp_path, SITES)
    return db


def _found(q: str | None = None, **query: str) -> list[str]:
    return [each.name for each in search_sites(SiteQuery(q=q, **query)).items]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("协和", "北京协和医院"),
        ("协和医院", "北京协和医院"),
        ("唐山协和", "唐山协和医院"),
        ("301医院", "中国人民解放军总医院"),
        ("３０１", "中国人民解放军总医院"),
        ("三〇一", "中国人民解放军总医院"),
        ("307医院", "三O七医院"),
        ("bjxhyy", "北京协和医院"),
        ("xhyy", "北京协和医院"),
        ("BJXH", "北京协和医院"),
        ("xiehe", "北京协和医院"),
        ("xie he", "北京协和医院"),
        ("changhai", "长海医院"),
        ("中医 杭州", "杭州市中医院"),
        ("杭州中医", "杭州市中医院"),
        ("浙大一院", "浙江大学医学院附属第一医院"),
        ("浙一", "浙江大学医学院附属第一医院"),
        ("帅府园", "北京协和医院"),
        ("a&b", "Ａ＆Ｂ国际医院"),
        ("Ａ＆Ｂ", "Ａ＆Ｂ国际医院"),
        ("100%_", "长海医院"),
    ],
)
def test_words_in_many_spellings_find_their_hospital_first(loaded: Engine, q: str, first: str) -> None:
    assert _found(q)[0] == first


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("北京協和醫院", ["北京协和医院"]),
        ("協和醫院", ["北京协和医院", "唐山协和医院"]),
        ("中醫院", ["浙江中医药大学附属第一医院", "杭州市中医院"]),
        ("北京,协和", ["北京协和医院"]),
        ("北京，协和", ["北京协和医院"]),
        ("北京、协和", ["北京协和医院"]),
        ("协和医院（北京）", ["北京协和医院"]),
        ("协和（北京）医院", ["北京协和医院"]),
        ("北京/协和", ["北京协和医院"]),
        ("杭州三甲中医院", ["杭州市中医院", "浙江中医药大学附属第一医院"]),
        ("上海二级医院", ["Ａ＆Ｂ国际医院"]),
        ("三甲 协和", ["北京协和医院"]),
        ("三級甲等 協和", ["北京协和医院"]),
        ("二甲", ["大理州人民医院"]),
    ],
)
def test_either_script_signs_between_words_and_a_tier_are_understood(loaded: Engine, q: str, names: list[str]) -> None:
    assert _found(q) == names


def test_a_name_in_the_other_script_is_found_in_both_and_a_place_is_no_tier(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, [row("臺安醫院", tier="二级"), row("三甲港医院", tier="二级"), row("乾县医院", tier="二级")])
    assert _found("台安医院") == _found("臺安醫院") == ["臺安醫院"]
    assert _found("三甲港") == ["三甲港医院"]
    assert _found("乾县") == _found("qianxian") == ["乾县医院"]


@pytest.mark.parametrize("q", ["_ab", "\\", "协%医", "%协", "ie", "湘雅", "'; DROP TABLE site --", "a" * 100])
def test_what_stands_nowhere_finds_nothing_and_signs_are_data(loaded: Engine, q: str) -> None:
    assert _found(q) == []


def test_a_name_comes_before_its_part_its_pinyin_and_its_address(db: Engine, tmp_path: Path) -> None:
    names = ["南方协和医学中心", "协和", "协和堂医院", "携和医院"]
    load_sites(tmp_path, [*map(row, names), row("别的医院", address="协和路1号")])
    assert _found("协和") == ["协和", "协和堂医院", "南方协和医学中心", "别的医院"]
    assert set(_found("xiehe")) == {"南方协和医学中心", "协和", "协和堂医院", "携和医院"}


def test_among_equals_the_tier_decides_then_the_name(db: Engine, tmp_path: Path) -> None:
    tiers = {"乙仁医院": "三级甲等", "丙仁医院": "", "丁仁医院": "三级", "甲仁医院": "三级甲等"}
    load_sites(tmp_path, [row(name, tier=tier) for name, tier in tiers.items()])
    assert _found("仁医院") == ["乙仁医院", "甲仁医院", "丁仁医院", "丙仁医院"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"city": "杭州", "kind": "中医医院", "district": "上城"}, ["浙江中医药大学附属第一医院"]),
        ({"city": "大理"}, ["大理州人民医院"]),
        ({"city": "大理白族自治州"}, ["大理州人民医院"]),
        ({"city": "北京市", "district": "海淀区"}, ["中国人民解放军总医院"]),
        ({"tier": "unknown"}, ["长海医院"]),
        ({"tier": "二级甲等"}, ["大理州人民医院"]),
        ({"city": "大"}, []),
        ({"kind": "%"}, []),
    ],
)
def test_filters_take_places_with_and_without_their_rank(
    loaded: Engine, query: dict[str, str], names: list[str]
) -> None:
    assert _found(**query) == names


def test_the_tier_is_shown_with_its_source_and_date(loaded: Engine) -> None:
    shown = search_sites(SiteQuery(q="北京协和")).items[0]
    assert (shown.tier, shown.tier_date) == ("三级甲等", "2015-12-23")
    assert "haodf" in shown.tier_source
    assert site(shown.public_id) == shown


@pytest.mark.parametrize("q", [None, "医院", "示范 xie", "人民"])
def test_pages_of_one_give_the_same_order_as_one_page(db: Engine, tmp_path: Path, q: str | None) -> None:
    load_sites(tmp_path, many_sites(120))
    whole = [each.public_id for each in search_sites(SiteQuery(q=q), limit=100).items]
    paged: list[str] = []
    cursor = None
    while len(paged) < len(whole):
        page = search_sites(SiteQuery(q=q), cursor=cursor, limit=7)
        paged += [each.public_id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert paged[: len(whole)] == whole


def test_abbreviations_are_paged_too_and_the_tightest_comes_first(loaded: Engine) -> None:
    first = search_sites(SiteQuery(q="浙大附院"), limit=1)
    second = search_sites(SiteQuery(q="浙大附院"), limit=1, cursor=first.next)
    names = [each.name for page in (first, second) for each in page.items]
    assert names == ["浙江大学医学院附属第一医院", "浙江中医药大学附属第一医院"]
    assert second.next is None


@pytest.mark.parametrize("q", ["", " ", "\0", "\ud800", "\u200b\n"])
def test_a_query_without_a_word_is_no_filter(loaded: Engine, q: str) -> None:
    assert len(_found(q)) in (len(SITES), 0)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": "医" * 101}, "q"),
        ({"q": "x" * 1_000_000}, "q"),
        ({"city": "x" * 1_000_000}, "city"),
        ({"city": "\0"}, "city"),
        ({"district": "\ud800"}, "district"),
        ({"kind": "a\0"}, "kind"),
        ({"tier": "四级"}, "tier"),
        ({"tier": "\ud800"}, "tier"),
    ],
)
def test_a_query_that_cannot_be_used_is_refused_by_the_name_of_its_field(
    loaded: Engine, query: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        search_sites(SiteQuery(**query))
    assert refused.value.at == field


@pytest.mark.parametrize("public_id", ["", "site_none", "\0", "\ud800", "x" * 1_000_000])
def test_an_unknown_site_is_not_found(loaded: Engine, public_id: str) -> None:
    with pytest.raises(NotFound):
        site(public_id)


def test_cities_come_in_the_order_of_their_pinyin_with_their_numbers(loaded: Engine) -> None:
    assert [(each.initial, each.name, each.sites) for each in cities()] == [
        ("B", "北京市", 3),
        ("D", "大理白族自治州", 1),
        ("H", "杭州市", 3),
        ("S", "上海市", 2),
        ("T", "唐山市", 1),
    ]


def test_districts_and_kinds_are_counted(loaded: Engine) -> None:
    assert [(each.name, each.sites) for each in districts("杭州")] == [("上城区", 2)]
    assert [(each.name, each.sites) for each in site_kinds("杭州市")] == [("中医医院", 2), ("综合/其他", 1)]


def test_a_closed_site_is_not_found_by_searching(loaded: Engine, owner_connection: Connection) -> None:
    owner_connection.execute(text("UPDATE site SET closed_at = now() WHERE name = '长海医院'"))
    assert _found("长海医院") == []


def test_searches_in_a_national_list_use_the_indexes(db: Engine, owner_connection: Connection, tmp_path: Path) -> None:
    load_sites(tmp_path, many_sites(1_500))  # a third of one: the more there are, the more an index is worth
    owner_connection.execute(text("ANALYZE site"))
    with plans_of(db) as plans:
        for query in (SiteQuery(q="1230医院"), SiteQuery(q="xhzy"), SiteQuery(q="瑞金 肿瘤"), SiteQuery(city="甲乙城")):
            search_sites(query)
    assert len(plans) >= 4
    assert all("Seq Scan" not in plan for plan in plans), [plan for plan in plans if "Seq Scan" in plan]
    assert all("ix_site_terms" in plan for plan in plans[:-1])
    assert "ix_site_place" in plans[-1]
