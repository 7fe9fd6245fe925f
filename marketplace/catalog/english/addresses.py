"""Addresses in English: number and street first, then district, city and province.

Roads, streets and lanes are words; their names are pinyin. What does not look like a street stays in its order, in
pinyin.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from marketplace.catalog.english.pinyin import spelled
from marketplace.catalog.english.places import by_rule, english_city, english_place, province_called
from marketplace.catalog.places import short_place

_WAYS = {
    "大道": "Avenue", "大街": "Street", "公路": "Highway", "胡同": "Hutong", "马路": "Road", "支路": "Branch Road",
    "路": "Road", "街": "Street", "道": "Road", "巷": "Lane", "弄": "Lane", "里": "Li", "条": "Tiao", "坊": "Fang",
}  # fmt: skip
_PARTS = {
    "东": "East", "西": "West", "南": "South", "北": "North", "中": "Middle", "一": "First", "二": "Second",
    "三": "Third", "四": "Fourth", "五": "Fifth",
}  # fmt: skip
_STREET = re.compile(
    r"^(?P<name>[㐀-鿿]{1,12}?)(?P<way>大道|大街|公路|胡同|马路|支路|路|街|道|巷)(?P<part>[东西南北中一二三四五0-9]段|[东西南北中])?"
    r"(?:(?P<number>[0-9]+(?:[-—－之][0-9]+)?)号?)?(?P<rest>.*)$"
)
_AREA = re.compile(r"^(.{2,7}?(?:自治县|开发区|高新区|新区|工业园区|街道|镇|乡|[区县市旗]))(?=.)")
_NUMBER = re.compile(r"^([0-9]+(?:[-—－之][0-9]+)?)号?(?P<rest>.*)$")
_APART = re.compile(r"(?<=[㐀-鿿])\s+(?=[0-9]+(?:[-—－之][0-9]+)?\s*号)|(?<=[0-9])\s+(?=号)")
"""The spaces around a house's number: 文溪路 8 号."""
_ASIDE = re.compile(r"[（(][^（()）]*[)）]?")


@lru_cache(maxsize=20_000)
def english_address(address: str, province: str = "", city: str = "", district: str = "") -> str:
    """An address as an English reader writes it: 79 Qingchun Road, Shangcheng District. The province and city that it
    begins with are left out, a district that it leaves out is added. Blank where neither is known."""
    plain = _APART.sub("", _ASIDE.sub("", unicodedata.normalize("NFKC", address)).strip())
    every = [_one(each, province, city, district) for each in re.split(r"[;；]", plain) if each.strip()]
    return "; ".join(each for each in every if each) or (english_place(district) if district else "")


def _one(plain: str, province: str, city: str, district: str) -> str:
    for known in (province, province_called(province), city, short_place(city)):
        plain = plain.removeprefix(known) if known else plain
    plain = plain.removeprefix("省")
    areas: list[str] = []
    if district:
        plain = plain.removeprefix(district)
    for _ in range(3):
        found = _AREA.match(plain)
        if not found or re.search(r"路|街|道|号", found[1].removesuffix("街道")):
            break
        areas.insert(0, english_place(found[1]) or by_rule(found[1]))
        plain = plain[found.end(1) :]
    around = [*areas, english_place(district)] if district else areas
    return ", ".join(dict.fromkeys(part for part in (_street(plain), *around) if part))


def english_where(province: str, city: str, district: str = "") -> str:
    """District, city and province, each once: Xihu District, Hangzhou, Zhejiang."""
    parts = (english_place(district), english_city(city), english_place(province))
    return ", ".join(dict.fromkeys(part for part in parts if part))


def _street(text: str) -> str:
    found = _STREET.match(text)
    if found is None:
        numbered = _NUMBER.match(text)
        if numbered:
            return ", ".join(part for part in (numbered[1], _free(numbered["rest"])) if part)
        return _free(text)
    name, sides = found["name"], ""
    if len(name) > 2 and name[-1] in "东西南北中":
        name, sides = name[:-1], _PARTS[name[-1]]
    part = found["part"] or ""
    after = ""
    if part.endswith("段"):
        after = f" {_PARTS.get(part[0]) or part[0]} Section"
    elif part:
        after = f" {_PARTS[part]}"
    words = " ".join(word for word in (_PARTS.get(name) or spelled(name), sides, _WAYS[found["way"]]) if word) + after
    street = f"{found['number']} {words}" if found["number"] else words
    return ", ".join(each for each in (street, _free(found["rest"])) if each)


def _free(text: str) -> str:
    """What follows the number, or is no street: each run between signs as a word, its number before it. The name of
    a house is left away: it stands above the address."""
    runs = [run for run in re.split(r"[\s,，、。:：]+", text) if run and "医院" not in run and "科" not in run]
    parts = []
    for run in runs:
        numbered = re.match(r"^([㐀-鿿]+?)([0-9]+(?:[-—－之][0-9]+)?)号?$", run)
        inner = _STREET.match(run) if numbered and "路" in run else None
        if inner:
            parts.append(_street(run))
        elif numbered:
            parts.append(f"{numbered[2]} {spelled(numbered[1])}")
        else:
            parts.append(spelled(run.removesuffix("号")))
    return ", ".join(part for part in parts if part)
