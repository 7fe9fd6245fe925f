"""A message is taken once and has its place, however many send it at once and wherever a process dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from threading import Barrier, local
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update

from booking.consultation import read, say
from booking.consultation.access import visible
from booking.consultation.close import Closed, close, lock_report, reopen
from booking.consultation.models import Conversation, ConversationMessage, ConversationRead
from booking.consultation.say import Message
from booking.consultation.summary import Summary
from booking.transition import lock_booking
from marketplace.core.config import ROOT, settings
from marketplace.core.database import db as database
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from tests.booking.consultation.rooms import Practice, make_practice
from tests.concurrency.controls import all_at_once, owner
from tests.conftest import TestDatabase
from tests.eventually import eventually
from tests.people import NOON

MANY, FEW = 64, 12
KEY = "one-message-of-hers"


@pytest.fixture
def practice(many_connections: Engine) -> Practice:
    return make_practice()


@pytest.fixture
def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes a turn, and everybody has looked before anybody writes."""
    known, looked = say._known, Barrier(FEW)

    def together(*what: Any) -> Any:
        found = known(*what)
        looked.wait(timeout=20)
        return found

    def unlocked(session: Any, who: Any, conversation: str) -> Any:
        return session.scalars(select(Conversation).where(Conversation.public_id == conversation, visible(who))).one()

    monkeypatch.setattr(say, "_known", together)
    monkeypatch.setattr(say, "lock", unlocked)


@pytest.fixture
def bare(
    other_database: Callable[[str], TestDatabase], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Another database under the application; the function takes away what makes a message one."""
    made = other_database("conversation_bare")
    monkeypatch.setenv("DATABASE_URL", made.database_url)
    monkeypatch.setenv("DATABASE_POOL_SIZE", "24")
    database.forget_engines()
    settings.cache_clear()

    def strip() -> None:
        with owner(made.owner_url) as connection:
            names = connection.execute(
                text(
                    "SELECT conname FROM pg_constraint WHERE contype = 'u'"
                    " AND conrelid = CAST('conversation_message' AS regclass)"
                )
            ).scalars()
            for name in list(names):
                connection.exec_driver_sql(f'ALTER TABLE conversation_message DROP CONSTRAINT "{name}"')

    yield strip
    database.forget_engines()
    settings.cache_clear()


def stored() -> list[int]:
    """The numbers of all messages, and that of the newest by the conversation itself at the end."""
    with reading() as session:
        seqs = session.scalars(select(ConversationMessage.seq).order_by(ConversationMessage.seq)).all()
        return [*seqs, session.scalars(select(Conversation.last_seq)).one()]


def begun(practice: Practice) -> str:
    """A conversation in which something was said before: nothing is pledged by what follows, and only its own row is
    locked."""
    conversation = practice.open().conversation
    with transaction() as session:
        session.execute(update(Conversation).values(first_message_at=NOON))
    return conversation


def until_taken(say: Callable[[], Message]) -> Message:
    """As a device does on a crowded machine: what was answered by Busy is sent again."""
    while True:
        try:
            return say()
        except Busy:
            continue


def asked(practice: Practice, conversation: str, times: int) -> list[Message | Exception]:
    return all_at_once([lambda: until_taken(lambda: practice.ask(conversation, "嗓子疼", key=KEY))] * times)


def test_a_message_that_is_sent_64_times_at_once_is_one_message_with_one_number(practice: Practice) -> None:
    conversation = practice.open().conversation
    results = asked(practice, conversation, MANY)

    taken = [each for each in results if isinstance(each, Message)]
    assert len(taken) == MANY, Counter(map(repr, results))
    assert len({(it.public_id, it.seq) for it in taken}) == 1
    assert sum(not it.replayed for it in taken) == 1
    assert stored() == [1, 1]


def test_64_messages_at_once_have_64_numbers_without_a_gap(practice: Practice) -> None:
    conversation = practice.open().conversation
    keys = [f"message-{number}" for number in range(MANY)]
    results = all_at_once(
        [lambda key=key: until_taken(lambda: practice.ask(conversation, "嗓子疼", key=key)) for key in keys]  # type: ignore[misc]
    )

    assert sorted(each.seq for each in results if isinstance(each, Message)) == list(range(1, MANY + 1))
    assert stored() == [*range(1, MANY + 1), MANY]


def test_without_the_lock_the_constraint_refuses_the_others(practice: Practice, without_lock: None) -> None:
    conversation = begun(practice)
    results = Counter(type(each).__name__ for each in asked(practice, conversation, FEW))

    assert results == {"Message": 1, "IntegrityError": FEW - 1}
    assert stored() == [1, 1]


def test_without_lock_and_constraint_one_message_is_many(without_lock: None, bare: Callable[[], None]) -> None:
    practice = make_practice()
    conversation = begun(practice)
    bare()
    results = Counter(type(each).__name__ for each in asked(practice, conversation, FEW))

    assert results == {"Message": FEW}
    assert stored() == [1] * FEW + [1], "and all of them have one number"


def test_who_closes_again_while_it_is_closed_is_answered_the_same_report(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    practice.answer(conversation, "多久了？")
    looked, before = Barrier(FEW), local()

    def together(*what: Any) -> Any:
        """All have looked for the report before anybody makes it."""
        found = lock_report(*what)
        if not getattr(before, "looked", False):
            before.looked = True
            looked.wait(timeout=20)
        return found

    monkeypatch.setattr("booking.consultation.close.lock_report", together)
    results = all_at_once([lambda: close(practice.clinician, conversation, Summary("急性咽炎"), now=NOON)] * FEW)

    done = [each for each in results if isinstance(each, Closed)]
    assert len(done) == FEW, Counter(map(repr, results))
    assert sum(not each.replayed for each in done) == 1
    assert len({each.report for each in done}) == 1 and done[0].report is not None


def test_two_who_write_at_once_are_in_the_order_of_their_numbers(practice: Practice) -> None:
    conversation = practice.open().conversation
    practice.answer(conversation, "begin")

    def until_taken(speak: Callable[..., Message], words: str) -> int:
        while True:
            try:
                return speak(conversation, words, key=f"message-{words}").seq
            except Busy:  # a crowded machine: the same request may be sent again
                continue

    def customer() -> list[int]:
        return [until_taken(practice.ask, f"c{turn}") for turn in range(20)]

    def clinician() -> list[int]:
        return [until_taken(practice.answer, f"d{turn}") for turn in range(20)]

    hers, doctors = all_at_once([customer, clinician])
    assert isinstance(hers, list) and isinstance(doctors, list)
    assert sorted(hers + doctors) == list(range(2, 42))
    found = read.messages_after(practice.world.principal, conversation, 1, now=NOON)
    assert [it.text for it in found if it.author == "customer"] == [f"c{turn}" for turn in range(20)]
    assert [it.text for it in found if it.author == "clinician"] == [f"d{turn}" for turn in range(20)]
    assert [it.seq for it in found if it.author == "customer"] == hers


def somebody_waits() -> bool:
    """Whether a session of this database waits for a lock."""
    waits = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
    )
    with reading() as session:
        return bool(session.scalar(text(waits)))


def test_what_waits_for_the_conversation_is_timed_when_it_has_it(practice: Practice) -> None:
    """A customer's words are under way while the doctor closes: the summary comes after them, by its moment too."""
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    practice.answer(conversation, "多久了？")
    waits = Barrier(2)
    moments = count()

    def present(session: object) -> datetime:
        return NOON + timedelta(seconds=next(moments))

    def closing() -> Closed:
        waits.wait(timeout=20)
        return close(practice.clinician, conversation, Summary("急性咽炎"), now=present)

    def going_on() -> datetime:
        with transaction() as session:
            booking_of_it = session.scalars(select(Conversation.booking_id)).one()
            lock_booking(session, booking_of_it)
            waits.wait(timeout=20)
            eventually(somebody_waits)
            return present(session)

    closed, before = all_at_once([closing, going_on])
    assert isinstance(closed, Closed) and isinstance(before, datetime)
    assert before < closed.at
    reopen(practice.world.principal, conversation, now=present)
    lines = read.messages_after(practice.world.principal, conversation, 0, now=NOON + timedelta(minutes=1))
    assert [each.at for each in lines] == sorted(each.at for each in lines)


def test_a_process_that_is_killed_while_it_adds_a_message_leaves_no_gap(
    db: Engine, worker_database: TestDatabase
) -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    me = practice.world.principal
    program = f"""
import os, signal
from datetime import datetime
from booking.consultation import say
from vip.principal import Principal
added = say.append
def dies(*what, **how):
    message = added(*what, **how)
    assert message.seq == 2
    os.kill(os.getpid(), signal.SIGKILL)
say.append = dies
now = datetime.fromisoformat({NOON.isoformat()!r})
say.customer_says({me!r}, {conversation!r}, say.Said({KEY!r}, "三天了"), now=now)
"""
    died = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=worker_database.environment, capture_output=True, check=False
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert stored() == [1, 1]

    again = practice.ask(conversation, "三天了", key=KEY)
    assert (again.seq, again.replayed) == (2, False)
    assert practice.answer(conversation, "发烧吗？").seq == 3


def test_whoever_closes_and_whoever_writes_at_once_take_turns(practice: Practice) -> None:
    conversation = practice.open().conversation
    practice.answer(conversation, "begin")
    works: list[Callable[[], Any]] = [lambda: practice.ask(conversation, "还有")] * 8
    works.append(lambda: close(practice.clinician, conversation, Summary("小结"), now=NOON))
    results = all_at_once(works)

    assert {type(each).__name__ for each in results} <= {"Message", "Closed", "ConversationClosed"}
    taken = sum(isinstance(each, Message) for each in results)
    assert stored() == [*range(1, taken + 3), taken + 2]
    last = read.messages_after(practice.world.principal, conversation, 0, now=NOON)[-1]
    assert last.kind == "summary", "nothing was added after it was closed"


def test_read_marks_of_many_devices_at_once_are_one_that_went_furthest(practice: Practice) -> None:
    conversation = practice.open().conversation
    for turn in range(9):
        practice.ask(conversation, f"c{turn}")
    me = practice.world.principal
    all_at_once([lambda seq=seq: read.mark_read(me, conversation, seq, NOON) for seq in (3, 9, 1, 5, 8, 2, 7, 4, 6)])

    with reading() as session:
        assert session.scalars(select(ConversationRead.seq)).all() == [9]
