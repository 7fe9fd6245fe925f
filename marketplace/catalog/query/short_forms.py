"""The short forms in which people write names of hospitals: 上海六院, 浙大一院, 重医附一, 市妇幼.

A name and a query are brought to the same short form, so that each short form meets its name as text.
"""

from __future__ import annotations

import re

_N = "一二三四五六七八九十"
_FIGURES = str.maketrans("123456789", "一二三四五六七八九")
_FIGURE = re.compile(r"(?<![0-9])[1-9](?=院|医院|人民|附|中心)")
_RANK = re.compile(r"(?<=[㐀-鿿]{2})(?:自治区|自治州|[省市县区州])(?=[㐀-鿿]{2})")
_PEOPLES = re.compile(r"(?:壮族|回族|维吾尔|土家族|苗族|藏族|彝族|侗族|布依族|哈尼族|傣族|白族)(?=自治)")
_STEPS = (
    (re.compile(rf"^[市省区县](?=[{_N}]+(?:人民)?医?院)"), ""),
    (re.compile(rf"第(?=[{_N}])"), ""),
    (re.compile(r"中国人民解放军|中国解放军"), "解放军"),
    (re.compile(r"医科大学|医科大"), "医"),
    (re.compile(r"医大(?=[^学]|$)"), "医"),
    (re.compile(r"中医药大学|中医药大"), "中医大"),
    (re.compile(r"交通大学|交大"), "交大"),
    (re.compile(r"大学(?:同济|湘雅)?医学(?:院|部)|大学"), "大"),
    (re.compile(r"大医学院(?=附)"), "大"),
    (re.compile(rf"医学院(?=附|[{_N}])"), "医"),
    (re.compile(rf"附属([{_N}]+)(?:人民)?医?院"), r"附\1院"),
    (re.compile(rf"([{_N}]+)附属?医?院"), r"附\1院"),
    (re.compile(rf"附([{_N}]+)(?:医院|医|院|$)"), r"附\1院"),
    (re.compile(r"附属医院"), "附院"),
    (re.compile(r"附属(?=[㐀-鿿])"), "附"),
    (re.compile(rf"([{_N}]+)(?:人民)?医院"), r"\1院"),
    (re.compile(r"中医医院"), "中医院"),
    (re.compile(r"妇幼保健(?:医院|院|所)|妇保院|妇幼院|妇保(?=$)"), "妇幼"),
    (re.compile(r"儿童医院"), "儿童院"),
    (re.compile(r"(?<=[省市县区])医院$|(?<=[省市县区])医$"), "人民医院"),
)  # fmt: skip
_UNIVERSITY = re.compile(r"^([㐀-鿿])[㐀-鿿]{1,2}(大|医|中医大|交大)(?=.)")


def short_form(text: str) -> str:
    """The short form of a normalised name or word of a query; itself where it has none."""
    short = _FIGURE.sub(lambda found: found.group().translate(_FIGURES), text)
    for pattern, becomes in _STEPS:
        short = pattern.sub(becomes, short)
    return _RANK.sub("", _PEOPLES.sub("", short))


def short_forms(name: str) -> list[str]:
    """The short forms of a name: with its university in full and by its first character, with 附 and without."""
    first = short_form(name)
    found = [first]
    by_character = _UNIVERSITY.sub(r"\1\2", first)
    found.append(by_character)
    for form in (first, by_character):
        found.append(re.sub(rf"附([{_N}]+院)", r"\1", form))
        found.append(re.sub(r"(?<=[大医])附(?=[㐀-鿿]{2})", "", form))
    return [form for form in dict.fromkeys(found) if form != name and len(form) > 1]
