"""Hospitals in English: their own names, else put together by rule; nothing Chinese is left over."""

from __future__ import annotations

import pytest

from marketplace.catalog.english.known import hospitals, known_as
from marketplace.catalog.english.sites import english_site

pytestmark = pytest.mark.quick

RULES = [
    ("杭州市第一中医院", "杭州市", "First Hospital of Traditional Chinese Medicine of Hangzhou"),
    ("曲靖市第五人民医院", "曲靖市", "Fifth People's Hospital of Qujing"),
    ("抚州第一医院", "抚州市", "First Hospital of Fuzhou"),
    ("锦州市中心医院", "锦州市", "Jinzhou Central Hospital"),
    ("江华县人民医院", "永州市", "Jianghua County People's Hospital"),
    ("威县第二人民医院", "邢台市", "Second People's Hospital of Weixian County"),
    ("高明区人民医院", "佛山市", "Gaoming District People's Hospital"),
    ("津市市人民医院", "常德市", "Jinshi People's Hospital"),
    ("湖北省长阳县人民医院", "宜昌市", "Changyang County People's Hospital"),
    ("青海省第四人民医院", "西宁市", "Fourth People's Hospital of Qinghai Province"),
    ("湖南省妇幼保健院", "长沙市", "Hunan Provincial Maternal and Child Health Hospital"),
    ("温州市中西医结合医院", "温州市", "Wenzhou Hospital of Integrated Traditional Chinese and Western Medicine"),
    ("潍坊市立医院", "潍坊市", "Weifang Municipal Hospital"),
    ("长沙市一医院", "长沙市", "First Hospital of Changsha"),
    ("常州三院", "常州市", "Third Hospital of Changzhou"),
    ("中国人民解放军第二五一医院", "张家口市", "No. 251 Hospital of the PLA"),
    ("解放军四五七医院", "武汉市", "No. 457 Hospital of the PLA"),
    ("河北北方学院附属第一医院", "张家口市", "First Affiliated Hospital of Hebei North University"),
    ("赣南医学院第三附属医院", "赣州市", "Third Affiliated Hospital of Gannan Medical College"),
    ("贵医三附院", "贵阳市", "Third Affiliated Hospital of Guizhou Medical University"),
    ("广西医科大学附属肿瘤医院", "南宁市", "Affiliated Cancer Hospital of Guangxi Medical University"),
    ("三峡大学附属仁和医院", "宜昌市", "Renhe Hospital, China Three Gorges University"),
    ("皖南医学院弋矶山医院", "芜湖市", "Yijishan Hospital of Wannan Medical College"),
    ("天津市人民医院滨江分院", "天津市", "Tianjin People's Hospital, Binjiang Branch"),
    ("华西医院上锦院区", "重庆市", "Huaxi Hospital, Shangjin Campus"),
    ("贵阳市结核病医院贵阳市儿童医院", "贵阳市", "Guiyang Tuberculosis Hospital (Guiyang Children's Hospital)"),
    ("烟台山医院", "烟台市", "Yantaishan Hospital"),
    ("537医院", "汉中市", "No. 537 Hospital"),
    ("Ａ＆Ｂ国际医院", "上海市", "A&B International Hospital"),
    ("Raffles Hospital", "北京市", "Raffles Hospital"),
]  # fmt: skip


def test_names_are_put_together_in_the_order_of_english() -> None:
    assert [(name, english_site(name, "", city)) for name, city, _name in RULES] == [
        (name, english) for name, _city, english in RULES
    ]


def test_known_hospitals_have_the_name_they_give_themselves_by_whatever_they_are_called() -> None:
    assert english_site("四川大学华西医院", city="成都市") == "West China Hospital, Sichuan University"
    assert english_site("华西医院", city="成都市") == "West China Hospital, Sichuan University"
    assert english_site("北京协和医院") == "Peking Union Medical College Hospital"
    assert english_site("协和医院", city="唐山市") == "Xiehe Hospital", "in another city it is another one"
    assert len(hospitals()) >= 150
    assert len({(known.city, known.name) for known in hospitals()}) == len(hospitals())
    assert known_as(["别的", "浙一"], "杭州市") == known_as(["浙江大学医学院附属第一医院"], "杭州市")


def test_nothing_is_a_name_and_signs_alone_stay() -> None:
    assert english_site("") == ""
    assert english_site("()（）") == "()()"
    assert english_site("第") and english_site("附属") and english_site("医院") == "Hospital"
