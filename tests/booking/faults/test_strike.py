"""Whether a fault strikes: never without a rehearsal, and then at no cost; once where it strikes once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from sqlalchemy import Engine, event, select, update

from booking.faults import strike
from booking.faults.kinds import Kind
from booking.faults.models import RehearsalBooking, RehearsalStep
from booking.faults.strike import NOTICED_AFTER, REMEMBERED_SECONDS, fault_of
from booking.rehearsals.carry_out import carry_on
from booking.webhooks.struck import struck
from marketplace.core.database.db import autocommit_engine, reading, transaction
from tests.booking.rehearsals.running import asked, staged
from tests.people import NOON


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    engine: Engine = autocommit_engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def under_way(kind: Kind = Kind.GONE) -> tuple[int, str]:
    """A rehearsal whose first booking is made: the twin, and the booking."""
    _stage, twin = staged()
    asked(twin.id, [kind], 1)
    carry_on(lambda: NOON)
    carry_on(lambda: NOON + NOTICED_AFTER)
    strike.forget()
    with reading() as session:
        return twin.id, session.scalars(select(RehearsalBooking.booking)).one()


def test_without_a_rehearsal_a_thousand_calls_ask_once(db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strike, "REMEMBERED_SECONDS", 600.0)
    strike.forget()
    with counted() as sent:
        assert not any(fault_of(provider, "bkg_x") for provider in range(1000))
        assert not any(struck(delivery) for delivery in range(1000))
    strike.forget()
    assert len(sent) == 1


def test_a_rehearsal_begins_after_every_process_has_noticed_it() -> None:
    assert NOTICED_AFTER.total_seconds() > 2 * REMEMBERED_SECONDS


def test_a_fault_strikes_its_own_booking_at_its_own_twin_while_it_runs(db: object) -> None:
    twin, booking = under_way()
    found = fault_of(twin, booking)
    assert found is not None and (found.kind, found.booking, found.provider_id) == (Kind.GONE, booking, twin)
    assert fault_of(twin, "bkg_another") is None and fault_of(twin, "") is None
    assert fault_of(twin + 1, booking) is None
    with transaction() as session:
        session.execute(update(RehearsalBooking).values(state="right"))
    assert fault_of(twin, booking) is None


def test_of_many_who_would_strike_at_once_one_does(db: object) -> None:
    twin, booking = under_way()
    armed = fault_of(twin, booking)
    assert armed is not None
    struck_by: list[bool] = []
    threads = [Thread(target=lambda: struck_by.append(strike.take(armed, now=NOON))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(struck_by) == [False] * 5 + [True]


def test_looks_one_after_another_are_one_line_and_a_flood_ends(db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strike, "MOST_STEPS", 6)
    twin, booking = under_way()
    armed = fault_of(twin, booking)
    assert armed is not None
    for _look in range(3):
        strike.note(armed, "partner", strike.READ, {"status": 200}, now=NOON)
    for number in range(9):
        strike.note(armed, "partner", "answered", {"key": str(number)}, now=NOON)
    with reading() as session:
        noted = session.scalars(select(RehearsalStep.what).order_by(RehearsalStep.id)).all()
    assert noted == ["booked", "read", *["answered"] * 4]
