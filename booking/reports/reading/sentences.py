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


_SENTENCE = re.compile(r"(?:(?:^|(?<=[;。 ]))[1-9][.,)](?![0-9]))|[;。!]|\.(?![0-9])")
_CLAUSE = re.compile(r",|:(?![0-9])|(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])|(?<=[0-9])(?:类|级)? - ")
_ROUTINE = re.compile(r"[,;。](?:建议)?(?:每年|定期|年度|常规)(?:健康)?(?:复查|体检)(?=$|[。;])")
"""Advice that everybody gets, and that leaves nothing open."""
_BESIDE = re.compile(r"(?:,? ?without| ?(?:不伴|未伴|无伴)).*$")
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
    "未|无|没有|不|非(?!萎缩|典型|对称|特异)|阴性|(?<![a-z])(?:no|not|without|negative|absent|free|denie[sd]|non|nor|neither)(?![a-z])|否认"
)

_THING = _any(
    "异常 病变 活动性病变 实质性病变 占位(?:性病变)? 结节 肿大 肿块 包块 肿物 积液 积气 增厚 增生 扩张 "
    "囊肿 肌瘤 息肉样病变 钙化 曲张 糜烂 出血灶 梗[死塞]灶 结石 压痛 反跳痛 叩击痛 "
    "(?:病理性)?杂音 (?:干湿性?)?啰音 肿大淋巴结 淋巴结肿大 畸形 出血 渗出 破裂 狭窄 血栓 斑块 反流 骨折 "
    "脱位 上皮内病变(?:细胞)? 恶性病变(?:细胞)? 恶性肿瘤 异常声像(?:图)? 癌细胞 出血点 恶性(?:病变)?细胞 溃疡 "
    "息肉 异常回声 异常信号 异常密度影 水肿 瘀斑 皮疹 黄染"
)
_THINGS = rf"{_THING}(?:(?:及|或|和|、|与){_THING})*"
_NONE = rf"(?:未见|未发现|未触及|未扪及|未闻及|未及|无)(?:明显|显著|明确|确切)?{_THINGS}"
_ILLS = _any(
    "consolidation effusion pneumothorax mass(?:es)? nodules? abnormalit(?:y|ies) lesions? disease calculi "
    "stones? murmurs? "
    "rubs? gallops? tenderness lymphadenopathy fractures? infiltrates? arrhythmias? st(?:-t)?(?:_segment)?_changes? ischa?emia ha?emorrhage polyps? cysts? hydronephrosis malignan(?:cy|t_cells) opacit(?:y|ies) edema oedema pneumonia fluid thrombus adenopathy lymphadenopathy"
)
_KINDS = _any("acute focal significant obvious pleural active abnormal palpable pericardial cardiopulmonary suspicious")
_NOTHING_ILL = re.compile(
    rf"no (?:evidence of )?(?:{_KINDS} ){{0,3}}{_ILLS}(?: (?:or|and) (?:{_KINDS} )?{_ILLS})*"
    r"(?: (?:(?:is|are|was|were) )?(?:identified|seen|detected|noted|present|found|demonstrated|visuali[sz]ed))?"
)
_NEGATIVE_FOR = re.compile(
    "negative(?: for (?:intraepithelial lesions?|malignan(?:cy|t cells)|fracture|abnormality|acute disease)"
    "(?:(?: or|,| and) (?:malignancy|malignant cells|dislocation))?)?(?: ?\\(nilm\\))?"
)
_ASPECT = _any("大小 形态 位置 结构 回声 轮廓 边界 包膜 比例")
_HEALTHY = re.compile(
    "|".join(
        (
            rf"[\u4e00-\u9fffa-z0-9/()-]{{0,20}}?(?:均|皆|亦)?{_NONE}(?:\(nilm\))?",
            rf"[\u4e00-\u9fff/()]{{0,16}}?{_ASPECT}{{1,3}}均?(?:正常|规则|完整|清晰|均匀)",
            r"[\u4e00-\u9fff]{1,8}均?正常",
            _any(
                "窦性心律(?:规则|整齐|齐)? (?:大致|基本)?正常(?:范围)?(?:静息)?心电图 nilm 各瓣膜形态及活动未见异常 心律齐 律齐 双肺呼吸音清 (?:双|两)?肺纹理(?:清晰|清楚) "
                "双侧肋膈角锐利 膈面光滑"
            ),
            _any("包膜(?:光滑|完整) (?:实质)?回声(?:分布)?均匀 咽部无充血 腹软 肝脾肋下未触及"),
            "(?:normal )?sinus rhythm|regular (?:rate and )?rhythm|clear lungs",
            r"(?:(?:双侧?|左侧?|右侧?)?乳(?:腺|房)?)?(?:acr )?bi-?rads ?(?:分类|分级|category)?[: ]?1(?:类|级)?",
            r"satisfactory for evaluation",
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
        "肿大 斑块 骨折(?!风险) 肝硬化 胆囊炎 前列腺(?:增生|增大|肥大) 乳腺增生 弥漫性病变 磨玻璃 斑片状?(?:模糊|高密度|密度增高)?影 (?:高|低)?密度(?:增高)?影 实变 "
        "(?<!慢性)炎症(?!指标|因子|标志) 结节影 钙化斑 (?:动脉|主动脉)(?:粥样)?硬化 内-?中膜(?:局限性)?增厚 白内障 青光眼 色盲 色弱 龋齿? 残根 "
        "牙周炎 牙龈炎 咽炎 鼻炎 鼻中隔偏曲 扁桃体肥大 痔疮? (?:混合|内|外)痔 肛裂 骨质疏松(?!风险|筛查) 骨量(?:减少|低下) 骨质增生 椎间盘(?:突|膨)出 "
        "t波(?:改变|倒置|低平) st段(?:压低|抬高|改变) 房室阻滞 室性心律 逸搏 预激 (?:舒张|收缩)功能(?:减[低退]|降低|不全) 关闭不全 "
        "胃炎 食管炎 肠炎 糜烂 溃疡 腺瘤 息肉样 积水 心影增大 心脏增大 房间隔缺损 静脉曲张 非典型(?:鳞状|腺)(?:上皮)?细胞 "
        "低级别 高级别 癌(?!胚|细胞|筛查|抗原|标志|症|基因|相关) bi-?rads_?[3-6] ti-?rads_?[3-6] lung-?rads_?[3-4]"
    )
    + "|(?<![a-z])"
    + _any(
        "consolidation pneumonia effusion atrial_fibrillation atrial_flutter fatty_liver hepatic_steatosis "
        "gallstones? "
        "cholelithiasis renal_calcul(?:us|i) kidney_stones? nodules? hypoechoic_mass polyps? infarct(?:ion)? "
        "bundle_branch_block cardiomegaly hydronephrosis cysts? opacit(?:y|ies) osteoporosis osteopenia (?:sinus_)?(?:brady|tachy)cardia (?:av|heart)_block st(?:-segment)?_(?:elevation|depression) t_wave_inversions? abnormal_e[ck]g cataracts? h(?:a)?emorrhoids atelectasis emphysema hiatal_hernia gastritis adenomas? diverticul(?:osis|a|itis) stenosis aneurysm hepatomegaly splenomegaly carcinoma lymphadenopathy left_ventricular_hypertrophy dysplasia(?!_screen) ground[-_]glass atypical_(?:squamous|glandular)_cells lsil hsil fractures?(?!_risk) ti-?rads_?(?:tr)?[3-5] pleural_thickening"
    )
    + "(?![a-z])"
)


def sentence_of(text: str) -> Literal["normal", "abnormal", ""]:
    """What a finding in sentences says as a whole; blank if it can't be told for sure."""
    plain = _ROUTINE.sub("", folded(text))
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
    return bool(_HEALTHY.fullmatch(clause) or _NOTHING_ILL.fullmatch(clause) or _NEGATIVE_FOR.fullmatch(clause))


def _names_illness(sentence: list[str]) -> bool:
    """What is denied in a clause may go on behind its comma: `no nodule, mass or effusion`."""
    for clause in sentence:
        said = _BESIDE.sub("", clause)
        named = _ILLNESS.search(said)
        said = re.sub("不正常心电图|心律不齐|供血不足|关闭不全|屈光不正|功能不全|骨折不愈", "", said)
        if _DENIED.search(said) or _OPEN.search(said):
            return False
        if named:
            return True
    return False


def _is_healthy(sentence: list[str]) -> bool:
    denied = False
    for clause in sentence:
        if _NOTHING_ILL.fullmatch(clause) or _NEGATIVE_FOR.fullmatch(clause):
            denied = True
        elif _HEALTHY.fullmatch(clause):
            said = _DENIAL.sub("", clause)
            if _DENIED.search(said) or re.search("异常|欠|abnormal", said):
                return False
            denied = said != clause
        elif not (_LISTED.fullmatch(clause) or (denied and _GOES_ON.fullmatch(clause))):
            return False
    return True
