"""What is told, to whom: versions of bookings, messages of conversations, and nothing that anybody said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from booking.changes.cancel import cancel
from booking.consultation.assigning.escalate import escalate
from booking.consultation.events import publish
from booking.consultation.queue import offer_next
from booking.live.forget import KEPT, forget_live
from booking.live.tell import tell
from marketplace.core.database.db import reading, transaction
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON
from tests.world import World, booking_row, make_world

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def events(kind: str = "") -> list[Any]:
    """All events of a kind, the oldest first."""
    with reading() as session:
        query = text("SELECT topics, kind, facts, at FROM live_event WHERE :kind IN ('', kind) ORDER BY id")
        return list(session.execute(query, {"kind": kind}))


def clear() -> None:
    with transaction() as session:
        session.execute(text("DELETE FROM live_event"))


def conversation_id(public_id: str) -> int:
    with reading() as session:
        query = text("SELECT id FROM conversation WHERE public_id = :id")
        return int(session.execute(query, {"id": public_id}).scalar_one())


@pytest.fixture
def world() -> World:
    return make_world(slots=2)


def test_a_new_hold_is_told_to_nobody(world: World) -> None:
    world.hold()
    assert events() == []


def test_each_version_of_a_booking_is_told_to_its_customer_and_its_provider(world: World) -> None:
    booking = world.submit()
    cancel(world.principal, booking, now=NOON)
    told = events("booking")
    version = booking_row(booking).version
    assert told[-1].facts == {"booking": booking, "version": version}
    assert [each.facts["version"] for each in told] == sorted({each.facts["version"] for each in told})
    whose = [f"customer:{world.customer.id}", f"provider:{world.provider.id}"]
    assert all(each.topics == whose for each in told)


def test_a_change_that_is_no_new_version_is_told_to_nobody(world: World) -> None:
    world.submit()
    clear()
    with transaction() as session:
        session.execute(text("UPDATE booking SET answer_due_at = now()"))
    assert events() == []


def test_what_is_taken_back_is_not_told(world: World) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        tell(session, ["customer:1"], "note", {}, now=NOON)
        raise ZeroDivisionError
    assert events() == []


def test_a_message_is_told_by_its_number_and_not_by_its_words() -> None:
    practice = make_practice()
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼", key="message-1")
    practice.ask(opened.conversation, "嗓子疼", key="message-1")
    (told,) = [each for each in events("conversation") if each.facts["seq"] == 1][-1:]
    assert told.facts == {"conversation": opened.conversation, "booking": opened.booking, "seq": 1}
    assert told.topics == [f"customer:{practice.world.customer.id}", f"provider:{practice.world.provider.id}"]


def test_who_has_a_conversation_in_hand_is_told_of_it_and_her_colleagues_are_not() -> None:
    practice = taken_practice()
    (told,) = events("typing")
    assert told.topics == [f"customer:{practice.world.customer.id}", f"member:{practice.clinician.id}"]
    assert told.facts["seq"] == 2


def taken_practice() -> Practice:
    """A conversation that a clinician answered, and something that is told of it afterwards."""
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    practice.answer(conversation, "多久了？")
    with transaction() as session:
        publish(session, conversation_id(conversation), "typing", 2, now=NOON)
    return practice


def test_events_are_deleted_after_an_hour() -> None:
    with transaction() as session:
        tell(session, ["customer:1"], "note", {}, now=NOON)
    assert forget_live(now=NOON + KEPT) == 0
    assert forget_live(now=NOON + KEPT + timedelta(seconds=1)) == 1
    assert events() == []


def test_nothing_can_rewrite_an_event(db: Engine) -> None:
    address = db.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with psycopg.connect(address) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("UPDATE live_event SET kind = 'x'")


def test_who_is_offered_a_conversation_is_told_at_once_and_all_when_its_pledge_runs_out() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    before = len(events("conversation"))

    offer_next(now=NOON)
    escalate(now=NOON + timedelta(seconds=45))

    told = [(each.topics, each.facts) for each in events("conversation")[before:]]
    assert told == [
        ([f"member:{practice.clinician.id}"], {"conversation": conversation}),
        ([f"provider:{practice.world.provider.id}"], {"conversation": conversation}),
    ]
