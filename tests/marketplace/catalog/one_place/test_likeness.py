"""Which entries may be one hospital, and why: rules of names, addresses and positions, on lists of a few rows."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from marketplace.catalog.one_place.likeness import LEAST, SURE, Entry, Likeness, distance, doubles, streets

ZHEJIANG = Entry(0, "", (), "浙江省", "杭州市", "", "综合/其他", "", None, None)
BEIJING = replace(ZHEJIANG, province="北京市", city="北京市")
NANNING = replace(ZHEJIANG, province="广西壮族自治区", city="南宁市")


def pairs(*entries: Entry) -> list[Likeness]:
    return doubles([replace(entry, id=number) for number, entry in enumerate(entries, 1)])


def reasons(one: Entry, other: Entry) -> tuple[str, ...]:
    """Why the two may be one place, the same whichever comes first; empty where they are not."""
    found, turned = pairs(one, other), pairs(other, one)
    assert [pair.reasons for pair in found] == [pair.reasons for pair in turned]
    return found[0].reasons if found else ()


def named(name: str, *aliases: str, at: Entry = ZHEJIANG, **fields: object) -> Entry:
    return replace(at, name=name, aliases=aliases, **fields)


SAME = {
    "the city before it or not": (named("北京安贞医院", at=BEIJING), named("安贞医院", at=BEIJING), "same_name"),
    "its university before it": (
        named("首都医科大学附属北京安贞医院", at=BEIJING),
        named("安贞医院", at=BEIJING),
        "same_name",
    ),
    "its university before what any city may have": (
        named("首都医科大学附属北京儿童医院", at=BEIJING),
        named("北京儿童医院", at=BEIJING),
        "same_name",
    ),
    "the district's rank": (named("余杭区中医医院"), named("余杭中医院"), "same_name"),
    "figures for numerals": (named("杭州市第3人民医院"), named("杭州市第三人民医院"), "same_name"),
    "an army hospital by its number": (named("117医院"), named("中国人民解放军第一一七医院"), "same_name"),
    "a capital O for a zero": (named("305医院"), named("中国人民解放军第三O五医院"), "same_name"),
    "ten and more": (named("88医院"), named("中国人民解放军第八十八医院"), "same_name"),
    "a university as people shorten it": (named("浙大一院"), named("浙江大学医学院附属第一医院"), "same_name"),
    "a medical university as they shorten it": (
        named("浙医二院"),
        named("浙江大学医学院附属第二医院"),
        "same_name",
    ),
    "a number before or after 附属": (
        named("浙江大学第一附属医院"),
        named("浙江大学附属第一医院"),
        "same_name",
    ),
    "one is an alias of the other": (named("301医院"), named("总院", "解放军301医院"), "alias_of"),
    "both have an alias": (named("甲康医院", "丙和医院"), named("乙安医院", "丙和医院"), "shared_alias"),
    "what stands in brackets": (named("甲康医院(丙和医院)"), named("丙和医院"), "same_name"),
    "two names written as one": (named("杭州市第七人民医院杭州市精神病院"), named("杭州市第七人民医院"), "same_name"),
    "shortened without its university": (
        named("广西医科大肿瘤医院", at=NANNING),
        named("广西医科大学附属肿瘤医院", at=NANNING),
        "shortened",
    ),
    "the main part of one": (named("甲康医院本部"), named("甲康医院"), "same_name"),
    "the province's first is the university's": (
        named("浙江省第一医院", longitude=120.17309, latitude=30.25834),
        named("浙江大学医学院附属第一医院", longitude=120.1731, latitude=30.2583),
        "may_be_called",
    ),
    "the same house, whatever it is called": (
        named("杭州市甲康医院", address="浙江省杭州市体育场路453号"),
        named("乙安医院", address="体育场路 453 号（近环城西路）"),
        "same_address",
    ),
}  # fmt: skip

APART = {
    "the province's is not the city's": (named("浙江省人民医院"), named("杭州市人民医院")),
    "another number": (named("杭州市第三人民医院"), named("杭州市第六人民医院")),
    "another number of one university": (named("浙江大学附属第一医院"), named("浙江大学附属第二医院")),
    "the same name in another district": (
        named("余杭区中医院", district="余杭区"),
        named("萧山区中医院", district="萧山区"),
    ),
    "a campus": (named("甲康医院"), named("甲康医院西院")),
    "two campuses": (named("甲康医院东院区"), named("甲康医院西院区")),
    "a campus at the address of the whole": (
        named("甲康医院", address="文溪路8号", longitude=120.1, latitude=30.1),
        named("甲康医院西院", address="文溪路8号", longitude=120.1, latitude=30.1),
    ),
    "an outpatient branch": (named("甲康口腔医院"), named("甲康口腔医院第一门诊部")),
    "the medical and the Chinese medical university": (
        named("浙江医科大学附属第一医院"),
        named("浙江中医药大学附属第一医院"),
    ),
    "a position that they share and nothing else": (
        named("浙江省人民医院", longitude=120.16392, latitude=30.28769),
        named("杭州市第六人民医院", longitude=120.16392, latitude=30.28769),
    ),
    "a name of another city": (named("甲康医院"), named("甲康医院", at=BEIJING)),
    "a district's and one that is called like it": (named("长安医院"), named("长安区医院", district="长安区")),
    "a namesake of another owner": (named("杭州市中心医院"), named("上海铁路局杭州中心医院")),
    "the whole and a branch that is called a hospital": (named("甲康总医院"), named("甲康总医院集团乘风医院")),
    "two universities' in one city": (named("北京大学杭州医院"), named("香港大学杭州医院")),
    "a name that any has": (named("甲康医院", "人民医院"), named("乙安医院", "人民医院")),
    "short for two of them": (
        named("甲仁院"),
        named("甲康仁院"),
        named("甲安仁院"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_what_may_be_one_place_is_found_with_its_reason(case: str) -> None:
    one, other, reason = SAME[case]
    assert reason in reasons(one, other)


@pytest.mark.parametrize("case", APART)
def test_what_is_not_the_same_is_not_proposed(case: str) -> None:
    assert pairs(*APART[case]) == []


def test_more_evidence_scores_higher_and_what_speaks_against_it_lower() -> None:
    def score(**fields: object) -> float:
        (pair,) = pairs(named("甲康医院", address="文溪路8号"), named("杭州甲康医院", **fields))
        return pair.score

    assert LEAST < SURE <= score() < score(address="杭州市文溪路8号") <= 1
    near = (named("甲康医院", longitude=120.1, latitude=30.1), named("杭州甲康医院", longitude=120.1001, latitude=30.1))
    far = (near[0], replace(near[1], latitude=30.2))
    assert pairs(*far)[0].score < score() < pairs(*near)[0].score
    assert "far_apart" in reasons(*far) and "near" in reasons(*near)


def test_the_likeliest_pair_comes_first_with_the_smaller_id_first() -> None:
    found = pairs(
        named("甲康医院", address="文溪路8号"), named("杭州甲康医院"), named("杭州市甲康医院", address="文溪路8号")
    )
    assert [(pair.first, pair.second) for pair in found] == [(1, 3), (1, 2), (2, 3)]


def test_an_address_is_its_streets_and_numbers() -> None:
    def of(address: str) -> set[str]:
        return set(streets(replace(ZHEJIANG, district="西湖区", address=address)))

    assert of("浙江省杭州市西湖区文溪路8号") == of("文溪路 ８ 号") == {"文溪路8"}
    assert of("文溪路8号(东院);上塘路158号(西院)") == {"文溪路8", "上塘路158"}
    assert of("文溪路") == of("") == set()
    assert of("文溪路8号") != of("文溪路18号")


def test_a_position_is_compared_only_where_both_have_one() -> None:
    here = replace(ZHEJIANG, longitude=120.0, latitude=30.0)
    assert distance(here, ZHEJIANG) is None
    assert distance(here, replace(here, latitude=30.001)) == pytest.approx(111.2, abs=0.1)


def test_a_national_list_is_compared_in_seconds() -> None:
    letters = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"
    entries = [
        named(f"{letters[n % 20]}{letters[n // 20 % 20]}{letters[n // 400]}医院", id=n, city=f"{letters[n % 15]}市")
        for n in range(4_400)
    ]
    began = time.process_time()
    doubles(entries)
    assert time.process_time() - began < 10
