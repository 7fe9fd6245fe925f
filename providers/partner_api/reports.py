"""Reports: `/bookings/{id}/reports`, delivered and corrected, and which versions are stored."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import fields as out

from booking.answering.shown import STATUSES, status_of
from booking.idempotency import Repeatable
from booking.reports.deliver import (
    BookingNotConfirmed,
    Delivery,
    HashDiffers,
    ReportDeleted,
    ReportFileRefused,
    ReportOfAnotherBooking,
    ReportWithoutConsent,
    VersionTaken,
    deliver,
    reports_of,
)
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound, TooMany
from marketplace.core.strictjson import NotJson
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer
from marketplace.rest.views import reads_body, refuses, takes_large_body
from providers.partner_api import report_parts
from providers.partner_api.door import Resource, caller, needs

blueprint = Resource("reports", __name__, description="Reports: deliver, correct, and see which versions are stored.")


class StoredVersion(Answer):
    """A stored version, without a result."""

    version = out.Integer(required=True)
    status = out.String(required=True, metadata={"enum": ["partial", "final", "corrected"]})
    issued_at = out.DateTime(required=True)
    received_at = out.DateTime(required=True)
    results = out.Integer(required=True, metadata={"description": "How many results it has."})
    state = out.String(
        required=True,
        metadata={
            "enum": ["current", "superseded", "deleted"],
            "description": "`current`: it is shown. `superseded`: by a newer one. `deleted`: by the customer.",
        },
    )


class Delivered(Answer):
    """What is stored after a delivery."""

    booking_id = out.String(required=True)
    booking_status = out.String(
        required=True,
        metadata={
            "enum": [*STATUSES],
            "description": "How the booking stands with us. Look again at one nobody attended.",
        },
    )
    reference = out.String(required=True)
    stored = out.Nested(StoredVersion, required=True)


class StoredReport(Answer):
    """A report, by your reference, with its versions, newest first."""

    reference = out.String(required=True)
    state = out.String(
        required=True,
        metadata={
            "enum": ["expected", "partial", "ready", "corrected", "deleted"],
            "description": "`expected`: announced by a list or a message, and not here yet.",
        },
    )
    versions = out.List(out.Nested(StoredVersion), required=True)


class StoredReports(Answer):
    """All reports of a booking."""

    items = out.List(out.Nested(StoredReport), required=True)


@blueprint.route("/bookings/<id:booking_id>/reports", methods=["POST"], endpoint="deliver")
@needs("reports")
@reads_body
@takes_large_body
@refuses(
    NotFound,
    NotJson,
    Invalid,
    report_parts.NotMultipart,
    report_parts.ReportTooLarge,
    HashDiffers,
    ReportFileRefused,
    BookingNotConfirmed,
    ReportWithoutConsent,
    ReportDeleted,
    ReportOfAnotherBooking,
    VersionTaken,
    TooMany,
    Busy,
)
@blueprint.response(201, Delivered)
@blueprint.doc(parameters=[idempotency.PARAMETER], requestBody=report_parts.REQUEST_BODY)
def deliver_report(booking_id: str) -> Any:
    """Deliver a report

    Its version is stored beside the earlier ones, and the newest is what the customer is shown. A version that is
    stored already is answered as before. One that says the same as the newest stored is not stored again: then the
    answer is 200 and gives that one.
    """
    key = idempotency.key()
    content, sha256, given = report_parts.read_parts(request, booking_id)
    repeat = Repeatable(caller().scope_of_keys, key, idempotency.fingerprint(given))
    delivery = Delivery(caller().provider_id, booking_id, content, sha256, repeat)
    delivered = deliver(delivery, now=clock.now())
    shown = {**vars(delivered), "booking_status": status_of(delivered.booking_state)}
    return shown, 201 if delivered.new else 200


@blueprint.route("/bookings/<id:booking_id>/reports", endpoint="list")
@needs("reports")
@refuses(NotFound)
@blueprint.response(200, StoredReports)
def stored(booking_id: str) -> Any:
    """The reports of a booking

    Which versions are stored and how they stand, without any result.
    """
    return {"items": reports_of(caller().provider_id, booking_id)}
