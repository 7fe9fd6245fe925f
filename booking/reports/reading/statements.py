"""What was found, told with its subject: `HPV16、58阳性`, `检出蛔虫卵`, `No AFB seen`, `Negative for Influenza A`.

Read part by part, and only where each part is such a statement: positive if one is, negative if all are.
"""

from __future__ import annotations

import re

from booking.reports.reading.folding import folded
from booking.reports.reading.qualities import Quality, quality_of, without_result

_LONGEST = 80
_PART = re.compile(r"[,;。]|\.(?![0-9])|\band\b|(?<=\)) ")
_OPEN = re.compile(
    "可能|疑|待|假(?!丝|单胞)|除外|排除|不能|对照|既往|治疗|考虑|复检|污染|杂菌|混合|建议|正常|菌群|乳酸杆菌|精子|免疫力|保护|抗体|疫苗|血型|标本|样本|样品|质控|内参|试剂|报告|检[出测]下限|无法|"
    "false|sample|specimen|reagent|report|drawn|doubt|control|possib|probab|cannot|suspect|exclud|previous|history|pending|repeat|normal|flora|contamin|lactobac|sperm|"
    "immun|antibod|vaccin|insufficient|unable|invalid|(?<![a-z])(?:igg|ab|rh)(?![a-z])"
)
"""Words that leave it open, speak of another time, or of what is good to have: nothing is told of a text with one."""
SOUGHT = re.compile(
    "菌|虫|孢子|病毒|真菌|霉|hpv|核酸|dna|rna|抗原|培养|梅毒|艾滋|hiv|结核|涂片|癌细胞|恶性细胞|血清学|流感|新冠|cov|virus|cultur|smear|"
    "bacill|afb|parasit|ova|salmonella|shigella|pathogen|organism|fung|yeast|malaria|influenza|strep|antigen|toxin|chlamydia|"
    "gonorrh|trichomonas|candida|tppa|trust|寄生|管型|结晶|细胞|隐血|潜血|霉菌|脂肪球|粘液|黏液|"
    "cast|crystal|cells|blood|mucus|growth|生长|cryptococc|aureus|coli|mutation|突变|variant|clue|band|blast|element|hypha|spore|cyst|larva|worm|egg|flagell|monil|phage"
)
"""What a laboratory looks for, so that not finding it is good news: of a gall bladder that isn't seen it is not."""
_NOT = re.compile("未|无|没|不|非|(?<![a-z])(?:no|not|non|none|without|negative|neg|absent)(?![a-z])")
_GERM = re.compile(
    "(?:及|或|和|or )?[^0-9+]{0,14}(?:菌属?|虫|卵|孢子|菌丝|病毒|salmonella|shigella|campylobacter|parasites|ova)"
)
_SEEN = r"(?:seen|detected|isolated|found|identified|observed|present|recovered|noted)"
_THERE = re.compile(rf"未见|未发现|无|可见|见(?!于)|发现|no (?!.*{_SEEN}$)")
"""Words that say only that something is there or isn't: of what nobody looks for (`无结果`) they say nothing."""
_WHAT = r"[^,;阴阳+]{1,40}?"
_ONLY = rf"(?!.*\b(?:but|except|other than|however|only|though)\b)(?!.*\b{_SEEN}\b.*\b{_SEEN}\b)"
_NEGATIVE = tuple(
    re.compile(form)
    for form in (
        rf"(?P<what>{_WHAT})(?:均|皆|全部|全)?(?:为|呈|是|:)?\s*(?:阴性|未检出|未查见|未找到|未发现|\(-\))(?:\(-\))?",
        r"(?:均|全部|全|皆)?(?:为|呈|是)?(?:阴性|未检出)",
        r"(?:未检出|未检测到|未查见|未查到|未找到|未发现|未分离出|未培养出|未见|无)(?P<what>[^,;阴阳+]{1,24})",
        rf"(?:negative|neg|not detected) for (?P<what>{_WHAT})",
        rf"no (?P<what>{_ONLY}{_WHAT}) (?:(?:was|were|is|are) )?{_SEEN}",
        rf"(?P<what>{_WHAT})(?: (?:is|was|were|are)|:)? (?:negative|neg|non-?reactive|not {_SEEN}|absent)",
        rf"(?:none|not) {_SEEN}",
        r"no (?!longer|result|sample|specimen|change|comment|data|report|further|new)(?P<what>[a-z][a-z -]{2,30})",
    )
)
_POSITIVE = tuple(
    re.compile(form)
    for form in (
        rf"(?P<what>{_WHAT})(?:均|皆)?(?:为|呈|是|:)?\s*(?P<weak>弱)?(?:阳性|检出|查见)(?:\s?\(?[1-4]?\+{{0,4}}[1-4]?\)?)?"
        r"(?:\([a-z0-9 -]{1,20}型?\))?",
        r"(?P<weak>弱)?阳性\s?[:(]\s?(?P<what>[^阴()]{1,20})\)?",
        rf"(?P<what>{_WHAT}) [1-9][0-9]*(?:-[1-9][0-9]*)? ?/?(?:hpf?|lpf?)",
        rf"(?P<what>{_WHAT})\s?(?:\([1-4]?\+{{1,4}}\)|[1-4]?\+{{1,4}})",
        r"(?:镜检(?:可见|见)|检出|检测到|检见|查见|查到|找到|发现|见到|可见|分离出|培养出|见(?!报告|附|备注|图|说明|下|上|结论|纸|病历))(?:少量|大量|中等量|多量|少许)?"
        r"(?P<what>[^,;阴阳+]{1,24})(?:\s?\(?[1-4]?\+{1,4}\)?)?",
        rf"(?:positive|pos|reactive) for (?P<what>{_WHAT})",
        rf"(?:[1-4]\+ |\+{{1,4}} |few |many |moderate |rare |occasional )?(?P<what>{_WHAT})"
        rf"(?: (?:is|was|were|are)|:)? (?:positive|{_SEEN}|reactive)"
        r"(?: ?\(?[0-9.]+ ?%\)?| (?:on|in|by|from) [a-z0-9/ -]{1,24})?",
        r"(?P<what>[a-z -]{1,30}(?:rods|cocci|bacilli|yeasts?|organisms?))"
        r" in [0-9] ?(?:/|of) ?[0-9] (?:[a-z]+ )?bottles?",
        rf"(?:heavy|moderate|light|scant|abundant|profuse|[1-4]\+) (?:growth (?:of )?)?(?P<what>{_WHAT})",
        r"(?:presumptive|preliminary|preliminarily|initially|confirmed|high|low|repeatedly) (?:positive|reactive)",
    )
)


_NONE_OF = re.compile(rf"no {_ONLY}[a-z][a-z0-9 .,/-]{{1,80}} (?:(?:was|were|is|are) )?{_SEEN}")


def statement_of(text: str) -> Quality:
    """positive, negative or trace if a text states that of something, part by part; blank for anything else."""
    plain = re.sub("gram[ -](negative|positive)", r"gram\1", folded(text).strip(" .。;,!"))
    if not plain or len(plain) > _LONGEST or _OPEN.search(plain) or without_result(plain):
        return ""
    if _NONE_OF.fullmatch(plain):
        return "negative"
    parts = [part.strip() for part in _PART.split(plain) if part.strip()]
    told = [_part(part) for part in parts]
    if any(not quality and _NOT.search(part) for quality, part in zip(told, parts, strict=True)):
        return ""
    if "positive" in told or "trace" in told:
        return "positive" if "positive" in told else "trace"
    return "negative" if _all_negative(told, parts) else ""


def _all_negative(told: list[Quality], parts: list[str]) -> bool:
    """Whether every part is negative, or one more thing of a list: `未检出沙门菌、志贺菌`, `HPV16、18阴性`."""
    if "negative" not in told:
        return False
    first = told.index("negative")
    before, behind = zip(told[:first], parts[:first], strict=True), zip(told[first:], parts[first:], strict=True)
    return all(re.fullmatch("[a-z]{0,4}-?[0-9]{1,3}型?", part) for _, part in before) and all(
        quality == "negative" or _GERM.fullmatch(part) for quality, part in behind
    )


def _part(part: str) -> Quality:
    alone = quality_of(part)
    if alone:
        return alone if alone in ("positive", "negative", "trace") else ""
    for form in _NEGATIVE:
        found = form.fullmatch(part)
        what = found.groupdict().get("what") or "" if found is not None else ""
        if found is not None and not _NOT.search(what) and (not _THERE.match(part) or SOUGHT.search(what)):
            return "negative"
    for form in _POSITIVE:
        found = form.fullmatch(part)
        what = found.groupdict().get("what") or "" if found is not None else ""
        if found is not None and not _NOT.search(what) and (not _THERE.match(part) or SOUGHT.search(what)):
            return "trace" if found.groupdict().get("weak") else "positive"
    return ""
