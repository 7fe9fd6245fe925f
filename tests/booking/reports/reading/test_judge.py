"""A result is judged by what stands beside it: a usual word, bounds, a mark; in doubt by nothing."""

from __future__ import annotations

import pytest

from tests.booking.reports.grading import reading_of


@pytest.mark.parametrize(
    ("name", "value", "text", "judged"),
    [
        ("尿液外观", "浑浊", "清亮", "abnormal"),
        ("Urine clarity", "Slightly cloudy", "Clear", "abnormal"),
        ("尿液颜色", "淡黄色", "黄色", "normal"),
        ("尿液颜色", "酱油色", "淡黄色~黄色", "abnormal"),
        ("尿液颜色", "绿色", "黄色", ""),
        ("粪便性状", "软便", "软便", "normal"),
        ("粪便性状", "脓血便", "软便", "abnormal"),
        ("粪便颜色", "黑色", "黄褐色", "abnormal"),
        ("备注", "见报告", "见报告", ""),
        ("血型", "A", "A", "normal"),
        ("痰培养", "肺炎克雷伯菌生长", "无菌生长", "abnormal"),
        ("痰培养", "正常菌群", "无菌生长", ""),
        ("Urine culture", "Mixed flora, contamination likely", "No growth", ""),
        ("血培养", "培养5天无细菌生长", "无菌生长", "normal"),
        ("尿培养", "大肠埃希菌 >10^5 CFU/mL", "", "abnormal"),
        ("尿培养", "大肠埃希菌 10^3 CFU/mL", "", ""),
        ("尿培养", "杂菌 >10^5 CFU/mL", "", ""),
        ("白带清洁度", "Ⅲ度", "Ⅰ-Ⅱ度", "abnormal"),
        ("白带清洁度", "3度", "1-2度", "abnormal"),
        ("Peanut IgE", "Class 4 (22.4 kU/L)", "Class 0 (<0.35)", "abnormal"),
        ("Peanut IgE", "Class 0", "Class 0-1", "normal"),
        ("白带清洁度", "Ⅱ度", "Ⅰ-Ⅱ度", "normal"),
        ("镜检红细胞", "满视野", "0-3", "abnormal"),
        ("乳酸杆菌", "满视野", "", ""),
        ("梅毒甲苯胺红试验(TRUST)", "1:16", "阴性", "abnormal"),
        ("梅毒甲苯胺红试验(TRUST)", "<1:2", "阴性", ""),
        ("唐氏筛查风险", "1:16", "阴性", ""),
        ("Pap smear", "ASC-US", "NILM", "abnormal"),
        ("Pap smear", "NILM", "NILM", "normal"),
        ("HBsAb", "Reactive", "Non-reactive", "normal"),
        ("HBsAg", "Reactive", "Non-reactive", "abnormal"),
        ("NT-proBNP", "5,230", "<450", "high"),
        ("WBC", "4,500", "4-10", ""),
        ("滴虫", "未查见", "阴性", "normal"),
        ("念珠菌", "找到", "未找到", "abnormal"),
        ("上皮细胞", "Moderate", "Few", "abnormal"),
        ("上皮细胞", "少量", "少许", "normal"),
        ("Bacteria", "Many", "None", "abnormal"),
        ("Varicella IgG", "Negative", "Positive/Immune", "abnormal"),
        ("Varicella IgG", "Positive (45 IU/mL)", "Immune >=10", "normal"),
        ("Varicella IgG", "Equivocal", "Immune", ""),
        ("RPR", "1:4 阳性", "阴性", "abnormal"),
        ("Troponin", "Critical 850", "<14", "high"),
    ],
)
def test_a_look_a_grade_a_titre_and_a_culture_are_read_by_what_stands_beside_them(
    name: str, value: str, text: str, judged: str
) -> None:
    assert reading_of(name, value, text).judged == judged


@pytest.mark.parametrize(
    ("value", "mark", "judged"), [("5.8", "↑", "high"), ("4.2", "↑", ""), ("5.8", "L", ""), ("4.2", "L", "low")]
)
def test_a_mark_at_the_other_side_of_its_range_judges_nothing(value: str, mark: str, judged: str) -> None:
    assert reading_of("葡萄糖", value, "3.9-6.1", mark=mark).judged == judged


@pytest.mark.parametrize(("value", "critical"), [("6.4", True), ("4.2", False)])
def test_a_c_is_critical_outside_the_range_and_a_correction_inside(value: str, critical: bool) -> None:
    assert reading_of("钾", value, "3.5-5.3", mark="C").critical is critical
