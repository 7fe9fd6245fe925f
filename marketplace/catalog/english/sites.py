"""The names of hospitals in English.

A hospital of `data/english-hospitals.csv` has the name it gives itself there. Any other is taken apart (place, owner,
number, speciality, kind of house) and put together in the order English has: 杭州市第一人民医院 is First People's
Hospital of Hangzhou. What is a name and no word is pinyin.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from marketplace.catalog.english.known import known_hospital
from marketplace.catalog.english.pinyin import spelled
from marketplace.catalog.english.places import cities, english_city, english_place, provinces
from marketplace.catalog.english.words import HEADS, OWNERS, UNIVERSITIES, WORDS

_ORDINALS = (
    "", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth", "Eleventh",
    "Twelfth", "Thirteenth", "Fourteenth", "Fifteenth", "Sixteenth", "Seventeenth", "Eighteenth", "Nineteenth",
    "Twentieth",
)  # fmt: skip
_DIGITS = {figure: str(value % 10) for value, figure in enumerate("〇一二三四五六七八九")} | {
    "零": "0",
    "○": "0",
    "O": "0",
}
_FIGURE = "〇零○O0-9一二三四五六七八九十百"
_LONGEST_WORD = 14
_NUMBER = re.compile(rf"第?([{_FIGURE}]+)")
_SHORT_FORMS = (
    (re.compile(r"([一二三四五六七八九十]+)附院$"), r"第\1附属医院"),
    (re.compile(r"附([一二三四五六七八九十]+)院"), r"附属第\1医院"),
    (re.compile(r"附院$"), "附属医院"),
    (re.compile(r"(?<=[省市州县])([一二三四五六七八九十])医院$"), r"第\1医院"),
    (re.compile(r"(?<=[^第])([一二三四五六七八九十])院$"), r"第\1医院"),
)
_BRANCH = re.compile(r"^(.{2,}?(?:医院|保健院|医疗中心|医学中心))(.{1,8}?)(分院|分部|院区|门诊部|门诊|分中心)$")
_SIDE = re.compile(r"^(.{2,}?医院)([东西南北新老本总])(院|区|部)$")
_TWO = re.compile(r"^(.{3,}?(?:医院|保健院))(.{3,}(?:医院|保健院|防治院|中心))$")
_RANKED = re.compile(
    r"^(.{2,}?(?:自治县|自治旗|自治州|开发区|高新区|新区|矿区|特区|林区|[省市区县旗州盟镇乡]))(?=.{2})"
)
_ONE_COUNTY = re.compile(r"^(.县)(?=.{2})")
_UNIVERSITY = re.compile(r"^(.{2,}?(?:大学|学院))((?:[^大]{0,4}?(?:医学院|医学部|临床学院|医学中心))?)(.*)$")
_MILITARY = re.compile(r"^(?:中国人民)?解放军")
_SIDES = {
    "东": "East",
    "西": "West",
    "南": "South",
    "北": "North",
    "新": "New",
    "老": "Old",
    "本": "Main",
    "总": "Main",
}
_BRANCHES = {"分院": "Branch", "分部": "Branch", "院区": "Campus", "门诊部": "Outpatient Department",
             "门诊": "Outpatient Department", "分中心": "Branch Centre"}  # fmt: skip


@dataclass(frozen=True)
class _Place:
    """Where a name begins: the place in English, and whether it is a province."""

    english: str
    province: bool


@lru_cache(maxsize=20_000)
def english_site(name: str, province: str = "", city: str = "", district: str = "") -> str:
    """The English name of a hospital. Its province, city and district help to see where the name begins with a place.
    Blank for blank; letters and digits of other scripts stay as they are."""
    plain = unicodedata.normalize("NFKC", name).strip()
    if not re.search("[㐀-鿿]", plain):
        return plain
    return known_hospital(plain, city) or _composed(_whole(plain), (district, city, province))


def _whole(name: str) -> str:
    """The name without brackets and signs, its short forms (附二院) in full."""
    plain = re.sub(r"[（(][^（()）]*[)）]?|[)）]", "", name)
    plain = re.sub(r"[\s,，、·/|\-—]+", "", plain) or re.sub(r"[()（）]", "", name)
    for short, full in _SHORT_FORMS:
        plain = short.sub(full, plain)
    return plain


def _composed(name: str, around: tuple[str, ...]) -> str:
    for pattern, part in ((_BRANCH, _branch), (_SIDE, _side)):
        found = pattern.match(name)
        if found and not found[2].endswith(("附属", "第")):
            return f"{_composed(found[1], around)}, {part(found)}"
    two = _TWO.match(name)
    if two and not two[2].startswith(("附属", "第", "集团", "体检", "健康")):
        return f"{_composed(two[1], around)} ({_composed(two[2], around)})"
    if _MILITARY.match(name):
        return _military(_MILITARY.sub("", name), around)
    if "附属" in name[2:]:
        return _affiliated(name, around)
    owned = _of_university(name)
    return owned or _plain(name, around)


def _branch(found: re.Match[str]) -> str:
    return f"{english_city(found[2]) if len(found[2]) < 4 else _words(found[2])} {_BRANCHES[found[3]]}"


def _side(found: re.Match[str]) -> str:
    return f"{_SIDES[found[2]]} Campus"


def _military(rest: str, around: tuple[str, ...]) -> str:
    """第二五一医院 is No. 251 Hospital of the PLA; another house keeps its own name before it."""
    numbered = re.match(rf"^第?([{_FIGURE}]{{1,4}})(.*)$", rest)
    if numbered:
        tail = _words(numbered[2]) or "Hospital"
        return f"No. {_figures(numbered[1])} {tail} of the PLA"
    return f"{_plain(rest, around)} of the PLA" if rest else "PLA Hospital"


def _affiliated(name: str, around: tuple[str, ...]) -> str:
    left, _, right = name.partition("附属")
    ordered = re.match(rf"^(.*?)第([{_FIGURE}]+)$", left)
    if ordered:
        left = ordered[1]
    owner = _owner(left, around)
    number = f"{_ordinal(ordered[2])} " if ordered else ""
    if right in ("医院", ""):
        return f"{number}Affiliated Hospital of {owner}"
    same = re.match(rf"^第([{_FIGURE}]+)医院$", right)
    if same:
        return f"{_ordinal(same[1])} Affiliated Hospital of {owner}"
    inner = _plain(right, around)
    if all(known for _part, known in _parts(right)):
        return f"{number}Affiliated {inner} of {owner}"
    return f"{number}{inner}, {owner}"


def _of_university(name: str) -> str:
    short = next((each for each in UNIVERSITIES if len(each) < 5 and name.startswith(each)), "")
    if short and name.endswith("医院") and not name.startswith(short + "学") and len(name) > len(short) + 2:
        return f"{_plain(name.removeprefix(short), ())} of {UNIVERSITIES[short]}"
    found = _UNIVERSITY.match(name)
    if not found or not found[3] or not found[3].endswith(("医院", "中心", "院", "所", "部", "门诊")):
        return ""
    return f"{_plain(found[3], ())} of {_owner(found[1] + found[2], ())}"


@lru_cache(maxsize=4_000)
def _owner(name: str, around: tuple[str, ...] = ()) -> str:
    """A university or another owner of a hospital."""
    if name in UNIVERSITIES:
        return UNIVERSITIES[name]
    found = re.match(r"^(.{2,}(?:大学|学院))(.*?(?:医学院|医学部|临床学院|学院|中心))$", name)
    if found and found[1] in UNIVERSITIES:
        school = "School of Medicine" if found[2] in ("医学院", "医学部") else _words(found[2])
        return f"{school}, {UNIVERSITIES[found[1]]}"
    if found and found[1].endswith("大学"):
        return f"School of Medicine, {_owner(found[1])}"
    for end, word in OWNERS.items():
        stem = name.removesuffix(end)
        if stem != name and stem:
            return word.format(_place_alone(stem) or _plain(stem, around))
    return _plain(name, around)


def _place_alone(name: str) -> str:
    """A name that is a place and nothing else; blank for another."""
    known = provinces().get(name)
    return known or next((city.english for city in cities() if name in (city.name, city.short)), "")


def _plain(name: str, around: tuple[str, ...]) -> str:
    """A name without owner: places, a number, words and the kind of house."""
    place, rest = _place(name, around)
    if not rest:
        return place.english if place else ""
    core = _words(rest)
    if place is None:
        return core
    if re.match(rf"^第[{_FIGURE}]+", rest) and not core.startswith("No. "):
        return f"{core} of {place.english}{' Province' if place.province and _is_province(place.english) else ''}"
    return f"{place.english}{' Provincial' if place.province and _provincial(rest) else ''} {core}"


def _provincial(rest: str) -> bool:
    return rest.startswith(
        ("人民", "中医", "中西医", "妇", "儿童", "肿瘤", "口腔", "立", "精神", "胸科", "传染", "眼科")
    )


def _is_province(english: str) -> bool:
    return english not in ("Guangxi", "Xizang", "Ningxia", "Xinjiang", "Inner Mongolia", "Hong Kong", "Macao")


def _place(name: str, around: tuple[str, ...]) -> tuple[_Place | None, str]:
    """The most particular of the places a name begins with, and what follows them."""
    place, rest = None, name
    for _ in range(4):
        step = _one_place(rest, around, first=place is None)
        if step is None:
            break
        place, rest = step
    return place, rest


def _one_place(name: str, around: tuple[str, ...], *, first: bool) -> tuple[_Place, str] | None:
    for known, english in provinces().items():
        if name.startswith(known) and len(name) - len(known) >= 2 and first and not _municipality(known):
            ending = 1 if len(known) < 4 and name[len(known) :][:1] in ("省",) else 0
            if name[len(known) + ending :][:1] in ("市", "州", "县", "区"):
                continue
            return _Place(english, True), name[len(known) + ending :].removeprefix("自治区")
    for official in around:
        if official and name.startswith(official) and len(name) - len(official) >= 2:
            return _Place(_called(official), False), _after(official, name)
    for city in cities():
        for form in (city.name, city.short):
            follows = name[len(form) :]
            if name.startswith(form) and len(follows) >= 2 and follows[0] not in "州县区路街镇山":
                return _Place(city.english, False), _after(form, name)
    found = _ONE_COUNTY.match(name) or _RANKED.match(name)
    if found and not any(word in found[1] for word in ("医", "院", "第", "社区", "城市")):
        return _Place(_called(found[1]), False), name[found.end(1) :]
    short = next((each[:-1] for each in around if len(each) == 3 and name.startswith(each[:-1])), "")
    if short and len(name) - 2 >= 2 and name[2] not in "路街镇山":
        return _Place(spelled(short), False), name[2:]
    return None


def _after(place: str, name: str) -> str:
    """What follows the place. The rank of 潍坊市立医院 belongs to the word after it."""
    rest = name[len(place) :]
    return place[-1] + rest if rest.startswith("立") and place[-1] in "省市县" else rest


def _municipality(known: str) -> bool:
    return known.removesuffix("市") + "市" in provinces()


def _called(official: str) -> str:
    return english_city(official) if official.endswith(("市", "州", "盟", "地区")) else english_place(official)


def _words(text: str) -> str:
    """The words in their order, the longest known first; what is none is pinyin, a number an ordinal."""
    return " ".join(part for part, _known in _parts(text) if part)


def _parts(text: str) -> list[tuple[str, bool]]:
    """The words of a name in English, each with whether it is one: a run between them is a name, in pinyin."""
    parts: list[tuple[str, bool]] = []
    name = ""
    place = 0
    while place < len(text):
        size, english = _at(text, place)
        if size:
            parts += [(spelled(name), False)] if name else []
            parts.append((english, True))
            name = ""
        else:
            name += text[place]
        place += size or 1
    return [*parts, (spelled(name), False)] if name else parts


def _at(text: str, place: int) -> tuple[int, str]:
    """How many characters the number or word there has, and its English; 0 for none."""
    numbered = _NUMBER.match(text, place)
    if numbered and (text[place] == "第" or len(numbered[1]) > 2):
        return len(numbered[0]), _ordinal(numbered[1])
    for size in range(min(_LONGEST_WORD, len(text) - place), 0, -1):
        found = text[place : place + size]
        if place + size == len(text) and found in HEADS:
            return size, HEADS[found]
        if found in WORDS:
            return size, WORDS[found]
    return 0, ""


def _ordinal(figures: str) -> str:
    value = int(_figures(figures))
    return _ORDINALS[value] if 0 < value < len(_ORDINALS) else f"No. {value}"


def _figures(text: str) -> str:
    """三〇一 and 301 are 301, 二十一 and 二一 are 21."""
    if "十" not in text and "百" not in text:
        return "".join(_DIGITS.get(figure, figure) for figure in text)
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    value = 100 * int(_figures(hundreds) or 1) if "百" in text else 0
    value += 10 * int(_figures(tens.lstrip("〇零")) or 1) if ten else 0
    return str(value + int(_figures(ones.lstrip("〇零")) or 0))
