"""Messages leave the house once, only while still so, and at a decent hour."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.messages import deliver, settings
from booking.messages.deliver import Post, deliver_due
from booking.messages.settings import Choices
from booking.notices.models import NotificationDelivery
from booking.notices.notify import notify
from booking.notices.quiet_hours import quiet_until
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.sending import email, sms
from marketplace.core.sending.outgoing import DevelopmentOutbox, Undeliverable
from marketplace.messages import send as post
from providers.port import Confirmed
from tests.booking.messages.sending import MailBox, confirmed, states
from tests.booking.test_moves import S, go
from tests.people import NOON, SmsBox
from tests.world import FakeAdapter, World, one_pass

NIGHT = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai

MORNING = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)  # 08:00 there, the next day

PHONE = "+8613800000021"


@dataclass
class Box:
    """A gateway that keeps what it is handed, or has trouble as often as `trouble` says."""

    posts: list[Post] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    def __call__(self, letter: Post) -> None:
        """Keep it."""
        self.posts.append(letter)
        if self.trouble:
            raise self.trouble.pop(0)


def at(moment: datetime) -> Any:
    return lambda: moment


def run(box: Any, moment: datetime = NOON) -> dict[str, int]:
    return deliver_due(box, at(moment))


def with_email(world: World, address: str = "shen@example.com") -> None:
    box = MailBox()
    settings.give_email(world.principal, address, now=NOON, gateway=box)
    settings.confirm_email(world.principal, box.code(), now=NOON)


def test_what_is_told_goes_by_sms_unless_she_chose_more(world: World) -> None:
    confirmed(world)
    box = Box()
    assert run(box) == {"sent": 1}
    assert [(it.channel, it.to) for it in box.posts] == [("sms", PHONE)]
    assert run(box, NOON + timedelta(days=1)) == {}
    with_email(world)
    confirmed(world, 1)
    assert run(box) == {"sent": 2}
    assert sorted(it.channel for it in box.posts) == ["email", "sms", "sms"]
    assert {it.to for it in box.posts} == {PHONE, "shen@example.com"}


def test_a_hold_stays_in_the_inbox(world: World) -> None:
    world.hold()
    assert states() == []


def test_two_workers_send_each_message_once(world: World) -> None:
    for number in range(40):
        with transaction() as session:
            notify(session, world.customer.id, "waitlist_ended", f"wait:{number}", now=NOON)
    box, results = Box(), []
    workers = [threading.Thread(target=lambda: results.append(run(box))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(result.get("sent", 0) for result in results) == 40
    assert len({it.key for it in box.posts}) == len(box.posts) == 40


def test_a_worker_that_dies_after_sending_leaves_it_to_the_same_key(world: World) -> None:
    confirmed(world)
    box = Box()
    (lost,) = deliver.claim(now=NOON)
    with reading() as session:
        found = deliver.prepare(session, lost, NOON)
    assert isinstance(found, Post)
    box(found)  # … and here the process is killed
    assert run(box, NOON + timedelta(seconds=90)) == {}, "the lease still runs"
    assert run(box, NOON + timedelta(minutes=3)) == {"sent": 1}
    assert box.posts[0].key == box.posts[1].key, "the gateway knows it by its key"
    assert deliver.deliver(lost, box, at(NOON + timedelta(minutes=4))) == "overtaken"
    assert states() == [("sms", "sent", "")]


def test_a_late_claim_does_not_mark_what_another_one_has(world: World) -> None:
    confirmed(world)
    (first,) = deliver.claim(now=NOON)
    (second,) = deliver.claim(now=NOON + timedelta(minutes=3))
    assert second.tries == first.tries + 1
    assert deliver.deliver(first, Box(), at(NOON)) == "overtaken"
    assert states() == [("sms", "queued", "")]


def test_trouble_is_tried_again_at_growing_distances_and_then_given_up(world: World) -> None:
    confirmed(world)
    box = Box(trouble=[ConnectionError("no such person +8613800000021")] * 10)
    now, waited = NOON, []
    for _ in range(6):
        outcome = run(box, now)
        with reading() as session:
            row = session.scalars(select(NotificationDelivery)).one()
        waited.append(int((row.run_after - now).total_seconds()))
        now = max(now, row.run_after)
    assert outcome == {"failed": 1}
    assert waited[:5] == [30, 120, 480, 1920, 7200]
    assert states() == [("sms", "failed", "ConnectionError")], "the reason names nobody"


def test_a_message_that_cannot_be_prepared_keeps_none_of_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(world)
    confirmed(world, 1)
    with reading() as session:
        first = session.scalars(select(NotificationDelivery.id).order_by(NotificationDelivery.id)).first()
    prepare = deliver.prepare

    def broken(session: Any, claimed: deliver.Claimed, now: datetime) -> Any:
        if claimed.id == first:
            raise ValueError("a row that nobody can read")
        return prepare(session, claimed, now)

    monkeypatch.setattr(deliver, "prepare", broken)
    assert run(Box()) == {"again": 1, "sent": 1}
    for hours in range(3, 3 + 2 * deliver.TRIES, 2):
        last = run(Box(), NOON.replace(hour=0) + timedelta(days=1, hours=hours))
    assert last == {} and ("sms", "failed", "ValueError") in states()


def test_what_can_never_arrive_is_given_up_at_once(world: World) -> None:
    confirmed(world)
    assert run(Box(trouble=[Undeliverable()])) == {"failed": 1}
    assert states() == [("sms", "failed", "undeliverable")]


def test_a_confirmation_of_what_was_cancelled_meanwhile_is_dropped(world: World) -> None:
    booking = confirmed(world)
    go(booking, S.CANCELLED)
    box = Box()
    assert run(box) == {"dropped": 1, "sent": 1}
    assert [it.letter.kind for it in box.posts] == ["cancelled"]
    assert ("sms", "dropped", "moved_on") in states()


def test_a_confirmation_of_a_date_that_has_changed_is_dropped(world: World) -> None:
    booking = confirmed(world)
    reschedule(world.principal, booking, world.slots[1].public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-0", 2)]), now=NOON)
    box = Box()
    assert run(box) == {"dropped": 1, "sent": 1}
    (only,) = box.posts
    assert (only.letter.kind, only.letter.facts["starts_at"]) == ("changed", "2026-03-10T01:00:00+00:00")


def test_what_is_over_is_not_told(world: World) -> None:
    confirmed(world)
    assert run(Box(), datetime(2026, 3, 10, 1, 0, tzinfo=UTC)) == {"dropped": 1}
    assert states() == [("sms", "dropped", "over")]


def test_a_channel_that_was_turned_off_meanwhile_stays_silent(world: World) -> None:
    confirmed(world)
    off = Choices(sms=False, email=True, quiet=True, quiet_from=time(22), quiet_until=time(8))
    settings.choose(world.principal, off, now=NOON)
    assert run(Box()) == {"dropped": 1}
    cancel(world.principal, world.submit(1), now=NOON)
    assert states() == [("sms", "dropped", "channel_off")], "nothing new is planned for it"


@pytest.mark.parametrize(
    ("kind", "state", "outcome"),
    [
        ("report_partial", "ready", None),
        ("report_ready", "ready", "sent"),
        ("report_ready", "corrected", "dropped"),
        ("report_corrected", "corrected", "sent"),
    ],
)
def test_only_the_newest_word_on_a_report_is_sent(
    world: World, owner_connection: Any, kind: str, state: str, outcome: str | None
) -> None:
    owner_connection.execute(
        text(
            "INSERT INTO report (public_id, insurer_id, provider_id, booking_id, beneficiary_id, customer_id,"
            " reference, state, announced_version, issued_at, created_at)"
            " SELECT 'rpt_1', insurer_id, provider_id, id, beneficiary_id, customer_id, 'R', :state, 1, now(), now()"
            " FROM booking WHERE public_id = :booking"
        ),
        {"booking": world.hold(), "state": state},
    )
    with transaction() as session:
        notify(session, world.customer.id, kind, "rpt_1:1", now=NOON, facts={"report": "rpt_1"})
    assert run(Box()) == ({outcome: 1} if outcome else {})


def test_at_night_messages_wait_for_the_morning(world: World) -> None:
    confirmed(world)
    box = Box()
    assert run(box, NIGHT) == {"waits": 1}
    assert run(box, MORNING - timedelta(seconds=1)) == {}
    assert run(box, MORNING) == {"sent": 1}


def test_a_booking_that_was_cancelled_in_the_night_is_not_told_as_confirmed_in_the_morning(world: World) -> None:
    booking = confirmed(world)
    run(Box(), NIGHT)
    go(booking, S.CANCELLED)
    box = Box()
    run(box, MORNING)
    assert [it.letter.kind for it in box.posts] == ["cancelled"]


def test_quiet_hours_can_be_turned_off_or_moved(world: World) -> None:
    confirmed(world)
    awake = Choices(sms=True, email=True, quiet=False, quiet_from=time(22), quiet_until=time(8))
    settings.choose(world.principal, awake, now=NOON)
    assert run(Box(), NIGHT) == {"sent": 1}
    confirmed(world, 1)
    late = Choices(sms=True, email=True, quiet=True, quiet_from=time(0), quiet_until=time(13))
    settings.choose(world.principal, late, now=NOON)
    assert run(Box(), NOON) == {"waits": 1}
    assert run(Box(), NOON + timedelta(hours=1)) == {"sent": 1}


@pytest.mark.parametrize(("hours", "outcome"), [(1, "sent"), (12, "waits")])
def test_only_what_would_be_over_by_the_morning_rings_at_night(world: World, hours: int, outcome: str) -> None:
    until = (NIGHT + timedelta(hours=hours)).isoformat()
    with transaction() as session:
        notify(session, world.customer.id, "waitlist_offer", "wait:1", now=NIGHT, facts={"until": until})
    assert run(Box(), NIGHT) == {outcome: 1}


QUIET: list[tuple[str, str, str, time, time, str | None]] = [
    ("day", "Asia/Shanghai", "2026-03-02T04:00", time(22), time(8), None),
    ("evening", "Asia/Shanghai", "2026-03-02T14:00", time(22), time(8), "2026-03-03T00:00"),
    ("one second before", "Asia/Shanghai", "2026-03-02T13:59", time(22), time(8), None),
    ("early", "Asia/Shanghai", "2026-03-02T23:59", time(22), time(8), "2026-03-03T00:00"),
    ("its end is free", "Asia/Shanghai", "2026-03-03T00:00", time(22), time(8), None),
    ("new year's eve", "Asia/Shanghai", "2026-12-31T15:00", time(22), time(8), "2027-01-01T00:00"),
    ("29 February", "Asia/Shanghai", "2028-02-28T15:00", time(22), time(8), "2028-02-29T00:00"),
    ("New York, clocks go forward", "America/New_York", "2026-03-08T04:00", time(22), time(8), "2026-03-08T12:00"),
    ("New York, clocks go back", "America/New_York", "2026-11-01T03:00", time(22), time(8), "2026-11-01T13:00"),
    ("an end that is skipped", "America/New_York", "2026-03-08T05:00", time(22), time(2, 30), "2026-03-08T07:30"),
    ("an end that comes twice", "America/New_York", "2026-11-01T06:15", time(22), time(1, 30), "2026-11-01T06:30"),
    ("Lord Howe, half an hour", "Australia/Lord_Howe", "2026-04-04T12:00", time(22), time(8), "2026-04-04T21:30"),
    ("within a day", "Asia/Shanghai", "2026-03-02T05:00", time(12), time(14), "2026-03-02T06:00"),
    ("none", "Asia/Shanghai", "2026-03-02T14:00", time(0), time(0), None),
]


@pytest.mark.parametrize(
    ("zone", "now", "first", "last", "ends"), [row[1:] for row in QUIET], ids=[row[0] for row in QUIET]
)
def test_quiet_hours_are_on_the_wall_clock(zone: str, now: str, first: time, last: time, ends: str | None) -> None:
    found = quiet_until(datetime.fromisoformat(now).replace(tzinfo=UTC), zone, first, last)
    assert found == (datetime.fromisoformat(ends).replace(tzinfo=UTC) if ends else None)


def test_a_message_names_no_person_in_full_and_is_signed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    box, mails = SmsBox(), MailBox()
    monkeypatch.setattr(sms, "gateway", lambda: box)
    monkeypatch.setattr(email, "backend", lambda: mails)
    with_email(world)
    confirmed(world)
    letter = deliver.Letter("ntf_1", "confirmed", {"day": "2026-03-10"}, NOON, None, "沈伯年")
    post.send(Post("sms", PHONE, "k", letter))
    assert box.texts[-1][1].startswith("【安享】预约已确认（沈**）：3 月 10 日 周二")
    assert run(post.send) == {"sent": 2}
    (_, text), (to, subject, body, key) = box.texts[-1], mails.mails[-1]
    assert text.startswith("【安享】预约已确认：甄选套餐，3 月 10 日 周二 08:00，示范医院")
    assert (to, subject) == ("shen@example.com", "安享：预约已确认")
    assert "/notices/ntf_" in body and key.startswith("ntd_")
    assert not any("沈静宜" in it for it in (text, subject, body))


def test_development_keeps_what_would_have_been_sent_once_a_key(tmp_path: Any) -> None:
    outbox = DevelopmentOutbox(tmp_path)
    assert outbox.messages() == []
    with clock.frozen(NOON):
        outbox.put("sms", PHONE, "", "one", "k1")
        outbox.put("sms", PHONE, "", "one", "k1")
        outbox.put("email", "shen@example.com", "Subject", "two", "k2")
    assert [(it.channel, it.text, it.at) for it in outbox.messages()] == [("email", "two", NOON), ("sms", "one", NOON)]
    assert "13800000021" not in (tmp_path / "outbox.jsonl").read_text()
