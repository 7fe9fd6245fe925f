"""A query as it is understood: the places it names, its tiers, and the words that remain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache

from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.english.places import cities, provinces
from marketplace.catalog.query.short_forms import short_form
from marketplace.catalog.terms import normalise, pairs

_HAN = re.compile(r"[㐀-鿿]+")
_LATIN = re.compile(r"[a-z0-9]+")
_RUNS = re.compile(r"[㐀-鿿]+|[^㐀-鿿]+")
_PINYIN_PREFIX = 6
_ALIKE = 0.8
_MOST_WORDS = 8
_BETWEEN_WORDS = re.compile(r"[,;:!?()\[\]{}<>|/、。·《》〈〉【】〔〕「」“”\"~…—]+")
_TIER = re.compile(r"([一二三])(?:级?([特甲乙丙])等?|级)(?!港)")
"""A tier inside a query, as in 上海三甲医院. 三甲港 is a place."""
_ENGLISH_TIER = re.compile(r"\b(?:(?:class|grade|tier|level)\s*)?([123])\s*-?\s*a\b")
_RANKS = ("", "特等", "甲等", "乙等", "丙等")

# Words that say nothing about which hospital, unless nothing else is said.
_GENERIC = frozenset(
    [
        "医院",
        "医",
        "院",
        "的",
        "在",
        "hospital",
        "hospitals",
        "the",
        "of",
        "and",
        "in",
        "at",
        "yiyuan",
        "yy",
        "dayiyuan",
        "大医院",
        "好医院",
        "哪家",
        "哪个",
        "附近",
        "最好",
        "城市",
        "市",
        "省",
        "clinic",
        "near",
    ]
)
_NOISE = ("预约挂号", "怎么走", "挂号", "预约", "电话", "地址", "附近", "官网", "陪诊")
_DEPARTMENT = re.compile(
    r"^(.{2,}?)(妇产科|妇科|产科|骨科|眼科|口腔科|牙科|儿科|内科|外科|神经内科|神经外科|心内科|消化科|肿瘤科|皮肤科|"
    r"泌尿科|呼吸科|急诊科?)$"
)


# What kind of hospital a word asks for, by the kinds of the catalogue.
_KINDS = (
    (re.compile(r"精神|心理|安定|脑科|mental|psychiatr"), "精神/脑科医院"),
    (re.compile(r"妇幼|妇儿|妇女儿童|妇保|maternity|maternal"), "妇幼保健院"),
    (re.compile(r"^(?:妇产|妇科|产科)"), "妇产医院"),
    (re.compile(r"^(?:儿童|儿科|小儿|children|pediatric|paediatric)"), "儿童医院"),
    (re.compile(r"口腔|牙科|牙医|dental|stomatolog|dentist"), "口腔医院"),
    (re.compile(r"肿瘤|癌|cancer|oncolog"), "肿瘤医院"),
    (re.compile(r"传染|胸科|肺科|结核|infectious|chest|pulmonary|tuberculosis"), "传染/胸科医院"),
    (re.compile(r"眼科|五官|耳鼻喉|^eye|ophthalm|^ent$"), "眼耳鼻喉医院"),
    (re.compile(r"骨科|骨伤|正骨|orthop"), "骨科医院"),
    (re.compile(r"皮肤|dermatolog|^skin"), "皮肤病医院"),
    (re.compile(r"心血管|心脏|cardiovascular|^heart|cardiac"), "心血管医院"),
    (re.compile(r"康复|疗养|rehabilitation|sanatorium"), "康复/疗养"),
    (re.compile(r"整形|美容|plastic|cosmetic"), "整形美容"),
    (re.compile(r"中西医结合"), "中西医结合医院"),
    (re.compile(r"中医|^tcm$|traditional"), "中医医院"),
)
_GENERAL = re.compile(
    r"^(?:第?[一二三四五六七八九十0-9]+)?(?:附属|大学|医科大学|[省市区县州立])*"
    r"(?:人民|中心|总|中医|中西医结合|妇幼保健?|妇产|妇产?科|产科|妇女|妇儿|儿童|儿科|口腔|牙科|肿瘤|精神|精神病|卫生|心理|"
    r"脑科|传染病|结核病|胸科|肺科|眼科|五官科|耳鼻喉科?|骨科|骨伤科?|皮肤病?|心血管病?|心脏病?|康复|整形|美容|红十字会?|友谊|"
    r"职工|专科|附属|第?[一二三四五六七八九十]+)*(?:医院|院|病院|卫生院|中心|卫生中心)?$"
)
"""A word that says nothing but what many cities have."""
_GENERAL_LATIN = re.compile(
    r"^(?:first|second|third|fourth|fifth|central|womens?|women|maternal|health|child|and|no|provincial|municipal|"
    r"county|district|teaching|renmin|zhongyi|shi|sheng|xian|qu|[0-9]+)$"
)
# Words of English names that many hospitals have: one of them may be missing.
_WEAK = frozenset(
    ("university", "college", "school", "medical", "medicine", "affiliated", "people", "peoples", "general", "city")
)


@dataclass(frozen=True)
class Word:
    """One word of a query. `short` is its short form, if it has another; `latin` its form for pinyin and English, or
    None if it cannot be that; `sound` its pinyin, for a word that was typed as another with the same sound; `kind` the
    kind of hospital it asks for; `weak` says that so many have it that it may be missing, `telling` that it is a name
    and not what many cities have."""

    text: str
    terms: tuple[str, ...]
    short: str | None = None
    short_terms: tuple[str, ...] = ()
    latin: str | None = None
    initial_terms: tuple[str, ...] = ()
    pinyin_terms: tuple[str, ...] = ()
    sound: str | None = None
    sound_terms: tuple[str, ...] = ()
    kind: str | None = None
    weak: bool = False
    telling: bool = True


@dataclass(frozen=True)
class PlaceWord:
    """A word that is a city or province, by their official names; it may be part of a hospital's name as well."""

    word: Word
    cities: tuple[str, ...]
    provinces: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A query. `whole` is all of it in one, in Chinese, `whole_latin` in Latin letters, `core` that without general
    words; blank if it is neither. `name` is the whole as one word, where it is Chinese and was parted."""

    words: tuple[Word, ...]
    places: tuple[PlaceWord, ...]
    tiers: tuple[str, ...]
    whole: str
    whole_latin: str
    core: str
    name: Word | None

    @property
    def cities(self) -> frozenset[str]:
        """The cities that it names."""
        return frozenset(city for place in self.places for city in place.cities)


@lru_cache(maxsize=2_000)
def asked(query: str) -> Asked:
    """What a query asks for. Signs between words part them as blanks do, a place is parted from what it is written
    together with, and a tier is no word. What follows the eighth word is left away: nobody names a hospital by more."""
    plain = normalise(query).replace("’", "'").replace("‘", "'")
    tiers = _tiers(plain)
    rest = _BETWEEN_WORDS.sub(" ", _ENGLISH_TIER.sub(" ", _TIER.sub(" ", plain)))
    for noise in _NOISE:
        rest = _without_noise(rest, noise)
    texts = list(dict.fromkeys(text for part in rest.split() for text in _runs(part)))
    places: dict[str, PlaceWord] = {}
    words: list[str] = []
    for text in texts:
        for part, place in _parted(text):
            if place is None:
                words.append(part)
            else:
                places.setdefault(part, place)
    telling = [text for text in words if not _generic(text)]
    if not telling and not places and not tiers:
        telling = words
    whole = "".join(texts)
    latin = _latin("".join(texts))
    core = _latin("".join(text for text in texts if not _generic(text)))
    parted = _HAN.fullmatch(whole) and len(whole) > 2 and len(telling) + len(places) > 1
    return Asked(
        tuple(_word(text) for text in list(dict.fromkeys(telling))[:_MOST_WORDS]),
        tuple(places.values()),
        tuple(tiers),
        whole if _HAN.search(whole) else "",
        latin if _LATIN.fullmatch(latin) else "",
        core if _LATIN.fullmatch(core) else "",
        _word(whole) if parted else None,
    )


def _latin(text: str) -> str:
    return text.replace("'", "").replace("-", "")


def _generic(text: str) -> bool:
    """Whether a word is one that every hospital has, a hospital mistyped as well."""
    return text in _GENERIC or (
        len(text) > 5
        and text.isascii()
        and any(SequenceMatcher(None, text, word).ratio() > _ALIKE for word in ("hospital", "yiyuan"))
    )


def _without_noise(text: str, noise: str) -> str:
    """The text without a word that is no part of a name, unless nothing would be left."""
    shorter = text.replace(noise, " ")
    return shorter if shorter.strip() else text


def _tiers(plain: str) -> list[str]:
    """The tiers that it names, in full: 三甲 is 三级甲等, 三级 is each of that level; 3A as well."""
    named = [(level, one) for level, one in _TIER.findall(plain)]
    named += [("一二三"[int(level) - 1], "甲") for level in _ENGLISH_TIER.findall(plain)]
    return [f"{level}级{rank}" for level, one in named for rank in ((f"{one}等",) if one else _RANKS)]


def _runs(text: str) -> Iterator[str]:
    """A word, parted where Chinese follows Latin letters: huaxi医院; digits belong to what follows (301医院)."""
    parts = _RUNS.findall(text)
    if len(parts) < 2 or any(not _LATIN.fullmatch(part) or part.isdigit() for part in parts if not _HAN.match(part)):
        yield text
        return
    if any(len(part) < 2 for part in parts):
        yield text
        return
    yield from parts


def _parted(text: str) -> Iterator[tuple[str, PlaceWord | None]]:
    """The word without the places at its beginning and end, and these."""
    rest = text if _HAN.search(text) else text.replace("'", "")
    for _ in range(3):
        place = _place_at_start(rest)
        if place is None:
            break
        yield place, _place_word(place)
        rest = rest[len(place) :]
        if not rest:
            return
    place = _place_at_end(rest)
    if place is not None:
        yield place, _place_word(place)
        rest = rest[: -len(place)]
    department = _DEPARTMENT.match(rest)
    if department:
        yield department[1], None
        rest = department[2]
    yield rest, None


def _place_at_start(text: str) -> str | None:
    return next(
        (form for form in _forms(text[:1]) if text.startswith(form) and _may_part(text[len(form) :], form)), None
    )


def _place_at_end(text: str) -> str | None:
    if not _HAN.search(text):
        return None
    return next((form for form in _all_forms() if text.endswith(form) and len(text) - len(form) >= 2), None)


def _may_part(rest: str, form: str) -> bool:
    if not rest:
        return True
    if form.isascii():
        return len(rest) >= 3 and len(form) >= 5
    return len(rest) >= 2


@cache
def _index() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Cities and provinces by what is typed for them."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for city in cities():
        for form in (normalise(city.name), normalise(city.short), *city.latin):
            if len(form) > 1:
                found.setdefault(form, ([], []))[0].append(city.name)
    official = {english: name for name, english in reversed(provinces().items()) if len(name) > 2}
    for name, english in provinces().items():
        for form in (normalise(name), english.lower().replace(" ", "")):
            full = next((each for each in provinces() if len(each) > 2 and provinces()[each] == english), name)
            if full not in found.setdefault(form, ([], []))[1] and full in official.values():
                found[form][1].append(full)
    return {form: (tuple(dict.fromkeys(inside)), tuple(around)) for form, (inside, around) in found.items()}


@cache
def _all_forms() -> tuple[str, ...]:
    return tuple(sorted((form for form in _index() if not form.isascii()), key=lambda form: (-len(form), form)))


@cache
def _by_first() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for form in sorted(_index(), key=lambda form: (-len(form), form)):
        found.setdefault(form[0], []).append(form)
    return {first: tuple(forms) for first, forms in found.items()}


def _forms(first: str) -> tuple[str, ...]:
    return _by_first().get(first, ())


def _place_word(form: str) -> PlaceWord:
    inside, around = _index()[form]
    return PlaceWord(_word(form), inside, around)


def _word(text: str) -> Word:
    short = short_form(text) if _HAN.search(text) else text
    latin = _latin(text)
    spelled = ""
    if _LATIN.fullmatch(latin):
        spelled = latin if len(latin) > 1 else ""
    sound = "".join(syllables(text)) if _HAN.fullmatch(text) and len(text) > 1 else ""
    return Word(
        text,
        _terms(text),
        short if short != text and len(short) > 1 else None,
        _terms(short),
        spelled or None,
        tuple(dict.fromkeys("~" + pair for pair in pairs(spelled))),
        ("^" + spelled[:_PINYIN_PREFIX],) if spelled else (),
        sound or None,
        ("^" + sound[:_PINYIN_PREFIX],) if sound else (),
        next((kind for pattern, kind in _KINDS if pattern.search(text)), None),
        text.replace("'", "") in _WEAK,
        not (_GENERAL.match(text) or _GENERAL_LATIN.match(_latin(text)) or _latin(text) in _WEAK),
    )


def _terms(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pairs(text))) or (text,)
