"""The report box: `/reports`."""

from __future__ import annotations

import math
from typing import Any

from flask import Response
from marshmallow import fields as out

from booking import report_box
from marketplace.api.blueprint import Resource, principal
from marketplace.api.fields import Answer, Listing, page_of
from marketplace.api.v1.bookings import Names
from marketplace.core import clock

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


class FullReport(Report):
    """A report with its results, those out of range first."""

    provider_name = out.Nested(Names, required=True)
    conclusion = out.String(required=True)
    results = out.List(out.Nested(Result), required=True)


@blueprint.route("/reports")
@blueprint.arguments(Listing(), location="query")
@blueprint.response(200, page_of(Report))
def reports(query: dict[str, Any]) -> Any:
    """The family's reports

    Newest first, without results.
    """
    return report_box.reports(principal(), now=clock.now(), **query)


@blueprint.route("/reports/<id:report_id>")
@blueprint.response(200, FullReport)
def report(report_id: str) -> Any:
    """Open a report

    Results out of range first. The look is recorded.
    """
    return report_box.report(principal(), report_id, now=clock.now())


@blueprint.route("/reports/<id:report_id>/document")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/pdf")
def document(report_id: str) -> Response:
    """The original document

    As the provider issued it, usually a PDF. The look is recorded.
    """
    document = report_box.document(principal(), report_id, now=clock.now())
    return Response(document.content, content_type=document.media_type, headers={"Content-Disposition": "inline"})
