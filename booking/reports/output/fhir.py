"""A report as an HL7 FHIR R4 Bundle (type collection): Patient, DiagnosticReport, an Observation a result, its papers.

hl7.org/fhir/R4: bundle.html, diagnosticreport.html, observation.html. Codes are LOINC where the result has one, units
UCUM. Addresses are `urn:uuid:` of the report's id and version, so that the same version always has the same addresses.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from booking.reports.box import Document, ReportView
from booking.reports.reading.read import Reading
from marketplace.catalog.kinds import words_of

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
MEDIA_TYPE = "application/fhir+json"
_STATUS = {"partial": "partial", "ready": "final", "corrected": "corrected"}
_OBSERVED = {"partial": "preliminary", "ready": "final", "corrected": "corrected"}
_FLAGS = {"high": ("H", "High"), "low": ("L", "Low"), "abnormal": ("A", "Abnormal"), "normal": ("N", "Normal")}
_CRITICAL = {"high": ("HH", "Critical high"), "low": ("LL", "Critical low"), "abnormal": ("AA", "Critical abnormal")}
_QUANTITY = re.compile(r"(<=|>=|<|>)?\s*([+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?)")
_UNIT = re.compile(r"[!-~]{1,40}")
_NAMES = uuid.UUID("5c1a3ad0-6a33-4f2e-9d5e-0c6c1b8e2f11")


def bundle(
    view: ReportView, sex: str, birth_date: date, papers: Sequence[Document], *, now: datetime
) -> dict[str, Any]:
    """The Bundle as plain JSON values. `sex` is male or female; `papers` are in the order of their positions."""
    patient = _address(view, "patient")
    results = [(_address(view, f"result:{number}"), item) for number, item in enumerate(view.results)]
    report = {
        "resourceType": "DiagnosticReport",
        "identifier": [{"value": view.id}],
        "status": _STATUS.get(view.state, "final"),
        "code": {"text": " ".join(words_of(view.kind).report)},
        "subject": {"reference": patient},
        "effectiveDateTime": view.service_date.isoformat(),
        "issued": _instant(view.issued_at),
        "performer": [{"display": f"{view.provider_name.zh}·{view.site}"}],
        "result": [{"reference": address} for address, _ in results],
        "conclusion": view.conclusion,
        "presentedForm": [
            {
                "contentType": paper.media_type,
                "data": base64.b64encode(paper.content).decode(),
                "title": f"report-{view.service_date.isoformat()}-{number + 1}",
            }
            for number, paper in enumerate(papers)
        ],
    }
    person = {
        "resourceType": "Patient",
        "name": [{"text": view.beneficiary_name}],
        "gender": sex,
        "birthDate": birth_date.isoformat(),
    }
    entries = [(_address(view, "report"), report), (patient, person)]
    entries += [(address, _observation(view, patient, item)) for address, item in results]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _instant(now),
        "entry": [{"fullUrl": address, "resource": _without_blanks(resource)} for address, resource in entries],
    }


def _observation(view: ReportView, patient: str, item: Reading) -> dict[str, Any]:
    coding = [{"system": LOINC, "code": item.loinc}, {"code": item.code}]
    coding = [each for each in coding if each["code"]]
    flag = (_CRITICAL if item.critical else _FLAGS).get(item.flag)
    interpretation = [{"coding": [{"system": INTERPRETATION, "code": flag[0], "display": flag[1]}]}] if flag else []
    limits = {side: _quantity(limit, item.unit) for side, limit in (("low", item.low), ("high", item.high))}
    return {
        "resourceType": "Observation",
        "status": _OBSERVED.get(view.state, "final"),
        "category": [{"text": item.section}] if item.section else [],
        "code": {"coding": coding, "text": item.name},
        "subject": {"reference": patient},
        "effectiveDateTime": view.service_date.isoformat(),
        **_value(item),
        "interpretation": interpretation,
        "note": [{"text": item.note}] if item.note else [],
        "referenceRange": [{**limits, "text": item.range_text}] if item.range_text or any(limits.values()) else [],
    }


def _value(item: Reading) -> dict[str, Any]:
    found = _QUANTITY.fullmatch(item.value.strip())
    if found is None:
        return {"valueString": item.value or "-"}
    return {"valueQuantity": {**_quantity(float(found[2]), item.unit), "comparator": found[1] or ""}}


def _quantity(value: float | None, unit: str) -> dict[str, Any]:
    """An amount; the unit's code is given where it has the form of UCUM (printable ASCII without spaces)."""
    if value is None:
        return {}
    number = int(value) if float(value).is_integer() and abs(value) < 2**53 else value
    coded = {"system": UCUM, "code": unit} if _UNIT.fullmatch(unit) else {}
    return {"value": number, "unit": unit, **coded}


def _address(view: ReportView, part: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMES, f'{view.id}:{view.version}:{part}')}"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _without_blanks(value: Any) -> Any:
    """FHIR allows no empty text, list or object (json.html)."""
    if isinstance(value, dict):
        return {name: full for name, each in value.items() if (full := _without_blanks(each)) not in ("", [], {}, None)}
    return [_without_blanks(each) for each in value] if isinstance(value, list) else value
