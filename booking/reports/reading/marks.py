"""A laboratory's marks: arrows, letters, words of both languages, HL7 codes; and whether a mark says critical."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from booking.reports.reading.folding import folded


@dataclass(frozen=True)
class Mark:
    """What a mark says: `flag` normal, low, high, abnormal or blank. `critical`: the laboratory asks for a doctor at
    once. `doubtful`: the result is uncertain or invalid, so nothing may be concluded from it. `unknown`: somebody
    marked it in a way that we can't read. `finding`: it repeats what was found (positive, not detected), which is no
    verdict where a positive result is good or neither good nor bad. `beyond` is high or low for a value that the
    instrument could not measure, which is no verdict by itself. `critical_outside`: a `C`, critical where the range
    agrees, and else a corrected result. `dash`: a bare `-`, which may say negative, low or nothing."""

    flag: str = ""
    critical: bool = False
    doubtful: bool = False
    unknown: bool = False
    finding: bool = False
    beyond: str = ""
    critical_outside: bool = False
    dash: bool = False


NOTHING = Mark()
_FLAGS = {
    "high": "h high hi ↑ 高 偏高 升高 增高 上升 过高 增加 增多 高于正常 高于参考值 高于参考范围 hu hx +h above_normal above_range "
    "above_high_normal above_reference_range elevated increased h↑ 高↑ 偏高↑ 升高↑ ↑h ↑高 轻度升高 明显升高 略高 稍高 >h ↗ 偏高(↑) 显著升高 超高 高值 higher high_(h) 高出 高于上限 超上限 above",
    "low": "l low lo ↓ 低 偏低 降低 减低 减少 下降 过低 低于正常 低于参考值 低于参考范围 lu lx below_normal below_range "
    "below_low_normal below_reference_range decreased l↓ 低↓ 偏低↓ 降低↓ ↓l ↓低 轻度降低 明显降低 略低 稍低 <l ↘ 显著降低 低值 lower 低于下限 缺乏 不足 below",
    "abnormal": "* ** *** ! !! a abn abnormal 异常 不正常 超出范围 超范围 超出参考范围 out_of_range outside_range "
    "r resistant ac "
    "not_normal "
    "outside_normal_range 有异常",
    "normal": "n normal 正常 in_range within_range wnl within_normal_limits within_normal_range 未见异常 未见明显异常 无异常 "
    "无明显异常 not_abnormal no_abnormality s susceptible 合格 正常范围 正常值 √ no_abnormality_detected",
}
_CRITICAL = {
    "high": "hh h* ch ↑↑ ↑↑↑ hhh hh* h! h!! panic_high critical_high critically_high high_critical high_panic "
    "危急值↑ 危急值高 极高 "
    "危急高值 高危急值 危急↑ 危急高 hh↑↑ critical↑ panic↑ 危急值偏高 危急值升高",
    "low": "ll l* cl ↓↓ ↓↓↓ lll ll* l! l!! panic_low critical_low critically_low low_critical low_panic 危急值↓ 危急值低 极低 "
    "危急低值 低危急值 危急↓ 危急低 ll↓↓ critical↓ panic↓ 危急值偏低 危急值降低",
    "abnormal": "危 危! aa a* critical panic 危急 危急值 危险值 危机值 aaa crit critical_value panic_value critical_abnormal "
    "critically_abnormal 危急值异常 危重值",
}
_FINDINGS = {
    "abnormal": "+ ++ +++ ++++ pos positive det detected rr reactive wr weakly_reactive p 阳性 阳 阳性(+) 弱阳性 弱阳 检出 "
    "有反应性 反应性",
    "normal": "- neg negative nd not_detected nr non-reactive nonreactive non_reactive 阴性 阴 未检出 阴性(-)",
}
_DOUBTFUL = (
    "ind e equivocal indeterminate inconclusive qcf tox ie 可疑 疑似 待定 灰区 临界 borderline 不确定 invalid 无效 i "
    "intermediate 中介"
)
_SILENT = (
    "null none 空 无 无标记 no_flag 已审核 f m 0 1 final nil na n/a u d b w better worse up down 非危急值 not_critical "
    "non-critical noncritical / -- --- 否 no ok 未标记 复查 已复查 reviewed verified ? no_mark false"
)


def _table() -> dict[str, Mark]:
    known = dict.fromkeys(_SILENT.split(), NOTHING)
    known["c"] = Mark(critical_outside=True)
    known |= {">": Mark(beyond="high"), "<": Mark(beyond="low")}
    known |= {word: Mark(doubtful=True) for word in _DOUBTFUL.split()}
    known |= {word: Mark(flag) for flag, words in _FLAGS.items() for word in words.split()}
    known |= {word: Mark(flag, finding=True) for flag, words in _FINDINGS.items() for word in words.split()}
    known["-"] = Mark("normal", finding=True, dash=True)
    return known | {word: Mark(flag, critical=True) for flag, words in _CRITICAL.items() for word in words.split()}


_KNOWN = _table()
_WRAPPED = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]")
_REMARK = re.compile(r"(?P<mark>[^()\[\]]+?)\s*[(\[]\s*(?P<remark>[^()\[\]]*?)\s*[)\]]")
_CRITICAL_WORD = re.compile(r"危急|危险值|危机值|\b(?:critical|panic)\b")
_DENIED = re.compile(r"非|未|无|不|否|\b(?:no|not|non|never|without)\b")
_BETWEEN = re.compile(r"\s*[,;/|&+]\s*|\s+-\s+|\s+|(?<=[a-z\u3400-\u9fff]) ?- ?(?=[a-z\u3400-\u9fff])")


def mark_of(text: str) -> Mark:
    """What a mark says. A mark can have several parts: `H~A` is both, of `H^High^HL70078` the first that we know."""
    found = [_one(part) for part in text.split("~") if part.strip()]
    if not found:
        return NOTHING
    flags = {one.flag for one in found if one.flag}
    sides = flags & {"high", "low"}
    flag = "abnormal" if len(sides) == 2 else next(iter(sides or (flags & {"abnormal"}) or flags), "")
    return Mark(
        flag,
        critical=any(one.critical for one in found),
        doubtful=any(one.doubtful for one in found),
        unknown=not flag and any(one.unknown for one in found),
        finding=bool(flag) and all(one.finding for one in found if one.flag),
        critical_outside=any(one.critical_outside for one in found),
        dash=len(found) == 1 and found[0].dash,
        beyond=next((one.beyond for one in found if one.beyond), ""),
    )


def _one(text: str) -> Mark:
    parts = [part for part in text.split("^") if part.strip()]
    known = [mark for part in parts if (mark := known_mark(part)) is not None]
    if not known:
        return Mark(unknown=True)
    return next((mark for mark in known if mark != NOTHING), NOTHING)


def known_mark(text: str) -> Mark | None:
    """What one mark says, with the remark in brackets behind it or in several words (`H (critical)`, `H, A`); None if
    it isn't one that we know."""
    plain = folded(text).strip(" .。:;")
    for tried in (plain, plain.strip("!")):
        whole = _in_table(tried)
        if whole is not None or not tried:
            return whole or NOTHING
    remarked = _REMARK.fullmatch(plain)
    if remarked is not None and (mark := known_mark(remarked["mark"])) is not None:
        return _all_of([mark, known_mark(remarked["remark"]) or NOTHING])
    words = [_in_table(word) for word in _BETWEEN.split(plain.strip("!")) if word]
    known = [mark for mark in words if mark is not None]
    if len(words) > 1 and len(known) == len(words) and not _DENIED.search(plain):
        return _all_of(known)
    return Mark("abnormal", critical=True) if _CRITICAL_WORD.search(plain) and not _DENIED.search(plain) else None


def _all_of(marks: list[Mark]) -> Mark | None:
    """What the words of one mark say together; None if they contradict each other."""
    flags = {mark.flag for mark in marks if mark.flag}
    sides = flags & {"high", "low"}
    if len(sides) > 1 or ("normal" in flags and len(flags) > 1):
        return None
    flag = next(iter(sides or flags), "")
    told = next((mark for mark in marks if mark.flag == flag), marks[0])
    return replace(
        told,
        critical=any(mark.critical or (mark.critical_outside and bool(sides)) for mark in marks),
        doubtful=any(mark.doubtful for mark in marks),
        critical_outside=any(mark.critical_outside for mark in marks),
    )


def _in_table(plain: str) -> Mark | None:
    wrapped = _WRAPPED.fullmatch(plain)
    for spelling in (plain, wrapped[1] if wrapped else ""):
        for tried in (spelling.replace(" ", "_"), spelling.replace(" ", "")):
            if tried and tried in _KNOWN:
                return _KNOWN[tried]
    return None
