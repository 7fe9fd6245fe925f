"""Findings in sentences (ECG, ultrasound, X-ray, physical examination): normal, abnormal, or not to be told.

Read clause by clause, and only by wordings that are known: `normal` if every clause is one of a healthy person's,
`abnormal` if one names what no healthy person has and denies nothing. Anything else is left unjudged.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Literal

from booking.reports.reading.folding import folded

_LONGEST = 400


def _any(words: str) -> str:
    """A pattern for any of these words; `_` stands for a blank."""
    return "(?:" + "|".join(words.split()).replace("_", " ") + ")"


_SENTENCE = re.compile(r"[;。!]|\.(?![0-9])")
_CLAUSE = re.compile(r",|:(?![0-9])")
_OPEN = re.compile(
    _any(
        r"既往 病史 术后 切除 消失 缩小 愈 恢复 治疗 家族 复查 复诊 随访 建议 除外 排除 可能 疑 似 待定 是否 待查 "
        r"考虑 较前 对比 好转 吸收 余 其余 \? "
        "history previous prior family follow compar suspect suspicio possible probabl exclude rule_out "
        "cannot suggest "
        "recommend status_post resect remov excis heal treated resolved unchanged otherwise"
    )
)
"""Words that leave a question open, or speak of another time: nothing is told of a text with one."""
_DENIED = re.compile(
    "未|无|没有|不|非|阴性|(?<![a-z])(?:no|not|without|negative|absent|free|denie[sd]|non|nor|neither)(?![a-z])"
)

_THING = _any(
    "异常 病变 活动性病变 实质性病变 占位(?:性病变)? 结节 肿大 肿块 包块 肿物 积液 积气 增厚 增生 扩张 "
    "结石 压痛 反跳痛 叩击痛 "
    "(?:病理性)?杂音 (?:干湿性?)?啰音 肿大淋巴结 淋巴结肿大 畸形 出血 渗出 破裂 狭窄 血栓 斑块 反流 骨折 "
    "脱位 上皮内病变(?:细胞)? 恶性(?:病变)?细胞 溃疡 "
    "息肉 异常回声 异常信号 异常密度影 水肿 瘀斑 皮疹 黄染"
)
_THINGS = rf"{_THING}(?:(?:及|或|和|、|与){_THING})*"
_NONE = rf"(?:未见|未发现|未触及|未扪及|未闻及|未及|无)(?:明显|显著|明确|确切)?{_THINGS}"
_ILLS = _any(
    "consolidation effusion pneumothorax mass(?:es)? nodules? abnormalit(?:y|ies) lesions? disease calculi "
    "stones? murmurs? "
    "rubs? gallops? tenderness lymphadenopathy fractures? infiltrates? arrhythmias?"
)
_KINDS = _any("acute focal significant obvious pleural active abnormal palpable pericardial cardiopulmonary suspicious")
_NOTHING_ILL = re.compile(
    rf"no (?:evidence of )?(?:{_KINDS} ){{0,3}}{_ILLS}(?: (?:or|and) (?:{_KINDS} )?{_ILLS})*"
    r"(?: (?:(?:is|are|was|were) )?(?:identified|seen|detected|noted|present|found|demonstrated|visuali[sz]ed))?"
)
_ASPECT = _any("大小 形态 位置 结构 回声 轮廓 边界 包膜 比例")
_HEALTHY = re.compile(
    "|".join(
        (
            rf"[\u4e00-\u9fff/()]{{0,16}}?(?:均|皆|亦)?{_NONE}(?:\(nilm\))?",
            rf"[\u4e00-\u9fff/()]{{0,16}}?{_ASPECT}{{1,3}}均?(?:正常|规则|完整|清晰|均匀)",
            r"[\u4e00-\u9fff]{1,8}均?正常",
            _any(
                "窦性心律 正常(?:范围)?心电图 心律齐 律齐 双肺呼吸音清 (?:双|两)?肺纹理(?:清晰|清楚) "
                "双侧肋膈角锐利 膈面光滑"
            ),
            _any("包膜(?:光滑|完整) (?:实质)?回声(?:分布)?均匀 咽部无充血 腹软 肝脾肋下未触及"),
            "(?:normal )?sinus rhythm|regular (?:rate and )?rhythm|clear lungs",
            r"(?:(?:双侧?|左侧?|右侧?)?乳(?:腺|房)?)?(?:acr )?bi-?rads ?(?:分类|分级|category)?[: ]?1(?:类|级)?",
            "normal " + _any("ecg ekg electrocardiogram study examination exam chest_radiograph chest_x-ray"),
            "(?:[a-z]+ ){1,4}(?:(?:is|are|appears?) )?(?:normal|unremarkable|clear|intact|within normal limits)",
        )
    )
)
_DENIAL = re.compile(rf"{_NONE}|无充血|肋下未触及")
"""What is well denied. Any other denial in a clause takes back what it says."""
_GOES_ON = re.compile(rf"{_THINGS}|(?:or |and )?{_ILLS}(?: (?:or|and) {_ILLS})?")
"""What goes on after a comma behind a denial."""
_LISTED = re.compile(
    _any("大小 形态 位置 双 左 右 肝脏? 胆囊? 胰腺? 脾脏? 肾 甲状腺 前列腺 子宫 附件 膀胱 双侧附件 心 肺") + "+"
)
"""Organs of a list, before the clause that speaks of all."""

_ILLNESS = re.compile(
    _any(
        "脂肪肝 囊肿 结石 息肉 结节 肌瘤 血管瘤 肿瘤(?!标志|相关|筛查|指标) 占位 肿块 积液 房颤 心房颤动 "
        "心房扑动 早搏 传导阻滞 st-?t_?改变 "
        "心肌缺血 心肌梗[死塞] 心室肥[厚大] 心动过[速缓] 心律不齐 不正常心电图 异常心电图 "
        "肺炎(?!支原体|衣原体|链球菌|克雷伯) 肺气肿 肺大[泡疱] "
        "肿大 斑块 骨折(?!风险) 肝硬化 胆囊炎 前列腺增生 乳腺增生 bi-?rads_?[3-6] ti-?rads_?[3-6] lung-?rads_?[3-4]"
    )
    + "|(?<![a-z])"
    + _any(
        "consolidation pneumonia effusion atrial_fibrillation atrial_flutter fatty_liver hepatic_steatosis "
        "gallstones? "
        "cholelithiasis renal_calcul(?:us|i) kidney_stones? nodules? hypoechoic_mass polyps? infarct(?:ion)? "
        "bundle_branch_block cardiomegaly hydronephrosis cysts?"
    )
    + "(?![a-z])"
)


def sentence_of(text: str) -> Literal["normal", "abnormal", ""]:
    """What a finding in sentences says as a whole; blank if it can't be told for sure."""
    plain = folded(text)
    if len(plain) > _LONGEST:
        return ""
    sentences = [_clauses(sentence) for sentence in _SENTENCE.split(plain) if sentence.strip()]
    if any(map(_names_illness, sentences)):
        return "abnormal"
    if _OPEN.search(plain) or not all(map(_is_healthy, sentences)):
        return ""
    return "normal" if any(map(_speaks, chain.from_iterable(sentences))) else ""


def _clauses(sentence: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE.split(sentence) if clause.strip()]


def _speaks(clause: str) -> bool:
    return bool(_HEALTHY.fullmatch(clause) or _NOTHING_ILL.fullmatch(clause))


def _names_illness(sentence: list[str]) -> bool:
    """What is denied in a clause may go on behind its comma: `no nodule, mass or effusion`."""
    for clause in sentence:
        said = clause.replace("不正常心电图", "").replace("心律不齐", "")
        if _DENIED.search(said) or _OPEN.search(said):
            return False
        if _ILLNESS.search(clause):
            return True
    return False


def _is_healthy(sentence: list[str]) -> bool:
    denied = False
    for clause in sentence:
        if _NOTHING_ILL.fullmatch(clause):
            denied = True
        elif _HEALTHY.fullmatch(clause):
            said = _DENIAL.sub("", clause)
            if _DENIED.search(said) or re.search("异常|欠|abnormal", said):
                return False
            denied = said != clause
        elif not (_LISTED.fullmatch(clause) or (denied and _GOES_ON.fullmatch(clause))):
            return False
    return True
