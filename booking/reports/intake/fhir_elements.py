"""The elements of FHIR JSON: read as what they must be, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from booking.reports.intake.findings import Refused

LOINC = "http://loinc.org"
LONGEST_TEXT = 4_000
_LARGEST_NUMBER = Decimal(10) ** 12

Resource = Mapping[str, Any]


def objects_of(value: Any) -> list[dict[str, Any]]:
    """A list of objects, empty when it is missing. Raises Refused for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Refused("fhir_broken")
    return value


def text_of(value: Any, longest: int | None = LONGEST_TEXT) -> str:
    """Text, blank when it is missing. Raises Refused for a longer one; a text is never shortened."""
    if value is None:
        return ""
    if not isinstance(value, str) or (longest is not None and len(value) > longest):
        raise Refused("fhir_broken")
    return value


def number_of(value: Any) -> Decimal:
    """An exact number. Raises Refused for anything else, and for one beyond all measurement."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Refused("fhir_broken")
    number = Decimal(value)
    if abs(number) > _LARGEST_NUMBER:
        raise Refused("fhir_broken")
    return number


def title_of(concept: Any) -> str:
    """The text of a concept, else the first display name of its codes; blank if there is none."""
    if not isinstance(concept, dict):
        return ""
    displays = [text_of(coding.get("display")) for coding in objects_of(concept.get("coding"))]
    return text_of(concept.get("text")) or next((text for text in displays if text), "")


def code_in(concept: Any, system: str) -> str:
    """The code of a concept in one system of codes; blank if there is none."""
    if not isinstance(concept, dict):
        return ""
    codes = [text_of(c.get("code")) for c in objects_of(concept.get("coding")) if c.get("system") == system]
    return codes[0] if codes else ""


def own_code_of(concept: Any) -> str:
    """The provider's own code, if it gives one beside LOINC."""
    if not isinstance(concept, dict):
        return ""
    codes = [text_of(c.get("code")) for c in objects_of(concept.get("coding")) if c.get("system") != LOINC]
    return codes[0] if codes else ""
