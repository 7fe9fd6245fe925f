"""A pledge is broken once and compensated once, and the controls that show these tests can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.pledges import keep
from booking.pledges.keep import keep_pledges
from booking.pledges.models import Pledge
from marketplace.core.config import settings
from marketplace.core.database import db as database
from tests.booking.consultation.rooms import make_practice
from tests.booking.pledges.rows import after, compensations, granted, notices, pledges, the_pledge
from tests.concurrency.controls import all_at_once, owner
from tests.conftest import TestDatabase


@pytest.fixture
def scratch(other_database: Callable[[str], TestDatabase], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestDatabase]:
    """A database whose schema may be changed; the product works on it."""
    made = other_database("pledges")
    monkeypatch.setenv("DATABASE_URL", made.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", made.owner_url)
    _forget()
    yield made
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    database.forget_engines()
    settings.cache_clear()


def without_lock(monkeypatch: pytest.MonkeyPatch, rivals: int) -> None:
    """Each reads the pledge as it is, and none goes on before all have read it."""
    read = Barrier(rivals)

    def look(session: Session, pledge_id: int) -> Pledge | None:
        found = session.scalar(select(Pledge).where(Pledge.id == pledge_id))
        read.wait(timeout=30)
        return found

    monkeypatch.setattr(keep, "lock_due", look)


def a_late_pledge() -> None:
    practice = make_practice()
    practice.ask(practice.open().conversation, "嗓子疼")


@pytest.mark.usefixtures("many_connections")
def test_twelve_workers_at_once_break_each_pledge_once() -> None:
    practice = make_practice(quantity=50)
    for number in range(5):
        practice.ask(practice.open().conversation, "嗓子疼", now=after(number))
    passes = all_at_once([lambda: keep_pledges(now=after(100))] * 12)
    assert not [failed for failed in passes if isinstance(failed, Exception)]
    keep_pledges(now=after(101))
    assert [each.state for each in pledges()] == ["breached"] * 5
    assert len(compensations()) == len(notices()) == 5
    assert len(granted()) == 6


@pytest.mark.usefixtures("many_connections")
def test_an_answer_and_the_clock_at_once_agree_by_the_moment() -> None:
    for seconds, state in ((89.5, "met"), (90.5, "breached")):
        practice = make_practice(phone=f"138000{int(seconds * 10):05d}")
        opened = practice.open().conversation
        practice.ask(opened, "嗓子疼")
        works: list[Callable[[], object]] = [lambda: keep_pledges(now=after(91))] * 6
        answer = lambda p=practice, c=opened, s=seconds: p.answer(c, "多久了？", now=after(s))  # noqa: E731
        if state == "met":  # whose moment lies before the pass has the lock before it
            answer()
            all_at_once(works)
        else:
            all_at_once([*works, answer])
        assert pledges()[-1].state == state
    assert len(compensations()) == 1


@pytest.mark.usefixtures("scratch")
def test_without_lock_and_constraint_it_is_compensated_twice(
    scratch: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_late_pledge()
    with owner(scratch.owner_url) as connection:
        connection.execute(text("ALTER TABLE pledge_compensation DROP CONSTRAINT pk_pledge_compensation"))
        connection.execute(text("DROP TRIGGER pledge_ends ON pledge"))
    without_lock(monkeypatch, 2)
    assert [each["breached"] for each in _passes(2)] == [1, 1]
    assert granted() == [(2, 1), (1, 1), (1, 1)]


@pytest.mark.usefixtures("scratch")
def test_without_the_lock_alone_the_constraint_refuses_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    a_late_pledge()
    without_lock(monkeypatch, 2)
    refused: list[Exception] = []
    real = keep.breach

    def noted(session: Session, pledge: Pledge, *, now: object) -> None:
        try:
            real(session, pledge, now=now)  # type: ignore[arg-type]
        except IntegrityError as failed:
            refused.append(failed)
            raise

    monkeypatch.setattr(keep, "breach", noted)
    assert sorted((each["breached"], each["broken"]) for each in _passes(2)) == [(0, 1), (1, 0)]
    assert [database.violated(failed) for failed in refused] == ["pk_pledge_compensation"]  # type: ignore[arg-type]
    assert granted() == [(2, 1), (1, 1)]
    assert (the_pledge().state, len(compensations()), len(notices())) == ("breached", 1, 1)


def _passes(rivals: int) -> list[dict[str, int]]:
    found = all_at_once([lambda: keep_pledges(now=after(90))] * rivals)
    assert not [failed for failed in found if isinstance(failed, Exception)], found
    return found  # type: ignore[return-value]
