"""Faults planted in a copy of the sandbox: the kit finds each, and names the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from providers.conformance.step import Capability, RunResult
from providers.conformance.steps import booking
from providers.sandbox import bookings, faults, slots
from providers.sandbox.bookings import Desk, Reply
from providers.sandbox.day_capacity import orders
from providers.sandbox.day_capacity.envelope import Failure
from providers.sandbox.ledger import Ledger
from providers.sandbox.problems import Problem
from providers.sandbox.reports import report
from providers.sandbox.webhooks import Sender
from tests.providers.conformance.served import failed, names, serve

Plant = Callable[[str, Any], None]


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Replace a part of the sandbox. Ten clean bookings are tried where nothing is wrong; two do here."""
    monkeypatch.setattr(booking, "CLEAN_BOOKINGS", 2)
    return lambda where, what: monkeypatch.setattr(where, what)


def found(folder: Path, *only: Capability, adapter: str = "open_protocol", manner: str = "prompt") -> list[str]:
    """The names of the steps that failed; each says what was expected and what came, and shows the calls."""
    with serve(folder, adapter=adapter, manner=manner) as served:
        result: RunResult = served.run(*only, patience=1.5)
    for step in failed(result):
        assert step.expected and step.came and step.transcript, step
    assert not any(result.certified(step.proves) for step in failed(result))
    return names(failed(result))


def test_a_repeated_command_that_books_again_is_found(tmp_path: Path, plant: Plant) -> None:
    once = bookings.once

    def again(desk: Desk, key: str, wish: Mapping[str, Any], act: Any) -> Reply:
        return once(desk, f"{key}-{id(object())}-{Ledger.timestamp(desk.ledger)}", wish, act)

    plant("providers.sandbox.bookings.once", again)
    assert "idempotency-repeat" in found(tmp_path, Capability.IDEMPOTENCY)


def test_a_key_that_is_taken_with_another_body_is_found(tmp_path: Path, plant: Plant) -> None:
    once = bookings.once

    def careless(desk: Desk, key: str, wish: Mapping[str, Any], act: Any) -> Reply:
        try:
            return once(desk, key, wish, act)
        except Problem:
            return once(desk, f"{key}-other", wish, act)

    plant("providers.sandbox.bookings.once", careless)
    assert found(tmp_path, Capability.IDEMPOTENCY) == ["idempotency-other-body"]


def test_a_look_up_that_does_not_find_what_was_made_after_a_time_out_is_found(tmp_path: Path, plant: Plant) -> None:
    plant("providers.sandbox.bookings.by_key", lambda *_: None)
    assert "booking-time-out" in found(tmp_path, Capability.BOOKING)


def test_a_second_cancel_that_is_refused_is_found(tmp_path: Path, plant: Plant) -> None:
    def strict(desk: Desk, tx: Any, wish: Mapping[str, Any]) -> Reply:
        row = bookings.find_own(desk, tx, wish)
        if row["status"] == "cancelled":
            raise Problem(409, "too_late", "It is cancelled already")
        gone = bookings.withdraw(desk, tx, row["reference"], "")
        return Reply(200, bookings.shown(gone), row["reference"])

    plant("providers.sandbox.bookings._cancel", strict)
    assert found(tmp_path, Capability.BOOKING) == ["booking-cancel-twice"]


def test_an_event_that_is_told_again_under_another_id_is_found(tmp_path: Path, plant: Plant) -> None:
    signed = Sender._signed
    plant(
        "providers.sandbox.webhooks.Sender._signed",
        lambda self, identifier, body: signed(self, f"{identifier}-{Ledger.timestamp(self._ledger)}", body),
    )
    assert found(tmp_path, Capability.WEBHOOKS) == ["webhooks-again"]


def test_events_whose_versions_do_not_grow_are_found(tmp_path: Path, plant: Plant) -> None:
    shown = bookings.shown
    plant("providers.sandbox.bookings.shown", lambda row: {**shown(row), "version": 1})
    assert "webhooks-order" in found(tmp_path, Capability.WEBHOOKS)


def test_events_that_are_not_signed_are_found(tmp_path: Path, plant: Plant) -> None:
    def unsigned(self: Sender, identifier: str, _body: str) -> dict[str, str]:
        return {"webhook-id": identifier, "webhook-timestamp": str(int(self._ledger.timestamp()))}

    plant("providers.sandbox.webhooks.Sender._signed", unsigned)
    assert "webhooks-forged" in found(tmp_path, Capability.WEBHOOKS)


def test_a_full_slot_that_is_booked_all_the_same_is_found(tmp_path: Path, plant: Plant) -> None:
    plant("providers.sandbox.bookings._COUNT", "SELECT 0 WHERE ? <> ?")
    assert found(tmp_path, Capability.BOOKING) == ["booking-sold-out"]


def test_a_full_slot_that_is_accepted_and_then_confirmed_is_found(tmp_path: Path, plant: Plant) -> None:
    plant("providers.sandbox.bookings._COUNT", "SELECT 0 WHERE ? <> ?")
    assert found(tmp_path, Capability.BOOKING, manner="deliberate") == ["booking-sold-out"]


def test_a_slot_that_is_gone_and_refused_as_full_is_found(tmp_path: Path, plant: Plant) -> None:
    take = bookings._take_place

    def mumbling(*args: Any) -> slots.Slot:
        try:
            return take(*args)
        except Problem as problem:
            raise Problem(409, "sold_out", "No place is left") from problem

    plant("providers.sandbox.bookings._take_place", mumbling)
    assert found(tmp_path, Capability.BOOKING) == ["booking-slot-gone"]


def test_a_correction_that_is_no_new_version_is_found(tmp_path: Path, plant: Plant) -> None:
    listed = report.listed
    unversioned = lambda row: {**listed(row), "version": 1, "status": "final"}  # noqa: E731
    plant("providers.sandbox.app.listed", unversioned)
    assert found(tmp_path, Capability.REPORTS) == ["reports-corrected"]


def test_a_429_that_books_all_the_same_is_found(tmp_path: Path, plant: Plant) -> None:
    answer = faults.answer

    def greedy(fault: Any, process: Any, voice: Any = None) -> Any:
        if fault is not None and fault.fault == "rate_limited":
            process()
        return answer(fault, process, voice)

    plant("providers.sandbox.faults.answer", greedy)
    assert found(tmp_path, Capability.BOOKING) == ["booking-429"]


def test_a_clock_that_goes_ten_minutes_wrong_is_found(tmp_path: Path, plant: Plant) -> None:
    now = Ledger.now
    plant("providers.sandbox.ledger.Ledger.now", lambda self: now(self) + timedelta(minutes=10))
    steps = found(tmp_path, Capability.BOOKING, Capability.WEBHOOKS)
    assert {"booking-clock", "webhooks-signed"} <= set(steps)


def test_a_moved_booking_that_keeps_its_old_place_is_found(tmp_path: Path, plant: Plant) -> None:
    change = bookings._change

    def hoarding(desk: Desk, tx: Any, wish: Mapping[str, Any]) -> Reply:
        before = bookings.find_own(desk, tx, wish)
        reply = change(desk, tx, wish)
        slot = slots.find(tx, "kit", before["slot"], desk.ledger.now())
        assert slot is not None
        slots.override(tx, "kit", slot[1], 0, False)
        return reply

    plant("providers.sandbox.bookings._change", hoarding)
    assert found(tmp_path, Capability.CHANGE) == ["change-moves"]


def test_a_list_of_a_day_that_leaves_cancelled_bookings_out_is_found(tmp_path: Path, plant: Plant) -> None:
    in_days = bookings.in_days
    plant(
        "providers.sandbox.bookings.in_days",
        lambda *args: [row for row in in_days(*args) if row["status"] != "cancelled"],
    )
    assert found(tmp_path, Capability.LISTS) == ["lists-day"]


def test_a_slot_that_changes_untold_is_found(tmp_path: Path, plant: Plant) -> None:
    pull = slots.pull

    def silent(ledger: Ledger, account: str, days: Any, tokens: Any, limit: int) -> dict[str, Any]:
        page = pull(ledger, account, days, tokens, limit)
        return page if tokens[0] is None else {**page, "slots": []}

    plant("providers.sandbox.slots.pull", silent)
    assert found(tmp_path, Capability.SLOTS) == ["slots-changed"]


def test_a_check_up_chain_that_forgets_what_it_made_is_found(tmp_path: Path, plant: Plant) -> None:
    query = orders.query

    def forgetful(desk: Desk, biz: Mapping[str, Any]) -> dict[str, Any]:
        if desk.faults.list() and desk.faults.list()[-1]["fault"] == "commit_then_hang":
            return {"orders": []}
        return query(desk, biz)

    plant("providers.sandbox.day_capacity.orders.query", forgetful)
    assert "booking-time-out" in found(tmp_path, Capability.BOOKING, adapter="day_capacity")


def test_a_check_up_chain_that_answers_sold_out_for_a_closed_day_is_found(tmp_path: Path, plant: Plant) -> None:
    create = orders.create

    def mumbling(desk: Desk, wish: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return create(desk, wish)
        except Problem as problem:
            raise Failure(1011) from problem

    plant("providers.sandbox.day_capacity.orders.create", mumbling)
    assert found(tmp_path, Capability.BOOKING, adapter="day_capacity") == ["booking-slot-gone"]
