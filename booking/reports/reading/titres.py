"""Titres: dilutions such as `1:320`, where the higher number is the stronger reaction."""

from __future__ import annotations

import re

from booking.reports.reading.folding import folded
from booking.reports.reading.qualities import quality_of

_MEASURED_SO = re.compile(
    ""
    "抗体|抗原|隐球菌|cryptococc|antigen|抗核|滴度|效价|凝集|肥达|外斐|布氏|溶血素|tit(?:er|re)|antibod|agglutin|widal|(?<![a-z])(?:ana|rpr|vdrl|trust|tppa|aso|ab|ig[agm])(?![a-z])"
)
"""Elsewhere `1:270` may be a risk, where the higher number is the better one."""
_TITRE = re.compile(r"(?<![0-9.:])1\s*:\s*(?=[1-9][0-9]{0,5}(?![0-9.:]))")
_BEFORE_A_WORD = re.compile(r"[<>≤≥]?\s*1\s*:\s*[1-9][0-9]{0,5}\s*\(?(?P<word>[^0-9<>≤≥()]+)\)?")
_ALONE = re.compile(r"1\s*:\s*[1-9][0-9]{0,5}")
_PATTERN = re.compile(
    r"[\s,;(]*(?:(?:核?(?:均质|斑点|颗粒|粗颗粒|细颗粒|致密颗粒)|核仁|核膜|着丝点|胞浆|核浆|混合)型?"
    r"|(?:fine |coarse )?(?:homogeneous|homogenous|speckled|nucleolar|centromere|cytoplasmic|diffuse))"
    r"(?: pattern)?\s*\)?$"
)
"""How an antinuclear antibody shines, told behind its titre."""
_CALLED = re.compile(
    r"(?:\btit(?:er|re)|滴度|效价|^(?:trust|rpr|vdrl|tppa|ana|aso))(?:为)?\s*[:=]?\s*(?=[<>≤≥]?\s*1\s*:)"
)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_BEHIND_A_WORD = re.compile(r"^(?P<word>[^0-9<>≤≥]+?)\s*\(?\s*[<>≤≥]?\s*1\s*:\s*[1-9][0-9]{0,5}\s*\)?$")


def as_numbers(name: str, value: str, reference: str) -> tuple[str, str]:
    """Value and reference as delivered, or as plain numbers when both are titres and nothing but titres: `1:320` and
    `<1:100` become `320` and `<100`. A titre behind a word, as in `阴性(<1:100)`, is left out, since the word says it.
    A titre alone beside `阴性` is a positive result: a negative one has none. `name` is the result's."""
    if not _MEASURED_SO.search(folded(name)):
        return value, reference
    value, reference = _word_alone(value), _word_alone(reference)
    if _ALONE.fullmatch(folded(value)) and quality_of(reference) == "negative":
        return "阳性", reference
    if _all_titres(folded(value)) and _all_titres(folded(reference)):
        return _TITRE.sub("", folded(value)), _TITRE.sub("", folded(reference))
    return value, reference


def _word_alone(text: str) -> str:
    plain = _CALLED.sub("", folded(text))
    plain = _PATTERN.sub(")" if plain.endswith(")") and "(1" in plain else "", plain) if _TITRE.search(plain) else plain
    before = _BEFORE_A_WORD.fullmatch(plain)
    if before is not None and quality_of(before["word"]):
        return before["word"]
    found = _BEHIND_A_WORD.match(plain)
    word = found["word"].strip(" (:,") if found else ""
    return word or (plain if _TITRE.search(plain) else text)


def _all_titres(plain: str) -> bool:
    titres = len(_TITRE.findall(plain))
    return titres > 0 and len(_NUMBER.findall(plain)) == 2 * titres
