"""The console shows what providers have proved, and asks for a run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates.issue import give_provisional
from providers.conformance.certificates.models import ConformanceMade, ConformanceRun
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World
from vip.models import Operator

URL = "/operators/providers"


def ask(operator: Visitor, provider: str) -> int:
    return operator.post(f"{URL}/certify", page="/operators/runs", provider=provider).status_code


def test_a_provider_without_a_certificate_is_said_not_to_be_offered(operator: Visitor, world: World) -> None:
    page = main(operator.get(URL))
    assert (
        "Not offered to customers: Slots, Booking and cancelling, Repeated commands, and Changes of date not proved"
        in page
    )


def test_a_provisional_certificate_is_shown_as_such_with_its_day(operator: Visitor, world: World) -> None:
    with transaction() as session:
        give_provisional(session, world.provider.id, now=NOON - timedelta(days=1))
    page = main(operator.get(URL))
    assert "Booking and cancelling: provisional until" in page and "Not offered" not in page


def test_the_button_queues_one_run_for_the_worker_with_a_line_of_the_audit(operator: Visitor, world: World) -> None:
    assert "Certify" in main(operator.get(URL))
    assert (ask(operator, world.provider.code), ask(operator, world.provider.code)) == (303, 303)
    page = main(operator.get(URL))
    assert "Queued" in page
    with reading() as session:
        (run,) = session.scalars(select(ConformanceRun)).all()
        assert (run.state, run.actor_kind, run.provider_id) == ("queued", "operator", world.provider.id)
        (line,) = session.scalars(select(AuditLine).where(AuditLine.action == "conformance.asked")).all()
        assert (line.actor, line.facts) == (run.actor, {"run": run.public_id})


def test_a_provider_that_answers_here_or_is_nobody_has_no_run(operator: Visitor, world: World) -> None:
    assert ask(operator, "nobody") == 404
    with transaction() as session:
        session.execute(update(Provider).values(adapter="desk"))
    assert ask(operator, world.provider.code) == 303
    page = main(operator.get(URL))
    assert "Answers here; no certificate is needed" in page
    with reading() as session:
        assert session.scalars(select(ConformanceRun)).all() == []


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"state": "running"}, "Under way"),
        ({"state": "failed", "reason": "stopped"}, "The process was stopped."),
        ({"state": "failed", "reason": "not_reached"}, "Nothing could be tried"),
        ({"state": "done", "left_behind": ["booking kit-1 (still confirmed)"]}, "1 left behind there"),
    ],
)
def test_what_a_run_came_to_is_told(operator: Visitor, world: World, values: dict[str, object], told: str) -> None:
    ask(operator, world.provider.code)
    with transaction() as session:
        session.add(ConformanceMade(provider_id=world.provider.id, what="booking", subject="kit-1", made_at=NOON))
        session.execute(update(ConformanceRun).values(**values))
    assert told in main(operator.get(URL))


def test_a_failed_step_is_shown_with_what_was_expected_and_its_calls(operator: Visitor, world: World) -> None:
    step = {
        "name": "booking-sold-out",
        "proves": "booking",
        "says": "A full slot is refused as sold_out",
        "outcome": "failed",
        "expected": "refused (sold_out)",
        "came": "<b>confirmed</b>",
        "transcript": ["> POST /bookings", "< 201"],
    }
    ask(operator, world.provider.code)
    with transaction() as session:
        session.execute(update(ConformanceRun).values(state="done", steps=[step]))
    html = operator.get(URL).text
    assert "booking-sold-out" in html and "refused (sold_out)" in html and "&gt; POST /bookings</p>" in html
    assert "&lt;b&gt;confirmed" in html and "Steps failed" in html


def test_the_console_has_the_history_of_a_provider_and_each_of_its_runs(operator: Visitor, world: World) -> None:
    page = operator.get(URL).text
    path = f"{URL}/{world.provider.code}/certificates"
    assert f'href="{path}"' in page
    assert "Nothing was tried yet." in main(operator.get(path))
    ask(operator, world.provider.code)
    with reading() as session:
        run = session.scalars(select(ConformanceRun.public_id)).one()
        name = session.scalars(select(Operator.name).where(Operator.provider_id.is_(None))).one()
    listed = operator.get(path)
    assert f'href="{URL}/{world.provider.code}/runs/{run}"' in listed.text and name in main(listed)
    assert "Its steps are shown once it has ended." in main(operator.get(f"{URL}/{world.provider.code}/runs/{run}"))
    for missing in (f"{URL}/nobody/certificates", f"{URL}/nobody/runs/{run}", f"{URL}/{world.provider.code}/runs/cfr"):
        assert operator.get(missing).status_code == 404


def test_more_runs_than_an_hour_may_have_are_refused_in_words(
    operator: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("booking.certifying.ask.MOST_AN_HOUR", {"operator": 1})
    ask(operator, world.provider.code)
    with transaction() as session:
        session.execute(update(ConformanceRun).values(state="done"))
    assert ask(operator, world.provider.code) == 303
    assert "There are 1 runs an hour at most." in operator.get(URL).text
