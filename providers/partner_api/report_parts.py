"""A delivered report as multipart/form-data (RFC 7578): its JSON and its file, each a part of its own.

Base64 inside of JSON would make a file a third larger and hold it in memory three times; a part is read as it comes,
and every HTTP library and `curl -F` can send one.
"""

from __future__ import annotations

from dataclasses import fields
from io import BytesIO
from typing import IO, Any

import marshmallow as ma
from flask import Request as FlaskRequest
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from booking.reports.files import LONGEST_CONCLUSION, LONGEST_TEXT, MOST_ITEMS
from booking.reports.intake.findings import LARGEST, MIB
from marketplace.core import strictjson
from marketplace.core.errors import Refusal
from marketplace.problems import FieldError, InvalidRequest
from marketplace.rest.fields import Choice, Figure, Items, Moment, Number, Request, Text
from marketplace.rest.reading import invalid_at
from providers.reported import RemoteReport, ReportContent, ReportItem

MULTIPART = "multipart/form-data"
MOST_JSON = MIB
MOST_BYTES = LARGEST + MOST_JSON + 64 * 1024
"""Of a whole request; the rest is for what stands between the parts."""
MOST_PARTS = 10
LONGEST_REFERENCE = 255
_PARTS = ("report", "document")


class NotMultipart(Refusal):
    """The body is of another content type, or can't be read as it."""

    code = "not_multipart"
    status = 415


class ReportTooLarge(Refusal):
    """A part is larger than it may be."""

    code = "report_too_large"
    status = 413

    def __init__(self) -> None:
        super().__init__(document=LARGEST, report=MOST_JSON)


def _words(about: str, **kwargs: Any) -> Text:
    return Text(longest=LONGEST_TEXT, metadata={"description": about}, **kwargs)


def _maybe(about: str) -> Text:
    return _words(about, allow_none=True, load_default=None)


class NewResult(Request):
    """One result, as it stands in the report."""

    name = _words("What was examined, in your words.", shortest=1, required=True)
    value = _words("The value, as text.", shortest=1, required=True)
    loinc = _maybe("LOINC code.")
    unit = _maybe("The unit: UCUM, or as you spell it.")
    low = Figure(load_default=None, allow_none=True, metadata={"description": "Lower end of the reference range."})
    high = Figure(load_default=None, allow_none=True, metadata={"description": "Upper end of the reference range."})
    flag = Choice("normal", "low", "high", "abnormal", "", load_default=None, allow_none=True)
    section = _maybe("The part of the report.")
    note = _maybe("A note for the person.")
    code = _maybe("Your own code.")
    range_text = _maybe("A reference range in words.")
    mark = _maybe("The laboratory's own mark, such as an arrow.")


class NewReport(Request):
    """A version of a report. Its `document_sha256` must fit the file."""

    reference = Text(
        shortest=1, longest=LONGEST_REFERENCE, required=True, metadata={"description": "Your reference of the report."}
    )
    version = Number(
        least=1,
        most=2**31 - 1,
        required=True,
        metadata={"description": "1 for the first; a correction is a higher one. None overwrites another."},
    )
    status = Choice("partial", "final", "corrected", required=True)
    issued_at = Moment(required=True)
    items = Items(
        ma.fields.Nested(NewResult),
        least=0,
        most=MOST_ITEMS,
        load_default=list,
        metadata={"description": "The results. For a file of FHIR they may be left out: they are read from it."},
    )
    conclusion = Text(longest=LONGEST_CONCLUSION, load_default="", metadata={"description": "The doctor's conclusion."})
    document_sha256 = Text(
        longest=64,
        pattern="^[0-9a-f]{64}$",
        required=True,
        metadata={"description": "SHA-256 of the file, in lower-case hexadecimal digits."},
    )


REQUEST_BODY = {
    "required": True,
    "content": {
        MULTIPART: {
            "schema": {
                "type": "object",
                "required": list(_PARTS),
                "additionalProperties": False,
                "properties": {
                    "report": NewReport,
                    "document": {
                        "type": "string",
                        "format": "binary",
                        "description": "The file, at most 5 MiB. PDF, PNG, a ZIP of these, or HL7 FHIR R4 in JSON.",
                    },
                },
            },
            "encoding": {
                "report": {"contentType": "application/json"},
                "document": {"contentType": "application/pdf, image/png, application/zip, application/fhir+json"},
            },
        }
    },
}


def read_parts(asked: FlaskRequest, booking: str) -> tuple[ReportContent, str, dict[str, Any]]:
    """The report with its file, the SHA-256 that its sender says, and the JSON as it came.

    Raises NotMultipart, ReportTooLarge, InvalidRequest, Invalid (a text that can't be stored) and NotJson.
    """
    report, document, media_type = _parts(asked)
    given = strictjson.loads(report)
    body = _loaded(given)
    remote = RemoteReport(
        reference=body["reference"],
        booking_reference="",
        our_reference=booking,
        version=body["version"],
        status=body["status"],
        issued_at=body["issued_at"],
    )
    items = tuple(_item(row) for row in body["items"])
    content = ReportContent(remote, items, body["conclusion"], document, media_type)
    return content, body["document_sha256"], given


def _loaded(given: Any) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = NewReport().load(given)
    except ma.ValidationError as error:
        raise invalid_at("report", error) from error
    return loaded


def _item(row: dict[str, Any]) -> ReportItem:
    names = {field.name for field in fields(ReportItem)}
    return ReportItem(**{name: value for name, value in row.items() if name in names and value is not None})


def _parts(asked: FlaskRequest) -> tuple[bytes, bytes, str]:
    """The JSON, sent as a field or as a file; the file, and its type."""
    boundary = asked.mimetype_params.get("boundary", "")
    if asked.mimetype != MULTIPART or not boundary or not boundary.isascii():
        raise NotMultipart()
    asked.max_content_length = MOST_BYTES
    parser = MultiPartParser(_in_memory, max_form_memory_size=MOST_JSON, max_form_parts=MOST_PARTS)
    try:
        form, files = parser.parse(asked.stream, boundary.encode(), asked.content_length)
    except RequestEntityTooLarge as large:
        raise ReportTooLarge() from large
    except ValueError as bad:
        raise NotMultipart() from bad
    _check_names(form, files)
    report = _read(files["report"], MOST_JSON) if "report" in files else form["report"].encode()
    document = files["document"]
    return report, _read(document, LARGEST), document.mimetype


def _in_memory(
    total_content_length: int | None, content_type: str | None, filename: str | None, content_length: int | None = None
) -> IO[bytes]:
    """Where a part is put as it comes. werkzeug's own would write it to disk, where results have no place in the
    clear."""
    return BytesIO()


def _check_names(form: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> None:
    names = [name for given in (form, files) for name, _ in given.items(multi=True)]
    wrong = [FieldError((name or "body")[:64], "body", "unknown_field") for name in names if name not in _PARTS]
    wrong += [FieldError(name, "body", "repeated") for name in _PARTS if names.count(name) > 1]
    wrong += [FieldError(name, "body", "required") for name in _PARTS if names.count(name) == 0]
    if not wrong and "document" in form:
        wrong.append(FieldError("document", "body", "file"))
    if not wrong and "\N{REPLACEMENT CHARACTER}" in form.get("report", ""):  # what is left of text that was not UTF-8
        wrong.append(FieldError("report", "body", "text"))
    if wrong:
        raise InvalidRequest(wrong)


def _read(part: FileStorage, most: int) -> bytes:
    content = part.stream.read(most + 1)
    if len(content) > most:
        raise ReportTooLarge()
    return content
