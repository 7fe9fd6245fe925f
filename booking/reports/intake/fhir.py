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
from booking.reports.intake.fhir_elements import Resource, objects_of, text_of, title_of
from booking.reports.intake.fhir_person import named_in, patients
from booking.reports.intake.fhir_result import read_result
from booking.reports.intake.findings import (
    LARGEST_UNPACKED,
    MOST_PAPERS,
    PDF,
    PNG,
    Findings,
    Named,
    Paper,
    Refused,
    kind_of,
)

MOST_ENTRIES = 5_000
MOST_ITEMS = 2_000
DEEPEST_PANEL = 5
LONGEST_CONCLUSION = 50_000
MOST_NAMED = 50
_WITHDRAWN = ("entered-in-error", "cancelled")


def examine(content: bytes) -> Findings:
    """Results, conclusion, papers, and whom they are said to be of.

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
        panel = title_of(report.get("code")) if len(reports) > 1 else ""
        found, lost = _items(report, {**by_address, **_contained(report)}, panel)
        kept, refused = _papers(report)
        items, papers = [*items, *found], [*papers, *kept]
        missing, left_out = missing + lost, left_out + refused
    conclusion = _conclusion(reports)
    if not items and not papers and not conclusion:
        raise Refused("fhir_empty")
    if len(items) > MOST_ITEMS or len(papers) > MOST_PAPERS:
        raise Refused("fhir_too_large")
    named = _named(reports, by_address)
    return Findings(tuple(papers), tuple(items), conclusion, missing, left_out, named)


def _contained(report: Resource) -> dict[str, Resource]:
    return {f"#{part['id']}": part for part in objects_of(report.get("contained")) if text_of(part.get("id"))}


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
        results = [_found(inside, text_of(one.get("reference"))) for one in objects_of(report.get("result"))]
        for resource in (report, *(result for result in results if result is not None)):
            address = text_of((resource.get("subject") or {}).get("reference"))
            person = _found(inside, address) if address else None
            named |= (
                {str(id(person)) if person is not None else "/".join(_plain_address(address).split("/")[-2:])}
                if address
                else set()
            )
    if len(named) > 1:
        raise Refused("fhir_two_persons")


def _named(reports: Sequence[Resource], known: Mapping[str, Resource]) -> tuple[Named, ...]:
    """Whom the reports and all that belongs to them name, each once; where they refer to nobody, the Patients that are
    in the file. Raises Refused: fhir_two_persons for more than can be one person's spellings."""
    found: dict[Named, None] = {}
    referred = False
    for report in reports:
        for resource, inside in _parts(report, known):
            subject = resource.get("subject")
            if isinstance(subject, dict):
                referred = True
                person = named_in(subject, _found(inside, text_of(subject.get("reference"))))
                found |= {} if person is None else {person: None}
    if not referred:
        everything = [*known.values(), *(part for report in reports for part in _contained(report).values())]
        found = dict.fromkeys(patients(everything))
    if len(found) > MOST_NAMED:
        raise Refused("fhir_two_persons")
    return tuple(found)


def _parts(report: Resource, known: Mapping[str, Resource]) -> Iterator[tuple[Resource, Mapping[str, Resource]]]:
    """The report and each Observation that it leads to, with what their references may lead to."""
    inside = {**known, **_contained(report)}
    waiting, seen = [report], set[int]()
    while waiting:
        resource = waiting.pop()
        if id(resource) in seen:
            continue
        seen.add(id(resource))
        yield resource, {**inside, **_contained(resource)} if resource.get("contained") else inside
        for one in (*objects_of(resource.get("result")), *objects_of(resource.get("hasMember"))):
            following = _found(inside, text_of(one.get("reference")))
            waiting += [following] if following is not None else []


def _conclusion(reports: Sequence[Resource]) -> str:
    """The conclusions, each under its report's name where there are several."""
    told = [(title_of(report.get("code")), text_of(report.get("conclusion"), LONGEST_CONCLUSION)) for report in reports]
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
    entries = objects_of(document.get("entry"))
    if len(entries) > MOST_ENTRIES:
        raise Refused("fhir_too_large")
    found: list[tuple[str, Resource]] = []
    for entry in entries:
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            continue
        found.append((text_of(entry.get("fullUrl")), resource))
        if text_of(resource.get("id")) and resource.get("resourceType") != "DiagnosticReport":
            found.append((f"{text_of(resource.get('resourceType'))}/{resource['id']}", resource))
    return found


def _items(report: Resource, known: Mapping[str, Resource], panel: str) -> tuple[list[dict[str, Any]], int]:
    """The results of a report, and how many it names that are not in the file."""
    found: list[dict[str, Any]] = []
    lost: list[str] = []
    for reference in objects_of(report.get("result")):
        found += _observed(reference, known, 0, panel, lost)
        if len(found) > MOST_ITEMS:
            raise Refused("fhir_too_large")
    return found, len(lost)


def _observed(
    reference: Resource, known: Mapping[str, Resource], depth: int, section: str, lost: list[str]
) -> Iterator[dict[str, Any]]:
    """The results of an observation: its own, those of its components, those of the panel's members. The address of
    one that is not in the file goes to `lost`."""
    resource = _found(known, text_of(reference.get("reference")))
    if resource is None or resource.get("resourceType") != "Observation":
        lost.append(text_of(reference.get("reference")))
        return
    if resource.get("status") in _WITHDRAWN:
        return
    if depth > DEEPEST_PANEL:
        raise Refused("fhir_too_large")
    section = section or next((text_of(kind.get("text")) for kind in objects_of(resource.get("category"))), "")
    components, members = objects_of(resource.get("component")), objects_of(resource.get("hasMember"))
    own = read_result(resource, section)
    if own["value"] or not (components or members):
        yield own
    for component in components:
        yield read_result(component, section)
    title = title_of(resource.get("code"))
    for member in members:
        yield from _observed(member, known, depth + 1, title or section, lost)


def _papers(report: Resource) -> tuple[list[Paper], int]:
    """The attached papers, and how many were left out because they are neither PDF nor PNG. One that is given only by
    an address is ignored."""
    forms = [form for form in objects_of(report.get("presentedForm")) if form.get("data")]
    if len(forms) > MOST_PAPERS:
        raise Refused("fhir_too_large")
    papers: list[Paper] = []
    total = left_out = 0
    for form in forms:
        try:
            content = base64.b64decode("".join(text_of(form["data"], None).split()), validate=True)
        except (binascii.Error, ValueError) as bad:
            raise Refused("fhir_broken") from bad
        total += len(content)
        if total > LARGEST_UNPACKED:
            raise Refused("fhir_too_large")
        claimed = text_of(form.get("contentType")).partition(";")[0].strip()
        if claimed not in (PDF, PNG):
            left_out += 1
            continue
        kind = kind_of(content)
        if kind != claimed:
            raise Refused("wrong_type")
        papers.append(pdf.examine(content) if kind == PDF else png.examine(content))
    return papers, left_out
