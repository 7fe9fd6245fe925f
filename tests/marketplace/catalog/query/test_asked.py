"""A query understood: places, tiers, words, and what is left away."""

from __future__ import annotations

import pytest

from marketplace.catalog.query.asked import asked
from marketplace.catalog.query.short_forms import short_form, short_forms
from marketplace.catalog.query.typing_errors import chinese_errors, latin_errors, similar_sounds

pytestmark = pytest.mark.quick

QUERIES = [
    ("成都 华西", ["华西"], {"成都市"}, []),
    ("华西医院成都", ["华西医院"], {"成都市"}, []),
    ("成都市华西", ["华西"], {"成都市"}, []),
    ("chengdu huaxi", ["huaxi"], {"成都市"}, []),
    ("chengduhuaxi", ["huaxi"], {"成都市"}, []),
    ("Xi'an Xijing", ["xijing"], {"西安市"}, []),
    ("Xi’an hospital", [], {"西安市"}, []),
    ("wulumuqi", [], {"乌鲁木齐市"}, []),
    ("taizhou", [], {"泰州市", "台州市"}, []),
    ("成都", [], {"成都市"}, []),
    ("上海三甲医院", [], {"上海市"}, ["三级甲等"]),
    ("3A hospital in Shanghai", [], {"上海市"}, ["三级甲等"]),
    ("二级 瑞金", ["瑞金"], set(), ["二级", "二级特等", "二级甲等", "二级乙等", "二级丙等"]),
    ("三甲港", ["三甲港"], set(), []),
    ("协和妇产科", ["协和", "妇产科"], set(), []),
    ("华西医院 挂号", ["华西医院"], set(), []),
    ("挂号", ["挂号"], set(), []),
    ("医院", ["医院"], set(), []),
    ("hospital", ["hospital"], set(), []),
    ("北京，协和", ["协和"], {"北京市"}, []),
    ("Sun Yat-sen", ["sun", "yat-sen"], set(), []),
    ("301医院", ["301医院"], set(), []),
    ("", [], set(), []),
    ("!!! ，", [], set(), []),
]


def test_queries_are_parted_into_words_places_and_tiers() -> None:
    found = [(q, [w.text for w in asked(q).words], set(asked(q).cities), list(asked(q).tiers)) for q, *_ in QUERIES]
    assert found == QUERIES


def test_provinces_are_places_too() -> None:
    assert [place.provinces for place in asked("陕西省人民医院").places] == [("陕西省",)]
    assert [place.provinces for place in asked("shaanxi").places] == [("陕西省",)]


def test_a_name_and_the_ways_it_is_said_meet_in_their_short_forms() -> None:
    said = {
        "上海市第六人民医院": ["上海六院", "上海6院"],
        "浙江大学医学院附属第一医院": ["浙大一院", "浙大附一"],
        "重庆医科大学附属第一医院": ["重医附一", "重医大附一院", "重庆医科大学第一附属医院"],
        "中南大学湘雅二医院": ["湘雅二院"],
        "郑州大学第一附属医院": ["郑大一附院"],
        "哈尔滨医科大学附属第二医院": ["哈医大二院"],
        "杭州市妇幼保健院": ["杭州妇幼", "杭州市妇保"],
        "萧山区中医医院": ["萧山中医院"],
        "河南省人民医院": ["河南省医院"],
    }
    for name, ways in said.items():
        forms = [name, *short_forms(name)]
        missed = [way for way in ways if not any(short_form(way) in form for form in forms)]
        assert not missed, (name, forms, [short_form(way) for way in missed])


def test_what_is_too_short_or_too_long_has_no_typing_errors() -> None:
    assert chinese_errors("协和") is None
    assert chinese_errors("协" * 17) is None
    assert latin_errors("xie") is None and latin_errors("30130") is None and latin_errors("a" * 25) is None
    assert similar_sounds("abab") is None
