"""Answers at the same moment, by real threads on PostgreSQL: one counts, and both books agree."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from booking.changes.cancel import cancel
from tests.people import NOON, counters
from tests.providers.partner_api.answering import answering_world, open_cases, requested, work
from tests.providers.partner_api.partner import Partner, partner_of
from tests.world import booking_row, taken

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def at_once(*works: Callable[[], object]) -> list[object]:
    """Do all at the same moment, each in a thread of its own."""
    start = Barrier(len(works))

    def one(work: Callable[[], object]) -> object:
        start.wait(60)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(one, works))


def say(partner: Partner, booking: str, what: str, known: str, **body: str) -> TestResponse:
    """The answer; on a crowded machine she is asked to come again, and does, under the same key."""
    headers = {"Idempotency-Key": str(uuid.uuid4()), "If-Match": known}
    for _ in range(9):
        answer = partner.post(f"/bookings/{booking}/{what}", headers=headers, **({"json": body} if body else {}))
        if answer.status_code != 503:
            break
    return answer


@pytest.mark.parametrize("turn", range(5))
def test_of_two_programs_that_say_yes_and_no_at_once_one_is_heard(app: Flask, turn: int) -> None:
    world = answering_world()
    one, other, booking = partner_of(app, world.provider), partner_of(app, world.provider), requested(world)
    yes, no = at_once(
        lambda: say(one, booking, "confirm", '"2"').status_code,
        lambda: say(other, booking, "reject", '"2"', reason="closed").status_code,
    )
    assert {yes, no} == {200, 412}, "each was made of version 2, which only one can have found"
    assert booking_row(booking).state == ("confirmed" if yes == 200 else "rejected")
    assert taken(world.slots[0]) == int(yes == 200)


def test_without_the_version_the_second_answer_undoes_the_first(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what If-Match refuses is a yes that becomes a cancel which nobody meant."""
    world = answering_world()
    partner, booking = partner_of(app, world.provider), requested(world)
    assert say(partner, booking, "confirm", '"2"').status_code == 200
    assert say(partner, booking, "cancel", '"2"', reason="closed").status_code == 412
    monkeypatch.setattr("marketplace.rest.conditions.known_version", lambda: None)
    assert say(partner, booking, "cancel", '"2"', reason="closed").status_code == 200
    assert booking_row(booking).state == "cancelled"


@pytest.mark.parametrize("turn", range(5))
def test_a_yes_and_the_customers_cancel_at_once_end_in_one_cancelled_booking(app: Flask, turn: int) -> None:
    world = answering_world()
    partner, booking = partner_of(app, world.provider), requested(world)
    answer, _ = at_once(
        lambda: say(partner, booking, "confirm", '"2"').status_code,
        lambda: cancel(world.principal, booking, now=NOON),
    )
    assert answer in (200, 412)
    work(world)
    work(world)
    assert (booking_row(booking).state, taken(world.slots[0])) == ("cancelled", 0)
    assert (counters(world.entitlement.id)["available"], counters(world.entitlement.id)["reserved"]) == (2, 0)
    assert open_cases() == []


@pytest.mark.parametrize("turn", range(3))
def test_the_same_request_sent_twice_at_once_is_carried_out_once(app: Flask, turn: int) -> None:
    world = answering_world()
    partner, booking = partner_of(app, world.provider), requested(world)
    headers = {"Idempotency-Key": "once", "If-Match": '"2"'}

    def confirm() -> int:
        return partner.post(f"/bookings/{booking}/confirm", headers=headers).status_code

    assert at_once(confirm, confirm, confirm) == [200, 200, 200]
    assert booking_row(booking).version == 3
