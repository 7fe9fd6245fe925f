"""HL7 FHIR R4 JSON: a DiagnosticReport with its Observations (contained, or in a Bundle) and papers (presentedForm).

No address in it is followed; only what the file itself contains is used.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from booking.reports.intake import pdf, png
from booking.reports.intake.findings import LARGEST_UNPACKED, MOST_PAPERS, PDF, PNG, Findings, Paper, Refused, kind_of
from booking.reports.reading.marks import mark_of

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
MOST_ENTRIES = 5_000
MOST_ITEMS = 2_000
DEEPEST_PANEL = 5
LONGEST_TEXT = 4_000
LONGEST_CONCLUSION = 50_000
_WITHDRAWN = ("entered-in-error", "cancelled")
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
_LARGEST_NUMBER = Decimal(10) ** 12

Resource = Mapping[str, Any]


def examine(content: bytes) -> Findings:
    """Results, conclusion and papers.

    Raises Refused: fhir_broken (no R4 JSON that we can read), fhir_too_large, fhir_no_report, fhir_two_persons,
    fhir_withdrawn, fhir_empty (neither a result, a conclusion nor a paper), and what pdf and png refuse.
    """
    try:
        document = json.loads(
            content.removeprefix(b"\xef\xbb\xbf").decode(), parse_float=Decimal, parse_constant=_no_constant
        )
    except (ValueError, RecursionError, ArithmeticError) as bad:
        raise Refused("fhir_broken") from bad
    try:
        return _read(document)
    except (TypeError, AttributeError, KeyError, RecursionError, ArithmeticError) as bad:
        raise Refused("fhir_broken") from bad


def _no_constant(_text: str) -> None:
    raise ValueError


def _read(document: Any) -> Findings:
    known = _resources(document)
    all_reports = [resource for _, resource in known if resource.get("resourceType") == "DiagnosticReport"]
    reports = [report for report in all_reports if report.get("status") not in _WITHDRAWN]
    if not reports:
        raise Refused("fhir_withdrawn" if all_reports else "fhir_no_report")
    by_address = {_plain_address(address): resource for address, resource in known if address}
    _require_one_person(reports, by_address)
    items: list[dict[str, Any]] = []
    papers: list[Paper] = []
    missing = left_out = 0
    for report in reports:
        panel = _title(report.get("code")) if len(reports) > 1 else ""
        found, lost = _items(report, {**by_address, **_contained(report)}, panel)
        kept, refused = _papers(report)
        items, papers = [*items, *found], [*papers, *kept]
        missing, left_out = missing + lost, left_out + refused
    conclusion = _conclusion(reports)
    if not items and not papers and not conclusion:
        raise Refused("fhir_empty")
    if len(items) > MOST_ITEMS or len(papers) > MOST_PAPERS:
        raise Refused("fhir_too_large")
    return Findings(tuple(papers), tuple(items), conclusion, missing, left_out)


def _contained(report: Resource) -> dict[str, Resource]:
    return {f"#{part['id']}": part for part in _objects(report.get("contained")) if _text(part.get("id"))}


def _plain_address(address: str) -> str:
    """An address without the version in it: `Observation/a/_history/1` is `Observation/a`."""
    return address.partition("/_history/")[0]


def _found(known: Mapping[str, Resource], address: str) -> Resource | None:
    """What an address calls: as it stands, or by type and id where one of the two is absolute."""
    plain = _plain_address(address)
    short = "/".join(plain.split("/")[-2:])
    return known.get(plain) or (known.get(short) if "/" in plain else None)


def _require_one_person(reports: Sequence[Resource], known: Mapping[str, Resource]) -> None:
    """Raises Refused: fhir_two_persons if reports or their results name more than one person."""
    named: set[str] = set()
    for report in reports:
        inside = {**known, **_contained(report)}
        results = [_found(inside, _text(one.get("reference"))) for one in _objects(report.get("result"))]
        for resource in (report, *(result for result in results if result is not None)):
            address = _text((resource.get("subject") or {}).get("reference"))
            person = _found(inside, address) if address else None
            named |= (
                {str(id(person)) if person is not None else "/".join(_plain_address(address).split("/")[-2:])}
                if address
                else set()
            )
    if len(named) > 1:
        raise Refused("fhir_two_persons")


def _conclusion(reports: Sequence[Resource]) -> str:
    """The conclusions, each under its report's name where there are several."""
    told = [(_title(report.get("code")), _text(report.get("conclusion"), LONGEST_CONCLUSION)) for report in reports]
    several = len(reports) > 1
    return "\n".join(f"{name}: {text}" if several and name else text for name, text in told if text)[
        :LONGEST_CONCLUSION
    ]


def _resources(document: Any) -> list[tuple[str, Resource]]:
    """Each resource with the addresses that others may call it by."""
    if not isinstance(document, dict):
        raise Refused("fhir_broken")
    if document.get("resourceType") != "Bundle":
        return [("", document)]
    entries = _objects(document.get("entry"))
    if len(entries) > MOST_ENTRIES:
        raise Refused("fhir_too_large")
    found: list[tuple[str, Resource]] = []
    for entry in entries:
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            continue
        found.append((_text(entry.get("fullUrl")), resource))
        if _text(resource.get("id")) and resource.get("resourceType") != "DiagnosticReport":
            found.append((f"{_text(resource.get('resourceType'))}/{resource['id']}", resource))
    return found


def _items(report: Resource, known: Mapping[str, Resource], panel: str) -> tuple[list[dict[str, Any]], int]:
    """The results of a report, and how many it names that are not in the file."""
    found: list[dict[str, Any]] = []
    lost: list[str] = []
    for reference in _objects(report.get("result")):
        found += _observed(reference, known, 0, panel, lost)
        if len(found) > MOST_ITEMS:
            raise Refused("fhir_too_large")
    return found, len(lost)


def _observed(
    reference: Resource, known: Mapping[str, Resource], depth: int, section: str, lost: list[str]
) -> Iterator[dict[str, Any]]:
    """The results of an observation: its own, those of its components, those of the panel's members. The address of
    one that is not in the file goes to `lost`."""
    resource = _found(known, _text(reference.get("reference")))
    if resource is None or resource.get("resourceType") != "Observation":
        lost.append(_text(reference.get("reference")))
        return
    if resource.get("status") in _WITHDRAWN:
        return
    if depth > DEEPEST_PANEL:
        raise Refused("fhir_too_large")
    section = section or next((_text(kind.get("text")) for kind in _objects(resource.get("category"))), "")
    components, members = _objects(resource.get("component")), _objects(resource.get("hasMember"))
    own = _item(resource, section)
    if own["value"] or not (components or members):
        yield own
    for component in components:
        yield _item(component, section)
    title = _title(resource.get("code"))
    for member in members:
        yield from _observed(member, known, depth + 1, title or section, lost)


def _item(part: Resource, section: str) -> dict[str, Any]:
    value, unit = _value(part)
    low, high, told = _ranges(part, unit)
    code, mark = part.get("code"), _mark(part)
    return {
        "name": _title(code) or _coded(code, LOINC) or _own_code(code) or "?",
        "value": value,
        "loinc": _coded(code, LOINC),
        "code": _own_code(code),
        "unit": unit,
        "low": low,
        "high": high,
        "flag": mark_of(mark).flag,
        "section": section,
        "note": next((_text(note.get("text")) for note in _objects(part.get("note"))), ""),
        "range_text": told,
        "mark": mark,
    }


def _value(part: Resource) -> tuple[str, str]:
    """The value as delivered and its unit (UCUM where it is said); why there is none, if that is said."""
    if isinstance(part.get("valueQuantity"), dict):
        value, unit = _quantity(part["valueQuantity"])
        if value:
            return f"{_text(part['valueQuantity'].get('comparator'))}{value}", unit
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
        sign = _text(sides[0].get("comparator"))
        return sign + ":".join(_quantity(side)[0] or "?" for side in sides), ""
    absent = part.get("dataAbsentReason")
    if isinstance(absent, dict):
        why = _title(absent) or next((_text(code.get("code")) for code in _objects(absent.get("coding"))), "")
        return (f"{NOT_TESTED}: {why}" if why else NOT_TESTED), ""
    other = next((name for name in part if name.startswith("value") and len(name) > len("value")), "")
    return (f"({other.removeprefix('value')})" if other else ""), ""


def _quantity(quantity: Any) -> tuple[str, str]:
    """Number and unit of a quantity; a number that was sent as text stays as it is."""
    if not isinstance(quantity, dict) or quantity.get("value") is None:
        return "", ""
    unit = _text(quantity.get("code")) if quantity.get("system") == UCUM else ""
    value = quantity["value"]
    told = _text(value) if isinstance(value, str) else str(_number(value) and value)
    return told, unit or _text(quantity.get("unit"))


def _said(value: Any) -> str:
    return _text(value) if isinstance(value, str) else str(_number(value))


def _meaning(concept: Any) -> str:
    """A coded value: its text or name, the meaning of a code that we know, else the code itself."""
    if title := _title(concept):
        return title
    codes = [_text(coding.get("code")) for coding in _objects(concept.get("coding"))]
    known = next((_MEANINGS[code] for code in codes if code in _MEANINGS), "")
    return known or next((f"code {code}" for code in codes if code), "")


def _ranges(part: Resource, unit: str) -> tuple[float | None, float | None, str]:
    """The reference: bounds where there is one range for everybody in the value's unit; else a text that says whom each
    range is for, as a laboratory would print it."""
    told = [each for each in _objects(part.get("referenceRange")) if not _empty(each)]
    if len(told) == 1 and not _for_whom(told[0]) and not _text(told[0].get("text")):
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
    text = f"{text} {own if own != unit else ''}".strip() if text else _text(each.get("text"))
    whom = _for_whom(each)
    return f"{whom}: {text}" if whom else text


def _for_whom(each: Resource) -> str:
    """Whom or what a range is for: kind, sex, age; blank for everybody."""
    kind = each.get("type") or {}
    codes = [_text(one.get("code")) for one in _objects(kind.get("coding"))]
    usual = not kind or "normal" in codes or _title(kind).lower() in _USUAL_TYPES[1:] or not (codes or _title(kind))
    words = [] if usual else [_title(kind) or codes[0]]
    for concept in _objects(each.get("appliesTo")):
        codes = [_text(one.get("code")) for one in _objects(concept.get("coding"))]
        sexes = [_SEXES.get(code, code) for code in codes if code in _SEXES or code in ("male", "female")]
        words.append(sexes[0] if sexes else _title(concept) or (codes[0] if codes else "?"))
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
    for concept in _objects(part.get("interpretation")):
        told = []
        for coding in _objects(concept.get("coding")):
            told += [_text(coding.get("code")), _text(coding.get("display"))]
        words = [word for word in (*told, _text(concept.get("text"))) if word]
        marks.append("^".join(dict.fromkeys(words)))
    return "~".join(mark for mark in marks if mark)[:LONGEST_TEXT]


def _papers(report: Resource) -> tuple[list[Paper], int]:
    """The attached papers, and how many were left out because they are neither PDF nor PNG. One that is given only by
    an address is ignored."""
    forms = [form for form in _objects(report.get("presentedForm")) if form.get("data")]
    if len(forms) > MOST_PAPERS:
        raise Refused("fhir_too_large")
    papers: list[Paper] = []
    total = left_out = 0
    for form in forms:
        try:
            content = base64.b64decode("".join(_text(form["data"], None).split()), validate=True)
        except (binascii.Error, ValueError) as bad:
            raise Refused("fhir_broken") from bad
        total += len(content)
        if total > LARGEST_UNPACKED:
            raise Refused("fhir_too_large")
        claimed = _text(form.get("contentType")).partition(";")[0].strip()
        if claimed not in (PDF, PNG):
            left_out += 1
            continue
        kind = kind_of(content)
        if kind != claimed:
            raise Refused("wrong_type")
        papers.append(pdf.examine(content) if kind == PDF else png.examine(content))
    return papers, left_out


def _objects(value: Any) -> list[dict[str, Any]]:
    """A list of objects, empty when it is missing. Raises Refused for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Refused("fhir_broken")
    return value


def _text(value: Any, longest: int | None = LONGEST_TEXT) -> str:
    """Text, blank when it is missing. Raises Refused for a longer one; a text is never shortened."""
    if value is None:
        return ""
    if not isinstance(value, str) or (longest is not None and len(value) > longest):
        raise Refused("fhir_broken")
    return value


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Refused("fhir_broken")
    number = Decimal(value)
    if abs(number) > _LARGEST_NUMBER:
        raise Refused("fhir_broken")
    return number


def _title(concept: Any) -> str:
    """The text of a concept, else the first display name of its codes; blank if there is none."""
    if not isinstance(concept, dict):
        return ""
    displays = [_text(coding.get("display")) for coding in _objects(concept.get("coding"))]
    return _text(concept.get("text")) or next((text for text in displays if text), "")


def _coded(concept: Any, system: str) -> str:
    if not isinstance(concept, dict):
        return ""
    codes = [_text(c.get("code")) for c in _objects(concept.get("coding")) if c.get("system") == system]
    return codes[0] if codes else ""


def _own_code(concept: Any) -> str:
    """The provider's own code, if it gives one beside LOINC."""
    if not isinstance(concept, dict):
        return ""
    codes = [_text(c.get("code")) for c in _objects(concept.get("coding")) if c.get("system") != LOINC]
    return codes[0] if codes else ""
