"""What a customer says reaches the doctors of an outside provider: in its order, once, whatever breaks on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from booking.calls.breaker import Call
from booking.changes.cancel import cancel
from booking.consultation.assigning.ended import close_ended
from booking.consultation.outside import deliver as carrying
from booking.consultation.outside.deliver import claim_parcels, deliver, end_left, with_parcels
from booking.consultation.outside.models import ConversationDelivery
from booking.consultation.outside.waiting import raise_waiting_messages
from booking.consultation.pictures import Sent, customer_shows
from booking.consultation.read import conversation_of, messages_after
from marketplace.core.database.db import reading
from providers.conversing import Posted
from providers.port import Refused, RetryAfter, Unknown
from tests.booking.consultation.outside.rooms import Outside, at, make_outside, open_cases
from tests.people import NOON
from tests.pictures import make_picture
from tests.world import breaker_row, connection_to, set_breaker, set_provider

pytestmark = pytest.mark.usefixtures("db")


def marks(it: Outside, conversation: str) -> list[str]:
    """How far each of her messages is, as she is shown it."""
    return [each.delivery for each in messages_after(it.world.principal, conversation, 0, now=NOON) if each.mine]


def test_half_a_sentence_that_completes_a_sign_is_told_as_one_on_every_try() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "我胸口")
    it.ask(opened.conversation, "好痛", now=NOON + timedelta(seconds=5))
    it.there.meets = [Posted(), Unknown("time-out")]
    for seconds in (6, 7, 600):
        it.work(now=NOON + timedelta(seconds=seconds))
    assert [each.flagged for each in it.there.posted] == [False, True]


def test_what_she_says_goes_out_in_its_order_and_is_marked() -> None:
    it = make_outside()
    opened = it.begin()
    first = it.ask(opened.conversation, "嗓子疼")
    second = it.ask(opened.conversation, "三天了")
    assert marks(it, opened.conversation) == ["sent", "sent"]

    assert it.work() == ["delivered"]
    assert marks(it, opened.conversation) == ["delivered", "sent"]
    assert conversation_of(it.world.principal, opened.conversation, NOON).on_the_way == (second.seq,)
    assert it.work() == ["delivered"]

    told = [(each.id, each.seq, each.text, each.reference) for each in it.there.posted]
    reference = f"C-{opened.booking}"
    assert told == [(first.public_id, 1, "嗓子疼", reference), (second.public_id, 2, "三天了", reference)]
    assert marks(it, opened.conversation) == ["delivered", "delivered"]


def test_a_message_that_is_sent_again_by_her_goes_out_once() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼", key="the-same-id")
    it.ask(opened.conversation, "嗓子疼", key="the-same-id")

    assert it.work() + it.work() == ["delivered"]


def test_nothing_goes_out_before_the_provider_has_the_consultation() -> None:
    it = make_outside()
    opened = it.open()
    it.ask(opened.conversation, "嗓子疼")
    assert claim_parcels(connection_to(it.world.provider), places=9, now=NOON) == []

    assert it.work() == ["delivered"]


def test_without_a_clear_answer_it_is_sent_again_under_its_id_and_the_next_one_waits() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.ask(opened.conversation, "三天了")

    it.there.meets = [Unknown("time-out")]
    assert it.work() == ["waiting"]
    assert it.work() == []
    assert it.work(now=at(1)) == ["delivered"]
    assert it.work(now=at(1)) == ["delivered"]
    assert [each.text for each in it.there.posted] == ["嗓子疼", "三天了"]


def test_one_conversation_that_waits_holds_up_no_other() -> None:
    it = make_outside()
    first, second = it.begin(), it.begin()
    it.ask(first.conversation, "嗓子疼")
    it.there.meets = [Unknown("time-out")]
    assert it.work() == ["waiting"]

    it.ask(second.conversation, "头疼")

    assert it.work() == ["delivered"]
    assert [each.text for each in it.there.posted] == ["头疼"]


def test_a_provider_that_asks_for_a_pause_gets_it() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.meets = [RetryAfter(7)]

    assert it.work() == ["waiting"]
    assert it.work(now=at(6)) == []
    assert it.work(now=at(7)) == ["delivered"]


def test_what_is_refused_is_told_to_her_and_to_operators_and_the_next_one_goes_on() -> None:
    it = make_outside()
    opened = it.begin()
    lost = it.ask(opened.conversation, "嗓子疼")
    it.ask(opened.conversation, "三天了")
    it.there.meets = [Refused("closed")]

    assert it.work() == ["refused"]
    assert it.work() == ["delivered"]

    assert marks(it, opened.conversation) == ["not_delivered", "delivered"]
    assert conversation_of(it.world.principal, opened.conversation, NOON).not_delivered == (lost.seq,)
    assert open_cases() == ["message_refused"]


def test_the_breaker_of_commands_opens_and_a_probe_closes_it() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    for failures, second in enumerate((0, 1, 3, 8, 18), start=1):
        it.there.meets = [Unknown("time-out")]
        assert it.work(now=at(second)) == ["waiting"]
        assert breaker_row(it.world.provider)[0] == failures
    assert it.work(now=at(32)) == []

    assert it.work(now=at(48)) == ["delivered"]
    assert breaker_row(it.world.provider)[0] == 0


def test_an_open_breaker_gives_its_probe_back_when_there_is_nothing_to_carry() -> None:
    it = make_outside()
    it.begin()
    set_breaker(it.world.provider, Call.COMMANDS, failures=5, opened_at=NOON, open_until=NOON)
    it.work(now=at(20))
    assert breaker_row(it.world.provider)[2] is None


def test_a_worker_that_dies_before_it_settles_loses_nothing_and_doubles_nothing() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    known = connection_to(it.world.provider)
    (parcel,) = claim_parcels(known, places=9, now=NOON)
    there: Any = it.there
    with reading() as session:
        sent = carrying._contents(session, parcel)
    there.post(sent)  # and then it is killed

    assert it.work(now=at(5)) == []
    after = parcel.lease_until + timedelta(seconds=1)
    assert it.work(now=after) == ["delivered"]
    assert [each.text for each in it.there.posted] == ["嗓子疼"]
    assert deliver(known, there, parcel, now=NOON) == "stale"


def test_a_claim_whose_lease_is_nearly_over_sends_nothing() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    known = connection_to(it.world.provider)
    (parcel,) = claim_parcels(known, places=9, now=NOON)

    assert deliver(known, it.there, parcel, now=parcel.lease_until - timedelta(seconds=1)) == "stale"  # type: ignore[arg-type]
    assert it.there.posted == []


def test_her_picture_is_opened_by_the_worker_and_goes_out_as_a_picture() -> None:
    it = make_outside()
    opened = it.begin()
    customer_shows(it.world.principal, opened.conversation, Sent("a-picture-of-hers", make_picture()), now=NOON)

    assert it.work() == ["delivered"]

    (sent,) = it.there.posted
    assert sent.text == ""
    assert sent.picture is not None
    assert sent.picture.content.startswith(b"\xff\xd8\xff")
    assert sent.picture.content_type == "image/jpeg"


def test_a_picture_that_is_larger_than_the_port_takes_is_told_as_not_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "LARGEST_PICTURE", 10)
    it = make_outside()
    opened = it.begin()
    customer_shows(it.world.principal, opened.conversation, Sent("a-picture-of-hers", make_picture()), now=NOON)

    assert it.work() == ["refused"]
    assert breaker_row(it.world.provider)[0] == 0
    assert marks(it, opened.conversation) == ["not_delivered"]


def test_a_sign_of_an_emergency_goes_with_the_message() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "突然胸痛，喘不上气")
    it.ask(opened.conversation, "没有发烧")
    it.work()
    it.work()
    assert [each.flagged for each in it.there.posted] == [True, False]


def test_what_was_on_its_way_when_she_cancelled_is_not_sent_any_more() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    cancel(it.world.principal, opened.booking, now=NOON)
    known = connection_to(it.world.provider)

    assert claim_parcels(known, places=9, now=NOON) == []
    close_ended(now=NOON)
    assert marks(it, opened.conversation) == ["not_delivered"]


def test_what_a_killed_worker_had_of_a_cancelled_one_is_ended_with_its_lease() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    (parcel,) = claim_parcels(connection_to(it.world.provider), places=9, now=NOON)
    cancel(it.world.principal, opened.booking, now=NOON)
    close_ended(now=NOON)

    assert end_left(now=NOON) == {"ended": 0, "told": 0}
    assert end_left(now=parcel.lease_until) == {"ended": 1, "told": 0}
    assert marks(it, opened.conversation) == ["not_delivered"]


def test_a_paused_provider_is_given_no_new_consultation_and_those_in_one_go_on() -> None:
    it = make_outside()
    opened = it.begin()
    set_provider(it.world.provider, paused_at=NOON)
    it.ask(opened.conversation, "嗓子疼")

    assert it.work() == ["delivered"]
    it.open()
    it.work()
    assert len(it.there.opened) == 1


def test_another_provider_is_sent_nothing_of_it() -> None:
    it, other = make_outside(), make_outside(phone="13800000029")
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")

    assert other.work() == []
    assert it.work() == ["delivered"]
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ConversationDelivery)) == 1


def test_one_look_tells_for_whom_anything_is_due() -> None:
    it, other = make_outside(), make_outside(phone="13800000029")
    opened = it.begin()
    other.begin()
    assert with_parcels(now=NOON) == frozenset()

    it.ask(opened.conversation, "嗓子疼", now=at(5))

    assert with_parcels(now=at(4)) == frozenset()
    assert with_parcels(now=at(5)) == {it.world.provider.id}
    it.work(now=at(5))
    assert with_parcels(now=at(5)) == frozenset()


def test_operators_are_told_of_a_provider_that_takes_nothing_for_two_minutes_and_it_closes_itself() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.meets = [Unknown("time-out")]
    it.work()

    assert raise_waiting_messages(now=at(119)) == {"opened": 0, "closed": 0}
    assert raise_waiting_messages(now=at(120)) == {"opened": 1, "closed": 0}
    assert raise_waiting_messages(now=at(135)) == {"opened": 0, "closed": 0}
    assert open_cases() == ["messages_waiting"]

    it.work(now=at(140))
    assert raise_waiting_messages(now=at(150)) == {"opened": 0, "closed": 1}
    assert open_cases() == []
