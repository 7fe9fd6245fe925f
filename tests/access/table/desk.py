"""The desk of a provider: what a manager, somebody at the front desk, a clinician and, where she is not
answered 404, an escort worker are answered."""

from __future__ import annotations

import json

from booking.webhooks import events
from tests.access.row import anybody, desk, live_desk, mode_desk
from tests.reports import PDF

_RULES = {
    "r1_day1": "1", "r1_from": "08:00", "r1_to": "10:00", "r1_minutes": "30", "r1_places": "7", "holidays": "closed",
    "make_up": "1", "horizon": "30", "version": "{calendar_version}", "do": "save",
}  # fmt: skip
_OFFER = {
    "benefit": "health_check", "pool": "{pool_reference}", "name_zh": "入职体检", "name_en": "Pre-employment check",
    "price": "280.50", "currency": "CNY", "lead_minutes": "60", "cancel_hours": "24", "change_hours": "24",
    "max_changes": "2", "active": "1", "package.sex": "any", "package.age_min": "18", "package.items.0.code": "ecg",
    "package.items.0.name_zh": "心电图", "package.items.0.name_en": "ECG", "version": "1", "key": "k1",
}  # fmt: skip
_PROFILE = {
    "seen_name_zh": "和馨", "seen_name_en": "Hexin", "seen_time_zone": "Asia/Shanghai", "name_zh": "和馨",
    "name_en": "Hexin", "time_zone": "Asia/Urumqi",
}  # fmt: skip
_HOOK = {"url": "https://hooks.example/new", "event_types": [events.TYPES[0]], "key": "k1"}
_REPORT = {"status": "final", "report": "", "results": "血糖\t5.1\tmmol/L\t3.9-6.1", "conclusion": "x", "key": "k1"}
_SYSTEM = {"adapter": "open_protocol", "base_url": "https://his.example/api", "secret": "a long secret"}
_AGAIN = {"answers": "partner", "country": "other", "registration": "N-1", "reply": "x"}
_APPLYING = {
    "name_zh": "启航体检", "name_en": "Qihang Checkups", "answers": "desk", "country": "other", "registration": "N-2",
    "contact": "方敏", "email": "fang@example.com", "language": "zh", "time_zone": "Asia/Shanghai",
    "key": "k1",
}  # fmt: skip
_PHRASE = {"list": "shared", "name": "问候", "department": "", "zh": "您好", "en": ""}
_WORKER = {
    "shown_name": "陆萍", "sex": "female", "city": "浙江省|杭州市", "language.mandarin": "1", "key": "k1",
}  # fmt: skip
_ROWS = {"from": "2026-03-01", "to": "2026-03-31", "by": "all", "part": "all"}
_ACTS = [{"act": act, "role": "clinician"} for act in ("role", "end")]


def _seen(booking: str, **more: str) -> dict[str, str]:
    return {"version": f"{{{booking}_version}}", **more}


_DEED = {"key": "6f0c1d1e-59c1-4d0a-9a43-0d8f3c1f7a11", "number": 1, "kind": "on_the_way", "at": "2026-03-02T04:00:00Z"}

DESK = (
    desk("GET /desk/sign-in", 303, 303, 303, 303, others=200),
    desk("POST /desk/sign-in", 422, 422, 422, 422, others=422),
    desk("GET /desk/sign-in/code", 303, 303, 303, 303, others=303),
    desk("POST /desk/sign-in/code", 303, 303, 303, 303, others=303, idle=True),
    desk("GET /desk/sign-in/device", 303, 303, 303, 303, others=303),
    desk("POST /desk/sign-in/device", 303, 303, 303, 303, others=303, idle=True),
    desk("GET /desk/sign-in/password", 303, 303, 303, 303, others=303),
    desk("POST /desk/sign-in/password", 303, 303, 303, 303, others=303, idle=True),
    anybody("GET /desk/join/<token>", 404, names={"token": "=nothing"}),
    anybody("POST /desk/join/<token>", 404, names={"token": "=nothing"}),
    anybody("GET /desk/apply", 200),
    anybody("POST /desk/apply", 303, form=_APPLYING),
    anybody("GET /desk/apply/sent", 200),
    anybody("GET /desk/apply/<token>", 404, names={"token": "=nothing"}),
    anybody("POST /desk/apply/<token>", 404, names={"token": "=nothing"}),
    desk("GET /desk", 200, 200, 200, 303),
    desk("GET /desk/live", 200, 200, 200),
    desk("POST /desk/agree", 200, 200, 404, form={"chosen": "confirm.{requested}.{requested_version}"}, search=True),
    desk("GET /desk/bookings", 200, 200, 404),
    desk("POST /desk/bookings", 303, 303, 404, form={"wanted": "{number}"}, search=True, idle=True),
    desk("GET /desk/bookings/<booking>", 200, 200, 200),
    desk("GET /desk/bookings/<booking>/<saying>", 200, 200, 404, names={"saying": "=cancel"}),
    desk(
        "POST /desk/bookings/<booking>/<saying>",
        303,
        303,
        404,
        names={"booking": "requested", "saying": "=confirm"},
        form=_seen("requested"),
    )
    .also(
        303, 303, 404, names={"booking": "requested", "saying": "=reject"}, form=_seen("requested", reason="sold_out")
    )
    .also(303, 303, 404, names={"saying": "=propose"}, form=_seen("booking", slot="{free_reference}"))
    .also(303, 303, 404, names={"saying": "=move"}, form=_seen("booking", slot="{free_reference}"))
    .also(303, 303, 404, names={"saying": "=cancel"}, form=_seen("booking", reason="closed"))
    .also(303, 303, 404, names={"booking": "changing", "saying": "=accept_change"}, form=_seen("changing"))
    .also(
        303,
        303,
        404,
        names={"booking": "changing", "saying": "=refuse_change"},
        form=_seen("changing", reason="closed"),
    )
    .also(303, 303, 303, names={"booking": "today", "saying": "=check_in"}, form=_seen("today"))
    .also(303, 303, 303, names={"booking": "today", "saying": "=start"}, form=_seen("today"))
    .also(303, 303, 303, names={"booking": "today", "saying": "=complete"}, form=_seen("today")),
    desk("GET /desk/check-in", 200, 200, 200),
    desk("POST /desk/check-in", 303, 303, 303, form={"code": "{code}"}),
    desk("GET /desk/reports", 200, 200, 200),
    desk("GET /desk/bookings/<booking>/reports", 200, 200, 200, names={"booking": "attended"}),
    desk("POST /desk/bookings/<booking>/reports", 303, 303, 303, names={"booking": "attended"}, form=_REPORT, file=PDF),
    live_desk("GET /desk/consultations", 200, 404, 200),
    live_desk("GET /desk/consultations/live", 200, 404, 200),
    live_desk("GET /desk/consultations/<conversation>", 404, 404, 404, names={"conversation": "consultation"}),
    live_desk("GET /desk/consultations/<conversation>/live", 404, 404, 404, names={"conversation": "consultation"}),
    live_desk(
        "POST /desk/consultations/<conversation>/words",
        404,
        404,
        404,
        names={"conversation": "consultation"},
        form={"text": "多喝水", "client_message_id": "message-9"},
    ),
    live_desk(
        "POST /desk/consultations/<conversation>/shown",
        404,
        404,
        404,
        names={"conversation": "consultation"},
        form={"client_message_id": "message-9"},
    ),
    live_desk(
        "GET /desk/consultations/<conversation>/pictures/<picture>",
        404,
        404,
        404,
        names={"conversation": "consultation"},
    ),
    live_desk(
        "GET /desk/consultations/<conversation>/reports/<report>", 404, 404, 404, names={"conversation": "consultation"}
    ),
    live_desk("GET /desk/consultations/<conversation>/close", 404, 404, 404, names={"conversation": "consultation"}),
    live_desk(
        "POST /desk/consultations/<conversation>/close",
        404,
        404,
        404,
        names={"conversation": "consultation"},
        form={"summary": "x"},
    ),
    live_desk(
        "POST /desk/consultations/<conversation>/<act>",
        404,
        404,
        404,
        names={"conversation": "consultation", "act": "=accept"},
    ),
    live_desk(
        "GET /desk/consultations/<conversation>/trends/<item>",
        404,
        404,
        404,
        names={"conversation": "consultation", "item": "=glucose"},
    ),
    live_desk("GET /desk/phrases", 200, 404, 200),
    live_desk("POST /desk/phrases", 303, 404, 404, form=_PHRASE),
    live_desk("GET /desk/phrases/<phrase>", 200, 404, 404),
    live_desk("POST /desk/phrases/<phrase>", 303, 404, 404, form={**_PHRASE, "do": "change"}),
    live_desk("GET /desk/shift", 404, 404, 200),
    live_desk("POST /desk/shift", 404, 404, 303, form={"do": "begin", "capacity": "3"}, idle=True),
    live_desk("GET /desk/members", 200, 404, 404),
    live_desk("GET /desk/members/invite", 200, 404, 404),
    live_desk("POST /desk/members/invite", 303, 404, 404, form={"to": "13900001111", "role": "manager", "key": "k1"}),
    live_desk("POST /desk/members/invitations/<invitation>/withdraw", 303, 404, 404),
    live_desk("GET /desk/members/<member>", 200, 404, 404),
    live_desk("POST /desk/members/<member>", 303, 404, 404)
    .each(_ACTS)
    .also(200, 404, 404, form={"act": "password"})
    .also(303, 404, 404, form={"act": "reset"}, idle=True),
    live_desk("GET /desk/escort", 404, 404, 404, 200),
    live_desk("GET /desk/escort/here", 404, 404, 404, 200),
    anybody("GET /desk/escort/sw.js", 200),
    anybody("GET /desk/escort/manifest.webmanifest", 200),
    live_desk("GET /desk/escort/<assignment>", 404, 404, 404, 200),
    live_desk(
        "POST /desk/escort/<assignment>/answer",
        404,
        404,
        404,
        303,
        names={"assignment": "asked"},
        form={"answer": "no"},
    ),
    live_desk("POST /desk/escort/<assignment>/deeds", 404, 404, 404, 200, form={"deeds": json.dumps([_DEED])}),
    desk("GET /desk/capacity", 200, 200, 404),
    desk("GET /desk/capacity/<pool>", 200, 200, 404),
    desk("GET /desk/capacity/<pool>/rules", 200, 200, 404),
    desk("POST /desk/capacity/<pool>/rules", 303, 303, 404, form=_RULES),
    desk("GET /desk/capacity/<pool>/days/<day>", 200, 200, 404),
    desk(
        "POST /desk/capacity/<pool>/days/<day>",
        303,
        303,
        404,
        form={"what": "closed", "do": "save", "version": "{calendar_version}"},
    ),
    desk("GET /desk/capacity/<pool>/undecided", 200, 200, 404),
    desk("POST /desk/capacity/<pool>/undecided", 422, 422, 404),
    desk("GET /desk/capacity/changes/<change>", 200, 200, 404),
    live_desk("GET /desk/dispatch", 200, 200, 404),
    live_desk("GET /desk/dispatch/live", 200, 200, 404),
    live_desk("GET /desk/dispatch/bookings/<booking>", 200, 200, 404, names={"booking": "escorted"}),
    live_desk(
        "POST /desk/dispatch/bookings/<booking>",
        303,
        303,
        404,
        names={"booking": "escorted"},
        form={"do": "ask", "worker": "{worker}"},
    ),
    live_desk("GET /desk/dispatch/workers", 200, 200, 404),
    live_desk("POST /desk/dispatch/workers", 200, 200, 404, form={"q": "何静"}, search=True, idle=True),
    live_desk("GET /desk/dispatch/workers/new", 200, 404, 404),
    live_desk("POST /desk/dispatch/workers/new", 303, 404, 404, form=_WORKER),
    live_desk("GET /desk/dispatch/workers/<worker>", 200, 200, 404),
    live_desk("POST /desk/dispatch/workers/<worker>", 303, 404, 404).each([{"do": "papers_back"}, {"do": "end"}]),
    live_desk("GET /desk/dispatch/workers/<worker>/change", 200, 404, 404),
    live_desk("POST /desk/dispatch/workers/<worker>/change", 409, 404, 404, form={**_WORKER, "seen": "2026-01-01"}),
    live_desk("GET /desk/dispatch/workers/<worker>/venues", 200, 200, 404),
    live_desk(
        "POST /desk/dispatch/workers/<worker>/venues", 303, 303, 404, form={"do": "add", "site": "{providers_site}"}
    ),
    live_desk("GET /desk/dispatch/workers/<worker>/home", 200, 404, 404),
    live_desk(
        "POST /desk/dispatch/workers/<worker>/home",
        303,
        404,
        404,
        form={"do": "typed", "coordinates": "30.26, 120.15"},
    ),
    live_desk("GET /desk/dispatch/workers/<worker>/roster", 200, 200, 404),
    live_desk(
        "POST /desk/dispatch/workers/<worker>/roster",
        303,
        303,
        404,
        form={"do": "add", "day1": "1", "start": "08:00", "end": "12:00", "first": "2026-03-09"},
    ),
    live_desk("GET /desk/dispatch/workers/<worker>/away", 200, 200, 404),
    live_desk("POST /desk/dispatch/workers/<worker>/away", 303, 303, 404, form={"do": "write", "cause": "ill"}),
    desk("GET /desk/offers", 200, 404, 404),
    desk("GET /desk/offers/new", 200, 404, 404),
    desk("POST /desk/offers/new", 303, 404, 404, form=_OFFER),
    desk("GET /desk/offers/places/new", 200, 404, 404),
    desk("POST /desk/offers/places/new", 303, 404, 404, form={"site": "{site}", "name": "体检大厅", "key": "k1"}),
    desk("GET /desk/offers/places/<pool>", 200, 404, 404),
    desk("POST /desk/offers/places/<pool>", 303, 404, 404, form={"name": "二楼"}),
    desk("GET /desk/offers/<offer>", 200, 404, 404, names={"offer": "own_offer"}),
    desk("POST /desk/offers/<offer>", 303, 404, 404, names={"offer": "own_offer"}, form=_OFFER),
    live_desk("GET /desk/profile", 200, 404, 404),
    live_desk("POST /desk/profile", 303, 404, 404, form=_PROFILE),
    desk("GET /desk/system", 200, 404, 404, live_too=True),
    desk("POST /desk/system", 303, 404, 404, live_too=True),
    desk("GET /desk/system/live", 200, 404, 404, live_too=True),
    desk("GET /desk/system/connection", 200, 404, 404)
    .also(200, 404, 404, query={"adapter": "fhir"})
    .also(200, 404, 404, query={"test": "{test}"}),
    # bookings were made here, so that it is called by nothing else
    desk("POST /desk/system/connection", 422, 404, 404, form=_SYSTEM),
    desk("GET /desk/system/tests/<test>", 200, 404, 404),
    desk("POST /desk/system/tests/<test>", 409, 404, 404, form={"secret": "a secret", "confirmed": "1"}),
    desk("GET /desk/system/tests/<test>/live", 200, 404, 404),
    desk("GET /desk/system/runs/<run>", 200, 404, 404, live_too=True),
    desk("GET /desk/test-mode", 200, 200, 200),
    desk("POST /desk/test-mode", 303, 303, 303, form={"do": "on"}),
    desk("POST /desk/test-mode/leave", 303, 303, 303, 303, idle=True),
    mode_desk("GET /desk/test-bookings", 200),
    mode_desk("GET /desk/test-bookings/live", 200),
    mode_desk("GET /desk/test-bookings/new", 200).also(200, query={"offer": "{own_offer}"}),
    mode_desk(
        "POST /desk/test-bookings/new",
        303,
        form={"offer": "{own_offer}", "slot": "{own_slot}", "customer": "1", "key": "k1"},
    ),
    mode_desk("GET /desk/test-bookings/clear", 200),
    mode_desk("POST /desk/test-bookings/clear", 303),
    mode_desk("POST /desk/test-bookings/<booking>/cancel", 303),
    mode_desk("GET /desk/test-bookings/<booking>/change", 200),
    mode_desk("POST /desk/test-bookings/<booking>/change", 303, form={"slot": "{own_slot}"}),
    mode_desk("GET /desk/rehearsals", 200),
    mode_desk("POST /desk/rehearsals", 303, form={"faults": ["gone"], "seed": "7", "bookings": "1", "key": "k1"}),
    mode_desk("GET /desk/rehearsals/<rehearsal>", 200),
    mode_desk("POST /desk/rehearsals/<rehearsal>", 303, form={"act": "again", "key": "k1"}).also(
        303, form={"act": "stop"}, idle=True
    ),
    mode_desk("GET /desk/rehearsals/<rehearsal>/live", 200),
    live_desk("GET /desk/application", 200, 404, 404),
    live_desk("POST /desk/application", 303, 404, 404, form=_AGAIN),
    live_desk("GET /desk/figures", 200, 404, 404),
    live_desk("GET /desk/figures/csv", 200, 404, 404),
    live_desk("GET /desk/figures/<of>", 200, 404, 404, names={"of": "=answers"}, query=_ROWS),
    live_desk("GET /desk/figures/<of>/csv", 200, 404, 404, names={"of": "=answers"}, query=_ROWS),
    live_desk("GET /desk/statements", 200, 404, 404),
    live_desk("GET /desk/statements/<statement>", 200, 404, 404),
    live_desk("GET /desk/statements/<statement>/csv", 200, 404, 404),
    desk("GET /desk/setup", 200, 404, 404),
    desk("GET /desk/setup/health", 200, 404, 404),
    desk("GET /desk/setup/clients/new", 200, 404, 404),
    desk("POST /desk/setup/clients/new", 200, 404, 404, form={"name": "hall", "scopes": ["slots"], "key": "k1"}),
    desk("GET /desk/setup/clients/<client>", 200, 404, 404),
    desk("POST /desk/setup/clients/<client>", 303, 404, 404)
    .each([{"act": "end_secret", "secret": "{client_secret}"}, {"act": "end"}])
    .also(200, 404, 404, form={"act": "secret", "key": "k1"}),
    desk("GET /desk/setup/webhooks/new", 200, 404, 404),
    desk("POST /desk/setup/webhooks/new", 200, 404, 404, form=_HOOK),
    desk("GET /desk/setup/webhooks/<hook>", 200, 404, 404),
    desk("POST /desk/setup/webhooks/<hook>", 303, 404, 404).each(
        [
            {"act": "test", "key": "k1"},
            {"act": "end_secret", "secret": "{hook_secret}"},
            {"act": "change", **_HOOK},
            {"act": "paused"},
            {"act": "delete"},
        ]
    ),
    desk("GET /desk/setup/webhooks/<hook>/deliveries", 200, 404, 404),
    desk(
        "POST /desk/setup/webhooks/<hook>/deliveries",
        303,
        404,
        404,
        form={"act": "replay", "delivery": "{delivery}", "key": "k1"},
    ),
    desk("GET /desk/setup/contacts", 200, 404, 404),
    desk("POST /desk/setup/contacts", 303, 404, 404, form={"email0": "a@example.com", "language0": "en"}),
    desk("GET /desk/password", 200, 200, 200, 200),
    desk(
        "POST /desk/password",
        422,
        422,
        422,
        422,
        form={"present": "not it", "new": "another river, another boat"},
        idle=True,
    ),
    desk("GET /desk/second-factor", 200, 200, 200, 200),
    desk("POST /desk/second-factor", 422, 422, 422, 422),
    desk("GET /desk/second-factor/device", 200, 200, 200, 200),
    desk("POST /desk/second-factor/device", 422, 422, 422, 422),
    desk("POST /desk/live/ticket", 200, 200, 200, 200),
    desk("POST /desk/sign-out", 303, 303, 303, 303),
    desk("POST /desk/sign-out-everywhere", 303, 303, 303, 303),
)
