"""Reference ranges in words: bounds of every spelling, for both sexes and several ages in one text, and words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from booking.reports.reading.figures import ABOVE, BELOW, NUMBER, WITH_EQUAL, is_unit, number_of
from booking.reports.reading.folding import folded
from booking.reports.reading.qualities import Quality, quality_of
from booking.reports.reading.statements import statement_of
from booking.reports.reading.units import ucum

GROWN_UP = 18
CHILD_UNDER = 14
AFTER_MENOPAUSE = 56
BEFORE_MENOPAUSE = 39
"""Until the one age a range for women before the menopause is taken for hers, from the other one for those after it;
between them, nobody told us."""


@dataclass(frozen=True)
class Bounds:
    """A range. `low_open` and `high_open`: the bound itself is outside (`<1.7`). `unsure`: its commas can be decimal
    ones as well as thousands separators. `unit` is what stood behind it."""

    low: float | None
    high: float | None
    low_open: bool = False
    high_open: bool = False
    unsure: bool = False
    unit: str = ""


@dataclass(frozen=True)
class _Entry:
    """Bounds and whom they are for. `only` are conditions that we can't check (a phase, a pregnancy, a risk). `first`
    is the kind of label that came first: sex or age."""

    bounds: Bounds
    sex: str = ""
    from_age: int = 0
    to_age: int = 999
    good: bool | None = None
    only: tuple[str, ...] = ()
    menopause: bool = False
    first: str = ""

    @property
    def labels(self) -> int:
        return bool(self.sex) + (self.from_age > 0 or self.to_age < 999) + bool(self.only)


@dataclass(frozen=True)
class Reference:
    """What a delivered range text says for a person: bounds, or the words that are usual (`words`), or neither: then
    it is shown as delivered and nothing is judged. `either` are bounds of which one is this person's, but nobody knows which (smokers,
    phases of a cycle); a single one is hers only as long as she is as most people are (not pregnant). `between` are bounds that a text of several calls neither good nor
    bad (average). `plain` is the folded text."""

    plain: str = ""
    bounds: Bounds | None = None
    words: frozenset[Quality] = field(default_factory=frozenset)
    either: tuple[Bounds, ...] = ()
    between: tuple[Bounds, ...] = ()


_SPACE = r"\s*"
_SIGNED = rf"[+-]?{NUMBER}"
_IN_BRACKETS = rf"\([+-]?{NUMBER}\)"
_PLAIN = r"[+-]?[0-9]+(?:\.[0-9]+)?"
_SOME_UNIT = r"(?:\s*[a-z%‰℃°/][a-z0-9%‰℃°/^*.]{0,14})?"
_DASH = r"(?:-+|~+|至|到|to|—)"
_YEARS = r"(?:周岁|岁|years? old|years?|yrs?\.?|y\.?o\.?|y(?![a-z]))"
_OTHER_AGE = r"(?:个月|月龄|月|天|日龄|日|周|months?|mos?|weeks?|days?|hours?|小时)"

_PAIR = rf"[\[(]{_SPACE}{_PLAIN}{_SPACE},{_SPACE}{_PLAIN}{_SPACE}[\])]"

_SCANNER = re.compile(
    "|".join(
        (
            r"(?P<no_class>(?<![0-9.])0级|\bclass 0(?![0-9./]))",
            r"(?P<some_class>(?<![0-9.])[1-6]级|\bclass [1-6](?![0-9.]))",
            r"(?P<plus>\(\s*\+{1,4}\s*\))",
            r"(?P<minus>\(\s*-\s*\))",
            rf"(?P<spread>(?P<s_mid>{_SIGNED})?{_SPACE}±{_SPACE}(?P<s_by>{NUMBER}))",
            rf"(?P<pair>[\[(]{_SPACE}(?P<pair_low>{_PLAIN}){_SPACE},{_SPACE}(?P<pair_high>{_PLAIN}){_SPACE}[\])])",
            rf"(?P<ages_mixed>(?P<mixed_from>[0-9]{{1,3}}){_SPACE}(?P<mixed_unit>{_OTHER_AGE}){_SPACE}(?:-|~|至|到|to){_SPACE}"
            rf"(?P<mixed_to>[0-9]{{1,3}}){_SPACE}{_YEARS})",
            rf"(?P<other_age>(?:[<>≤≥]{_SPACE})?[0-9]+(?:{_SPACE}(?:-|~|至|到|"
            rf"to){_SPACE}[0-9]+)?{_SPACE}{_OTHER_AGE}(?![a-z]))",
            rf"(?P<ages>(?:ages?{_SPACE})?(?P<age_from>[0-9]{{1,3}}){_SPACE}{_YEARS}?{_SPACE}(?:-|~|至|到|"
            rf"to){_SPACE}(?P<age_to>[0-9]{{1,3}}){_SPACE}"
            rf"(?:{_YEARS}|(?={_SPACE}:{_SPACE}[0-9<>≤≥])))",
            rf"(?P<age_side>(?:ages?{_SPACE})?(?P<age_sign>[<>≤≥]|大于等于|小于等于|大于|"
            rf"小于){_SPACE}(?P<age_at>[0-9]{{1,3}}){_SPACE}{_YEARS})",
            rf"(?P<age_after>(?P<age_at2>[0-9]{{1,3}}){_SPACE}{_YEARS}{_SPACE}(?P<age_way>及?以上|及?以下|以内|and (?:over|"
            rf"older|above)|and (?:under|younger|below)))",
            rf"(?P<age_plus>(?:ages?{_SPACE})?(?P<age_at3>[0-9]{{1,3}}){_SPACE}(?:\+{_SPACE}{_YEARS}?|{_YEARS}{_SPACE}\+){_SPACE}(?:(?=:)|(?={_YEARS}|{_SPACE}[0-9<>≤≥])))",
            rf"(?P<between>(?P<b_low>{_IN_BRACKETS}|"
            rf"{_SIGNED}){_SOME_UNIT}{_SPACE}(?P<b_sep>{_DASH}|(?<=[0-9]){_SPACE}(?:和|与|and){_SPACE}(?=[0-9.]+{_SPACE}之间)|(?<=[0-9])\.\.+(?=[0-9])){_SPACE}(?P<b_high>{_IN_BRACKETS}|[+-]?{NUMBER}))",
            rf"(?P<around>(?P<a_low>{_SIGNED}){_SPACE}(?P<a_open>[<≤]){_SPACE}[a-z\u4e00-\u9fff][a-z0-9\u4e00-\u9fff-]{{0,9}}{_SPACE}(?P<a_open2>[<≤]){_SPACE}(?P<a_high>{_SIGNED}))",
            rf"(?P<both>(?P<c_sign>{ABOVE}){_SPACE}(?P<c_low>{_SIGNED}){_SOME_UNIT}{_SPACE}(?:且|并|和|,|and|"
            rf"&)?{_SPACE}(?P<c_sign2>{BELOW}){_SPACE}(?P<c_high>{_SIGNED}))",
            rf"(?P<amid>\bbetween{_SPACE}(?P<m_low>{_SIGNED}){_SPACE}(?:and|&){_SPACE}(?P<m_high>{_SIGNED}))",
            rf"(?P<below>(?P<below_sign>{BELOW}){_SPACE}(?P<below_at>{_SIGNED}))",
            rf"(?P<above>(?P<above_sign>{ABOVE}){_SPACE}(?P<above_at>{_SIGNED}))",
            rf"(?P<until>(?P<until_at>{_SIGNED}){_SOME_UNIT}{_SPACE}及?(?P<until_way>以下|以内|以上|or less|or more|or "
            rf"below|or above|and above|and below))",
            rf"(?P<from>(?P<from_at>{_SIGNED}){_SPACE}[-~](?!{_SPACE}[0-9+(.-]))",
            rf"(?P<to>(?<![0-9a-z]){_SPACE}~{_SPACE}(?P<to_at>{NUMBER}))",
            r"(?P<after>绝经后女性|绝经后妇女|绝经后期|绝经后|绝经期|\bpost-?\s?menopausal(?: women| females?)?\b)",
            r"(?P<before>绝经前女性|绝经前妇女|绝经前期?|\bpre-?\s?menopausal(?: women| females?)?\b)",
            r"(?P<female>成年女性?|成年女|女性?|\bfemales?\b|\bwom[ae]n\b|\bgirls?\b|\bf\b|♀)",
            r"(?P<male>成年男性?|成年男|男性?|\bmales?\b|\bm[ae]n\b|\bboys?\b|\bm\b|♂)",
            r"(?P<adult>成年人?|成人|\badults?\b)",
            r"(?P<child>儿童|小儿|\bchild(?:ren)?\b)",
            r"(?P<safe>低危|低风险|\blow[ -]risk\b|\blower risk\b)",
            r"(?P<risk>风险|\brisk\b)",
            r"(?P<healthy>非糖尿病(?:者|人群)?|健康(?:人|者|人群)?|\bnon-?diabetics?\b|\bhealthy\b)",
            r"(?P<lacks>\bnon-?immune\b|\bnot immune\b|\bsusceptible\b|\bnot protected\b|无免疫力|无保护(?:力|作用)?|未免疫)",
            r"(?P<has>\bimmune\b|\bimmunity\b|\bprotected\b|有免疫力|有保护(?:力|作用)?)",
            r"(?P<suits>(?<![a-z0-9])s(?=\s*[:=]?\s*[<≤>≥]))",
            r"(?P<resists>(?<![a-z0-9])[ri](?=\s*[:=]?\s*[<≤>≥]))",
            r"(?P<bad>极?高风险|中高?风险|临界风险|糖尿病前期|糖尿病|边缘(?:升高)?|升高|偏高|增高|降低|偏低|极高|很高|缺乏|不足|过量|中毒|阳性|弱阳性|可疑|灰区|异常|高危|中危|轻度|中度|重度|偏瘦|消瘦|体重过低|超重|肥胖|"
            r"\bmild\b|\bmoderate\b|\bsevere\b|\bunderweight\b|\boverweight\b|\bobes(?:e|ity)\b|\bborderline\b|\bhigh\b|\bvery high\b|\blow\b|\bdeficien(?:t|cy)\b|\binsufficien(?:t|cy)\b|"
            r"\bpos(?:itive)?\b|\bequivocal\b|\bdiabet(?:es|ic)\b|"
            r"\bprediabet(?:es|ic)\b|\btoxic(?:ity)?\b|\babnormal\b|\bindeterminate\b|\breactive\b)",
            r"(?P<good>合适范围|合适水平|合适|理想范围|理想水平|理想|适宜|充足|正常(?!值|参考)|阴性|\bdesirable\b|\boptimal\b|\bnormal\b(?! "
            r"range)|\bneg(?:ative)?\b|"
            r"\bsufficien(?:t|cy)\b|\bnon-?reactive\b)",
            r"(?P<idle>\bn(?=\s*:)|\bt(?=\s*[<>≤≥])|\bexpected(?: values?)?\b|\bcut-?\s?off\b|\b(?:elisa|eclia|clia|hplc|elfa|ria|lc-?ms(?:/ms)?|ngsp|ifcc|dcct|nephelometry|turbidimetry|jaffe|enzymatic|"
            r"westergren)\b|为|表示|属于|筛查|初筛|判定|提示|介于|之间|between|生物参考区间|参考区间|参考范围|参考值|参考|正常参考值|正常值|正常范围|范围|区间|reference(?: (?:range|interval|value)s?)?|"
            r"ref\.?(?: range)?|"
            r"normal range|range|interval|\bages?\b|\bi\.?e\.?\b|[^\s()\[\];,:]{0,12}法)",
            rf"(?P<mark>(?:(?!{_PAIR})[;,:/\s()\[\]|.。])+)",
            r"(?P<word>[a-z%‰℃°][a-z0-9%‰℃°^*/.\[\]{}~-]*|[\u3400-\u9fff]+?(?=[^\u3400-\u9fff]|男|女|成人|儿童|$)|.)",
        )
    )
)
_ENDS = re.compile(r"\s*(?:[;,/|)\]。]|\.(?![0-9])|$)")
_CLOSES = re.compile(r"[^0-9<>≤≥;,/|)\]。]*(?:[;,/|)\]。]|$)")
_COUNT = re.compile(
    r"(?:[x*]\s*)?10\s*[\^~e*]{0,2}\s*(?:3|6|9|12)\s*/\s*(?:ul|l|mm3)\b|(?<![0-9a-z^])(?:cells)?/(?:ul|mm3)\b"
)
_CLEAR = re.compile(
    r"(?:x|\*)?\s*10\s*[\^~e*]{0,2}\s*(?:3|6|9|12)\s*/\s*(?:ul|ml|l|mm3)\b|(?:/|个/)(?:\[?hpf?\]?|lpf?|hp视野|高倍视野)|[次个拍]/[a-z分\u4e00-\u9fff]{1,3}|\(?(?:the )?99th percentile(?: url)?\)?|\(?第99百分位数?(?:值)?\)?"
)


def reference_of(text: str, sex: str, age: int, name: str) -> Reference:
    """What a range text says for a person of that sex and age (years). `name` is the result's: `空腹` applies to a
    result that is called so."""
    plain = folded(text)
    words = _usual_words(plain)
    if words:
        return Reference(plain, None, words)
    if _FROM_NONE.match(plain):
        return Reference(plain, Bounds(None, 0.0))
    plain = _of_a_risk(plain, folded(name))
    entries = _aimed_at(_by_risk(_with_headings(list(_entries(_CLEAR.sub(" ", plain)))), plain), folded(name))
    counts = {ucum(found[0]) for found in _COUNT.finditer(plain)} - {""}
    if len(counts) == 1:
        entries = [replace(entry, bounds=replace(entry.bounds, unit=next(iter(counts)))) for entry in entries]
    between = tuple(entry.bounds for entry in entries if entry.only and set(entry.only) <= _AVERAGE)
    chosen = _chosen(entries, sex, age, folded(name))
    return Reference(plain, chosen, either=() if chosen else _either(entries, sex, age), between=between)


_FROM_NONE = re.compile(r"0\s*[:=(]?\s*(?:none|no [a-z ]{3,20}|无[\u4e00-\u9fff]{0,6})\)?\s*[;,](?=.*[0-9])")
"""Bands that begin with none at all: `0: none; 1-99: mild; 100-399: moderate`."""
_BANDS_OF_RISK = re.compile(r"\blow\b.*[;,].*\bhigh\b")


def _of_a_risk(plain: str, name: str) -> str:
    """The bands of a risk with its low one as the good one, and the intermediate one as none that is."""
    if not re.search("risk|风险", name) or not _BANDS_OF_RISK.search(plain):
        return plain
    return re.sub(r"\bintermediate\b", "borderline", re.sub(r"\blow\b(?! ?-?risk)", "low risk", plain))


_AS_MOST_ARE = {
    "未孕",
    "非孕",
    "未妊娠",
    "非妊娠",
    "非妊娠期",
    "非孕期",
    "non-pregnant",
    "nonpregnant",
    "not",
    "pregnant",
}
_AVERAGE = {"average", "average risk", "中等", "一般", "intermediate"}
_OR = re.compile(r"\s*(?:或者|或|及|和|/|~|,|;|\bor\b|\bto\b|至|(?<=[a-z])-(?=[a-z]))\s*")
_BOUND = re.compile("[<>≤≥0-9]")
_HEAD = re.compile(r"^(?:参考值|参考范围|正常值|ref(?:erence)?(?: range)?)\s*[:：]?\s*")


def _usual_words(plain: str) -> frozenset[Quality]:
    """The qualities that are usual by a text like `阴性或弱阳性`; empty if it is anything else."""
    bare = _HEAD.sub("", plain)
    whole = quality_of(bare) or ("negative" if statement_of(bare) == "negative" and not _BOUND.search(bare) else "")
    if whole:
        return frozenset((whole,))
    if re.search("[0-9]", bare):
        return frozenset()
    found = [quality_of(part) for part in _OR.split(bare)] if len(bare) <= 40 else []
    return frozenset(found) if len(found) > 1 and all(found) else frozenset()


_LIKE_A_UNIT = re.compile(
    r"[x+=*]|[a-z0-9.*^%{}\[\]]{1,14}/[a-z0-9.*^{}\[\]]{1,14}|units?|index|ratio|titer|score|cells"
)


def _entries(plain: str) -> Iterator[_Entry]:
    """Each range of a text with what it is for: labels stand before it, or in brackets behind it."""
    labels = _Entry(Bounds(None, None))
    behind = _words_stand_behind(plain)
    waiting: _Entry | None = None
    bare: _Entry | None = None
    brackets = 0
    for token in _SCANNER.finditer(plain):
        kind, text = next(name for name in _KINDS if token[name] is not None), token[0]
        if kind == "mark":
            brackets += text.count("(") + text.count("[") - text.count(")") - text.count("]")
            if waiting is not None and brackets <= 0 and re.search(r"[;,/|]|[)\]]", text):
                yield waiting
                waiting = bare = None
            continue
        kind = _MEANS.get(kind, kind)
        if kind in ("idle", "risk") or (kind == "word" and (is_unit(text) or _LIKE_A_UNIT.fullmatch(text))):
            if kind == "word" and waiting is not None and is_unit(text):
                waiting = replace(waiting, bounds=replace(waiting.bounds, unit=waiting.bounds.unit or text))
            continue
        bounds = _bounds(kind, token)
        if bounds is not None:
            if waiting is not None and bare is not None and brackets > 0:
                yield bare  # `0.9-1.1 (treated 2-3)`: what stands in the brackets is of the bounds in them
                labels = replace(waiting, bounds=labels.bounds)
            elif waiting is not None:
                yield waiting
            waiting, bare = replace(labels, bounds=bounds), None
            labels = _Entry(Bounds(None, None))
        elif waiting is not None and brackets > 0 and not (bare is None and _is_said_before(waiting, kind)):
            bare = bare or waiting
            waiting = _labelled(waiting, kind, token)
        elif waiting is not None and kind in ("good", "bad") and waiting.good is None:
            # A word behind bounds is theirs if nothing follows it; between two bounds nobody knows whose it is.
            its = behind or _ENDS.match(plain, token.end())
            waiting = _labelled(waiting, kind if its else "bad", token)
            if not its:
                labels = _labelled(labels, "bad", token)
        elif waiting is not None and brackets <= 0 and _CLOSES.match(plain, token.end()):
            waiting = _labelled(waiting, kind, token)  # `3-6 男，2-5 女`: no bounds follow that it could be of
        else:
            if waiting is not None:
                yield waiting
                waiting = None
            labels = _labelled(labels, kind, token)
    if waiting is not None:
        yield waiting


def _words_stand_behind(plain: str) -> bool:
    """Whether bounds and categories take turns from the first bounds to a last word, as in `<5.2 合适 ≥6.2 升高`: then each
    word is of the bounds before it."""
    turns = []
    for token in _SCANNER.finditer(plain):
        kind = next(name for name in _KINDS if token[name] is not None)
        if _bounds(kind, token) is not None:
            turns.append("bounds")
        elif _MEANS.get(kind, kind) in ("good", "bad"):
            turns.append("word")
    return len(turns) > 2 and turns == ["bounds", "word"] * (len(turns) // 2)


def _is_said_before(entry: _Entry, kind: str) -> bool:
    """Whether bounds have such a label already, so that one in brackets behind them begins the next: `(男)3-6 (女)2-5`."""
    if kind in ("female", "male"):
        return bool(entry.sex)
    return kind in _AGES and (entry.from_age > 0 or entry.to_age < 999)


_MEANS = {
    **dict.fromkeys(("safe", "healthy", "has", "minus", "suits", "no_class"), "good"),
    **dict.fromkeys(("lacks", "plus", "resists", "some_class"), "bad"),
}
"""What a word of its own kind says of the bounds beside it."""
_AGES = ("adult", "child", "ages", "ages_mixed", "age_side", "age_after", "age_plus")
_KINDS = (
    "no_class", "some_class", "plus", "minus", "pair", "spread", "ages_mixed", "other_age", "ages", "age_side", "age_after", "age_plus",
    "between", "around", "amid", "both", "below", "above", "until", "from", "to", "after", "before", "female", "male", "adult",
    "child", "healthy", "lacks", "has", "suits", "resists", "safe", "risk", "bad", "good", "idle", "mark", "word",
)  # fmt: skip


def _with_headings(entries: list[_Entry]) -> list[_Entry]:
    """Entries with what an earlier one heads: the ages of `男：20-59岁 57-97；60-79岁 57-111` are all men's, and the sexes of
    `<50岁：男0-15 女0-20` are all under 50."""
    made: list[_Entry] = []
    heading: _Entry | None = None
    for entry in entries:
        aged = entry.from_age > 0 or entry.to_age < 999
        if entry.sex and aged:
            heading = entry
        elif heading is not None and heading.first == "sex" and aged:
            entry = replace(entry, sex=heading.sex)
        elif heading is not None and heading.first == "age" and entry.sex:
            entry = replace(entry, from_age=heading.from_age, to_age=heading.to_age)
        elif entry.sex or aged:
            heading = None
        made.append(entry)
    return made


def _labelled(entry: _Entry, kind: str, token: re.Match[str]) -> _Entry:
    if not entry.first and kind in ("female", "male", "after", "before"):
        entry = replace(entry, first="sex")
    elif not entry.first and kind in _AGES:
        entry = replace(entry, first="age")
    if kind in ("female", "male"):
        made = replace(entry, sex=kind)
        return replace(made, from_age=max(GROWN_UP, entry.from_age)) if token[0].startswith("成年") else made
    if kind == "after":
        return replace(entry, sex="female", from_age=max(AFTER_MENOPAUSE, entry.from_age), menopause=True)
    if kind == "before":
        return replace(entry, sex="female", to_age=min(BEFORE_MENOPAUSE, entry.to_age), menopause=True)
    if kind == "adult":
        return replace(entry, from_age=max(GROWN_UP, entry.from_age))
    if kind == "child":
        return replace(entry, to_age=min(CHILD_UNDER - 1, entry.to_age))
    if kind == "ages":
        return replace(entry, from_age=int(token["age_from"]), to_age=int(token["age_to"]))
    if kind == "ages_mixed":
        months = int(token["mixed_from"]) if "月" in token["mixed_unit"] or token["mixed_unit"].startswith("mo") else 1
        return replace(entry, from_age=-(-months // 12), to_age=int(token["mixed_to"]))
    if kind == "age_side":
        return _aged(entry, token["age_sign"], int(token["age_at"]))
    if kind == "age_after":
        way = token["age_way"]
        return _aged(entry, "≥" if re.search("上|over|older|above", way) else "≤", int(token["age_at2"]))
    if kind == "age_plus":
        return replace(entry, from_age=int(token["age_at3"]))
    if kind in ("good", "bad"):
        return replace(entry, good=kind == "good" and entry.good is not False)
    return replace(entry, only=(*entry.only, token[0]))


def _aged(entry: _Entry, sign: str, age: int) -> _Entry:
    if sign in (">", "大于"):
        return replace(entry, from_age=age + 1)
    if sign in ("≥", "大于等于"):
        return replace(entry, from_age=age)
    return replace(entry, to_age=age - 1 if sign in ("<", "小于") else age)


def _bounds(kind: str, token: re.Match[str]) -> Bounds | None:
    if kind == "pair":
        return _range(token["pair_low"], token["pair_high"])
    if kind == "spread":
        (middle, _), (by, unsure) = number_of(token["s_mid"] or "0"), number_of(token["s_by"])
        return Bounds(round(middle - by, 6), round(middle + by, 6), unsure=unsure)
    if kind == "between":
        low = token["b_low"].strip("()")
        if low.startswith("-") and token["b_sep"] == "--" and not token["b_high"].startswith(("+", "-", "(")):
            return None  # `-5--3`: to three, or to minus three?
        return _range(low, token["b_high"].strip("()"))
    if kind == "around":
        found = _range(token["a_low"], token["a_high"])
        return replace(found, low_open=token["a_open"] == "<", high_open=token["a_open2"] == "<") if found else None
    if kind == "both":
        found = _range(token["c_low"], token["c_high"])
        return (
            replace(found, low_open=_is_open(token["c_sign"]), high_open=_is_open(token["c_sign2"])) if found else None
        )
    if kind == "amid":
        return _range(token["m_low"], token["m_high"])
    if kind == "below":
        high, unsure = number_of(token["below_at"])
        return Bounds(None, high, high_open=_is_open(token["below_sign"]), unsure=unsure)
    if kind == "above":
        low, unsure = number_of(token["above_at"])
        return Bounds(low, None, low_open=_is_open(token["above_sign"]), unsure=unsure)
    if kind == "until":
        at, unsure = number_of(token["until_at"])
        up = token["until_way"] in ("以上", "or more", "or above", "and above")
        return Bounds(at, None, unsure=unsure) if up else Bounds(None, at, unsure=unsure)
    if kind == "from":
        low, unsure = number_of(token["from_at"])
        return Bounds(low, None, unsure=unsure)
    if kind == "to":
        high, unsure = number_of(token["to_at"])
        return Bounds(None, high, unsure=unsure)
    return None


def _is_open(sign: str) -> bool:
    return not WITH_EQUAL.search(sign)


def _range(first: str, second: str) -> Bounds | None:
    (low, unsure), (high, also) = number_of(first), number_of(second)
    if low == high == 0:
        return None
    return Bounds(min(low, high), max(low, high), unsure=unsure or also)


_AIMS = frozenset(
    {
        "target",
        "goal",
        "therapeutic",
        "on",
        "warfarin",
        "recommended",
        "level",
        "levels",
        "治疗",
        "治疗窗",
        "治疗范围",
        "有效",
    }
    | {
        "治疗浓度",
        "治疗目标",
        "有效浓度",
        "有效血药浓度",
        "治疗有效浓度",
        "目标",
        "目标值",
        "目标范围",
        "控制目标",
        "推荐",
    }
)
_THINS_BLOOD = re.compile("(?<![a-z])inr(?![a-z])|国际标准化|凝血酶原|prothrombin")
_TREATED = re.compile("warfarin|华法林|抗凝|anticoag")
"""Whose blood isn't thinned has an INR far below what the treatment aims at, and nobody told us whether it is."""


def _aimed_at(entries: list[_Entry], name: str) -> list[_Entry]:
    """Entries of a text whose only range is what a treatment aims at, perhaps with one that is called toxic beside it."""
    aims = [entry for entry in entries if entry.only and set(entry.only) <= _AIMS and entry.good is None]
    if _THINS_BLOOD.search(name) and not _TREATED.search(name):
        return entries
    if len(aims) != 1 or any(entry.good is not False for entry in entries if entry is not aims[0]):
        return entries
    return [replace(entry, only=(), good=True) if entry is aims[0] else entry for entry in entries]


def _by_risk(entries: list[_Entry], plain: str) -> list[_Entry]:
    """Entries of a text that gives each group of risk an aim of its own (`中低危<3.4；高危<2.6`) as conditions: nobody told
    us the group, and the words are not categories of the value, since all bounds are at one side."""
    sides = {(entry.bounds.low is None, entry.bounds.high is None) for entry in entries}
    groups = len(re.findall("危(?!急)", plain))
    if len(entries) < 2 or groups != len(entries) or sides not in ({(True, False)}, {(False, True)}):
        return entries
    return [replace(entry, good=None, only=(*entry.only, "危")) for entry in entries]


def _either(entries: list[_Entry], sex: str, age: int) -> tuple[Bounds, ...]:
    could = [
        entry
        for entry in entries
        if entry.sex in ("", sex) and (entry.from_age <= age <= entry.to_age or entry.menopause)
    ]
    if len(could) == 1:
        could = [entry for entry in could if _as_most_are(entry.only)]
    elif not _by_condition(could) and any(entry.good is False for entry in could):
        return ()
    return tuple({entry.bounds: None for entry in could})


def _as_most_are(conditions: tuple[str, ...]) -> bool:
    """Whether conditions only say that she is not pregnant."""
    said = set(conditions)
    return bool(said) and said <= _AS_MOST_ARE and ("pregnant" not in said or "not" in said)


def _by_condition(entries: list[_Entry]) -> bool:
    """Whether the words beside bounds are not categories of the value but people that each is for, as in
    `低危<3.4；高危<2.6`: then a good range and a bad one end at the same side."""
    sides = [
        {(each.bounds.low is None, each.bounds.high is None) for each in entries if each.good is good}
        & {(True, False), (False, True)}
        for good in (True, False)
    ]
    return bool(sides[0] & sides[1])


def _chosen(entries: list[_Entry], sex: str, age: int, name: str) -> Bounds | None:
    """The one range that is for this person: the most closely labelled; None if there is none, or two differ."""
    if _by_condition(entries):
        return None
    if _both_ways(entries):
        return None
    if any(entry.good for entry in entries):
        entries = [entry for entry in entries if entry.good]
    suiting = [
        entry
        for entry in entries
        if entry.sex in ("", sex)
        and entry.from_age <= age <= entry.to_age
        and entry.good is not False
        and all(word in name for word in entry.only)
    ]
    if not suiting:
        return None
    closest = max(entry.labels for entry in suiting)
    found = {entry.bounds for entry in suiting if entry.labels == closest}
    if len(found) > 1 and all(entry.good for entry in suiting):
        return _widest(list(found))
    return found.pop() if len(found) == 1 else None


def _both_ways(entries: list[_Entry]) -> bool:
    """Whether a text without a good range has bounds below which and bounds above which: one of the two is what it warns of."""
    ways = {(entry.bounds.low is None, entry.bounds.high is None) for entry in entries if entry.good is not False}
    return not any(entry.good for entry in entries) and {(True, False), (False, True)} <= ways


def _widest(good: list[Bounds]) -> Bounds | None:
    """The one of several good ranges that holds the others, as in `理想<2.6；合适<3.4`; None if there is none."""
    if all(each.low is None and each.high is not None for each in good):
        return max(good, key=lambda each: each.high or 0)
    if all(each.high is None and each.low is not None for each in good):
        return min(good, key=lambda each: each.low or 0)
    return None
