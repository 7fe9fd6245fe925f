"""The API of providers' programs: each route needs its scope, and what another provider has is not there."""

from __future__ import annotations

import hashlib
import json

from tests.access.row import mode_program, program
from tests.providers.partner_api.reports.delivering import told
from tests.reports import PDF

_ENDPOINT = {"url": "https://hooks.example/new", "event_types": ["booking.requested"]}
_TERMS = {
    "benefit": "health_check",
    "pool": "{pool_reference}",
    "name_zh": "甄选套餐",
    "name_en": "Select package",
    "package": {
        "items": [{"code": "blood", "name_zh": "血常规", "name_en": "Blood count"}],
        "sex": "any",
        "age_min": 18,
    },
    "price_minor": 99_000,
}
_LINE = {
    "pool": "{sold_pool}",
    "reference": "a",
    "service_date": "2026-03-10",
    "starts_at": "2026-03-10T08:00:00+08:00",
    "ends_at": "2026-03-10T08:30:00+08:00",
    "offered": 5,
    "version": 1,
}
_BOUNDARY = "between"
_REPORT = (
    (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="report"; filename="r.json"\r\n'
        f"Content-Type: application/json\r\n\r\n{json.dumps(told(PDF, reference='new'))}\r\n"
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="document"; filename="r.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    ).encode()
    + PDF
    + f"\r\n--{_BOUNDARY}--\r\n".encode()
)
assert hashlib.sha256(PDF).hexdigest().encode() in _REPORT
_PARTS = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}


def _seen(booking: str) -> dict[str, str]:
    """The version of that booking of the world, without which it is not answered."""
    return {"If-Match": f'"{{{booking}_version}}"'}


PARTNER_API = (
    program(
        "slots",
        "POST /partner/v1/slots",
        200,
        body=json.dumps(_LINE),
        headers={"Content-Type": "application/x-ndjson"},
        search=True,
    ),
    program("slots", "GET /partner/v1/slots", 200, query={"pool": "{pool_reference}"}),
    program(
        "slots",
        "POST /partner/v1/slots/snapshots",
        201,
        json={"pools": ["{pool_reference}"], "from": "{day}", "to": "{day}"},
    ),
    program("slots", "GET /partner/v1/slots/snapshots/<id:snapshot_id>", 200),
    program("slots", "POST /partner/v1/slots/snapshots/<id:snapshot_id>/complete", 200),
    program("bookings", "GET /partner/v1/bookings", 200),
    program("bookings", "GET /partner/v1/events", 200),
    program("bookings", "GET /partner/v1/bookings/<id:booking_id>", 200),
    program(
        "bookings",
        "POST /partner/v1/bookings/<id:booking_id>/confirm",
        200,
        names={"booking": "requested"},
        headers=_seen("requested"),
    ),
    program(
        "bookings",
        "POST /partner/v1/bookings/<id:booking_id>/reject",
        200,
        names={"booking": "requested"},
        headers=_seen("requested"),
        json={"reason": "sold_out"},
    ),
    program(
        "bookings",
        "POST /partner/v1/bookings/<id:booking_id>/proposal",
        200,
        headers=_seen("booking"),
        json={"slot": "{free_reference}"},
    ),
    program(
        "bookings",
        "POST /partner/v1/bookings/<id:booking_id>/move",
        202,
        headers=_seen("booking"),
        json={"slot": "{free_reference}"},
    ),
    program(
        "bookings",
        "POST /partner/v1/bookings/<id:booking_id>/change/accept",
        200,
        names={"booking": "changing"},
        headers=_seen("changing"),
    ),
    program(
        "bookings",
        "POST /partner/v1/bookings/<id:booking_id>/change/refuse",
        200,
        names={"booking": "changing"},
        headers=_seen("changing"),
        json={"reason": "sold_out"},
    ),
    program(
        "bookings",
        "POST /partner/v1/bookings/<id:booking_id>/cancel",
        200,
        headers=_seen("booking"),
        json={"reason": "closed"},
    ),
    program("bookings", "POST /partner/v1/bookings/<id:booking_id>/check-in", 200, names={"booking": "today"}),
    program("bookings", "POST /partner/v1/bookings/<id:booking_id>/start", 200, names={"booking": "today"}),
    program("bookings", "POST /partner/v1/bookings/<id:booking_id>/complete", 200, names={"booking": "today"}),
    program("bookings", "POST /partner/v1/bookings/<id:booking_id>/no-show", 409, names={"booking": "today"}),
    mode_program("bookings", "POST /partner/v1/test/rehearsals", 202, across=409, json={"faults": ["gone"], "seed": 7}),
    mode_program("bookings", "GET /partner/v1/test/rehearsals/<id:rehearsal_id>", 200, across=404),
    program("offers", "GET /partner/v1/offers", 200),
    program("offers", "GET /partner/v1/offers/<string(maxlength=255):reference>", 200),
    program(
        "offers",
        "PUT /partner/v1/offers/<string(maxlength=255):reference>",
        201,
        names={"reference": "=new"},
        json=_TERMS,
    ),
    program("offers", "GET /partner/v1/pools", 200),
    program(
        "offers",
        "PUT /partner/v1/pools/<string(maxlength=255):reference>",
        201,
        names={"reference": "=new"},
        json={"site_id": "{site}"},
    ),
    program(
        "reports",
        "POST /partner/v1/bookings/<id:booking_id>/reports",
        201,
        names={"booking": "attended"},
        headers=_PARTS,
        body=_REPORT,
    ),
    program("reports", "GET /partner/v1/bookings/<id:booking_id>/reports", 200, names={"booking": "attended"}),
    program("webhooks", "GET /partner/v1/contacts", 200),
    program("webhooks", "PUT /partner/v1/contacts", 200, json={"items": [{"email": "new@partner.example"}]}),
    program("webhooks", "POST /partner/v1/webhook-endpoints", 201, json=_ENDPOINT),
    program("webhooks", "GET /partner/v1/webhook-endpoints", 200),
    program("webhooks", "GET /partner/v1/webhook-endpoints/<id:endpoint_id>", 200, names={"endpoint": "hook"}),
    program(
        "webhooks",
        "PUT /partner/v1/webhook-endpoints/<id:endpoint_id>",
        200,
        names={"endpoint": "hook"},
        json=_ENDPOINT | {"state": "paused"},
    ),
    program("webhooks", "DELETE /partner/v1/webhook-endpoints/<id:endpoint_id>", 204, names={"endpoint": "hook"}),
    program("webhooks", "POST /partner/v1/webhook-endpoints/<id:endpoint_id>/test", 202, names={"endpoint": "hook"}),
    program(
        "webhooks", "POST /partner/v1/webhook-endpoints/<id:endpoint_id>/secrets", 201, names={"endpoint": "spare_hook"}
    ),
    program(
        "webhooks",
        "DELETE /partner/v1/webhook-endpoints/<id:endpoint_id>/secrets/<id:secret_id>",
        204,
        names={"endpoint": "hook", "secret": "hook_secret"},
    ),
    program(
        "webhooks", "GET /partner/v1/webhook-endpoints/<id:endpoint_id>/deliveries", 200, names={"endpoint": "hook"}
    ),
    program(
        "webhooks",
        "POST /partner/v1/webhook-endpoints/<id:endpoint_id>/deliveries/<id:delivery_id>/replay",
        204,
        names={"endpoint": "hook"},
    ),
    program(
        "webhooks",
        "POST /partner/v1/webhook-endpoints/<id:endpoint_id>/replay",
        204,
        names={"endpoint": "hook"},
        json={"since": "2026-03-02T03:00:00Z", "until": "2026-03-02T05:00:00Z"},
    ),
)
