"""Each look at health data through the API is one line of the audit, and nobody but the customer has one.

A route that is new stands in no row and fails; one that shows a result and writes no line, or two, fails without being
named. Operators and agents have the console (tests/marketplace/web/console/test_role_pages.py), and providers their
webhook.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from booking.notices.models import Notification
from booking.personal.export import make_copies
from booking.reports.share import NewShare, share_report
from marketplace.catalog.models import Site
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from providers.reported import ReportItem
from tests.access.table.customer_api import CUSTOMER_API
from tests.access.table.open import OPEN
from tests.marketplace.api.caller import Caller
from tests.people import NOON
from tests.reports import deliver
from tests.world import World
from vip.operators.operators import create_operator, sign_in_operator

HERS = "13800000021"
RESULTS = ("7.217", "6.683")
CUSTOMER = {row.route for row in CUSTOMER_API}
"""What stands in the two reports and nowhere else."""
VIEWED, DOWNLOADED = "report.viewed", "report.downloaded"

# The looks that a call writes: of the first report, and of the second. Every other route writes none and shows none.
LOOKS: dict[str, tuple[list[str], list[str]]] = {
    "GET /api/v1/reports/<id:report_id>": ([VIEWED], []),
    "GET /api/v1/reports/<id:report_id>/document": ([DOWNLOADED], []),
    "GET /api/v1/reports/<id:report_id>/papers/<int(max=99):position>": ([DOWNLOADED], []),
    "GET /api/v1/reports/<id:report_id>/fhir": (["report.exported"], []),
    "GET /api/v1/reports/compare": (["report.compared"], ["report.compared"]),
    "GET /api/v1/reports/trends": (["report.trend_viewed"], ["report.trend_viewed"]),
    "GET /api/v1/me/copies/<id:copy_id>/file": (["report.copied"], ["report.copied"]),
}
# What these do is a line of the audit too, and no look.
DEEDS = {
    "POST /api/v1/reports/<id:report_id>/shares": ["report.shared"],
    "DELETE /api/v1/reports/<id:report_id>/shares/<id:share_id>": ["report.share_ended"],
    "DELETE /api/v1/reports/<id:report_id>": ["report.deleted"],
}
QUIET = {
    "GET /api/v1/openapi.json",
    "GET /api/v1/problems/<id:code>",
    "POST /api/v1/sessions/codes",
    "POST /api/v1/sessions",
    "GET /api/v1/me",
    "GET /api/v1/me/family",
    "POST /api/v1/live/tickets",
    "POST /api/v1/me/copies",
    "GET /api/v1/me/copies",
    "GET /api/v1/me/erasure",
    "GET /api/v1/entitlements",
    "GET /api/v1/policies",
    "GET /api/v1/sites",
    "GET /api/v1/sites/<id:site_id>/why-not",
    "GET /api/v1/coverage",
    "GET /api/v1/coverage/cities",
    "GET /api/v1/coverage/<id:site_id>",
    "PUT /api/v1/coverage/<id:site_id>/wish",
    "DELETE /api/v1/coverage/<id:site_id>/wish",
    "GET /api/v1/places",
    "GET /api/v1/sites/favourites",
    "GET /api/v1/sites/booked",
    "PUT /api/v1/sites/<id:site_id>/favourite",
    "DELETE /api/v1/sites/<id:site_id>/favourite",
    "GET /api/v1/offers",
    "GET /api/v1/offers/<id:offer_id>/slots",
    "POST /api/v1/bookings",
    "POST /api/v1/bookings/<id:booking_id>/confirm",
    "POST /api/v1/bookings/<id:booking_id>/cancel",
    "POST /api/v1/bookings/<id:booking_id>/dispute",
    "POST /api/v1/bookings/<id:booking_id>/reschedule",
    "POST /api/v1/bookings/<id:booking_id>/reschedule/withdraw",
    "POST /api/v1/bookings/<id:booking_id>/proposal/accept",
    "POST /api/v1/bookings/<id:booking_id>/proposal/decline",
    "GET /api/v1/bookings",
    "GET /api/v1/bookings/<id:booking_id>",
    "GET /api/v1/bookings/<id:booking_id>/escort",
    "GET /api/v1/bookings/<id:booking_id>/escort/papers/<id:paper_id>",  # a line about the booking
    "PUT /api/v1/bookings/<id:booking_id>/escort/outcome",
    "GET /api/v1/bookings/<id:booking_id>/escort/links",
    "POST /api/v1/bookings/<id:booking_id>/escort/links",
    "DELETE /api/v1/bookings/<id:booking_id>/escort/links/<id:link_id>",
    "PUT /api/v1/bookings/<id:booking_id>/rating",
    "GET /api/v1/bookings/<id:booking_id>/rating",
    "POST /api/v1/consultations",
    "GET /api/v1/consultations",
    "GET /api/v1/consultations/<id:consultation_id>",
    "POST /api/v1/consultations/<id:consultation_id>/read",
    "POST /api/v1/consultations/<id:consultation_id>/typing",
    "GET /api/v1/consultations/<id:consultation_id>/place",
    "POST /api/v1/consultations/<id:consultation_id>/choice",
    "POST /api/v1/consultations/<id:consultation_id>/reopen",
    "GET /api/v1/consultations/<id:consultation_id>/messages",
    "POST /api/v1/consultations/<id:consultation_id>/messages",
    "POST /api/v1/consultations/<id:consultation_id>/pictures",
    "GET /api/v1/consultations/<id:consultation_id>/pictures/<id:picture_id>",
    "GET /api/v1/consultations/<id:consultation_id>/pictures/<id:picture_id>/thumbnail",
    "POST /api/v1/waiting",
    "GET /api/v1/waiting",
    "GET /api/v1/waiting/<id:waiting_id>",
    "DELETE /api/v1/waiting/<id:waiting_id>",
    "GET /api/v1/reports",
    "GET /api/v1/reports/<id:report_id>/shares",
    "GET /api/v1/me/family/<id:beneficiary_id>/consent",
    "POST /api/v1/me/family/<id:beneficiary_id>/consent/codes",
    "POST /api/v1/me/family/<id:beneficiary_id>/consent",
    "DELETE /api/v1/me/family/<id:beneficiary_id>/consent",
    "GET /api/v1/notifications",
    "GET /api/v1/me/notifications",
    "PUT /api/v1/me/notifications",
    "POST /api/v1/me/calendar-feed",
    "DELETE /api/v1/me/calendar-feed",
    "POST /api/v1/notifications/read",
    "POST /api/v1/notifications/<id:notification_id>/read",
}
ENDS = (
    "DELETE /api/v1/reports/<id:report_id>",
    "DELETE /api/v1/sessions/current",
    "DELETE /api/v1/sessions",
    "POST /api/v1/me/family/<id:beneficiary_id>/erasure",
    "POST /api/v1/me/erasure",
)
"""What would end the walk stands at its end."""
MUST_SHOW = set(LOOKS) | {"GET /api/v1/reports", "GET /api/v1/bookings", "GET /api/v1/bookings/<id:booking_id>"}


@pytest.fixture
def reports(world: World) -> tuple[str, str]:
    """Two reports of the world's customer, each with a result that stands in no other."""
    first, second = (
        deliver(
            world,
            world.submit(number),
            reference=f"RR-{number}",
            items=(ReportItem("葡萄糖", value, "2345-7", "mmol/L", 3.9, 6.1, "high"),),
            conclusion=f"血糖 {value}，复查。",
        )
        for number, value in enumerate(RESULTS)
    )
    return first, second


@pytest.fixture
def named(world: World, caller: Caller, reports: tuple[str, str]) -> dict[str, str]:
    """What the parts of a path stand for."""
    share = share_report(world.principal, reports[0], NewShare("doctor", 7), now=NOON).share.id
    copy = caller.post("/me/copies").json["id"]
    assert make_copies(now=NOON) == {"made": 1, "failed": 0}
    with reading() as session:
        notice = session.scalars(select(Notification.public_id).limit(1)).first()
        site = session.get_one(Site, world.offer.site_id).public_id
    return {
        "offer_id": world.offer.public_id,
        "site_id": site,
        "booking_id": caller.get("/bookings").json["items"][0]["id"],
        "beneficiary_id": world.beneficiary.public_id,
        "report_id": reports[0],
        "share_id": share,
        "copy_id": copy,
        "notification_id": notice or "ntf_none",
        "waiting_id": "wai_none",
        "consultation_id": "cnv_none",
        "picture_id": "pic_none",
        "paper_id": "epi_none",
        "link_id": "esl_none",
        "position": "0",
        "code": "slot_full",
    }


def path_of(rule: str, named: dict[str, str], reports: tuple[str, str]) -> str:
    """The path of a call, with the questions that its route asks."""
    path = re.sub(r"<[^>]*?(\w+)>", lambda part: named[part[1]], rule).removeprefix("/api/v1")
    asked = {
        "/reports/compare": f"?a={reports[0]}&b={reports[1]}",
        "/reports/trends": f"?item=glucose&beneficiary_id={named['beneficiary_id']}",
    }
    return path + asked.get(path, "")


def body_of(route: str) -> Any:
    """What is sent; what suits no route is refused, which shows nothing either."""
    if route.startswith("POST") and "/shares" in route:
        return {"audience": "doctor", "days": 7}
    return {"sure": True} if route.endswith("/erasure") else None


def lines(subject: str) -> list[str]:
    """What the audit says about it, in order."""
    with reading() as session:
        found = select(AuditLine.action).where(AuditLine.subject == subject).order_by(AuditLine.id)
        return list(session.scalars(found))


def test_every_route_stands_in_a_row(app: Flask) -> None:
    routes = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert routes == set(LOOKS) | set(DEEDS) | QUIET | set(ENDS)


def test_each_look_at_a_result_is_one_line_and_nothing_else_shows_one(
    app: Flask, reports: tuple[str, str], named: dict[str, str]
) -> None:
    routes = [route for route in (*LOOKS, *sorted(QUIET), *sorted(set(DEEDS) - set(ENDS))) if route not in ENDS]
    for route in (*routes, *ENDS):
        method, rule = route.split(" ")
        before = [lines(report) for report in reports]
        body = body_of(route)
        answer = Caller.of(app, HERS).call(
            method, path_of(rule, named, reports), **({} if method == "GET" or body is None else {"json": body})
        )
        written = [lines(report)[len(known) :] for report, known in zip(reports, before, strict=True)]
        assert route not in MUST_SHOW or answer.status_code == 200, route
        expected = list(LOOKS.get(route, (DEEDS.get(route, []), [])))
        assert written == expected, route
        for result, looks in zip(RESULTS, written, strict=True):
            assert result.encode() not in answer.data or len(looks) == 1, f"{route} shows a result, and no line says so"


def test_a_copy_of_everything_is_one_line_each_time(app: Flask, world: World, named: dict[str, str]) -> None:
    for times in (1, 2):
        assert Caller.of(app, HERS).get(f"/me/copies/{named['copy_id']}/file").status_code == 200
        assert lines(world.customer.public_id).count("customer.copy_fetched") == times


@pytest.mark.parametrize("role", ["admin", "agent"])
def test_no_operator_looks_through_the_api(
    app: Flask, reports: tuple[str, str], named: dict[str, str], role: Any
) -> None:
    create_operator("lin", "a long password", "林默", role, now=NOON)
    signed_in = sign_in_operator("lin", "a long password", now=NOON)
    caller = Caller(app, getattr(signed_in, "token", None))
    with reading() as session:
        before = session.scalar(select(func.count(AuditLine.id)))
    for route in CUSTOMER:
        method, rule = route.split(" ")
        answer = caller.call(method, path_of(rule, named, reports))
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden"), route
    with reading() as session:
        assert session.scalar(select(func.count(AuditLine.id))) == before


def test_the_rows_are_those_of_who_may_call() -> None:
    assert set(LOOKS) | set(DEEDS) | QUIET | set(ENDS) == CUSTOMER | {row.route for row in OPEN if "/api/" in row.route}
