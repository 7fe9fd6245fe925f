"""Addresses in English: number, street and sides of it, sections, districts, several in one."""

from __future__ import annotations

import pytest

from marketplace.catalog.english.addresses import english_address, english_where

pytestmark = pytest.mark.quick

ADDRESSES = [
    ("浙江省杭州市上城区庆春路79号", "上城区", "79 Qingchun Road, Shangcheng District"),
    ("杭州市解放西路61号", "", "61 Jiefang West Road"),
    ("浙江省杭州市重庆路2段28号(门诊)", "", "28 Chongqing Road 2 Section"),
    ("西大街22号", "", "22 West Street"),
    ("文溪路 8 号", "", "8 Wenxi Road"),
    ("文溪路 8-1 号 东楼", "", "8-1 Wenxi Road, Donglou"),
    ("文溪路8 号 , 号", "", "8 Wenxi Road"),
    ("经济技术开发区芙蓉路678号", "", "678 Furong Road, Economic and Technological Development Zone"),
    ("咸丰县高乐山镇乐山街4号", "", "4 Leshan Street, Gaoleshan Town, Xianfeng County"),
    ("锡拉胡同11号；松江区新松江路650号", "", "11 Xila Hutong; 650 Xinsongjiang Road, Songjiang District"),
    ("长椿街45号宣武医院", "西城区", "45 Changchun Street, Xicheng District"),
    ("回龙观", "昌平区", "Huilongguan, Changping District"),
    ("", "昌平区", "Changping District"),
    ("", "", ""),
]


def test_addresses_are_written_as_an_english_reader_writes_them() -> None:
    assert [
        (chinese, english_address(chinese, "浙江省", "杭州市", district)) for chinese, district, _ in ADDRESSES
    ] == [(chinese, english) for chinese, _district, english in ADDRESSES]


def test_where_something_is_names_each_place_once() -> None:
    assert english_where("浙江省", "杭州市", "西湖区") == "Xihu District, Hangzhou, Zhejiang"
    assert english_where("上海市", "上海市") == "Shanghai"
