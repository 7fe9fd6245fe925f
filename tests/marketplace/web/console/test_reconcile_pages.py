"""The console's books: a discrepancy and its repairs, comparisons, statements, sites that close."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update

from booking.closures.close import close_site, work_closures
from booking.closures.models import SiteClosure
from booking.discrepancies import Discrepancy, Effect, close_discrepancy, open_discrepancy
from booking.feeds.models import DeliveredRow
from booking.feeds.tries import MAY_BE_CANCELLED, not_applied
from booking.feeds.unreadable import forget_delivered, record_rows
from booking.models import Booking
from booking.reconcile.models import ReconcileRun
from booking.settlement.close_day import make_statements
from booking.settlement.models import ClosingStatement
from marketplace.catalog.english.sites import english_site
from marketplace.catalog.models import Insurer, Site
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed
from providers.reported import RemoteBooking, UnreadableRow
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import DAY, FakeAdapter, World, booking_row, one_pass
from vip.operators.operators import create_admin
from vip.principal import Principal

DOOR = "/operators/sign-in"


@pytest.fixture
def operator(app: Flask, world: World) -> Visitor:
    """An operator, signed in."""
    create_admin("lin", "a long password", "林默", now=NOON)
    visitor = Visitor(app)
    assert visitor.post(DOOR, DOOR, name="lin", password="a long password").status_code == 303
    return visitor


def lost(world: World) -> tuple[str, str]:
    """A confirmed booking that the provider does not have, and the case about it."""
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    with transaction() as session:
        booking = session.scalars(select(Booking)).one()
        open_discrepancy(
            session, world.provider.id, "ours_only", public_id, now=NOON, booking_id=booking.id,
            facts={"ours": "confirmed", "theirs": None, "reference": "R-1"}, effect=Effect(-1, -128000, "CNY"),
        )  # fmt: skip
    return public_id, case_id()


def case_id() -> str:
    with reading() as session:
        return session.scalars(select(Discrepancy.public_id)).one()


def test_the_list_is_narrowed_by_state_kind_and_provider(operator: Visitor, world: World) -> None:
    with transaction() as session:
        for kind, subject in (("theirs_only", "R-1"), ("theirs_only", "R-2"), ("report_unmatched", "R-3")):
            open_discrepancy(session, world.provider.id, kind, subject, now=NOON)
        close_discrepancy(session, world.provider.id, "theirs_only", "R-2", "agrees_again", now=NOON)
    told = main(operator.get("/operators/differences"))
    assert "To settle 2" in told and "Closed 1" in told and "R-1" in told and "R-3" in told and "R-2" not in told
    assert "R-3" not in main(operator.get("/operators/differences?kind=theirs_only"))
    closed = main(operator.get("/operators/differences?closed=1"))
    assert "R-2" in closed and "closed Today, 12:00" in closed and "R-1" not in closed
    assert "There is none of these." in main(operator.get("/operators/differences?provider=nobody"))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"gave_up": 30}, "Tried 30 times, and not any more: in the end it did not answer."),
        ({"gave_up": 31, "gave_up_why": "silent"}, "Tried 31 times, and not any more: in the end it did not answer."),
        ({"gave_up": 4, "gave_up_why": "unreached"}, "in the end it could not be reached."),
        ({"gave_up": 4, "gave_up_why": "busy"}, "in the end it told us to come back later."),
        ({"gave_up": 4, "gave_up_why": "undecided"}, "in the end it has not decided yet."),
    ],
)
def test_a_cancel_that_was_given_up_says_what_was_the_matter(
    operator: Visitor, world: World, facts: dict[str, object], words: str
) -> None:
    with transaction() as session:
        open_discrepancy(
            session, world.provider.id, "theirs_only", "R-1", now=NOON, facts={"status": "confirmed"} | facts
        )
    assert words in main(operator.get(f"/operators/differences/{case_id()}"))


def test_what_is_nobodys_names_the_commands_that_settle_it_where_there_are_several_insurers(
    operator: Visitor, world: World
) -> None:
    with transaction() as session:
        session.add(Insurer(public_id="ins_other", code="other", name_zh="另一家", name_en="Other", time_zone="UTC"))
        open_discrepancy(session, world.provider.id, "theirs_only", "R-1", now=NOON, facts={"status": "confirmed"})
    told = main(operator.get(f"/operators/differences/{case_id()}"))
    for command in ("cancel-stray", "explain-stray"):
        assert f"flask installation {command} {case_id()}" in told


def test_a_case_shows_both_sides_its_effect_and_what_can_be_done(operator: Visitor, world: World) -> None:
    _, case = lost(world)
    told = main(operator.get(f"/operators/differences/{case}"))
    assert "Confirmed" in told and "R-1 · in use" in told
    assert "The provider has nothing under our number or theirs." in told
    assert "Theirs less ours: quota −1, money −¥1,280.00" in told or "quota −1" in told
    for label in ("Ask the provider again", "Send the booking again", "Cancel here and give the benefit back"):
        assert label in told
    assert "Cancel there" not in told
    operator.language = "zh"
    assert "取消并退还权益" in main(operator.get(f"/operators/differences/{case}"))


def test_a_repair_is_confirmed_then_done_and_a_double_click_does_nothing_more(operator: Visitor, world: World) -> None:
    public_id, case = lost(world)
    page = f"/operators/differences/{case}/cancel_here"
    assert "the unit goes back" in main(operator.get(page))
    assert booking_row(public_id).state.value == "confirmed", "looking changes nothing"
    other = f"/operators/differences/{case}/note"
    for _ in range(2):
        answer = operator.post(page, "/operators/runs")
        assert answer.headers["Location"] == f"/operators/differences/{case}"
    assert booking_row(public_id).state.value == "cancelled" and booking_row(public_id).version == 4
    told = main(operator.get(f"/operators/differences/{case}"))
    assert "It was cancelled here and the benefit given back." in told and "林默" in told
    assert operator.get(other).status_code == 303, "a closed case offers nothing"


def test_of_an_escort_that_nobody_is_known_to_have_come_to_the_operator_says_what_happened(
    app: Flask, world: World
) -> None:
    public_id, case = lost(world)
    later = booking_row(public_id).starts_at
    assert later is not None
    with transaction() as session:
        session.execute(update(Discrepancy).values(kind="escort_lost", facts={"cancelled": False}))
    create_admin("lin", "a long password", "林默", now=NOON)
    with clock.frozen(later + timedelta(hours=1)):
        operator = Visitor(app)
        assert operator.post(DOOR, DOOR, name="lin", password="a long password").status_code == 303
        told = main(operator.get(f"/operators/differences/{case}"))
        assert "It took place" in told and "It did not take place" in told and "Close with a note" not in told
        page = f"/operators/differences/{case}/took_place"
        assert "the unit is used" in main(operator.get(page))
        for _click in range(2):
            assert operator.post(page, "/operators/runs").status_code == 303
        assert booking_row(public_id).state.value == "fulfilled"
        assert "It took place: the unit was used." in main(operator.get(f"/operators/differences/{case}"))


def test_a_note_that_says_nothing_is_refused_at_its_field(operator: Visitor, world: World) -> None:
    _, case = lost(world)
    page = f"/operators/differences/{case}/note"
    answer = operator.post(page, page, note=" ")
    assert answer.status_code == 422 and "Write a note of at most 500 characters." in main(answer)
    assert operator.post(page, page, note="Settled by phone.").status_code == 303
    assert "Settled by phone." in main(operator.get(f"/operators/differences/{case}"))


@pytest.mark.parametrize(
    "path",
    [
        "/operators/differences/dsc_0",
        "/operators/differences/dsc_0/note",
        "/operators/differences/%00",
        "/operators/statements/stm_0",
        "/operators/statements/stm_0/csv",
        "/operators/closures/clo_0",
    ],
)
def test_what_is_not_there_is_not_found(operator: Visitor, path: str) -> None:
    assert operator.get(path).status_code == 404


def test_a_comparison_is_queued_once_and_shown(operator: Visitor, world: World) -> None:
    assert "The books have not been compared yet." in main(operator.get("/operators/runs"))
    for _ in range(2):
        assert operator.post("/operators/runs", "/operators/runs", provider=world.provider.code).status_code == 303
    with reading() as session:
        (run,) = session.scalars(select(ReconcileRun))
    assert (run.state, run.actor_kind) == ("queued", "operator")
    told = main(operator.get("/operators/runs"))
    assert "Waiting" in told and "林默" in told
    assert operator.post("/operators/runs", "/operators/runs", provider="nobody").status_code == 404


def test_a_statement_is_read_and_taken_as_a_table(operator: Visitor, world: World) -> None:
    assert "No day has been closed yet." in main(operator.get("/operators/statements"))
    world.submit()
    with transaction() as session:
        session.add(
            ClosingStatement(
                public_id="stm_before", provider_id=world.provider.id, insurer_id=world.customer.insurer_id,
                day=DAY - timedelta(days=1), time_zone="Asia/Shanghai", made_at=NOON,
                content={"ours": {"states": {}, "units": 0, "money": {}}, "theirs": None, "balance": None},
            )
        )  # fmt: skip
    assert make_statements(now=NOON + timedelta(days=11)) >= 1
    told = main(operator.get("/operators/statements"))
    assert "10 March 2026" in told and "Their side was not read" in told
    with reading() as session:
        found = session.scalars(select(ClosingStatement).where(ClosingStatement.day == DAY)).one()
    told = main(operator.get(f"/operators/statements/{found.public_id}"))
    assert "Waiting for the provider 1" in told and "Their list could not be read." in told
    answer = operator.get(f"/operators/statements/{found.public_id}/csv")
    assert answer.content_type == "text/csv; charset=utf-8" and "attachment" in answer.headers["Content-Disposition"]
    assert answer.text.lstrip("\ufeff").startswith("day,provider,kind")


def test_a_site_is_found_previewed_closed_and_taken_back(operator: Visitor, world: World) -> None:
    world.hold(0)
    with reading() as session:
        site = session.get_one(Site, world.offer.site_id)
    new = "/operators/closures/new"
    assert "No site with offers" in main(operator.get(f"{new}?wanted=nowhere"))
    assert in_english(site) in main(operator.get(f"{new}?wanted=杭州"))
    assert operator.get(f"{new}?site={site.public_id}&from_day=soon&mode=cancel").status_code == 422
    told = main(operator.get(f"{new}?site={site.public_id}&from_day={DAY}&mode=cancel"))
    assert "Times no longer sold 3" in told and "Bookings to end or move 1" in told
    page = f"{new}?site={site.public_id}&from_day={DAY}&mode=cancel"
    closed = operator.post(new, page, site=site.public_id, from_day=DAY.isoformat(), to_day="", mode="cancel")
    assert closed.status_code == 303
    work_closures(now=NOON)
    address = closed.headers["Location"]
    told = main(operator.get(address))
    assert "Cancelled at once 1" in told and "None is left." in told and "for good" in told
    assert operator.post(address, address).status_code == 303
    with reading() as session:
        assert session.scalars(select(SiteClosure.state)).all() == ["withdrawn"]
    assert "Taken back" in main(operator.get("/operators/closures"))


def in_english(site: Site) -> str:
    """What its place is called to a reader of English."""
    return english_site(site.name, "", site.city, "")


def test_a_site_that_another_insurer_closed_is_closed_for_the_own_bookings_in_two_clicks(
    operator: Visitor, world: World
) -> None:
    world.hold(0)
    places = ("/operators", "/operators/closures")
    assert not any("Closed by others" in main(operator.get(place)) for place in places)
    with transaction() as session:
        site = session.get_one(Site, world.offer.site_id)
        other = Insurer(public_id="ins_other", code="other", name_zh="另一家", name_en="Elsewhere", time_zone="UTC")
        session.add(other)
        session.flush()
        who = Principal("operator", 2, "opr_2", other.id, 2, "UTC", "admin")
    closing = close_site(who, site.public_id, DAY, None, "cancel", now=NOON)
    work_closures(now=NOON)
    for place in places:
        page = operator.get(place)
        assert "Closed by others" in main(page) and f"{in_english(site)} Hangzhou" in main(page)
        assert not any(word in page.text for word in ("Elsewhere", "另一家", closing))
    [link] = set(re.findall(r'href="(/operators/closures/new\?[^"]+)"', page.text))
    link = html.unescape(link)
    assert "Bookings to end or move 1" in main(operator.get(link))
    fields = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert operator.post("/operators/closures/new", link, **fields).status_code == 303
    assert work_closures(now=NOON)["cancelled"] == 1
    assert not any("Closed by others" in main(operator.get(place)) for place in places)


def test_closing_without_a_day_or_with_a_wrong_choice_is_refused_at_its_field(operator: Visitor, world: World) -> None:
    with reading() as session:
        site = session.get_one(Site, world.offer.site_id).public_id
    new = "/operators/closures/new"
    for fields in (
        {"site": site, "from_day": "", "to_day": "", "mode": "cancel"},
        {"site": site, "from_day": "2026-01-01", "to_day": "", "mode": "cancel"},
        {"site": site, "from_day": DAY.isoformat(), "to_day": "2026-03-01", "mode": "cancel"},
        {"site": site, "from_day": DAY.isoformat(), "to_day": "", "mode": "burn"},
    ):
        assert operator.post(new, "/operators/runs", **fields).status_code == 422
    with reading() as session:
        assert session.scalars(select(SiteClosure)).all() == []


def test_what_was_delivered_of_an_unreadable_row_is_read_with_one_audit_line(operator: Visitor, world: World) -> None:
    row = UnreadableRow("status.unknown", '{"status":"待补","name":"<b>沈</b>"}'.encode(), "d1", "R-9", None)
    record_rows(world.provider.id, "bookings", [row], now=NOON)
    case = f"/operators/differences/{case_id()}"
    shown = operator.get(case)
    assert "R-9" in shown.text
    assert "status" in shown.text
    assert "待补" not in shown.text
    assert delivered_read() == 0
    read = operator.get(f"{case}/delivered")
    assert "待补" in read.text
    assert "<b>沈" not in read.text
    assert delivered_read() == 1
    assert operator.get(case).status_code == 200
    with transaction() as session:
        forget_delivered(session, session.scalars(select(Discrepancy.id)).one())
    assert operator.get(f"{case}/delivered").status_code == 404
    assert delivered_read() == 1
    assert f"{case}/delivered" not in operator.get(case).text


def test_the_case_of_a_row_that_was_put_off_says_what_it_waits_for(operator: Visitor, world: World) -> None:
    row = not_applied("R-9", RemoteBooking("R-9", "bkg_1", "confirmed", 5), MAY_BE_CANCELLED)
    record_rows(world.provider.id, "bookings", [row], now=NOON)
    shown = main(operator.get(f"/operators/differences/{case_id()}"))
    assert "may still be cancelled there as nobody's" in shown


def test_a_note_ends_what_was_delivered(operator: Visitor, world: World) -> None:
    record_rows(world.provider.id, "slots", [UnreadableRow("row.object", b"null", "d1")], now=NOON)
    address = f"/operators/differences/{case_id()}/note"
    assert operator.post(address, address, note="told them").status_code == 303
    with reading() as session:
        assert session.scalars(select(DeliveredRow)).all() == []


def delivered_read() -> int:
    with reading() as session:
        return len(session.scalars(select(AuditLine).where(AuditLine.action == "difference.delivered_read")).all())
