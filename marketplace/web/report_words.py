"""What common check-up items are called, and what a value outside its range may mean, in both languages.

By LOINC code. The sentences help a reader to understand; they name no illness as found and replace no doctor. An item
that is not in the table is shown with the provider's own words.
"""

from __future__ import annotations

from typing import NamedTuple

from marketplace.web import language


class Words(NamedTuple):
    """Chinese and English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh if language.current().code == "zh" else self.en


class Known(NamedTuple):
    """An item: its name, what it tells, and what a high and a low value ask for (None where the direction says nothing
    of its own)."""

    name: Words
    tells: Words
    high: Words | None = None
    low: Words | None = None


_BLOOD_PRESSURE_HIGH = Words(
    "一次偏高可能与紧张、走动有关。请在家静坐 5 分钟后连测几天，仍偏高就去看心内科。",
    "One high reading can come from nerves or walking. Measure at rest for a few days; if it stays high, see a doctor.",
)
_BLOOD_PRESSURE_LOW = Words(
    "没有头晕乏力通常不要紧；常头晕、眼前发黑请就诊。",
    "Without dizziness it is often harmless. If you feel faint, see a doctor.",
)
_LIVER_HIGH = Words(
    "熬夜、饮酒、药物和脂肪肝都会让它升高。请先戒酒，一个月后复查；超过上限两倍请尽快看消化内科。",
    "Late nights, alcohol, medicines and a fatty liver can raise it. No alcohol, and repeat it in a month; above twice "
    "the limit see a doctor soon.",
)
_MARKER_HIGH = Words(
    "炎症、吸烟和良性病变也会让它轻度升高，单看这一项不能说明有肿瘤。请按医生意见复查。",
    "Inflammation, smoking and harmless growths can raise it a little. Alone it does not show a tumour. Have it "
    "repeated as your doctor says.",
)
_ANAEMIA = Words(
    "提示可能贫血，常见原因是缺铁。请看血液科或全科，查明原因再补。",
    "It may point to anaemia, often from lack of iron. Let a doctor find the cause before you take anything.",
)
_THICK = Words(
    "喝水少、吸烟或高原生活会让它偏高。请多喝水后复查。",
    "Little water, smoking or living at altitude can raise it. Drink more and have it repeated.",
)
_PROTEIN_LOW = Words(
    "可能与吃得少、肝肾问题有关，请就诊查明原因。",
    "Eating little or trouble of liver or kidneys can lower it. Have the cause looked for.",
)
_PROTEIN_HIGH = Words(
    "多见于喝水少、血液浓缩，请多喝水后复查。",
    "Mostly from too little water. Drink more and have it repeated.",
)

ITEMS: dict[str, Known] = {
    "8302-2": Known(Words("身高", "Height"), Words("", "")),
    "29463-7": Known(Words("体重", "Weight"), Words("", "")),
    "39156-5": Known(
        Words("体质指数", "Body mass index"),
        Words("体重与身高的比例。", "Weight in proportion to height."),
        Words(
            "体重偏重，减去 5% 就对血压、血糖有帮助。", "Overweight. Losing 5 % already helps blood pressure and sugar."
        ),
        Words("体重偏轻，近期无故消瘦请就诊。", "Underweight. If you lost weight without reason, see a doctor."),
    ),
    "8480-6": Known(
        Words("收缩压", "Systolic blood pressure"),
        Words("心脏收缩时的血压，俗称高压。", "The pressure while the heart contracts."),
        _BLOOD_PRESSURE_HIGH,
        _BLOOD_PRESSURE_LOW,
    ),
    "8462-4": Known(
        Words("舒张压", "Diastolic blood pressure"),
        Words("心脏放松时的血压，俗称低压。", "The pressure while the heart relaxes."),
        _BLOOD_PRESSURE_HIGH,
        _BLOOD_PRESSURE_LOW,
    ),
    "8867-4": Known(
        Words("心率", "Heart rate"),
        Words("每分钟心跳次数。", "Heartbeats a minute."),
        Words(
            "紧张、咖啡、发热都会加快。安静时总超过 100 次请就诊。",
            "Nerves, coffee or fever raise it. If it stays above 100 at rest, see a doctor.",
        ),
        Words(
            "常运动的人多见。有头晕、胸闷请就诊。",
            "Common in people who train. With dizziness or a tight chest, see a doctor.",
        ),
    ),
    "6690-2": Known(
        Words("白细胞计数", "White blood cells"),
        Words("身体抵抗感染的细胞。", "Cells that fight infection."),
        Words(
            "多见于感染、炎症或刚运动过，两周后复查。",
            "Often from infection, inflammation or exercise. Repeat in two weeks.",
        ),
        Words(
            "可见于病毒感染后或某些药物，两周后复查；反复发热请就诊。",
            "Seen after viral infections and with some medicines. Repeat in two weeks; with fever see a doctor.",
        ),
    ),
    "789-8": Known(
        Words("红细胞计数", "Red blood cells"), Words("运送氧气的细胞。", "Cells that carry oxygen."), _THICK, _ANAEMIA
    ),
    "718-7": Known(
        Words("血红蛋白", "Haemoglobin"),
        Words("血液运送氧气的能力。", "The blood's power to carry oxygen."),
        _THICK,
        _ANAEMIA,
    ),
    "4544-3": Known(
        Words("红细胞压积", "Haematocrit"),
        Words("红细胞在血液里占的比例。", "The share of red cells in the blood."),
        _THICK,
        _ANAEMIA,
    ),
    "777-3": Known(
        Words("血小板计数", "Platelets"),
        Words("止血的细胞。", "Cells that stop bleeding."),
        Words("可见于感染或缺铁，一个月后复查。", "Seen with infection or lack of iron. Repeat in a month."),
        Words("留意皮肤瘀斑、牙龈出血，请尽快复查。", "Watch for bruises and bleeding gums, and repeat it soon."),
    ),
    "770-8": Known(
        Words("中性粒细胞百分比", "Neutrophils, share"),
        Words("主要对付细菌的白细胞。", "White cells that mainly meet bacteria."),
        Words("多见于细菌感染或应激。", "Often bacterial infection or stress."),
        Words("多见于病毒感染后。", "Often after viral infections."),
    ),
    "736-9": Known(
        Words("淋巴细胞百分比", "Lymphocytes, share"),
        Words("主要对付病毒的白细胞。", "White cells that mainly meet viruses."),
        Words("多见于病毒感染后。", "Often after viral infections."),
        Words("多见于细菌感染或应激。", "Often bacterial infection or stress."),
    ),
    "1742-6": Known(
        Words("丙氨酸氨基转移酶", "Alanine transaminase (ALT)"),
        Words("肝细胞受损时会升高的酶。", "An enzyme that rises when liver cells suffer."),
        _LIVER_HIGH,
    ),
    "1920-8": Known(
        Words("天门冬氨酸氨基转移酶", "Aspartate transaminase (AST)"),
        Words(
            "肝、心、肌肉里都有的酶，剧烈运动后也会升高。",
            "An enzyme of liver, heart and muscle; hard exercise raises it too.",
        ),
        _LIVER_HIGH,
    ),
    "2324-2": Known(
        Words("γ-谷氨酰转移酶", "Gamma-glutamyl transferase (GGT)"),
        Words("对饮酒和胆道问题敏感的酶。", "An enzyme that shows alcohol and bile trouble."),
        _LIVER_HIGH,
    ),
    "14631-6": Known(
        Words("总胆红素", "Total bilirubin"),
        Words("红细胞代谢的产物，由肝脏排出。", "What is left of old red cells; the liver removes it."),
        Words(
            "轻度升高多是体质原因；皮肤或眼白发黄请马上就诊。",
            "A slight rise is often inborn. If skin or eyes turn yellow, see a doctor at once.",
        ),
    ),
    "2885-2": Known(
        Words("总蛋白", "Total protein"),
        Words("血液里蛋白质的总量。", "All protein in the blood."),
        _PROTEIN_HIGH,
        _PROTEIN_LOW,
    ),
    "1751-7": Known(
        Words("白蛋白", "Albumin"),
        Words("反映营养和肝脏合成能力。", "Shows nutrition and the liver's work."),
        _PROTEIN_HIGH,
        _PROTEIN_LOW,
    ),
    "14682-9": Known(
        Words("肌酐", "Creatinine"),
        Words("由肾脏排出的废物，反映肾功能。", "Waste that the kidneys remove; shows how they work."),
        Words(
            "肌肉多、吃肉多也会偏高。请两周内复查，并查尿常规。",
            "Much muscle or meat can raise it. Repeat within two weeks, with a urine test.",
        ),
        Words("多见于肌肉少、体型瘦小，通常不要紧。", "Mostly little muscle; usually harmless."),
    ),
    "22664-7": Known(
        Words("尿素", "Urea"),
        Words("蛋白质代谢的废物，由肾脏排出。", "Waste from protein that the kidneys remove."),
        Words(
            "吃肉多、喝水少都会偏高，与肌酐一起看。", "Much meat or little water raises it. Read it with creatinine."
        ),
        Words("多见于蛋白质吃得少。", "Mostly from eating little protein."),
    ),
    "14933-6": Known(
        Words("尿酸", "Uric acid"),
        Words("嘌呤代谢的产物，过高会引起痛风。", "What is left of purines; too much can cause gout."),
        Words(
            "多喝水，少喝酒，少吃动物内脏和浓肉汤。关节红肿疼痛请尽快就医。",
            "Drink water, less alcohol, offal and strong broth. If a joint turns red and hurts, see a doctor soon.",
        ),
        Words("通常不要紧。", "Usually harmless."),
    ),
    "14771-0": Known(
        Words("空腹血糖", "Fasting glucose"),
        Words("空腹时血液里的糖。", "Sugar in the blood before breakfast."),
        Words(
            "一次偏高不能下结论，请复查空腹血糖并查糖化血红蛋白。",
            "One result proves nothing. Repeat it, together with HbA1c.",
        ),
        Words(
            "可能空腹太久。出冷汗、心慌时吃点甜的，反复出现请就诊。",
            "Perhaps too long without food. If you tremble or sweat, eat something sweet; if it returns, see a doctor.",
        ),
    ),
    "4548-4": Known(
        Words("糖化血红蛋白", "Haemoglobin A1c (HbA1c)"),
        Words("近两三个月的平均血糖。", "The average sugar of the last two or three months."),
        Words(
            "说明近期血糖总体偏高，请到内分泌科评估。",
            "Sugar has been high for some time. Have it assessed by a doctor.",
        ),
        Words("可见于贫血，通常不要紧。", "Seen with anaemia; usually harmless."),
    ),
    "14647-2": Known(
        Words("总胆固醇", "Total cholesterol"),
        Words("血液里全部的胆固醇。", "All cholesterol in the blood."),
        Words(
            "少吃肥肉和油炸食品，多运动，三个月后复查。",
            "Less fat meat and fried food, more movement; repeat in three months.",
        ),
        Words("通常不要紧，近期消瘦请就诊。", "Usually harmless. If you lost weight, see a doctor."),
    ),
    "14927-8": Known(
        Words("甘油三酯", "Triglycerides"),
        Words("血液里的脂肪，受前一天饮食影响大。", "Fat in the blood; yesterday's dinner shows in it."),
        Words(
            "少油、少甜、少酒，空腹 12 小时后复查。", "Less fat, sugar and alcohol; repeat after 12 hours without food."
        ),
        Words("通常不要紧。", "Usually harmless."),
    ),
    "14646-4": Known(
        Words("高密度脂蛋白胆固醇", "HDL cholesterol"),
        Words("常说的“好胆固醇”，有保护血管的作用。", "The “good” cholesterol that protects the vessels."),
        Words("通常不要紧。", "Usually harmless."),
        Words("多运动、戒烟能让它升高。", "Movement and not smoking raise it."),
    ),
    "22748-8": Known(
        Words("低密度脂蛋白胆固醇", "LDL cholesterol"),
        Words("常说的“坏胆固醇”，过多会沉积在血管里。", "The “bad” cholesterol; too much settles in the vessels."),
        Words(
            "饮食和运动能改善一部分，是否用药由医生结合血压和病史判断。",
            "Diet and movement help in part. A doctor judges about medicine, with blood pressure and history in view.",
        ),
        Words("通常不要紧。", "Usually harmless."),
    ),
    "3016-3": Known(
        Words("促甲状腺激素", "Thyroid-stimulating hormone (TSH)"),
        Words("指挥甲状腺工作的激素。", "The hormone that drives the thyroid."),
        Words(
            "可能甲状腺功能偏低，请到内分泌科复查。", "The thyroid may be slow. Have it repeated and seen by a doctor."
        ),
        Words(
            "可能甲状腺功能偏高，请到内分泌科复查。", "The thyroid may be fast. Have it repeated and seen by a doctor."
        ),
    ),
    "14920-3": Known(
        Words("游离甲状腺素", "Free thyroxine (FT4)"),
        Words("甲状腺分泌的激素。", "The hormone of the thyroid."),
        Words("与促甲状腺激素一起看，请到内分泌科复查。", "Read it with TSH; have it seen by a doctor."),
        Words("与促甲状腺激素一起看，请到内分泌科复查。", "Read it with TSH; have it seen by a doctor."),
    ),
    "1834-1": Known(
        Words("甲胎蛋白", "Alpha-fetoprotein (AFP)"),
        Words("主要与肝脏有关的标志物。", "A marker mainly of the liver."),
        _MARKER_HIGH,
    ),
    "2039-6": Known(
        Words("癌胚抗原", "Carcinoembryonic antigen (CEA)"),
        Words("主要与消化道有关的标志物，吸烟者常偏高。", "A marker mainly of the gut; often higher in smokers."),
        _MARKER_HIGH,
    ),
    "2857-1": Known(
        Words("前列腺特异性抗原", "Prostate-specific antigen (PSA)"),
        Words("与前列腺有关的标志物。", "A marker of the prostate."),
        _MARKER_HIGH,
    ),
    "10334-1": Known(
        Words("糖类抗原125", "Cancer antigen 125 (CA 125)"),
        Words("与妇科有关的标志物，经期也会升高。", "A marker in gynaecology; periods raise it too."),
        _MARKER_HIGH,
    ),
    "5811-5": Known(
        Words("尿比重", "Urine specific gravity"),
        Words("尿液的浓淡。", "How concentrated the urine is."),
        Words("多是喝水少。", "Mostly from too little water."),
        Words("多是喝水多。", "Mostly from much water."),
    ),
    "5803-2": Known(
        Words("尿酸碱度", "Urine pH"),
        Words("尿液的酸碱，随饮食变化。", "How acid the urine is; it follows what you eat."),
        Words("多与饮食有关，留晨尿复查。", "Mostly food. Repeat with morning urine."),
        Words("多与饮食有关，留晨尿复查。", "Mostly food. Repeat with morning urine."),
    ),
    "20454-5": Known(
        Words("尿蛋白", "Urine protein"),
        Words(
            "尿里的蛋白质，运动、发热后可一过性出现。",
            "Protein in the urine; exercise or fever can cause it for a day.",
        ),
        Words("请留晨尿复查，仍阳性请看肾内科。", "Repeat with morning urine; if it stays, see a doctor."),
    ),
    "25428-4": Known(
        Words("尿葡萄糖", "Urine glucose"),
        Words("尿里的糖。", "Sugar in the urine."),
        Words("请与空腹血糖一起复查。", "Repeat it together with fasting glucose."),
    ),
    "11524-6": Known(
        Words("心电图", "Electrocardiogram"),
        Words("心脏的电活动。", "The heart's electrical activity."),
        Words(
            "有些改变是正常变异；有胸闷、心慌请带上报告看心内科。",
            "Some changes are harmless. With a tight chest or palpitations take this report to a doctor.",
        ),
    ),
    "24558-9": Known(
        Words("腹部彩超", "Abdominal ultrasound"),
        Words("肝、胆、胰、脾、肾的图像检查。", "Images of liver, gallbladder, pancreas, spleen and kidneys."),
        Words(
            "轻度脂肪肝、小囊肿很常见，按报告说明定期复查。",
            "A mildly fatty liver and small cysts are common. Follow up as the report says.",
        ),
    ),
}

SECTIONS: dict[str, str] = {
    "一般检查": "General",
    "血常规": "Blood count",
    "肝功能": "Liver",
    "肾功能": "Kidneys",
    "血糖": "Blood sugar",
    "血脂": "Blood lipids",
    "甲状腺功能": "Thyroid",
    "肿瘤标志物": "Tumour markers",
    "尿常规": "Urine",
    "影像与功能检查": "Imaging and function",
}

VALUES: dict[str, str] = {
    "阴性": "Negative",
    "阳性": "Positive",
    "弱阳性（±）": "Weakly positive (±)",
    "未见异常": "Nothing abnormal",
    "窦性心律，正常心电图": "Sinus rhythm, normal ECG",
    "窦性心动过缓": "Slow sinus rhythm",
    "肝胆胰脾双肾未见明显异常": "Liver, gallbladder, pancreas, spleen and kidneys without clear findings",
    "脂肪肝（轻度）": "Mildly fatty liver",
}

_UNITS = {
    "mm[Hg]": Words("mmHg", "mmHg"),
    "/min": Words("次/分", "/min"),
    "10*9/L": Words("10⁹/L", "10⁹/L"),
    "10*12/L": Words("10¹²/L", "10¹²/L"),
    "umol/L": Words("µmol/L", "µmol/L"),
    "m[IU]/L": Words("mIU/L", "mIU/L"),
    "u[IU]/mL": Words("µIU/mL", "µIU/mL"),
    "[pH]": Words("", ""),
    "kg/m2": Words("kg/m²", "kg/m²"),
    "ng/mL": Words("ng/mL", "ng/mL"),
}


def name_of(loinc: str, delivered: str) -> str:
    """The item's name: the provider's own for Chinese readers, ours in English where the code is known."""
    known = ITEMS.get(loinc)
    return known.name.en if known is not None and not _chinese() else delivered


def meaning_of(loinc: str, flag: str) -> str:
    """What the item tells and what this flag asks for; empty for a normal value or an unknown code."""
    known = ITEMS.get(loinc)
    if known is None or flag in ("", "normal"):
        return ""
    advice = known.low if flag == "low" else known.high
    return ("" if _chinese() else " ").join(str(words) for words in (known.tells, advice) if words and str(words))


def section_of(delivered: str) -> str:
    """A section's heading in the reader's language, as far as we know it."""
    return delivered if _chinese() else SECTIONS.get(delivered, delivered)


def value_of(delivered: str) -> str:
    """A value told in words, in the reader's language as far as we know it; numbers stay as they are."""
    return delivered if _chinese() else VALUES.get(delivered, delivered)


def unit_of(ucum: str) -> str:
    """A UCUM unit as people write it."""
    return str(_UNITS.get(ucum, ucum))


def _chinese() -> bool:
    return language.current().code == "zh"
