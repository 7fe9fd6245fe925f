"""Invitations are sent once each, and none is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from marketplace.core.errors import Invalid, TooMany
from marketplace.core.sending import email
from marketplace.core.sending.outgoing import Undeliverable
from providers.staff.invitations import (
    accept,
    invite,
    open_invitations,
)
from providers.staff.letters import LEASE, TRIES, Post
from providers.staff.post import INVITATIONS
from tests.desk import PASSWORD
from tests.people import NOON
from tests.providers.staff.invitations import MAIL, NUMBER, Letters, sent, stored
from vip.principal import Member
from vip.signin.signin import RECENT, SignInAgain

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.mark.parametrize(
    ("to", "role", "at"), [("1390", "manager", "to"), ("a@b", "manager", "to"), (NUMBER, "owner", "role")]
)
def test_what_cannot_be_used_is_named(fang: Member, to: str, role: str, at: str) -> None:
    with pytest.raises(Invalid) as refused:
        invite(fang, to, role, "zh", now=NOON)  # type: ignore[arg-type]
    assert refused.value.at == at


def test_without_e_mail_nobody_is_invited_by_it(fang: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "backend", lambda: None)
    with pytest.raises(Invalid) as refused:
        invite(fang, MAIL, "front_desk", "zh", now=NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == ("to", "no_email")


def test_a_provider_sends_twenty_at_once_and_three_to_one_address(fang: Member) -> None:
    for _ in range(3):
        invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    with pytest.raises(TooMany):
        invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    for n in range(17):
        invite(fang, f"139000020{n:02}", "front_desk", "zh", now=NOON)
    with pytest.raises(TooMany):
        invite(fang, MAIL, "front_desk", "zh", now=NOON)
    assert invite(fang, MAIL, "front_desk", "zh", now=NOON + timedelta(minutes=4))


def test_a_session_that_was_left_open_invites_nobody(fang: Member) -> None:
    with pytest.raises(SignInAgain):
        invite(fang, NUMBER, "manager", "zh", now=NOON + RECENT + timedelta(seconds=1))


class Trouble:
    """A gateway that fails some times, with whatever it raises."""

    def __init__(self, times: int, error: Callable[[], Exception], then: Letters) -> None:
        self.left, self.error, self.then = times, error, then

    def __call__(self, it: Post) -> None:
        """Fail, or take it."""
        if self.left:
            self.left -= 1
            raise self.error()
        self.then(it)


def test_none_is_lost_while_the_gateway_fails(fang: Member, letters: Letters) -> None:
    invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    now, outcomes = NOON, []
    trouble = Trouble(5, lambda: RuntimeError("13900001111"), letters)
    for seconds in (0, 30, 120, 480, 1920, 7200):
        now += timedelta(seconds=seconds)
        outcomes.append(INVITATIONS.send_due(lambda: now, send=trouble))  # noqa: B023
    assert outcomes == [{"again": 1}] * 5 + [{"sent": 1}]
    assert accept(letters.token, "chen", PASSWORD, "陈可", now=now)


@pytest.mark.parametrize("error", [Undeliverable, RuntimeError])
def test_what_cannot_be_delivered_is_shown_as_that(fang: Member, letters: Letters, error: type[Exception]) -> None:
    invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    now, trouble = NOON, Trouble(99, lambda: error("x"), letters)
    for _ in range(TRIES):
        INVITATIONS.send_due(lambda: now, send=trouble)  # noqa: B023
        now += timedelta(hours=3)
    assert INVITATIONS.send_due(lambda: now, send=letters) == {}
    [line] = open_invitations(fang, now=now)
    assert line.state == "not_sent" and stored().token_sealed is None


def test_a_worker_that_dies_leaves_it_to_the_next_one_and_records_nothing_afterwards(
    fang: Member, letters: Letters
) -> None:
    asked = invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    dead = INVITATIONS.claim(now=NOON)
    assert dead is not None and INVITATIONS.claim(now=NOON) is None, "one worker at a time has it"
    later = NOON + LEASE
    assert sent(letters, later) == {"sent": 1} and letters.all[0].key == asked
    assert INVITATIONS.deliver(dead, letters, lambda: later) == "gone"


def test_a_slow_worker_records_nothing_once_another_has_it(fang: Member, letters: Letters) -> None:
    invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    slow, later = INVITATIONS.claim(now=NOON), NOON + LEASE
    newer = INVITATIONS.claim(now=later)
    assert slow is not None and newer is not None
    assert INVITATIONS.deliver(slow, Trouble(1, RuntimeError, letters), lambda: later) == "overtaken"
    assert stored().failures == 0 and stored().lease_until == later + LEASE
    assert INVITATIONS.deliver(newer, letters, lambda: later) == "sent"
