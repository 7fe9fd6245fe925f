"""Where a query has hits: here, in the city it names, or elsewhere; how freely it is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from marketplace.catalog.importer import import_sites, renew_search_columns
from marketplace.catalog.models import Site
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.query.where import locate
from marketplace.catalog.search import SiteQuery, search_sites
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid
from tests.sites import load_sites, row

pytestmark = pytest.mark.every_postgres


def _in(city: str, name: str, province: str = "", **cells: str) -> dict[str, str]:
    return row(name, city=city, province=province or city, **cells)


SITES = [
    _in("北京市", "北京协和医院"),
    _in("北京市", "首都医科大学附属北京朝阳医院", alias="朝阳医院", district="朝阳区"),
    _in("北京市", "清河医院", address="清华西路2号", tier="二级"),
    _in("成都市", "四川大学华西医院", "四川省"),
    _in("成都市", "四川大学华西口腔医院", "四川省", kind="口腔医院"),
    _in("成都市", "四川省人民医院", "四川省"),
    _in("上海市", "复旦大学附属中山医院"),
    _in("上海市", "上海市第六人民医院"),
    _in("上海市", "长宁精神病院", kind="精神/脑科医院", address="成都北路1号"),
    _in("中山市", "中山市人民医院", "广东省"),
    _in("中山市", "中山市第三人民医院", "广东省"),
    _in("广州市", "中山大学附属第三医院", "广东省", alias="中山三院"),
    _in("朝阳市", "朝阳市中心医院", "辽宁省"),
    _in("亳州市", "亳州市人民医院", "安徽省"),
    _in("深圳市", "北京大学深圳医院", "广东省"),
    _in("延边朝鲜族自治州", "延边大学附属医院", "吉林省"),
]

# (asked in, query): (the city that is shown, None for elsewhere; the first site that is shown)
FOUND: dict[tuple[str | None, str], tuple[str | None, str]] = {
    ("北京市", "协和"): ("北京市", "北京协和医院"),
    ("北京市", "成都 华西"): ("成都市", "四川大学华西医院"),
    ("北京市", "华西医院成都"): ("成都市", "四川大学华西医院"),
    ("北京市", "chengdu huaxi"): ("成都市", "四川大学华西医院"),
    ("北京市", "华西"): (None, "四川大学华西医院"),
    ("成都市", "北京协和"): ("北京市", "北京协和医院"),
    ("上海市", "成都"): ("成都市", "四川大学华西医院"),
    ("北京市", "中山医院"): (None, "复旦大学附属中山医院"),
    ("广州市", "中山三院"): ("广州市", "中山大学附属第三医院"),
    ("北京市", "朝阳医院"): ("北京市", "首都医科大学附属北京朝阳医院"),
    ("深圳市", "北京大学深圳医院"): ("深圳市", "北京大学深圳医院"),
    ("上海市", "上海六院"): ("上海市", "上海市第六人民医院"),
    ("上海市", "市六医院"): ("上海市", "上海市第六人民医院"),
    ("上海市", "精神卫生中心"): ("上海市", "长宁精神病院"),
    ("成都市", "毫州市人民医院"): (None, "亳州市人民医院"),
    ("成都市", "华夕医院"): ("成都市", "四川大学华西医院"),
    ("成都市", "華西醫院"): ("成都市", "四川大学华西医院"),
    ("成都市", "huaxii yiyaun"): ("成都市", "四川大学华西医院"),
    (None, "PUMCH"): (None, "北京协和医院"),
    (None, "Peking Union"): (None, "北京协和医院"),
    (None, "West China Hospital"): (None, "四川大学华西医院"),
    (None, "Zhongshan Hospital, Fudan"): (None, "复旦大学附属中山医院"),
    (None, "dental hospital Chengdu"): ("成都市", "四川大学华西口腔医院"),
    (None, "Yanbian University Hospital"): ("延边朝鲜族自治州", "延边大学附属医院"),
    (None, "华西 上海"): (None, "四川大学华西医院"),
}


def test_a_query_leads_to_the_city_where_its_best_hits_are(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, SITES)
    shown = {}
    for city, q in FOUND:
        at = locate(SiteQuery(city=city, q=q))
        first = search_sites(SiteQuery(city=at.city, q=q), limit=1).items
        shown[city, q] = (at.city, first[0].name if first else "")
    assert shown == FOUND
    _numbers_of_other_cities()
    _nothing_anywhere()
    _columns_of_the_release_before(db)
    assert import_sites(tmp_path / "sites.csv").unchanged == len(SITES), "renewed as they are imported"


def _numbers_of_other_cities() -> None:
    elsewhere = locate(SiteQuery(city="北京市", q="华西"))
    assert [(each.city, each.sites) for each in elsewhere.others] == [("成都市", 2), ("北京市", 1)], "its road as well"
    moved = locate(SiteQuery(city="北京市", district="朝阳区", q="成都 华西"))
    assert (moved.moved, moved.others, moved.stage) == (True, (), Stage.EXACT)
    among = locate(SiteQuery(city="北京市", q="华西"), "s.name <> %(not)s", {"not": "四川大学华西医院"})
    assert [(each.city, each.sites) for each in among.others] == [("成都市", 1), ("北京市", 1)]
    tier = locate(SiteQuery(city="北京市", tier="二级", q="华西"))
    assert (tier.city, tier.others) == ("北京市", ()), "what else was asked for holds everywhere"


def _nothing_anywhere() -> None:
    for q in ("瑞金", "xyzzyx", "'; DROP TABLE site --", "[a", "\\", "*", "%s %(x)s", "玉树"):
        at = locate(SiteQuery(city="北京市", q=q))
        assert (at.found, at.city, at.others) == (False, "北京市", ()), q
    with pytest.raises(Invalid) as refused:
        locate(SiteQuery(q="长" * 101))
    assert refused.value.at == "q"
    assert locate(SiteQuery(city="北京市", q="长" * 100)).found is False


def _columns_of_the_release_before(db: Engine) -> None:
    """Sites are found by what an older release wrote, and by more once it is renewed; twice changes nothing."""
    with transaction() as session:
        older = {"search_text": "\n四川大学华西医院\n\t成都市", "pinyin": "\nscdxhxyy\n\t\nhuaxiyiyuan\n"}
        terms = ["华西", "^hu", "^hua", "^huax", "^huaxi"]
        session.execute(update(Site).where(Site.name == "四川大学华西医院").values(**older, terms=terms))
    found = [each.name for each in search_sites(SiteQuery(q="华西 四川大学")).items]
    assert found == ["四川大学华西口腔医院"], "the words of a renewed site alone"
    assert search_sites(SiteQuery(q="huaxi"), limit=1).items[0].name.startswith("四川大学华西")
    assert renew_search_columns() == 1
    assert search_sites(SiteQuery(q="West China Hospital"), limit=1).items[0].name == "四川大学华西医院"
    assert renew_search_columns() == 0
