"""The JSON API of customers: whatever has an id is hers, or not there."""

from __future__ import annotations

from tests.access.row import customer
from tests.pictures import make_picture

_BOOKING = {
    "offer_id": "{offer}",
    "slot_id": "{free_slot}",
    "entitlement_id": "{entitlement}",
    "beneficiary_id": "{daughter}",
    "details": {},
}
_WAIT = {
    "offer_ids": ["{offer}"],
    "beneficiary_id": "{daughter}",
    "entitlement_id": "{entitlement}",
    "first_day": "2026-03-11",
    "last_day": "2026-03-20",
}
_ASK = {
    "offer_id": "{consultation_offer}",
    "beneficiary_id": "{daughter}",
    "entitlement_id": "{consultation_entitlement}",
    "language": "zh",
}
_MESSAGE = {"client_message_id": "message-9", "text": "还有"}
_MESSAGES = {"sms": False, "email": False, "quiet": True, "quiet_from": "20:00", "quiet_until": "09:00"}
_ESCORTED = {"booking": "escort", "paper": "escort_paper", "link": "escort_link"}
_ESCORT = {"benefit": "hospital_escort"}
_SURE = {"sure": True}

CUSTOMER_API = (
    customer("DELETE /api/v1/sessions/current", 204),
    customer("POST /api/v1/live/tickets", 201),
    customer("DELETE /api/v1/sessions", 204),
    customer("GET /api/v1/me", 200),
    customer("GET /api/v1/me/family", 200),
    customer("POST /api/v1/me/copies", 202),
    customer("GET /api/v1/me/copies", 200),
    customer("GET /api/v1/me/copies/<id:copy_id>/file", 200),
    customer("GET /api/v1/me/erasure", 409),
    customer("POST /api/v1/me/erasure", 409, json=_SURE),
    customer("POST /api/v1/me/family/<id:beneficiary_id>/erasure", 200, names={"beneficiary": "removed"}, json=_SURE),
    customer("GET /api/v1/me/family/<id:beneficiary_id>/consent", 200, names={"beneficiary": "father"}),
    customer(
        "POST /api/v1/me/family/<id:beneficiary_id>/consent/codes",
        202,
        names={"beneficiary": "mother"},
        json={"phone": "13900000098"},
    ),
    customer(
        "POST /api/v1/me/family/<id:beneficiary_id>/consent",
        422,
        names={"beneficiary": "mother"},
        json={"phone": "13900000098", "code": "000000"},
    ),
    customer("DELETE /api/v1/me/family/<id:beneficiary_id>/consent", 204, names={"beneficiary": "father"}),
    customer("GET /api/v1/entitlements", 200),
    customer("GET /api/v1/policies", 200),
    customer("GET /api/v1/sites", 200),
    customer("GET /api/v1/sites/favourites", 200),
    customer("GET /api/v1/sites/booked", 200),
    customer("PUT /api/v1/sites/<id:site_id>/favourite", 204, names={"site": "providers_site"}),
    customer("DELETE /api/v1/sites/<id:site_id>/favourite", 204, names={"site": "providers_site"}, idle=True),
    customer("GET /api/v1/places", 200, query={"benefit": "health_check"}).also(
        200, query={"benefit": "health_check", "beneficiary_id": "{daughter}"}
    ),
    customer("GET /api/v1/coverage", 200, query=_ESCORT),
    customer("GET /api/v1/coverage/cities", 200, query=_ESCORT),
    customer("GET /api/v1/coverage/<id:site_id>", 200, names={"site": "providers_site"}, query=_ESCORT),
    customer("PUT /api/v1/coverage/<id:site_id>/wish", 204, names={"site": "providers_site"}, query=_ESCORT),
    customer(
        "DELETE /api/v1/coverage/<id:site_id>/wish", 204, names={"site": "providers_site"}, query=_ESCORT, idle=True
    ),
    customer(
        "GET /api/v1/sites/<id:site_id>/why-not",
        200,
        names={"site": "providers_site"},
        query={"benefit": "hospital_escort", "beneficiary_id": "{daughter}"},
    ),
    customer("GET /api/v1/offers", 200, query={"benefit": "health_check"}),
    customer("GET /api/v1/offers/<id:offer_id>/slots", 200, query={"from": "2026-03-10", "to": "2026-03-11"}),
    customer("POST /api/v1/bookings", 201, json=_BOOKING),
    customer("POST /api/v1/bookings/<id:booking_id>/confirm", 200, names={"booking": "held"}),
    customer("POST /api/v1/bookings/<id:booking_id>/cancel", 200),
    customer("POST /api/v1/bookings/<id:booking_id>/dispute", 200, names={"booking": "missed"}, json={"words": "x"}),
    customer("POST /api/v1/bookings/<id:booking_id>/reschedule", 200, json={"slot_id": "{free_slot}"}),
    customer("POST /api/v1/bookings/<id:booking_id>/reschedule/withdraw", 200, names={"booking": "changing"}),
    customer(
        "POST /api/v1/bookings/<id:booking_id>/proposal/accept",
        200,
        names={"booking": "proposed"},
        json={"proposal_id": "{proposal}"},
    ),
    customer(
        "POST /api/v1/bookings/<id:booking_id>/proposal/decline",
        200,
        names={"booking": "proposed"},
        json={"proposal_id": "{proposal}"},
    ),
    customer("GET /api/v1/bookings", 200),
    customer("GET /api/v1/bookings/<id:booking_id>", 200),
    customer("PUT /api/v1/bookings/<id:booking_id>/rating", 200, names={"booking": "attended"}, json={"stars": 5}),
    customer("GET /api/v1/bookings/<id:booking_id>/rating", 200, names={"booking": "attended_too"}),
    customer("POST /api/v1/consultations", 201, json=_ASK),
    customer("GET /api/v1/consultations", 200),
    customer("GET /api/v1/consultations/<id:consultation_id>", 200),
    customer("GET /api/v1/consultations/<id:consultation_id>/messages", 200),
    customer("POST /api/v1/consultations/<id:consultation_id>/messages", 201, json=_MESSAGE),
    customer(
        "POST /api/v1/consultations/<id:consultation_id>/pictures",
        201,
        query={"client_message_id": "message-9"},
        body=make_picture(),
        headers={"Content-Type": "image/jpeg"},
    ),
    customer("GET /api/v1/consultations/<id:consultation_id>/pictures/<id:picture_id>", 200),
    customer("GET /api/v1/consultations/<id:consultation_id>/pictures/<id:picture_id>/thumbnail", 200),
    customer("POST /api/v1/consultations/<id:consultation_id>/read", 200, json={"seq": 1}),
    customer("POST /api/v1/consultations/<id:consultation_id>/typing", 204),
    customer("GET /api/v1/consultations/<id:consultation_id>/place", 200),
    customer("POST /api/v1/consultations/<id:consultation_id>/choice", 200, json={"choice": "wait"}),
    customer(
        "POST /api/v1/consultations/<id:consultation_id>/reopen", 200, names={"consultation": "closed_consultation"}
    ),
    customer("POST /api/v1/waiting", 201, json=_WAIT),
    customer("GET /api/v1/waiting", 200),
    customer("GET /api/v1/waiting/<id:waiting_id>", 200),
    customer("DELETE /api/v1/waiting/<id:waiting_id>", 204),
    customer("GET /api/v1/reports", 200).also(200, query={"beneficiary_id": "{father}"}),
    customer("GET /api/v1/reports/compare", 200, query={"a": "{report}", "b": "{other_report}"}).also(
        403, query={"a": "{report}", "b": "{hidden_report}"}
    ),
    customer("GET /api/v1/reports/trends", 200, query={"item": "ldl", "beneficiary_id": "{myself}"})
    .also(200, query={"item": "ldl", "beneficiary_id": "{father}"})
    .also(403, query={"item": "ldl", "beneficiary_id": "{mother}"}),
    customer("GET /api/v1/reports/<id:report_id>", 200)
    .also(200, names={"report": "fathers_report"})
    .also(403, names={"report": "hidden_report"}),
    customer("DELETE /api/v1/reports/<id:report_id>", 204)
    .also(204, names={"report": "fathers_report"})
    .also(403, names={"report": "hidden_report"}),
    customer("GET /api/v1/reports/<id:report_id>/document", 200).also(403, names={"report": "hidden_report"}),
    customer("GET /api/v1/reports/<id:report_id>/papers/<int(max=99):position>", 200, names={"position": "=0"}).also(
        403, names={"position": "=0", "report": "hidden_report"}
    ),
    customer("GET /api/v1/reports/<id:report_id>/fhir", 200).also(403, names={"report": "hidden_report"}),
    customer("GET /api/v1/bookings/<id:booking_id>/escort", 200, names=_ESCORTED),
    customer("GET /api/v1/bookings/<id:booking_id>/escort/papers/<id:paper_id>", 200, names=_ESCORTED),
    customer("PUT /api/v1/bookings/<id:booking_id>/escort/outcome", 200, names=_ESCORTED, json={"well": True}),
    customer("GET /api/v1/bookings/<id:booking_id>/escort/links", 200, names=_ESCORTED),
    customer("POST /api/v1/bookings/<id:booking_id>/escort/links", 201, names=_ESCORTED, json={"name": "x"}),
    customer("DELETE /api/v1/bookings/<id:booking_id>/escort/links/<id:link_id>", 204, names=_ESCORTED),
    customer("GET /api/v1/reports/<id:report_id>/shares", 200).also(403, names={"report": "hidden_report"}),
    customer("POST /api/v1/reports/<id:report_id>/shares", 201, json={"audience": "doctor", "days": 7}).also(
        403, names={"report": "hidden_report"}, json={"audience": "doctor", "days": 7}
    ),
    customer("DELETE /api/v1/reports/<id:report_id>/shares/<id:share_id>", 204),
    customer("GET /api/v1/notifications", 200),
    customer("POST /api/v1/notifications/read", 200),
    customer("POST /api/v1/notifications/<id:notification_id>/read", 200, names={"notification": "notice"}),
    customer("GET /api/v1/me/notifications", 200),
    customer("PUT /api/v1/me/notifications", 200, json=_MESSAGES),
    customer("POST /api/v1/me/calendar-feed", 201),
    customer("DELETE /api/v1/me/calendar-feed", 204),
)
