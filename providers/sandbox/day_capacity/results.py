"""Results in this provider's own words: its codes and names, its spelling of units, ranges and marks as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# LOINC -> own code, own name. What is missing here goes by its number in the section.
OWN: dict[str, tuple[str, str]] = {
    "8302-2": ("TJ0001", "身高"),
    "29463-7": ("TJ0002", "体重"),
    "39156-5": ("TJ0003", "BMI"),
    "8480-6": ("TJ0004", "血压(收缩压)"),
    "8462-4": ("TJ0005", "血压(舒张压)"),
    "8867-4": ("TJ0006", "脉搏"),
    "6690-2": ("XCG001", "白细胞数(WBC)"),
    "789-8": ("XCG002", "红细胞数(RBC)"),
    "718-7": ("XCG003", "血红蛋白浓度(HGB)"),
    "4544-3": ("XCG004", "红细胞比容(HCT)"),
    "777-3": ("XCG005", "血小板数(PLT)"),
    "770-8": ("XCG006", "中性粒细胞比率(NEUT%)"),
    "736-9": ("XCG007", "淋巴细胞比率(LYM%)"),
    "1742-6": ("GG001", "谷丙转氨酶(ALT)"),
    "1920-8": ("GG002", "谷草转氨酶(AST)"),
    "2324-2": ("GG003", "谷氨酰转肽酶(GGT)"),
    "14631-6": ("GG004", "总胆红素(TBIL)"),
    "2885-2": ("GG005", "总蛋白(TP)"),
    "1751-7": ("GG006", "白蛋白(ALB)"),
    "14682-9": ("SG001", "肌酐(CREA)"),
    "22664-7": ("SG002", "尿素氮(UREA)"),
    "14933-6": ("SG003", "尿酸(UA)"),
    "14771-0": ("XT001", "葡萄糖(GLU)"),
    "4548-4": ("XT002", "糖化血红蛋白(HbA1c)"),
    "14647-2": ("XZ001", "总胆固醇(TC)"),
    "14927-8": ("XZ002", "甘油三酯(TG)"),
    "14646-4": ("XZ003", "高密度脂蛋白(HDL-C)"),
    "22748-8": ("XZ004", "低密度脂蛋白(LDL-C)"),
    "3016-3": ("JG001", "促甲状腺素(TSH)"),
    "14920-3": ("JG002", "游离T4(FT4)"),
    "1834-1": ("ZL001", "甲胎蛋白(AFP)"),
    "2039-6": ("ZL002", "癌胚抗原(CEA)"),
    "2857-1": ("ZL003", "前列腺特异抗原(PSA)"),
    "10334-1": ("ZL004", "糖链抗原125(CA125)"),
    "5811-5": ("NCG001", "尿比重(SG)"),
    "5803-2": ("NCG002", "尿酸碱度(PH)"),
    "20454-5": ("NCG003", "尿蛋白(PRO)"),
    "25428-4": ("NCG004", "尿糖(GLU)"),
    "11524-6": ("GN001", "十二导联心电图"),
    "24558-9": ("GN002", "彩超(腹部)"),
}
STANDARD = ("6690-2", "789-8", "777-3", "14771-0", "14647-2")
"""The few items for which this laboratory delivers the LOINC code too."""
UNITS = {
    "mm[Hg]": "mmHg",
    "/min": "次/分",
    "10*9/L": "10^9/L",
    "10*12/L": "10^12/L",
    "umol/L": "μmol/L",
    "U/L": "IU/L",
    "m[IU]/L": "uIU/mL",
    "ng/mL": "ng/ml",
    "kg/m2": "Kg/m²",
    "[pH]": "",
}
TENTHS = ("718-7",)
"""Measured here in a unit ten times as large: haemoglobin in g/dL."""
MARKS = {"high": "↑", "low": "↓", "abnormal": "*"}


def in_own_words(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of the ledger with this provider's name, value and unit; `code` is its own."""
    loinc = item["loinc"]
    code, name = OWN[loinc]
    told = {**item, "code": code, "name": name, "unit": UNITS.get(item["unit"], item["unit"])}
    if loinc in TENTHS:
        told["value"] = f"{float(item['value']) / 10:.1f}"
        told["unit"] = "g/dL"
        for bound in ("low", "high"):
            told[bound] = None if item[bound] is None else item[bound] / 10
    return told


def as_told(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item (in own words) as report.fetch tells it."""
    return {
        "itemCode": item["code"],
        "stdCode": item["loinc"] if item["loinc"] in STANDARD else "",
        "itemName": item["name"],
        "groupName": item["section"],
        "result": item["value"],
        "unit": item["unit"],
        "refRange": _range(item["low"], item["high"], item["flag"]),
        "mark": MARKS.get(item["flag"], ""),
        "remark": item["note"],
    }


def _range(low: float | None, high: float | None, flag: str) -> str:
    if low is not None and high is not None:
        return f"{low:g}-{high:g}"
    if high is not None:
        return f"≤{high:g}"
    if low is not None:
        return f"≥{low:g}"
    return "" if flag == "" else "阴性或未见异常"
