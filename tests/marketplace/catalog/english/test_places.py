"""Places in English: official names, ranks, peoples, readings, apostrophes; every city of the country."""

from __future__ import annotations

import re

import pytest

from marketplace.catalog.english.pinyin import spelled
from marketplace.catalog.english.places import cities, english_city, english_place, provinces

pytestmark = pytest.mark.quick


def test_places_have_their_official_names_or_pinyin_with_their_rank() -> None:
    expected = {
        "陕西省": "Shaanxi", "陕西": "Shaanxi", "山西省": "Shanxi", "内蒙古自治区": "Inner Mongolia", "广西": "Guangxi",
        "重庆市": "Chongqing", "厦门市": "Xiamen", "六安市": "Lu'an", "西安市": "Xi'an", "吕梁市": "Lüliang",
        "呼和浩特市": "Hohhot", "乌鲁木齐市": "Urumqi", "哈尔滨市": "Harbin", "普洱市": "Pu'er", "台州市": "Taizhou",
        "西城区": "Xicheng District", "浦东新区": "Pudong New Area", "番禺区": "Panyu District",
        "桐庐县": "Tonglu County",
        "单县": "Shanxian County", "东阿县": "Dong'e County", "大城县": "Daicheng County", "达拉特旗": "Dalad Banner",
        "长阳土家族自治县": "Changyang Tujia Autonomous County",
        "延边朝鲜族自治州": "Yanbian Korean Autonomous Prefecture",
        "德宏傣族景颇族自治州": "Dehong Dai and Jingpo Autonomous Prefecture",
        "双江拉祜族佤族布朗族傣族自治县": "Shuangjiang Lahu, Va, Blang and Dai Autonomous County",
        "喀什地区": "Kashgar Prefecture", "兴安盟": "Hinggan League", "神农架林区": "Shennongjia Forestry District",
        "峰峰矿区": "Fengfeng Mining District", "六枝特区": "Liuzhi Special District", "": "",
    }  # fmt: skip
    assert {name: english_place(name) for name in expected} == expected


def test_a_city_is_called_without_rank_and_peoples() -> None:
    names = ["大理白族自治州", "大理", "杭州市", "伊犁哈萨克自治州", "喀什地区", "海西蒙古族藏族自治州", "定安县"]
    assert [english_city(name) for name in names] == ["Dali", "Dali", "Hangzhou", "Ili", "Kashgar", "Haixi", "Ding'an"]


def test_every_city_and_province_has_a_name_without_chinese_and_one_way_to_type_it() -> None:
    assert len({city.name for city in cities()}) == len(cities()) > 360
    assert all(re.fullmatch(r"[A-Z][A-Za-zü' -]+", city.english) for city in cities())
    assert all(form.isascii() or "ü" in form for city in cities() for form in city.latin)
    assert len(set(provinces().values())) == 34


def test_readings_are_those_of_the_places_and_vowels_are_parted() -> None:
    expected = {
        "长春": "Changchun", "长子县": "Zhangzixian", "乐清": "Yueqing", "蚌埠": "Bengbu", "亳州": "Bozhou",
        "漯河": "Luohe",
        "渑池": "Mianchi", "歙县": "Shexian", "建瓯": "Jian'ou", "积水潭": "Jishuitan", "301医院": "301 Yiyuan",
    }  # fmt: skip
    assert {name: spelled(name) for name in expected} == expected
