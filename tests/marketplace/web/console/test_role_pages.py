"""What the console's people find on their pages, and what each look leaves behind. Who finds which page:
tests/access/table/console.py."""

from __future__ import annotations

import html
import re
from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from booking.attendance.disputes import dispute
from booking.attendance.models import Dispute
from booking.closures.close import close_site
from booking.discrepancies import Discrepancy, open_discrepancy
from booking.exchange.inbound import apply_remote
from booking.feeds.unreadable import store_delivered
from booking.models import Booking
from booking.settlement.models import ClosingStatement
from booking.states import BookingState
from booking.views import desk
from marketplace.catalog.models import Site
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.web.formats import reference
from marketplace.web.urls import OPERATOR_PAGES
from providers.conformance.certificates.models import ConformanceRun
from providers.port import Confirmed
from tests.access.table.console import CONSOLE
from tests.marketplace.web.visitors import Visitor, main, words
from tests.people import NOON, make_insurer
from tests.policies import policy_facts, put
from tests.providers.applying.applicants import registered
from tests.vip.imports.policy_lines import file, line
from tests.vip.insurers.app import waiting_snapshot
from tests.world import DAY, EIGHT, FakeAdapter, World, booking_row, one_pass, remote
from vip.imports.upload import upload
from vip.imports.work import work_imports
from vip.models import Operator
from vip.operators.operators import create_operator
from vip.principal import Principal, Role
from vip.signin.limits import Limit
from vip.signin.signin import RECENT

ROLES: tuple[Role, ...] = ("agent", "admin")
DOOR = "/operators/sign-in"
START = "/operators"
PASSWORD = "a long password"
MIDDAY = EIGHT + timedelta(hours=4)
TABLE = {row.route: row.asks[0].answers for row in CONSOLE}
"""What an agent and an administrator are answered."""
BEGIN_ELSEWHERE = {
    *("/operators/closures/new", "/operators/second-factor/device", "/operators/accounts/new"),
    *("/operators/figures/csv", "/operators/coverage/csv"),
    *("/operators/figures/csv", "/operators/policies/csv"),
}
ENDS = {"POST /operators/sign-out", "POST /operators/sign-out-everywhere"}


NUMBERS_ONLY = {
    # lists for the books that name bookings by their numbers and nobody
    "GET /operators",
    "GET /operators/disputes",
    "GET /operators/differences",
    "GET /operators/statements/<statement>",
    "GET /operators/statements/<statement>/csv",
    "GET /operators/closures/<closure>",
    "GET /operators/figures/<of>",
    "GET /operators/figures/<of>/csv",
}


@pytest.fixture
def office(world: World) -> dict[str, str]:
    """A confirmed booking about which the books differ, a disputed no-show, a statement and a site that closes; by
    the names that the addresses give them. An operator of each role, named like it."""
    for role in ROLES:
        create_operator(role, PASSWORD, "林默", role, now=NOON)
    kept, missed = confirmed(world, 0), confirmed(world, 1)
    with transaction() as session:
        number = session.scalars(select(Booking.id).where(Booking.public_id == kept)).one()
        open_discrepancy(session, world.provider.id, "ours_only", kept, now=NOON, booking_id=number)
        store_delivered(session, session.scalars(select(Discrepancy)).one(), b"{}", NOON)
        apply_remote(session, world.provider.id, remote(missed, "no_show", 2, f"R-{missed}"), now=MIDDAY)
    dispute(world.principal, missed, "我八点到的", now=MIDDAY)
    admin = Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
    with transaction() as session:
        session.add(
            ClosingStatement(
                public_id="stm_1", provider_id=world.provider.id, insurer_id=admin.insurer_id, day=DAY,
                time_zone="Asia/Shanghai", made_at=NOON,
                content={"ours": {"states": {}, "units": 0, "money": {}}, "theirs": None, "balance": None},
            )
        )  # fmt: skip
        run = {"state": "failed", "reason": "not_reached", "actor_kind": "system", "actor": "", "asked_at": NOON}
        session.add(ConformanceRun(public_id="cfr_1", provider_id=world.provider.id, **run))
    policy = put(policy_facts(holder_phone="13800000021"), insurer_id=admin.insurer_id).policy_id
    with reading() as session:
        site = session.scalars(select(Site.public_id).where(Site.id == world.offer.site_id)).one()
        closing = close_site(admin, site, DAY, None, "cancel", now=NOON)
        return {
            "booking": kept,
            "dispute": session.scalars(select(Dispute.public_id)).one(),
            "case": session.scalars(select(Discrepancy.public_id)).one(),
            "action": "note",
            "statement": "stm_1",
            "of": "answers",
            "run": "cfr_1",
            "closure": closing,
            "provider": world.provider.code,
            "application": registered(),
            "batch": imported(admin),
            "kind": "policies",
            "site": site,
            "customer": world.customer.public_id,
            "policy": policy,
            "snapshot": waiting_snapshot(admin.insurer_id, now=NOON + timedelta(seconds=1)),
            "operator": session.scalars(select(Operator.public_id).where(Operator.login == "agent")).one(),
        }


def imported(admin: Principal) -> str:
    """A file that was tried: one line would be imported, the other one would not."""
    batch = upload(admin, "policies", "x.csv", file(line(1), line(1, version="2")), now=NOON)
    work_imports(lambda: NOON)
    return batch


def confirmed(world: World, slot: int) -> str:
    public_id = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed(f"R-{public_id}", 1)]), now=NOON)
    return public_id


def enter(app: Flask, role: str) -> Visitor:
    visitor = Visitor(app)
    assert visitor.post(DOOR, DOOR, name=role, password=PASSWORD).status_code == 303
    return visitor


def path_of(rule: str, office: dict[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda part: office[part[1]], rule)


RISKY = {
    # route: forms that would do it, the ids being real
    "POST /operators/accounts/new": [{"login": "wu", "name": "吴", "role": "admin"}],
    "POST /operators/providers/<provider>/names": [
        {"seen_name_zh": "和馨", "seen_name_en": "Hexin", "name_zh": "甲", "name_en": "A"}
    ],
    "POST /operators/providers/<provider>/manager": [{"login": "fang", "name": "方"}],
    "POST /operators/applications/<application>": [
        {"act": "approve", "confirmed": "1"},
        {"act": "decline", "reason": "x"},
        {"act": "ask", "question": "x"},
    ],
    "POST /operators/accounts/<operator>": [{"act": "end"}, {"act": "resume"}, {"act": "reset"}],
    "POST /operators/customers/<customer>": [{"block": "1"}, {}],
    "POST /operators/customers/<customer>/erase": [{}],
    "POST /operators/imports/<batch>": [{"act": "start"}],
    "POST /operators/snapshots/<snapshot>": [{"act": "end"}],
    "POST /operators/second-factor/device": [{"offer": "", "code": "123456"}],  # the first one
}
ASK_FOR_WHAT_ONE_KNOWS = {
    # one's own password or second factor is asked for
    "POST /operators/password",
    "POST /operators/second-factor",
}
NOT_ABOUT_PEOPLE = {
    "POST /operators/providers/<provider>",  # paused and resumed
    "POST /operators/providers/<provider>/clinicians",  # what a public register says; can be taken back
    "POST /operators/bookings",
    "POST /operators/bookings/<booking>/cancel",
    "POST /operators/disputes/<dispute>",
    "POST /operators/differences/<case>/<action>",
    "POST /operators/runs",
    "POST /operators/providers/certify",
    "POST /operators/coverage/city",
    "POST /operators/closures/new",
    "POST /operators/places",  # entries of the list of hospitals; can be taken back
    "POST /operators/places/<site>",
    "POST /operators/closures/<closure>",
    "POST /operators/customers",  # a search
    "POST /operators/policies",  # the same
    "POST /operators/policies/<policy>/number",  # a look
    "POST /operators/imports",  # nothing is imported yet
    *ENDS,  # one's own session, or all of one's own
}


def test_every_form_of_the_console_is_risky_or_known_not_to_be() -> None:
    forms = {f"POST {page.rule}" for page in OPERATOR_PAGES if "POST" in page.methods and not page.open}
    assert forms == RISKY.keys() | ASK_FOR_WHAT_ONE_KNOWS | NOT_ABOUT_PEOPLE
    about_people = {f"POST {page.rule}" for page in OPERATOR_PAGES if page.duty == "people" and "POST" in page.methods}
    looks = {"POST /operators/customers", "POST /operators/policies", "POST /operators/policies/<policy>/number"}
    assert about_people - RISKY.keys() == looks


@pytest.mark.parametrize("route", RISKY)
def test_a_session_that_was_left_open_does_nothing_risky(app: Flask, office: dict[str, str], route: str) -> None:
    visitor, path = enter(app, "admin"), path_of(route.split(" ")[1], office)
    with clock.frozen(NOON + RECENT + timedelta(seconds=1)):
        for form in RISKY[route]:
            before = audited()
            answer = visitor.post(path, "/operators/password", **form)
            assert answer.status_code == 403, form
            assert "Sign in once more, then do this within 15 minutes." in main(answer)
            again = re.search(r'href="(/operators/sign-in[?][^"]+)"', answer.text)
            assert again is not None and visitor.get(html.unescape(again[1])).status_code == 200, (
                "a form, not a way back"
            )
            assert set(audited() - before) <= {"customer.viewed", "policy_snapshot.viewed"}, form


def audited() -> Counter[str]:
    """How often the audit has each act."""
    with reading() as session:
        return Counter(session.scalars(select(AuditLine.action)))


def test_a_refused_erasure_names_the_booking_and_leads_to_it(app: Flask, office: dict[str, str]) -> None:
    page = enter(app, "admin").get(f"/operators/customers/{office['customer']}/erase")
    number = reference(booking_row(office["booking"]).reference)
    assert f"To the booking {number}" in main(page)
    assert f'href="/operators/bookings/{office["booking"]}"' in page.text


def test_a_phone_has_the_menu_behind_a_button_that_needs_no_script(app: Flask, office: dict[str, str]) -> None:
    page = enter(app, "admin").get("/operators/accounts").text
    folded = re.search(r'(?s)<details class="side__fold"><summary>.*?Menu</summary><nav .*?</details>', page)
    assert folded is not None and 'href="/operators/accounts" aria-current="page"' in folded[0]


@pytest.mark.parametrize("role", ROLES)
def test_whatever_shows_or_finds_a_person_is_one_line_of_the_audit(
    app: Flask, office: dict[str, str], world: World, role: str
) -> None:
    """A page that shows somebody and writes no line, or two, fails here without being named here."""
    visitor, row = enter(app, role), booking_row(office["booking"])
    persons = (world.beneficiary.name, "138****0021", "我八点到的")
    numbers = (row.reference, reference(row.reference), office["booking"])
    finds = {"wanted": "13800000021", "phone": "13800000021"}
    found, shown = {}, set()
    for route in TABLE:
        method, rule = route.split(" ")
        if rule.startswith(DOOR) or route in ENDS:
            continue
        visitor.get("/operators/password")  # the page that a form's token is taken from
        before = looks(role)
        path = path_of(rule, office)
        answer = visitor.get(path) if method == "GET" else visitor.post(path, "/operators/password", **finds)
        person = any(it in answer.text for it in persons)
        if person or (any(it in answer.text for it in numbers) and route not in NUMBERS_ONLY):
            shown.add(route)
        if route in NUMBERS_ONLY:
            assert not person, route
        found[route] = looks(role) - before
    assert {route: found[route] for route in shown} == dict.fromkeys(shown, 1)
    always = {"POST /operators/bookings", "GET /operators/bookings/<booking>", "GET /operators/disputes/<dispute>"}
    assert always <= shown and max(found.values()) == 1


def looks(role: str) -> int:
    """How many lines the audit has of the operator with that role."""
    with reading() as session:
        who = select(Operator.public_id).where(Operator.login == role).scalar_subquery()
        return session.scalar(select(func.count()).select_from(AuditLine).where(AuditLine.actor == who))


def test_a_search_is_told_by_what_it_searched_and_whom_it_found(
    app: Flask, office: dict[str, str], world: World
) -> None:
    agent = enter(app, "agent")
    number = booking_row(office["booking"]).reference
    for wanted in ("13800000021", number, f"\u200b{number.lower()}\u202c", "AX00000000", "139 0000 0000"):
        agent.post("/operators/bookings", "/operators/bookings", wanted=wanted)
    with reading() as session:
        found = session.scalars(select(AuditLine).where(AuditLine.action == "booking.searched").order_by(AuditLine.id))
        lines = [(line.subject, line.facts) for line in found]
    assert lines == [
        (world.customer.public_id, {"by": "phone", "found": 2}),
        (office["booking"], {"by": "number", "found": 1}),
        (office["booking"], {"by": "number", "found": 1}),
        ("", {"by": "number", "found": 0}),
        ("", {"by": "phone", "found": 0}),
    ]


def test_who_searches_too_much_is_told_when_to_go_on(
    app: Flask, office: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "SEARCHES", Limit(2, 60))
    agent, page = enter(app, "agent"), "/operators/bookings"
    answers = [agent.post(page, page, wanted="AX00000000") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "60" and "Too many tries." in main(answers[-1])


@pytest.mark.parametrize(("language", "agent", "admin"), [("en", "Phone desk", "Admin"), ("zh", "电话客服", "管理员")])
def test_the_console_says_as_what_one_is_there_and_links_to_what_one_may(
    app: Flask, office: dict[str, str], language: str, agent: str, admin: str
) -> None:
    for role, name in (("agent", agent), ("admin", admin)):
        visitor = enter(app, role)
        visitor.language = language
        page = visitor.get("/operators/bookings")
        assert f"{role} {name}" in words(page)
        linked = set(re.findall(r'href="(/operators[^"?]*)"', page.text))
        pages = {rule for route, answers in TABLE.items() for method, rule in [route.split(" ")]
                 if method == "GET" and "<" not in rule and answers[ROLES.index(role)] == 200}  # fmt: skip
        # the sign leads to where one begins; these begin elsewhere
        assert linked - {START} == pages - {START, *BEGIN_ELSEWHERE}


def test_an_agent_begins_at_the_bookings_and_cancels_in_the_customers_window(
    app: Flask, office: dict[str, str], visitor: Visitor
) -> None:
    desk = enter(app, "agent")
    assert desk.get("/operators").headers["Location"] == "/operators/bookings"
    page = f"/operators/bookings/{office['booking']}"
    told = main(desk.get(f"{page}/cancel"))
    assert "It counts as the customer's own cancel" in told and "The provider can't keep it" not in told
    assert desk.post(f"{page}/cancel", page, reason="provider_trouble").status_code == 422
    assert desk.post(f"{page}/cancel", page, reason="unwell").headers["Location"] == page
    assert "Asked to cancel phone desk The person is unwell" in main(desk.get(page))
    assert "You asked to cancel by phone" in main(visitor.get(f"/bookings/{office['booking']}"))


def test_past_the_window_an_agent_is_told_before_the_tap_that_an_administrator_is_needed(
    app: Flask, office: dict[str, str]
) -> None:
    page = f"/operators/bookings/{office['booking']}"
    needed = "only an administrator can still cancel it"
    with clock.frozen(EIGHT - timedelta(minutes=30)):
        agent, admin = enter(app, "agent"), enter(app, "admin")
        for path in (page, f"{page}/cancel"):
            shown = agent.get(path)
            assert needed in main(shown) and 'name="reason"' not in shown.text and f'"{page}/cancel"' not in shown.text
        refused = agent.post(f"{page}/cancel", page, reason="unwell")
        assert refused.status_code == 409 and "Only an administrator can still cancel it." in main(refused)
        assert booking_row(office["booking"]).state is BookingState.CONFIRMED
        assert needed not in main(admin.get(page))
        assert admin.post(f"{page}/cancel", page, reason="unwell").status_code == 303
