"""The items of a health check-up: LOINC code, Chinese name, UCUM unit and reference range by sex.

Ranges are those printed on ordinary Chinese laboratory reports (WS/T 404, 405 and 779 families), rounded; they are
for demonstration and no medical advice.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A measured item. `male` and `female` are (low, high), None for a bound that does not exist; `only` is the
    sex the item is measured for, blank for both."""

    section: str
    loinc: str
    name: str
    unit: str
    male: tuple[float | None, float | None]
    female: tuple[float | None, float | None]
    digits: int = 1
    only: str = ""

    def limits(self, sex: str) -> tuple[float | None, float | None]:
        """The reference range for a sex."""
        return self.female if sex == "female" else self.male


def _both(section: str, loinc: str, name: str, unit: str, low: float | None, high: float, digits: int = 1) -> Item:
    return Item(section, loinc, name, unit, (low, high), (low, high), digits)


GENERAL, BLOOD, LIVER, KIDNEY, SUGAR = "一般检查", "血常规", "肝功能", "肾功能", "血糖"
LIPIDS, THYROID, TUMOUR, URINE, IMAGING = "血脂", "甲状腺功能", "肿瘤标志物", "尿常规", "影像与功能检查"

MEASURED: tuple[Item, ...] = (
    _both(GENERAL, "8480-6", "收缩压", "mm[Hg]", 90, 139, 0),
    _both(GENERAL, "8462-4", "舒张压", "mm[Hg]", 60, 89, 0),
    _both(GENERAL, "8867-4", "心率", "/min", 60, 100, 0),
    _both(BLOOD, "6690-2", "白细胞计数", "10*9/L", 3.5, 9.5, 2),
    Item(BLOOD, "789-8", "红细胞计数", "10*12/L", (4.3, 5.8), (3.8, 5.1), 2),
    Item(BLOOD, "718-7", "血红蛋白", "g/L", (130, 175), (115, 150), 0),
    Item(BLOOD, "4544-3", "红细胞压积", "%", (40, 50), (35, 45)),
    _both(BLOOD, "777-3", "血小板计数", "10*9/L", 125, 350, 0),
    _both(BLOOD, "770-8", "中性粒细胞百分比", "%", 40, 75),
    _both(BLOOD, "736-9", "淋巴细胞百分比", "%", 20, 50),
    Item(LIVER, "1742-6", "丙氨酸氨基转移酶", "U/L", (9, 50), (7, 40), 0),
    Item(LIVER, "1920-8", "天门冬氨酸氨基转移酶", "U/L", (15, 40), (13, 35), 0),
    Item(LIVER, "2324-2", "γ-谷氨酰转移酶", "U/L", (10, 60), (7, 45), 0),
    _both(LIVER, "14631-6", "总胆红素", "umol/L", 3.4, 20.5),
    _both(LIVER, "2885-2", "总蛋白", "g/L", 65, 85),
    _both(LIVER, "1751-7", "白蛋白", "g/L", 40, 55),
    Item(KIDNEY, "14682-9", "肌酐", "umol/L", (57, 97), (41, 73), 0),
    _both(KIDNEY, "22664-7", "尿素", "mmol/L", 3.1, 8.0, 2),
    Item(KIDNEY, "14933-6", "尿酸", "umol/L", (208, 428), (155, 357), 0),
    _both(SUGAR, "14771-0", "空腹血糖", "mmol/L", 3.9, 6.1, 2),
    _both(SUGAR, "4548-4", "糖化血红蛋白", "%", 4.0, 6.0),
    _both(LIPIDS, "14647-2", "总胆固醇", "mmol/L", 2.8, 5.2, 2),
    _both(LIPIDS, "14927-8", "甘油三酯", "mmol/L", 0.4, 1.7, 2),
    _both(LIPIDS, "14646-4", "高密度脂蛋白胆固醇", "mmol/L", 1.0, 2.0, 2),
    _both(LIPIDS, "22748-8", "低密度脂蛋白胆固醇", "mmol/L", 1.5, 3.4, 2),
    _both(THYROID, "3016-3", "促甲状腺激素", "m[IU]/L", 0.35, 4.94, 2),
    _both(THYROID, "14920-3", "游离甲状腺素", "pmol/L", 9.0, 19.1, 2),
    _both(TUMOUR, "1834-1", "甲胎蛋白", "ng/mL", None, 7.0, 2),
    _both(TUMOUR, "2039-6", "癌胚抗原", "ng/mL", None, 5.0, 2),
    Item(TUMOUR, "2857-1", "前列腺特异性抗原", "ng/mL", (None, 4.0), (None, 4.0), 2, "male"),
    Item(TUMOUR, "10334-1", "糖类抗原125", "U/mL", (None, 35.0), (None, 35.0), 1, "female"),
    _both(URINE, "5811-5", "尿比重", "", 1.003, 1.030, 3),
    _both(URINE, "5803-2", "尿酸碱度", "[pH]", 5.0, 8.0),
)

# What is told in words: section, LOINC, name, what is usual, what is found now and then.
TOLD: tuple[tuple[str, str, str, str, str], ...] = (
    (URINE, "20454-5", "尿蛋白", "阴性", "弱阳性（±）"),
    (URINE, "25428-4", "尿葡萄糖", "阴性", "弱阳性（±）"),
    (IMAGING, "11524-6", "心电图", "窦性心律，正常心电图", "窦性心动过缓"),
    (IMAGING, "24558-9", "腹部彩超", "肝胆胰脾双肾未见明显异常", "脂肪肝（轻度）"),
)

# What the doctor says when an item lies outside its range.
ADVICE = {
    GENERAL: "体重、血压或心率偏离参考范围，建议低盐饮食、规律运动，两周内复测。",
    BLOOD: "血常规有指标偏离参考范围，建议一个月内复查血常规。",
    LIVER: "肝功能有指标偏离参考范围，建议戒酒并于一个月后复查。",
    KIDNEY: "肾功能或尿酸偏离参考范围，建议多饮水、低嘌呤饮食，必要时肾内科就诊。",
    SUGAR: "血糖指标偏离参考范围，建议控制饮食，内分泌科随诊。",
    LIPIDS: "血脂偏离参考范围，建议低脂饮食、适量运动，三个月后复查。",
    THYROID: "甲状腺功能有指标偏离参考范围，建议内分泌科就诊。",
    TUMOUR: "肿瘤标志物轻度升高，建议一个月后复查，不必紧张。",
    URINE: "尿常规有异常，建议留取晨尿复查。",
    IMAGING: "影像或功能检查有提示，建议按报告说明定期随访。",
}
