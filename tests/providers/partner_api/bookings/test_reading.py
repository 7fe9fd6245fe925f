"""Which bookings a provider's program sees, and who comes."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from booking.changes.cancel import cancel
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from tests.people import NOON
from tests.providers.partner_api.answering import answering_world, code, requested, say
from tests.providers.partner_api.partner import partner_of
from tests.world import World, booking_row, join

pytestmark = pytest.mark.usefixtures("db")


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


def test_a_token_without_the_scope_reads_and_answers_nothing(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider, "slots"), requested(world)
    for answer in (
        partner.get("/bookings"),
        partner.get(f"/bookings/{public_id}"),
        say(partner, public_id, "confirm"),
    ):
        assert code(answer) == (403, "insufficient_scope")
