"""How urine and stool look, and what a culture grew: words that only the reference beside them makes good or bad."""

from __future__ import annotations

import re
from typing import Literal

from booking.reports.reading.folding import folded
from booking.reports.reading.qualities import quality_of, without_result
from booking.reports.reading.statements import statement_of

_LOOKS = (
    (
        "clear 清 清亮 透明 清澈 澄清 清晰透明 黄色透明 transparent",
        "cloudy turbid hazy slightly_cloudy slightly_turbid slightly_hazy very_cloudy milky bloody 浑浊 混浊 微浑 微混 "
        "微浊 浊 轻度浑浊 轻度混浊 半透明 乳糜状 血性",
    ),
    (
        "yellow light_yellow pale_yellow straw amber colorless colourless 黄 黄色 淡黄 淡黄色 浅黄 浅黄色 无色",
        "red pink brown dark_brown cola-colored cola-coloured tea-colored tea-coloured orange bloody 红 红色 淡红色 "
        "粉红色 洗肉水样 茶色 浓茶色 酱油色 棕色 褐色 乳白色 血红色 深褐色",
    ),
    (
        "soft formed soft_formed 软 软便 成形 成形便 成形软便 黄软便 黄色软便",
        "watery loose mucoid bloody mucus hard 稀便 稀 水样 水样便 稀水便 粘液便 黏液便 脓血便 "
        "粘液血便 黏液血便 糊状便 血便 柏油样便",
    ),
    ("pass passed 通过", "refer referred fail failed not_passed 未通过 不通过"),
    ("compatible 相合 相容", "incompatible 不相合 不合 不相容"),
    ("present 存在 引出 可引出", "absent 消失 减弱 未引出 diminished"),
    (
        "brown yellow yellow-brown yellowish_brown light_brown 黄 黄色 棕 棕色 黄褐色 棕黄色 褐色",
        "black tarry red clay-colored clay-coloured maroon 黑 黑色 柏油样 红色 鲜红色 暗红色 陶土色 白陶土色 灰白色",
    ),
)
_TABLE = tuple(tuple(frozenset(words.split()) for words in look) for look in _LOOKS)
_PART = re.compile(
    r"\s*(?:或者|或|及|和|至|/|~|,|;|\bor\b|\bto\b|(?<=none) ?- ?|(?<=negative) ?- ?|(?<=rare) ?- ?|(?<=neg) ?- ?)\s*"
)
_AMOUNTS = (
    "negative none absent none_seen not_seen 阴性 无 未见 (-) -",
    "rare occasional occ 偶见 极少",
    "few few_seen scant small 少 少许 少量",
    "moderate some 中等 中量 中等量",
    "many numerous large abundant 多 多量 大量 较多 满视野",
)
_AMOUNT = {word: step for step, words in enumerate(_AMOUNTS) for word in words.split()}
_IMMUNE = re.compile("(?<!not )(?<!non-)(?<!non)immune|有免疫力|有保护")
_HAS = re.compile("(?:positive|pos|reactive|detected|immune|阳性|检出|有免疫力)(?![a-z])")
_LACKS = re.compile(
    "(?:negative|neg|non-?reactive|not (?:immune|detected|reactive)|undetected|absent|non-?immune|susceptible"
    "|阴性|未检出|无免疫力)(?![a-z])"
)
_GROWTH = re.compile("生长|growth|grew|培养|culture|smear|gram stain|涂片|革兰")
_GREW = re.compile(
    "菌|coli|aureus|albicans|klebsiella|streptococc|enterococc|pseudomonas|proteus|candida|cfu|growth|生长|spp|cocci|bacilli|rods|yeast|hyphae"
)
_MANY = re.compile(r"(?:>|≥)?\s*(?:10\s*\^?\s*[5-9]|[1-9]00[,]?000)\s*(?:cfu|cfu/ml|个?/ml)")
"""What counts as an infection without a word of the laboratory: 10^5 of one named germ in a millilitre."""
_NO_MATTER = re.compile(
    "未|无|不(?!动)|正常|污染|杂菌|混合|待|no |not |normal|mixed|contamin|flora|pending|insignificant|sterile"
)
_FLORA = re.compile(
    "(?:有)?正常(?:咽喉部?|口腔|呼吸道|上呼吸道|皮肤|肠道|阴道)?菌群(?:生长)?"
    "|(?:(?:scant|light|moderate|heavy|mixed|few|abundant) )?(?:growth of )?(?:mixed )?(?:usual|normal) "
    "(?:[a-z]+ )?flora(?: isolated| present)?"
)
_SOME_FLORA = re.compile("(?:(?:mixed|normal|usual|commensal) )?(?:[a-z]+ )?flora(?: only)?|正常菌群(?:生长)?")
_RESISTANT = ("resistant", "耐药", "耐药(r)", "r(耐药)", "resistant (r)", "r (resistant)")
_SENSITIVE = ("susceptible", "sensitive", "敏感", "敏感(s)", "s(敏感)", "susceptible (s)", "s (susceptible)", "s")
_DRUG = re.compile("药敏|敏感性|susceptib|sensitivit|antibiogram")
_NO_WORD = ("-", "--", "/", "见报告", "见备注", "see report", "see comment", "n/a", "na")


def look_of(name: str, value: str, reference: str) -> Literal["normal", "abnormal", ""]:
    """What a look, or what grew, is beside its reference: `Cloudy` beside `Clear`, `软便` beside itself, bacteria
    beside `no growth`. Blank where nobody can tell."""
    plain, usual = folded(value).strip(" ."), folded(reference).strip(" .")
    if not usual and _GROWTH.search(folded(name)) and _MANY.search(plain) and not _NO_MATTER.search(plain):
        return "abnormal" if _GREW.search(plain.replace("cfu", "")) else ""
    if plain in _RESISTANT or (plain == "r" and _DRUG.search(folded(name))):
        return "abnormal"
    if plain in _SENSITIVE and _DRUG.search(folded(name)):
        return "normal"
    if _GROWTH.search(folded(name)) and _FLORA.fullmatch(plain) and (not usual or _FLORA.fullmatch(usual)):
        return "normal"
    if _GROWTH.search(folded(name)) and not usual and _only_flora(plain):
        return "normal"
    if not plain or not usual or len(plain) > 80 or len(usual) > 40 or without_result(plain) or plain in _NO_WORD:
        return ""
    if plain == usual and not re.search("[0-9]", plain) and not quality_of(plain):
        return "normal"
    good = [part.replace(" ", "_") for part in _PART.split(usual)]
    for fine, bad in _TABLE:
        if all(part in fine for part in good):
            word = plain.replace(" ", "_")
            if word in fine or word in good:
                return "normal"
            if word in bad:
                return "abnormal"
    if _IMMUNE.search(usual):
        return "normal" if _HAS.match(plain) else "abnormal" if _LACKS.match(plain) else ""
    if (step := _AMOUNT.get(plain.replace(" ", "_"))) is not None and (most := _most(good)) is not None and step:
        return "abnormal" if step > most else "normal"
    none = (
        quality_of(usual) == "negative"
        or _FLORA.fullmatch(usual)
        or re.fullmatch("no organisms? (?:seen|found)", usual)
    )
    if none and _GROWTH.search(f"{folded(name)} {usual}"):
        return "abnormal" if _GREW.search(plain) and not _NO_MATTER.search(plain) else ""
    return ""


def _only_flora(plain: str) -> bool:
    """Whether a culture grew what everybody has, and the laboratory says that nothing else did."""
    parts = [part.strip() for part in re.split("[,;.]", plain) if part.strip()]
    flora = [part for part in parts if _SOME_FLORA.fullmatch(part)]
    return 0 < len(flora) < len(parts) and all(part in flora or statement_of(part) == "negative" for part in parts)


def _most(usual: list[str]) -> int | None:
    """The largest usual amount; None if a word among them is none of amount."""
    steps = [_AMOUNT.get(word) for word in usual]
    known = [step for step in steps if step is not None]
    return max(known) if known and len(known) == len(steps) else None
