"""Each page that shows a customer a report writes one line of the audit, and no other page shows or writes one.

A page that is new stands in no row and fails; one that shows a result and writes no line, or two, fails without being
named. The API has the same table (tests/marketplace/api/test_looks.py), the console one of its own
(console/test_role_pages.py).
"""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from booking.models import Booking
from booking.notices.models import Notification
from booking.personal.export import ask_copy, make_copies
from booking.reports.share import MadeShare, NewShare, share_report
from marketplace.catalog.models import Site
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.web.urls import PAGES
from providers.reported import ReportItem
from tests.marketplace.web.surfer import Surfer, surfer
from tests.people import NOON, OTHER_PHONE, make_customer
from tests.reports import deliver
from tests.world import World

HERS = "13800000021"
RESULTS = ("7.217", "6.683")
"""What stands in the two reports and nowhere else."""
VIEWED, DOWNLOADED = "report.viewed", "report.downloaded"

# The lines that a page writes: about the first report, and about the second.
LOOKS: dict[str, tuple[list[str], list[str]]] = {
    "GET /reports/<report>": ([VIEWED], []),
    "GET /reports/<report>/document": ([DOWNLOADED], []),
    "GET /reports/<report>/papers/<position>": ([DOWNLOADED], []),
    "GET /reports/<report>/fhir": (["report.exported"], []),
    "GET /reports/compare": (["report.compared"], ["report.compared"]),
    "GET /reports/trends/<item>": (["report.trend_viewed"], ["report.trend_viewed"]),
    "GET /shared/<token>": ([VIEWED], []),
    "GET /shared/<token>/papers/<position>": ([DOWNLOADED], []),
    "GET /me/data/copies/<copy>": (["report.copied"], ["report.copied"]),
}
# What these do is a line too, and no look.
DEEDS: dict[str, tuple[list[str], list[str]]] = {
    "POST /reports/<report>/share": (["report.shared"], []),
    "POST /reports/<report>/share/<share>/end": (["report.share_ended"], []),
    "POST /reports/<report>/delete": (["report.deleted"], []),
}
QUIET = (
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/code",
    "POST /sign-in/code",
    "GET /arrive/<token>",
    "POST /arrive/<token>",
    "GET /me/policies",
    "GET /places/venues",
    "GET /places/venues/cities",
    "GET /sites/<site>/coverage",
    "POST /sites/<site>/coverage",
    "GET /sites/<site>/services",
    "POST /preferences",
    "GET /",
    "GET /live",
    "POST /live/ticket",
    "GET /consultation/new",
    "POST /consultation/new",
    "GET /consultation/<conversation>",
    "GET /consultation/<conversation>/live",
    "POST /consultation/<conversation>/messages",
    "POST /consultation/<conversation>/pictures",
    "GET /consultation/<conversation>/pictures/<picture>",
    "GET /consultation/<conversation>/pictures/<picture>/thumbnail",
    "POST /consultation/<conversation>/read",
    "POST /consultation/<conversation>/typing",
    "POST /consultation/<conversation>/choice",
    "POST /consultation/<conversation>/reports",
    "POST /consultation/<conversation>/reopen",
    "POST /consultation/<conversation>/rating",
    "GET /places",
    "GET /places/cities",
    "GET /places/levels",
    "POST /sites/<site>/favourite",
    "GET /sites/<site>/packages",
    "GET /offers/<offer>/times",
    "POST /offers/<offer>/times",
    "GET /offers/<offer>/waiting",
    "POST /offers/<offer>/waiting",
    "GET /waiting/live",
    "GET /waiting/<entry>/stop",
    "POST /waiting/<entry>/stop",
    "GET /who",
    "GET /bookings/<booking>/confirm",
    "POST /bookings/<booking>/confirm",
    "GET /bookings/<booking>/confirm/live",
    "GET /bookings",
    "GET /bookings/live",
    "GET /bookings/<booking>",
    "GET /bookings/<booking>/live",
    "GET /bookings/<booking>/cancel",
    "POST /bookings/<booking>/cancel",
    "GET /bookings/<booking>/change",
    "POST /bookings/<booking>/change",
    "GET /bookings/<booking>/change/check",
    "POST /bookings/<booking>/change/check",
    "POST /bookings/<booking>/change/withdraw",
    "POST /bookings/<booking>/proposal",
    "GET /bookings/<booking>/escort",
    "GET /bookings/<booking>/escort/live",
    "GET /bookings/<booking>/escort/papers/<picture>",  # a line about the booking
    "POST /bookings/<booking>/escort/well",
    "POST /bookings/<booking>/escort/wrong",
    "POST /bookings/<booking>/escort/rating",
    "GET /bookings/<booking>/escort/links",
    "POST /bookings/<booking>/escort/links",
    "POST /bookings/<booking>/escort/links/<link>/end",
    "GET /shared/escort/<token>",
    "POST /shared/escort/<token>",
    "GET /shared/escort/<token>/live",
    "GET /bookings/<booking>/dispute",
    "POST /bookings/<booking>/dispute",
    "GET /reports",
    "GET /reports/<report>/delete",
    "GET /reports/<report>/share",
    "GET /consent",
    "POST /consent",
    "POST /shared/<token>",
    "GET /me",
    "GET /me/family/new",
    "POST /me/family/new",
    "GET /me/family/<member>/remove",
    "GET /me/family/<member>/consent",
    "POST /me/family/<member>/consent",
    "GET /me/family/<member>/consent/code",
    "POST /me/family/<member>/consent/code",
    "POST /me/family/<member>/consent/end",
    "GET /me/phone",
    "POST /me/phone",
    "GET /me/phone/code",
    "POST /me/phone/code",
    "GET /me/data",
    "POST /me/data/copies",
    "GET /me/data/erase",
    "GET /me/data/people/<person>/erase",
    "GET /erased",
    "GET /bookings/<booking>/calendar.ics",
    "GET /calendar/<token>.ics",
    "GET /me/messages",
    "POST /me/messages",
    "POST /me/messages/email",
    "POST /me/messages/email/code",
    "POST /me/calendar",
    "GET /offline",
    "GET /sw.js",
    "GET /development/outbox",
    "GET /notices",
    "POST /notices/read",
    "GET /notices/<notice>",
    "GET /benefits",
    "GET /benefits/<entitlement>",
)
"""Every other page, in the order of the map."""
ENDS = (
    "POST /reports/<report>/share/<share>/end",
    "POST /reports/<report>/delete",
    "POST /me/family/<member>/remove",
    "POST /sign-out",
    "POST /me/sessions/end",
    "POST /me/data/people/<person>/erase",
    "POST /me/data/erase",
)
"""What would end the walk stands at its end."""
MUST_SHOW = set(LOOKS) | {
    "GET /",
    "GET /live",
    "GET /bookings",
    "GET /bookings/live",
    "GET /bookings/<booking>",
    "GET /bookings/<booking>/live",
    "GET /reports",
    "GET /reports/<report>/share",
    "GET /reports/<report>/delete",
    "GET /notices",
    "GET /me",
    "GET /me/data",
    "GET /benefits",
}


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
def link(world: World, reports: tuple[str, str]) -> MadeShare:
    """A link to the first report, that opens without a code."""
    return share_report(world.principal, reports[0], NewShare("doctor", 7), now=NOON)


@pytest.fixture
def named(world: World, reports: tuple[str, str], link: MadeShare) -> dict[str, str]:
    """What the parts of an address stand for."""
    copy = ask_copy(world.principal, now=NOON)
    assert make_copies(now=NOON) == {"made": 1, "failed": 0}
    with reading() as session:
        notice = session.scalars(select(Notification.public_id).limit(1)).one()
        booking = session.scalars(select(Booking.public_id).order_by(Booking.id).limit(1)).one()
        site = session.scalars(select(Site.public_id)).one()
    return {
        "site": site,
        "offer": world.offer.public_id,
        "booking": booking,
        "entitlement": world.entitlement.public_id,
        "member": world.beneficiary.public_id,
        "person": world.beneficiary.public_id,
        "report": reports[0],
        "share": link.share.id,
        "token": link.token,
        "copy": copy.id,
        "notice": notice,
        "entry": "wai_none",
        "conversation": "cnv_none",
        "picture": "pic_none",
        "link": "esl_none",
        "item": "glucose",
        "position": "0",
    }


def path_of(rule: str, named: dict[str, str], reports: tuple[str, str]) -> str:
    """The address of a page, with the questions that it asks."""
    path = re.sub(r"<(\w+)>", lambda part: named[part[1]], rule)
    asked = {
        "/reports/compare": f"?a={reports[0]}&b={reports[1]}",
        "/reports/trends/<item>": f"?person={named['person']}",
    }
    return path + asked.get(rule, "")


FIELDS: dict[str, dict[str, str]] = {
    "POST /reports/<report>/share": {"audience": "doctor", "days": "7", "with_code": "0"},
    "POST /reports/<report>/delete": {"sure": "1"},
}
"""What a form sends; one without fields is refused or does nothing, which shows nothing either."""


def lines(subject: str) -> list[str]:
    """What the audit says about it, in order."""
    with reading() as session:
        found = select(AuditLine.action).where(AuditLine.subject == subject).order_by(AuditLine.id)
        return list(session.scalars(found))


def call(route: str, browser: Surfer, named: dict[str, str], reports: tuple[str, str]) -> TestResponse:
    """One page, as her browser asks for it; a shared one in a browser that has opened the link."""
    method, rule = route.split(" ")
    path = path_of(rule, named, reports)
    if rule.startswith("/shared/") and method == "GET":
        assert browser.post(f"/shared/{named['token']}").status_code == 303
    return browser.get(path) if method == "GET" else browser.post(path, **FIELDS.get(route, {}))


def test_every_page_stands_in_one_row() -> None:
    rows = [*LOOKS, *DEEDS, *QUIET, *(route for route in ENDS if route not in DEEDS)]
    assert sorted(rows) == sorted(f"{method} {page.rule}" for page in PAGES for method in page.methods)


def test_each_page_that_shows_a_report_writes_one_line_and_no_other_page_shows_one(
    app: Flask, reports: tuple[str, str], named: dict[str, str]
) -> None:
    walk = [route for route in (*LOOKS, *QUIET, *DEEDS) if route not in ENDS]
    for route in (*walk, *ENDS):
        before = [lines(report) for report in reports]
        answer = call(route, surfer(app, HERS), named, reports)
        written = [lines(report)[len(known) :] for report, known in zip(reports, before, strict=True)]
        assert answer.status_code < 500, route
        assert route not in MUST_SHOW or answer.status_code == 200, (route, answer.status_code)
        assert written == list(LOOKS.get(route) or DEEDS.get(route) or ([], [])), route
        for result, looks in zip(RESULTS, written, strict=True):
            assert result.encode() not in answer.data or len(looks) == 1, f"{route} shows a result, and no line says so"


def test_the_pages_that_look_do_show_the_result(app: Flask, reports: tuple[str, str], named: dict[str, str]) -> None:
    shown = {route for route in LOOKS if RESULTS[0].encode() in call(route, surfer(app, HERS), named, reports).data}
    assert set(LOOKS) - shown == {
        "GET /reports/<report>/document",  # a PDF of the provider's
        "GET /reports/<report>/papers/<position>",
        "GET /shared/<token>/papers/<position>",
        "GET /me/data/copies/<copy>",  # packed
    }


def test_each_fetch_of_a_copy_is_one_line(app: Flask, world: World, named: dict[str, str]) -> None:
    for times in (1, 2):
        assert surfer(app, HERS).get(f"/me/data/copies/{named['copy']}").status_code == 200
        assert lines(world.customer.public_id).count("customer.copy_fetched") == times


def test_what_a_browser_fetches_in_advance_shows_nothing_and_is_no_look(
    app: Flask, world: World, reports: tuple[str, str], named: dict[str, str]
) -> None:
    for route in LOOKS:
        browser = surfer(app, HERS)
        if "<token>" in route:
            browser.post(f"/shared/{named['token']}")
        before = [lines(report) for report in reports]
        path = path_of(route.split(" ")[1], named, reports)
        answer = browser.get(path, headers={"Sec-Purpose": "prefetch"})
        assert RESULTS[0].encode() not in answer.data, route
        assert [lines(report) for report in reports] == before, route
    assert "customer.copy_fetched" not in lines(world.customer.public_id)


@pytest.mark.parametrize("who", ["another customer", "nobody"])
def test_nobody_else_is_shown_a_report_by_its_address(
    app: Flask, reports: tuple[str, str], named: dict[str, str], who: str
) -> None:
    make_customer(OTHER_PHONE)
    browser = surfer(app, OTHER_PHONE) if who == "another customer" else Surfer(app.test_client())
    before = [lines(report) for report in reports]
    for route in (*LOOKS, *QUIET):
        if route.startswith("GET"):
            answer = browser.get(path_of(route.split(" ")[1], named, reports))
            assert not any(result.encode() in answer.data for result in RESULTS), route
    assert [lines(report) for report in reports] == before
