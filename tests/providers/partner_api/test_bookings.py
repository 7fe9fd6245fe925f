"""The life of a booking at a provider that answers here: each step over HTTP, the customer's beside it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from booking.attendance.no_show import call_no_shows
from booking.calls.connections import connection_of
from booking.changes.cancel import cancel
from booking.changes.proposals import accept, decline
from booking.changes.reschedule import reschedule
from booking.changes.withdraw import withdraw
from booking.exchange import send
from booking.models import Booking, ProviderBooking
from booking.proposal import Proposal
from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from tests.people import NOON, counters
from tests.providers.partner_api.answering import answering_world, code, open_cases, requested, say, work
from tests.providers.partner_api.partner import partner_of
from tests.world import EIGHT, World, booking_row, history, join, set_provider, taken

pytestmark = pytest.mark.usefixtures("db")

LATER = NOON + timedelta(minutes=5)
ON_THE_DAY = EIGHT


@pytest.fixture
def world() -> World:
    """An offer of a provider that answers here, and a customer."""
    return answering_world()


def test_the_whole_life_of_a_booking(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    [queued] = partner.get("/bookings?status=requested").get_json()["items"]
    assert (queued["id"], queued["status"], queued["answer_due_at"] is not None) == (public_id, "requested", True)
    confirmed = say(partner, public_id, "confirm")
    assert (confirmed.status_code, confirmed.get_json()["status"]) == (200, "confirmed")
    assert confirmed.headers["ETag"] == f'"{booking_row(public_id).version}"'
    assert partner.get("/bookings?status=requested").get_json()["items"] == []
    partner = partner_of(app, world.provider, now=ON_THE_DAY)
    for step, status in (("check-in", "checked_in"), ("start", "in_service"), ("complete", "fulfilled")):
        answer = say(partner, public_id, step, etag=None)
        assert (answer.status_code, answer.get_json()["status"]) == (200, status)
    assert history(public_id) == ["held", "awaiting_provider", "confirmed", "checked_in", "in_service", "fulfilled"]
    assert (counters(world.entitlement.id)["used"], open_cases()) == (1, [])


def test_a_rejected_booking_gives_place_and_unit_back_with_the_providers_reason(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    answer = say(partner, public_id, "reject", reason="sold_out")
    assert answer.status_code == 200
    assert (answer.get_json()["status"], answer.get_json()["cause"]) == ("rejected", "sold_out")
    assert (taken(world.slots[0]), counters(world.entitlement.id)["available"]) == (0, 2)


def test_it_can_be_answered_before_the_worker_has_sent_it(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), world.submit()
    assert say(partner, public_id, "confirm").status_code == 200
    assert work(world) == []
    assert booking_row(public_id).state == "confirmed"


def test_a_command_that_a_dead_worker_took_changes_nothing_and_is_done_again(app: Flask, world: World) -> None:
    public_id = world.submit()
    with reading() as session:
        known = connection_of(session.get_one(Provider, world.provider.id))
    assert len(send.claim_tasks(known, worker="dies", places=10, now=NOON)) == 1
    later = NOON + timedelta(hours=1)
    assert work(world, now=later) == ["applied"]
    assert booking_row(public_id).state == "awaiting_provider"
    assert say(partner_of(app, world.provider), public_id, "confirm").status_code == 200
    cancel(world.principal, public_id, now=NOON)
    assert len(send.claim_tasks(known, worker="dies", places=10, now=later)) == 1
    outcomes = [work(world, now=later + timedelta(hours=hour)) for hour in (1, 2)]
    assert booking_row(public_id).state == "cancelled", outcomes


def test_a_customers_cancel_needs_no_answer(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    cancel(world.principal, public_id, now=NOON)
    assert partner.get(f"/bookings/{public_id}").get_json()["booking"]["cancel_asked"] is True
    assert code(say(partner, public_id, "move", slot=world.slots[1].external_ref)) == (409, "cancel_under_way")
    work(world)
    assert (booking_row(public_id).state, taken(world.slots[0])) == ("cancelled", 0)
    with reading() as session:
        assert session.scalars(select(ProviderBooking.status)).all() == ["cancelled"]
    assert code(say(partner, public_id, "check-in", etag=None)) == (409, "not_possible_now")


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "not sent yet"])
def test_a_change_is_accepted_or_refused_by_the_provider(app: Flask, world: World, sent: bool) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    for step, slot in (("refuse", 0), ("accept", 1)):
        reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
        if sent:
            assert work(world) == ["waiting"]
        [waiting] = partner.get("/bookings?status=change_asked").get_json()["items"]
        assert waiting["change"]["slot"] == world.slots[1].external_ref
        answer = say(partner, public_id, f"change/{step}", **({"reason": "closed"} if step == "refuse" else {}))
        assert (answer.status_code, answer.get_json()["change"]) == (200, None)
        assert answer.get_json()["slot"] == world.slots[slot].external_ref
        work(world)
        assert [taken(each) for each in world.slots] == [int(number == slot) for number in range(3)]
        assert code(say(partner, public_id, f"change/{step}", **({"reason": "x"} if step == "refuse" else {}))) == (
            409,
            "no_open_change",
        )
    partner = partner_of(app, world.provider, now=ON_THE_DAY + timedelta(hours=1))
    assert say(partner, public_id, "complete", etag=None).get_json()["status"] == "fulfilled"
    assert open_cases() == []


def test_a_change_that_waits_does_not_change_the_version_again_and_again(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    work(world)
    seen = booking_row(public_id).version
    for minutes in (2, 4, 6):
        assert work(world, now=NOON + timedelta(minutes=minutes)) == ["waiting"]
    assert booking_row(public_id).version == seen
    assert say(partner, public_id, "change/accept", etag=f'"{seen}"').status_code == 200


def test_a_change_that_is_taken_back_gives_its_place_back(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    work(world)
    withdraw(world.principal, public_id, now=NOON)
    assert code(say(partner, public_id, "change/accept")) == (409, "no_open_change")
    for minutes in (2, 4, 6):
        work(world, now=NOON + timedelta(minutes=minutes))
    assert [taken(each) for each in world.slots] == [1, 0, 0]
    assert open_cases() == []


@pytest.mark.parametrize("first", ["confirmed", "requested"])
def test_a_proposal_that_is_accepted_confirms_the_booking_there(app: Flask, world: World, first: str) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    if first == "confirmed":
        say(partner, public_id, "confirm")
    answer = say(partner, public_id, "proposal", slot=world.slots[2].external_ref, reason="the doctor is away")
    assert answer.get_json()["proposal"]["slot"] == world.slots[2].external_ref
    accept(world.principal, public_id, proposal_of(public_id), now=LATER)
    work(world, now=LATER)
    work(world, now=LATER)
    shown = partner.get(f"/bookings/{public_id}").get_json()["booking"]
    assert (shown["status"], shown["slot"], shown["proposal"]) == ("confirmed", world.slots[2].external_ref, None)
    assert [taken(each) for each in world.slots] == [0, 0, 1]
    assert open_cases() == []


@pytest.mark.parametrize(("first", "end"), [("confirmed", "confirmed"), ("requested", "cancelled")])
def test_a_proposal_that_is_declined_leaves_the_date_or_ends_the_booking(
    app: Flask, world: World, first: str, end: str
) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    if first == "confirmed":
        say(partner, public_id, "confirm")
    say(partner, public_id, "proposal", slot=world.slots[2].external_ref)
    decline(world.principal, public_id, proposal_of(public_id), now=LATER)
    work(world, now=LATER)
    assert (booking_row(public_id).state, taken(world.slots[2])) == (end, 0)
    assert open_cases() == []


def proposal_of(public_id: str) -> str:
    """The booking's open proposal."""
    with reading() as session:
        return session.scalars(
            select(Proposal.public_id)
            .join(Booking, Booking.id == Proposal.booking_id)
            .where(Booking.public_id == public_id, Proposal.state == "open")
        ).one()


def test_a_proposal_must_end_before_the_slot_and_not_be_the_same_time(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    other = world.slots[1].external_ref
    for wrong in (NOON, EIGHT + timedelta(hours=1)):
        answer = say(partner, public_id, "proposal", slot=other, expires_at=wrong.isoformat())
        assert code(answer) == (422, "invalid")
    assert code(say(partner, public_id, "proposal", slot=world.slots[0].external_ref)) == (422, "same_slot")
    assert code(say(partner, public_id, "proposal", slot="no such slot")) == (404, "not_found")
    assert booking_row(public_id).version == 2


@pytest.mark.parametrize("wrong", ["2026-03-09 10:00:00+08:00", "2026-03-09T10:00+08:00", "2026-03-09T10:00:00"])
def test_the_end_of_a_proposal_is_read_as_every_other_moment(app: Flask, world: World, wrong: str) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    answer = say(partner, public_id, "proposal", slot=world.slots[1].external_ref, expires_at=wrong)
    assert code(answer) == (422, "invalid")
    told = [(error["field"], error["detail"]) for error in answer.get_json()["errors"]]
    assert told == [("expires_at", "This must be a moment with its zone such as 2030-01-31T08:30:00+08:00.")]


def test_a_move_keeps_what_was_promised_and_tells_everybody(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    answer = say(partner, public_id, "move", slot=world.slots[1].external_ref)
    assert (answer.status_code, answer.get_json()["differences"]) == (202, ["time_differs"])
    assert answer.get_json()["slot"] == world.slots[0].external_ref
    assert open_cases() == ["time_differs"]
    assert code(say(partner, public_id, "move", slot=world.slots[2].external_ref)) == (409, "time_differs")
    assert code(say(partner, public_id, "move", slot=world.slots[0].external_ref)) == (422, "same_slot")


def test_a_move_to_the_time_that_she_asks_for_accepts_her_change(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    answer = say(partner, public_id, "move", slot=world.slots[1].external_ref)
    assert (answer.get_json()["slot"], answer.get_json()["differences"]) == (world.slots[1].external_ref, [])


@pytest.mark.parametrize("step", ["check-in", "start", "complete", "no-show"])
def test_what_comes_too_early_is_refused_and_nothing_is_written(app: Flask, world: World, step: str) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    before = booking_row(public_id).version
    assert code(say(partner, public_id, step, etag=None)) == (409, "too_early")
    assert (booking_row(public_id).version, open_cases()) == (before, [])
    with reading() as session:
        assert session.scalars(select(ProviderBooking.version)).all() == [2]


def test_what_a_booking_is_past_is_refused_and_nothing_is_written(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    assert code(say(partner, public_id, "reject", reason="closed")) == (409, "not_possible_now")
    partner = partner_of(app, world.provider, now=ON_THE_DAY)
    say(partner, public_id, "check-in", etag=None)
    assert code(say(partner, public_id, "confirm")) == (409, "not_possible_now")
    assert code(say(partner, public_id, "proposal", slot=world.slots[1].external_ref)) == (409, "not_possible_now")
    assert (booking_row(public_id).state, open_cases()) == ("checked_in", [])


def test_a_no_show_can_be_corrected(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    partner = partner_of(app, world.provider, now=ON_THE_DAY + timedelta(hours=3))
    assert say(partner, public_id, "no-show", etag=None).get_json()["status"] == "no_show"
    assert say(partner, public_id, "complete", etag=None).get_json()["status"] == "fulfilled"


def test_the_clock_calls_a_no_show_where_there_is_no_list_to_read(app: Flask, world: World) -> None:
    public_id = requested(world)
    say(partner_of(app, world.provider), public_id, "confirm")
    with reading() as session:
        hours = session.get_one(Provider, world.provider.id).no_show_hours
    over = EIGHT + timedelta(minutes=30, hours=hours)
    assert call_no_shows(now=over - timedelta(seconds=1)) == 0
    assert call_no_shows(now=over) == 1
    assert booking_row(public_id).state == "no_show"


def test_a_providers_cancel_gives_the_unit_back(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    answer = say(partner, public_id, "cancel", reason="closed")
    assert (answer.get_json()["status"], counters(world.entitlement.id)["available"]) == ("cancelled", 2)


def test_an_answer_needs_the_version_it_is_made_of_and_a_key(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    for what, body in (
        ("confirm", {}),
        ("reject", {"reason": "x"}),
        ("proposal", {"slot": "s"}),
        ("move", {"slot": "s"}),
        ("cancel", {"reason": "x"}),
        ("change/accept", {}),
        ("change/refuse", {"reason": "x"}),
    ):
        assert code(say(partner, public_id, what, etag=None, **body)) == (428, "precondition_required")
        for stale in ('"1"', '"99"', "*", "nonsense", '"2", "3"', ""):
            assert code(say(partner, public_id, what, etag=stale, **body)) == (412, "precondition_failed")
    assert code(say(partner, public_id, "check-in", etag='"1"')) == (412, "precondition_failed")
    without = partner.post(f"/bookings/{public_id}/confirm", headers={"If-Match": '"2"', "Idempotency-Key": ""})
    assert code(without) == (400, "idempotency_key_missing")
    assert booking_row(public_id).version == 2


def test_where_a_system_is_called_nobody_answers_by_the_api(app: Flask, world: World) -> None:
    public_id = requested(world)
    set_provider(world.provider, adapter="open_protocol")
    partner, before = partner_of(app, world.provider), booking_row(public_id)
    for what, body in (("confirm", {}), ("reject", {"reason": "x"}), ("cancel", {"reason": "x"}), ("complete", {})):
        assert code(say(partner, public_id, what, **body)) == (409, "answered_elsewhere")
    assert (booking_row(public_id).state, booking_row(public_id).version) == (before.state, before.version)


def test_the_same_request_twice_is_one_answer(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    headers = {"Idempotency-Key": "k-1", "If-Match": '"2"'}
    first = partner.post(f"/bookings/{public_id}/confirm", headers=headers)
    again = partner.post(f"/bookings/{public_id}/confirm", headers=headers)
    assert (first.status_code, again.status_code, first.data == again.data) == (200, 200, True)
    other = partner.post(f"/bookings/{public_id}/cancel", headers=headers, json={"reason": "x"})
    assert code(other) == (422, "idempotency_key_reused")
    refused = {"Idempotency-Key": "k-2", "If-Match": '"1"'}
    assert code(partner.post(f"/bookings/{public_id}/cancel", headers=refused, json={"reason": "x"}))[0] == 412
    refused["If-Match"] = '"3"'
    assert partner.post(f"/bookings/{public_id}/cancel", headers=refused, json={"reason": "x"}).status_code == 200


def test_who_comes_is_shown_one_by_one_while_it_is_live_and_each_look_is_audited(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    [listed] = partner.get("/bookings").get_json()["items"]
    name = world.beneficiary.name
    assert listed["person_name"] == f"{name[:1]}{'*' * (len(name) - 1)}"
    assert name not in partner.get("/bookings").text
    assert looks(public_id) == 0
    found = partner.get(f"/bookings/{public_id}")
    assert found.get_json()["person"]["name"] == name
    assert found.get_json()["person"]["phone"] is None
    assert (looks(public_id), found.headers["Cache-Control"]) == (1, "private, no-cache")
    answer = say(partner, public_id, "reject", reason="closed")
    assert name not in answer.text
    over = partner.get(f"/bookings/{public_id}").get_json()
    assert (over["person"], over["answers"], looks(public_id)) == (None, {}, 1)


def looks(public_id: str) -> int:
    """How many looks at who comes the audit has."""
    with reading() as session:
        lines = session.scalars(
            select(AuditLine).where(AuditLine.action == "booking.shown_to_provider", AuditLine.subject == public_id)
        ).all()
        assert all(line.actor_kind == "provider" and line.actor.startswith("cli_") for line in lines)
        return len(lines)


def test_another_provider_sees_nothing_and_learns_nothing(app: Flask, world: World) -> None:
    mine, other = requested(world), answering_world(phone="13800000022")
    stranger = partner_of(app, other.provider)
    assert stranger.get("/bookings").get_json()["items"] == []

    def bodies(booking: str) -> list[bytes]:
        answers = [stranger.get(f"/bookings/{booking}")]
        for what, body in (
            *((each, {}) for each in ("confirm", "check-in", "start", "complete", "no-show", "change/accept")),
            *((each, {"reason": "x"}) for each in ("reject", "cancel", "change/refuse")),
            *((each, {"slot": world.slots[1].external_ref}) for each in ("proposal", "move")),
        ):
            headers = {"Idempotency-Key": str(uuid.uuid4()), "If-Match": '"2"'}
            sent = {"json": body} if body else {}
            answers.append(stranger.post(f"/bookings/{booking}/{what}", headers=headers, **sent))
        assert {answer.status_code for answer in answers} == {404}
        return [answer.data.replace(answer.get_json()["instance"].encode(), b"") for answer in answers]

    assert bodies(mine) == bodies("bkg_00000000000000000000")
    assert booking_row(mine).version == 2


def test_a_hold_that_was_never_submitted_is_not_the_providers_business(app: Flask, world: World) -> None:
    partner, held = partner_of(app, world.provider), world.hold()
    assert partner.get("/bookings").get_json()["items"] == []
    assert partner.get(f"/bookings/{held}").status_code == 404
    cancel(world.principal, held, now=NOON)
    assert partner.get("/bookings").get_json()["items"] == []


def test_the_queue_comes_by_its_deadlines_in_pages(app: Flask, world: World) -> None:
    partner, made = partner_of(app, world.provider), []
    for number in range(5):
        one = join(world.provider, world.offer, world.slots, phone=f"1380000010{number}")
        made.append(one.submit(number % 3, now=NOON - timedelta(minutes=number)))
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = partner.get(f"/bookings?status=requested&limit=2{cursor and f'&cursor={cursor}'}").get_json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
    assert seen == sorted(made, key=lambda each: (booking_row(each).answer_due_at, booking_row(each).id))
    day = world.slots[0].service_date
    for query, number in (
        (f"service_date_from={day}&service_date_to={day}", 5),
        (f"service_date_from={day + timedelta(days=1)}", 0),
        (f"service_date_to={day - timedelta(days=1)}", 0),
        ("status=confirmed", 0),
    ):
        assert len(partner.get(f"/bookings?{query}").get_json()["items"]) == number
    assert code(partner.get("/bookings?cursor=nonsense")) == (422, "invalid")


HOSTILE = (
    b"",
    b"[]",
    b"{",
    b"\xff",
    b'{"reason": 1}',
    b'{"reason": ""}',
    b'{"reason": "\\u0000"}',
    b'{"reason": "x", "y": 1}',
    b'{"slot": "\\ud800"}',
    b'{"slot": "s", "expires_at": 5}',
    b'{"slot": "s", "expires_at": "2026-03-09T00:00:00"}',
    b'{"slot": "s", "expires_at": "0001-01-01T00:00:00+14:00"}',
)


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_bodies_are_refused_in_words(app: Flask, world: World, body: bytes) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    for what in ("reject", "proposal", "move", "cancel", "change/refuse", "confirm", "check-in"):
        headers = {"Idempotency-Key": str(uuid.uuid4()), "If-Match": '"2"'}
        answer = partner.post(
            f"/bookings/{public_id}/{what}", headers=headers, data=body, content_type="application/json"
        )
        expected = (200, 412) if body == b"" and what in ("confirm", "check-in") else (400, 422)
        assert answer.status_code in expected, (what, answer.text)


def test_a_token_without_the_scope_reads_and_answers_nothing(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider, "slots"), requested(world)
    for answer in (
        partner.get("/bookings"),
        partner.get(f"/bookings/{public_id}"),
        say(partner, public_id, "confirm"),
    ):
        assert code(answer) == (403, "insufficient_scope")
