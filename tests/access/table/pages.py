"""Customers' pages: whatever has an id is hers, or not there."""

from __future__ import annotations

from tests.access.row import page

_ADULT = {"member": "mother"}
_NEW = {"relation": "son", "name": "沈小宝", "sex": "male", "birth_date": "2018-01-02"}
_HOLD = {"slot": "{free_slot}", "entitlement": "{entitlement}", "idempotency_key": "k1"}
_WAIT = {
    "place": ["{offer}"],
    "first_day": "2026-03-11",
    "last_day": "2026-03-20",
    "weekday": list("1234567"),
    "part": "any",
    "hours_before": "0",
    "entitlement": "{entitlement}",
    "idempotency_key": "k1",
}
_HERS = {"for": "{daughter}", "entitlement": "{entitlement}"}

_ESCORTED = {"booking": "escort", "picture": "escort_paper", "link": "escort_link"}
_DONE = {"booking": "done_escort"}
_ESCORT = {"benefit": "hospital_escort"}
_SHOWN = {"conversation": "consultation"}
_CLOSED = {"conversation": "closed_consultation"}
_ASK = {
    "for": "{daughter}",
    "offer": "{consultation_offer}",
    "entitlement": "{consultation_entitlement}",
    "department": "general",
    "language": "zh",
    "idempotency_key": "k1",
}

PAGES = (
    page("GET /sign-in", 303, others=200),
    page("POST /sign-in", 422, form={}, others=422),
    page("GET /sign-in/code", 303, others=303),
    page("POST /sign-in/code", 303, form={"code": "000000"}, others=303, idle=True),
    page("POST /sign-out", 303),
    page("GET /", 200),
    page("GET /live", 200),
    page("POST /live/ticket", 200),
    page("GET /places", 200, query={"benefit": "health_check"}),
    page("GET /places/cities", 200, query={"benefit": "health_check"}),
    page("GET /places/venues", 200, query=_ESCORT).also(200, query={**_ESCORT, **_HERS}),
    page("GET /places/venues/cities", 200, query=_ESCORT),
    page("GET /sites/<site>/coverage", 200, names={"site": "providers_site"}, query=_ESCORT),
    page("POST /sites/<site>/coverage", 303, names={"site": "providers_site"}, query=_ESCORT, form={"act": "ask"}),
    page("GET /places/levels", 200),
    page("POST /sites/<site>/favourite", 303, names={"site": "providers_site"}, form={"on": "1"}),
    page("GET /sites/<site>/packages", 200, names={"site": "providers_site"}, query={"benefit": "health_check"}),
    page("GET /sites/<site>/services", 200, names={"site": "providers_site"}, query=_ESCORT).also(
        200, query={**_ESCORT, **_HERS}
    ),
    page("GET /offers/<offer>/times", 200).also(200, query=_HERS),
    page("POST /offers/<offer>/times", 303, form=_HOLD, query=_HERS),
    page("GET /offers/<offer>/waiting", 200).also(200, query=_HERS),
    page("POST /offers/<offer>/waiting", 303, form=_WAIT, query=_HERS),
    page("GET /waiting/live", 200),
    page("GET /waiting/<entry>/stop", 200, names={"entry": "waiting"}),
    page("POST /waiting/<entry>/stop", 303, names={"entry": "waiting"}),
    page("GET /who", 200, query={"benefit": "health_check"}),
    page("GET /bookings/<booking>/confirm", 200, names={"booking": "held"}),
    page("POST /bookings/<booking>/confirm", 303, names={"booking": "held"}),
    page("GET /bookings/<booking>/confirm/live", 200, names={"booking": "held"}),
    page("GET /bookings", 200),
    page("GET /bookings/live", 200),
    page("GET /bookings/<booking>", 200),
    page("GET /bookings/<booking>/live", 200),
    page("GET /bookings/<booking>/cancel", 200),
    page("POST /bookings/<booking>/cancel", 303),
    page("GET /bookings/<booking>/change", 200),
    page("POST /bookings/<booking>/change", 303, form={"slot": "{free_slot}"}, idle=True),
    page("GET /bookings/<booking>/change/check", 200, query={"slot": "{free_slot}"}),
    page("POST /bookings/<booking>/change/check", 303, form={"slot": "{free_slot}", "idempotency_key": "k1"}),
    page("POST /bookings/<booking>/change/withdraw", 303, names={"booking": "changing"}),
    page("POST /bookings/<booking>/proposal", 303, names={"booking": "proposed"}).each(
        [{"proposal": "{proposal}", "answer": "accept"}, {"proposal": "{proposal}", "answer": "decline"}]
    ),
    page("GET /bookings/<booking>/dispute", 200, names={"booking": "missed"}),
    page("POST /bookings/<booking>/dispute", 303, names={"booking": "missed"}, form={"words": "x"}),
    page("GET /bookings/<booking>/calendar.ics", 200),
    page("GET /bookings/<booking>/escort", 200, names=_ESCORTED),
    page("GET /bookings/<booking>/escort/live", 200, names=_ESCORTED),
    page("GET /bookings/<booking>/escort/papers/<picture>", 200, names=_ESCORTED),
    page("POST /bookings/<booking>/escort/well", 303, names=_ESCORTED),
    page("POST /bookings/<booking>/escort/wrong", 303, names=_DONE, form={"what": "late"}),
    page("POST /bookings/<booking>/escort/rating", 303, names=_DONE, form={"stars": "4", "words": ""}),
    page("GET /bookings/<booking>/escort/links", 200, names=_ESCORTED),
    page("POST /bookings/<booking>/escort/links", 200, names=_ESCORTED, form={"name": "x", "days_after": "0"}),
    page("POST /bookings/<booking>/escort/links/<link>/end", 303, names=_ESCORTED),
    page("GET /consultation/new", 200).also(200, query=_HERS),
    page("POST /consultation/new", 303, form=_ASK),
    page("GET /consultation/<conversation>", 200),
    page("GET /consultation/<conversation>/live", 200, query={"after": "0"}),
    page("POST /consultation/<conversation>/messages", 303, form={"text": "x", "client_message_id": "message-9"}),
    page("POST /consultation/<conversation>/pictures", 422, form={"client_message_id": "message-9"}, idle=True),
    page("GET /consultation/<conversation>/pictures/<picture>", 200, names=_SHOWN),
    page("GET /consultation/<conversation>/pictures/<picture>/thumbnail", 200, names=_SHOWN),
    page("POST /consultation/<conversation>/read", 303, names=_SHOWN, form={"seen": "1"}),
    page("POST /consultation/<conversation>/typing", 204),
    page("POST /consultation/<conversation>/choice", 303, form={"choice": "wait"}),
    page("POST /consultation/<conversation>/reports", 303, form={"show": "yes"}),
    page("POST /consultation/<conversation>/reopen", 303, names=_CLOSED),
    page("POST /consultation/<conversation>/rating", 303, names=_CLOSED, form={"stars": "4", "words": ""}),
    page("GET /reports", 200).also(200, query={"person": "{father}"}),
    page("GET /reports/compare", 200, query={"a": "{report}", "b": "{other_report}"}).also(
        403, query={"a": "{report}", "b": "{hidden_report}"}
    ),
    page("GET /reports/trends/<item>", 200, names={"item": "=ldl"}, query={"person": "{myself}"})
    .also(200, names={"item": "=ldl"}, query={"person": "{father}"})
    .also(403, names={"item": "=ldl"}, query={"person": "{mother}"}),
    page("GET /reports/<report>", 200)
    .also(200, names={"report": "fathers_report"})
    .also(303, names={"report": "hidden_report"}),
    page("GET /reports/<report>/document", 200).also(403, names={"report": "hidden_report"}),
    page("GET /reports/<report>/papers/<position>", 200, names={"position": "=0"}).also(
        403, names={"position": "=0", "report": "hidden_report"}
    ),
    page("GET /reports/<report>/fhir", 200).also(403, names={"report": "hidden_report"}),
    page("GET /reports/<report>/delete", 200)
    .also(200, names={"report": "fathers_report"})
    .also(403, names={"report": "hidden_report"}),
    page("POST /reports/<report>/delete", 303, form={"sure": "1"})
    .also(303, names={"report": "fathers_report"}, form={"sure": "1"})
    .also(403, names={"report": "hidden_report"}, form={"sure": "1"}),
    page("GET /reports/<report>/share", 200).also(403, names={"report": "hidden_report"}),
    page("POST /reports/<report>/share", 200, form={"audience": "doctor", "days": "7"}),
    page("POST /reports/<report>/share/<share>/end", 303),
    page("GET /me", 200),
    page("GET /me/family/new", 200),
    page("POST /me/family/new", 303, form=_NEW),
    page("GET /me/family/<member>/remove", 200, names={"member": "daughter"}),
    page("POST /me/family/<member>/remove", 303, names={"member": "daughter"}),
    page("GET /me/family/<member>/consent", 200, names=_ADULT).also(200, names={"member": "father"}),
    page("POST /me/family/<member>/consent", 303, names=_ADULT, form={"phone": "13900000098"}),
    page("GET /me/family/<member>/consent/code", 303, names=_ADULT),
    page("POST /me/family/<member>/consent/code", 303, names=_ADULT, form={"code": "000000"}, idle=True),
    page("POST /me/family/<member>/consent/end", 303, names={"member": "father"}),
    page("GET /me/phone", 200),
    page("POST /me/phone", 303, form={"phone": "13900000096"}),
    page("GET /me/phone/code", 303),
    page("POST /me/phone/code", 303, form={"old_code": "000000", "new_code": "000000"}, idle=True),
    page("GET /me/policies", 200),
    page("GET /me/data", 200),
    page("POST /me/data/copies", 303),
    page("GET /me/data/copies/<copy>", 200),
    page("GET /me/data/erase", 200),
    page("POST /me/data/erase", 409, form={"sure": "1"}),
    page("GET /me/data/people/<person>/erase", 200, names={"person": "removed"}),
    page("POST /me/data/people/<person>/erase", 303, names={"person": "removed"}, form={"sure": "1"}),
    page("POST /me/sessions/end", 303, form={"everywhere": "1"}),
    page("GET /me/messages", 200),
    page("POST /me/messages", 303, form={"quiet_from": "20:00", "quiet_until": "09:00", "sms": "on"}),
    page("POST /me/messages/email", 303, form={"email": "new@example.com"}),
    page("POST /me/messages/email/code", 422, form={"code": "000000"}),
    page("POST /me/calendar", 200),
    page("GET /notices", 200),
    page("GET /notices/<notice>", 303),
    page("POST /notices/read", 303),
    page("GET /benefits", 200),
    page("GET /benefits/<entitlement>", 200),
)
