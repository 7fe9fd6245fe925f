"""Results in words: negative, trace, positive, normal, abnormal, doubtful, in both languages and with their signs.

Only a text that is such a word as a whole is read here; sentences are read in sentences.py.
"""

from __future__ import annotations

import re
from typing import Literal

from booking.reports.reading.folding import folded

Quality = Literal["negative", "trace", "positive", "normal", "abnormal", "doubtful", ""]

_TABLE: tuple[tuple[Quality, re.Pattern[str]], ...] = (
    (
        "doubtful",
        re.compile(
            r"(?:可疑|疑似)(?:阳性|弱阳性|阴性)?|equivocal|indeterminate|inconclusive|borderline|不确定|灰区|待定|临界(?:值)?|无法判定|"
            r"(?:不能|不)(?:除外|排除)(?:阳性)?|可疑\(±\)"
        ),
    ),
    (
        "trace",
        re.compile(
            r"\(?±\)?|\(?\+-\)?|弱阳性?|阳性?\(弱\)|弱反应性?|微量|痕量|trace|tr|weak(?:ly)?[ _-]?(?:positive|reactive|pos)"
            r"|(?:弱阳性?|trace|微量)\s?\(?(?:±|\+-|\+)\)?|positive[ ,]*\(?weak\)?|trace[ -](?:intact|lysed|hemolyzed|non-?hemolyzed)"
        ),
    ),
    (
        "negative",
        re.compile(
            r"\(?-\)?|阴性?|阴性?\s?\(?-\)?|-\s?\(?阴性\)?|未检出|未检测到|未测出|未见|未找到|未查见|未查到|未发现|未分离出|未培养出|无|无反应性?|非反应性?|不阳性|(?:未见|未发现|未检出|无)阳性(?:反应|结果)?|no positives?(?: seen| detected| found)?|"
            r"(?:低于|小于)(?:最低)?(?:检测|检出|检测值|定量|检测方法)?(?:下限|限|线)|neg(?:ative)?\.?\s?(?:\(-\))?|not[ -]?detected|undetected|undetectable|"
            r"none(?: detected| seen| found)?|"
            r"not (?:seen|found|present)|absent|non[ -]?reactive|target not detected|no growth(?: detected)?|"
            r"(?:结果|呈|为)?阴性?(?:反应)?|(?:结果|均|呈|为|全部)+(?:为|呈)?阴性|not reactive|tnd|未检见|none isolated|not isolated|"
            r"未培养出(?:细菌|致病菌)|(?:培养)?(?:[0-9]+ ?(?:小时|天|h|d))?(?:无|未见)(?:细菌|致病菌|真菌|菌|需氧菌|厌氧菌)?生长|"
            r"no (?:bacterial |fungal |aerobic )?growth(?: (?:after|at|in) [0-9]+ ?(?:hours?|hrs?|h|days?|d))?|"
            r"below (?:the )?(?:detection limit|limit of detection)|no(?:t)? reaction"
        ),
    ),
    (
        "positive",
        re.compile(
            r"(?:强|高危型|中度|中)?阳性?|阳性?\s?\(?[1-4]?\+{1,4}[1-4]?\)?|\(?\+{1,4}\)?|\(?[1-4]\+{1,4}\)?|\(?\+[1-4]\)?|"
            r"[1-4]?\+{1,4}\s?\(?阳性\)?"
            r"|(?:结果|均|呈|为)+(?:为|呈)?阳性|阳性反应|检见|isolated"
            r"|检出|检测到|可检出|找到|查见|查到|镜检可见|有反应性?|反应性?|呈阳性|pos(?:itive)?\.?\s?(?:\(?[1-4]?\+{0,4}\)?)?|detected|(?:repeatedly |"
            r"strongly )?reactive|present"
            r"|(?:strong(?:ly)?|weak)? ?positive"
        ),
    ),
    (
        "normal",
        re.compile(
            r"nilm|正常|大致正常|基本正常|正常范围|(?:未见|未发现|无)(?:明显|显著)?异常|normal|wnl|within normal (?:limits|range)|unremarkable|"
            r"no (?:significant )?abnormalit(?:y|ies)(?: detected| seen| found)?|no abnormal findings?"
        ),
    ),
    (
        "abnormal",
        re.compile(
            r"异常|不正常|不凝固?|未凝固?|unclottable|incoagulable|缺乏|deficient|减弱|消失|有异常|abnormal|asc-?us|asc-?h|lsil|hsil|agc(?:-nos)?|ais|低级别鳞状上皮内病变|高级别鳞状上皮内病变|"
            r"(?:布?满视野|成堆|满)\s?(?:/?hpf?)?|tntc|too numerous to count|(?:packed|full)(?: field)?"
        ),
    ),
)
_NO_RESULT = re.compile(
    r"溶血|凝块|脂血|标本|未检$|未做|拒检|弃检|放弃|未查(?![见出到])|ha?emoly[sz]|clotted|insufficient|not (?:tested|done|performed)|cancel"
)


def quality_of(text: str) -> Quality:
    """The quality that a text is as a whole; blank for anything else."""
    plain = folded(text).strip(" .。;,!")
    if not plain or len(plain) > 40:
        return ""
    for tried in (plain, plain.replace(" ", "")):
        for quality, pattern in _TABLE:
            if pattern.fullmatch(tried):
                return quality
    return ""


_THERE_OR_NOT = re.compile(
    "无|未见|未找到|未查见|未查到|未发现|找到|查见|查到|镜检可见|可见|none(?: seen| found)?|not (?:seen|found|present)|absent|present|seen|found"
)


def only_there_or_not(text: str) -> bool:
    """Whether a text only says that something is there or isn't, and not that a test had an outcome: a gall bladder that is
    absent is no negative test."""
    return _THERE_OR_NOT.fullmatch(folded(text).strip(" .。;,!")) is not None


def without_result(text: str) -> bool:
    """Whether a text says that there is no valid result: haemolysed, not tested, refused."""
    return bool(_NO_RESULT.search(folded(text)))
