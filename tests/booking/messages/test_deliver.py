"""SMS and e-mail of what a customer was told: once, at a decent hour, and never of what is no longer so."""

from __future__ import annotations

import io
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
from marketplace.core.config import ConfigError
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, TooMany
from marketplace.core.sending import email, sms
from marketplace.core.sending.outgoing import DevelopmentOutbox, Undeliverable
from marketplace.messages import send as post
from providers.port import Confirmed
from tests.booking.test_moves import S, go
from tests.people import NOON, SmsBox
from tests.world import FakeAdapter, World, make_world, one_pass
from vip.customers import email_address
from vip.signin import codes
from vip.signin.codes import CodeEnded, WrongCode

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


@pytest.fixture
def world(db: object) -> World:
    """A customer with two uses."""
    return make_world()


def at(moment: datetime) -> Any:
    return lambda: moment


def run(box: Any, moment: datetime = NOON) -> dict[str, int]:
    return deliver_due(box, at(moment))


def confirmed(world: World, slot: int = 0) -> str:
    booking = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed(f"R-{slot}", 1)]), now=NOON)
    return booking


def states() -> list[tuple[str, str, str]]:
    with reading() as session:
        rows = session.scalars(select(NotificationDelivery).order_by(NotificationDelivery.id))
        return [(row.channel, row.state, row.reason) for row in rows]


def with_email(world: World, address: str = "shen@example.com") -> None:
    box = MailBox()
    settings.give_email(world.principal, address, now=NOON, gateway=box)
    settings.confirm_email(world.principal, box.code(), now=NOON)


@dataclass
class MailBox:
    """An e-mail gateway that keeps what it is handed."""

    mails: list[tuple[str, str, str, str]] = field(default_factory=list)

    def send(self, to: str, subject: str, text: str, *, key: str) -> None:
        """Keep it."""
        self.mails.append((to, subject, text, key))

    def code(self) -> str:
        """The code in the newest mail."""
        return next(word for word in self.mails[-1][2].replace("，", " ").split() if word.isdigit())


# --- once ------------------------------------------------------------------------------------------------------------


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


# --- still so --------------------------------------------------------------------------------------------------------


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


# --- at a decent hour ------------------------------------------------------------------------------------------------


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


# --- what a message holds --------------------------------------------------------------------------------------------


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


# --- e-mail ----------------------------------------------------------------------------------------------------------


def test_an_address_is_used_only_after_its_code_came_back(world: World) -> None:
    box = MailBox()
    settings.give_email(world.principal, " Shen@Example.COM ", now=NOON, gateway=box)
    shown = settings.settings_of(world.principal)
    assert (shown.email_masked, shown.email_open) == ("S***@example.com", True)
    confirmed(world)
    assert [channel for channel, *_ in states()] == ["sms"]
    wrong = "000000" if box.code() != "000000" else "111111"
    with pytest.raises(WrongCode):
        settings.confirm_email(world.principal, wrong, now=NOON)
    settings.confirm_email(world.principal, box.code(), now=NOON)
    assert not settings.settings_of(world.principal).email_open
    with pytest.raises(CodeEnded):
        settings.confirm_email(world.principal, box.code(), now=NOON)
    settings.give_email(world.principal, "other@example.com", now=NOON, gateway=box)
    assert settings.settings_of(world.principal).email_open, "another address needs a code of its own"
    settings.forget_email(world.principal, now=NOON)
    assert settings.settings_of(world.principal).email_masked == ""


def test_a_code_is_for_the_address_it_was_sent_to(world: World) -> None:
    first, second = MailBox(), MailBox()
    settings.give_email(world.principal, "a@example.com", now=NOON, gateway=first)
    settings.give_email(world.principal, "b@example.com", now=NOON, gateway=second)
    if first.code() != second.code():
        with pytest.raises(WrongCode):
            settings.confirm_email(world.principal, first.code(), now=NOON)


def test_a_customer_has_five_codes_an_hour_sent_to_whatever_addresses(world: World) -> None:
    box = MailBox()
    for number in range(5):
        settings.give_email(world.principal, f"stranger{number}@example.com", now=NOON, gateway=box)
    with pytest.raises(TooMany):
        settings.give_email(world.principal, "stranger6@example.com", now=NOON, gateway=box)


def test_an_address_given_while_a_code_is_compared_is_not_confirmed_by_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, compare = MailBox(), codes.compare
    settings.give_email(world.principal, "mine@example.com", now=NOON, gateway=box)

    def slow(*given: Any, **named: Any) -> Any:
        settings.give_email(world.principal, "another@example.com", now=NOON, gateway=MailBox())
        return compare(*given, **named)

    monkeypatch.setattr(codes, "compare", slow)
    with pytest.raises(CodeEnded):
        settings.confirm_email(world.principal, box.code(), now=NOON + timedelta(seconds=-1))
    assert settings.settings_of(world.principal).email_open


def test_a_mail_server_in_trouble_is_told_without_the_address(world: World) -> None:
    class Down:
        def send(self, to: str, subject: str, text: str, *, key: str) -> None:
            raise ConnectionRefusedError(to)

    with pytest.raises(settings.EmailNotSent) as refused:
        settings.give_email(world.principal, "a@example.com", now=NOON, gateway=Down())
    assert refused.value.facts == {}


@pytest.mark.parametrize(
    "wrong", ["", "a", "a@b", "a b@c.de", "a@c.de\nBcc: x@y.z", f"{'a' * 250}@c.de", "沈@例子.cn", "<a@c.de>"]
)
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        email_address.normalise(wrong)
    assert (refused.value.at, refused.value.facts["reason"]) == ("email", "email")


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Speak as much SMTP as it takes."""
        self.wfile.write(b"220 test\r\n")
        lines: list[bytes] = []
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line)
                self.server.mails.append(b"".join(lines).decode())  # type: ignore[attr-defined]
            if verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            refused = verb == b"RCPT" and b"nobody@" in line
            self.wfile.write(b"550 no such box\r\n" if refused else b"250 ok\r\n")


@contextmanager
def mail_server() -> Iterator[tuple[str, list[str]]]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail)
    server.mails = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{server.server_address[1]}", server.mails  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_mail_server_gets_a_message_that_carries_its_key() -> None:
    with mail_server() as (url, mails):
        gateway = email.Smtp(url, "Anxiang <news@anxiang.example>")
        gateway.send("shen@example.com", "预约已确认", "3 月 10 日", key="ntd_1")
        with pytest.raises(Undeliverable):
            gateway.send("nobody@example.com", "x", "y", key="ntd_2")
    (mail,) = mails
    assert "Message-ID: <ntd_1@anxiang.example>" in mail
    assert "Subject: =?utf-8?" in mail and "Auto-Submitted: auto-generated" in mail


def test_settings_that_name_no_mail_server_are_an_error_at_start() -> None:
    for url, sender in (("", "a@b.c"), ("http://x", "a@b.c"), ("smtp://x", "")):
        with pytest.raises(ConfigError):
            email.Smtp(url, sender)


def test_mails_are_printed_in_development_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    email.PrintEmail(shown).send("a@example.com", "Subject", "text", key="k")
    assert shown.getvalue() == "E-mail to a@example.com: Subject: text\n"
    for name in ("print", "no.such.module:Gateway", "nothing"):
        values = {"development": False, "email_backend": name}
        monkeypatch.setattr(email, "settings", lambda values=values: type("Production", (), values)())
        with pytest.raises(ConfigError):
            email.backend.__wrapped__()
    nothing = type("Production", (), {"development": False, "email_backend": ""})()
    monkeypatch.setattr(email, "settings", lambda: nothing)
    assert email.backend.__wrapped__() is None
