"""The file of a report in each form that hospitals deliver, and in forms that nobody should take."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

SOUND = ("pdf", "png", "zip", "fhir", "fhir_critical")
HOSTILE = ("wrong_type", "oversize", "pdf_script", "png_bomb", "zip_bomb", "zip_path")
FILES = SOUND + HOSTILE

MIB = 2**20
_SIZE = (240, 160)


def deliver(
    kind: str, paper: Callable[[], bytes], report: Mapping[str, Any], content: Mapping[str, Any]
) -> tuple[str, bytes]:
    """Media type and bytes. `paper` draws the PDF; the same bytes each time for the same report."""
    if kind == "png":
        return "image/png", _picture(_SIZE)
    if kind == "zip":
        return "application/zip", _archive({"report.pdf": paper(), "ecg.png": _picture(_SIZE)})
    if kind == "fhir":
        return "application/fhir+json", json.dumps(_fhir(report, content, paper()), ensure_ascii=False).encode()
    if kind == "fhir_critical":
        return "application/fhir+json", json.dumps(
            _critical(_fhir(report, content, paper())), ensure_ascii=False
        ).encode()
    if kind == "wrong_type":
        return "application/pdf", b"<!doctype html><title>Sign in</title>"
    if kind == "oversize":
        return "application/pdf", paper() + b" " * (6 * MIB)
    if kind == "pdf_script":
        return "application/pdf", _with_script(paper())
    if kind == "png_bomb":
        return "image/png", _picture(_SIZE, pixels=bytes(64 * MIB))
    if kind == "zip_bomb":
        return "application/zip", _archive({"report.pdf": b"%PDF-" + bytes(9 * MIB)})
    if kind == "zip_path":
        return "application/zip", _archive({"../../report.pdf": paper()})
    return "application/pdf", paper()


def _with_script(paper: bytes) -> bytes:
    """A PDF with one more object that holds JavaScript; where others lie in it stays as it was."""
    before, table, rest = paper.rpartition(b"\nxref\n")
    place = len(before) + 1
    script = b"\n999 0 obj\n<< /S /JavaScript /JS (app.alert\\(1\\)) >>\nendobj"
    return before + script + table + rest.replace(b"startxref\n%d" % place, b"startxref\n%d" % (place + len(script)))


def _archive(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # without the time of day
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def _picture(size: tuple[int, int], pixels: bytes | None = None) -> bytes:
    """A trace on white paper, in grey."""
    width, height = size
    rows = [
        b"\0" + bytes(0 if abs(height // 2 + (x % 40 - 20) - y) < 2 else 255 for x in range(width))
        for y in range(height)
    ]
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(rows) if pixels is None else pixels, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _fhir(report: Mapping[str, Any], content: Mapping[str, Any], paper: bytes) -> dict[str, Any]:
    """A DiagnosticReport of HL7 FHIR R4 with its Observations contained."""
    results = [_observation(number, item) for number, item in enumerate(content["items"])]
    return {
        "resourceType": "DiagnosticReport",
        "identifier": [{"value": report["reference"]}],
        "status": "partial" if report["status"] == "partial" else report["status"],
        "code": {"text": "健康体检报告"},
        "effectiveDateTime": content["service_date"],
        "issued": report["issued_at"],
        "contained": results,
        "result": [{"reference": f"#{it['id']}"} for it in results],
        "conclusion": content["conclusion"],
        "presentedForm": [{"contentType": "application/pdf", "data": base64.b64encode(paper).decode()}],
    }


def _critical(report: dict[str, Any]) -> dict[str, Any]:
    """The same with its last number marked as critical, and with a result named that is not in the file."""
    last = [each for each in report["contained"] if "valueQuantity" in each][-1]
    last["interpretation"] = [{"coding": [{"code": "HH"}]}]
    return {**report, "result": [*report["result"], {"reference": "#not-in-this-file"}]}


def _observation(number: int, item: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"r{number}",
        "status": "final",
        "category": [{"text": item["section"]}],
        "code": {"text": item["name"]},
    }
    if item["loinc"]:
        made["code"]["coding"] = [{"system": "http://loinc.org", "code": item["loinc"]}]
    unit = {"unit": item["unit"], "system": "http://unitsofmeasure.org", "code": item["unit"]} if item["unit"] else {}
    try:
        made["valueQuantity"] = {"value": float(item["value"]), **unit}
    except ValueError:
        made["valueString"] = item["value"]
    limits = {side: {"value": item[side], **unit} for side in ("low", "high") if item[side] is not None}
    if limits:
        made["referenceRange"] = [limits]
    code = {"high": "H", "low": "L", "abnormal": "A", "normal": "N"}.get(item["flag"])
    if code:
        made["interpretation"] = [{"coding": [{"code": code}]}]
    return made
