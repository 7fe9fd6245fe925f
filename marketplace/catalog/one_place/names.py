"""The names of hospitals taken apart, so that two that mean the same one meet.

A name becomes keys. Two places of one city that share a key bear the same name, however it was written: 第一 or 1,
中医医院 or 中医院, with the city before it or not, with its university's whole name or as people shorten it (浙大一院).
What any city may have (人民医院, 第二医院, 口腔医院) keeps the rank of whose it is, since 浙江省人民医院 is not
杭州市人民医院; a name of its own (邵逸夫医院) stands alone. A campus or branch (西院, 杭州院区) is part of each key of
its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.catalog.places import short_place
from marketplace.catalog.terms import normalise

_DIGITS = {figure: number for number, figure in enumerate("零一二三四五六七八九")}
_NUMERAL = "[0-9零一二三四五六七八九十百]"
_ORDINAL = re.compile(rf"第({_NUMERAL}{{1,4}})")
_BARE_ORDINAL = re.compile(rf"(?<![#0-9])({_NUMERAL}{{1,3}})(?=附属|人民医院|中医院|中心医院|医院$|院$)")

_SPELLINGS = (
    ("中医医院", "中医院"), ("妇幼保健医院", "妇幼保健院"), ("妇幼保健中心", "妇幼保健院"), ("妇保医院", "妇幼保健院"),
    ("妇保院", "妇幼保健院"), ("妇女儿童", "妇儿"), ("妇幼医院", "妇幼保健院"), ("精神病医院", "精神病院"),
    ("传染病院", "传染病医院"), ("妇产科医院", "妇产医院"), ("肿瘤防治医院", "肿瘤医院"), ("口腔病医院", "口腔医院"),
    ("妇女保健院", "妇幼保健院"), ("中医骨伤科", "中医骨伤"), ("红十字会", "红十字"), ("附院", "附属医院"),
    ("中国人民解放军", "解放军"),
    ("武警部队", "武警"), ("中国人民武装警察部队", "武警"), ("医学科学院", "医科院"), ("中医科学研究院", "中医科学院"),
)  # fmt: skip
_OWNERS = ("卫生部", "国家卫生健康委", "国家卫计委", "中国", "解放军", "直属")
_BRANCH = re.compile(r"^(?P<hospital>.+?(?:医院|保健院))(?P<branch>.+(?:医院|中心|院|所|区|部|诊|科|病区))$")
_MAIN = ("本部", "总院", "院部")
_SCHOOL = re.compile(
    r"^(?P<school>.{2,9}?(?:中医药大学|中医大学|中医学院|医药大学|医科大学|医学院|医大|大学)(?:医学院|医学部|药学院)?)"
    r"(?:附属|第?直属)?(?P<rest>.+)$"
)
_NUMBERED = re.compile(r"^(?P<number>#\d+)(?:附属|临床医学院|临床)(?P<rest>.*)$")
_ARMY = re.compile(r"^(?:解放军|武警|陆军|空军|海军)*#?(?P<number>\d{2,4})(?:中心)?医院$")
_GENERIC = re.compile(
    r"^(?:#\d+|人民|中心|综合|总|中|中西医结合|民族|蒙|藏|妇幼保健|妇产|妇儿|儿童|肿瘤|口腔|精神病|精神卫生|心理卫生|脑科|"
    r"心脑血管病?|心血管病?|传染病|胸科|结核病|眼科|耳鼻喉科?|骨科|骨伤|皮肤病?|康复|老年病?|红十字|职工|工人|急救|附属|慈善|"
    r"立|肛肠|肝病|整形|美容|急诊抢救|病)*(?:医院|院|中心|所|站)?$"
)


@dataclass(frozen=True)
class Whereabouts:
    """Where the compared places are: the names of province and city, and of the districts that are known there."""

    province: str
    city: str
    districts: frozenset[str]


@dataclass(frozen=True)
class Name:
    """One name taken apart. `keys` as above, none for one that says too little; `hints` are keys that two hospitals may
    share, so that they count only beside an address or a position: 浙江省第一医院 is what people call the university's
    first one, and 第一医院 may be 第一人民医院. `core` is what is left of the name for likeness; `stem` is that without
    医院, blank where any city may have it; `number` its ordinal (`#1`) and `campus` the campus or branch it names, both
    blank where it has none."""

    keys: frozenset[str]
    hints: frozenset[str]
    core: str
    stem: str
    number: str
    campus: str


def names_of(texts: Iterable[str], where: Whereabouts) -> list[Name]:
    """The names in these texts, those of the first one first; a text may hold two that were written as one."""
    found: dict[str, Name] = {}
    for written in texts:
        plain = re.sub(r"[\s·.\-—]", "", normalise(written))
        for outer in [plain, *re.findall(r"[(\[](.+?)[)\]]", plain)]:
            whole = re.sub(r"[(\[].*?[)\]]", "", outer) or outer
            for part in (whole, *_written_as_one(whole, where)):
                if len(part) >= 3 and part not in found:
                    found[part] = _taken_apart(part, where)
    return list(found.values())


def _written_as_one(text: str, where: Whereabouts) -> tuple[str, ...]:
    """The two names of 杭州市第七人民医院杭州市精神病院; none where what follows is a branch of what is before it."""
    found = _BRANCH.match(text)
    return found.groups() if found and _begins_anew(found.group("branch"), where) else ()


def _begins_anew(text: str, where: Whereabouts) -> bool:
    places = (short_place(where.province), short_place(where.city))
    return text.startswith(places) or ("附属" in text and _ORDINAL.match(text) is None and not text.startswith("附属"))


def _taken_apart(plain: str, where: Whereabouts) -> Name:
    text = plain
    for written, spelled in _SPELLINGS:
        text = text.replace(written, spelled)
    campus = ""
    if (branch := _BRANCH.match(text)) and not _begins_anew(branch.group("branch"), where):
        text, campus = branch.groups()
        campus = "" if campus in _MAIN else re.sub(r"(院区|分院|院|区|部)$", "", campus) or campus
    text = _ORDINAL.sub(lambda found: "#" + _figures(found.group(1)), text)
    if army := _ARMY.match(text):
        return _name({f"军{army.group('number')}"}, set(), text, "", campus)
    text = _BARE_ORDINAL.sub(lambda found: "#" + _figures(found.group(1)), text)
    text = re.sub(r"(?<=#\d)院$|(?<=#\d\d)院$", "医院", text)
    keys = _school_keys(text, where) | _own_keys(text, where)
    number = re.search(r"#\d+", text)
    hints = _hints(text, where)
    return _name(keys, hints, _without_place(text, where)[1], number.group() if number else "", campus)


def _name(keys: set[str], hints: set[str], core: str, number: str, campus: str) -> Name:
    at = f"@{campus}" if campus else ""
    stem = "" if _GENERIC.match(core) else re.sub(r"(医院|病院|院|中心)$", "", core)
    return Name(frozenset(key + at for key in keys), frozenset(hint + at for hint in hints), core, stem, number, campus)


def _hints(text: str, where: Whereabouts) -> set[str]:
    rank, core = _without_place(text, where)
    plain = core.replace("人民", "")
    found = {f"{rank}~{plain}"} if rank and _GENERIC.match(core) else set()
    if where.province == where.city:
        return found
    found |= {f"{each}/{school}" for each in found if rank == "p" for school in ("医", "中医")}
    school = _SCHOOL.match(text)
    if school and school.group("school").startswith(short_place(where.province)):
        found.add(f"p~{_rest(school.group('rest'))}/{'中医' if '中医' in school.group('school') else '医'}")
    return found


def _own_keys(text: str, where: Whereabouts) -> set[str]:
    """The keys of a name as it stands: of its own, or by the rank of whose it is."""
    rank, core = _without_place(text, where)
    if not _GENERIC.match(core):
        inner = core.find(short_place(where.city), 4)  # 中国康复研究中心北京博爱医院
        own = _without_place(core[inner:], where)[1] if inner > 0 else ""
        return {core, own} if own and not _GENERIC.match(own) else {core}
    return {f"{rank}:{core}"} if rank else set()


def _without_place(text: str, where: Whereabouts) -> tuple[str, str]:
    """Whose it is (`p` the province's, `c` the city's, `d` a district's, blank), and the name without that. A district
    stays without its rank, since 余杭区中医院 and 余杭中医院 are one; 长安区医院 keeps it: 长安医院 is another."""
    rank, core = "", text
    for owner in _OWNERS:
        core = core.removeprefix(owner) if len(core) - len(owner) >= 4 else core
    for mark, place in (("p", where.province), ("c", where.city)):
        for form in (place, short_place(place)):
            if form and core.startswith(form) and len(core) > len(form):
                rank, core = mark, core[len(form) :]
                break
    if where.province == where.city or (rank == "p" and short_place(where.province) == short_place(where.city)):
        rank = rank and "c"
    core = re.sub(r"^(省|市)(?=立|#|人民|中|妇|医院|口腔|儿童|肿瘤)", "", core)
    for district in sorted(where.districts, key=lambda each: (-len(each), each)):
        short = short_place(district)
        if core.startswith(short):
            return "d", short + re.sub(r"^(区|县|市|自治县)(?=.{2})(?!医院$)", "", core[len(short) :])
    if county := re.match(r"^(?P<short>[^#]{2,3})(?:区|县|市)(?=#|人民|中医|妇|口腔|中心)", core):
        return "d", county.group("short") + core[county.end() :]
    return rank, core


def _school_keys(text: str, where: Whereabouts) -> set[str]:
    """The keys of a university's hospital: by its school, as people shorten that, and the name it has besides."""
    found = _SCHOOL.match(text)
    if found is None:
        own = _without_place(text.partition("附属")[2], where)[
            1
        ]  # 浙医附属邵逸夫医院, of a school that is none by its name
        return {own} if own and not _GENERIC.match(own) else set()
    school, rest = found.group("school"), _rest(found.group("rest"))
    rank, own = _without_place(rest, where)
    if not _GENERIC.match(own):
        return {own, *(short + own for short in _short_schools(school))}
    # 附属北京儿童医院 is that city's; 北京大学深圳医院 is one of several that are called so.
    named = {f"{rank}:{own}"} if rank and "附属" in text and own != "医院" else set()
    if not rest or rest in ("医院", "院"):
        rest = "附属医院"
    shorts = _short_schools(school)
    return named | {f"{short}|{rest.replace('人民', '')}" for short in shorts} | {short + rest for short in shorts}


def _rest(rest: str) -> str:
    """What a university's hospital is called besides: 第一附属医院 as #1医院."""
    if numbered := _NUMBERED.match(rest):
        rest = numbered.group("number") + (numbered.group("rest") or "医院")
    return rest.removeprefix("附属")


def _short_schools(school: str) -> set[str]:
    """What people call a university: 浙大 and 浙医 for 浙江大学医学院, 重医 for 重庆医科大学."""
    stem = re.sub(r"(医学院|医学部|药学院)$", "", school) or school
    for end in ("中医药大学", "中医大学", "中医学院", "医药大学", "医科大学", "医学院", "医大", "大学"):
        if stem.endswith(end) and len(stem) > len(end):
            first, kind = stem[: -len(end)], "中医" if "中医" in end else ("医" if "医" in end else "大")
            shorts = {first[:1] + kind, first[:1] + kind + ("大" if kind != "大" else ""), first + kind}
            if (kind == "大" and school != stem) or (first, kind) == ("北京", "大"):
                shorts |= {first[:1] + "医", first + "医"}
            return shorts
    return {stem}


def _figures(numeral: str) -> str:
    """一百零二 as 102; what is in figures stays."""
    if numeral.isascii():
        return numeral
    if "十" not in numeral and "百" not in numeral:
        return "".join(str(_DIGITS.get(figure, figure)) for figure in numeral)
    total, last = 0, 0
    for figure in numeral:
        if figure in ("十", "百"):
            total, last = total + (last or 1) * (10 if figure == "十" else 100), 0
        elif figure.isascii():
            last = int(figure)
        else:
            last = _DIGITS[figure]
    return str(total + last)
