"""One result of a FHIR file, an Observation or a component of one: its value, unit, reference range and mark."""

from __future__ import annotations

from typing import Any

from booking.reports.intake.fhir_elements import (
    LOINC,
    LONGEST_TEXT,
    Resource,
    code_in,
    number_of,
    objects_of,
    own_code_of,
    text_of,
    title_of,
)
from booking.reports.reading.marks import mark_of

UCUM = "http://unitsofmeasure.org"
_MEANINGS = {  # SNOMED CT and LOINC answers that often come without a display name
    **dict.fromkeys(("260385009", "LA6577-6"), "Negative"),
    **dict.fromkeys(("10828004", "LA6576-8"), "Positive"),
    **dict.fromkeys(("260415000", "LA11883-8"), "Not detected"),
    **dict.fromkeys(("260373001", "LA11882-0"), "Detected"),
    **dict.fromkeys(("2667000", "LA9634-2"), "Absent"),
    **dict.fromkeys(("52101004", "LA9633-4"), "Present"),
    **dict.fromkeys(("82334004", "LA11884-6"), "Indeterminate"),
    "131194007": "Non-reactive",
    "11214006": "Reactive",
    "17621005": "Normal",
    "263654008": "Abnormal",
    "42425007": "Equivocal",
}
_SEXES = {"248152002": "female", "248153007": "male"}
_USUAL_TYPES = ("", "normal", "normal range", "reference", "reference range", "recommended")
NOT_TESTED = "not tested"


def read_result(part: Resource, section: str) -> dict[str, Any]:
    """The result as delivered, by the names of providers.reported.ReportItem. Raises Refused (fhir_broken)."""
    value, unit = _value(part)
    low, high, told = _ranges(part, unit)
    code, mark = part.get("code"), _mark(part)
    return {
        "name": title_of(code) or code_in(code, LOINC) or own_code_of(code) or "?",
        "value": value,
        "loinc": code_in(code, LOINC),
        "code": own_code_of(code),
        "unit": unit,
        "low": low,
        "high": high,
        "flag": mark_of(mark).flag,
        "section": section,
        "note": next((text_of(note.get("text")) for note in objects_of(part.get("note"))), ""),
        "range_text": told,
        "mark": mark,
    }


def _value(part: Resource) -> tuple[str, str]:
    """The value as delivered and its unit (UCUM where it is said); why there is none, if that is said."""
    if isinstance(part.get("valueQuantity"), dict):
        value, unit = _quantity(part["valueQuantity"])
        if value:
            return f"{text_of(part['valueQuantity'].get('comparator'))}{value}", unit
    if isinstance(part.get("valueRange"), dict):
        (low, unit), (high, other) = (_quantity(part["valueRange"].get(side)) for side in ("low", "high"))
        return (f"{low}-{high}" if low and high else f">={low}" if low else f"<={high}" if high else ""), unit or other
    if isinstance(part.get("valueCodeableConcept"), dict):
        return _meaning(part["valueCodeableConcept"]), ""
    for name in ("valueInteger", "valueBoolean"):
        if isinstance(part.get(name), int):
            return str(part[name]).lower(), ""
    for name in ("valueString", "valueDateTime", "valueTime"):
        if part.get(name):
            return _said(part[name]), ""
    if isinstance(part.get("valueRatio"), dict):
        sides = [part["valueRatio"].get(side) or {} for side in ("numerator", "denominator")]
        sign = text_of(sides[0].get("comparator"))
        return sign + ":".join(_quantity(side)[0] or "?" for side in sides), ""
    absent = part.get("dataAbsentReason")
    if isinstance(absent, dict):
        why = title_of(absent) or next((text_of(code.get("code")) for code in objects_of(absent.get("coding"))), "")
        return (f"{NOT_TESTED}: {why}" if why else NOT_TESTED), ""
    other = next((name for name in part if name.startswith("value") and len(name) > len("value")), "")
    return (f"({other.removeprefix('value')})" if other else ""), ""


def _quantity(quantity: Any) -> tuple[str, str]:
    """Number and unit of a quantity; a number that was sent as text stays as it is."""
    if not isinstance(quantity, dict) or quantity.get("value") is None:
        return "", ""
    unit = text_of(quantity.get("code")) if quantity.get("system") == UCUM else ""
    value = quantity["value"]
    told = text_of(value) if isinstance(value, str) else str(number_of(value) and value)
    return told, unit or text_of(quantity.get("unit"))


def _said(value: Any) -> str:
    return text_of(value) if isinstance(value, str) else str(number_of(value))


def _meaning(concept: Any) -> str:
    """A coded value: its text or name, the meaning of a code that we know, else the code itself."""
    if title := title_of(concept):
        return title
    codes = [text_of(coding.get("code")) for coding in objects_of(concept.get("coding"))]
    known = next((_MEANINGS[code] for code in codes if code in _MEANINGS), "")
    return known or next((f"code {code}" for code in codes if code), "")


def _ranges(part: Resource, unit: str) -> tuple[float | None, float | None, str]:
    """The reference: bounds where there is one range for everybody in the value's unit; else a text that says whom each
    range is for, as a laboratory would print it."""
    told = [each for each in objects_of(part.get("referenceRange")) if not _empty(each)]
    if len(told) == 1 and not _for_whom(told[0]) and not text_of(told[0].get("text")):
        (low, low_unit), (high, high_unit) = (_quantity(told[0].get(side)) for side in ("low", "high"))
        bounds = _bound(low), _bound(high)
        if {low_unit, high_unit} <= {"", unit} and (bounds != (None, None)):
            return *bounds, ""
    return None, None, "; ".join(text for each in told if (text := _range_text(each, unit)))[:LONGEST_TEXT]


def _empty(each: Resource) -> bool:
    return not any(each.get(name) for name in ("low", "high", "text"))


def _bound(value: str) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None


def _range_text(each: Resource, unit: str) -> str:
    """A range as text, with its unit where that is another than the value's (`unit`)."""
    (low, own), (high, other) = (_quantity(each.get(side)) for side in ("low", "high"))
    text = f"{low}~{high}" if low and high else f">={low}" if low else f"<={high}" if high else ""
    own = own or other
    text = f"{text} {own if own != unit else ''}".strip() if text else text_of(each.get("text"))
    whom = _for_whom(each)
    return f"{whom}: {text}" if whom else text


def _for_whom(each: Resource) -> str:
    """Whom or what a range is for: kind, sex, age; blank for everybody."""
    kind = each.get("type") or {}
    codes = [text_of(one.get("code")) for one in objects_of(kind.get("coding"))]
    usual = not kind or "normal" in codes or title_of(kind).lower() in _USUAL_TYPES[1:] or not (codes or title_of(kind))
    words = [] if usual else [title_of(kind) or codes[0]]
    for concept in objects_of(each.get("appliesTo")):
        codes = [text_of(one.get("code")) for one in objects_of(concept.get("coding"))]
        sexes = [_SEXES.get(code, code) for code in codes if code in _SEXES or code in ("male", "female")]
        words.append(sexes[0] if sexes else title_of(concept) or (codes[0] if codes else "?"))
    age = each.get("age")
    return " ".join([*words, _ages(age)] if isinstance(age, dict) else words).strip()


_A_YEAR = {"a": 1, "mo": 12, "wk": 52, "d": 365, "h": 8760}


def _ages(age: Resource) -> str:
    """An age in completed years, as text: `20-59岁`, `≥18岁`."""
    (low, low_unit), (high, high_unit) = (_quantity(age.get(side)) for side in ("low", "high"))
    first, last = _years(low, low_unit), _years(high, high_unit)
    if (low and first is None) or (high and last is None):
        return f"{low}-{high} {low_unit or high_unit}"
    if first is not None and last is not None:
        return f"{first}-{last}岁" if last >= 1 else f"{low}-{high}天"
    return f"≥{first}岁" if first is not None else f"≤{last}岁" if last is not None else ""


def _years(value: str, unit: str) -> int | None:
    a_year = _A_YEAR.get(unit, 1 if unit.lower() in ("", "years", "year", "yr", "y", "岁") else 0)
    number = _bound(value)
    return int(number / a_year) if number is not None and a_year else None


def _mark(part: Resource) -> str:
    """The laboratory's marks, as HL7 v2 writes several: `H~HH`, each with its words, `H^High`."""
    marks = []
    for concept in objects_of(part.get("interpretation")):
        told = []
        for coding in objects_of(concept.get("coding")):
            told += [text_of(coding.get("code")), text_of(coding.get("display"))]
        words = [word for word in (*told, text_of(concept.get("text"))) if word]
        marks.append("^".join(dict.fromkeys(words)))
    return "~".join(mark for mark in marks if mark)[:LONGEST_TEXT]
