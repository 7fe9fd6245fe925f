"""A word beside bounds belongs to those it stands at, before or behind; in doubt nothing is judged."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import pytest

from booking.reports.reading.ranges import reference_of
from booking.reports.reading.read import Reading, delivered, read
from booking.reports.reading.told import Whose
from providers.adapters.checkup_wire import read_item

GOOD = (
    ("<20 缺乏；20-29 不足；≥30 充足", (30, None)),
    ("缺乏<20;不足20-30;充足30-100", (30, 100)),
    ("30-100 充足，20-30 不足，<20 缺乏", (30, 100)),
    ("<5.2 合适；5.2-6.2 边缘升高；≥6.2 升高", (None, 5.2)),
    ("合适 <5.2 边缘 5.2-6.2 升高 ≥6.2", (None, 5.2)),
    ("Deficient: <20; Insufficient: 20-29; Sufficient: 30-100", (30, 100)),
    ("<5.7% normal, 5.7-6.4% prediabetes, >=6.5% diabetes", (None, 5.7)),
    ("<0.9 阴性,0.9-1.1 灰区,>1.1 阳性", (None, 0.9)),
    ("0-100 (正常)", (0, 100)),
    ("<5.2 合适 5.2-6.2 边缘升高 ≥6.2 升高", (None, 5.2)),
    ("<18.5 偏瘦, 18.5-24 正常, >24 超重", (18.5, 24)),
    ("<1.0(-)；≥1.0(+)", (None, 1.0)),
)
NOBODY_KNOWS = ("3.9-6.1 偏高>6.1", "<300 (rule out); >900 (rule in)", "3.9-6.1 偏高 >6.1 升高 >7")


@pytest.mark.parametrize(("text", "bounds"), GOOD)
def test_the_good_range_is_the_one_its_word_stands_at(text: str, bounds: tuple[float | None, float | None]) -> None:
    found = reference_of(text, "female", 40, "").bounds
    assert found is not None
    assert (found.low, found.high) == bounds


@pytest.mark.parametrize("text", NOBODY_KNOWS)
def test_words_that_could_be_either_neighbours_judge_nothing(text: str) -> None:
    assert reference_of(text, "female", 40, "").bounds is None


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("理想<2.6；合适<3.4；边缘升高3.4-4.1；升高≥4.1", (None, 3.4)),
        ("low risk <1.0; average 1.0-3.0; high >3.0", (None, 1.0)),
        ("0.9-1.1 (therapeutic 2.0-3.0)", (0.9, 1.1)),
        ("35-45（妊娠 28-34）", (35, 45)),
    ],
)
def test_categories_and_what_stands_in_brackets_keep_their_own_words(
    text: str, bounds: tuple[float | None, float | None]
) -> None:
    found = reference_of(text, "female", 40, "").bounds
    assert found is not None
    assert (found.low, found.high) == bounds


@pytest.mark.parametrize(
    ("text", "value", "judged"),
    [
        ("非吸烟者≤5.0；吸烟者≤6.5", "4.8", "normal"),
        ("非吸烟者≤5.0；吸烟者≤6.5", "5.8", ""),
        ("非吸烟者≤5.0；吸烟者≤6.5", "7.1", "high"),
        ("卵泡期 12-166；黄体期 44-211；绝经期 <54", "150", ""),
        ("卵泡期 12-166；黄体期 44-211；绝经期 <54", "50", "normal"),
        ("卵泡期 12-166；黄体期 44-211；绝经期 <54", "500", "high"),
        ("低危<3.4；高危<2.6", "3.0", ""),
        ("低危<3.4；高危<2.6", "2.0", "normal"),
        ("<2.6（高危人群）", "3.2", ""),
        ("<2.6（高危人群）", "2.0", ""),
        ("未孕 <5.0", "0.3", "normal"),
        ("未孕 <5.0", "900", ""),
        ("low risk <1.0; average 1.0-3.0; high >3.0", "2.1", ""),
        ("low risk <1.0; average 1.0-3.0; high >3.0", "6.8", "high"),
    ],
)
def test_of_ranges_that_depend_on_what_nobody_told_only_their_agreement_judges(
    text: str, value: str, judged: str
) -> None:
    assert told("项目", value, text) == judged


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        *(
            ("3-6 男，2-5 女", (2, 5)),
            ("3-6 M, 2-5 F", (2, 5)),
            ("(男)3-6 (女)2-5", (2, 5)),
            ("(女)2-5(男)3-6", (2, 5)),
        ),
        *(
            ("男：20-59岁 3-6；60-79岁 4-7；女：20-59岁 2-5", (2, 5)),
            ("<60岁：男3-6 女2-5；≥60岁：男4-7 女3-6", (2, 5)),
        ),
        *(("3-6 pregnant", None), ("3-6 (pregnant)", None), ("3-6 男", None), ("3-6 儿童", None), ("3-6 孕妇", None)),
        *(("女：60-79岁 1-6；男：20-59岁 3-6", None), ("therapeutic 10-20", (10, 20)), ("10-20 (toxic >20)", (10, 20))),
    ],
)
def test_a_label_is_of_the_bounds_it_stands_at_before_or_behind(
    text: str, bounds: tuple[float | None, float | None] | None
) -> None:
    found = reference_of(text, "female", 40, "").bounds
    assert (found and (found.low, found.high)) == bounds


@pytest.mark.parametrize(("age", "judged"), [(61, "normal"), (50, ""), (40, "")])
def test_a_range_for_after_the_menopause_is_hers_from_an_age_that_leaves_no_doubt(age: int, judged: str) -> None:
    assert told("FSH", "60", "卵泡期 3-10；绝经后 25-134", age=age) == judged


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
    assert told(name, value, text) == judged


@pytest.mark.parametrize(
    ("value", "mark", "judged"), [("5.8", "↑", "high"), ("4.2", "↑", ""), ("5.8", "L", ""), ("4.2", "L", "low")]
)
def test_a_mark_at_the_other_side_of_its_range_judges_nothing(value: str, mark: str, judged: str) -> None:
    assert told("葡萄糖", value, "3.9-6.1", mark=mark) == judged


@pytest.mark.parametrize(("value", "critical"), [("6.4", True), ("4.2", False)])
def test_a_c_is_critical_outside_the_range_and_a_correction_inside(value: str, critical: bool) -> None:
    assert reading_of("钾", value, "3.5-5.3", mark="C").critical is critical


def told(name: str, value: str, text: str, *, age: int = 40, mark: str = "") -> str:
    """The verdict for a woman."""
    return reading_of(name, value, text, age=age, mark=mark).judged


def reading_of(name: str, value: str, text: str, *, age: int = 40, mark: str = "") -> Reading:
    whose = Whose("female", date(2026 - age, 1, 1), date(2026, 6, 1))
    body = {"itemName": name, "result": value, "refRange": text, "mark": mark}
    return read(delivered(asdict(read_item(body))), whose, {})
