"""What reports say, in the reader's language: names, values, units, and what a value outside its range may mean.

Names and sentences of known items stand in the vocabulary (`data/report-items.json`); they help a reader to understand,
name no illness as found and replace no doctor. An item that is not there is shown with the provider's own words.
"""

from __future__ import annotations

from booking.reports.reading.read import Reading
from booking.reports.reading.vocabulary import vocabulary
from marketplace.core.text import Text
from marketplace.web import language
from marketplace.web.language import by_language

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
    "阴性(-)": "Negative",
    "阴性（-）": "Negative",
    "阳性(+)": "Positive",
    "弱阳性": "Weakly positive",
    "正常": "Normal",
    "未见异常": "Nothing abnormal",
    "窦性心律，正常心电图": "Sinus rhythm, normal ECG",
    "窦性心动过缓": "Slow sinus rhythm",
    "肝胆胰脾双肾未见明显异常": "Liver, gallbladder, pancreas, spleen and kidneys without clear findings",
    "脂肪肝（轻度）": "Mildly fatty liver",
}

SECTION_GROUPS: dict[str, str] = {
    "一般检查": "vitals",
    "血常规": "blood_count",
    "肝功能": "liver",
    "肾功能": "kidney",
    "血糖": "glucose",
    "血脂": "lipids",
    "甲状腺功能": "thyroid",
    "肿瘤标志物": "tumour",
    "尿常规": "urine",
    "影像与功能检查": "imaging",
}
"""Where a result that is not in the vocabulary is shown, by the provider's own section."""

_UNITS = {
    "mm[Hg]": Text("mmHg", "mmHg"),
    "/min": Text("次/分", "/min"),
    "10*9/L": Text("×10⁹/L", "×10⁹/L"),
    "10*12/L": Text("×10¹²/L", "×10¹²/L"),
    "umol/L": Text("µmol/L", "µmol/L"),
    "m[IU]/L": Text("mIU/L", "mIU/L"),
    "[pH]": Text("", ""),
    "kg/m2": Text("kg/m²", "kg/m²"),
    "u[IU]/mL": Text("µIU/mL", "µIU/mL"),
    "[IU]/mL": Text("IU/mL", "IU/mL"),
    "k[IU]/L": Text("kIU/L", "kIU/L"),
    "mL/min/{1.73_m2}": Text("mL/min/1.73 m²", "mL/min/1.73 m²"),
    "/[HPF]": Text("/高倍视野", "/HPF"),
    "/uL": Text("/µL", "/µL"),
    "ug/L": Text("µg/L", "µg/L"),
    "ug/dL": Text("µg/dL", "µg/dL"),
    "1": Text("", ""),
}


def name_of(result: Reading) -> str:
    """The item's name: the provider's own for Chinese readers, ours in English where the item is known."""
    known = vocabulary().items.get(result.item)
    return known.name.en if known is not None and not _chinese() else result.name


def item_name(code: str) -> str:
    """The vocabulary's own name of an item."""
    return by_language(vocabulary().items[code].name)


def about(code: str) -> str:
    """What an item measures; empty for one we don't know."""
    known = vocabulary().items.get(code)
    return "" if known is None else by_language(known.meaning)


def meaning_of(result: Reading) -> str:
    """What the item is about and what this side of its range asks for; empty for a normal value or an unknown item."""
    known = vocabulary().items.get(result.item)
    if known is None or not result.to_look_at:
        return ""
    advice = known.low if result.judged == "low" else known.high
    return ("" if _chinese() else " ").join(by_language(words) for words in (known.meaning, advice) if words)


def variant_of(result: Reading) -> str:
    """How it was measured or expressed, where that matters."""
    known = vocabulary().items[result.item].variant(result.variant) if result.item else None
    return "" if known is None else by_language(known.name)


def group_name(code: str) -> str:
    """A group's heading."""
    return by_language(vocabulary().groups[code])


def section_of(delivered: str) -> str:
    """A section's heading in the reader's language, as far as we know it."""
    return delivered if _chinese() else SECTIONS.get(delivered, delivered)


def value_of(delivered: str) -> str:
    """A value told in words, in the reader's language as far as we know it; numbers stay as they are."""
    return delivered if _chinese() else VALUES.get(delivered, delivered)


def unit_of(ucum: str) -> str:
    """A UCUM unit as people write it."""
    known = _UNITS.get(ucum)
    return ucum if known is None else by_language(known)


def _chinese() -> bool:
    return language.current().code == "zh"
