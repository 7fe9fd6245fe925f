"""Addresses that were proved, and a mail server that is used or in trouble."""

from __future__ import annotations

import io
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from booking.messages import settings
from marketplace.core.config import ConfigError
from marketplace.core.errors import Invalid, TooMany
from marketplace.core.sending import email
from marketplace.core.sending.outgoing import Undeliverable
from tests.booking.messages.sending import MailBox, confirmed, states
from tests.people import NOON
from tests.world import World
from vip.customers import email_address
from vip.signin import codes
from vip.signin.codes import CodeEnded, WrongCode

MINUTE = timedelta(minutes=1)


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
    settings.give_email(world.principal, "other@example.com", now=NOON + MINUTE, gateway=box)
    assert settings.settings_of(world.principal).email_open, "another address needs a code of its own"
    settings.forget_email(world.principal, now=NOON)
    assert settings.settings_of(world.principal).email_masked == ""


def test_a_code_is_for_the_address_it_was_sent_to(world: World) -> None:
    first, second = MailBox(), MailBox()
    settings.give_email(world.principal, "a@example.com", now=NOON, gateway=first)
    settings.give_email(world.principal, "b@example.com", now=NOON + MINUTE, gateway=second)
    if first.code() != second.code():
        with pytest.raises(WrongCode):
            settings.confirm_email(world.principal, first.code(), now=NOON + MINUTE)


def test_a_customer_has_five_codes_an_hour_sent_to_whatever_addresses(world: World) -> None:
    box = MailBox()
    for number in range(5):
        settings.give_email(world.principal, f"stranger{number}@example.com", now=NOON + number * MINUTE, gateway=box)
    with pytest.raises(TooMany):
        settings.give_email(world.principal, "stranger6@example.com", now=NOON + 5 * MINUTE, gateway=box)


def test_another_code_within_a_minute_is_refused_and_the_one_before_stays_good(world: World) -> None:
    first, second = MailBox(), MailBox()
    settings.give_email(world.principal, "mine@example.com", now=NOON, gateway=first)
    for seconds, wait in ((0, 60), (20.5, 40), (59, 1)):
        with pytest.raises(TooMany) as refused:
            settings.give_email(
                world.principal, "another@example.com", now=NOON + timedelta(seconds=seconds), gateway=second
            )
        assert refused.value.facts["retry_after"] == wait
    assert second.mails == [] and settings.settings_of(world.principal).email_masked == "m***@example.com"
    settings.confirm_email(world.principal, first.code(), now=NOON + timedelta(seconds=59))
    assert not settings.settings_of(world.principal).email_open


def test_a_code_that_was_used_or_never_arrived_spaces_the_next_one_too(world: World) -> None:
    class Down:
        def send(self, to: str, subject: str, text: str, *, key: str) -> None:
            raise ConnectionRefusedError(to)

    box, later = MailBox(), NOON + MINUTE
    settings.give_email(world.principal, "mine@example.com", now=NOON, gateway=box)
    settings.confirm_email(world.principal, box.code(), now=NOON)
    with pytest.raises(TooMany):
        settings.give_email(world.principal, "another@example.com", now=NOON, gateway=box)
    with pytest.raises(settings.EmailNotSent):
        settings.give_email(world.principal, "another@example.com", now=later, gateway=Down())
    with pytest.raises(TooMany):
        settings.give_email(world.principal, "another@example.com", now=later, gateway=box)
    settings.give_email(world.principal, "another@example.com", now=later + MINUTE, gateway=box)


def test_a_refusal_names_the_second_from_which_on_neither_limit_is_in_the_way(world: World) -> None:
    box = MailBox()
    for seconds in (0, 60, 120, 180, 684):  # then 0.95 of the next of five an hour is there
        settings.give_email(world.principal, "mine@example.com", now=NOON + timedelta(seconds=seconds), gateway=box)
    with pytest.raises(TooMany) as refused:
        settings.give_email(world.principal, "mine@example.com", now=NOON + timedelta(seconds=690), gateway=box)
    assert refused.value.facts["retry_after"] == 54
    settings.give_email(world.principal, "mine@example.com", now=NOON + timedelta(seconds=744), gateway=box)


def test_an_address_given_while_a_code_is_compared_is_not_confirmed_by_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, compare = MailBox(), codes.compare
    settings.give_email(world.principal, "mine@example.com", now=NOON, gateway=box)

    def slow(*given: Any, **named: Any) -> Any:
        settings.give_email(world.principal, "another@example.com", now=NOON + MINUTE, gateway=MailBox())
        return compare(*given, **named)

    monkeypatch.setattr(codes, "compare", slow)
    with pytest.raises(CodeEnded):
        settings.confirm_email(world.principal, box.code(), now=NOON + MINUTE - timedelta(seconds=1))
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
