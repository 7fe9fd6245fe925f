"""The console of an insurer: what an agent and an administrator are answered."""

from __future__ import annotations

from tests.access.row import console

_NAMES = {"seen_name_zh": "和馨", "seen_name_en": "Hexin", "name_zh": "和馨体检", "name_en": "Hexin Health"}
_ROWS = {"from": "2026-03-01", "to": "2026-03-31", "by": "all", "part": "all"}
_CITY = {"kind": "hospital_escort", "province": "浙江省", "city": "杭州市"}
_APPROVAL = {"act": "approve", "confirmed": "1", "name_zh": "和馨", "name_en": "Hexin"}

CONSOLE = (
    console("GET /operators/sign-in", 303, 303, others=200),
    console("POST /operators/sign-in", 422, 422, others=422),
    console("GET /operators/sign-in/code", 303, 303, others=303),
    console("POST /operators/sign-in/code", 303, 303, others=303, idle=True),
    console("GET /operators/sign-in/device", 303, 303, others=303),
    console("POST /operators/sign-in/device", 303, 303, others=303, idle=True),
    console("GET /operators/sign-in/password", 303, 303, others=303),
    console("POST /operators/sign-in/password", 303, 303, others=303, idle=True),
    console("GET /operators", 303, 200),
    console("GET /operators/bookings", 200, 200),
    console("POST /operators/bookings", 303, 303, form={"wanted": "{number}"}, search=True, idle=True).also(
        200, 200, form={"wanted": "{phone}"}, search=True, idle=True
    ),
    console("GET /operators/bookings/<booking>", 200, 200),
    console("GET /operators/bookings/<booking>/cancel", 200, 200),
    console("POST /operators/bookings/<booking>/cancel", 303, 303, form={"reason": "unwell"}),
    console("GET /operators/disputes", 200, 200),
    console("GET /operators/disputes/<dispute>", 200, 200),
    console("POST /operators/disputes/<dispute>", 303, 303, form={"decision": "rejected", "words": "x"}),
    console("GET /operators/differences", 404, 200),
    console("GET /operators/differences/<case>", 404, 200),
    console("GET /operators/differences/<case>/delivered", 404, 200),
    console("GET /operators/differences/<case>/<action>", 404, 200, names={"action": "=note"}),
    console(
        "POST /operators/differences/<case>/<action>",
        404,
        303,
        names={"action": "=note"},
        form={"note": "settled by phone"},
    ),
    console("GET /operators/runs", 404, 200),
    console("POST /operators/runs", 404, 303, form={"provider": "{provider}"}),
    console("GET /operators/statements", 404, 200),
    console("GET /operators/statements/<statement>", 404, 200),
    console("GET /operators/statements/<statement>/csv", 404, 200),
    console("GET /operators/figures", 404, 200),
    console("GET /operators/figures/csv", 404, 200),
    console("GET /operators/figures/<of>", 404, 200, names={"of": "=answers"}, query=_ROWS),
    console("GET /operators/figures/<of>/csv", 404, 200, names={"of": "=answers"}, query=_ROWS),
    console("GET /operators/coverage", 404, 200),
    console("GET /operators/coverage/csv", 404, 200),
    console("GET /operators/coverage/city", 404, 303).also(404, 200, query=_CITY),
    console(
        "POST /operators/coverage/city", 404, 303, query=_CITY, form={"level": "covered", "counts_from": "2026-03-10"}
    ),
    console("GET /operators/closures", 404, 200),
    console("GET /operators/closures/new", 404, 200).also(
        404, 200, query={"site": "{site}", "from_day": "2026-03-10", "mode": "cancel"}
    ),
    console(
        "POST /operators/closures/new", 404, 303, form={"site": "{site}", "from_day": "2026-03-10", "mode": "cancel"}
    ),
    console("GET /operators/closures/<closure>", 404, 200),
    console("POST /operators/closures/<closure>", 404, 303),
    console("GET /operators/places", 404, 200),
    console("POST /operators/places", 404, 303, form={"act": "merge", "keep": "{site}", "other": "{entry}"}),
    console("GET /operators/places/<site>", 404, 200),
    console("POST /operators/places/<site>", 404, 303, form={"act": "allow", "benefit": "health_check"}),
    console("GET /operators/providers", 404, 200),
    console("GET /operators/providers/<provider>", 404, 200),
    console("POST /operators/providers/<provider>", 404, 303, form={"act": "pause", "reason": "x"}).also(
        404, 303, form={"act": "resume"}, idle=True
    ),
    console("GET /operators/providers/<provider>/clinicians", 404, 200),
    console(
        "POST /operators/providers/<provider>/clinicians",
        404,
        303,
        form={"act": "verify", "member": "{clinician}", "licence": "110310000012345"},
    )
    .also(404, 303, form={"act": "take_back", "member": "{clinician}"}, idle=True)
    .also(
        404,
        303,
        form={"act": "verify", "member": "{outside_clinician}", "licence": "110310000012345", "outside": "1"},
    )
    .also(404, 303, form={"act": "take_back", "member": "{outside_clinician}", "outside": "1"}, idle=True),
    console("GET /operators/providers/<provider>/certificates", 404, 200),
    console("GET /operators/providers/<provider>/runs/<run>", 404, 200, names={"run": "providers_run"}),
    console("GET /operators/applications", 404, 200),
    console("GET /operators/applications/<application>", 404, 200),
    console("POST /operators/applications/<application>", 404, 303).each(
        [_APPROVAL, {"act": "decline", "reason": "x"}, {"act": "ask", "question": "x"}]
    ),
    console("GET /operators/providers/<provider>/names", 404, 200),
    console("POST /operators/providers/<provider>/names", 404, 303, form=_NAMES),
    console("GET /operators/providers/<provider>/manager", 404, 200, names={"provider": "=newcomer"}),
    console(
        "POST /operators/providers/<provider>/manager",
        404,
        200,
        names={"provider": "=newcomer"},
        form={"login": "new", "name": "方"},
    ),
    console("POST /operators/providers/certify", 404, 303, form={"provider": "{provider}"}, idle=True),
    console("GET /operators/imports", 404, 200),
    console("POST /operators/imports", 404, 303, form={"kind": "policies"}, file=b"key\nK-1\n"),
    console("GET /operators/imports/template/<kind>", 404, 200, names={"kind": "=policies"}),
    console("GET /operators/imports/<batch>", 404, 200),
    console("POST /operators/imports/<batch>", 404, 303).each([{"act": "start"}, {"act": "stop"}]),
    console("GET /operators/imports/<batch>/live", 404, 200),
    console("GET /operators/imports/<batch>/refused", 404, 200),
    console("GET /operators/jobs", 404, 200),
    console("GET /operators/customers", 404, 200),
    console("POST /operators/customers", 404, 303, form={"phone": "{phone}"}, search=True, idle=True),
    console("GET /operators/customers/<customer>", 404, 200),
    console("POST /operators/customers/<customer>", 404, 303, form={"block": "1"}),
    console("GET /operators/customers/<customer>/erase", 404, 409),
    console("POST /operators/customers/<customer>/erase", 404, 409),
    console("GET /operators/policies", 404, 200).also(404, 200, query={"ends_within": "30"}),
    console("POST /operators/policies", 404, 303, form={"wanted": "{policy_number}"}, search=True, idle=True).also(
        404, 200, form={"wanted": "{phone}"}, search=True, idle=True
    ),
    console("GET /operators/policies/csv", 404, 200),
    console("GET /operators/policies/<policy>", 404, 200),
    console("POST /operators/policies/<policy>/number", 404, 200, idle=True),
    console("GET /operators/snapshots", 404, 200).also(404, 200, query={"state": "all"}),
    console("GET /operators/snapshots/<snapshot>", 404, 200, names={"snapshot": "waiting_snapshot"}),
    console(
        "POST /operators/snapshots/<snapshot>", 404, 303, names={"snapshot": "waiting_snapshot"}, form={"act": "end"}
    ),
    console("GET /operators/accounts", 404, 200),
    console("GET /operators/accounts/new", 404, 200),
    console("POST /operators/accounts/new", 404, 200, form={"login": "wu", "name": "吴", "role": "admin"}),
    console("GET /operators/accounts/<operator>", 404, 200),
    console("POST /operators/accounts/<operator>", 404, 303)
    .each([{"act": "end"}])
    .also(404, 303, form={"act": "reset"}, idle=True),
    console("GET /operators/password", 200, 200),
    console(
        "POST /operators/password",
        422,
        422,
        form={"present": "not it", "new": "another river, another boat"},
        idle=True,
    ),
    console("GET /operators/second-factor", 200, 200),
    console("POST /operators/second-factor", 422, 422),
    console("GET /operators/second-factor/device", 200, 200),
    console("POST /operators/second-factor/device", 422, 422),
    console("POST /operators/sign-out", 303, 303),
    console("POST /operators/sign-out-everywhere", 303, 303),
)
