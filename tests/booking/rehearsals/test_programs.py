"""A right program passes every fault, and each mistake is caught by the fault that is for it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from booking.faults.kinds import Kind
from booking.models import Booking
from booking.rehearsals.view import rehearsal
from marketplace.core.database.db import reading
from providers.partner_api import struck
from tests.booking.rehearsals.programs import (
    BelievesOlder,
    Honest,
    Impatient,
    NeverRepeats,
    NewKeyEachTime,
    NoClock,
    TakesTwice,
    TriesForEver,
)
from tests.booking.rehearsals.running import asked, run, second, staged, verdicts
from tests.booking.webhooks.receiver import Receiver

MANY = len(Kind) + 1
"""Each fault once, and one that comes again."""
RIGHT = {
    "lost_answer": ("right", "repeated"),
    "duplicate": ("right", "answered_once"),
    "out_of_order": ("right", "older_ignored"),
    "clock_skew": ("right", "skew_refused"),
    "gone": ("right", "accepted_the_end"),
    "late": ("right", "accepted_the_end"),
}


def test_a_right_program_passes_every_fault_and_nothing_is_left_of_it(
    app: Flask, db: object, receiver: Receiver, paused: list[float]
) -> None:
    _stage, twin = staged()
    program = Honest(app, twin, receiver)
    it = run(twin.id, asked(twin.id, list(Kind), 12), program.act)
    assert verdicts(it) == RIGHT
    assert (it.state, it.right, it.wrong, it.not_tried, it.passed) == ("done", 12, 0, 0, True)
    assert len(paused) == 4 and all(1 <= seconds <= 4 for seconds in paused)
    with reading() as session:
        left = session.scalars(select(Booking.public_id).where(Booking.provider_id == twin.id, Booking.live)).all()
    assert left == []


@pytest.mark.parametrize(
    ("program", "kind", "reason"),
    [
        (NeverRepeats, Kind.LOST_ANSWER, "not_repeated"),
        (NewKeyEachTime, Kind.LOST_ANSWER, "other_key"),
        (TakesTwice, Kind.DUPLICATE, "answered_twice"),
        (BelievesOlder, Kind.OUT_OF_ORDER, "believed_older"),
        (NoClock, Kind.CLOCK_SKEW, "skew_accepted"),
        (TriesForEver, Kind.GONE, "retried_for_ever"),
        (Impatient, Kind.LATE, "answered_twice"),
    ],
)
def test_each_mistake_is_caught_by_its_fault(
    app: Flask,
    db: object,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    program: type[Honest],
    kind: Kind,
    reason: str,
) -> None:
    _stage, twin = staged()
    hers = program(app, twin, receiver)

    def late(_seconds: float) -> None:
        hers.slow = True

    monkeypatch.setattr(struck, "pause", late)
    it = run(twin.id, asked(twin.id, [kind], 1), hers.act)
    assert verdicts(it) == {kind.value: ("wrong", reason)}
    assert it.passed is False


def test_the_same_seed_strikes_the_same_bookings_in_the_same_order(app: Flask, db: object, receiver: Receiver) -> None:
    _stage, twin = staged()
    program = Honest(app, twin, receiver)
    told = []
    for _twice in range(2):
        it = run(twin.id, asked(twin.id, list(Kind), MANY, seed=41, now=program.now), program.act, now=program.now)
        told.append(
            [
                (each.number, each.fault, each.seconds, [(step.by, step.what) for step in each.steps])
                for each in it.results
            ]
        )
    assert told[0] == told[1] and [each[0] for each in told[0]] == list(range(1, MANY + 1))
    other = asked(twin.id, list(Kind), MANY, seed=42, now=program.now)
    second(twin.id, program.now)  # in which it is planned
    assert [each.fault for each in rehearsal(twin.id, other).results] != [each[1] for each in told[0]]
