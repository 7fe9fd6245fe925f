"""Taking a report along: the papers, a PDF of our own where there is none, and a FHIR Bundle."""

from __future__ import annotations

import base64
import io
import re
import uuid
from dataclasses import replace
from typing import Any

import pypdf
import pytest
from sqlalchemy import Connection, text

from booking.reports.box import document, report
from booking.reports.output.export import report_as_fhir, report_as_pdf
from marketplace.core.errors import NotFound
from providers.reported import ReportItem
from tests.booking.reports.test_files import as_json, report_of
from tests.files import make_pdf, make_png, make_zip
from tests.reports import CONCLUSION, ITEMS, LATER, PDF, deliver, looks
from tests.world import World, make_world

pytestmark = pytest.mark.usefixtures("db")

PNG = make_png(20, 10)


@pytest.fixture
def world() -> World:
    return make_world(quantity=4)


def several(world: World) -> str:
    """A report delivered as an archive: a picture, then two documents."""
    files = {"1.png": PNG, "2.pdf": PDF, "3.pdf": make_pdf("another")}
    return deliver(world, world.submit(), document=make_zip(files), document_type="application/zip")


def test_all_papers_are_kept_in_their_order(world: World) -> None:
    public_id = several(world)
    papers = report(world.principal, public_id, now=LATER).papers
    assert [(it.position, it.media_type, it.size) for it in papers] == [
        (0, "image/png", len(PNG)), (1, "application/pdf", len(PDF)), (2, "application/pdf", len(make_pdf("another"))),
    ]  # fmt: skip
    assert document(world.principal, public_id, 0, now=LATER).content == PNG
    assert document(world.principal, public_id, 1, now=LATER).content == PDF
    for nowhere in (3, -1, 99):
        with pytest.raises(NotFound):
            document(world.principal, public_id, nowhere, now=LATER)


def test_a_paper_stored_before_papers_had_a_table_is_still_read(world: World, owner_connection: Connection) -> None:
    public_id = deliver(world, world.submit())
    owner_connection.execute(text("DELETE FROM report_document"))
    assert document(world.principal, public_id, now=LATER).content == PDF
    (paper,) = report(world.principal, public_id, now=LATER).papers
    assert (paper.position, paper.media_type, paper.size) == (0, "application/pdf", len(PDF))


def test_the_providers_own_pdf_is_given_where_there_is_one(world: World) -> None:
    public_id = several(world)
    assert report_as_pdf(world.principal, public_id, now=LATER).content == PDF
    assert looks(public_id) == ["report.downloaded"]


def test_without_one_the_results_are_printed(world: World) -> None:
    wild = (*ITEMS, ReportItem("<b>&" * 1000, "长" * 3_990 + "end", flag="high", low=1e300))
    public_id = deliver(world, world.submit(), items=wild, document=PNG, document_type="image/png")
    printed = report_as_pdf(world.principal, public_id, now=LATER)
    assert printed.media_type == "application/pdf"
    words = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed.content)).pages)
    assert "3.92" in words and "mmol/L" in words and "Made by Anxiang" in words and "长end" in words.replace("\n", "")
    assert report_as_pdf(world.principal, public_id, now=LATER).content == printed.content


# --- FHIR ------------------------------------------------------------------------------------------------------------

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CARDINALITIES: dict[str, dict[str, type]] = {
    "Patient": {"name": list, "gender": str, "birthDate": str},
    "DiagnosticReport": {
        "identifier": list, "status": str, "code": dict, "subject": dict, "effectiveDateTime": str, "issued": str,
        "performer": list, "result": list, "conclusion": str, "presentedForm": list,
    },
    "Observation": {
        "status": str, "category": list, "code": dict, "subject": dict, "effectiveDateTime": str, "valueQuantity": dict,
        "valueString": str, "interpretation": list, "note": list, "referenceRange": list,
    },
}  # fmt: skip
"""hl7.org/fhir/R4: what we use of each resource, and whether it is a list."""


def blanks(value: Any) -> bool:
    """Whether there is an empty text, list, object or null anywhere, which FHIR's JSON forbids."""
    if isinstance(value, dict):
        return not value or any(blanks(each) for each in value.values())
    if isinstance(value, list):
        return not value or any(blanks(each) for each in value)
    return value is None or value == ""


def bundle_of(world: World, **changes: Any) -> dict[str, Any]:
    return report_as_fhir(world.principal, deliver(world, world.submit(), **changes), now=LATER)


def test_the_bundle_has_the_shapes_of_r4_and_its_references_lead_somewhere(world: World) -> None:
    bundle = bundle_of(world)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    assert INSTANT.fullmatch(bundle["timestamp"]) and not blanks(bundle)
    addresses = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(addresses)) == len(addresses)
    assert all(str(uuid.UUID(address.removeprefix("urn:uuid:"))) in address for address in addresses)
    for resource in (entry["resource"] for entry in bundle["entry"]):
        allowed = CARDINALITIES[resource["resourceType"]]
        for name, value in resource.items():
            assert name == "resourceType" or isinstance(value, allowed[name]), name
        references = [resource.get("subject"), *resource.get("result", ())]
        assert all(each["reference"] in addresses for each in references if each)
        assert not {"valueQuantity", "valueString"} <= set(resource), "value[x] is one of them"
    assert [e["resource"]["resourceType"] for e in bundle["entry"]] == ["DiagnosticReport", "Patient"] + [
        "Observation"
    ] * 5


def test_results_carry_codes_units_ranges_and_flags(world: World) -> None:
    bundle = bundle_of(world)
    report_, patient, *results = (entry["resource"] for entry in bundle["entry"])
    assert (report_["status"], report_["conclusion"], report_["effectiveDateTime"]) == (
        "final",
        CONCLUSION,
        "2026-03-10",
    )
    assert INSTANT.fullmatch(report_["issued"])
    (form,) = report_["presentedForm"]
    assert base64.b64decode(form["data"]) == PDF and form["contentType"] == "application/pdf"
    assert (patient["gender"], patient["birthDate"]) == ("female", "1988-04-12")
    by_code = {it["code"]["coding"][0]["code"]: it for it in results}
    ldl = by_code["22748-8"]
    assert ldl["code"]["coding"] == [{"system": "http://loinc.org", "code": "22748-8"}]
    unit = {"unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
    assert ldl["valueQuantity"] == {"value": 3.92, **unit}
    assert ldl["referenceRange"] == [{"high": {"value": 3.4, **unit}}]
    assert ldl["interpretation"][0]["coding"][0]["code"] == "H"
    assert by_code["11524-6"]["valueString"] == "窦性心动过缓" and "referenceRange" not in by_code["11524-6"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("<0.50", {"value": 0.5, "comparator": "<"}), ("128", {"value": 128}), ("-1.5", {"value": -1.5})],
)
def test_numbers_with_a_sign_before_them_keep_it(world: World, value: str, expected: dict[str, Any]) -> None:
    bundle = bundle_of(world, items=(ReportItem("项目", value),))
    assert bundle["entry"][2]["resource"]["valueQuantity"] == expected


@pytest.mark.parametrize("value", ["nan", "1e5", "阴性", "", "1/2"])
def test_what_is_no_number_is_told_as_text(world: World, value: str) -> None:
    bundle = bundle_of(world, items=(ReportItem("项目", value, unit="per field"),))
    assert bundle["entry"][2]["resource"]["valueString"] == (value or "-") and not blanks(bundle)


def test_a_partial_report_says_so(world: World) -> None:
    bundle = bundle_of(world, status="partial", items=ITEMS[:1])
    assert [bundle["entry"][at]["resource"]["status"] for at in (0, 2)] == ["partial", "preliminary"]


def test_what_we_export_we_can_read_again(world: World) -> None:
    ours = bundle_of(world)
    public_id = deliver(
        world, world.submit(1), reference="RR-2", items=(), conclusion="", document=as_json(ours),
        document_type="application/fhir+json",
    )  # fmt: skip
    again = report(world.principal, public_id, now=LATER)
    told = ("name", "loinc", "unit", "low", "high", "flag", "section")
    expected = {tuple(getattr(item, name) for name in told) for item in ITEMS}
    assert {tuple(getattr(item, name) for name in told) for item in again.results} == expected
    assert {item.number for item in again.results} == {128, 4.1, 3.92, 108, None}
    assert again.conclusion == CONCLUSION and [it.media_type for it in again.papers] == ["application/pdf"]


def test_a_report_of_fhir_alone_has_no_paper_and_opens(world: World) -> None:
    public_id = deliver(
        world, world.submit(), items=(), document=as_json(report_of()), document_type="application/fhir+json"
    )
    view = report(world.principal, public_id, now=LATER)
    assert (view.papers, [it.name for it in view.results], view.document_type) == ([], ["葡萄糖"], "")
    assert report_as_pdf(world.principal, public_id, now=LATER).content.startswith(b"%PDF-")
    assert replace(view, results=()).items == 1
