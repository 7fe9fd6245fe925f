"""Delivered files: what is taken, and what is refused by the process that looks into them, within its limits."""

from __future__ import annotations

import base64
import json
import resource
import stat
import subprocess
import sys
import time
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.reports.files import COMMAND, FileRefused, examine
from booking.reports.intake.__main__ import examine as look
from booking.reports.intake.findings import FHIR, PDF, PNG, ZIP, Refused
from marketplace.core.config import ROOT
from providers.reported import RemoteReport, ReportContent, ReportItem
from tests.files import chunk, deflated, deflated_zeros, make_pdf, make_png, make_zip, packed_zeros
from tests.people import NOON

JS = b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"
QUICKLY = settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def delivered(content: bytes, media_type: str, items: tuple[ReportItem, ...] = ()) -> ReportContent:
    """A report whose only interesting part is its file."""
    return ReportContent(RemoteReport("R", "B", None, 1, "final", NOON), items, "", content, media_type)


def report_of(*, results: int = 1, **more: Any) -> dict[str, Any]:
    """A FHIR report with contained glucose values."""
    glucose = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "葡萄糖", "coding": [{"system": "http://loinc.org", "code": "2345-7"}]},
        "valueQuantity": {"value": 7.2, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
        "referenceRange": [{"low": {"value": 3.9}, "high": {"value": 6.1}}],
    }
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "contained": [{**glucose, "id": f"o{number}"} for number in range(results)],
        "result": [{"reference": f"#o{number}"} for number in range(results)],
        **more,
    }


def as_json(document: Any) -> bytes:
    """The document as a provider would send it."""
    return json.dumps(document).encode()


# --- what is taken ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "claimed", "kinds"),
    [
        (make_pdf(), PDF, [PDF]),
        (make_png(40, 30), PNG, [PNG]),
        (make_zip({"report.pdf": make_pdf(), "ECG 心电图.png": make_png()}), ZIP, [PDF, PNG]),
        (make_zip({"report.pdf": make_pdf()}), "application/x-zip-compressed", [PDF]),
        (as_json(report_of()), FHIR, []),
    ],
)
@pytest.mark.usefixtures("examiners_anew")
def test_what_hospitals_deliver_is_taken(content: bytes, claimed: str, kinds: list[str]) -> None:
    assert [paper.media_type for paper in examine(delivered(content, claimed)).papers] == kinds


def test_a_pdf_stays_as_it_is_and_a_picture_loses_what_is_no_picture() -> None:
    pdf, written = make_pdf(), make_png(more=chunk(b"tEXt", b"Author\0Dr. Who") + chunk(b"eXIf", b"where"))
    assert examine(delivered(pdf, PDF)).papers[0].content == pdf
    kept = examine(delivered(written + b"trailing", PNG)).papers[0].content
    assert kept == make_png()


def test_results_of_fhir_become_items_with_codes_units_and_ranges() -> None:
    pressure = {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure"}]},
        "component": [
            {"code": {"text": "收缩压"}, "valueQuantity": {"value": 151, "unit": "mmHg"},
             "interpretation": [{"coding": [{"code": "H"}]}]},
            {"code": {"text": "舒张压"}, "valueQuantity": {"value": 80, "comparator": "<", "unit": "mmHg"}},
        ],
    }  # fmt: skip
    entries = [
        {"fullUrl": "urn:uuid:r", "resource": report_of(contained=[], result=[{"reference": "Observation/p"}])},
        {"fullUrl": "http://10.0.0.1/Observation/p", "resource": {**pressure, "id": "p"}},
    ]
    found = examine(delivered(as_json({"resourceType": "Bundle", "type": "collection", "entry": entries}), FHIR))
    assert [(it.name, it.value, it.flag) for it in found.content.items] == [
        ("收缩压", "151", "high"),
        ("舒张压", "<80", ""),
    ]
    (glucose,) = examine(delivered(as_json(report_of(conclusion="复查")), FHIR)).content.items
    assert (glucose.loinc, glucose.value, glucose.unit, glucose.low, glucose.high, glucose.flag) == (
        "2345-7", "7.2", "mmol/L", 3.9, 6.1, "",
    )  # fmt: skip


def test_results_that_came_beside_a_file_are_kept_before_those_in_it() -> None:
    own = (ReportItem("血红蛋白", "140"),)
    assert examine(delivered(as_json(report_of()), FHIR, own)).content.items == own


@pytest.mark.parametrize(
    "document",
    [
        make_pdf(root=b"/OpenAction [3 0 R /Fit]"),
        make_pdf(root=b"/OpenAction << /S /GoTo /D [3 0 R /Fit] >>"),
        make_pdf(more=(b"<< /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://x) >> >>",)),
    ],
    ids=["opens at a place", "opens at a place by an action", "a link to click"],
)
def test_a_pdf_may_open_at_a_place_and_have_links(document: bytes) -> None:
    assert [paper.content for paper in examine(delivered(document, PDF)).papers] == [document]


def test_papers_in_fhir_are_looked_into_and_addresses_are_not_followed() -> None:
    form = {"contentType": PDF, "data": base64.b64encode(make_pdf()).decode()}
    found = examine(delivered(as_json(report_of(presentedForm=[form, {"url": "http://127.0.0.1:9/x.pdf"}])), FHIR))
    assert [paper.media_type for paper in found.papers] == [PDF]


# --- what is refused -------------------------------------------------------------------------------------------------

HOSTILE = {
    "nothing": (b"", PDF, "empty"),
    "a page that asks to sign in": (b"<html>login</html>", PDF, "wrong_type"),
    "a program": (b"MZ" + bytes(200), PDF, "wrong_type"),
    "a picture called a PDF": (make_png(), PDF, "wrong_type"),
    "a PDF called a picture": (make_pdf(), PNG, "wrong_type"),
    "a type nobody takes": (make_pdf(), "text/html", "wrong_type"),
    "DICOM": (bytes(128) + b"DICM" + bytes(64), "application/dicom", "dicom"),
    "too large": (make_pdf() + b" " * (5 * 2**20), PDF, "too_large"),
    "half a PDF": (make_pdf()[:200], PDF, "pdf_broken"),
    "a PDF of nothing": (b"%PDF-1.4\n%%EOF\n", PDF, "pdf_broken"),
    "a PDF with JavaScript": (make_pdf(root=JS), PDF, "pdf_active"),
    "JavaScript in disguise": (make_pdf(root=JS.replace(b"/JavaScript /J", b"/J#61vaScript /#4a")), PDF, "pdf_active"),
    "a PDF that starts a program": (make_pdf(root=b"/OpenAction << /S /Launch /F (cmd.exe) >>"), PDF, "pdf_active"),
    "a PDF that opens an address": (make_pdf(root=b"/OpenAction << /S /URI /URI (http://x) >>"), PDF, "pdf_active"),
    "the same by a reference": (
        make_pdf(root=b"/OpenAction 5 0 R", more=(b"<< /S /URI /URI (http://x) >>",)), PDF, "pdf_active",
    ),
    "an address after a place": (
        make_pdf(root=b"/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next << /S /URI /URI (http://x) >> >>"), PDF,
        "pdf_active",
    ),
    "something that happens by itself": (make_pdf(root=b"/AA << /WC << /S /URI /URI (x) >> >>"), PDF, "pdf_active"),
    "a PDF whose content is elsewhere": (
        make_pdf(more=(b"<< /F (http://x/y) /Length 0 >>\nstream\n\nendstream",)), PDF, "pdf_active",
    ),
    "a PDF that shows a page of another": (
        make_pdf(
            more=(
                b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Ref << /F (o.pdf) /Page 0 >> /Length 0 >>\n"
                b"stream\n\nendstream",
            )
        ),
        PDF, "pdf_active",
    ),
    "a PDF with files in it": (make_pdf(root=b"/Names << /EmbeddedFiles << /Names [] >> >>"), PDF, "pdf_active"),
    "a PDF with a form that sends": (make_pdf(root=b"/AA << /WC << /S /SubmitForm >> >>"), PDF, "pdf_active"),
    "JavaScript that nothing points to": (make_pdf(more=(b"<< /S /JavaScript /JS (1) >>",)), PDF, "pdf_active"),
    "a PDF bomb": (make_pdf(contents=deflated_zeros(300)), PDF, "pdf_bomb"),
    "a PDF bomb in layers": (
        make_pdf(contents=deflated(zlib.compress(bytes(2**20)), b"[/FlateDecode /FlateDecode]")), PDF, "pdf_bomb",
    ),
    "a broken picture": (make_png()[:-20], PNG, "png_broken"),
    "a picture with a wrong checksum": (make_png().replace(b"IDAT", b"IDAU"), PNG, "png_broken"),
    "a picture of a million by a million": (make_png(said=(10**6, 10**6)), PNG, "png_too_large"),
    "a PNG bomb": (make_png(packed=packed_zeros(200)), PNG, "png_bomb"),
    "a picture with less than it says": (make_png(said=(500, 500)), PNG, "png_broken"),
    "half an archive": (make_zip({"a.pdf": make_pdf()})[:60], ZIP, "zip_broken"),
    "an empty archive": (make_zip({}), ZIP, "zip_empty"),
    "a zip bomb": (make_zip({"a.pdf": b"%PDF-" + bytes(9 * 2**20)}), ZIP, "zip_bomb"),
    "a huge file": (make_zip({"a.pdf": bytes(11 * 2**20)}), ZIP, "zip_too_large"),
    "too many files": (make_zip({f"{n}.pdf": make_pdf() for n in range(21)}), ZIP, "zip_too_many"),
    "a name that climbs": (make_zip({"../../etc/cron.d/x.pdf": make_pdf()}), ZIP, "zip_path"),
    "an absolute name": (make_zip({"/etc/x.pdf": make_pdf()}), ZIP, "zip_path"),
    "a name of Windows": (make_zip({"C:\\x.pdf": make_pdf()}), ZIP, "zip_path"),
    "a folder": (make_zip({"reports/x.pdf": make_pdf()}), ZIP, "zip_path"),
    "a hidden name": (make_zip({".x.pdf": make_pdf()}), ZIP, "zip_path"),
    "a name with control characters": (make_zip({"x\u202efdp.exe": make_pdf()}), ZIP, "zip_path"),
    "a symbolic link": (make_zip({"x.pdf": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), ZIP, "zip_link"),
    "an archive in an archive": (make_zip({"x.zip": make_zip({"y.pdf": make_pdf()})}), ZIP, "zip_nested"),
    "DICOM in an archive": (make_zip({"x.dcm": bytes(128) + b"DICM"}), ZIP, "dicom"),
    "a script in an archive": (make_zip({"x.pdf": b"#!/bin/sh\n"}), ZIP, "wrong_type"),
    "a hostile PDF in an archive": (make_zip({"x.pdf": make_pdf(root=JS)}), ZIP, "pdf_active"),
    "half of FHIR": (as_json(report_of())[:-5], FHIR, "fhir_broken"),
    "FHIR too deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, FHIR, "fhir_broken"),
    "a number that is none": (b'{"resourceType":"DiagnosticReport","x":NaN}', FHIR, "fhir_broken"),
    "something else of FHIR": (as_json({"resourceType": "Patient"}), FHIR, "fhir_no_report"),
    "reports of two people": (
        as_json({"resourceType": "Bundle", "entry": [{"resource": report_of(subject={"reference": f"Patient/{one}"})}
                                                     for one in (1, 2)]}), FHIR, "fhir_two_persons",
    ),
    "a withdrawn report": (as_json(report_of(status="entered-in-error")), FHIR, "fhir_withdrawn"),
    "a report of nothing": (as_json(report_of(results=0)), FHIR, "fhir_empty"),
    "more results than a person has": (as_json(report_of(results=2_001)), FHIR, "fhir_too_large"),
    "a hostile paper in FHIR": (
        as_json(report_of(presentedForm=[{"contentType": PDF, "data": base64.b64encode(make_pdf(root=JS)).decode()}])),
        FHIR, "pdf_active",
    ),
    "a value in the wrong shape": (as_json(report_of(contained=[{"resourceType": "Observation", "id": "o0", "code": 5,
        "valueQuantity": {"value": ["x"]}}])), FHIR, "fhir_broken"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_for_what_it_is(name: str) -> None:
    content, claimed, reason = HOSTILE[name]
    with pytest.raises(FileRefused) as refused:
        examine(delivered(content, claimed))
    assert refused.value.reason == reason


def test_a_panel_that_holds_itself_ends() -> None:
    circle = {"resourceType": "Observation", "id": "o0", "code": {"text": "x"}, "hasMember": [{"reference": "#o0"}]}
    with pytest.raises(FileRefused, match="fhir_too_large"):
        examine(delivered(as_json(report_of(contained=[circle])), FHIR))


def explode() -> None:
    """Examine what grows when it is opened, and print what the children of this process cost: seconds, kilobytes."""
    for name in ("a PDF bomb", "a PNG bomb", "a zip bomb", "FHIR too deep"):
        content, claimed, _reason = HOSTILE[name]
        with pytest.raises(FileRefused):
            examine(delivered(content, claimed))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps([used.ru_utime, used.ru_maxrss]))


def test_bombs_cost_neither_memory_nor_time() -> None:
    """In a process that had no other children: the largest of all is what is asked for."""
    began = time.monotonic()
    asked = [sys.executable, "-c", f"from {__name__} import explode; explode()"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, kilobytes = json.loads(done.stdout.splitlines()[-1])
    assert seconds < 10
    assert kilobytes < 512 * 1024, "what the largest of all children held"
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("while True: pass", "too_costly"),
        ("held = bytearray(2**34)", "unreadable"),
        ("import socket; socket.socket()", "unreadable"),
        ("open('/etc/passwd')", "unreadable"),
        ("import sys; sys.stdout.buffer.write(bytes(2**27))", "unreadable"),
        ("print('not an answer')", "unreadable"),
        ('print(\'{"papers": [["application/pdf", 99]], "items": [], "conclusion": ""}\')', "unreadable"),
        ("import os; os.abort()", "too_costly"),
    ],
)
def test_an_examiner_that_was_taken_over_is_held_and_believed_nothing(
    program: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = f"import booking.reports.intake.__main__ as m; m.PROCESSOR_SECONDS = 1; m.hold()\n{program}"
    monkeypatch.setattr("booking.reports.files.COMMAND", (*COMMAND[:3], "-c", held))
    with pytest.raises(FileRefused) as refused:
        examine(delivered(make_pdf(), PDF))
    assert refused.value.reason == reason


def test_one_that_only_waits_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("booking.reports.files.COMMAND", (*COMMAND[:3], "-c", "import time; time.sleep(60)"))
    monkeypatch.setattr("booking.reports.files.WALL_SECONDS", 0.3)
    began = time.monotonic()
    with pytest.raises(FileRefused, match="too_costly"):
        examine(delivered(make_pdf(), PDF))
    assert time.monotonic() - began < 20


def test_the_examiner_is_told_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_KEY", "very secret")
    told = "import os, json; print(json.dumps({'refused': ','.join(sorted(os.environ))[:40]}))"
    monkeypatch.setattr("booking.reports.files.COMMAND", (*COMMAND[:3], "-c", told))
    with pytest.raises(FileRefused) as refused:
        examine(delivered(make_pdf(), PDF))
    assert "KEY" not in refused.value.reason and "DATABASE" not in refused.value.reason


# --- whatever comes --------------------------------------------------------------------------------------------------

SOUND = {PDF: make_pdf(), PNG: make_png(9, 9), ZIP: make_zip({"a.pdf": make_pdf(), "b.png": make_png()})}


@QUICKLY
@given(kind=st.sampled_from(sorted(SOUND)), data=st.data())
def test_a_damaged_file_is_taken_or_refused_and_nothing_else(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(SOUND[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        found = look(kind, bytes(damaged))
    except Refused as refused:
        assert refused.reason
    else:
        assert all(paper.media_type in (PDF, PNG) for paper in found.papers)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "code", "coding", "low"]), inner)
    ),
    max_leaves=6,
)


@QUICKLY
@given(
    part=st.sampled_from(
        ["code", "valueQuantity", "referenceRange", "component", "interpretation", "hasMember", "note"]
    ),
    value=_VALUES,
)
def test_fhir_in_any_shape_is_taken_or_refused_and_nothing_else(part: str, value: Any) -> None:
    document = report_of()
    document["contained"][0][part] = value
    try:
        found = look(FHIR, as_json(document))
    except Refused as refused:
        assert refused.reason
    else:
        assert all(isinstance(item["value"], str) for item in found.items)
