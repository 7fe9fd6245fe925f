"""The report box: `/reports`."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import Response
from marshmallow import fields as out

from booking.reports import box, comparison
from booking.reports.delete import delete_report
from booking.reports.output import export
from booking.reports.output.fhir import MEDIA_TYPE
from booking.reports.trend import trend
from marketplace.api.blueprint import Resource, principal
from marketplace.api.v1.bookings import Names
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound
from marketplace.rest.fields import Answer, Id, Listing, Request, Text, Whole, page_of
from marketplace.rest.views import refuses
from vip.customers.consent import ConsentMissing

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


def _finite(name: str) -> out.Function:
    """A number of a result, null where there is none that JSON can hold."""

    def value_of(result: Any) -> float | None:
        value = getattr(result, name)
        return value if value is not None and math.isfinite(value) else None

    return out.Function(value_of, required=True, metadata={"type": ["number", "null"]})


class Result(Answer):
    """One result. `flag`: normal, low, high, abnormal or blank; `number` is the value when it is one.

    `name`, `value`, `unit`, `section`, `note`, `loinc` (its LOINC code), `code` (the provider's own), `range_text` (its
    range in words) and `mark` (its mark) are as delivered. `number` with `comparator` (`<`, `<=`, `>`, `>=`), `low` and
    `high` (the reference range of this person in `unit`) and `flag` are what these say; `critical` that the mark asks
    for a doctor at once. The rest is ours: `item` of the vocabulary (blank: not in it), found `mapped_by` loinc,
    code or name; `our_value` in `our_unit` (UCUM), `converted` when that is not the delivered unit; `our_low` and
    `our_high` the ordinary range for the person's sex and age; `judged` (as `flag`) by provider_flag, provider_range,
    provider_words or our_range; `bound` `<` or `>` where the value is only a limit; `finding` negative, trace,
    positive or normal.
    """

    name = out.String(required=True)
    value = out.String(required=True)
    number = _finite("number")
    loinc = out.String(required=True)
    unit = out.String(required=True)
    low = _finite("low")
    high = _finite("high")
    flag = out.String(required=True)
    section = out.String(required=True)
    note = out.String(required=True)
    code = out.String(required=True)
    range_text = out.String(required=True)
    mark = out.String(required=True)
    comparator = out.String(required=True)
    critical = out.Boolean(required=True)
    item = out.String(required=True)
    group = out.String(required=True)
    variant = out.String(required=True)
    mapped_by = out.String(required=True)
    our_value = _finite("our_value")
    our_unit = out.String(required=True)
    converted = out.Boolean(required=True)
    our_low = _finite("our_low")
    our_high = _finite("our_high")
    bound = out.String(required=True)
    finding = out.String(required=True)
    judged = out.String(required=True)
    judged_by = out.String(required=True)


class Version(Answer):
    """A version that is here. `status`: partial, final or corrected."""

    version = out.Integer(required=True)
    status = out.String(required=True)
    issued_at = out.DateTime(required=True)
    items = out.Integer(required=True)
    abnormal = out.Integer(required=True)


class Paper(Answer):
    """A paper as the provider issued it; `position` counts from 0, `size` is in bytes."""

    position = out.Integer(required=True)
    media_type = out.String(required=True, metadata={"enum": ["application/pdf", "image/png"]})
    size = out.Integer(required=True)


class FullReport(Report):
    """A report with its results, those out of range first.

    `versions` are all that are here, `newest` the newest one's number. `outstanding` are parts of the package of which
    nothing has come while the report is partial; `due_at` is when the report was promised.
    """

    provider_name = out.Nested(Names, required=True)
    conclusion = out.String(required=True)
    results = out.List(out.Nested(Result), required=True)
    papers = out.List(out.Nested(Paper), required=True)
    newest = out.Integer(required=True)
    versions = out.List(out.Nested(Version), required=True)
    outstanding = out.List(out.Nested(Names), required=True)
    due_at = out.DateTime(required=True, allow_none=True)


class WhichReports(Listing):
    """Which reports: all of the family, one person's, or those of one year, by the day of the visit."""

    beneficiary_id = Id("ben_7c1x9d4t6b3n0v8m5r2k", load_default=None)
    year = Whole(least=1900, most=9999, load_default=None)


class WhichVersion(Request):
    """Which version."""

    version = Whole(least=1, most=2**31 - 1, load_default=None, metadata={"description": "The newest one without it."})


class WhichTrend(Request):
    """An item of the vocabulary, and whose."""

    item = Text(shortest=1, longest=64, required=True, metadata={"examples": ["ldl"]})
    beneficiary_id = Id("ben_7c1x9d4t6b3n0v8m5r2k", required=True)


class WhichTwo(Request):
    """Two reports of one person."""

    a = Id("rpt_7c1x9d4t6b3n0v8m5r2k", required=True)
    b = Id("rpt_8d2y0e5v7c4p1w9n6s3m", required=True)


class Point(Answer):
    """An item in one report. `apart`: blank in the line; unit, method, limit or words where it stands apart."""

    report_id = out.String(required=True)
    day = out.Date(required=True)
    site = out.String(required=True)
    provider_name = out.Nested(Names, required=True)
    apart = out.String(required=True)
    result = out.Nested(Result, required=True, attribute="reading")


class Trend(Answer):
    """An item over the years, oldest first. `points` are comparable, in `unit` (UCUM); `apart` are not.

    `low` and `high` are the newest provider's own range in `unit`, else the ordinary one: `range_from` says which.
    """

    item = out.String(required=True, attribute="item.code")
    name = out.Function(lambda trend: trend.item.name._asdict(), required=True, metadata={"type": "object"})
    unit = out.String(required=True, attribute="item.unit")
    beneficiary_id = out.String(required=True)
    points = out.List(out.Nested(Point), required=True)
    apart = out.List(out.Nested(Point), required=True)
    low = _finite("low")
    high = _finite("high")
    range_from = out.String(required=True)


class Pair(Answer):
    """An item in both reports; `how`: higher, lower, same, changed (words), incomparable, only_earlier, only_later.

    `difference` is later minus earlier in `unit`.
    """

    earlier = out.Nested(Result, required=True, allow_none=True)
    later = out.Nested(Result, required=True, allow_none=True)
    how = out.String(required=True)
    difference = _finite("difference")
    unit = out.String(required=True)


class Comparison(Answer):
    """Two reports, the earlier check first."""

    earlier = out.Nested(Report, required=True)
    later = out.Nested(Report, required=True)
    pairs = out.List(out.Nested(Pair), required=True)


@blueprint.route("/reports")
@blueprint.arguments(WhichReports(), location="query")
@blueprint.response(200, page_of(Report))
def reports(query: dict[str, Any]) -> Any:
    """The family's reports

    The latest check first, without results.
    """
    return box.reports(principal(), now=clock.now(), **query)


@blueprint.route("/reports/trends")
@refuses(NotFound, ConsentMissing)
@blueprint.arguments(WhichTrend(), location="query")
@blueprint.response(200, Trend)
def trends(query: dict[str, Any]) -> Any:
    """An item over the years

    Across all providers, in one unit where that can be had. A look at each report shown is recorded.
    """
    return trend(principal(), query["item"], query["beneficiary_id"], now=clock.now())


@blueprint.route("/reports/compare")
@refuses(NotFound, ConsentMissing, Invalid)
@blueprint.arguments(WhichTwo(), location="query")
@blueprint.response(200, Comparison)
def compare(query: dict[str, Any]) -> Any:
    """Two reports side by side

    Of one person, aligned by the vocabulary. A look at each is recorded.
    """
    return comparison.compare(principal(), query["a"], query["b"], now=clock.now())


@blueprint.route("/reports/<id:report_id>")
@refuses(ConsentMissing)
@blueprint.arguments(WhichVersion(), location="query")
@blueprint.response(200, FullReport)
def report(query: dict[str, Any], report_id: str) -> Any:
    """Open a report

    Results out of range first. The look is recorded.
    """
    return box.report(principal(), report_id, now=clock.now(), **query)


@blueprint.route("/reports/<id:report_id>", methods=["DELETE"])
@refuses(ConsentMissing)
@blueprint.response(204)
def delete(report_id: str) -> None:
    """Delete a report for good

    Its keys are destroyed: nobody can read it again, its links open nothing, and it does not come back.
    """
    delete_report(principal(), report_id, now=clock.now())


@blueprint.route("/reports/<id:report_id>/document")
@refuses(ConsentMissing)
@blueprint.response(200, BYTES, content_type="application/pdf")
def document(report_id: str) -> Response:
    """The report as a PDF

    The provider's own, or the results printed by us where it sent none. The look is recorded.
    """
    return _file(export.report_as_pdf(principal(), report_id, now=clock.now()))


@blueprint.route("/reports/<id:report_id>/papers/<int(max=99):position>")
@refuses(ConsentMissing)
@blueprint.response(200, BYTES, content_type="application/octet-stream")
def paper(report_id: str, position: int) -> Response:
    """One paper as the provider issued it

    A PDF or a PNG, as `papers` of the report says. The look is recorded.
    """
    return _file(box.document(principal(), report_id, position, now=clock.now()))


@blueprint.route("/reports/<id:report_id>/fhir")
@refuses(ConsentMissing)
@blueprint.response(200, {"type": "object"}, content_type=MEDIA_TYPE)
def fhir(report_id: str) -> Response:
    """The report as a FHIR R4 Bundle

    Of type collection: Patient, DiagnosticReport with its papers, an Observation for each result. The look is
    recorded.
    """
    bundle = export.report_as_fhir(principal(), report_id, now=clock.now())
    return Response(json.dumps(bundle, ensure_ascii=False), content_type=MEDIA_TYPE)


def _file(document: box.Document) -> Response:
    return Response(document.content, content_type=document.media_type, headers={"Content-Disposition": "inline"})
