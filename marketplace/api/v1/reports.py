"""The report box: `/reports`."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import Response
from marshmallow import fields as out

from booking import report_box, report_delete, report_export, report_fhir
from marketplace.api.blueprint import Resource, principal, refuses
from marketplace.api.fields import Answer, Listing, page_of
from marketplace.api.v1.bookings import Names
from marketplace.core import clock
from vip.consent import ConsentMissing

BYTES = {"type": "string", "format": "binary"}

blueprint = Resource("reports", __name__, description="Reports of the family. Each look at one is recorded.")


class Report(Answer):
    """A report in its newest version. `abnormal` counts the items out of range."""

    id = out.String(required=True)
    booking_id = out.String(required=True)
    beneficiary_id = out.String(required=True)
    beneficiary_name = out.String(required=True)
    relation = out.String(required=True)
    site = out.String(required=True)
    offer_name = out.Nested(Names, required=True)
    service_date = out.Date(required=True)
    state = out.String(required=True)
    version = out.Integer(required=True)
    issued_at = out.DateTime(required=True)
    items = out.Integer(required=True)
    abnormal = out.Integer(required=True)
    document_type = out.String(required=True)


class Result(Answer):
    """One result. `flag`: normal, low, high, abnormal or blank; `number` is the value when it is one.

    `loinc` is its LOINC code, `low` and `high` the reference range in `unit`.
    """

    name = out.String(required=True)
    value = out.String(required=True)
    number = out.Function(
        lambda item: item.number if item.number is not None and math.isfinite(item.number) else None,
        required=True,
        metadata={"type": ["number", "null"]},
    )
    loinc = out.String(required=True)
    unit = out.String(required=True)
    low = out.Float(required=True, allow_none=True)
    high = out.Float(required=True, allow_none=True)
    flag = out.String(required=True)
    section = out.String(required=True)
    note = out.String(required=True)


class Paper(Answer):
    """A paper as the provider issued it; `position` counts from 0, `size` is in bytes."""

    position = out.Integer(required=True)
    media_type = out.String(required=True, metadata={"enum": ["application/pdf", "image/png"]})
    size = out.Integer(required=True)


class FullReport(Report):
    """A report with its results, those out of range first."""

    provider_name = out.Nested(Names, required=True)
    conclusion = out.String(required=True)
    results = out.List(out.Nested(Result), required=True)
    papers = out.List(out.Nested(Paper), required=True)


@blueprint.route("/reports")
@blueprint.arguments(Listing(), location="query")
@blueprint.response(200, page_of(Report))
def reports(query: dict[str, Any]) -> Any:
    """The family's reports

    Newest first, without results.
    """
    return report_box.reports(principal(), now=clock.now(), **query)


@blueprint.route("/reports/<id:report_id>")
@refuses(ConsentMissing)
@blueprint.response(200, FullReport)
def report(report_id: str) -> Any:
    """Open a report

    Results out of range first. The look is recorded.
    """
    return report_box.report(principal(), report_id, now=clock.now())


@blueprint.route("/reports/<id:report_id>", methods=["DELETE"])
@refuses(ConsentMissing)
@blueprint.response(204)
def delete(report_id: str) -> None:
    """Delete a report for good

    Its keys are destroyed: nobody can read it again, its links open nothing, and it does not come back.
    """
    report_delete.delete_report(principal(), report_id, now=clock.now())


@blueprint.route("/reports/<id:report_id>/document")
@refuses(ConsentMissing)
@blueprint.response(200, BYTES, content_type="application/pdf")
def document(report_id: str) -> Response:
    """The report as a PDF

    The provider's own, or the results printed by us where it sent none. The look is recorded.
    """
    return _file(report_export.report_as_pdf(principal(), report_id, now=clock.now()))


@blueprint.route("/reports/<id:report_id>/papers/<int(max=99):position>")
@refuses(ConsentMissing)
@blueprint.response(200, BYTES, content_type="application/octet-stream")
def paper(report_id: str, position: int) -> Response:
    """One paper as the provider issued it

    A PDF or a PNG, as `papers` of the report says. The look is recorded.
    """
    return _file(report_box.document(principal(), report_id, position, now=clock.now()))


@blueprint.route("/reports/<id:report_id>/fhir")
@refuses(ConsentMissing)
@blueprint.response(200, {"type": "object"}, content_type=report_fhir.MEDIA_TYPE)
def fhir(report_id: str) -> Response:
    """The report as a FHIR R4 Bundle

    Of type collection: Patient, DiagnosticReport with its papers, an Observation for each result. The look is
    recorded.
    """
    bundle = report_export.report_as_fhir(principal(), report_id, now=clock.now())
    return Response(json.dumps(bundle, ensure_ascii=False), content_type=report_fhir.MEDIA_TYPE)


def _file(document: report_box.Document) -> Response:
    return Response(document.content, content_type=document.media_type, headers={"Content-Disposition": "inline"})
