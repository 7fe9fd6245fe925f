"""HL7 FHIR R4 JSON: a DiagnosticReport with its Observations (contained, or in a Bundle) and papers (presentedForm).

No address in it is followed; only what the file itself contains is used.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from booking.reports.intake import pdf, png
from booking.reports.intake.findings import LARGEST_UNPACKED, MOST_PAPERS, PDF, PNG, Findings, Paper, Refused, kind_of

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
MOST_ENTRIES = 5_000
MOST_ITEMS = 2_000
DEEPEST_PANEL = 5
LONGEST_TEXT = 4_000
LONGEST_CONCLUSION = 50_000
_WITHDRAWN = ("entered-in-error", "cancelled")
_FLAGS = {  # terminology.hl7.org/CodeSystem/v3-ObservationInterpretation
    **dict.fromkeys(("H", "HH", "HU", "HX"), "high"),
    **dict.fromkeys(("L", "LL", "LU", "LX"), "low"),
    **dict.fromkeys(("A", "AA"), "abnormal"),
    "N": "normal",
}
_LARGEST_NUMBER = Decimal(10) ** 12

Resource = Mapping[str, Any]


def examine(content: bytes) -> Findings:
    """Results, conclusion and papers.

    Raises Refused: fhir_broken (no R4 JSON that we can read), fhir_too_large, fhir_no_report, fhir_several_reports,
    fhir_withdrawn, fhir_empty (neither a result nor a paper), and what pdf and png refuse.
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
    reports = [resource for _, resource in known if resource.get("resourceType") == "DiagnosticReport"]
    if len(reports) != 1:
        raise Refused("fhir_several_reports" if reports else "fhir_no_report")
    [report] = reports
    if report.get("status") in _WITHDRAWN:
        raise Refused("fhir_withdrawn")
    by_address = {address: resource for address, resource in known if address}
    by_address |= {f"#{part['id']}": part for part in _objects(report.get("contained")) if _text(part.get("id"))}
    items = tuple(_items(report, by_address))
    papers = _papers(report)
    if not items and not papers:
        raise Refused("fhir_empty")
    return Findings(papers, items, _text(report.get("conclusion"), LONGEST_CONCLUSION))


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


def _items(report: Resource, known: Mapping[str, Resource]) -> Iterator[dict[str, Any]]:
    made = 0
    for reference in _objects(report.get("result")):
        for item in _observed(known.get(_text(reference.get("reference"))), known, 0, ""):
            made += 1
            if made > MOST_ITEMS:
                raise Refused("fhir_too_large")
            yield item


def _observed(
    resource: Resource | None, known: Mapping[str, Resource], depth: int, section: str
) -> Iterator[dict[str, Any]]:
    """The results of an observation: its own, those of its components, those of the panel's members."""
    if resource is None or resource.get("resourceType") != "Observation" or resource.get("status") in _WITHDRAWN:
        return
    if depth > DEEPEST_PANEL:
        raise Refused("fhir_too_large")
    section = section or next((_text(kind.get("text")) for kind in _objects(resource.get("category"))), "")
    own = _item(resource, section)
    if own is not None:
        yield own
    for component in _objects(resource.get("component")):
        part = _item(component, section)
        if part is not None:
            yield part
    title = _title(resource.get("code"))
    for reference in _objects(resource.get("hasMember")):
        yield from _observed(known.get(_text(reference.get("reference"))), known, depth + 1, title or section)


def _item(part: Resource, section: str) -> dict[str, Any] | None:
    value, unit, number = _value(part)
    if not value:
        return None
    low, high = _range(part)
    code = part.get("code")
    return {
        "name": _title(code) or _coded(code, LOINC) or "?",
        "value": value,
        "loinc": _coded(code, LOINC),
        "code": _own_code(code),
        "unit": unit,
        "low": low,
        "high": high,
        "flag": _flag(part, number, low, high),
        "section": section,
        "note": next((_text(note.get("text")) for note in _objects(part.get("note"))), ""),
    }


def _value(part: Resource) -> tuple[str, str, Decimal | None]:
    """The value as delivered, its unit (UCUM where it is said), and the number if it is plainly one."""
    quantity = part.get("valueQuantity")
    if isinstance(quantity, dict) and quantity.get("value") is not None:
        number = _number(quantity["value"])
        comparator = _text(quantity.get("comparator"))
        unit = _text(quantity.get("code")) if quantity.get("system") == UCUM else _text(quantity.get("unit"))
        return f"{comparator}{quantity['value']}", unit, None if comparator else number
    if isinstance(part.get("valueCodeableConcept"), dict):
        return _title(part["valueCodeableConcept"]), "", None
    for name in ("valueInteger", "valueBoolean"):
        if isinstance(part.get(name), int):
            plain = isinstance(part[name], bool)
            return str(part[name]).lower(), "", None if plain else Decimal(part[name])
    for name in ("valueString", "valueDateTime", "valueTime"):
        if part.get(name):
            return _text(part[name]), "", None
    if isinstance(part.get("valueRatio"), dict):
        sides = [part["valueRatio"].get(side) or {} for side in ("numerator", "denominator")]
        return ":".join(str(_number(side.get("value"))) for side in sides), "", None
    return _text((part.get("dataAbsentReason") or {}).get("text")), "", None


def _range(part: Resource) -> tuple[float | None, float | None]:
    """The normal range: the first one that is not of another kind."""
    for each in _objects(part.get("referenceRange")):
        kinds = [_text(one.get("code")) for one in _objects((each.get("type") or {}).get("coding"))]
        if not kinds or "normal" in kinds:
            low, high = ((each.get(side) or {}).get("value") for side in ("low", "high"))
            return (None if low is None else float(_number(low))), (None if high is None else float(_number(high)))
    return None, None


def _flag(part: Resource, number: Decimal | None, low: float | None, high: float | None) -> str:
    for concept in _objects(part.get("interpretation")):
        for coding in _objects(concept.get("coding")):
            if _text(coding.get("code")) in _FLAGS:
                return _FLAGS[coding["code"]]
    if number is None or (low is None and high is None):
        return ""
    if high is not None and number > _exact(high):
        return "high"
    return "low" if low is not None and number < _exact(low) else "normal"


def _papers(report: Resource) -> tuple[Paper, ...]:
    """The attached papers; one that is given only by an address is ignored."""
    forms = [form for form in _objects(report.get("presentedForm")) if form.get("data")]
    if len(forms) > MOST_PAPERS:
        raise Refused("fhir_too_large")
    papers = []
    total = 0
    for form in forms:
        try:
            content = base64.b64decode("".join(_text(form["data"], None).split()), validate=True)
        except (binascii.Error, ValueError) as bad:
            raise Refused("fhir_broken") from bad
        total += len(content)
        if total > LARGEST_UNPACKED:
            raise Refused("fhir_too_large")
        kind = kind_of(content)
        if kind not in (PDF, PNG) or _text(form.get("contentType")).partition(";")[0].strip() != kind:
            raise Refused("wrong_type")
        papers.append(pdf.examine(content) if kind == PDF else png.examine(content))
    return tuple(papers)


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


def _exact(number: float) -> Decimal:
    return Decimal(repr(number))


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
