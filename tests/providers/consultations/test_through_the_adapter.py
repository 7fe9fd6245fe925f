"""The whole of it through our adapter: what is opened and said arrives, what doctors say is read and told."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, date, datetime

from marketplace.core import clock
from providers.adapters.open_protocol import OpenProtocol
from providers.conversing import CloseConversation, OpenConversation, OutgoingMessage, Picture, Posted
from providers.port import Accepted, Cancel, Confirmed, LookUp, Person, Refused, Unknown
from providers.reported import RemoteBooking
from tests.eventually import eventually
from tests.providers.consultations.asking import OFFER
from tests.sandboxes import Inbox, Sandbox

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 1_500_000


def wish(**facts: object) -> OpenConversation:
    ours = "B-" + secrets.token_hex(6)
    person = Person("王小明", "male", date(1990, 5, 1))
    made = OpenConversation(f"{ours}-open", ours, OFFER, "internal", "en", person, {}, False, 90)
    return OpenConversation(**{**vars(made), **facts})


def begun(adapter: OpenProtocol, conversation: OpenConversation) -> str:
    answer = adapter.open(conversation)
    assert isinstance(answer, (Confirmed, Accepted))
    return answer.reference


def words(conversation: OpenConversation, reference: str, seq: int, text: str) -> OutgoingMessage:
    ours = conversation.our_reference
    return OutgoingMessage(f"{ours}-{seq}", reference, ours, seq, datetime(2026, 3, 2, tzinfo=UTC), text)


def test_a_consultation_from_its_beginning_to_its_summary(doctors: Sandbox, inbox: Inbox) -> None:
    adapter, conversation = OpenProtocol(doctors.connection("quick")), wish()
    reference = begun(adapter, conversation)
    assert begun(adapter, conversation) == reference
    first = words(conversation, reference, 1, "Pain in the back")
    assert adapter.post(first) == adapter.post(first) == Posted()
    assert isinstance(adapter.post(words(conversation, reference, 1, "Other words")), Refused)
    eventually(lambda: adapter.said_after(reference, 0).messages)
    picture = Picture(PNG, "image/png", hashlib.sha256(PNG).hexdigest())
    shown = OutgoingMessage(
        f"{conversation.our_reference}-3", reference, conversation.our_reference, 3, first.sent_at, picture=picture
    )
    assert adapter.post(shown) == Posted()
    eventually(lambda: len(adapter.said_after(reference, 0).messages) == 3)
    page = adapter.said_after(reference, 0)
    assert ([line.seq for line in page.messages], page.next, list(page.unreadable)) == ([1, 2, 3], None, [])
    assert "Pain in the back" in page.messages[0].text and "picture" in page.messages[1].text
    summary = page.messages[2].summary
    assert summary is not None and "internal medicine" in summary.summary and summary.next_service == "health_check"
    assert {line.clinician for line in page.messages} <= {each.code for each in adapter.clinicians()}
    found = adapter.look_up(LookUp("", conversation.our_reference))
    assert isinstance(found, RemoteBooking) and found.status == "fulfilled"

    def told() -> list[object]:
        events = [adapter.read_event(message.headers, message.body, clock.now()) for message in list(inbox.received)]
        return [it.message for it in events if it.message is not None and it.message.reference == reference]

    eventually(lambda: told() == list(page.messages))


def test_a_picture_of_a_doctor_is_fetched(doctors: Sandbox) -> None:
    adapter, conversation = OpenProtocol(doctors.connection("drawing")), wish()
    reference = begun(adapter, conversation)
    adapter.post(words(conversation, reference, 1, "Fever"))
    eventually(lambda: len(adapter.said_after(reference, 0).messages) == 2)
    line = adapter.said_after(reference, 1).messages[0]
    fetched = adapter.fetch_picture(line)
    assert fetched.content_type == "image/png" and hashlib.sha256(fetched.content).hexdigest() == fetched.sha256


def test_it_is_closed_or_cancelled(doctors: Sandbox) -> None:
    adapter, conversation, other = OpenProtocol(doctors.connection("silent")), wish(), wish()
    reference, second = begun(adapter, conversation), begun(adapter, other)
    over = CloseConversation(f"{conversation.our_reference}-close", reference, conversation.our_reference, "idle")
    assert adapter.close(over) == adapter.close(over) == Posted()
    cancel = Cancel(f"{other.our_reference}-cancel", other.our_reference, second, "customer", 1)
    assert isinstance(adapter.cancel(cancel), Confirmed)
    assert adapter.post(words(other, second, 1, "?")) == Refused("closed", "The consultation is over")


def test_what_was_carried_out_without_an_answer_is_unknown_and_taken_once(doctors: Sandbox) -> None:
    adapter, conversation = OpenProtocol(doctors.connection("silent")), wish()
    doctors.control("silent").fault("error_after_commit", "open")
    assert isinstance(adapter.open(conversation), Unknown)
    reference = begun(adapter, conversation)
    doctors.control("silent").fault("commit_then_drop", "post")
    first = words(conversation, reference, 1, "?")
    assert isinstance(adapter.post(first), Unknown)
    assert adapter.post(first) == Posted()
    kept = doctors.control("silent").consultations(conversation.our_reference)
    assert [(each["id"], each["seq"]) for each in kept[0]["heard"]] == [(first.id, 1)]


def test_a_line_that_breaks_the_contract_stops_no_other(doctors: Sandbox) -> None:
    adapter, conversation = OpenProtocol(doctors.connection("silent")), wish()
    reference, control = begun(adapter, conversation), doctors.control("silent")
    control.fault("line_unreadable")
    control.say(reference, text="one")
    control.say(reference, text="two")
    page = adapter.said_after(reference, 0)
    assert [line.seq for line in page.messages] == [2]
    assert [(row.reason, row.seq) for row in page.unreadable] == [("kind.unknown", 1)]
