"""From the provider's process by adapter and examiner to the customer's message: critical, and what can't be had."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.discrepancies import Discrepancy
from booking.notices.models import Notification
from booking.reports.box import report
from booking.reports.fetch import MOST_TRIES, fetch_due, poll_reports
from booking.reports.models import Report
from booking.states import BookingState
from marketplace.core.database.db import reading
from marketplace.messages.words.every import WORDS
from providers.adapters.open_protocol import OpenProtocol
from providers.port import Confirmed
from providers.reported import RemoteSlot
from tests.people import NOON
from tests.providers.wishes import reserve
from tests.sandboxes import Sandbox, eventually
from tests.world import World, connection_to, go, make_world


@pytest.fixture
def world(db: object) -> World:
    return make_world()


@pytest.fixture
def adapter(sandbox: Sandbox, slot: RemoteSlot, world: World) -> OpenProtocol:
    """Speaks to a provider that has a report of the customer's booking; we have heard of it."""
    speaks = OpenProtocol(sandbox.connection())
    booking = world.submit()
    booked = speaks.reserve(reserve(slot, our_reference=booking))
    assert isinstance(booked, Confirmed)
    go(booking, BookingState.CONFIRMED)
    sandbox.control().move(booked.reference, "fulfil")
    eventually(
        lambda: any(each.booking_reference == booked.reference for each in speaks.reports_since(None, None).reports)
    )
    assert poll_reports(connection_to(world.provider), speaks, now=NOON)["noted"] == 1
    return speaks


def fetched(world: World, adapter: OpenProtocol, hours: int) -> dict[str, int]:
    return fetch_due(connection_to(world.provider), adapter, now=NOON + timedelta(hours=hours))


def notices() -> list[str]:
    with reading() as session:
        kinds = session.scalars(select(Notification.kind).order_by(Notification.id))
        return [kind for kind in kinds if kind.startswith("report_")]


def cases() -> set[str]:
    with reading() as session:
        of_reports = Discrepancy.closed_at.is_(None), Discrepancy.booking_id.is_not(None)
        return set(session.scalars(select(Discrepancy.kind).where(*of_reports)))


def test_a_critical_result_stands_first_and_the_message_says_to_act_now(
    sandbox: Sandbox, world: World, adapter: OpenProtocol
) -> None:
    sandbox.control().settings(report_file="fhir_critical")
    assert fetched(world, adapter, 1) == {"stored": 1}
    sandbox.control().settings(report_file="pdf")
    assert notices() == ["report_critical"]
    assert cases() == {"report_critical", "report_incomplete"}
    with reading() as session:
        public_id = session.scalars(select(Report.public_id)).one()
    view = report(world.principal, public_id, now=NOON + timedelta(hours=2))
    assert [one.critical for one in view.results[:2]] == [True, False]
    assert view.missing == 1
    words = WORDS["report_critical"]
    assert "请现在就看报告并联系医生" in words.text.zh and "call a doctor now" in words.text.en


def test_a_file_refused_so_many_times_is_told_to_the_customer_and_taken_once_it_is_sound(
    sandbox: Sandbox, world: World, adapter: OpenProtocol
) -> None:
    sandbox.control().settings(report_file="wrong_type")
    for number in range(1, MOST_TRIES + 1):
        assert notices() == []
        assert fetched(world, adapter, 100 * number) == {"refused": 1}
        assert cases() == {"report_refused"}
    assert notices() == ["report_unreadable"]
    assert fetched(world, adapter, 10_000) == {}, "after the last try a person asks"
    sandbox.control().settings(report_file="pdf")


def test_what_cannot_be_fetched_so_many_times_is_told_and_comes_in_the_end(
    sandbox: Sandbox, world: World, adapter: OpenProtocol
) -> None:
    sandbox.control().fault("broken_json", "report", times=None)
    for number in range(1, MOST_TRIES + 1):
        assert (notices(), cases()) == ([], set())
        assert fetched(world, adapter, number) == {"failed": 1}
    assert (notices(), cases()) == (["report_unreadable"], {"report_not_fetched"})
    sandbox.control().clear_faults()
    assert fetched(world, adapter, 24) == {"stored": 1}
    assert (notices(), cases()) == (["report_unreadable", "report_ready"], set())
