"""Whom a FHIR file is about: the Patient that is referred to, or what the reference itself says of her.

What can't be read is left out: it contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from booking.reports.intake.fhir_elements import Resource
from booking.reports.intake.findings import Named

PATIENT = "Patient"
_LONGEST, _MOST = 200, 20
_NOT_HERS = ("anonymous",)
"""A name of this use stands for another one (hl7.org/fhir/R4/valueset-name-use.html)."""


def named_in(reference: Any, found: Resource | None) -> Named | None:
    """What a `subject` says: of the resource that it leads to, if that is in the file, and in itself (`display`,
    `identifier`). None where it is about no Patient, or says nothing of her."""
    if not isinstance(reference, dict) or not _is_patient(reference, found):
        return None
    known = patient(found) if found is not None else Named()
    names = _distinct([*known.names, _text(reference.get("display"))])
    numbers = _distinct([*known.numbers, *_numbers([reference.get("identifier")])])
    return _unless_blank(Named(names, known.birth_date, numbers))


def patient(resource: Resource) -> Named:
    """What a Patient resource says."""
    numbers = _numbers(_objects(resource.get("identifier")))
    return Named(_distinct(_names(resource)), _text(resource.get("birthDate")), _distinct(numbers))


def patients(resources: Iterable[Resource]) -> Iterator[Named]:
    """All Patients among these that say something."""
    for resource in resources:
        if resource.get("resourceType") == PATIENT and (found := _unless_blank(patient(resource))) is not None:
            yield found


def _is_patient(reference: Mapping[str, Any], found: Resource | None) -> bool:
    if found is not None:
        return found.get("resourceType") == PATIENT
    address = _text(reference.get("reference")).partition("/_history/")[0].split("/")
    kind = _text(reference.get("type")) or (address[-2] if len(address) > 1 else PATIENT)
    return kind == PATIENT


def _unless_blank(named: Named) -> Named | None:
    return named if named.names or named.birth_date or named.numbers else None


def _names(resource: Resource) -> Iterator[str]:
    for name in _objects(resource.get("name")):
        if name.get("use") in _NOT_HERS:
            continue
        given = name.get("given")
        parts = [_text(name.get("family")), *(_text(each) for each in (given if isinstance(given, list) else ()))]
        yield _text(name.get("text"))
        yield " ".join(part for part in parts if part)


def _numbers(identifiers: Iterable[Any]) -> Iterator[str]:
    for each in identifiers:
        if isinstance(each, dict):
            yield _text(each.get("value"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))[:_MOST]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) and len(value) <= _LONGEST else ""
