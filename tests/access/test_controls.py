"""That the table would notice: a check taken away, an address without a line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.joining import view
from booking.joining.models import SystemTest
from booking.messages import inbox
from booking.waiting import join
from booking.waiting.models import WaitingEntry
from booking.webhooks import deliveries
from booking.webhooks.models import WebhookEndpoint
from marketplace.app import create_app
from marketplace.core.errors import NotFound
from marketplace.web.urls import DeskPage
from providers.staff import duties
from tests.access.routes import gaps
from tests.access.row import Row, anybody
from tests.access.table.all import TABLE
from tests.access.trying import Trial


def line(route: str) -> Row:
    """The table's."""
    return next(row for row in TABLE if row.route == route)


def test_a_write_that_does_not_ask_whose_it_is_is_noticed(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_anybody(session: Session, _principal: object, public_id: str) -> int:
        return session.scalars(select(WaitingEntry.id).where(WaitingEntry.public_id == public_id)).one()

    row = line("DELETE /api/v1/waiting/<id:waiting_id>")
    assert trial.faults(row) == []
    with monkeypatch.context() as patch:
        patch.setattr(join, "own_entry_id", of_anybody)
        found = "\n".join(trial.faults(row))
    assert "another customer of the insurer: refused, and" in found and "waiting_entry" in found
    assert "a customer of another insurer: refused, and" in found
    assert trial.faults(row) == [], "the rows are as they were"


def test_a_page_that_does_not_ask_whose_provider_is_noticed(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_any(session: Session, _provider: int, endpoint: str, *, lock: bool = False) -> WebhookEndpoint:
        return session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.public_id == endpoint)).one()

    monkeypatch.setattr(deliveries, "_endpoint", of_any)
    found = "\n".join(trial.faults(line("GET /partner/v1/webhook-endpoints/<id:endpoint_id>/deliveries")))
    assert "another provider's program: answered 200" in found
    assert "and shows" in found and "of hollyhock" in found


def test_a_list_with_somebody_elses_lines_is_noticed(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    whose = inbox._rows
    owner = next(actor for actor in trial.world.actors if actor.name == "the owner")
    hers: Any = trial.principal_of(owner)
    monkeypatch.setattr(inbox, "_rows", lambda _principal: whose(hers))
    found = "\n".join(trial.faults(line("GET /api/v1/notifications")))
    assert "another customer of the insurer: answered 200 and shows" in found


def test_a_role_that_may_what_it_may_not_is_noticed(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "may", lambda _member, _duty: True)
    found = trial.faults(line("GET /desk/members/<member>"))
    assert [fault.partition(":")[0] for fault in found if "the provider's" in fault] == [
        "GET /desk/members/<member> the provider's front_desk",
        "GET /desk/members/<member> the provider's clinician",
        "GET /desk/members/<member> the provider's escort",
    ]


def test_a_page_that_finds_what_is_in_test_mode_is_noticed(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_any(session: Session, _member: object, public_id: str) -> SystemTest:
        row = session.scalar(select(SystemTest).where(SystemTest.public_id == public_id))
        if row is None:
            raise NotFound(field="test")
        return row

    monkeypatch.setattr(view, "row_of", of_any)
    found = "\n".join(trial.faults(line("GET /desk/system/tests/<test>")))
    assert "the provider's manager: about test mode, answered otherwise" in found, "live, it finds what is tried"
    assert "the provider's manager in test mode: answered otherwise" in found, "in test mode, it finds what is live"
    assert "another provider's manager: answered otherwise" in found


def test_a_page_of_the_other_mode_is_noticed(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeskPage, "there", lambda _page, **_mode: True)
    found = "\n".join(trial.faults(line("GET /desk/test-bookings")))
    assert "the provider's manager: answered 200 and not 404" in found
    found = "\n".join(trial.faults(line("GET /desk/members")))
    assert "the provider's manager in test mode: answered 200 and not 404" in found


def test_an_offer_of_test_mode_that_customers_find_is_noticed(trial: Trial) -> None:
    row = line("GET /api/v1/offers/<id:offer_id>/slots")
    assert trial.faults(row) == []
    on_sale = replace(trial.world, tests={**trial.world.tests, "offer": trial.world.values["offer"]})
    found = "\n".join(replace(trial, world=on_sale).faults(row))
    assert "the owner: about test mode, answered otherwise than about what is not there: 200 and 404" in found


def test_a_line_that_would_do_nothing_is_noticed(trial: Trial) -> None:
    row = line("POST /api/v1/notifications/<id:notification_id>/read")
    idle = Row(row.route, row.door, row.asks).also(200, names={"notification": "read_notice"})
    assert [fault for fault in trial.faults(idle) if "a yes that changes nothing" in fault]


def test_a_route_without_a_line_a_line_without_a_route_and_two_lines_are_named(worker_database: object) -> None:
    app: Flask = create_app()
    app.add_url_rule("/desk/new", "new", lambda: "", methods=["POST"])
    wrong = (*TABLE, TABLE[0], anybody("GET /gone", 200))
    assert [sentence.partition(":")[0] for sentence in gaps(app, wrong)] == [
        "POST /desk/new has no line",
        "GET /gone has a line and no route",
        f"{TABLE[0].route} has 2 lines",
    ]
    assert "tests/access/table" in gaps(app, wrong)[0]
