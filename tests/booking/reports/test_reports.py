"""Reports: how they come, how they are kept, and what a look at one leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, inspect, select, text

from booking.discrepancies import Discrepancy
from booking.models import Feed, ProviderBooking
from booking.reports.box import Document, document, report, reports, rows
from booking.reports.fetch import announce, fetch_due, poll_reports
from booking.states import BookingState
from booking.sync.webhooks import receive_event
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import ProviderError
from providers.reported import Event, ReportItem, ReportPage
from tests.people import NOON, self_of, signed_in
from tests.reports import (
    CONCLUSION,
    ITEMS,
    LATER,
    PDF,
    ReportAdapter,
    content,
    deliver,
    fetch,
    listed,
    listed_unconfirmed,
    looks,
    report_row,
    versions,
)
from tests.world import DAY, World, booking_row, connection_to, go, join, make_world

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return make_world(quantity=4)


def noted(world: World, *remotes: object) -> list[str]:
    with transaction() as session:
        return [announce(session, world.provider.id, remote, now=NOON) for remote in remotes]  # type: ignore[arg-type]


def open_cases() -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.execute(
            select(Discrepancy.kind, Discrepancy.subject)
            .where(Discrepancy.closed_at.is_(None))
            .order_by(Discrepancy.id)
        )
        return [(row.kind, row.subject) for row in rows]


def test_what_is_listed_is_read_without_its_papers(world: World) -> None:
    deliver(world, world.submit(0))
    with reading() as session:
        (row,) = session.execute(rows())
        assert "document_sealed" in inspect(row.ReportVersion).unloaded
        assert row.ReportVersion.document_sealed


# --- how they come ---------------------------------------------------------------------------------------------------


def test_a_poll_notes_reports_page_by_page_and_goes_on_from_its_cursor(world: World) -> None:
    first, second = world.submit(0), world.submit(1)
    adapter = ReportAdapter(
        pages=[
            ReportPage([listed(world, first)], "p2", None),
            ReportPage([listed(world, second, reference="RR-2")], None, "c1"),
            ReportPage([listed(world, first)], None, "c2"),
        ]
    )
    connection = connection_to(world.provider)
    assert poll_reports(connection, adapter, now=NOON) == {"noted": 2}  # type: ignore[arg-type]
    assert poll_reports(connection, adapter, now=LATER) == {"known": 1}  # type: ignore[arg-type]
    assert adapter.asked == [(None, None), (None, "p2"), ("c1", None)]
    assert (report_row("RR-1").fetch_after, report_row("RR-2").fetch_after) == (NOON, NOON)


def test_a_poll_that_breaks_keeps_what_it_noted_and_starts_again_from_the_old_cursor(world: World) -> None:
    public_id = world.submit()
    connection = connection_to(world.provider)
    broken = ReportAdapter(pages=[ReportPage([listed(world, public_id)], "p2", "c9")])
    with pytest.raises(ProviderError):
        poll_reports(connection, broken, now=NOON)  # type: ignore[arg-type]
    assert report_row().state == "expected"
    again = ReportAdapter(pages=[ReportPage([listed(world, public_id)], None, "c1")])
    assert poll_reports(connection, again, now=LATER) == {"known": 1}  # type: ignore[arg-type]
    assert again.asked == [(None, None)]
    with reading() as session:
        failures = session.execute(text(f"SELECT failures FROM sync_cursor WHERE feed = '{Feed.REPORTS}'")).scalar_one()
    assert failures == 0


def test_a_webhook_notes_a_report_once_however_often_it_comes(world: World) -> None:
    event = Event("evt-1", "report.ready", NOON, report=listed(world, world.submit()))
    assert receive_event(world.provider.id, event, now=NOON) == "noted"
    assert receive_event(world.provider.id, event, now=LATER) == "duplicate"
    assert receive_event(world.provider.id, replace(event, id="evt-2"), now=LATER) == "known"
    assert report_row().announced_version == 1


def test_poll_and_webhook_together_make_one_report_with_one_version(world: World) -> None:
    remote = listed(world, world.submit())
    receive_event(world.provider.id, Event("evt-1", "report.ready", NOON, report=remote), now=NOON)
    assert noted(world, remote, remote) == ["known", "known"]
    assert fetch(world, content(remote)) == {"stored": 1}
    assert fetch(world, content(remote)) == {}
    assert [kept.version for kept in versions()] == [1]


def test_a_report_is_matched_by_the_providers_reference_when_it_lacks_ours(world: World) -> None:
    public_id = world.submit()
    with transaction() as session:
        session.add(
            ProviderBooking(
                provider_id=world.provider.id,
                reference="R-77",
                booking_id=booking_row(public_id).id,
                role="current",
                status="fulfilled",
                seen_at=NOON,
            )
        )
    assert noted(world, listed(world, None, booking_reference="R-77")) == ["noted"]
    assert report_row().booking_id == booking_row(public_id).id


def test_a_report_of_no_booking_of_ours_is_a_difference_until_it_is_matched(world: World) -> None:
    public_id = world.submit()
    assert noted(world, listed(world, None), listed(world, "bkg_00000000000000000000")) == ["unmatched", "unmatched"]
    assert open_cases() == [("report_unmatched", "RR-1")]
    assert reports(world.principal, cursor=None, limit=10, now=LATER).items == []
    assert noted(world, listed(world, public_id)) == ["noted"]
    assert open_cases() == []


def test_a_report_of_a_booking_that_is_not_confirmed_waits_until_it_is(world: World) -> None:
    public_id = world.submit()
    remote = listed_unconfirmed(public_id)
    assert noted(world, remote) == ["noted"]
    assert fetch(world, content(remote)) == {}
    assert (versions(), open_cases()) == ([], [("report_not_confirmed", "RR-1")])
    go(public_id, BookingState.CONFIRMED)
    assert fetch(world, content(remote)) == {"stored": 1}
    assert open_cases() == []


def test_a_report_for_another_providers_booking_is_refused(world: World) -> None:
    public_id, stranger = world.submit(), make_world(phone="13800000044")
    assert noted(stranger, listed(stranger, public_id)) == ["unmatched"]
    assert open_cases() == [("report_unmatched", "RR-1")]
    assert reports(world.principal, cursor=None, limit=10, now=LATER).items == []


def test_a_report_that_changes_its_booking_is_shown_to_nobody_new(world: World) -> None:
    mine = world.submit()
    other = join(world.provider, world.offer, world.slots, phone="13800000045")
    deliver(world, mine)
    assert noted(world, listed(world, other.submit(), version=2)) == ["unmatched"]
    assert open_cases() == [("report_unmatched", "RR-1")]
    assert (report_row().announced_version, report_row().fetch_after) == (1, None)


def test_results_that_turn_out_to_be_another_bookings_are_not_stored(world: World) -> None:
    remote = listed(world, world.submit())
    noted(world, remote)
    wrong = content(replace(remote, our_reference="bkg_00000000000000000000"))
    assert fetch(world, wrong) == {"failed": 1}
    assert versions() == []


# --- fetching --------------------------------------------------------------------------------------------------------


def test_a_report_that_cannot_be_fetched_waits_longer_each_time_and_comes_in_the_end(world: World) -> None:
    remote = listed(world, world.submit())
    noted(world, remote)
    waits = []
    now = NOON
    for _ in range(3):
        assert fetch(world, now=now) == {"failed": 1}
        due = report_row().fetch_after
        assert due is not None
        waits.append((due - now).total_seconds())
        assert fetch(world, now=due - timedelta(seconds=1)) == {}
        now = due
    assert waits == [30, 60, 90]
    assert fetch(world, content(remote), now=now) == {"stored": 1}
    assert (report_row().failures, report_row().fetch_after) == (0, None)


def test_one_that_fails_does_not_keep_the_others_waiting(world: World) -> None:
    bad, good = listed(world, world.submit(0)), listed(world, world.submit(1), reference="RR-2")
    noted(world, bad, good)
    assert fetch(world, content(good)) == {"failed": 1, "stored": 1}


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"<html>login</html>", "application/pdf"),
        (b"", "application/pdf"),
        (b"MZ%PDF-", "application/pdf"),
        (PDF, "text/html"),
        (PDF, ""),
    ],
)
def test_a_file_that_is_not_what_it_claims_to_be_is_refused_and_not_stored(
    world: World, body: bytes, media_type: str
) -> None:
    remote = listed(world, world.submit())
    noted(world, remote)
    assert fetch(world, content(remote, document=body, document_type=media_type)) == {"refused": 1}
    assert versions() == []
    assert (report_row().state, report_row().fetch_after) == ("expected", LATER + timedelta(hours=1))
    assert open_cases() == [("report_refused", "RR-1")]
    assert fetch(world, content(remote), now=LATER + timedelta(hours=1)) == {"stored": 1}
    assert open_cases() == []


def test_only_the_reports_own_provider_is_asked(world: World) -> None:
    remote = listed(world, world.submit())
    noted(world, remote)
    stranger = make_world(phone="13800000046")
    adapter = ReportAdapter(contents={("RR-1", 1): content(remote)})
    assert fetch_due(connection_to(stranger.provider), adapter, now=LATER) == {}  # type: ignore[arg-type]


# --- keeping ---------------------------------------------------------------------------------------------------------


def test_nothing_of_a_report_can_be_read_in_the_table(world: World, owner_connection: Connection) -> None:
    deliver(world, world.submit())
    rows = owner_connection.execute(
        text("SELECT r::text AS report, v::text AS version FROM report r, report_version v")
    )
    told = " ".join(row.report + row.version for row in rows)
    kept = versions()[0]
    stored = kept.content_sealed + kept.document_sealed + (kept.wrapped_key or b"")
    for secret in (*(item.name for item in ITEMS), CONCLUSION, "3.92", "22748-8", "high"):
        assert secret not in told
        assert secret.encode() not in stored
        assert secret.encode("unicode_escape") not in stored
    assert PDF[:8] not in stored and PDF[:8].hex() not in told
    assert (kept.items, kept.abnormal) == (5, 3)


def test_every_version_is_kept_and_the_newest_is_shown(world: World) -> None:
    booking = world.submit()
    public_id = deliver(world, booking)
    mended = (ITEMS[0], replace(ITEMS[2], value="3.10", flag="normal", note="复核后更正"))
    assert deliver(world, booking, 2, items=mended, now=LATER) == public_id
    assert [(kept.version, kept.status, kept.items) for kept in versions()] == [(1, "final", 5), (2, "corrected", 2)]
    view = report(world.principal, public_id, now=LATER)
    assert (view.version, view.state, view.items, view.abnormal) == (2, "corrected", 2, 0)
    assert booking_row(booking).report_state == "corrected"


def test_a_partial_report_becomes_ready(world: World) -> None:
    booking = world.submit()
    public_id = deliver(world, booking, status="partial", items=ITEMS[:1])
    assert report(world.principal, public_id, now=LATER).state == "partial"
    assert booking_row(booking).report_state == "partial"
    deliver(world, booking, 2, status="final", now=LATER)
    assert [kept.status for kept in versions()] == ["partial", "final"]
    assert report(world.principal, public_id, now=LATER).state == "ready"


def test_without_its_key_a_report_is_gone(world: World, owner_connection: Connection) -> None:
    public_id = deliver(world, world.submit())
    owner_connection.execute(text("UPDATE report_version SET wrapped_key = NULL"))
    with pytest.raises(NotFound):
        report(world.principal, public_id, now=LATER)
    with pytest.raises(NotFound):
        document(world.principal, public_id, now=LATER)
    assert reports(world.principal, cursor=None, limit=10, now=LATER).items == []
    assert looks(public_id) == []


def test_a_report_moved_to_another_row_does_not_open(world: World, owner_connection: Connection) -> None:
    first, second = world.submit(0), world.submit(1)
    deliver(world, first)
    other = deliver(world, second, reference="RR-2")
    owner_connection.execute(
        text(
            "UPDATE report_version SET (wrapped_key, content_sealed, document_sealed) ="
            " (SELECT wrapped_key, content_sealed, document_sealed FROM report_version ORDER BY id LIMIT 1)"
        )
    )
    with pytest.raises(Exception, match=other):
        report(world.principal, other, now=LATER)


# --- looking ---------------------------------------------------------------------------------------------------------


def test_results_out_of_range_come_first_in_the_order_they_were_delivered(world: World) -> None:
    view = report(world.principal, deliver(world, world.submit()), now=LATER)
    assert [item.flag for item in view.results] == ["high", "abnormal", "low", "normal", "normal"]
    assert [item.number for item in view.results] == [3.92, None, 108.0, 128.0, 4.1]
    assert view.conclusion == CONCLUSION


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "1e999", "1_000", "٣", "9" * 400, ""])
def test_what_is_no_plain_number_is_told_as_text_alone(world: World, value: str) -> None:
    public_id = deliver(world, world.submit(), items=(ReportItem("项目", value),))
    (item,) = report(world.principal, public_id, now=LATER).results
    assert (item.value, item.number) == (value, None)


def test_each_look_is_one_line_and_a_list_is_none(world: World) -> None:
    public_id = deliver(world, world.submit())
    reports(world.principal, cursor=None, limit=10, now=LATER)
    assert looks(public_id) == []
    report(world.principal, public_id, now=LATER)
    report(world.principal, public_id, now=LATER)
    assert document(world.principal, public_id, now=LATER) == Document(PDF, "application/pdf", 1, DAY, "health_check")
    assert looks(public_id) == ["report.viewed", "report.viewed", "report.downloaded"]


def test_somebody_elses_report_is_not_there_and_leaves_no_line(world: World) -> None:
    public_id = deliver(world, world.submit())
    other = join(world.provider, world.offer, world.slots, phone="13800000047").principal
    for asked in (public_id, "rpt_00000000000000000000", "", "x" * 5_000):
        with pytest.raises(NotFound) as report_refused:
            report(other, asked, now=LATER)
        with pytest.raises(NotFound):
            document(other, asked, now=LATER)
        assert report_refused.value.facts == {}
    assert reports(other, cursor=None, limit=10, now=LATER).items == []
    assert looks(public_id) == []


def test_the_list_is_newest_first_and_pages_without_gap(world: World) -> None:
    made = [deliver(world, world.submit(slot), reference=f"RR-{slot}") for slot in range(3)]
    first = reports(world.principal, cursor=None, limit=2, now=LATER)
    rest = reports(world.principal, cursor=first.next, limit=2, now=LATER)
    assert [card.id for card in (*first.items, *rest.items)] == made[::-1]
    assert rest.next is None
    assert {card.beneficiary_id for card in first.items} == {self_of(world.customer).public_id}


def test_a_session_of_the_same_customer_sees_the_same(world: World) -> None:
    public_id = deliver(world, world.submit())
    assert report(signed_in("13800000021"), public_id, now=LATER).id == public_id
