"""An endpoint that stops by itself: its provider's people are written to, once, whatever dies in between."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from booking.webhooks import contacts, endpoints, stopped
from booking.webhooks.contacts import Contact
from booking.webhooks.models import WebhookEndpoint
from booking.webhooks.stopped import StoppedLetter, deliver_messages
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid
from marketplace.core.sending import email
from marketplace.core.sending.outgoing import Undeliverable
from marketplace.messages import to_providers
from tests.booking.webhooks.hooks import BY, booked, send_due
from tests.booking.webhooks.receiver import Receiver
from tests.concurrency.controls import all_at_once
from tests.people import NOON
from tests.world import World

DAY = timedelta(days=1)
PAUSED = NOON + 6 * DAY
BOTH = [Contact("it@hospital.example", "zh"), Contact("desk@hospital.example", "en")]


class Mail:
    """A mail server that keeps what it was given, or does not work."""

    def __init__(self, broken: Exception | None = None) -> None:
        self.sent: list[StoppedLetter] = []
        self.broken = broken

    def __call__(self, letter: StoppedLetter) -> None:
        if self.broken is not None:
            raise self.broken
        self.sent.append(letter)

    def deliver(self, now: datetime = PAUSED) -> dict[str, int]:
        return deliver_messages(self, lambda: now)


def tell(world: World, *who: Contact) -> None:
    contacts.set_contacts(world.provider.id, who, by=BY, now=NOON)


def paused(world: World, receiver: Receiver) -> endpoints.Endpoint:
    """An endpoint that has just been paused for failing."""
    endpoint = booked(world, receiver.url + "/with/a/key")
    receiver.says(500)
    send_due()
    send_due(PAUSED)
    return endpoints.one(world.provider.id, endpoint.id)


def states() -> list[str]:
    with reading() as session:
        return list(session.scalars(text("SELECT state FROM provider_message ORDER BY id")))


def test_each_contact_is_written_to_once_when_an_endpoint_is_paused(world: World, receiver: Receiver) -> None:
    tell(world, *BOTH)
    endpoint, mail = paused(world, receiver), Mail()
    assert (endpoint.state, endpoint.reason) == ("paused", "failing")
    assert mail.deliver() == {"sent": 2}
    assert mail.deliver() == {}
    assert [(it.to, it.language) for it in mail.sent] == [(each.email, each.language) for each in BOTH]
    assert {(it.reason, it.failing_since, it.stopped_at, it.host) for it in mail.sent} == {
        ("failing", NOON, PAUSED, "127.0.0.1")
    }
    assert len({it.key for it in mail.sent}) == 2


def test_they_are_written_to_when_a_receiver_is_gone(world: World, receiver: Receiver) -> None:
    tell(world, BOTH[1])
    booked(world, receiver.url)
    receiver.says(410)
    assert send_due() == ["failed"]
    mail = Mail()
    mail.deliver()
    assert [it.reason for it in mail.sent] == ["gone"]


def test_one_that_is_resumed_and_fails_again_is_told_again(world: World, receiver: Receiver) -> None:
    tell(world, BOTH[0])
    endpoint, mail = paused(world, receiver), Mail()
    again = (world.provider.id, endpoint.id, receiver.url, endpoint.event_types, "active")
    endpoints.change(*again, by=BY, now=PAUSED)  # type: ignore[arg-type]
    for later in (PAUSED + DAY, PAUSED + 7 * DAY):
        send_due(later)
    mail.deliver(PAUSED + 7 * DAY)
    assert [it.stopped_at for it in mail.sent] == [PAUSED, PAUSED + 7 * DAY]


def stop_often(world: World, times: int, now: datetime) -> None:
    with transaction() as session:
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        for number in range(times):
            stopped._write_down(session, endpoint, "gone", None, now + timedelta(seconds=number))
            session.flush()


def test_nobody_is_written_to_more_than_five_times_a_day(world: World, receiver: Receiver) -> None:
    tell(world, BOTH[0])
    booked(world, receiver.url)
    stop_often(world, 7, NOON)
    assert len(states()) == stopped.MOST_A_DAY == 5
    stop_often(world, 1, NOON + DAY + timedelta(seconds=5))
    assert len(states()) == 6


def stop_two_at_once(world: World, monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    """Four letters were written today; two endpoints stop. Neither goes on before both have counted, or so many seconds
    are over since one waits."""
    stop_often(world, 4, NOON)
    counted, both = stopped._not_told_enough, Barrier(2)

    def together(*arguments: Any) -> Any:
        kept = counted(*arguments)
        with suppress(BrokenBarrierError):
            both.wait(patience)
        return kept

    monkeypatch.setattr(stopped, "_not_told_enough", together)
    later = [NOON + timedelta(minutes=number) for number in (1, 2)]
    assert all_at_once([partial(stop_often, world, 1, each) for each in later]) == [None, None]


def test_two_endpoints_that_stop_at_once_write_no_sixth_letter(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(world, BOTH[0])
    booked(world, receiver.url)
    stop_two_at_once(world, monkeypatch, 1)
    assert len(states()) == stopped.MOST_A_DAY


def test_without_the_lock_they_do(world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(world, BOTH[0])
    booked(world, receiver.url)
    monkeypatch.setattr(contacts, "lock", lambda session, provider_id: None)
    stop_two_at_once(world, monkeypatch, 30)
    assert len(states()) == stopped.MOST_A_DAY + 1


def test_who_is_given_again_and_again_is_not_written_to_without_end(world: World, receiver: Receiver) -> None:
    booked(world, receiver.url)
    for number in range(8):
        tell(world, Contact(BOTH[0].email, "en" if number % 2 else "zh"))
        stop_often(world, 5, NOON)
    assert len(states()) == stopped.MOST_A_DAY * contacts.MOST


def test_a_pause_that_is_taken_back_writes_nothing_and_one_that_commits_always_does(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is a row of the transaction that stops the endpoint: there is no moment between the two."""
    tell(world, BOTH[0])
    booked(world, receiver.url)
    receiver.says(410)
    wrote = stopped._write_down

    def dies(*arguments: object) -> None:
        wrote(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(stopped, "_write_down", dies)
    with pytest.raises(KeyboardInterrupt):
        send_due()
    assert ([each.state for each in endpoints.listed(world.provider.id)], states()) == (["active"], [])
    monkeypatch.undo()
    assert send_due(NOON + DAY) == ["failed"]
    assert ([each.state for each in endpoints.listed(world.provider.id)], states()) == (["ended"], ["queued"])


def test_a_worker_that_dies_after_sending_has_it_sent_again_under_the_same_key(
    world: World, receiver: Receiver
) -> None:
    tell(world, BOTH[0])
    paused(world, receiver)
    mail = Mail()
    [(message, tries)] = stopped.claim(now=PAUSED)
    with reading() as session:
        letter = stopped._letter(session, message)
    assert letter is not None
    mail(letter)  # and dies
    assert mail.deliver(PAUSED + stopped.LEASE - timedelta(seconds=1)) == {}
    assert mail.deliver(PAUSED + stopped.LEASE) == {"sent": 1}
    assert len({it.key for it in mail.sent}) == 1
    assert stopped.deliver(message, tries, mail, lambda: PAUSED) == "overtaken"
    assert states() == ["sent"]


def test_a_mail_server_that_does_not_work_is_tried_again_and_given_up_in_the_end(
    world: World, receiver: Receiver
) -> None:
    tell(world, BOTH[0])
    paused(world, receiver)
    broken, now, outcomes = Mail(ConnectionRefusedError()), PAUSED, []
    while states() == ["queued"]:
        outcomes += broken.deliver(now)
        now += timedelta(hours=6)
    assert outcomes == ["again"] * (stopped.TRIES - 1) + ["failed"]


def test_where_there_is_no_mail_server_it_is_recorded_as_failed(world: World, receiver: Receiver) -> None:
    tell(world, BOTH[0])
    paused(world, receiver)
    assert Mail(Undeliverable("no e-mail gateway")).deliver() == {"failed": 1}


def test_a_contact_that_ended_meanwhile_is_written_to_no_more(world: World, receiver: Receiver) -> None:
    tell(world, *BOTH)
    paused(world, receiver)
    tell(world, BOTH[1])
    mail = Mail()
    assert mail.deliver() == {"dropped": 1, "sent": 1}
    assert [it.to for it in mail.sent] == [BOTH[1].email]


def test_without_a_contact_the_pause_stands_and_nobody_is_written_to(world: World, receiver: Receiver) -> None:
    assert (paused(world, receiver).state, states()) == ("paused", [])


def test_who_deletes_or_pauses_an_endpoint_herself_is_not_told(world: World, receiver: Receiver) -> None:
    tell(world, BOTH[0])
    endpoint = booked(world, receiver.url)
    place = (world.provider.id, endpoint.id)
    endpoints.change(*place, receiver.url, endpoint.event_types, "paused", by=BY, now=NOON)
    endpoints.delete(*place, by=BY, now=NOON)
    assert states() == []


def test_old_messages_are_forgotten_and_one_that_waits_is_not(world: World, receiver: Receiver) -> None:
    tell(world, BOTH[0])
    paused(world, receiver)
    late = PAUSED + stopped.KEPT + DAY
    assert stopped.forget_messages(now=late) == 0
    Mail().deliver()
    assert stopped.forget_messages(now=late) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("reason", ["failing", "gone"])
def test_the_letter_says_what_stopped_and_what_to_do_in_the_contacts_language(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, language: str, reason: str
) -> None:
    sent: list[tuple[str, ...]] = []

    class Server:
        def send(self, to: str, subject: str, words: str, *, key: str) -> None:
            sent.append((to, subject, words, key))

    tell(world, Contact("it@hospital.example", "en" if language == "en" else "zh"))
    endpoint = booked(world, receiver.url + "/with/a/key")
    with transaction() as session:
        row = session.get_one(endpoints.WebhookEndpoint, 1)
        row.failing_since = NOON
        stopped.stop(session, row, "gone" if reason == "gone" else "failing", PAUSED)
    monkeypatch.setattr(email, "backend", Server)
    assert deliver_messages(to_providers.send, lambda: PAUSED) == {"sent": 1}
    [(to, subject, words, _)] = sent
    assert to == "it@hospital.example"
    assert ("Hexin" in subject) == (language == "en") and ("和馨" in subject) == (language == "zh")
    assert endpoint.id in words and "127.0.0.1" in words and "2026-03-08 04:00 UTC" in words
    assert "/key" not in words and "{" not in words


def test_contacts_are_replaced_as_a_whole_and_stored_sealed(world: World, db: Engine) -> None:
    tell(world, *BOTH)
    tell(world, BOTH[1], Contact("New@Hospital.Example", "zh"))
    assert contacts.contacts_of(world.provider.id) == [BOTH[1], Contact("New@hospital.example", "zh")]
    with db.connect() as connection:
        rows = connection.execute(text("SELECT email_sealed, ended_at FROM provider_contact ORDER BY id")).all()
        facts = connection.execute(text("SELECT CAST(facts AS text) FROM audit_line")).scalars().all()
    assert [row.email_sealed is None for row in rows] == [True, False, False]
    assert all(b"hospital" not in bytes(row.email_sealed) for row in rows if row.email_sealed)
    assert not any("hospital" in line for line in facts)


def test_an_address_that_is_none_and_too_many_are_refused(world: World) -> None:
    for wrong in ([Contact("hospital.example", "zh")], [Contact(f"a{n}@hospital.example", "zh") for n in range(6)]):
        with pytest.raises(Invalid):
            tell(world, *wrong)
    assert contacts.contacts_of(world.provider.id) == []
