"""The words, signs and bounds that a range text is made of, in both languages, each told by its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from booking.reports.reading.figures import ABOVE, BELOW, NUMBER

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
"""Its order decides which of two kinds a word is."""
_MEANS = {
    **dict.fromkeys(("safe", "healthy", "has", "minus", "suits", "no_class"), "good"),
    **dict.fromkeys(("lacks", "plus", "resists", "some_class"), "bad"),
}
"""What a word of its own kind says of the bounds beside it."""
_KINDS = (
    "no_class", "some_class", "plus", "minus", "pair", "spread", "ages_mixed", "other_age", "ages", "age_side", "age_after", "age_plus",
    "between", "around", "amid", "both", "below", "above", "until", "from", "to", "after", "before", "female", "male", "adult",
    "child", "healthy", "lacks", "has", "suits", "resists", "safe", "risk", "bad", "good", "idle", "mark", "word",
)  # fmt: skip


def words_of(plain: str) -> Iterator[tuple[str, re.Match[str]]]:
    """The words of a folded text in order, each with its kind: `good` or `bad` for whatever says that of the bounds
    beside it, else the name of its group in the pattern. The match holds its parts by name, as `age_from`."""
    for token in _SCANNER.finditer(plain):
        kind = next(name for name in _KINDS if token[name] is not None)
        yield _MEANS.get(kind, kind), token
