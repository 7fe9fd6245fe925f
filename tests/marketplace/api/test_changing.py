"""Another date, a dispute and alternatives through the API."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from booking.exchange.inbound import apply_remote
from marketplace.core import clock
from marketplace.core.database.db import transaction
from providers.port import Confirmed, Refused, Unknown
from providers.reported import Proposed
from tests.concurrency.controls import all_at_once
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON
from tests.world import EIGHT, FakeAdapter, World, booking_row, join, one_pass, remote, taken, tasks


def confirmed(world: World) -> str:
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return public_id


def ask(
    caller: Caller, public_id: str, world: World, slot: int = 1, key: str | None = None, **headers: str
) -> TestResponse:
    headers["Idempotency-Key"] = key or str(uuid.uuid4())
    path = f"/bookings/{public_id}/reschedule"
    return caller.post(path, {"slot_id": world.slots[slot].public_id}, headers=headers)


def until_taken(asked: Callable[[], TestResponse]) -> TestResponse:
    """As a client does: what was answered by 503 is asked for again, under the same key."""
    while (answer := asked()).status_code == 503:
        continue
    return answer


def test_another_date_is_asked_for_and_switched_when_the_provider_agrees(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    before = caller.get(f"/bookings/{public_id}").get_json()
    assert (before["can_change"], before["changes_left"]) == (True, 3)
    assert before["change_until"] == (EIGHT - timedelta(hours=24)).isoformat()
    asked = ask(caller, public_id, world).get_json()
    assert (asked["state"], asked["change"]) == ("confirmed", "reschedule")
    assert asked["starts_at"] == EIGHT.isoformat(), "the old date stays"
    assert asked["new_starts_at"] == (EIGHT + timedelta(hours=1)).isoformat()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=NOON)
    after = caller.get(f"/bookings/{public_id}").get_json()
    assert (after["change"], after["starts_at"]) == (None, (EIGHT + timedelta(hours=1)).isoformat())
    assert after["changes_left"] == 2
    assert [taken(slot) for slot in world.slots] == [0, 1, 0]


def test_a_refused_and_an_unknown_change_leave_the_old_date(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    ask(caller, public_id, world)
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    unknown = caller.get(f"/bookings/{public_id}").get_json()
    assert (unknown["change"], unknown["change_unknown"], unknown["starts_at"]) == (
        "reschedule",
        True,
        EIGHT.isoformat(),
    )
    ended = FakeAdapter(found=[remote(public_id, "confirmed", 1, starts_at=EIGHT, service_date=before_date(world))])
    one_pass(world, ended, now=NOON + timedelta(hours=1))
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=NOON + timedelta(hours=2))
    refused = caller.get(f"/bookings/{public_id}").get_json()
    assert (refused["change"], refused["change_refused"], refused["refused_kind"]) == (None, "sold_out", "reschedule")
    assert refused["starts_at"] == EIGHT.isoformat()


def test_a_change_can_be_taken_back_and_then_there_is_none(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    asked = ask(caller, public_id, world).get_json()
    assert (asked["can_withdraw"], asked["change_due_at"]) == (True, (NOON + timedelta(hours=48)).isoformat())
    after = caller.post(f"/bookings/{public_id}/reschedule/withdraw").get_json()
    assert (after["change"], after["taking_back"], after["starts_at"]) == (None, False, EIGHT.isoformat())
    assert after["timeline"][-1]["state"] == "reschedule_withdrawn"
    problem(caller.post(f"/bookings/{public_id}/reschedule/withdraw"), 409, "no_open_change")


def test_a_busy_time_names_the_booking_that_is_in_the_way(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    held = world.hold(1)
    refused = problem(ask(caller, public_id, world), 409, "beneficiary_busy", "beneficiary_id")
    assert refused["facts"]["booking"] == held


def before_date(world: World) -> Any:
    return world.slots[0].service_date


def test_a_repeated_request_changes_once_and_another_body_is_refused(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    assert ask(caller, public_id, world, key="k1").status_code == 200
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=NOON)
    again = ask(caller, public_id, world, key="k1")
    assert (again.status_code, again.get_json()["changes_left"]) == (200, 2)
    problem(ask(caller, public_id, world, 2, key="k1"), 422, "idempotency_key_reused", "Idempotency-Key")
    problem(ask(caller, public_id, world), 422, "same_slot", "slot_id")
    assert [task for task in tasks(public_id) if task[0] == "change"] == [("change", "done")]


def test_one_key_eight_times_at_once_is_one_change(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    works: list[Callable[[], TestResponse]] = [
        lambda: until_taken(lambda: ask(caller, public_id, world, key="once"))
    ] * 8
    answers = all_at_once(works)
    assert [answer.status_code for answer in answers if isinstance(answer, TestResponse)] == [200] * 8
    assert [task[0] for task in tasks(public_id)].count("change") == 1


def test_a_booking_that_has_changed_since_is_not_moved(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    known = caller.get(f"/bookings/{public_id}").headers["ETag"]
    assert problem(ask(caller, public_id, world, **{"If-Match": '"other"'}), 412, "precondition_failed", "If-Match")
    unreadable = ask(caller, public_id, world, **{"If-Match": '"'})
    problem(unreadable, 412, "precondition_failed", "If-Match")
    assert booking_row(public_id).version == 3
    assert ask(caller, public_id, world, **{"If-Match": known}).status_code == 200
    problem(ask(caller, public_id, world, 2, **{"If-Match": known}), 412, "precondition_failed", "If-Match")


def test_what_cannot_be_changed_says_why(caller: Caller, world: World) -> None:
    public_id = world.submit()
    problem(ask(caller, public_id, world), 409, "not_changeable")
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    answer = caller.post(f"/bookings/{public_id}/reschedule", {"slot_id": "slt_none"}, headers={"Idempotency-Key": "k"})
    problem(answer, 404, "not_found", "slot_id")
    missing = caller.post(f"/bookings/{public_id}/reschedule", {"slot_id": world.slots[1].public_id})
    problem(missing, 400, "idempotency_key_missing", "Idempotency-Key")
    with clock.frozen(EIGHT - timedelta(hours=23)):
        problem(ask(caller, public_id, world), 409, "change_too_late")
    rival = join(world.provider, world.offer, world.slots, phone="13800000055")
    assert ask(Caller.of(caller.app, "13800000055"), public_id, rival).status_code == 404


def test_a_no_show_is_disputed(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "no_show", 2), now=EIGHT)
    with clock.frozen(EIGHT):
        assert caller.get(f"/bookings/{public_id}").get_json()["can_dispute"] is True
        path = f"/bookings/{public_id}/dispute"
        problem(caller.post(path, {"words": ""}), 422, "invalid", "words")
        problem(caller.post(path, {}), 422, "invalid", "words")
        disputed = caller.post(path, {"words": "我八点到的"}).get_json()
        assert (disputed["dispute"]["state"], disputed["can_dispute"]) == ("open", False)
        assert disputed["timeline"][-1]["state"] == "dispute_asked"
        other = world.submit(1)
        problem(caller.post(f"/bookings/{other}/dispute", {"words": "x"}), 409, "not_disputable")


def test_a_cancel_by_the_provider_names_alternatives(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "cancelled", 2), now=NOON)
    found = caller.get(f"/bookings/{public_id}").get_json()["alternatives"]
    assert [one["slot_id"] for one in found] == [world.slots[n].public_id for n in (1, 2)]
    assert found[0]["offer_id"] == world.offer.public_id and found[0]["same_offer"] is True


def propose(world: World, public_id: str) -> None:
    new = world.slots[1]
    told = Proposed(
        new.external_ref, new.service_date, new.starts_at, new.ends_at, NOON + timedelta(days=1), "设备检修"
    )
    times = {"service_date": before_date(world), "starts_at": EIGHT}
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "confirmed", 2, **times, proposal=told), now=NOON)


def respond(caller: Caller, public_id: str, answer: str, proposal: str, key: str = "") -> TestResponse:
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return caller.post(f"/bookings/{public_id}/proposal/{answer}", {"proposal_id": proposal}, headers=headers)


def test_a_proposal_is_shown_with_its_end_and_accepted_once(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    before = caller.get(f"/bookings/{public_id}")
    assert before.get_json()["proposal"] is None
    propose(world, public_id)
    after = caller.get(f"/bookings/{public_id}")
    assert after.headers["ETag"] != before.headers["ETag"]
    shown = after.get_json()["proposal"]
    assert shown == {
        "id": shown["id"],
        "service_date": before_date(world).isoformat(),
        "starts_at": (EIGHT + timedelta(hours=1)).isoformat(),
        "ends_at": (EIGHT + timedelta(hours=1, minutes=30)).isoformat(),
        "expires_at": (NOON + timedelta(days=1)).isoformat(),
        "reason": "设备检修",
    }
    for key in ("k1", "k1", "k2"):
        accepted = respond(caller, public_id, "accept", shown["id"], key)
        assert (accepted.status_code, accepted.get_json()["change"]) == (200, "reschedule")
    problem(respond(caller, public_id, "decline", shown["id"], "k1"), 422, "idempotency_key_reused", "Idempotency-Key")
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=NOON)
    moved = caller.get(f"/bookings/{public_id}").get_json()
    assert (moved["starts_at"], moved["changes_left"]) == ((EIGHT + timedelta(hours=1)).isoformat(), 3)


def test_a_declined_proposal_is_over_and_the_wrong_one_is_not_there(caller: Caller, world: World) -> None:
    public_id = confirmed(world)
    propose(world, public_id)
    shown = caller.get(f"/bookings/{public_id}").get_json()["proposal"]["id"]
    problem(respond(caller, public_id, "accept", "prp_00000000000000000000"), 404, "not_found", "proposal_id")
    declined = respond(caller, public_id, "decline", shown).get_json()
    assert (declined["proposal"], declined["state"], declined["starts_at"]) == (None, "confirmed", EIGHT.isoformat())
    problem(respond(caller, public_id, "accept", shown), 409, "proposal_over")
    assert tasks(public_id)[-1] == ("decline", "queued")
    problem(
        caller.post(f"/bookings/{public_id}/proposal/accept", {}, headers={"Idempotency-Key": "k9"}),
        422,
        "invalid",
        "proposal_id",
    )
